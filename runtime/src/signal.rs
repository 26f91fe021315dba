//! Signals as something to wait for.
//!
//! ```text
//!   kernel --> handler --> pipe --> one thread --> every subscriber's queue
//!                                        |            (64 signals, on any thread)
//!                                        +--> shutdowns to be triggered
//! ```
//!
//! # What changes for the whole process
//!
//! Handlers belong to the process, not to a thread. From the first subscription to
//! a signal on, the process catches it instead of dying of it or ignoring it, to
//! the end of its life: when the last subscriber is gone the signal does nothing.
//! A handler that another library has installed for it is replaced. A child that
//! the process starts by `exec` has the default action again. Signals that are
//! blocked in every thread arrive when one unblocks them. The kernel keeps one
//! pending signal of a kind, so of several that are sent before the first is
//! caught one arrives.

use crate::error::WaitError;
use crate::select::Operation;
use crate::select::steps::{Alarm, Here, Steps};
use crate::sys::signals;
use crate::thread::{self, Receiver, Sender, Shutdown};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

pub use libc::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};

/// Signals kept for a subscriber that does not look; more of them say nothing
/// new.
const BACKLOG: usize = 64;

/// What the processor raises at an instruction that it can't execute. Their handlers
/// report overflows of stacks, and end the process.
const FAULTS: [i32; 4] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL];

/// Who wants which signal.
static SUBSCRIBERS: Mutex<Vec<Subscriber>> = Mutex::new(Vec::new());

struct Subscriber {
    /// Tells subscriptions apart.
    id: u64,
    number: i32,
    wants: Wants,
}

enum Wants {
    /// To be told.
    Message(Sender<i32>),
    /// This to be triggered.
    Stop(Shutdown),
}

fn subscribers() -> MutexGuard<'static, Vec<Subscriber>> {
    SUBSCRIBERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A subscription to signals of the process.
///
/// From the first subscription on, the process catches the signal instead of
/// dying of it or ignoring it, to the end of its life. Every subscriber gets
/// every signal that arrives while it exists, whether it waits at the time or not:
/// up to 64 are kept for it. So one `Signals` in a loop misses none, where
/// [`ctrl_c`] in a loop misses those that come between two calls.
///
/// It is `Send` and `Sync`: tasklets of any worker, and threads without tasklets,
/// may wait. Of several that wait in one subscription each signal reaches one.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling::signal::{SIGINT, SIGTERM, Signals};
/// # fn main() -> std::io::Result<()> {
/// let signals = Signals::new(&[SIGINT, SIGTERM])?;
/// greenling::spawn(move || {
///     while let Ok(number) = signals.wait() {
///         println!("signal {number}");
///     }
/// });
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Signals {
    id: u64,
    receiver: Receiver<i32>,
}

impl Signals {
    /// Subscribes to the signals with these numbers.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a signal that can't be caught, and for those that an
    /// instruction causes (SIGSEGV, SIGBUS, SIGFPE, SIGILL): the same one would
    /// cause it again, for ever. When the pipe or the thread that delivers signals
    /// can't be made.
    pub fn new(numbers: &[i32]) -> io::Result<Signals> {
        let (sender, receiver) = thread::channel(BACKLOG);
        let signals = Signals {
            id: next_id(),
            receiver,
        };
        for &number in numbers {
            subscribe(signals.id, number, Wants::Message(sender.clone()))?;
        }
        Ok(signals)
    }

    /// Waits for the next of the signals and returns its number.
    ///
    /// # Scheduling
    ///
    /// Switches unless a signal has arrived already.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    ///
    /// # Errors
    ///
    /// The reasons of [`WaitError`].
    #[track_caller]
    pub fn wait(&self) -> Result<i32, WaitError> {
        self.receiver.receive().map_err(why)
    }

