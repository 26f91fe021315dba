//! The rules as plain data: a ring of numbers, and queues of numbers.
//!
//! ```text
//!   ring: the one that runs, then the others    lists: who waits, oldest first
//!   a tasklet: its place in its steps, what wakes it, what it resumes into
//! ```

use super::program::{Arm, Note, Out, Program, Seen, Step, Trace};
use greenling::Preference;
use std::collections::VecDeque;

/// What `select` throws dice with; the library has the same numbers in every
/// run, so those of a thread follow from how often it has thrown them.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn of_a_new_thread() -> Chance {
        Chance(0x9e37_79b9_7f4a_7c15)
    }

    fn below(&mut self, count: usize) -> usize {
        if count < 2 {
            return 0;
        }
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (((self.0 >> 32) * count as u64) >> 32) as usize
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wake {
    Notified,
    Killed,
    Thrown,
}

/// Where a tasklet goes on.
#[derive(Clone)]
enum Resume {
    /// With its next step, or its first.
    Step,
    Yielded,
    /// A plain operation, or that of an arm, has taken place, and it has given
    /// way after it.
    GaveWay(Option<usize>, Out),
    /// It waits with a plain operation, or with its arms.
    Plain,
    Arms,
}

/// An operation of a select.
#[derive(Clone)]
struct Op {
    arm: Arm,
    value: Option<u32>,
    /// It took place in a select that failed.
    kept: Option<Out>,
}

struct Task {
    steps: Vec<Step>,
    at: usize,
    resume: Resume,
    wake: Wake,
    blocked: bool,
    alive: bool,
    started: bool,
    block_trap: bool,
    /// The select in progress, and how often it is still to be done.
    ops: Vec<Op>,
    again: usize,
    /// What a partner has done while it waited: for which arm, with what.
    done: Option<(usize, Out)>,
    /// The value of a plain send.
    value: u32,
}

/// A list: who waits, with which arm (zero for plain operations).
type List = VecDeque<(usize, usize)>;

struct Channel {
    preference: Preference,
    schedule_all: bool,
    closing: bool,
    sends: bool,
    list: List,
}

pub(super) struct Model<'c> {
    chance: &'c mut Chance,
    ring: VecDeque<usize>,
    tasks: Vec<Task>,
    channels: Vec<Channel>,
    /// Waiters of the token, and of each tasklet's end.
    token: List,
    cancelled: bool,
    joiners: Vec<List>,
    notes: Vec<Note>,
    numbers: u32,
}

/// How an attempt has ended.
enum Attempt {
    /// It would wait.
    Waits,
    Done(Out),
    /// It has taken place, and gives way before it returns.
    GivesWay(Out),
}

pub(super) fn trace(program: &Program, chance: &mut Chance) -> Trace {
    let task = |steps: &Vec<Step>| Task {
        steps: steps.clone(),
        at: 0,
        resume: Resume::Step,
        wake: Wake::Notified,
        blocked: false,
        alive: true,
        started: false,
        block_trap: false,
        ops: Vec::new(),
        again: 0,
        done: None,
        value: 0,
    };
    let channels = program.channels.iter().map(|setting| Channel {
        preference: setting.preference,
        schedule_all: setting.schedule_all,
        closing: false,
        sends: false,
        list: VecDeque::new(),
    });
    let mut model = Model {
        chance,
        ring: (0..program.tasks.len()).collect(),
        tasks: program.tasks.iter().map(task).collect(),
        channels: channels.collect(),
        token: VecDeque::new(),
        cancelled: false,
        joiners: program.tasks.iter().map(|_| VecDeque::new()).collect(),
        notes: Vec::new(),
        numbers: 0,
    };
    while let Some(&current) = model.ring.front() {
        model.go_on(current);
    }
    let balance = |channel: &Channel| {
        let count = channel.list.len() as isize;
        if channel.sends { count } else { -count }
    };
    Trace {
        balances: model.channels.iter().map(balance).collect(),
        notes: model.notes,
    }
}

