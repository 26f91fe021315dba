//! The runtime's results and errors in the words of a trace.

use super::trace::{Cause, Outcome, STOP, Value, Why};
use greenling::{
    JoinError, ReceiveError, SendError, SendErrorKind, StopIteration, TaskletError, TaskletExit,
    Uncaught, WaitError,
};
use std::any::Any;
use std::error::Error;
use std::fmt;

/// The error that stands for a value.
#[derive(Debug)]
pub(crate) struct Fault(pub(crate) Value);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fault {}", self.0)
    }
}

impl Error for Fault {}

/// What a program panics with.
pub(crate) fn payload_of(value: Value) -> Box<dyn Any + Send> {
    Box::new(Fault(value))
}

fn value_of(error: &(dyn Error + Send + Sync + 'static)) -> Value {
    if error.is::<StopIteration>() {
        return STOP;
    }
    let fault = error.downcast_ref::<Fault>();
    fault.expect("an error of the program").0
}

/// What a payload is; one that no program makes goes on unwinding.
pub(crate) fn cause_of(payload: &(dyn Any + Send)) -> Cause {
    if payload.is::<TaskletExit>() {
        Cause::Exit
    } else if let Some(fault) = payload.downcast_ref::<Fault>() {
        Cause::Panic(fault.0)
    } else if let Some(error) = payload.downcast_ref::<Box<dyn Error + Send + Sync>>() {
        Cause::Error(value_of(&**error))
    } else if let Some(text) = payload.downcast_ref::<&str>() {
        panic!("{text}")
    } else if let Some(text) = payload.downcast_ref::<String>() {
        panic!("{text}")
    } else {
        panic!("a payload of no program")
    }
}

pub(crate) fn cause_of_uncaught(uncaught: &Uncaught) -> Cause {
    match uncaught {
        Uncaught::Panic(payload) => cause_of(&**payload),
        Uncaught::Error(error) => Cause::Error(value_of(&**error)),
    }
}

pub(crate) fn refused(error: TaskletError) -> Why {
    match error {
        TaskletError::Blocked => Why::Blocked,
        TaskletError::Bound => Why::Bound,
        TaskletError::Current => Why::Current,
        TaskletError::Dead => Why::Dead,
        TaskletError::Main => Why::Main,
        TaskletError::Scheduled => Why::Scheduled,
        TaskletError::SwitchTrap => Why::SwitchTrap,
        TaskletError::Unwinding => Why::Unwinding,
        TaskletError::Uncaught(uncaught) => Why::Uncaught(cause_of_uncaught(&uncaught)),
        _ => Why::Odd,
    }
}

pub(crate) fn why(error: &WaitError) -> Why {
    match error {
        WaitError::BlockTrap => Why::BlockTrap,
        WaitError::Deadlock => Why::Deadlock,
        WaitError::SwitchTrap => Why::SwitchTrap,
        WaitError::Thrown(error) => Why::Thrown(value_of(&**error)),
        WaitError::Unwinding => Why::Unwinding,
        _ => Why::Odd,
    }
}

/// Why a send failed, and whether the value came back.
pub(crate) fn why_unsent(error: SendError<Value>) -> (Why, bool) {
    let why = match error.kind() {
        SendErrorKind::Closed => Why::Closed,
        SendErrorKind::Wait(error) => why(error),
        _ => Why::Odd,
    };
    (why, error.into_inner().is_some())
}

pub(crate) fn sent(result: Result<(), SendError<Value>>) -> Outcome {
    let Err(error) = result else {
        return Outcome::Done;
    };
    let (why, back) = why_unsent(error);
    Outcome::Unsent(why, back)
}

pub(crate) fn received(result: Result<Value, ReceiveError>) -> Outcome {
    match result {
        Ok(value) => Outcome::Got(value),
        Err(ReceiveError::Closed) => Outcome::Refused(Why::Closed),
        Err(ReceiveError::Wait(error)) => Outcome::Refused(why(&error)),
        Err(_) => Outcome::Refused(Why::Odd),
    }
}

pub(crate) fn join_failure(error: JoinError) -> Why {
    match error {
        JoinError::Killed => Why::Killed,
        JoinError::Panicked(_) => match cause_of(&*error.into_panic()) {
            Cause::Panic(value) => Why::Panicked(value),
            _ => Why::Odd,
        },
        JoinError::Thrown(error) => Why::Thrown(value_of(&*error)),
        JoinError::Wait(error) => why(&error),
        _ => Why::Odd,
    }
}
