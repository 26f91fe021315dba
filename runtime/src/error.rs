//! What can go wrong, one small type per family of operations.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An error thrown at a tasklet or sent over a channel.
pub type Thrown = Box<dyn Error + Send + Sync>;

/// The payload with which a kill unwinds a tasklet.
///
/// `kill` raises it at the target's suspension point with
/// [`std::panic::resume_unwind`]: destructors run, the panic hook does not. A
/// tasklet that catches it lives on, as in Stackless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskletExit;

/// Why a wait ended without what was waited for.
#[derive(Debug)]
#[non_exhaustive]
pub enum WaitError {
    /// The deadline of the call or of a `timeout` scope around it passed.
    TimedOut,
    /// A [`CancelToken`](crate::time::CancelToken) whose scope the wait is in
    /// was cancelled.
    Cancelled,
    /// Nothing could ever have ended the wait.
    Deadlock,
    /// The tasklet is unwinding, or its thread is ending: it can't wait.
    Unwinding,
    /// The tasklet's block trap is set.
    BlockTrap,
    /// A switch trap is set, or the code runs inside `on_system_stack`.
    SwitchTrap,
    /// An error was thrown at the tasklet while it waited.
    Thrown(Thrown),
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WaitError::TimedOut => f.write_str("the wait timed out"),
            WaitError::Cancelled => f.write_str("the wait was cancelled"),
            WaitError::Deadlock => f.write_str("deadlock: nothing could ever end the wait"),
            WaitError::Unwinding => f.write_str("a tasklet that is unwinding can't wait"),
            WaitError::BlockTrap => f.write_str("the tasklet's block trap is set"),
            WaitError::SwitchTrap => f.write_str("switching is trapped here"),
            WaitError::Thrown(error) => write!(f, "an error was thrown at the tasklet: {error}"),
        }
    }
}

impl Error for WaitError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            WaitError::Thrown(error) => Some(error.as_ref()),
            _ => None,
        }
    }
}

impl From<WaitError> for io::Error {
    fn from(error: WaitError) -> io::Error {
        let kind = match &error {
            WaitError::TimedOut => io::ErrorKind::TimedOut,
            WaitError::Deadlock => io::ErrorKind::Deadlock,
            WaitError::Cancelled
            | WaitError::Unwinding
            | WaitError::BlockTrap
            | WaitError::SwitchTrap => io::ErrorKind::Other,
            WaitError::Thrown(thrown) => thrown
                .downcast_ref::<io::Error>()
                .map_or(io::ErrorKind::Other, io::Error::kind),
        };
        io::Error::new(kind, error)
    }
}

/// Whether a wait ended for a reason of its own, not the operation's.
pub(crate) fn is_of_the_wait(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<WaitError>())
}

/// Why an operation on a tasklet was refused.
#[derive(Debug)]
#[non_exhaustive]
pub enum TaskletError {
    /// It has ended, has no function yet, or its thread has ended.
    Dead,
    /// It waits in a channel or elsewhere.
    Blocked,
    /// It is in the run queue.
    Scheduled,
    /// It is the running tasklet.
    Current,
    /// It is a main tasklet.
    Main,
    /// It has a function already.
    Bound,
    /// A switch trap is set, or the code runs inside `on_system_stack`.
    SwitchTrap,
    /// The caller is unwinding: it can't switch.
    Unwinding,
    /// It has started, or its function is not `Send`: it stays on its thread.
    Pinned,
    /// The other thread was not waited for until it had answered.
    Wait(WaitError),
    /// The program is built with `panic = "abort"`: a kill can't unwind.
    PanicAbort,
    /// An error left a tasklet, and the caller is the one to be told.
    Uncaught(Uncaught),
}

impl fmt::Display for TaskletError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            TaskletError::Dead => "the tasklet is not alive",
            TaskletError::Blocked => "the tasklet is blocked",
            TaskletError::Scheduled => "the tasklet is in the run queue",
            TaskletError::Current => "the tasklet is the current one",
            TaskletError::Main => "the tasklet is a main tasklet",
            TaskletError::Bound => "the tasklet has a function already",
            TaskletError::SwitchTrap => "switching is trapped here",
            TaskletError::Unwinding => "a tasklet that is unwinding can't switch",
            TaskletError::PanicAbort => "a kill needs panic = \"unwind\"",
            TaskletError::Pinned => "the tasklet can't change threads",
            TaskletError::Wait(error) => return error.fmt(f),
            TaskletError::Uncaught(uncaught) => return uncaught.fmt(f),
        };
        f.write_str(text)
    }
}

