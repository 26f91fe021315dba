//! Accepting connections, for every kind of listener.
//!
//! ```text
//!   accept(2): a connection ----------------------------------> return it
//!              a connection that died meanwhile -> the next one
//!              out of descriptors or memory
//!                 and somebody waits ------------> pause, for as long as it takes
//!                 and nobody does ---------------> park
//!              not permitted, no listener -------> pause, then give up
//!              WouldBlock -----------------------> park
//!              anything else ---------------------> return the error
//! ```
//!
//! A pause doubles from 10 to 200 ms: nothing tells when another part of the
//! process, or another process, gives a descriptor back. The kernel says that
//! there is none before it looks whether somebody waits; so that is asked, and
//! nobody's connection is worth no pause. `EPERM` comes from a firewall, for one
//! connection, or from a sandbox, for ever; `EOPNOTSUPP` likewise. Hence
//! the limit.

use super::endpoint::{Endpoint, Spoken};
use crate::error::WaitError;
use crate::io::source::Waiting;
use crate::scheduler::{Park, local};
use crate::wait::{WaitList, WaitReason, reason};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::cell::Cell;
use std::io;
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::panic::Location;
use std::time::{Duration, Instant};

/// First and longest pause.
const PAUSE: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(200));

/// Times in a row that a connection may be refused to us.
const REFUSALS_MAX: usize = 6;

/// What the handles of a listener share.
pub(super) struct Accepting {
    /// Acceptors that pause.
    pausing: WaitList<()>,
    nonblocking: Cell<bool>,
    /// Others may have the descriptor: closing leaves the queue in the kernel.
    is_shared: Cell<bool>,
    /// What the connections speak, once one was accepted.
    protocol: Cell<Spoken>,
    /// There was a shortage, and nothing has been accepted since.
    is_short: Cell<bool>,
    closed: Cell<bool>,
}

/// The connections of a listener, one after the other.
///
/// Ends once the listener is closed; other errors are items, as of
/// [`std::net::Incoming`], which never ends.
#[derive(Debug)]
pub struct Incoming<'a, L> {
    pub(super) listener: &'a L,
}

impl Default for Accepting {
    fn default() -> Accepting {
        Accepting {
            pausing: WaitList::new(),
            nonblocking: Cell::new(false),
            is_shared: Cell::new(true),
            protocol: Cell::default(),
            is_short: Cell::new(false),
            closed: Cell::new(false),
        }
    }
}

impl Accepting {
    pub(super) fn set_nonblocking(&self, on: bool) {
        self.nonblocking.set(on);
    }

    pub(super) fn is_nonblocking(&self) -> bool {
        self.nonblocking.get()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    pub(super) fn set_shared(&self, on: bool) {
        self.is_shared.set(on);
    }

    pub(super) fn is_shared(&self) -> bool {
        self.is_shared.get()
    }

    /// Says so once, however long it lasts.
    fn note_shortage(&self, error: &io::Error) {
        if !self.is_short.replace(true) {
            log::warn!("greenling: accept: {error}; connections wait until that is over");
        }
    }
}

impl<L: AsFd> Endpoint<L, Accepting> {
    /// Watches a socket that was made here.
    pub(super) fn new_own(socket: L) -> io::Result<Endpoint<L, Accepting>> {
        let endpoint: Endpoint<L, Accepting> = Endpoint::new(socket)?;
        endpoint.state().is_shared.set(false);
        Ok(endpoint)
    }

    /// What its connections speak: what the listener does.
    pub(super) fn protocol(&self) -> Spoken {
        let protocol = &self.state().protocol;
        if protocol.get() == Spoken::Unknown {
            protocol.set(Spoken::of(self.socket()));
        }
        protocol.get()
    }

    /// Waits for a connection, which `accept` takes.
    pub(super) fn accept<T>(
        &self,
        location: &'static Location<'static>,
        mut accept: impl FnMut(&L) -> io::Result<T>,
    ) -> io::Result<T> {
        let (mut pause, mut refusals) = (PAUSE.0, 0);
        loop {
            let accepted = if self.state().nonblocking.get() {
                self.source().try_read_op(&mut accept)
            } else {
                let wait = Waiting::new(&reason::ACCEPT, location, None);
                self.source().read_op(wait, |listener| {
                    accept(listener).map_err(|error| or_nobody(error, listener))
                })
            };
            match accepted {
                Ok(accepted) => {
                    self.state().is_short.set(false);
                    return Ok(accepted);
                }
                Err(error) if has_died(&error) => continue,
                Err(error) if self.state().nonblocking.get() => return Err(error),
                Err(error) if is_refused(&error) && refusals < REFUSALS_MAX => refusals += 1,
                Err(error) if is_shortage(&error) => self.state().note_shortage(&error),
                Err(error) => return Err(error),
            }
            let pausing = &self.state().pausing;
            pause_in(pausing, &reason::ACCEPT_BACKOFF, location, pause)?;
            pause = (pause * 2).min(PAUSE.1);
        }
    }

