//! What happens on a connection before its handshake.
//!
//! A listener's hook runs at the first step of the handshake, on the tasklet that
//! makes it, and holds the receiving lock: it reads the transport, and a second
//! tasklet on the same stream waits until it is done.
//!
//! ```text
//!   hook set --> runs --- Ok: its leftover bytes go to the engine --> handshake
//!                  +----- Err, panic, killed: the connection has failed
//! ```

use std::fmt;
use std::io;
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Instant;

use greenling::time;

use super::pump::{Until, earlier};
use super::{Slot, TlsStream};
use crate::error::Error;
use crate::proxy::ProxyHeader;
use crate::transport::Transport;

/// What a listener does with each new connection.
pub(crate) type Hook<T> = Arc<dyn Fn(&mut Arrival<'_, T>) -> io::Result<()> + Send + Sync>;

/// A connection whose handshake has not begun; see
/// [`TlsListener::before_handshake`](crate::TlsListener::before_handshake).
///
/// # Scheduling
///
/// Never switches, except where a method says so.
pub struct Arrival<'a, T> {
    socket: &'a T,
    deadline: Option<Instant>,
    leftover: Vec<u8>,
    proxied: Option<ProxyHeader>,
}

impl<'a, T> Arrival<'a, T> {
    /// The connection without TLS.
    pub fn socket(&self) -> &'a T {
        self.socket
    }

    /// When waits end, since the handshake would be too late.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Gives bytes that were read but belong to TLS to the handshake. May be called
    /// more than once, in the order in which the bytes came.
    pub fn unread(&mut self, bytes: &[u8]) {
        self.leftover.extend_from_slice(bytes);
    }

    /// What a proxy has told about this connection, if it has been read.
    pub fn proxied(&self) -> Option<&ProxyHeader> {
        self.proxied.as_ref()
    }

    /// Makes [`TlsStream::proxied`] tell it.
    pub fn set_proxied(&mut self, header: ProxyHeader) {
        self.proxied = Some(header);
    }
}

impl<T> fmt::Debug for Arrival<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrival")
            .field("deadline", &self.deadline)
            .field("proxied", &self.proxied)
            .finish_non_exhaustive()
    }
}

impl<T: Transport> TlsStream<T> {
    /// What a proxy told about this connection before the handshake; see
    /// [`TlsListener::proxy_protocol`](crate::TlsListener::proxy_protocol).
    pub fn proxied(&self) -> Option<&ProxyHeader> {
        self.proxied.get().map(|header| &**header)
    }

    pub(crate) fn set_hook(&self, hook: Hook<T>) {
        self.hook.replace(Some(hook));
    }

    /// Runs the listener's hook, if there is one that has not run.
    #[inline]
    pub(super) fn arrive(&self, deadline: impl Until) -> Result<(), Error> {
        if self.hook.borrow().is_none() {
            return Ok(());
        }
        self.run_hook(deadline)
    }

    #[cold]
    fn run_hook(&self, deadline: impl Until) -> Result<(), Error> {
        if self.nonblocking.get() {
            return Err(Error::local(
                "what comes before the handshake may wait; call `handshake` first",
            ));
        }
        let deadline = earlier(deadline.at(), self.handshake_limit());
        let _receiving = self.lock_receiving(deadline)?;
        let Some(hook) = self.hook.borrow().clone() else {
            // Another tasklet has seen to it.
            return self.with_engine(|_| ());
        };
        let unfinished = Unfinished(self);
        let mut arrival = Arrival {
            socket: self.get_ref(),
            deadline,
            leftover: Vec::new(),
            proxied: None,
        };
        let outcome = match deadline {
            Some(deadline) => time::timeout_at(deadline, || hook(&mut arrival))
                .unwrap_or_else(time::Elapsed::into_inner),
            None => hook(&mut arrival),
        };
        if let Some(header) = arrival.proxied {
            let _ = self.proxied.set(Box::new(header));
        }
        let outcome = outcome
            .map_err(Error::from)
            .and_then(|()| self.take_leftover(&arrival.leftover));
        std::mem::forget(unfinished);
        self.hook.replace(None);
        outcome.inspect_err(|error| self.fail(error.clone()))
    }

    fn take_leftover(&self, bytes: &[u8]) -> Result<(), Error> {
        if self.with_engine(|engine| engine.feed(bytes))? < bytes.len() {
            return Err(Error::local("more was read than TLS takes at once"));
        }
        self.received.set(self.received.get() + 1);
        Ok(())
    }

    /// There is no connection any more, for this reason.
    fn fail(&self, error: Error) {
        if let Ok(mut slot) = self.slot.try_borrow_mut() {
            *slot = Slot::None(error);
        }
        let _ = self.get_ref().shutdown(Shutdown::Both);
    }
}

/// A hook that has not come to its end. What it has read is lost with it.
struct Unfinished<'a, T: Transport>(&'a TlsStream<T>);

impl<T: Transport> Drop for Unfinished<'_, T> {
    fn drop(&mut self) {
        self.0.hook.replace(None);
        self.0.fail(Error::local(
            "what comes before the handshake was interrupted",
        ));
    }
}
