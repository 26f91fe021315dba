//! Random programs for the ring and the channels: plain data.

use std::fmt;

/// Channels that a program has.
pub(crate) const CHANNELS: usize = 2;

/// One step of one tasklet. Tasklets and channels are named by number, and
/// tasklet 0 is main.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    Yield,
    Pause,
    Send(usize),
    SendError(usize),
    Receive(usize),
    TrySend(usize),
    TryReceive(usize),
    Spawn(usize),
    Insert(usize),
    Remove(usize),
    Run(usize),
    Switch(usize),
    Kill(usize),
    KillPending(usize),
    Throw(usize),
    ThrowPending(usize),
    RunAll,
    /// -1, 0 or 1.
    Preference(usize, i32),
    ScheduleAll(usize, bool),
    Close(usize),
    Open(usize),
    BlockTrap(bool),
    /// The tasklet ends with an error.
    Fail,
}

/// How a tasklet begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Birth {
    Queued,
    Paused,
    /// Does not exist before somebody spawns it.
    Spawned,
}

/// What each tasklet does.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) births: Vec<Birth>,
    pub(crate) steps: Vec<Vec<Op>>,
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
    /// The program of a seed.
    pub(crate) fn random(seed: u64) -> Program {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..4 {
            random.below(2);
        }
        let count = 2 + random.below(5);
        let births = (0..count).map(|_| match random.below(4) {
            0 => Birth::Paused,
            1 => Birth::Spawned,
            _ => Birth::Queued,
        });
        let births = births.collect();
        let steps = (0..count).map(|task| {
            let length = 1 + random.below(if task == 0 { 14 } else { 9 });
            let mut steps: Vec<Op> = (0..length).map(|_| op(&mut random, count)).collect();
            if task == 0 {
                // Main fails nobody, and sees to the end of all others.
                steps.retain(|op| !matches!(op, Op::Fail));
                steps.push(Op::RunAll);
                for _ in 0..4 {
                    steps.extend((1..count).map(Op::Kill));
                }
            }
            steps
        });
        let steps = steps.collect();
        Program { births, steps }
    }
}

fn op(random: &mut Random, count: usize) -> Op {
    let task = random.below(count);
    let channel = random.below(CHANNELS);
    match random.below(60) {
        0..8 => Op::Yield,
        8..11 => Op::Pause,
        11..19 => Op::Send(channel),
        19..21 => Op::SendError(channel),
        21..29 => Op::Receive(channel),
        29 => Op::TrySend(channel),
        30 => Op::TryReceive(channel),
        31..34 => Op::Spawn(task),
        34..37 => Op::Insert(task),
        37..39 => Op::Remove(task),
        39..42 => Op::Run(task),
        42..44 => Op::Switch(task),
        44 => Op::Kill(task),
        45 => Op::KillPending(task),
        46 => Op::Throw(task),
        47 => Op::ThrowPending(task),
        48..52 => Op::RunAll,
        52..54 => Op::Preference(channel, random.below(3) as i32 - 1),
        54 => Op::ScheduleAll(channel, random.below(2) == 0),
        55 => Op::Close(channel),
        56..58 => Op::Open(channel),
        58 => Op::BlockTrap(random.below(2) == 0),
        _ => Op::Fail,
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (task, (birth, steps)) in self.births.iter().zip(&self.steps).enumerate() {
            writeln!(f, "  {task} {birth:?}: {steps:?}")?;
        }
        Ok(())
    }
}