    /// Takes a connection that is there.
    pub(super) fn try_accept<T>(
        &self,
        mut accept: impl FnMut(&L) -> io::Result<T>,
    ) -> io::Result<T> {
        loop {
            match self.source().try_read_op(&mut accept) {
                Err(error) if has_died(&error) => {}
                result => return result,
            }
        }
    }

    /// Ends every accept, and the queue in the kernel if it is ours alone.
    pub(super) fn close(&self) {
        let state = self.state();
        // An error says that it is not listening any more: nothing is to be ended.
        if !state.is_shared() && self.options().shutdown(Shutdown::Both).is_ok() {
            // TCP has reset what waits in the queue; a Unix socket keeps it.
            while rustix::net::accept(self.socket()).is_ok() {}
        }
        state.closed.set(true);
        self.source().close();
        if let Some(scheduler) = local::get() {
            state.pausing.wake_all(scheduler);
        }
    }
}

/// Parks for a while; whoever has the list may end that earlier.
pub(super) fn pause_in(
    list: &WaitList<()>,
    reason: &'static WaitReason,
    location: &'static Location<'static>,
    pause: Duration,
) -> io::Result<()> {
    let scheduler = local::get_or_make().ok_or(WaitError::Unwinding)?;
    scheduler.check_may_park()?;
    let ends = Instant::now() + pause;
    let park = Park::new(reason, location).until(Some(ends));
    match list.park(scheduler, park) {
        // The pause is over, and no scope has ended it earlier.
        Err(WaitError::TimedOut)
            if crate::time::deadline().is_none_or(|deadline| ends < deadline) =>
        {
            Ok(())
        }
        result => Ok(result?),
    }
}

/// Errors of the connection that was about to be accepted; accept(2) lists
/// those that a server should skip. Each has taken one off the queue.
fn has_died(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(
            libc::ECONNABORTED
                | libc::EPROTO
                | libc::ENETDOWN
                | libc::ENOPROTOOPT
                | libc::EHOSTDOWN
                | libc::EHOSTUNREACH
                | libc::ENETUNREACH
        )
    )
}

/// Errors of a connection, or else of every one to come.
fn is_refused(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EPERM | libc::EOPNOTSUPP))
}

fn is_shortage(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM | libc::ENOSPC)
    )
}

/// A shortage concerns nobody while no connection waits.
fn or_nobody(error: io::Error, listener: &impl AsFd) -> io::Error {
    if is_shortage(&error) {
        let mut asked = [PollFd::new(listener, PollFlags::IN)];
        if poll(&mut asked, Some(&Timespec::default())) == Ok(0) {
            return io::ErrorKind::WouldBlock.into();
        }
    }
    error
}

