//! How much there is of everything, as numbers.

use super::ask::{self, Answers};
use super::resting;
use crate::offload::{self, OffloadMetrics};
use crate::scheduler::{Counts, Scheduler, local};
use std::fmt;
use std::io;
use std::time::Duration;

/// What a thread's scheduler has, and has done since it was made.
///
/// Displayed, it is in Prometheus' text format, with the thread as a label.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Metrics {
    /// The scheduler's number in the process, the first part of its tasklets'
    /// ids in a dump.
    pub scheduler: u64,
    /// The OS thread's name.
    pub thread: Option<String>,
    /// Tasklets that are alive, main included.
    pub live: usize,
    /// Tasklets that run or could.
    pub runnable: usize,
    /// Tasklets that wait.
    pub blocked: usize,
    /// Tasklets that are in no queue, until somebody inserts them.
    pub paused: usize,
    /// Tasklets that were given a function.
    pub spawned: u64,
    /// Tasklets that have ended, or were given to another thread.
    pub ended: u64,
    /// Times that a tasklet gave way to another, or to itself.
    pub switches: u64,
    /// Times that the kernel was asked what is ready.
    pub polls: u64,
    /// Tasklets that wait with a deadline.
    pub timers: usize,
    /// Descriptors that the kernel watches for this thread.
    pub descriptors: usize,
    /// Connections that wait without a tasklet; see
    /// [`server::Resting`](crate::server::Resting).
    pub resting: usize,
    /// Stacks of live tasklets.
    pub stacks_in_use: usize,
    /// Stacks that wait for the next tasklet.
    pub stacks_pooled: usize,
    /// Bytes of address space of both, guards included.
    pub stack_bytes_mapped: usize,
    /// Bytes of memory that back them.
    pub stack_bytes_resident: usize,
    /// Messages of other threads that this one has not looked at yet.
    pub inbox_messages: usize,
    /// The pool of [`offload`](crate::offload()), which threads share.
    pub offload: OffloadMetrics,
}

/// The metrics of every thread that has answered.
///
/// Displayed, it is in Prometheus' text format.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AllMetrics {
    /// In the order in which the threads became reachable.
    pub threads: Vec<Metrics>,
    /// Threads that have not answered in time.
    pub silent: usize,
    /// The pool of [`offload`](crate::offload()).
    pub offload: OffloadMetrics,
}

/// The metrics of the calling thread; all zero if it has no tasklets.
///
/// Which of the stacks' pages are in memory takes the kernel some 10
/// milliseconds for each 10,000 stacks that were ever in use at once.
///
/// # Scheduling
///
/// Never switches.
///
/// # Examples
///
/// ```
/// let task = greenling::spawn(|| ());
/// let metrics = greenling::inspect::metrics();
/// assert_eq!((metrics.live, metrics.spawned, metrics.ended), (2, 1, 0));
/// task.join().unwrap();
/// println!("{}", greenling::inspect::metrics());
/// ```
pub fn metrics() -> Metrics {
    local::get().map_or_else(Metrics::default, of)
}

/// The metrics of all threads that have tasklets: those of which
/// [`dump_all`](super::dump_all) tells.
///
/// # Scheduling
///
/// Switches while the other threads have not answered; a tasklet that holds its
/// thread may keep this waiting for up to `patience`.
///
/// # Cancellation
///
/// Nothing is lost; who has not answered by then counts as silent.
///
/// # Errors
///
/// As [`thread::remote`](crate::thread::remote).
pub fn metrics_all(patience: Duration) -> io::Result<AllMetrics> {
    let mut all = AllMetrics {
        offload: offload::metrics(),
        ..AllMetrics::default()
    };
    let Answers { given, silent } = ask::all(metrics, patience)?;
    all.threads = given;
    all.silent = silent.len();
    Ok(all)
}

fn of(scheduler: &Scheduler) -> Metrics {
    let stacks = scheduler.stacks().borrow().usage();
    let counts = scheduler.counts();
    let Counts {
        alive, runnable, ..
    } = counts;
    Metrics {
        scheduler: scheduler.number(),
        thread: std::thread::current().name().map(str::to_owned),
        live: alive,
        runnable,
        blocked: (alive - runnable).saturating_sub(counts.paused),
        paused: counts.paused,
        spawned: counts.births,
        ended: counts.births + 1 - alive as u64,
        switches: counts.switches,
        polls: scheduler.polls(),
        timers: counts.timers,
        descriptors: counts.descriptors,
        resting: resting::count(),
        stacks_in_use: stacks.in_use,
        stacks_pooled: stacks.pooled,
        stack_bytes_mapped: stacks.opened,
        stack_bytes_resident: stacks.resident,
        inbox_messages: counts.messages,
        offload: offload::metrics(),
    }
}