impl Error for TaskletError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            TaskletError::Wait(error) => Some(error),
            _ => None,
        }
    }
}

impl From<TaskletError> for io::Error {
    fn from(error: TaskletError) -> io::Error {
        match error {
            TaskletError::Wait(error) => error.into(),
            other => io::Error::other(other.to_string()),
        }
    }
}

/// What left a tasklet that nobody joined.
pub enum Uncaught {
    /// Its function panicked; this is the payload.
    Panic(Box<dyn Any + Send>),
    /// Its function returned an error, or one was thrown at it.
    Error(Thrown),
}

impl fmt::Debug for Uncaught {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Uncaught::Panic(payload) => write!(f, "Panic({:?})", panic_message(payload)),
            Uncaught::Error(error) => write!(f, "Error({error:?})"),
        }
    }
}

impl fmt::Display for Uncaught {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Uncaught::Panic(payload) => {
                write!(f, "a tasklet panicked: {}", panic_message(payload))
            }
            Uncaught::Error(error) => write!(f, "a tasklet failed: {error}"),
        }
    }
}

/// The text of a panic, as far as the payload is text.
pub(crate) fn panic_message(payload: &Box<dyn Any + Send>) -> &str {
    if let Some(text) = payload.downcast_ref::<&str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "(a payload that is not text)"
    }
}

/// Runs foreign code whose panic concerns nobody; true if it has panicked.
pub(crate) fn contain(f: impl FnOnce()) -> bool {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(()) => false,
        Err(payload) => {
            drop_payload(payload);
            true
        }
    }
}

/// Drops the payload of a panic that was caught. Should its destructor panic,
/// what that panics with is leaked: an end has to be somewhere.
pub(crate) fn drop_payload(payload: Box<dyn Any + Send>) {
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(another);
    }
}

/// Why a join gave no value.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Debug)]
#[non_exhaustive]
pub enum JoinError {
    /// The tasklet panicked; this is what it panicked with.
    Panicked(Panicked),
    /// The tasklet was killed.
    Killed,
    /// An error was thrown at the tasklet before it began.
    Thrown(Thrown),
    /// The tasklet has not ended: the joiner's own wait did.
    Wait(WaitError),
}

/// A panic payload in a [`JoinError`].
pub struct Panicked(pub(crate) Box<dyn Any + Send>);

impl fmt::Debug for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Panicked")
            .field(&panic_message(&self.0))
            .finish()
    }
}

impl JoinError {
    /// True if the tasklet panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self, JoinError::Panicked(_))
    }

    /// True if the tasklet was killed.
    pub fn is_killed(&self) -> bool {
        matches!(self, JoinError::Killed)
    }

    /// True if an error was thrown at the tasklet before it began.
    pub fn is_thrown(&self) -> bool {
        matches!(self, JoinError::Thrown(_))
    }

    /// The panic payload, for [`std::panic::resume_unwind`].
    ///
    /// # Panics
    ///
    /// If the tasklet did not panic; see [`JoinError::is_panic`].
    pub fn into_panic(self) -> Box<dyn Any + Send> {
        match self {
            JoinError::Panicked(payload) => payload.0,
            other => panic!("not a panic: {other}"),
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JoinError::Panicked(payload) => {
                write!(f, "the tasklet panicked: {}", panic_message(&payload.0))
            }
            JoinError::Killed => f.write_str("the tasklet was killed"),
            JoinError::Thrown(error) => {
                write!(f, "an error was thrown at the tasklet: {error}")
            }
            JoinError::Wait(error) => error.fmt(f),
        }
    }
}

impl Error for JoinError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            JoinError::Thrown(error) => Some(error.as_ref()),
            JoinError::Wait(error) => Some(error),
            _ => None,
        }
    }
}

impl From<JoinError> for io::Error {
    fn from(error: JoinError) -> io::Error {
        match error {
            JoinError::Wait(error) => error.into(),
            other => io::Error::other(other.to_string()),
        }
    }
}
