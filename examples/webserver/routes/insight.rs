//! What the server tells of itself: all that waits in it, as text, and numbers for Prometheus.
//!
//! Tasklets and schedulers are the runtime's to tell. Connections and requests are counted here, by
//! each worker for itself, so that counting costs a request two instructions and no shared memory.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use examples::http::{Exchange, Status};
use greenling::inspect::{self, DumpOptions};

/// How long a worker gets to answer. One that a tasklet holds is named as silent then.
const PATIENCE: Duration = Duration::from_secs(1);

/// The counts of all workers.
#[derive(Debug, Default)]
pub(crate) struct Insight {
    workers: Mutex<Vec<Arc<Traffic>>>,
}

/// What one worker has to do: written by its thread only, read by any.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    worker: usize,
    accepted: AtomicU64,
    ended: AtomicU64,
    requests: AtomicU64,
}

impl Traffic {
    pub(crate) fn count_accepted(&self) {
        count(&self.accepted);
    }

    pub(crate) fn count_ended(&self) {
        count(&self.ended);
    }

    pub(crate) fn count_request(&self) {
        count(&self.requests);
    }
}

/// Nobody else writes there, so this need not be one step.
fn count(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

impl Insight {
    /// The counters of a worker that begins.
    pub(crate) fn add_worker(&self, worker: usize) -> Arc<Traffic> {
        let traffic = Arc::new(Traffic {
            worker,
            ..Traffic::default()
        });
        self.lock().push(traffic.clone());
        traffic
    }

    /// Answers with one line for each tasklet, and where and why it waits.
    pub(super) fn tasklets<S>(&self, exchange: &mut Exchange<'_, S>) -> io::Result<()>
    where
        S: Read + Write,
    {
        if self.lock().is_empty() {
            return exchange.respond_plainly(Status::NOT_FOUND);
        }
        let mut dump = Vec::new();
        inspect::dump_all(&mut dump, &DumpOptions::new().patience(PATIENCE))?;
        exchange
            .respond(Status::OK)
            .header("content-type", "text/plain; charset=utf-8")
            .header("cache-control", "no-store")
            .body(&dump)
    }

    /// Answers with the numbers of all schedulers and workers, in Prometheus' text format.
    pub(super) fn metrics<S>(&self, exchange: &mut Exchange<'_, S>) -> io::Result<()>
    where
        S: Read + Write,
    {
        if self.lock().is_empty() {
            return exchange.respond_plainly(Status::NOT_FOUND);
        }
        let mut text = inspect::metrics_all(PATIENCE)?.to_string();
        self.write(&mut text);
        exchange
            .respond(Status::OK)
            .header("content-type", "text/plain; version=0.0.4")
            .header("cache-control", "no-store")
            .body(text.as_bytes())
    }

    fn write(&self, text: &mut String) {
        type Family = (
            &'static str,
            &'static str,
            &'static str,
            fn(&Traffic) -> u64,
        );
        let families: [Family; 3] = [
            (
                "connections_open",
                "gauge",
                "Connections, those at rest included.",
                // What ends is read first: none may seem to end before it began.
                |worker| {
                    let ended = worker.ended.load(Ordering::Relaxed);
                    worker
                        .accepted
                        .load(Ordering::Relaxed)
                        .saturating_sub(ended)
                },
            ),
            (
                "connections_accepted_total",
                "counter",
                "Connections accepted.",
                |worker| worker.accepted.load(Ordering::Relaxed),
            ),
            (
                "requests_total",
                "counter",
                "Requests that were answered, or are being.",
                |worker| worker.requests.load(Ordering::Relaxed),
            ),
        ];
        let workers = self.lock();
        for (name, kind, help, value) in families {
            // Writing to a string does not fail.
            let _ = writeln!(text, "# HELP webserver_{name} {help}");
            let _ = writeln!(text, "# TYPE webserver_{name} {kind}");
            for worker in workers.iter() {
                let (number, value) = (worker.worker, value(worker));
                let _ = writeln!(text, "webserver_{name}{{worker=\"{number}\"}} {value}");
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Traffic>>> {
        // A list of counters cannot be left half changed.
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
