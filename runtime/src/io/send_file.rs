//! From a file to a socket without a copy in user space.
//!
//! `sendfile(2)` itself reads the disk, and would stop the whole thread while
//! it does. Before each piece the kernel is asked, by a read of its first and
//! last byte that may not wait (`RWF_NOWAIT`), whether the piece is in memory.
//! If it is not, a thread of the pool reads it first. Sending every piece from
//! the pool instead would cost two switches between threads each, and the
//! usual file is in memory. Measured over TCP, 256 MiB took 17 to 54 ms of CPU,
//! by a buffer 84 to 97.

use super::pollable::Pollable;
use crate::offload;
use rustix::io::{Errno, pread};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::panic::Location;

/// Sent by one call at most, so that others get their turn.
pub(super) const PIECE: usize = 256 << 10;

/// Sends a part of a file by `sendfile(2)`, and returns the number of bytes:
/// `length`, or less if the file ends before.
///
/// `offset` says where to begin, and is moved on by what was sent, whatever
/// happens. The file's own position stays. The kernel sends the pages of the
/// file as they are when they leave, so what is written to the file meanwhile
/// may be sent.
///
/// What can't be sent in this way (a file of `/proc`, an object that is no
/// stream) goes by a buffer.
///
/// # Scheduling
///
/// Switches while there is no room to write, while the file is read from its
/// disk, and after each 8 MiB. File systems that can't tell what is in memory
/// hold the thread while they read.
///
/// # Cancellation
///
/// Nothing is lost: `offset` tells what was sent.
///
/// # Errors
///
/// Those of reading and of writing, and of the wait. A peer that is gone is
/// `BrokenPipe`, and `SIGPIPE` in a process that does not ignore it, as Rust's
/// programs do.
///
/// # Examples
///
/// ```
/// use greenling::net::{TcpListener, TcpStream};
/// use std::io::Read;
/// # fn main() -> std::io::Result<()> {
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let address = listener.local_addr()?;
/// greenling::spawn(move || {
///     let (stream, _) = listener.accept().unwrap();
///     let file = std::fs::File::open("/proc/self/exe").unwrap();
///     let mut offset = 1;
///     greenling::io::send_file(&file, &mut offset, 3, &stream).unwrap();
///     assert_eq!(offset, 4);
/// });
/// let mut text = String::new();
/// TcpStream::connect(address)?.read_to_string(&mut text)?;
/// assert_eq!(text, "ELF");
/// # Ok(())
/// # }
/// ```
#[doc(alias = "sendfile")]
#[track_caller]
pub fn send_file(
    file: impl AsFd,
    offset: &mut u64,
    length: u64,
    to: &impl Pollable,
) -> io::Result<u64> {
    let location = Location::caller();
    let (file, begin) = (file.as_fd(), *offset);
    let end = begin.saturating_add(length);
    let mut knows_its_pages = true;
    while *offset < end {
        let piece = PIECE.min(usize::try_from(end - *offset).unwrap_or(PIECE));
        if knows_its_pages {
            knows_its_pages = bring_in(file, *offset, piece)?;
        }
        let sent = to.write_by(location, &mut |socket| {
            // Copied, since the offset moves by what all of the operation has sent.
            let mut from = *offset;
            sendfile(socket, file, Some(&mut from), piece)
        });
        let sent = match sent {
            Err(error) if is_refusal(&error) => {
                let bytes = read_piece(file.try_clone_to_owned()?, *offset, piece)?;
                // Nothing to write is the end, which is not to be written.
                let mut write = |socket: BorrowedFd<'_>| Ok(rustix::io::write(socket, &bytes)?);
                match bytes.len() {
                    0 => 0,
                    _ => to.write_by(location, &mut write)?,
                }
            }
            sent => sent?,
        };
        if sent == 0 {
            break;
        }
        *offset += sent as u64;
    }
    Ok(*offset - begin)
}

/// From `offset`, or else from where the file stands; either is moved on.
#[cfg(target_os = "linux")]
pub(super) fn sendfile(
    socket: BorrowedFd<'_>,
    file: BorrowedFd<'_>,
    offset: Option<&mut u64>,
    count: usize,
) -> io::Result<usize> {
    Ok(rustix::fs::sendfile(socket, file, offset, count)?)
}

/// Other systems' calls differ.
#[cfg(not(target_os = "linux"))]
pub(super) fn sendfile(
    _: BorrowedFd<'_>,
    _: BorrowedFd<'_>,
    _: Option<&mut u64>,
    _: usize,
) -> io::Result<usize> {
    Err(Errno::NOSYS.into())
}

/// Whether `sendfile` does not work between the two at all.
pub(super) fn is_refusal(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::OVERFLOW)
    )
}

/// Has a piece of the file read from its disk if need be; false if that can't
/// be told.
#[track_caller]
pub(super) fn bring_in(file: BorrowedFd<'_>, offset: u64, length: usize) -> io::Result<bool> {
    let last = offset.saturating_add(length as u64 - 1);
    for place in [offset, last] {
        match probe(file, place) {
            Ok(_) => {}
            Err(Errno::AGAIN) => {
                // Out of descriptors, the thread has to wait itself.
                if let Ok(file) = file.try_clone_to_owned() {
                    read_piece(file, offset, length)?;
                }
                break;
            }
            // Sending it will tell what is wrong with it, if anything.
            Err(_) => return Ok(false),
        }
    }
    Ok(true)
}

/// Whether a read from `offset` on would find the end, if that can be told
/// without a wait.
pub(super) fn is_at_end(file: BorrowedFd<'_>, offset: u64) -> bool {
    probe(file, offset) == Ok(0)
}

/// Reads a byte, which there may not be; `EAGAIN` if it is not in memory.
#[cfg(target_os = "linux")]
fn probe(file: BorrowedFd<'_>, offset: u64) -> Result<usize, Errno> {
    use rustix::io::{ReadWriteFlags, preadv2};
    let mut byte = [0];
    let mut buffers = [io::IoSliceMut::new(&mut byte)];
    preadv2(file, &mut buffers, offset, ReadWriteFlags::NOWAIT)
}

/// There is no such question elsewhere.
#[cfg(not(target_os = "linux"))]
fn probe(_: BorrowedFd<'_>, _: u64) -> Result<usize, Errno> {
    Err(Errno::NOSYS)
}

/// Reads a piece on a thread of the pool.
#[track_caller]
fn read_piece(file: OwnedFd, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    offload(move || {
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while filled < length {
            match pread(&file, &mut bytes[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    })?
}
