//! Serving on the calling thread.

use super::accept::accept_all;
use super::report::{Counters, ServerReport};
use super::site::Site;
use super::{Connection, Limits, Listener, Resting};
use crate::error::{JoinError, WaitError};
use crate::tasklet::{Builder, JoinHandle, TaskletResult};
use crate::thread::Shutdown;
use crate::time::CancelToken;
use std::io;
use std::rc::Rc;

/// Serves the connections of a listener on this thread, each by a call of
/// `handler` in a tasklet of its own, until `shutdown` is triggered; then ends
/// them by its deadlines, as the [module](crate::server) says.
///
/// Several calls, in tasklets, serve several listeners. A panic of a handler is
/// logged and costs nobody else anything.
///
/// # Scheduling
///
/// Switches.
///
/// # Cancellation
///
/// Nobody is accepted any more, idle connections end, the others go on.
///
/// # Errors
///
/// When there is no stack for the tasklet that accepts, when the listener panics,
/// which stops the server, and the reasons of a wait that ended before its time: see
/// [Cancellation](#cancellation).
///
/// # Examples
///
/// ```
/// use greenling::net::{TcpListener, TcpStream};
/// use greenling::server::{Limits, serve};
/// use greenling::Shutdown;
/// use std::io::{Read, Write};
/// # fn main() -> std::io::Result<()> {
/// # greenling::enter(|| {
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let address = listener.local_addr()?;
/// let shutdown = Shutdown::new();
/// let stop = shutdown.clone();
/// greenling::spawn(move || {
///     let mut text = String::new();
///     TcpStream::connect(address).unwrap().read_to_string(&mut text).unwrap();
///     assert_eq!(text, "hello");
///     stop.trigger();
/// });
/// let limits = Limits::new().max_connections(100);
/// let report = serve(listener, &limits, &shutdown, |mut stream, _, _| {
///     stream.write_all(b"hello")
/// })?;
/// assert_eq!(report.total.finished, 1);
/// # Ok(())
/// # })
/// # }
/// ```
pub fn serve<L, H, R>(
    listener: L,
    limits: &Limits,
    shutdown: &Shutdown,
    handler: H,
) -> io::Result<ServerReport>
where
    L: Listener + 'static,
    H: Fn(L::Stream, L::Address, &Connection) -> R + 'static,
    R: TaskletResult,
{
    let counters = Counters::of(1);
    let site = Site::new(0, limits.clone(), shutdown.clone(), counters[0].clone());
    serve_at(&site, [listener], &Rc::new(handler))?;
    end_of(site.kill_connections())?;
    Ok(ServerReport::of(&counters))
}

/// Serves listeners at a site until no connection is left, or the time to finish
/// is over.
pub(super) fn serve_at<L, H, R>(
    site: &Rc<Site>,
    listeners: impl IntoIterator<Item = L>,
    handler: &Rc<H>,
) -> io::Result<()>
where
    L: Listener + 'static,
    H: Fn(L::Stream, L::Address, &Connection) -> R + 'static,
    R: TaskletResult,
{
    let stopping = Stopping::of(site);
    let listeners: Vec<L> = listeners.into_iter().collect();
    let shares_permits = listeners.len() > 1 && site.is_limited();
    let mut acceptors = Vec::new();
    for listener in listeners {
        let (site, handler) = (site.clone(), handler.clone());
        let acceptor = Builder::new().name("accept").spawn(move || {
            let _alarm = Alarm(site.shutdown());
            let start = |stream, address, permit| {
                site.counters().count_accepted();
                site.start(stream, address, permit, &handler);
            };
            let permit = || site.permit();
            accept_all(&listener, site.stopping(), shares_permits, permit, start);
        })?;
        acceptors.push(acceptor);
    }
    site.shutdown().wait()?;
    drop(stopping);
    for acceptor in acceptors {
        end_of_acceptor(acceptor)?;
    }
    end_of(site.wait_for_connections())
}

/// Ends what waits at a site, also when whoever serves is killed.
pub(super) struct Stopping<'a> {
    pub(super) token: &'a CancelToken,
    pub(super) resting: Option<&'a Resting>,
}

impl<'a> Stopping<'a> {
    pub(super) fn of(site: &'a Site) -> Stopping<'a> {
        Stopping {
            token: site.stopping(),
            resting: Some(site.resting()),
        }
    }
}

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.token.cancel();
        if let Some(resting) = self.resting {
            resting.rouse_all();
        }
    }
}

/// Stops the server when a listener panics: else it would go on and hear nothing.
pub(super) struct Alarm<'a>(pub(super) &'a Shutdown);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.trigger();
        }
    }
}

/// Waits for the end of a tasklet that accepts.
pub(super) fn end_of_acceptor(acceptor: JoinHandle<()>) -> io::Result<()> {
    match acceptor.join() {
        Err(JoinError::Wait(error)) => end_of(Err(error)),
        Err(error) if error.is_panic() => Err(io::Error::other(error.to_string())),
        _ => Ok(()),
    }
}

/// A deadline or a cancelled token around the call, or nothing to wait for, ends
/// it like the end of the limits does.
pub(super) fn end_of(waited: Result<(), WaitError>) -> io::Result<()> {
    match waited {
        Ok(()) | Err(WaitError::TimedOut | WaitError::Cancelled | WaitError::Deadlock) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
