//! A connection as its handler sees it.

use super::report::End;
use super::site::{Permit, Site};
use crate::thread::Shutdown;
use crate::time::CancelToken;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::rc::Rc;
use std::time::Instant;

/// A connection's place in the server. Clones are the same place, which counts
/// as taken until all of them are gone: a handler that leaves part of the work to
/// another tasklet gives it one, and the server then waits for that tasklet, too.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Clone)]
pub struct Connection {
    place: Rc<Place>,
}

/// Given back when it is dropped.
struct Place {
    site: Rc<Site>,
    number: u64,
    /// When it has lasted for as long as it may.
    until: Option<Instant>,
    /// What is counted when the latest handler is gone.
    end: RefCell<Rc<Cell<End>>>,
    /// Kept for its drop, which comes after the stream's: the descriptor is free
    /// by the time that another connection is let in.
    _permit: Permit,
}

impl Connection {
    pub(super) fn new(
        site: &Rc<Site>,
        permit: Permit,
        until: Option<Instant>,
        end: Rc<Cell<End>>,
    ) -> Connection {
        let place = Place {
            site: site.clone(),
            number: site.enter(),
            until,
            end: RefCell::new(end),
            _permit: permit,
        };
        Connection {
            place: Rc::new(place),
        }
    }

    pub(super) fn site(&self) -> &Rc<Site> {
        &self.place.site
    }

    pub(super) fn until(&self) -> Option<Instant> {
        self.place.until
    }

    /// The latest handler leaves the connection to another, by which it is counted.
    pub(super) fn hand_over_to(&self, end: Rc<Cell<End>>) {
        self.place.end.replace(end).set(End::Resting);
    }

    /// Its number among those of its worker, from zero.
    pub fn number(&self) -> u64 {
        self.place.number
    }

    /// The number of the worker that serves it.
    pub fn worker(&self) -> usize {
        self.place.site.worker()
    }

    /// Whether it is time to end: what is being answered is to be the last.
    pub fn is_draining(&self) -> bool {
        self.place.site.shutdown().is_triggered()
    }

    /// The server's signal to stop.
    pub fn shutdown(&self) -> &Shutdown {
        self.place.site.shutdown()
    }

    /// Cancelled when the server stops; for [`select!`](crate::select!) and for
    /// tasklets beside the handler.
    pub fn stopping(&self) -> &CancelToken {
        self.place.site.stopping()
    }

    /// Runs `f`, in which the handler waits for something to do, and ends its
    /// wait when the server stops: `None` says so.
    ///
    /// What has arrived by then is still taken, since only a wait can be ended:
    /// when the server is stopping already, `f` runs all the same, and returns
    /// what it gets without waiting. So look at
    /// [`is_draining`](Connection::is_draining) after it.
    ///
    /// # Scheduling
    ///
    /// Switches as `f` does.
    ///
    /// # Cancellation
    ///
    /// As in [`CancelToken::run`]: nothing is lost.
    ///
    /// # Errors
    ///
    /// Those of `f`.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenling::net::TcpStream;
    /// use greenling::server::Connection;
    /// use std::io::{self, Read, Write};
    /// /// Sends back what comes, until either side has had enough.
    /// fn echo(mut stream: TcpStream, connection: &Connection) -> io::Result<()> {
    ///     let mut buffer = [0; 1024];
    ///     while let Some(count) = connection.idle(|| stream.read(&mut buffer))? {
    ///         if count == 0 {
    ///             break;
    ///         }
    ///         stream.write_all(&buffer[..count])?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn idle<T>(&self, f: impl FnOnce() -> io::Result<T>) -> io::Result<Option<T>> {
        match self.stopping().run(f) {
            Ok(result) => result.map(Some),
            Err(cancelled) => Ok(cancelled.into_inner().ok()),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.site.leave();
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("worker", &self.worker())
            .field("number", &self.number())
            .finish_non_exhaustive()
    }
}