    /// The next of the signals to [`select!`](crate::select!); the output is as
    /// of [`wait`](Signals::wait).
    ///
    /// # Scheduling
    ///
    /// Never switches by itself.
    pub fn arriving(&self) -> Arriving<'_> {
        Arriving(self.receiver.receiving())
    }

    /// The number of the next of the signals, if one has arrived.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn try_next(&self) -> Option<i32> {
        self.receiver.try_receive().ok()
    }

    /// Waits for signal after signal, until a wait fails.
    ///
    /// # Scheduling
    ///
    /// Making it never switches; its `next` does as [`wait`](Signals::wait) does.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use greenling::signal::{SIGHUP, SIGTERM, Signals};
    /// # fn main() -> std::io::Result<()> {
    /// for number in Signals::new(&[SIGHUP, SIGTERM])?.iter() {
    ///     match number {
    ///         SIGHUP => println!("reading the configuration again"),
    ///         _ => break,
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = i32> + '_ {
        std::iter::from_fn(|| self.wait().ok())
    }
}

fn why(error: thread::ReceiveError) -> WaitError {
    match error {
        thread::ReceiveError::Wait(error) => error,
        // Subscribed to no signal at all.
        thread::ReceiveError::Closed => WaitError::Deadlock,
    }
}

/// Completes when a signal has come; see [`Signals::arriving`].
#[derive(Debug)]
#[must_use = "it does nothing until it is selected"]
pub struct Arriving<'s>(thread::Receiving<'s, i32>);

impl Steps for Arriving<'_> {
    fn attempt(&mut self, here: Here<'_>) -> bool {
        self.0.attempt(here)
    }

    fn prepare(&mut self, here: Here<'_>) -> Result<bool, WaitError> {
        self.0.prepare(here)
    }

    fn enrol(&mut self, alarm: &Alarm) -> bool {
        self.0.enrol(alarm)
    }

    fn leave(&mut self) {
        self.0.leave();
    }
}

impl Operation for Arriving<'_> {
    type Output = Result<i32, WaitError>;

    fn take(&mut self) -> Option<Result<i32, WaitError>> {
        self.0.take().map(|taken| taken.map_err(why))
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        unsubscribe(self.id);
    }
}

/// Waits for Ctrl-C (SIGINT). Those that come before the call are not for it; a
/// [`Signals`] that lives longer has them all.
///
/// # Scheduling
///
/// Always switches.
///
/// # Cancellation
///
/// Nothing is lost, and nothing kept: the subscription ends with the call.
///
/// # Errors
///
/// As [`Signals::new`] and [`Signals::wait`].
#[track_caller]
pub fn ctrl_c() -> io::Result<()> {
    Signals::new(&[SIGINT])?.wait()?;
    Ok(())
}

/// Waits for SIGTERM, the polite request to end. Those that come before the call are not for it; a
/// [`Signals`] that lives longer has them all.
///
/// # Scheduling
///
/// Always switches.
///
/// # Cancellation
///
/// Nothing is lost, and nothing kept: the subscription ends with the call.
///
/// # Errors
///
/// As [`Signals::new`] and [`Signals::wait`].
#[track_caller]
pub fn terminate() -> io::Result<()> {
    Signals::new(&[SIGTERM])?.wait()?;
    Ok(())
}

/// Waits for SIGHUP, by convention the request to read the configuration again.
/// Those that come before the call are not for it; a [`Signals`] that lives longer
/// has them all.
///
/// # Scheduling
///
/// Always switches.
///
/// # Cancellation
///
/// Nothing is lost, and nothing kept: the subscription ends with the call.
///
/// # Errors
///
/// As [`Signals::new`] and [`Signals::wait`].
#[track_caller]
pub fn hangup() -> io::Result<()> {
    Signals::new(&[SIGHUP])?.wait()?;
    Ok(())
}

/// Waits for SIGUSR1. Those that come before the call are not for it; a
/// [`Signals`] that lives longer has them all.
///
/// # Scheduling
///
/// Always switches.
///
/// # Cancellation
///
/// Nothing is lost, and nothing kept: the subscription ends with the call.
///
/// # Errors
///
/// As [`Signals::new`] and [`Signals::wait`].
#[track_caller]
pub fn user_defined1() -> io::Result<()> {
    Signals::new(&[SIGUSR1])?.wait()?;
    Ok(())
}

