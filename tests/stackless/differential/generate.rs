//! The program of a seed.
//!
//! Each program draws which families of steps it may have at all. Programs
//! with few of them bring those together far more often than programs in which
//! everything happens once.

use super::program::{Birth, CHANNELS, Handler, How, Meddle, Op, Program, Raise, Step, TASKS};

/// Xorshift: the same numbers for the same seed everywhere.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Random {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..4 {
            random.below(2);
        }
        random
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }
}

/// Makes a step that may concern a tasklet or a channel.
type Make = fn(&mut Random, usize, usize) -> Op;

/// Steps that go together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Basic,
    RunAll,
    Budget,
    Slot,
    Look,
    Queue,
    Direct,
    Spawn,
    Kill,
    Throw,
    Attempts,
    Loops,
    Preference,
    Close,
    BlockTrap,
    Join,
    Bind,
    Fail,
    Handler,
    Defer,
}

/// Each family, and how often its steps come if a program has it.
const FAMILIES: &[(Family, &[(usize, Make)])] = &[
    (
        Family::Basic,
        &[
            (8, |_, _, _| Op::Yield),
            (8, |_, _, c| Op::Send(c)),
            (8, |_, _, c| Op::Receive(c)),
        ],
    ),
    (
        Family::RunAll,
        &[(7, |random, _, _| {
            let ways = [How::Run, How::Run, How::Turn, How::Blocking];
            Op::RunAll(ways[random.below(ways.len())])
        })],
    ),
    (
        Family::Budget,
        &[
            (7, |random, _, _| Op::RunSome(random.below(6) as u64)),
            (2, |random, _, _| Op::Atomic(random.one_in(2))),
        ],
    ),
    (
        Family::Slot,
        &[
            (4, |_, _, _| Op::YieldWith),
            (2, |_, _, _| Op::PauseWith),
            (6, |_, t, _| Op::SetSlot(t)),
            (1, |_, t, _| Op::TakeSlot(t)),
        ],
    ),
    (
        Family::Look,
        &[(2, |_, _, c| Op::Look(c)), (4, |_, t, _| Op::LookAround(t))],
    ),
    (
        Family::Queue,
        &[
            (4, |_, _, _| Op::Pause),
            (4, |_, t, _| Op::Insert(t)),
            (3, |_, t, _| Op::Remove(t)),
        ],
    ),
    (
        Family::Direct,
        &[(4, |_, t, _| Op::Run(t)), (3, |_, t, _| Op::Switch(t))],
    ),
    (Family::Spawn, &[(4, |_, t, _| Op::Spawn(t))]),
    (
        Family::Kill,
        &[
            (4, |_, t, _| Op::Kill(t)),
            (3, |_, t, _| Op::KillPending(t)),
        ],
    ),
    (
        Family::Throw,
        &[
            (4, |_, t, _| Op::Throw(t)),
            (3, |_, t, _| Op::ThrowPending(t)),
        ],
    ),
    (
        Family::Attempts,
        &[
            (3, |_, _, c| Op::SendError(c)),
            (3, |_, _, c| Op::TrySend(c)),
            (3, |_, _, c| Op::TryReceive(c)),
        ],
    ),
    (
        Family::Loops,
        &[
            (6, |random, _, c| Op::Iterate(c, 1 + random.below(3))),
            (5, |random, _, c| Op::SendSequence(c, random.below(4))),
            (2, |_, _, c| Op::SendStop(c)),
        ],
    ),
    (
        Family::Preference,
        &[
            (4, |random, _, c| {
                Op::Preference(c, random.below(3) as i32 - 1)
            }),
            (2, |random, _, c| Op::ScheduleAll(c, random.one_in(2))),
        ],
    ),
    (
        Family::Close,
        &[
            (2, |_, _, c| Op::Close(c)),
            (3, |_, _, c| Op::Open(c)),
            (4, |_, _, c| Op::Clear(c)),
        ],
    ),
    (
        Family::BlockTrap,
        &[(4, |random, _, _| Op::BlockTrap(random.one_in(2)))],
    ),
    (
        Family::Join,
        &[
            (6, |_, t, _| Op::Join(t)),
            (5, |_, t, _| Op::Wait(t)),
            (2, |_, t, _| Op::Detach(t)),
        ],
    ),
    (
        Family::Bind,
        &[(4, |_, t, _| Op::Bind(t)), (2, |_, t, _| Op::Unbind(t))],
    ),
    (
        Family::Fail,
        &[
            (2, |_, _, _| Op::Fail),
            (1, |_, _, _| Op::Raise(Raise::Error)),
            (2, |_, _, _| Op::Raise(Raise::Panic)),
            (1, |_, _, _| Op::Raise(Raise::Exit)),
        ],
    ),
    (
        Family::Handler,
        &[(3, |random, t, c| {
            let meddle = Handler::Meddles(meddle(random, t, c), random.one_in(2));
            let handlers = [
                Handler::None,
                Handler::Returns,
                Handler::Panics,
                Handler::Exits,
                meddle,
                meddle,
            ];
            Op::Handler(handlers[random.below(handlers.len())])
        })],
    ),
    (
        Family::Defer,
        &[(4, |_, _, _| Op::Defer), (4, |_, _, _| Op::Undefer)],
    ),
];

