//! What the kernel's own ways to move bytes ask of an object.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::panic::Location;

/// A stream between whose descriptor and another the kernel can move bytes by
/// itself: [`TcpStream`](crate::net::TcpStream),
/// [`UnixStream`](crate::net::UnixStream), and [`Fd`](super::Fd) for pipes.
///
/// It can't be implemented elsewhere.
pub trait Pollable: AsFd + Watched {}

impl<T: AsFd + Watched> Pollable for T {}

/// An operation on the descriptor of an object, which gives the number of
/// bytes that it has moved.
pub(crate) type Operation<'a> = &'a mut dyn FnMut(BorrowedFd<'_>) -> io::Result<usize>;

/// Seals [`Pollable`]: its module is private.
pub trait Watched {
    /// Runs an operation that reads, under the object's mode and time limit.
    #[doc(hidden)]
    fn read_by(
        &self,
        location: &'static Location<'static>,
        operation: Operation<'_>,
    ) -> io::Result<usize>;

    /// Runs an operation that writes, under the object's mode and time limit.
    #[doc(hidden)]
    fn write_by(
        &self,
        location: &'static Location<'static>,
        operation: Operation<'_>,
    ) -> io::Result<usize>;
}
