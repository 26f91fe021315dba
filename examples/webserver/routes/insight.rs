//! What the server tells of itself: all that waits in it, as text, and numbers for Prometheus.
//!
//! Tasklets, schedulers and connections are the runtime's to tell. Requests are counted here, by
//! each worker for itself, so that counting costs a few instructions and no memory that others
//! write.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use examples::http::{Exchange, Status};
use greenling::inspect::{self, DumpOptions};
use greenling::server::ServerHandle;

/// How long a worker gets to answer. One that a tasklet holds is named as silent then.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the server knows of itself; nothing by default.
#[derive(Debug, Default)]
pub(crate) struct Insight(Option<Counts>);

#[derive(Debug)]
struct Counts {
    server: ServerHandle,
    requests: Vec<Requests>,
}

/// How many requests one worker has answered: written by its thread only, and in a cache line of
/// its own.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Requests(AtomicU64);

impl Insight {
    pub(crate) fn new(server: ServerHandle, workers: usize) -> Self {
        Self(Some(Counts {
            server,
            requests: (0..workers).map(|_| Requests::default()).collect(),
        }))
    }

    /// Counts a request, on its worker's thread.
    pub(crate) fn count_request(&self, worker: usize) {
        let counts = self.0.as_ref();
        if let Some(Requests(count)) = counts.and_then(|counts| counts.requests.get(worker)) {
            // Nobody else writes there, so this need not be one step.
            count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
    }

    /// Answers with one line for each tasklet, and where and why it waits. It names who is
    /// connected, too: a server for the world would show it to its operator alone.
    pub(super) fn tasklets<S>(&self, exchange: &mut Exchange<'_, S>) -> io::Result<()>
    where
        S: Read + Write,
    {
        if self.0.is_none() {
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
        let Some(counts) = &self.0 else {
            return exchange.respond_plainly(Status::NOT_FOUND);
        };
        let mut text = inspect::metrics_all(PATIENCE)?.to_string();
        counts.write(&mut text);
        exchange
            .respond(Status::OK)
            .header("content-type", "text/plain; version=0.0.4")
            .header("cache-control", "no-store")
            .body(text.as_bytes())
    }
}

impl Counts {
    fn write(&self, text: &mut String) {
        let workers = self.server.report().workers;
        let open = workers.iter().map(|worker| worker.active as u64);
        let accepted = workers.iter().map(|worker| worker.accepted as u64);
        let requests = self.requests.iter();
        let requests = requests.map(|Requests(count)| count.load(Ordering::Relaxed));
        write_family(
            text,
            ("connections_open", "gauge"),
            "Connections, those at rest included.",
            open,
        );
        write_family(
            text,
            ("connections_accepted_total", "counter"),
            "Connections accepted.",
            accepted,
        );
        write_family(
            text,
            ("requests_total", "counter"),
            "Requests that were answered, or are being.",
            requests,
        );
    }
}

/// One value for each worker.
fn write_family(
    text: &mut String,
    (name, kind): (&str, &str),
    help: &str,
    values: impl Iterator<Item = u64>,
) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "# HELP webserver_{name} {help}");
    let _ = writeln!(text, "# TYPE webserver_{name} {kind}");
    for (worker, value) in values.enumerate() {
        let _ = writeln!(text, "webserver_{name}{{worker=\"{worker}\"}} {value}");
    }
}
