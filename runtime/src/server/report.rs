//! What has become of a server's connections, counted as it happens.
//!
//! Counters are written by the thread that a connection belongs to, and read by
//! any: by an acceptor that looks for the least loaded worker, and by reports.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One worker's counters.
#[derive(Debug, Default)]
pub(super) struct Counters {
    accepted: AtomicUsize,
    finished: AtomicUsize,
    panicked: AtomicUsize,
    killed: AtomicUsize,
    refused: AtomicUsize,
}

/// How a connection's tasklet ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    Finished,
    Panicked,
    Killed,
    /// There was no tasklet for it.
    Refused,
    /// It has not: another tasklet goes on with the connection.
    Resting,
}

impl Counters {
    /// Counters for so many workers.
    pub(super) fn of(workers: usize) -> Vec<Arc<Counters>> {
        (0..workers).map(|_| Arc::default()).collect()
    }

    pub(super) fn count_accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count(&self, end: End) {
        let counter = match end {
            End::Finished => &self.finished,
            End::Panicked => &self.panicked,
            End::Killed => &self.killed,
            End::Refused => &self.refused,
            End::Resting => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn report(&self) -> WorkerReport {
        // What ends is read first: no connection may seem to end before it began.
        let finished = self.finished.load(Ordering::Relaxed);
        let panicked = self.panicked.load(Ordering::Relaxed);
        let killed = self.killed.load(Ordering::Relaxed);
        let refused = self.refused.load(Ordering::Relaxed);
        let accepted = self.accepted.load(Ordering::Relaxed);
        let over = finished + panicked + killed + refused;
        WorkerReport {
            accepted,
            finished,
            panicked,
            killed,
            refused,
            active: accepted.saturating_sub(over),
        }
    }
}

/// What has become of one worker's connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerReport {
    /// Connections accepted. Each is counted once more below.
    pub accepted: usize,
    /// Their handlers have returned.
    pub finished: usize,
    /// Their handlers have panicked; the log says how.
    pub panicked: usize,
    /// Their tasklets were killed, by the end of the server or otherwise; or they rested
    /// until there was no tasklet to go on with them, for want of a stack, say.
    pub killed: usize,
    /// There was no stack for their first tasklet, or they could not be watched.
    pub refused: usize,
    /// Their handlers run, or they rest. In the report of a server that has ended: they
    /// outlive it, as they refuse to end.
    pub active: usize,
}

/// What has become of a server's connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerReport {
    /// The sum of what follows.
    pub total: WorkerReport,
    /// For each worker.
    pub workers: Vec<WorkerReport>,
}

impl ServerReport {
    pub(super) fn of(counters: &[Arc<Counters>]) -> ServerReport {
        let workers: Vec<_> = counters.iter().map(|worker| worker.report()).collect();
        let sum = |what: fn(&WorkerReport) -> usize| workers.iter().map(what).sum();
        ServerReport {
            total: WorkerReport {
                accepted: sum(|worker| worker.accepted),
                finished: sum(|worker| worker.finished),
                panicked: sum(|worker| worker.panicked),
                killed: sum(|worker| worker.killed),
                refused: sum(|worker| worker.refused),
                active: sum(|worker| worker.active),
            },
            workers,
        }
    }
}