/// Waits for SIGUSR2. Those that come before the call are not for it; a
/// [`Signals`] that lives longer has them all.
///
/// # Scheduling
///
/// Always switches.
///
/// # Cancellation
///
/// Nothing is lost, and nothing kept: the subscription ends with the call.
///
/// # Errors
///
/// As [`Signals::new`] and [`Signals::wait`].
#[track_caller]
pub fn user_defined2() -> io::Result<()> {
    Signals::new(&[SIGUSR2])?.wait()?;
    Ok(())
}

/// Triggers `shutdown` when the first of these signals arrives, and exits the
/// process at once, with 128 and the signal's number, when one arrives after that:
/// Ctrl-C ends a server gracefully, and twice at any rate. Where a signal is to
/// trigger several shutdowns, "after that" is when all of them are triggered.
///
/// No tasklet or thread waits for them, so it also works when all are busy. It
/// holds to the end of the process, and keeps `shutdown` alive. No signals are
/// nothing to do.
///
/// # Scheduling
///
/// Never switches.
///
/// # Errors
///
/// As [`Signals::new`].
///
/// # Examples
///
/// ```
/// use greenling::signal::{SIGINT, SIGTERM, stop_on};
/// # fn main() -> std::io::Result<()> {
/// let shutdown = greenling::Shutdown::new();
/// stop_on(&[SIGINT, SIGTERM], &shutdown)?;
/// # Ok(())
/// # }
/// ```
pub fn stop_on(numbers: &[i32], shutdown: &Shutdown) -> io::Result<()> {
    let id = next_id();
    for &number in numbers {
        let subscribed = subscribe(id, number, Wants::Stop(shutdown.clone()));
        if subscribed.is_err() {
            unsubscribe(id);
        }
        subscribed?;
    }
    Ok(())
}

/// A number that no other subscription has.
fn next_id() -> u64 {
    static IDS: AtomicU64 = AtomicU64::new(0);
    IDS.fetch_add(1, Ordering::Relaxed)
}

fn subscribe(id: u64, number: i32, wants: Wants) -> io::Result<()> {
    if FAULTS.contains(&number) {
        let refusal = "a fault comes again as soon as its handler returns";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, refusal));
    }
    start_delivery()?;
    // Before it is caught: from then on it would be swallowed.
    subscribers().push(Subscriber { id, number, wants });
    signals::catch(number)
}

fn unsubscribe(id: u64) {
    let mut subscribers = subscribers();
    let gone = subscribers.extract_if(.., |subscriber| subscriber.id == id);
    let gone: Vec<_> = gone.collect();
    drop(subscribers);
    // Ends of channels, which wake whoever waits at the other: not under the lock.
    drop(gone);
}

fn start_delivery() -> io::Result<()> {
    static STARTED: OnceLock<()> = OnceLock::new();
    static STARTING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if STARTED.get().is_some() {
        return Ok(());
    }
    let mut pipe = signals::open_pipe()?;
    let thread = std::thread::Builder::new().name("greenling-signals".into());
    thread.spawn(move || {
        while let Ok(number) = signals::next_signal(&mut pipe) {
            deliver(number);
        }
    })?;
    let _ = STARTED.set(());
    Ok(())
}

fn deliver(number: i32) {
    // Of several shutdowns some may be over since long.
    let (mut triggered, mut again) = (false, false);
    for subscriber in subscribers().iter() {
        if subscriber.number != number {
            continue;
        }
        match &subscriber.wants {
            // When it is full, the subscriber has enough to look at.
            Wants::Message(sender) => drop(sender.try_send(number)),
            Wants::Stop(shutdown) if shutdown.is_triggered() => again = true,
            Wants::Stop(shutdown) => {
                shutdown.trigger();
                triggered = true;
            }
        }
    }
    if again && !triggered {
        std::process::exit(128 + number);
    }
}