impl Model<'_> {
    fn note(&mut self, seen: Seen) {
        self.notes.push((self.ring[0], seen));
    }

    fn number(&mut self) -> u32 {
        self.numbers += 1;
        self.numbers - 1
    }

    /// The current tasklet goes on until it gives way, waits or ends.
    fn go_on(&mut self, me: usize) {
        let wake = std::mem::replace(&mut self.tasks[me].wake, Wake::Notified);
        let resume = std::mem::replace(&mut self.tasks[me].resume, Resume::Step);
        if !std::mem::replace(&mut self.tasks[me].started, true) && wake != Wake::Notified {
            return self.end(me, None);
        }
        let thrown = wake == Wake::Thrown;
        let done = self.tasks[me].done.take();
        match (resume, wake) {
            (_, Wake::Killed) | (Resume::Yielded, Wake::Thrown) => {
                return self.end(me, Some(Seen::Unwound));
            }
            (Resume::Step, _) => {}
            (Resume::Yielded, _) => self.finish_step(me, Out::Over),
            (Resume::GaveWay(arm, out), _) => {
                let out = if thrown { Out::Thrown } else { out };
                match arm {
                    None => self.finish_step(me, out),
                    Some(arm) => self.selected(me, arm, out),
                }
            }
            (Resume::Plain, _) => {
                let out = done.filter(|_| !thrown).map_or(Out::Thrown, |(_, out)| out);
                self.finish_step(me, out);
            }
            (Resume::Arms, _) => {
                // A value that has come is lost by the throw; one that has gone
                // is gone.
                match (done, thrown) {
                    (Some((arm, out)), false) => self.selected(me, arm, out),
                    (Some((arm, Out::Sent)), true) => {
                        self.tasks[me].ops[arm].kept = Some(Out::Sent);
                        self.failed(me, Out::Thrown);
                    }
                    (_, true) => self.failed(me, Out::Thrown),
                    (None, false) => {}
                }
            }
        }
        // As long as it is not interrupted.
        while self.tasks[me].alive {
            if !self.step(me) {
                return;
            }
        }
    }

    /// Does the next step; false if the tasklet does not run on.
    fn step(&mut self, me: usize) -> bool {
        let task = &mut self.tasks[me];
        let Some(step) = task.steps.get(task.at).cloned() else {
            self.end(me, Some(Seen::Ended));
            return false;
        };
        match step {
            Step::Send(channel) => {
                self.tasks[me].value = self.number();
                return self.plain(me, Arm::Send(channel), channel);
            }
            Step::Receive(channel) => return self.plain(me, Arm::Receive(channel), channel),
            Step::Select(arms, times, waits) => {
                if self.tasks[me].again == 0 {
                    self.begin(me, &arms, times);
                }
                return self.select(me, waits);
            }
            Step::Yield => {
                self.tasks[me].resume = Resume::Yielded;
                self.ring.rotate_left(1);
                return false;
            }
            Step::Kill(target) | Step::Throw(target) => {
                let kills = matches!(step, Step::Kill(_));
                if !self.signal(me, target, kills) {
                    return false;
                }
            }
            Step::Close(channel) => self.channels[channel].closing = true,
            Step::Open(channel) => self.channels[channel].closing = false,
            Step::BlockTrap(on) => self.tasks[me].block_trap = on,
            Step::Cancel => {
                self.cancelled = true;
                while let Some(&(waiter, _)) = self.token.front() {
                    self.wake(waiter);
                }
            }
        }
        self.tasks[me].at += 1;
        true
    }

    fn finish_step(&mut self, me: usize, out: Out) {
        let at = self.tasks[me].at;
        self.note(Seen::Step(at, out));
        self.tasks[me].at += 1;
    }

    fn plain(&mut self, me: usize, arm: Arm, channel: usize) -> bool {
        let value = Some(self.tasks[me].value);
        match self.attempt(me, arm, value) {
            Attempt::Done(Out::Closed) if self.tasks[me].block_trap => {
                self.finish_step(me, Out::BlockTrap);
            }
            Attempt::Done(out) => self.finish_step(me, out),
            Attempt::GivesWay(out) => {
                self.tasks[me].resume = Resume::GaveWay(None, out);
                return false;
            }
            Attempt::Waits if self.tasks[me].block_trap => self.finish_step(me, Out::BlockTrap),
            Attempt::Waits => {
                self.enqueue(me, 0, arm, channel);
                self.block(me, Resume::Plain);
                return false;
            }
        }
        true
    }

    fn begin(&mut self, me: usize, arms: &[Arm], times: usize) {
        let ops = arms.iter().map(|&arm| Op {
            arm,
            value: matches!(arm, Arm::Send(_)).then(|| self.number()),
            kept: None,
        });
        let ops = ops.collect();
        self.tasks[me].ops = ops;
        self.tasks[me].again = times;
    }

    fn select(&mut self, me: usize, waits: bool) -> bool {
        let count = self.tasks[me].ops.len();
        let mut order: Vec<_> = (0..count).collect();
        for next in 0..count {
            order.swap(next, next + self.chance.below(count - next));
            let index = order[next];
            let Op { arm, value, kept } = self.tasks[me].ops[index].clone();
            if let Some(out) = kept {
                self.tasks[me].ops[index].kept = None;
                self.selected(me, index, out);
                return true;
            }
            match self.attempt(me, arm, value) {
                Attempt::Waits => continue,
                Attempt::Done(out) => {
                    self.tasks[me].ops[index].value = None;
                    self.selected(me, index, out);
                    return true;
                }
                Attempt::GivesWay(out) => {
                    self.tasks[me].ops[index].value = None;
                    self.tasks[me].resume = Resume::GaveWay(Some(index), out);
                    return false;
                }
            }
        }
        if !waits {
            let at = self.tasks[me].at;
            self.note(Seen::Default(at));
            self.next_round(me);
            return true;
        }
        let on_channels = |op: &Op| matches!(op.arm, Arm::Send(_) | Arm::Receive(_));
        if self.tasks[me].block_trap && self.tasks[me].ops.iter().any(on_channels) {
            self.failed(me, Out::BlockTrap);
            return true;
        }
        for index in 0..count {
            let Op { arm, value, .. } = self.tasks[me].ops[index].clone();
            match arm {
                Arm::Send(_) if value.is_none() => {}
                Arm::Send(channel) | Arm::Receive(channel) => {
                    self.enqueue(me, index, arm, channel);
                }
                Arm::Ending(task) => self.joiners[task].push_back((me, index)),
                Arm::Cancelling => self.token.push_back((me, index)),
                Arm::Due => unreachable!("it is due"),
            }
        }
        self.block(me, Resume::Arms);
        false
    }

    fn selected(&mut self, me: usize, index: usize, out: Out) {
        self.tasks[me].ops[index].value = None;
        let at = self.tasks[me].at;
        self.note(Seen::Selected(at, index, out));
        self.next_round(me);
    }

    fn failed(&mut self, me: usize, out: Out) {
        let at = self.tasks[me].at;
        self.note(Seen::Failed(at, out));
        self.next_round(me);
    }

    fn next_round(&mut self, me: usize) {
        self.tasks[me].again -= 1;
        if self.tasks[me].again == 0 {
            let task = &mut self.tasks[me];
            let kept = |op: Op| op.value.filter(|_| op.kept.is_none());
            let left = std::mem::take(&mut task.ops).into_iter().filter_map(kept);
            let seen = Seen::Left(task.at, left.collect());
            task.at += 1;
            self.note(seen);
        }
    }

    /// Does what an operation can do at once.
    fn attempt(&mut self, me: usize, arm: Arm, value: Option<u32>) -> Attempt {
        let ready = |ready: bool| {
            if ready {
                Attempt::Done(Out::Over)
            } else {
                Attempt::Waits
            }
        };
        let (channel, sends) = match arm {
            Arm::Ending(task) => return ready(!self.tasks[task].alive),
            Arm::Cancelling => return ready(self.cancelled),
            Arm::Due => return ready(true),
            Arm::Send(_) if value.is_none() => return Attempt::Waits,
            Arm::Send(channel) => (channel, true),
            Arm::Receive(channel) => (channel, false),
        };
        let Channel {
            preference,
            schedule_all,
            closing,
            ..
        } = self.channels[channel];
        let there = &self.channels[channel];
        let Some(&(partner, place)) = there.list.front().filter(|_| there.sends != sends) else {
            return if closing {
                Attempt::Done(Out::Closed)
            } else {
                Attempt::Waits
            };
        };
        let out = if sends {
            let got = Out::Got(value.expect("there is a value to send"));
            self.tasks[partner].done = Some((place, got));
            Out::Sent
        } else {
            let task = &mut self.tasks[partner];
            let value = match task.resume {
                Resume::Plain => Some(task.value),
                _ => task.ops[place].value.take(),
            };
            task.done = Some((place, Out::Sent));
            Out::Got(value.expect("there is a value to take"))
        };
        self.wake(partner);
        let partner_first = match preference {
            Preference::Sender => !sends,
            Preference::Receiver => sends,
            Preference::Neither => false,
        };
        if schedule_all {
            self.ring.rotate_left(1);
        } else if partner_first {
            // From the end of the ring right behind the current one.
            let partner = self.ring.pop_back().expect("it was just woken");
            self.ring.pop_front();
            self.ring.push_front(partner);
            self.ring.push_back(me);
        } else {
            return Attempt::Done(out);
        }
        Attempt::GivesWay(out)
    }

    fn enqueue(&mut self, me: usize, index: usize, arm: Arm, channel: usize) {
        let channel = &mut self.channels[channel];
        channel.sends = matches!(arm, Arm::Send(_));
        channel.list.push_back((me, index));
    }

    fn block(&mut self, me: usize, resume: Resume) {
        self.tasks[me].resume = resume;
        self.tasks[me].blocked = true;
        self.ring.pop_front();
    }

    /// Takes a blocked tasklet off every list, and queues it.
    fn wake(&mut self, task: usize) {
        let lists = self.channels.iter_mut().map(|channel| &mut channel.list);
        for list in lists.chain(&mut self.joiners).chain([&mut self.token]) {
            list.retain(|&(waiter, _)| waiter != task);
        }
        self.tasks[task].blocked = false;
        self.ring.push_back(task);
    }

    /// Kills or throws; false if that was the end of the current tasklet.
    fn signal(&mut self, me: usize, target: usize, kills: bool) -> bool {
        if !self.tasks[target].alive {
            return true;
        }
        if target == me {
            self.end(me, Some(Seen::Unwound));
            return false;
        }
        self.tasks[target].wake = if kills { Wake::Killed } else { Wake::Thrown };
        if self.tasks[target].blocked {
            self.wake(target);
        }
        true
    }

    fn end(&mut self, me: usize, seen: Option<Seen>) {
        if let Some(seen) = seen {
            self.note(seen);
        }
        self.tasks[me].alive = false;
        while let Some(&(joiner, _)) = self.joiners[me].front() {
            self.wake(joiner);
        }
        self.ring.pop_front();
    }
}
