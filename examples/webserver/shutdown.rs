//! A worker from start to end, and the signals that end it.
//!
//! ```text
//!   serving --SIGTERM, SIGINT--> draining --all connections ended, or --drain passed--> exit 0
//!      |                            |
//!      +-- SIGUSR1: dump            +-- SIGTERM, SIGINT again: exit 1 at once
//!      +-- SIGHUP: certificates
//! ```
//!
//! Draining closes the listeners first, so that the kernel refuses new connections; tells every
//! connection that its next response is the last; hangs up on those that wait for a request. What
//! is left when the time is over is killed by the end of the worker.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use greenling::inspect;
use greenling::net::TcpListener;
use greenling::signal::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, Signals};
use greenling::{Builder, Shutdown, Worker, time};

use crate::connections::Connections;
use crate::listeners::Listeners;
use crate::serving::{self, Server};

/// When the workers have drained.
#[derive(Debug)]
pub(crate) struct Drained {
    left: AtomicUsize,
    all: Shutdown,
}

impl Drained {
    /// None of `workers` has.
    pub(crate) fn new(workers: usize) -> Self {
        Self {
            left: AtomicUsize::new(workers),
            all: Shutdown::new(),
        }
    }
}

/// Runs a worker from start to end. The first one obeys signals too, as long as any works.
pub(crate) fn run_worker(
    worker: &Worker,
    listeners: &Listeners,
    server: &Arc<Server>,
) -> io::Result<()> {
    let is_first = worker.index() == 0;
    if is_first {
        // By a thread of its own: a dump is for the time when nothing else moves.
        inspect::dump_on(SIGUSR1)?;
        let signals = Signals::new(&[SIGHUP, SIGINT, SIGTERM])?;
        let (shutdown, server) = (worker.shutdown().clone(), server.clone());
        Builder::new()
            .name("signals")
            .spawn(move || obey(&signals, &shutdown, &server))?;
        listeners.announce()?;
    }
    serve_and_drain(worker, listeners, server)?;
    if is_first {
        server.drained.all.wait()?;
    }
    Ok(())
}

fn serve_and_drain(worker: &Worker, listeners: &Listeners, server: &Arc<Server>) -> io::Result<()> {
    let _on_every_way_out = Leaving {
        worker,
        drained: &server.drained,
    };
    let rest_max = server.idle_timeout.saturating_sub(server.rest_after);
    let traffic = server.site.insight.add_worker(worker.index());
    let connections = Connections::new(server.share(worker.index()), rest_max, traffic);
    let mut open = Vec::new();
    for (socket, tls) in listeners.take(worker.index()) {
        let listener = Rc::new(TcpListener::from_std(socket)?);
        open.push(listener.clone());
        let (connections, server) = (connections.clone(), server.clone());
        Builder::new().name("accept").spawn(move || {
            if let Err(error) =
                serving::accept_loop(&listener, tls.as_deref(), &connections, &server)
            {
                log::error!("no longer accepting: {error}");
            }
        })?;
    }
    worker.shutdown().wait()?;

    server.settings.drain();
    // The accept loops hold the listeners too, and let go of them when they see this.
    for listener in open {
        listener.close();
    }
    connections.hang_up_idle();
    if time::timeout(server.drain, || connections.wait_for_none()).is_err() {
        log::warn!(
            "worker {}: connections cut at the end of --drain",
            worker.index()
        );
    }
    Ok(())
}

/// A worker on its way out, also by a failure. It takes the others along then: half a server would
/// look like a slow one.
struct Leaving<'w> {
    worker: &'w Worker,
    drained: &'w Drained,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.worker.shutdown().trigger();
        if self.drained.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.drained.all.trigger();
        }
    }
}

/// Waits for signals until the worker ends.
fn obey(signals: &Signals, shutdown: &Shutdown, server: &Arc<Server>) {
    loop {
        match signals.wait() {
            Ok(SIGHUP) => {
                let server = server.clone();
                match greenling::offload(move || server.certificates.reload()) {
                    Ok(Ok(())) => log::info!("certificates reloaded"),
                    Ok(Err(error)) => log::error!("certificates stay as they were: {error}"),
                    Err(error) => log::error!("certificates stay as they were: {error}"),
                }
            }
            Ok(_) if shutdown.is_triggered() => std::process::exit(1),
            Ok(_) => shutdown.trigger(),
            Err(error) => {
                log::error!("no longer obeying signals: {error}");
                return;
            }
        }
    }
}
