//! A watchdog over tasklets that hold their thread.
//!
//! ```text
//!   watcher thread, every half limit, for each watched thread:
//!     idle, or the pulse has beaten         -> all is well
//!     no beat for half a limit              -> ask: who runs, how many switches?
//!     the same answer a whole limit later   -> report, once for this hold
//! ```
//!
//! Watched threads pay next to nothing: the pulse beats where the scheduler
//! looks at the clock anyway, every 64 switches at most. Whether a tasklet has
//! really held its thread all the time is asked of that thread by a signal, and
//! only of one that seems stuck. An idle thread is left alone, and when all are
//! idle the watcher sleeps until one wakes up.

use super::backtrace::Backtrace;
use super::replay;
use super::sample::{self, Sample};
use crate::error::contain;
use crate::scheduler::{ID_BITS, Pulse, local};
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

/// The least limit that is watched for, and one that nobody lives to see.
const LIMIT_MIN: Duration = Duration::from_millis(2);
const LIMIT_MAX: Duration = Duration::from_secs(1 << 30);

/// A tasklet that has held its thread for too long; see [`watchdog`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Hold {
    /// The tasklet.
    pub id: u64,
    /// Its name, up to 64 bytes of it.
    pub name: Option<String>,
    /// Where it was made.
    pub spawned_at: &'static Location<'static>,
    /// The OS thread's name.
    pub thread: Option<String>,
    /// How long it has run without giving way, at least.
    pub held: Duration,
    /// It is inside [`on_system_stack`](crate::on_system_stack).
    pub on_system_stack: bool,
    /// Where it is now.
    pub backtrace: Backtrace,
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (thread, number) = (self.id >> ID_BITS, self.id & ((1 << ID_BITS) - 1));
        write!(f, "tasklet {thread}.{number}")?;
        if let Some(name) = &self.name {
            write!(f, " {name:?}")?;
        }
        write!(f, " has held its thread")?;
        if let Some(thread) = &self.thread {
            write!(f, " {thread:?}")?;
        }
        let place = if self.on_system_stack {
            ", on the system stack"
        } else {
            ""
        };
        let (held, made) = (self.held, self.spawned_at);
        write!(
            f,
            " for {held:?}{place}, made at {made}\n{}",
            self.backtrace
        )
    }
}

type Handler = Arc<dyn Fn(&Hold) + Send + Sync>;

/// Watches the thread as long as it lives; see [`watchdog`].
#[derive(Debug)]
#[must_use = "the watch ends when this is dropped"]
pub struct Watchdog {
    /// Tells watches apart; `None` if it could not be set up.
    key: Option<u64>,
    /// It belongs to its thread.
    here: PhantomData<*const ()>,
}

/// Reports any tasklet of the calling thread that runs for longer than `limit`
/// without giving way to the others, to the log as a warning.
///
/// The report names the tasklet and says where it is. It comes once for each
/// time that a tasklet holds the thread, after one to two limits. A tasklet
/// that is alone on its thread keeps nobody waiting and is not reported. The
/// least limit is 2 ms.
///
/// One helper thread watches for the whole process. It sends a signal (SIGURG)
/// to a thread that seems stuck, so a blocking system call there may end with
/// `EINTR`. Best effort: who has that signal blocked is not reported, and where
/// the kernel refuses `process_vm_readv` there is no backtrace; a program that
/// catches SIGURG itself, by [`Signals`](crate::signal::Signals) say, takes it
/// from the watch, which then falls silent. If the watch
/// can't be set up, that is logged.
///
/// # Scheduling
///
/// Never switches.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// let _watch = greenling::inspect::watchdog(Duration::from_millis(100));
/// ```
pub fn watchdog(limit: Duration) -> Watchdog {
    let key = match watch(limit.clamp(LIMIT_MIN, LIMIT_MAX)) {
        Ok(key) => Some(key),
        Err(error) => {
            log::error!("greenling: no watchdog: {error}");
            None
        }
    };
    Watchdog {
        key,
        here: PhantomData,
    }
}

impl Watchdog {
    /// Calls `handler` on the helper thread instead of logging. Its panics are
    /// dropped.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn on_report(self, handler: impl Fn(&Hold) + Send + Sync + 'static) -> Watchdog {
        let handler: Handler = Arc::new(handler);
        let replaced = watches()
            .iter_mut()
            .find(|watch| Some(watch.key) == self.key)
            .map(|watch| std::mem::replace(&mut watch.handler, handler));
        // What the handler before has captured is foreign.
        drop(replaced);
        self
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        let mut all = watches();
        let place = all.iter().position(|watch| Some(watch.key) == self.key);
        let watch = place.map(|place| all.remove(place));
        drop(all);
        drop(watch);
    }
}

/// A watched thread, and what was last seen of it.
struct Watch {
    key: u64,
    limit: Duration,
    pulse: Arc<Pulse>,
    thread: i32,
    name: Option<String>,
    handler: Handler,
    beats: Option<u64>,
    /// When the beats were first seen as they are.
    since: Instant,
    suspect: Option<Suspect>,
}

