//! Signals as something to wait for.

use crate::error::WaitError;
use crate::sys::signals;
use crate::thread::{self, Receiver, Sender};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

pub use libc::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};

/// Signals kept for a subscriber that does not look; more of them say nothing
/// new.
const BACKLOG: usize = 64;

/// Who wants which signal.
static SUBSCRIBERS: Mutex<Vec<Subscriber>> = Mutex::new(Vec::new());

struct Subscriber {
    /// Tells subscriptions apart.
    id: u64,
    number: i32,
    sender: Sender<i32>,
}

fn subscribers() -> MutexGuard<'static, Vec<Subscriber>> {
    SUBSCRIBERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A subscription to signals of the process.
///
/// From the first subscription on, the process catches the signal instead of
/// dying of it or ignoring it, to the end of its life. Every subscriber gets
/// every signal that arrives while it exists.
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
    /// `InvalidInput` for a signal that can't be caught; when the pipe or the
    /// thread that delivers signals can't be made.
    pub fn new(numbers: &[i32]) -> io::Result<Signals> {
        static IDS: AtomicU64 = AtomicU64::new(0);
        start_delivery()?;
        let (sender, receiver) = thread::channel(BACKLOG);
        let signals = Signals {
            id: IDS.fetch_add(1, Ordering::Relaxed),
            receiver,
        };
        for &number in numbers {
            // Before it is caught: from then on it would be swallowed.
            subscribers().push(Subscriber {
                id: signals.id,
                number,
                sender: sender.clone(),
            });
            signals::catch(number)?;
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
        self.receiver.receive().map_err(|error| match error {
            thread::ReceiveError::Wait(error) => error,
            // Subscribed to no signal at all.
            thread::ReceiveError::Closed => WaitError::Deadlock,
        })
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        subscribers().retain(|subscriber| subscriber.id != self.id);
    }
}

/// Waits for Ctrl-C (SIGINT).
///
/// # Scheduling
///
/// Switches.
///
/// # Errors
///
/// As [`Signals::new`] and [`Signals::wait`].
#[track_caller]
pub fn ctrl_c() -> io::Result<()> {
    Signals::new(&[SIGINT])?.wait()?;
    Ok(())
}

/// Waits for SIGTERM.
///
/// # Scheduling
///
/// Switches.
///
/// # Errors
///
/// As [`Signals::new`] and [`Signals::wait`].
#[track_caller]
pub fn terminate() -> io::Result<()> {
    Signals::new(&[SIGTERM])?.wait()?;
    Ok(())
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
    for subscriber in subscribers().iter() {
        if subscriber.number == number {
            // When it is full, the subscriber has enough to look at.
            let _ = subscriber.sender.try_send(number);
        }
    }
}
