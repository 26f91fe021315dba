//! What a TLS connection travels on.
//!
//! A [`Transport`] is a byte stream with three calls: receive what is there,
//! send what fits, and wait until one of the two may work again. It is the
//! stream's pump that decides when to do which; see `stream/mod.rs`.
//!
//! | transport | waits by | a ring is lent to it |
//! |---|---|---|
//! | `greenling::net::TcpStream`, `UnixStream` | parking the tasklet | yes |
//! | `greenling::io::Fd` around any descriptor | parking the tasklet | yes |
//! | [`std::net::TcpStream`], `UnixStream` | blocking the OS thread in `poll(2)` | yes |
//! | `may`'s `TcpStream`, `UnixStream` | suspending the coroutine | yes |
//! | [`Blocking`] around what reads or writes | its own `read` and `write` | no: copied |
//! | [`TlsStream`](crate::TlsStream) (TLS in TLS) | the transport below it | as to that one |
//! | [`Split`]: one to receive by, one to send by | both | if it may be to both |
//! | [`Prefixed`]: with bytes that were read before | the transport below it | as to that one |
//! | `&T`, `Box<T>`, `Rc<T>`, `Arc<T>` | `T` | as to `T` |
//!
//! [`Plain`] is a transport on the way to TLS (STARTTLS).

use std::io;
use std::net::Shutdown;
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

mod blocking;
#[cfg(feature = "greenling")]
mod green;
#[cfg(feature = "may")]
mod may_net;
mod plain;
mod prefixed;
#[cfg(not(feature = "greenling"))]
mod readiness;
mod split;
mod std_net;

pub use blocking::Blocking;
#[cfg(feature = "greenling")]
pub use greenling::io::{Interest, Ready};
pub use plain::Plain;
pub use prefixed::Prefixed;
#[cfg(not(feature = "greenling"))]
pub use readiness::{Interest, Ready};
pub use split::Split;

/// A byte stream below a TLS connection.
///
/// Methods take `&self`: one tasklet may receive while another sends.
pub trait Transport {
    /// Whether [`try_recv`](Transport::try_recv) and
    /// [`try_send`](Transport::try_send) may switch to another tasklet, as a
    /// `read` in the style of std does. Such a transport gets copies of the
    /// ciphertext, because a part of a ring must not be lent across a switch.
    const MAY_SUSPEND: bool;

    /// Whether a wait may resume on another OS thread. Of the connections on such a
    /// transport only so many keep their rings while they wait; the others give them
    /// back, whether they will soon be used or not.
    const MAY_MIGRATE: bool = false;

    /// Receives into `buf`, which is never empty; 0 is the end of the stream.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when nothing is there; then [`wait`](Transport::wait) follows.
    /// Any other error ends the connection's receiving side.
    fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize>;

    /// Sends some of `data`, which is never empty, and says how much it took.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when there is no room; then [`wait`](Transport::wait) follows.
    /// Any other error ends the connection's sending side.
    fn try_send(&self, data: &[u8]) -> io::Result<usize>;

    /// Sends on what [`try_send`](Transport::try_send) took and has kept, for
    /// transports that do that, as TLS in TLS does.
    ///
    /// # Errors
    ///
    /// As for [`try_send`](Transport::try_send): after `WouldBlock` a
    /// [`wait`](Transport::wait) for room follows.
    fn try_flush(&self) -> io::Result<()> {
        Ok(())
    }

    /// Waits until one of the directions in `interest` may work, or `deadline`.
    /// It may return early without reason.
    ///
    /// # Errors
    ///
    /// `TimedOut` at the deadline. Whatever the error, the connection stays as it
    /// is: only the operation that waited fails.
    fn wait(&self, interest: Interest, deadline: Option<Instant>) -> io::Result<Ready>;

    /// Ends one or both directions.
    ///
    /// # Errors
    ///
    /// Those of `shutdown(2)`; the connection ignores them.
    fn shutdown(&self, how: Shutdown) -> io::Result<()>;

    /// Makes every [`wait`](Transport::wait) that is under way return early.
    ///
    /// A tasklet that gives up while it waits to send leaves that duty to the one
    /// that waits to receive, which learns of it this way. Transports that only
    /// one tasklet at a time uses need not do anything.
    fn wake(&self) {}

    /// Lets others run, after many calls that succeeded at once: a peer that
    /// floods one connection must not starve the rest. Nothing is lent meanwhile.
    fn give_way(&self) {}

    /// The descriptor, if [`wait`](Transport::wait) is a `poll(2)` of it that blocks
    /// the OS thread. [`Split`] polls two of them at once, after such a wait without
    /// time has found nothing.
    fn as_polled(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

macro_rules! pointer_transport {
    ($pointer:ty) => {
        impl<T: Transport> Transport for $pointer {
            const MAY_SUSPEND: bool = T::MAY_SUSPEND;
            const MAY_MIGRATE: bool = T::MAY_MIGRATE;

            fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
                (**self).try_recv(buf)
            }

            fn try_send(&self, data: &[u8]) -> io::Result<usize> {
                (**self).try_send(data)
            }

            fn try_flush(&self) -> io::Result<()> {
                (**self).try_flush()
            }

            #[track_caller]
            fn wait(&self, interest: Interest, deadline: Option<Instant>) -> io::Result<Ready> {
                (**self).wait(interest, deadline)
            }

            fn shutdown(&self, how: Shutdown) -> io::Result<()> {
                (**self).shutdown(how)
            }

            fn wake(&self) {
                (**self).wake();
            }

            fn give_way(&self) {
                (**self).give_way();
            }

            fn as_polled(&self) -> Option<BorrowedFd<'_>> {
                (**self).as_polled()
            }
        }
    };
}

pointer_transport!(&T);
pointer_transport!(Box<T>);
pointer_transport!(Rc<T>);
pointer_transport!(Arc<T>);

/// `Ready` may grow, so it is not built by its fields outside of its crate.
pub(crate) fn ready(readable: bool, writable: bool) -> Ready {
    let mut ready = Ready::default();
    (ready.readable, ready.writable) = (readable, writable);
    ready
}