fn meddle(random: &mut Random, task: usize, channel: usize) -> Meddle {
    let ways = [
        Meddle::Spawn(task),
        Meddle::Insert(task),
        Meddle::Remove(task),
        Meddle::KillPending(task),
        Meddle::ThrowPending(task),
        Meddle::Bind(task),
        Meddle::TrySend(channel),
        Meddle::TryReceive(channel),
        Meddle::Yield,
        Meddle::RunAll,
    ];
    ways[random.below(ways.len())]
}

/// What one program is made of.
struct Mix {
    families: Vec<Family>,
    steps: Vec<(usize, Make)>,
    weight: usize,
    births: Vec<Birth>,
    tasks: usize,
    /// Whom half of the steps concern that concern anybody, so that several
    /// meet the same tasklet.
    favourite: usize,
    channels: usize,
    /// One step in so many catches, has a clean-up, or is trapped.
    catches: usize,
    cleanups: usize,
    trapped: usize,
}

const NEVER: usize = usize::MAX;

impl Mix {
    fn random(random: &mut Random) -> Mix {
        let mut families = Vec::new();
        let mut steps = Vec::new();
        let share = 2 + random.below(3);
        for &(family, members) in FAMILIES {
            if family == Family::Basic || random.one_in(share) {
                families.push(family);
                steps.extend_from_slice(members);
            }
        }
        let has = |family| families.contains(&family);
        let mut births = vec![Birth::Queued; 3];
        births.push(Birth::Paused);
        if has(Family::Spawn) {
            births.extend([Birth::Late; 2]);
        }
        if has(Family::Join) {
            births.extend([Birth::Joined; 5]);
        } else {
            births.push(Birth::Joined);
        }
        if has(Family::Spawn) && has(Family::Join) {
            births.extend([Birth::LateJoined; 3]);
        }
        if has(Family::Bind) {
            births.extend([Birth::Unbound; 2]);
        }
        let tasks = 2 + random.below(TASKS - 1);
        Mix {
            weight: steps.iter().map(|(weight, _)| weight).sum(),
            families,
            steps,
            births,
            tasks,
            favourite: random.below(tasks),
            channels: 1 + random.below(CHANNELS),
            catches: [2, 4, 8, NEVER][random.below(4)],
            cleanups: [3, NEVER, NEVER][random.below(3)],
            trapped: [6, NEVER, NEVER][random.below(3)],
        }
    }

    fn op(&self, random: &mut Random, me: usize) -> Op {
        let mut pick = random.below(self.weight);
        let mut steps = self.steps.iter();
        let make = loop {
            let &(weight, make) = steps.next().expect("the weights add up");
            match pick.checked_sub(weight) {
                Some(rest) => pick = rest,
                None => break make,
            }
        };
        let task = match random.below(2) {
            0 => self.favourite,
            _ => random.below(self.tasks),
        };
        let channel = random.below(self.channels);
        match make(random, task, channel) {
            // Nobody could ever end tasklets that join each other and hold
            // kills back: they join those with higher numbers, or themselves.
            Op::Join(t) if t < me && self.families.contains(&Family::Defer) => Op::Join(me),
            Op::Wait(t) if t < me && self.families.contains(&Family::Defer) => Op::Wait(me),
            // A main that waits for nobody comes to nothing but a deadlock.
            Op::Send(_) | Op::Receive(_) if me == 0 && random.one_in(3) => Op::RunAll(How::Run),
            op => op,
        }
    }

    fn step(&self, random: &mut Random, me: usize) -> Step {
        let op = self.op(random, me);
        // An error that is returned unwinds nothing.
        let cleans_up = op != Op::Fail && random.one_in(self.cleanups);
        let cleanup = cleans_up.then(|| self.op(random, me));
        Step {
            op,
            catches: random.one_in(self.catches),
            trapped: random.one_in(self.trapped),
            cleanup: cleanup.filter(|op| {
                // A second unwind would end the process; guards need a frame.
                !matches!(op, Op::Raise(_) | Op::Fail | Op::Defer | Op::Undefer)
            }),
        }
    }
}

/// A step and, now and then, what belongs before and behind it: a tasklet has
/// to be taken out of the queue to be bound, and shows what it is bound to only
/// when it is back.
fn in_full(random: &mut Random, step: Step) -> Vec<Step> {
    let Op::Bind(task) = step.op else {
        return vec![step];
    };
    let before = [Op::ThrowPending(task), Op::KillPending(task)][random.below(2)];
    let steps = [
        Step::plain(before),
        Step::plain(Op::Remove(task)),
        step,
        Step::plain(Op::Insert(task)),
    ];
    match random.below(4) {
        0 => steps.to_vec(),
        1 => steps[1..].to_vec(),
        _ => vec![step],
    }
}

impl Program {
    /// The program of a seed.
    pub(crate) fn random(seed: u64) -> Program {
        let mut random = Random::new(seed);
        let mix = Mix::random(&mut random);
        let birth = |random: &mut Random| mix.births[random.below(mix.births.len())];
        let births = (0..mix.tasks).map(|_| birth(&mut random)).collect();
        let length = match random.below(30) {
            0 => 40,
            _ => 2 + random.below(10),
        };
        let steps = (0..mix.tasks).map(|task| {
            let longer = if task == 0 { 4 } else { 0 };
            let length = 1 + random.below(length + longer);
            let steps = (0..length).map(|_| mix.step(&mut random, task));
            let steps: Vec<Step> = steps.collect();
            let in_full = steps
                .into_iter()
                .flat_map(|step| in_full(&mut random, step));
            in_full.collect()
        });
        let steps = steps.collect();
        Program {
            births,
            steps,
            flat: random.one_in(4),
            watched: random.one_in(3),
        }
    }
}
