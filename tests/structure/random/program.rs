//! What random programs consist of, and what is seen of them.

use greenling::Preference;

/// Tasklets, channels at most.
const TASKS: usize = 5;
const CHANNELS: usize = 3;

/// One operation of a select.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arm {
    Send(usize),
    Receive(usize),
    /// The end of a tasklet.
    Ending(usize),
    /// The token.
    Cancelling,
    /// A timer that is due.
    Due,
}

/// One thing that a tasklet does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Send(usize),
    Receive(usize),
    /// As often as said, with the same operations; without waiting or with.
    Select(Vec<Arm>, usize, bool),
    Yield,
    Kill(usize),
    Throw(usize),
    Close(usize),
    Open(usize),
    BlockTrap(bool),
    Cancel,
}

/// How a channel is set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    pub(super) preference: Preference,
    pub(super) schedule_all: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) channels: Vec<Setting>,
    pub(super) tasks: Vec<Vec<Step>>,
}

/// How a single operation has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Out {
    Sent,
    Got(u32),
    Closed,
    BlockTrap,
    /// An error was thrown; a value to be sent has come back with it or not.
    Thrown,
    Over,
}

/// What is seen of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Step(usize, Out),
    Selected(usize, usize, Out),
    /// No operation could take place at once.
    Default(usize),
    /// The select itself has failed.
    Failed(usize, Out),
    /// Values that are still in the operations after the last of the selects.
    Left(usize, Vec<u32>),
    Ended,
    Unwound,
}

/// By which tasklet it was seen.
pub(super) type Note = (usize, Seen);

/// Everything that is seen of a program: notes, balances at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trace {
    pub(super) notes: Vec<Note>,
    pub(super) balances: Vec<isize>,
}

/// Xorshift: the same numbers for the same seed everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }
}

impl Program {
    /// The program of a seed. Few channels, so that tasklets meet.
    pub(super) fn generate(seed: u64) -> Program {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let random = &mut random;
        for _ in 0..4 {
            random.below(2);
        }
        let (tasks, channels) = (2 + random.below(TASKS - 1), 1 + random.below(CHANNELS));
        let violence = random.below(3);
        let channels = (0..channels).map(|_| setting(random)).collect::<Vec<_>>();
        let tasks = (0..tasks).map(|_| {
            let steps = 1 + random.below(6);
            let steps = (0..steps).map(|_| step(random, tasks, channels.len(), violence));
            steps.collect()
        });
        let tasks = tasks.collect();
        Program { channels, tasks }
    }
}

fn setting(random: &mut Random) -> Setting {
    let preference = match random.below(4) {
        0 => Preference::Sender,
        1 => Preference::Neither,
        _ => Preference::Receiver,
    };
    let schedule_all = random.below(6) == 0;
    Setting {
        preference,
        schedule_all,
    }
}

fn step(random: &mut Random, tasks: usize, channels: usize, violence: usize) -> Step {
    let (task, channel) = (random.below(tasks), random.below(channels));
    match random.below(12 + 2 * violence) {
        0 | 1 => Step::Send(channel),
        2 | 3 => Step::Receive(channel),
        4..=8 => select(random, tasks, channels),
        9 => Step::Yield,
        10 => match random.below(8) {
            0 => Step::Close(channel),
            1 => Step::Open(channel),
            2 => Step::BlockTrap(random.below(3) == 0),
            3 => Step::Cancel,
            _ => Step::Yield,
        },
        11 | 12 => Step::Throw(task),
        _ => Step::Kill(task),
    }
}

fn select(random: &mut Random, tasks: usize, channels: usize) -> Step {
    let waits = random.below(4) > 0;
    let mut arms = Vec::new();
    // One that waits can't have both sides of a channel.
    let sides: Vec<_> = (0..channels).map(|_| random.below(2)).collect();
    for _ in 0..1 + random.below(4) {
        let channel = random.below(channels);
        let side = if waits {
            sides[channel]
        } else {
            random.below(2)
        };
        arms.push(match (random.below(12), side) {
            (0, _) => Arm::Ending(random.below(tasks)),
            (1, _) => Arm::Cancelling,
            (2, _) if random.below(3) == 0 => Arm::Due,
            (_, 0) => Arm::Send(channel),
            _ => Arm::Receive(channel),
        });
    }
    Step::Select(arms, 1 + random.below(3), waits)
}
