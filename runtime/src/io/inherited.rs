//! A descriptor that other processes share, read or written without changing
//! its mode.
//!
//! `O_NONBLOCK` belongs to the open file description. Set on an inherited one
//! it would break the shell, the other side of a pipeline, and std's own
//! `println!`. So, by what the descriptor is:
//!
//! | what | how |
//! |---|---|
//! | pipe, FIFO, terminal | opened again by `/proc/self/fd`: a description of our own |
//! | socket | `MSG_DONTWAIT` with each call |
//! | regular file, `/dev/null`, ... | a thread of the pool, at the position that all share |
//! | the same, where opening fails; what else there is | `poll` before each call |
//! | closed, or open for the other direction | always at its end, takes everything, as in std |
//!
//! The last but one has a gap: another process may take the bytes between `poll`
//! and `read`, and the read then blocks the thread. It is for systems without
//! `/proc`, and for terminals that belong to another user.

use super::source::{Source, Waiting};
use crate::fs;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags, fstat};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use rustix::net::{RecvFlags, SendFlags};
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

/// The first number for a duplicate: the lower ones have meanings.
const LOWEST: i32 = 3;

/// Taken by a pipe without blocking when `poll` says that it is writable, and
/// by a terminal that is not held up.
const PIECE: usize = 4096;

/// The multiplexer of pseudo-terminals: opening it makes another one.
const PTMX: (u32, u32) = (5, 2);

pub(super) enum Inherited {
    Watched(Source<OwnedFd>, How),
    Offloaded(fs::File),
    Closed,
}

/// How a watched descriptor is kept from blocking the thread.
#[derive(Clone, Copy)]
pub(super) enum How {
    OwnDescription,
    Socket,
    PolledBefore,
}

impl Inherited {
    /// `flags` say for what the descriptor is open.
    pub(super) fn new(fd: BorrowedFd<'_>, flags: OFlags) -> io::Result<Inherited> {
        let copy = match fcntl_dupfd_cloexec(fd, LOWEST) {
            Err(Errno::BADF) => return Ok(Inherited::Closed),
            copy => copy?,
        };
        // Opening it again would give a right that nobody has passed on.
        let open_for = rustix::fs::fcntl_getfl(&copy)? & OFlags::RWMODE;
        if open_for != OFlags::RDWR && open_for != flags {
            return Ok(Inherited::Closed);
        }
        let kind = FileType::from_raw_mode(fstat(&copy)?.st_mode);
        let (watched, how) = match kind {
            FileType::RegularFile => return Ok(Inherited::offloaded(copy)),
            FileType::Socket => (copy, How::Socket),
            // Opening devices of other kinds may do more than open them.
            FileType::CharacterDevice if !copy.is_terminal() => (copy, How::PolledBefore),
            _ => match open_again(&copy, flags) {
                Some(own) => (own, How::OwnDescription),
                None => (copy, How::PolledBefore),
            },
        };
        match Source::new(watched) {
            Ok(source) => Ok(Inherited::Watched(source, how)),
            // Always ready, to `epoll`; reading may block nevertheless.
            Err(error) if Errno::from_io_error(&error) == Some(Errno::PERM) => {
                Ok(Inherited::offloaded(fcntl_dupfd_cloexec(fd, LOWEST)?))
            }
            Err(error) => Err(error),
        }
    }

    fn offloaded(fd: OwnedFd) -> Inherited {
        Inherited::Offloaded(fs::File::sharing_its_position(fd))
    }

    #[track_caller]
    pub(super) fn read(&self, wait: Waiting, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        match self {
            Inherited::Watched(source, how) => {
                source.read_op(wait, |fd| read_now(fd, *how, buffer))
            }
            Inherited::Offloaded(file) => {
                let mut file = file;
                file.read(buffer)
            }
            Inherited::Closed => Ok(0),
        }
    }

    #[track_caller]
    pub(super) fn write(&self, wait: Waiting, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        match self {
            Inherited::Watched(source, how) => {
                source.write_op(wait, |fd| write_now(fd, *how, bytes))
            }
            Inherited::Offloaded(file) => {
                let mut file = file;
                file.write(bytes)
            }
            Inherited::Closed => Ok(bytes.len()),
        }
    }
}

