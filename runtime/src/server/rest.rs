//! A server's connections that wait for their peers without a tasklet.
//!
//! ```text
//!   handler --rest--> it returns, its tasklet ends;  the connection's place stays taken
//!                        |
//!      something to read, the limit has passed, or the server stops
//!                        |
//!                        v
//!   go_on   on a tasklet of its own, which is the connection's handler from then on:
//!           limited, counted and killed like the first
//! ```
//!
//! What becomes of a connection is counted once: by the handler that does not have it rest
//! again, or by whatever drops `go_on` unused.

use super::connection::Connection;
use super::report::End;
use super::resting::Roused;
use crate::future::PollReady;
use crate::tasklet::TaskletResult;
use std::io;

impl Connection {
    /// Has the connection wait without a tasklet: the handler returns after this, and `go_on`
    /// takes its place, on a new tasklet, when `source` may be readable, when it has rested for
    /// [`rest_limit`](super::Limits::rest_limit), or when the server stops. Both may have it
    /// rest again. [`Resting`](super::Resting) tells when that pays.
    ///
    /// `go_on` is meant to own what it goes on with, `source` included. A source that was not
    /// read until it had nothing left counts as readable.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Cancellation
    ///
    /// A connection that rests ends with its thread, and `go_on` is dropped then. The time of
    /// [`connection_timeout`](super::Limits::connection_timeout) goes on, and is looked at when
    /// the connection does.
    ///
    /// # Errors
    ///
    /// When there is no stack for the tasklet that watches over those who rest; `go_on` has been
    /// dropped then. It is dropped later, too, and that logged, when there is none for the
    /// tasklet that was to run it.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenling::net::TcpStream;
    /// use greenling::server::{Connection, Roused};
    /// use std::io::{self, Read, Write};
    /// use std::time::Duration;
    /// /// Sends back what comes, and holds no stack after half a second of silence.
    /// fn echo(mut stream: TcpStream, connection: &Connection) -> io::Result<()> {
    ///     stream.set_read_timeout(Some(Duration::from_millis(500)))?;
    ///     let mut buffer = [0; 1024];
    ///     loop {
    ///         match connection.idle(|| stream.read(&mut buffer)) {
    ///             Ok(None | Some(0)) => return Ok(()),
    ///             Ok(Some(count)) => stream.write_all(&buffer[..count])?,
    ///             Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
    ///             Err(error) => return Err(error),
    ///         }
    ///     }
    ///     let source = stream.try_clone()?;
    ///     connection.rest(&source, move |roused, connection| match roused {
    ///         Roused::TimedOut => Ok(()),
    ///         _ => echo(stream, connection),
    ///     })
    /// }
    /// ```
    pub fn rest<S, R>(
        &self,
        source: &S,
        go_on: impl FnOnce(Roused, &Connection) -> R + 'static,
    ) -> io::Result<()>
    where
        S: PollReady + ?Sized,
        R: TaskletResult,
    {
        let site = self.site();
        let next = site.handler(End::Resting, self.until());
        let end = next.end();
        let connection = self.clone();
        site.resting().until_readable(source, move |roused| {
            if next.begins_here() {
                next.run(|| go_on(roused, &connection).into_result());
            }
            drop(connection);
        })?;
        end.set(End::Killed);
        self.hand_over_to(end);
        if site.stopping().is_cancelled() {
            site.resting().rouse_all();
        }
        Ok(())
    }
}
