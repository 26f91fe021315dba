//! Copies from a file to a socket that the kernel makes by itself.
//!
//! ```text
//!   copy: what was kept --> pieces, by sendfile --> a loop of reads and writes
//!                            |  done: the end         ^
//!                            +-- refused, or nothing -+
//! ```
//!
//! The loop is right for every pair, and begins where the pieces have ended:
//! the position of the file, the limit of a `Take` and the count of bytes are
//! those of what was sent, whatever ends a piece. So the kernel may refuse (file
//! systems without `sendfile`, most of `/proc`), and a file may have more to
//! read than it says. Only what reads as the end at once is the end.
//!
//! Not for processes that don't ignore `SIGPIPE`, as programs in C: `sendfile`
//! can't be told not to raise it.

use super::forms::{find, find_limited, take_off};
use super::pollable::Watched;
use super::send_file::{PIECE, bring_in, is_at_end, is_refusal, sendfile};
use crate::error::is_of_the_wait;
use crate::fs::File;
use crate::net::{OwnedWriteHalf, TcpStream, UnixStream};
use crate::sys::signals;
use rustix::fs::{FileType, fstat, tell};
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::panic::Location;

/// A file of which pieces are sent from where it stands.
trait Sent: AsFd {
    /// Whether there is a position that moves with what is sent.
    fn has_position(&self) -> bool;

    /// Sends up to `count` bytes, one at least, and moves the position by that;
    /// nothing is the end, or no matter for the kernel.
    fn send(&self, count: usize, way: &mut Way<'_>) -> io::Result<usize>;

    /// Whether a read would find the end, as far as can be told at once.
    fn is_at_end(&self) -> bool;
}

/// Where the bytes go.
struct Way<'a> {
    socket: &'a dyn Watched,
    location: &'static Location<'static>,
    /// The file system tells what is in memory.
    knows_its_pages: bool,
}

/// Sends what the kernel can, and counts it in `copied`; true if that was all
/// until the reader's end.
pub(super) fn copy<R: ?Sized, W: ?Sized>(
    reader: &mut R,
    writer: &mut W,
    copied: &mut u64,
    location: &'static Location<'static>,
) -> io::Result<bool> {
    let Some((file, _)) = file_of(reader) else {
        return Ok(false);
    };
    let Some(socket) = socket_of(writer) else {
        return Ok(false);
    };
    if !can_be_sent(file) || !signals::ignores_broken_pipes() {
        return Ok(false);
    }
    let mut way = Way {
        socket,
        location,
        knows_its_pages: true,
    };
    while let Some((file, limit)) = file_of(reader) {
        let piece = PIECE.min(usize::try_from(limit).unwrap_or(PIECE));
        if piece == 0 {
            return Ok(true);
        }
        match file.send(piece, &mut way) {
            Ok(0) => return Ok(file.is_at_end()),
            Ok(count) => {
                take_off::<fs::File>(reader, count as u64);
                take_off::<File>(reader, count as u64);
                *copied += count as u64;
            }
            Err(error) if is_refusal(&error) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

/// The file that `reader` reads, and how much of it at most.
fn file_of<R: ?Sized>(reader: &mut R) -> Option<(&dyn Sent, u64)> {
    // Each of them is asked twice, since what is found borrows the reader.
    if find::<fs::File>(reader).is_some() {
        return find::<fs::File>(reader).map(|file| (file as _, u64::MAX));
    }
    if find::<File>(reader).is_some() {
        return find::<File>(reader).map(|file| (file as _, u64::MAX));
    }
    if find_limited::<fs::File>(reader).is_some() {
        return find_limited::<fs::File>(reader).map(|(file, limit)| (file as _, limit));
    }
    find_limited::<File>(reader).map(|(file, limit)| (file as _, limit))
}

/// The stream to which `writer` writes.
fn socket_of<W: ?Sized>(writer: &mut W) -> Option<&dyn Watched> {
    if find::<TcpStream>(writer).is_some() {
        return find::<TcpStream>(writer).map(|stream| stream as _);
    }
    if find::<UnixStream>(writer).is_some() {
        return find::<UnixStream>(writer).map(|stream| stream as _);
    }
    if find::<OwnedWriteHalf<TcpStream>>(writer).is_some() {
        return find::<OwnedWriteHalf<TcpStream>>(writer).map(|half| half.get_ref() as _);
    }
    find::<OwnedWriteHalf<UnixStream>>(writer).map(|half| half.get_ref() as _)
}

fn can_be_sent(file: &dyn Sent) -> bool {
    let is_regular = |stat: rustix::fs::Stat| FileType::from_raw_mode(stat.st_mode).is_file();
    file.has_position() && fstat(file.as_fd()).is_ok_and(is_regular)
}

impl Sent for fs::File {
    fn has_position(&self) -> bool {
        true
    }

    /// The position is the descriptor's, which others may move while this waits.
    fn send(&self, count: usize, way: &mut Way<'_>) -> io::Result<usize> {
        let file = self.as_fd();
        if way.knows_its_pages {
            way.knows_its_pages = match bring_in(file, tell(file)?, count) {
                // The wait for the disk was ended: by a scope, or by what was thrown.
                Err(error) if is_of_the_wait(&error) => return Err(error),
                // Sending tells what is wrong with the file, if anything.
                knows => knows.unwrap_or(false),
            };
        }
        way.socket.write_by(way.location, &mut |socket| {
            sendfile(socket, file, None, count)
        })
    }

    fn is_at_end(&self) -> bool {
        tell(self).is_ok_and(|position| is_at_end(self.as_fd(), position))
    }
}

impl Sent for File {
    fn has_position(&self) -> bool {
        File::has_position(self)
    }

    /// Whoever shares the file may move its position while this waits, as
    /// between two reads.
    fn send(&self, count: usize, way: &mut Way<'_>) -> io::Result<usize> {
        let file = self.as_fd();
        loop {
            let held = self.hold_position()?;
            if way.knows_its_pages {
                way.knows_its_pages = bring_in(file, held.position(), count)?;
            }
            let (mut held, mut is_held_elsewhere) = (Some(held), false);
            let sent = way.socket.write_by(way.location, &mut |socket| {
                let Some(mut held) = held.take().or_else(|| self.try_hold_position()) else {
                    is_held_elsewhere = true;
                    return Ok(0);
                };
                let mut position = held.position();
                let sent = sendfile(socket, file, Some(&mut position), count)?;
                held.advance(sent);
                Ok(sent)
            })?;
            if !is_held_elsewhere {
                return Ok(sent);
            }
        }
    }

    fn is_at_end(&self) -> bool {
        let held = self.try_hold_position();
        held.is_some_and(|held| is_at_end(self.as_fd(), held.position()))
    }
}