/// A number of each thread, for Prometheus.
type Family = (
    &'static str,
    &'static str,
    &'static str,
    fn(&Metrics) -> u64,
);

/// Name, type, help and value.
const FAMILIES: [Family; 17] = [
    ("tasklets_live", "gauge", "Tasklets that are alive.", |m| {
        m.live as u64
    }),
    (
        "tasklets_runnable",
        "gauge",
        "Tasklets that run or could.",
        |m| m.runnable as u64,
    ),
    ("tasklets_blocked", "gauge", "Tasklets that wait.", |m| {
        m.blocked as u64
    }),
    ("tasklets_paused", "gauge", "Tasklets in no queue.", |m| {
        m.paused as u64
    }),
    (
        "tasklets_spawned_total",
        "counter",
        "Tasklets started.",
        |m| m.spawned,
    ),
    (
        "tasklets_ended_total",
        "counter",
        "Tasklets that have ended.",
        |m| m.ended,
    ),
    (
        "switches_total",
        "counter",
        "Switches between tasklets.",
        |m| m.switches,
    ),
    (
        "polls_total",
        "counter",
        "Times the kernel was asked what is ready.",
        |m| m.polls,
    ),
    (
        "timers_armed",
        "gauge",
        "Tasklets that wait with a deadline.",
        |m| m.timers as u64,
    ),
    (
        "descriptors_watched",
        "gauge",
        "Descriptors in the poller.",
        |m| m.descriptors as u64,
    ),
    (
        "connections_resting",
        "gauge",
        "Connections that wait without a tasklet.",
        |m| m.resting as u64,
    ),
    ("stacks_in_use", "gauge", "Stacks of live tasklets.", |m| {
        m.stacks_in_use as u64
    }),
    ("stacks_pooled", "gauge", "Stacks kept for reuse.", |m| {
        m.stacks_pooled as u64
    }),
    (
        "stack_mapped_bytes",
        "gauge",
        "Address space of stacks.",
        |m| m.stack_bytes_mapped as u64,
    ),
    ("stack_resident_bytes", "gauge", "Memory of stacks.", |m| {
        m.stack_bytes_resident as u64
    }),
    (
        "inbox_messages",
        "gauge",
        "Messages not looked at yet.",
        |m| m.inbox_messages as u64,
    ),
    (
        "scheduler_up",
        "gauge",
        "1 for each scheduler that has answered.",
        |_| 1,
    ),
];

impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_threads(f, std::slice::from_ref(self))?;
        write_offload(f, &self.offload)
    }
}

impl fmt::Display for AllMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_threads(f, &self.threads)?;
        write_family(
            f,
            "schedulers_silent",
            "gauge",
            "Schedulers that have not answered.",
        )?;
        writeln!(f, "greenling_schedulers_silent {}", self.silent)?;
        write_offload(f, &self.offload)
    }
}

fn write_threads(f: &mut fmt::Formatter<'_>, threads: &[Metrics]) -> fmt::Result {
    for (name, kind, help, value) in FAMILIES {
        write_family(f, name, kind, help)?;
        for metrics in threads {
            let number = metrics.scheduler;
            write!(f, "greenling_{name}{{scheduler=\"{number}\",thread=\"")?;
            write_label(f, metrics.thread.as_deref().unwrap_or_default())?;
            writeln!(f, "\"}} {}", value(metrics))?;
        }
    }
    Ok(())
}

fn write_offload(f: &mut fmt::Formatter<'_>, offload: &OffloadMetrics) -> fmt::Result {
    for (name, help, value) in [
        (
            "offload_jobs_queued",
            "Offloaded jobs that wait for a thread.",
            offload.queued,
        ),
        (
            "offload_jobs_running",
            "Offloaded jobs that run.",
            offload.running,
        ),
        (
            "offload_threads",
            "Threads of the offload pool.",
            offload.threads,
        ),
    ] {
        write_family(f, name, "gauge", help)?;
        writeln!(f, "greenling_{name} {value}")?;
    }
    Ok(())
}

fn write_family(f: &mut fmt::Formatter<'_>, name: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(f, "# HELP greenling_{name} {help}")?;
    writeln!(f, "# TYPE greenling_{name} {kind}")
}

/// Escapes what Prometheus' format has escaped in the value of a label.
fn write_label(f: &mut fmt::Formatter<'_>, value: &str) -> fmt::Result {
    for letter in value.chars() {
        match letter {
            '\\' => f.write_str("\\\\")?,
            '"' => f.write_str("\\\"")?,
            '\n' => f.write_str("\\n")?,
            other => fmt::Write::write_char(f, other)?,
        }
    }
    Ok(())
}
