//! Random programs for the ring and the channels: plain data.
//!
//! A program is a list of steps for each tasklet, main being tasklet 0. The
//! last steps of main depend on who is left: they see everybody to their end.

use super::trace::View;
use std::fmt;

/// Channels that a program has.
pub(crate) const CHANNELS: usize = 3;

/// Tasklets that a program has at most, main included.
pub(crate) const TASKS: usize = 7;

/// How often a tasklet is given a function anew.
pub(crate) const REBIRTHS: usize = 2;

/// What one step does. Tasklets and channels are named by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Yield,
    Pause,
    Send(usize),
    SendError(usize),
    Receive(usize),
    TrySend(usize),
    TryReceive(usize),
    /// Sends so many values.
    SendSequence(usize, usize),
    /// Sends what ends an iteration.
    SendStop(usize),
    /// Iterates over a channel, so many items at most.
    Iterate(usize, usize),
    Spawn(usize),
    Insert(usize),
    Remove(usize),
    Run(usize),
    Switch(usize),
    Kill(usize),
    KillPending(usize),
    Throw(usize),
    ThrowPending(usize),
    Bind(usize),
    Unbind(usize),
    Join(usize),
    Wait(usize),
    /// Drops the join handle.
    Detach(usize),
    RunAll(How),
    /// Runs the others until so many have been resumed.
    RunSome(u64),
    /// -1, 0 or 1.
    Preference(usize, i32),
    ScheduleAll(usize, bool),
    Close(usize),
    Open(usize),
    /// Kills all who wait in a channel.
    Clear(usize),
    BlockTrap(bool),
    Handler(Handler),
    /// Budgets don't end at the tasklet's switches, or do again.
    Atomic(bool),
    /// Yields and pauses that return what is in the value slot.
    YieldWith,
    PauseWith,
    SetSlot(usize),
    TakeSlot(usize),
    /// Holds kills and throws back, until as many `Undefer`s.
    Defer,
    Undefer,
    /// Reads a channel's queue and flags.
    Look(usize),
    /// Reads who is before and behind a tasklet, and in which channel it is.
    LookAround(usize),
    Raise(Raise),
    /// The function returns an error.
    Fail,
}

/// Ways to run all others that differ only when something outside the thread
/// could wake a tasklet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Run,
    /// A turn of a main loop that does not wait.
    Turn,
    /// Waits for what could wake somebody, which is nothing here.
    Blocking,
}

/// What the error handler does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handler {
    None,
    Returns,
    Panics,
    Exits,
    /// It does something, and then returns or panics.
    Meddles(Meddle, bool),
}

/// What an error handler does that may not switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meddle {
    Spawn(usize),
    Insert(usize),
    Remove(usize),
    KillPending(usize),
    ThrowPending(usize),
    Bind(usize),
    TrySend(usize),
    TryReceive(usize),
    Yield,
    RunAll,
}

impl Meddle {
    /// The step of this, taken by the tasklet `me`.
    pub(crate) fn op(self, me: usize) -> Op {
        match self {
            Meddle::Spawn(task) => Op::Spawn(task),
            Meddle::Insert(task) => Op::Insert(task),
            Meddle::Remove(task) => Op::Remove(task),
            // These would unwind, which is another kind of handler.
            Meddle::KillPending(task) | Meddle::ThrowPending(task) if task == me => Op::Yield,
            Meddle::KillPending(task) => Op::KillPending(task),
            Meddle::ThrowPending(task) => Op::ThrowPending(task),
            Meddle::Bind(task) => Op::Bind(task),
            Meddle::TrySend(channel) => Op::TrySend(channel),
            Meddle::TryReceive(channel) => Op::TryReceive(channel),
            Meddle::Yield => Op::Yield,
            Meddle::RunAll => Op::RunAll(How::Run),
        }
    }
}

/// With what a step unwinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Raise {
    Error,
    Panic,
    Exit,
}