/// Who ran when the beats had stood still for a while.
#[derive(Clone, Copy)]
struct Suspect {
    switches: u64,
    id: u64,
    asked: Instant,
    reported: bool,
}

static WATCHES: Mutex<Vec<Watch>> = Mutex::new(Vec::new());

fn watches() -> MutexGuard<'static, Vec<Watch>> {
    WATCHES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sleeps until a thread ceases to idle, or a watch is added.
static ASLEEP: AtomicBool = AtomicBool::new(false);
static WATCHER: OnceLock<Thread> = OnceLock::new();

/// Called by watched threads, each time they cease to idle.
fn wake_watcher() {
    if ASLEEP.load(Ordering::SeqCst)
        && ASLEEP.swap(false, Ordering::SeqCst)
        && let Some(watcher) = WATCHER.get()
    {
        watcher.unpark();
    }
}

fn watch(limit: Duration) -> io::Result<u64> {
    static KEYS: AtomicU64 = AtomicU64::new(0);
    static STARTING: Mutex<()> = Mutex::new(());
    let scheduler = local::get_or_make()
        .ok_or_else(|| io::Error::other("the thread is ending and runs no tasklets any more"))?;
    sample::install()?;
    let starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if WATCHER.get().is_none() {
        let thread = std::thread::Builder::new().name("greenling-watchdog".into());
        let thread = thread.spawn(watch_all)?.thread().clone();
        let _ = WATCHER.set(thread);
    }
    drop(starting);
    let key = KEYS.fetch_add(1, Ordering::Relaxed);
    watches().push(Watch {
        key,
        limit,
        pulse: scheduler.pulse(wake_watcher),
        thread: sample::this_thread(),
        name: std::thread::current().name().map(str::to_owned),
        handler: Arc::new(|hold| log::warn!("greenling: {hold}")),
        beats: None,
        since: Instant::now(),
        suspect: None,
    });
    wake_watcher();
    Ok(key)
}

fn watch_all() {
    loop {
        let (holds, pause) = look_at_all();
        for (handler, held) in holds {
            // Perhaps its watch is gone, and this the last to hold it.
            if contain(move || handler(&held.explain())) {
                contain(|| log::error!("greenling: a watchdog's report handler panicked"));
            }
        }
        match pause {
            Some(pause) => std::thread::park_timeout(pause),
            None => sleep_until_busy(),
        }
    }
}

/// Whom to tell of what, and when to look again; `None` if all are idle.
fn look_at_all() -> (Vec<(Handler, Held)>, Option<Duration>) {
    let mut all = watches();
    let gone: Vec<_> = all
        .extract_if(.., |watch| watch.pulse.has_ended())
        .collect();
    let mut holds = Vec::new();
    for watch in all.iter_mut() {
        if let Some(hold) = watch.look() {
            holds.push((watch.handler.clone(), hold));
        }
    }
    let busy = all.iter().filter(|watch| watch.beats.is_some());
    let pause = busy.map(|watch| watch.limit / 2).min();
    drop(all);
    // Their handlers are foreign.
    contain(|| drop(gone));
    (holds, pause)
}

fn sleep_until_busy() {
    ASLEEP.store(true, Ordering::SeqCst);
    // Who ceased to idle before it could see that is seen here.
    let any_busy = watches().iter().any(|watch| watch.pulse.beats().is_some());
    while !any_busy && ASLEEP.load(Ordering::SeqCst) {
        std::thread::park();
    }
    ASLEEP.store(false, Ordering::SeqCst);
}

impl Watch {
    fn look(&mut self) -> Option<Held> {
        let now = Instant::now();
        let beats = self.pulse.beats();
        if beats.is_none() || beats != self.beats {
            (self.beats, self.since, self.suspect) = (beats, now, None);
            return None;
        }
        let asked = self.suspect.map(|suspect| suspect.asked);
        let due = match self.suspect {
            None => self.since + self.limit / 2,
            Some(suspect) => suspect.asked + self.limit,
        };
        if now < due {
            return None;
        }
        let sample = sample::take(self.thread)?;
        let same = |it: &Suspect| (it.switches, it.id) == (sample.switches, sample.id);
        match &mut self.suspect {
            Some(suspect) if same(suspect) && suspect.reported => return None,
            Some(suspect) if same(suspect) => suspect.reported = true,
            suspect => {
                *suspect = Some(Suspect {
                    switches: sample.switches,
                    id: sample.id,
                    asked: now,
                    reported: sample.alive < 2,
                });
                return None;
            }
        }
        Some(Held {
            sample,
            thread: self.name.clone(),
            time: asked.map_or(Duration::ZERO, |asked| asked.elapsed()),
        })
    }
}

/// A hold, as it was found.
struct Held {
    sample: Sample,
    thread: Option<String>,
    time: Duration,
}

impl Held {
    /// Reads unwind tables, for which it may have to wait for the loader.
    fn explain(self) -> Hold {
        Hold {
            backtrace: Backtrace::new(replay::addresses(&self.sample)),
            id: self.sample.id,
            name: self.sample.name,
            spawned_at: self.sample.spawned_at,
            thread: self.thread,
            held: self.time,
            on_system_stack: self.sample.on_system_stack,
        }
    }
}
