//! What a program is seen to do. Both sides write it, so that it can be
//! compared without making text of it.

use super::program::{CHANNELS, Op, Step, TASKS};
use std::fmt;

/// A value or an error: who made it, in which step, as which item of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) by: usize,
    pub(crate) step: usize,
    pub(crate) item: usize,
}

/// What an error handler panics with or sends, in the context of `by`.
pub(crate) fn by_handler(by: usize) -> Value {
    Value {
        by,
        step: 0,
        item: 99,
    }
}

/// What unwinds a tasklet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Exit,
    Error(Value),
    Panic(Value),
}

/// Why an operation did not do what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    Blocked,
    BlockTrap,
    Bound,
    Closed,
    Current,
    Dead,
    Deadlock,
    Killed,
    Main,
    Panicked(Value),
    Scheduled,
    SwitchTrap,
    Thrown(Value),
    Unwinding,
    Uncaught(Cause),
    WouldBlock,
    /// What no program should bring about.
    Odd,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// There was nobody or nothing to do it to.
    Nothing,
    Got(Value),
    Refused(Why),
    /// A send that failed, and whether the value came back.
    Unsent(Why, bool),
    /// `run` returned: how many were blocked and paused, whether a budget was
    /// spent, and at whose switch.
    Ran(usize, usize, bool, u8),
    /// A sequence was sent: how many items, and what became of the next one.
    Sent(usize, Option<(Why, bool)>),
    /// How many waiters were killed.
    Cleared(usize),
    /// Who is before and behind a tasklet, and in which channel it waits.
    Around(u8, u8, u8),
    /// A channel: who waits (the oldest first), closing, closed, preference,
    /// and whether it schedules all.
    Seen([u8; TASKS], bool, bool, i32, bool),
    Caught(Cause),
}

/// What ends an iteration when it is sent.
pub(crate) const STOP: Value = Value {
    by: 0,
    step: 0,
    item: 98,
};

/// No tasklet or channel.
pub(crate) const NOBODY: u8 = u8::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A step, by its number, ended.
    Step(usize, Step, Outcome),
    /// What a destructor did when the step unwound.
    Cleanup(usize, Op, Outcome),
    /// An item of a step of several.
    Item(usize, Outcome),
    /// The function and all it holds have gone.
    Gone,
    /// An iterator was asked for the item of this number.
    Pulled(usize),
    /// This one is about to be resumed.
    Switch(usize),
    /// It acts on a channel: sending or receiving, with nobody there or not.
    Acts(usize, bool, bool),
    /// The error handler was called.
    Handled(Cause),
    /// What it did, in whose context it was.
    Meddled(Op, Outcome),
}

/// What anybody can see of the tasklets and the channels.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) run_count: usize,
    pub(crate) balances: [isize; CHANNELS],
    pub(crate) states: [u8; TASKS],
}

/// Bits of a state.
pub(crate) mod bit {
    pub(crate) const ALIVE: u8 = 1;
    pub(crate) const BLOCKED: u8 = 2;
    pub(crate) const SCHEDULED: u8 = 4;
    pub(crate) const PAUSED: u8 = 8;
    pub(crate) const CURRENT: u8 = 16;
    pub(crate) const BLOCK_TRAP: u8 = 32;
    pub(crate) const ATOMIC: u8 = 64;
}

impl View {
    pub(crate) fn is_alive(&self, task: usize) -> bool {
        self.states[task] & bit::ALIVE != 0
    }

    /// As seen by a callback, for which nobody is current.
    pub(crate) fn without_current(mut self) -> View {
        for state in &mut self.states {
            *state &= !bit::CURRENT;
        }
        self
    }

    pub(crate) fn is_paused(&self, task: usize) -> bool {
        self.states[task] & bit::PAUSED != 0
    }
}

/// One line of a trace: what happened to whom, and how things were then.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) who: usize,
    pub(crate) event: Event,
    pub(crate) view: View,
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}.{}.{}", self.by, self.step, self.item)
    }
}

impl fmt::Display for View {
    /// The run count, the balances, and a letter for each tasklet: current,
    /// runnable, blocked, paused or not alive; with a dash under a block trap,
    /// with a star if atomic.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} ", self.run_count, self.balances)?;
        for state in self.states {
            let letter = match state & !(bit::BLOCK_TRAP | bit::ATOMIC) {
                0 => '.',
                s if s == bit::ALIVE | bit::SCHEDULED | bit::CURRENT => 'C',
                s if s == bit::ALIVE | bit::SCHEDULED => 'r',
                s if s == bit::ALIVE | bit::SCHEDULED | bit::BLOCKED => 'b',
                s if s == bit::ALIVE | bit::PAUSED => 'p',
                _ => '?',
            };
            write!(f, "{letter}")?;
            if state & bit::BLOCK_TRAP != 0 {
                f.write_str("-")?;
            }
            if state & bit::ATOMIC != 0 {
                f.write_str("*")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.who)?;
        match &self.event {
            Event::Step(number, step, outcome) => write!(f, "{number}. {step}: {outcome:?}")?,
            event => write!(f, "{event:?}")?,
        }
        write!(f, "  [{}]", self.view)
    }
}