/// One step of one tasklet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) op: Op,
    /// Whatever unwinds is caught, and the tasklet goes on.
    pub(crate) catches: bool,
    /// The step is taken under a switch trap.
    pub(crate) trapped: bool,
    /// What a destructor does when the step unwinds.
    pub(crate) cleanup: Option<Op>,
}

impl Step {
    pub(crate) fn plain(op: Op) -> Step {
        Step {
            op,
            catches: false,
            trapped: false,
            cleanup: None,
        }
    }
}

/// What a tasklet is, and how it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Birth {
    /// A `Tasklet` at the end of the queue.
    Queued,
    /// A `Tasklet` that nobody has queued yet.
    Paused,
    /// A `Tasklet` without a function.
    Unbound,
    /// A `Tasklet` that does not exist before a step spawns it.
    Late,
    /// Made by `spawn`, with a join handle.
    Joined,
    /// Made by `spawn` in a step.
    LateJoined,
}

impl Birth {
    /// Exists from the start.
    pub(crate) fn is_early(self) -> bool {
        !matches!(self, Birth::Late | Birth::LateJoined)
    }

    /// Has a join handle.
    pub(crate) fn is_joined(self) -> bool {
        matches!(self, Birth::Joined | Birth::LateJoined)
    }
}

/// What each tasklet does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    /// That of main means nothing.
    pub(crate) births: Vec<Birth>,
    pub(crate) steps: Vec<Vec<Step>>,
    /// The queue order is the flat one.
    pub(crate) flat: bool,
    /// Every switch and every operation of a channel is in the trace.
    pub(crate) watched: bool,
}

impl Program {
    pub(crate) fn tasks(&self) -> usize {
        self.births.len()
    }

    /// The step of a tasklet with this number, which main chooses by what it
    /// sees once it has come to the end of its list.
    pub(crate) fn step(&self, task: usize, number: usize, view: &View) -> Option<Step> {
        let steps = &self.steps[task];
        match steps.get(number) {
            Some(&step) => Some(step),
            None if task == 0 => {
                let op = self.last_step(number - steps.len(), view);
                op.map(Step::plain)
            }
            None => None,
        }
    }

    /// Main kills everybody once, and then helps those on who live.
    fn last_step(&self, number: usize, view: &View) -> Option<Op> {
        let is_defer = |step: &&Step| step.op == Op::Defer;
        let guards = self.steps[0].iter().filter(is_defer).count();
        let others = self.tasks() - 1;
        if number < guards {
            return Some(Op::Undefer);
        }
        // What was held back reaches main in here.
        let number = number - guards;
        if number == 0 {
            return Some(Op::RunAll(How::Run));
        }
        if number <= others {
            return Some(Op::Kill(number));
        }
        let mut living = (1..self.tasks()).filter(|&task| view.is_alive(task));
        let somebody = living.next()?;
        if number > 500 {
            // They are found alive, which fails the test.
            return None;
        }
        let waiting = |channel: &usize| view.balances[*channel] != 0;
        if let Some(channel) = (0..CHANNELS).find(waiting) {
            return Some(match view.balances[channel] {
                ..0 => Op::Send(channel),
                _ => Op::Receive(channel),
            });
        }
        let paused = (1..self.tasks()).find(|&task| view.is_paused(task));
        Some(match paused {
            Some(task) => Op::Insert(task),
            None if view.run_count > 1 => Op::RunAll(How::Run),
            // Those that join each other.
            None => Op::Kill(somebody),
        })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.op)?;
        if self.trapped {
            f.write_str(" under a switch trap")?;
        }
        if let Some(op) = self.cleanup {
            write!(f, ", then {op:?} in a destructor")?;
        }
        if self.catches {
            f.write_str(", catching")?;
        }
        Ok(())
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.flat {
            writeln!(f, "  the flat queue order")?;
        }
        for (task, steps) in self.steps.iter().enumerate() {
            match task {
                0 => writeln!(f, "  main")?,
                _ => writeln!(f, "  tasklet {task}: {:?}", self.births[task])?,
            }
            for (number, step) in steps.iter().enumerate() {
                writeln!(f, "    {number}. {step}")?;
            }
        }
        Ok(())
    }
}