/// What the public types of listeners have in common; see `handle`.
///
/// `$accept` takes a connection from the queue, of which it makes a stream;
/// `$example` makes a listener.
macro_rules! listener_methods {
    ($type:ident, $stream:ident, $address:path, $accept:path, example: $example:literal) => {
        impl $type {
            /// Waits for a connection.
            ///
            /// Connections that were reset before they could be accepted are
            /// skipped. While the process or the system is out of descriptors
            /// or memory and somebody waits, it pauses for 10 to 200 ms and
            /// tries again, with one warning to the log.
            ///
            /// # Scheduling
            ///
            /// Switches unless a connection waits.
            ///
            /// # Cancellation
            ///
            /// No connection is lost.
            ///
            /// # Errors
            ///
            /// `ConnectionAborted` once the listener is closed, `TimedOut` by a
            /// scope, and what `accept(2)` says of a broken socket. `EPERM`
            /// and `EOPNOTSUPP` if it is so after several pauses.
            #[track_caller]
            pub fn accept(&self) -> io::Result<($stream, $address)> {
                let (stream, peer) = self.endpoint.accept(Location::caller(), $accept)?;
                stream
                    .endpoint
                    .mode()
                    .set_protocol(self.endpoint.protocol());
                Ok((stream, peer))
            }

            /// Takes a connection that is there; `WouldBlock` instead of a
            /// wait.
            ///
            /// # Scheduling
            ///
            /// Never switches.
            ///
            /// # Errors
            ///
            /// `ConnectionAborted` once the listener is closed, and those of
            /// `accept(2)`, a shortage of descriptors included.
            pub fn try_accept(&self) -> io::Result<($stream, $address)> {
                let (stream, peer) = self.endpoint.try_accept($accept)?;
                stream
                    .endpoint
                    .mode()
                    .set_protocol(self.endpoint.protocol());
                Ok((stream, peer))
            }

            /// The connections, one after the other, until the listener is
            /// closed.
            ///
            /// # Scheduling
            ///
            /// Never switches; each step of the iterator does as
            /// [`accept`](Self::accept).
            pub fn incoming(&self) -> Incoming<'_, $type> {
                Incoming { listener: self }
            }

            /// Wakes every waiting acceptor with an error, for all handles. The
            /// descriptor is released when the last is dropped.
            ///
            /// On Linux, a socket that was bound here also stops listening:
            /// connections that wait in its queue are ended, and later ones are
            /// refused at once. Not so one that others may listen at: one that
            /// was taken over, or that [`set_shared`](Self::set_shared) was
            /// called for. The kernel goes on queueing for it.
            ///
            /// # Scheduling
            ///
            /// Never switches.
            pub fn close(&self) {
                self.endpoint.close();
            }

            /// With `true`, [`close`](Self::close) ends what is accepted here,
            /// and leaves the socket as it is: for a descriptor that is handed
            /// over to others, such as the successor of a server that restarts
            /// without refusing anybody.
            ///
            /// # Scheduling
            ///
            /// Never switches.
            ///
            /// # Examples
            ///
            /// ```no_run
            #[doc = concat!("use greenling::net::", stringify!($type), ";")]
            /// use std::os::fd::{AsFd, OwnedFd};
            /// # fn main() -> std::io::Result<()> {
            #[doc = $example]
            /// listener.set_shared(true);
            /// let successors: OwnedFd = listener.as_fd().try_clone_to_owned()?;
            /// listener.close(); // nobody is refused
            #[doc = concat!("let listener = ", stringify!($type), "::try_from(successors)?;")]
            /// # Ok(())
            /// # }
            /// ```
            pub fn set_shared(&self, on: bool) {
                self.endpoint.state().set_shared(on);
            }

            /// Whether others may have the descriptor, too: so if it was taken
            /// over, or if [`set_shared`](Self::set_shared) has said so.
            ///
            /// # Scheduling
            ///
            /// Never switches.
            pub fn is_shared(&self) -> bool {
                self.endpoint.state().is_shared()
            }

            /// With `true`, [`accept`](Self::accept) fails with `WouldBlock`
            /// instead of waiting.
            ///
            /// # Scheduling
            ///
            /// Never switches.
            ///
            /// # Errors
            ///
            /// None: the result is std's signature.
            pub fn set_nonblocking(&self, on: bool) -> io::Result<()> {
                self.endpoint.state().set_nonblocking(on);
                Ok(())
            }

            /// Whether [`accept`](Self::accept) fails instead of waiting.
            ///
            /// # Scheduling
            ///
            /// Never switches.
            pub fn is_nonblocking(&self) -> bool {
                self.endpoint.state().is_nonblocking()
            }
        }

        impl Iterator for Incoming<'_, $type> {
            type Item = io::Result<$stream>;

            #[track_caller]
            fn next(&mut self) -> Option<io::Result<$stream>> {
                let accepted = self.listener.accept();
                if accepted.is_err() && self.listener.endpoint.state().is_closed() {
                    return None;
                }
                Some(accepted.map(|(stream, _)| stream))
            }
        }

        impl std::iter::FusedIterator for Incoming<'_, $type> {}

        impl<'a> IntoIterator for &'a $type {
            type Item = io::Result<$stream>;
            type IntoIter = Incoming<'a, $type>;

            fn into_iter(self) -> Incoming<'a, $type> {
                self.incoming()
            }
        }
    };
}

pub(super) use listener_methods;