/// A description of our own for the same pipe or terminal.
#[cfg(target_os = "linux")]
fn open_again(fd: &OwnedFd, flags: OFlags) -> Option<OwnedFd> {
    let device = fstat(fd).ok()?.st_rdev;
    if (rustix::fs::major(device), rustix::fs::minor(device)) == PTMX {
        return None;
    }
    let flags = flags | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    rustix::fs::open(path, flags, Mode::empty()).ok()
}

/// Opening by number is duplicating elsewhere.
#[cfg(not(target_os = "linux"))]
fn open_again(_: &OwnedFd, _: OFlags) -> Option<OwnedFd> {
    None
}

fn read_now(fd: &OwnedFd, how: How, buffer: &mut [u8]) -> io::Result<usize> {
    match how {
        How::OwnDescription => {}
        How::Socket => {
            let (count, _) = rustix::net::recv(fd, buffer, RecvFlags::DONTWAIT)?;
            return Ok(count);
        }
        How::PolledBefore => check_ready(fd, PollFlags::IN)?,
    }
    Ok(rustix::io::read(fd, buffer)?)
}

fn write_now(fd: &OwnedFd, how: How, bytes: &[u8]) -> io::Result<usize> {
    let bytes = match how {
        How::OwnDescription => bytes,
        How::Socket => {
            let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
            return Ok(rustix::net::send(fd, bytes, flags)?);
        }
        How::PolledBefore => {
            check_ready(fd, PollFlags::OUT)?;
            &bytes[..bytes.len().min(PIECE)]
        }
    };
    Ok(rustix::io::write(fd, bytes)?)
}

/// `WouldBlock` unless the descriptor is ready, at its end, or broken.
fn check_ready(fd: &OwnedFd, flags: PollFlags) -> io::Result<()> {
    let mut fds = [PollFd::new(fd, flags)];
    match poll(&mut fds, Some(&Timespec::default()))? {
        0 => Err(io::ErrorKind::WouldBlock.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait::reason;
    use std::os::fd::AsFd;
    use std::panic::Location;

    /// Any pipe, as if `/proc` were not there.
    fn polled(fd: OwnedFd) -> Inherited {
        Inherited::Watched(Source::new(fd).unwrap(), How::PolledBefore)
    }

    fn wait() -> Waiting {
        Waiting::new(&reason::IO_READ, Location::caller(), None)
    }

    #[test]
    fn polling_first_never_blocks_the_thread() {
        crate::enter(|| {
            let (reader, writer) = io::pipe().unwrap();
            let (reader, writer) = (polled(reader.into()), polled(writer.into()));
            let writing = crate::spawn(move || {
                let mut left = &[7; 300_000][..];
                while !left.is_empty() {
                    left = &left[writer.write(wait(), left).unwrap()..];
                }
            });
            let mut total = 0;
            let mut buffer = [0; 50_000];
            loop {
                match reader.read(wait(), &mut buffer).unwrap() {
                    0 => break,
                    count => total += count,
                }
            }
            assert_eq!(total, 300_000);
            writing.join().unwrap();
        });
    }

    #[test]
    fn a_descriptor_for_the_other_direction_is_not_opened_for_this_one() {
        crate::enter(|| {
            let (reader, mut writer) = io::pipe().unwrap();
            io::Write::write_all(&mut writer, b"somebody else's").unwrap();
            let input = Inherited::new(writer.as_fd(), OFlags::RDONLY).unwrap();
            assert_eq!(input.read(wait(), &mut [0]).unwrap(), 0);
            let output = Inherited::new(reader.as_fd(), OFlags::WRONLY).unwrap();
            assert_eq!(output.write(wait(), b"for nobody").unwrap(), 10);
            drop(writer);
            assert_eq!(io::read_to_string(reader).unwrap(), "somebody else's");
        });
    }

    #[test]
    fn an_own_description_leaves_the_shared_one_alone() {
        crate::enter(|| {
            let (reader, writer) = io::pipe().unwrap();
            let own = Inherited::new(reader.as_fd(), OFlags::RDONLY).unwrap();
            assert!(matches!(own, Inherited::Watched(_, How::OwnDescription)));
            let flags = rustix::fs::fcntl_getfl(&reader).unwrap();
            assert!(!flags.contains(OFlags::NONBLOCK));
            drop(writer);
            assert_eq!(own.read(wait(), &mut [0]).unwrap(), 0);
        });
    }
}
