//! What the rules say a program does, worked out on plain data.
//!
//! The ring is a list whose first member is current. A tasklet that is
//! suspended remembers nothing but which step it is in; what reached it
//! meanwhile is in `wake` and `parcel`, and the step's result follows from
//! those when it is its turn.

use super::program::{Birth, CHANNELS, Op, Program};
use std::collections::VecDeque;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Unborn,
    Paused,
    Runnable,
    Blocked,
    Dead,
}

/// What reached a suspended tasklet besides what it waited for.
#[derive(Clone, Debug)]
enum Wake {
    Killed,
    Thrown(String),
    Raised(String),
    Deadlock,
}

/// A value or an error on its way.
type Parcel = Result<String, String>;

struct Task {
    state: State,
    step: usize,
    started: bool,
    /// In the middle of its step.
    suspended: bool,
    block_trap: bool,
    wake: Option<Wake>,
    parcel: Option<Parcel>,
}

#[derive(Default)]
struct Channel {
    waiting: VecDeque<usize>,
    senders: bool,
    preference: i32,
    schedule_all: bool,
    closing: bool,
}

/// How far a step has come.
enum Progress {
    Done(String),
    /// Another tasklet is current now, or this one again.
    Suspended,
    /// The tasklet unwinds: with an exit, or with an error.
    Unwinds(Option<String>),
}

use Progress::{Done, Suspended, Unwinds};

fn ok() -> Progress {
    Done("ok".into())
}

fn done(text: &str) -> Progress {
    Done(text.into())
}

pub(crate) struct Model<'a> {
    program: &'a Program,
    tasks: Vec<Task>,
    channels: [Channel; CHANNELS],
    ring: VecDeque<usize>,
    /// Callers inside `run`, innermost last.
    runners: Vec<usize>,
    trace: Vec<String>,
}

impl<'a> Model<'a> {
    /// The notes that running `program` makes.
    pub(crate) fn trace(program: &'a Program) -> Vec<String> {
        let tasks = program
            .births
            .iter()
            .enumerate()
            .map(|(index, birth)| Task {
                state: match birth {
                    _ if index == 0 => State::Runnable,
                    Birth::Queued => State::Runnable,
                    Birth::Paused => State::Paused,
                    Birth::Spawned => State::Unborn,
                },
                step: 0,
                started: index == 0,
                suspended: false,
                block_trap: false,
                wake: None,
                parcel: None,
            });
        let tasks: Vec<Task> = tasks.collect();
        let queued = (0..tasks.len()).filter(|&t| tasks[t].state == State::Runnable);
        let mut model = Model {
            program,
            ring: queued.collect(),
            tasks,
            channels: std::array::from_fn(|_| Channel {
                preference: -1,
                ..Channel::default()
            }),
            runners: Vec::new(),
            trace: Vec::new(),
        };
        while model.advance() {}
        model.trace
    }

    /// One step of whoever is current; false when main has come to its end.
    fn advance(&mut self) -> bool {
        let me = self.ring[0];
        if !self.tasks[me].started {
            self.tasks[me].started = true;
            if let Some(wake) = self.tasks[me].wake.take() {
                let error = match wake {
                    Wake::Thrown(error) => Some(error),
                    _ => None,
                };
                self.end(me, error);
                return true;
            }
        }
        let Some(&op) = self.program.steps[me].get(self.tasks[me].step) else {
            if me == 0 {
                return false;
            }
            self.end(me, None);
            return true;
        };
        let progress = if std::mem::take(&mut self.tasks[me].suspended) {
            self.resume(me, op)
        } else {
            self.begin(me, op)
        };
        match progress {
            Done(result) => self.note(me, op, &result),
            Suspended => self.tasks[me].suspended = true,
            Unwinds(error) if me == 0 => {
                let error = error.expect("main is never killed");
                self.note(me, op, &format!("unwound by {error}"));
            }
            Unwinds(error) => self.end(me, error),
        }
        true
    }

    fn note(&mut self, me: usize, op: Op, result: &str) {
        self.tasks[me].step += 1;
        let balances = [0, 1].map(|c| self.balance(c));
        let count = self.ring.len();
        self.trace
            .push(format!("{me} {op:?}: {result} [{count} {balances:?}]"));
    }

    fn balance(&self, channel: usize) -> isize {
        let channel = &self.channels[channel];
        let count = channel.waiting.len() as isize;
        if channel.senders { count } else { -count }
    }

    // The ring.

    fn append(&mut self, task: usize) {
        self.tasks[task].state = State::Runnable;
        self.ring.push_back(task);
    }

    fn insert_after_current(&mut self, task: usize) {
        self.tasks[task].state = State::Runnable;
        self.ring.insert(1, task);
    }

    fn go(&mut self, task: usize) -> Progress {
        let position = self.ring.iter().position(|&t| t == task);
        self.ring
            .rotate_left(position.expect("a member of the ring"));
        Suspended
    }

    fn go_to_next(&mut self) -> Progress {
        self.ring.rotate_left(1);
        Suspended
    }

    /// The current tasklet leaves the ring in the given state.
    fn leave(&mut self, state: State) -> Progress {
        let me = self.ring.pop_front().expect("somebody is current");
        self.tasks[me].state = state;
        if !self.ring.is_empty() {
            return Suspended;
        }
        let main_is_paused = self.tasks[0].state == State::Paused && me != 0;
        if let Some(&runner) = self.runners.last() {
            self.append(runner);
        } else if main_is_paused {
            self.append(0);
        } else {
            let victim = if state == State::Dead { 0 } else { me };
            self.post(victim, Wake::Deadlock);
        }
        Suspended
    }

    fn post(&mut self, task: usize, wake: Wake) {
        self.tasks[task].wake = Some(wake);
        match self.tasks[task].state {
            State::Blocked => {
                self.unlink(task);
                self.append(task);
            }
            State::Paused => self.append(task),
            _ => {}
        }
    }

    fn unlink(&mut self, task: usize) {
        for channel in &mut self.channels {
            channel.waiting.retain(|&t| t != task);
        }
    }

    /// The current tasklet ends, with an error or without.
    fn end(&mut self, me: usize, error: Option<String>) {
        self.trace.push(format!("{me} gone"));
        if let Some(error) = error {
            self.raise(me, error);
        }
        self.leave(State::Dead);
    }

    /// The wake target is to run as soon as `me` has left.
    fn raise(&mut self, me: usize, error: String) {
        let target = self.runners.last().copied().unwrap_or(0);
        self.tasks[target].wake = Some(Wake::Raised(error));
        match self.tasks[target].state {
            State::Blocked => {
                self.unlink(target);
                self.insert_after_current(target);
            }
            State::Paused => self.insert_after_current(target),
            _ => {
                self.ring.pop_front();
                self.go(target);
                self.ring.push_front(me);
            }
        }
    }

    // Steps.

    fn begin(&mut self, me: usize, op: Op) -> Progress {
        match op {
            Op::Yield => self.go_to_next(),
            Op::Pause if me == 0 && self.ring.len() == 1 => ok(),
            Op::Pause => self.leave(State::Paused),
            Op::Send(channel) => self.send(me, channel, Ok(self.value(me))),
            Op::SendError(channel) => self.send(me, channel, Err(self.value(me))),
            Op::Receive(channel) => self.receive(me, channel),
            Op::TrySend(channel) => match self.balance(channel) {
                ..0 => self.send(me, channel, Ok(self.value(me))),
                _ if self.channels[channel].closing => done("Closed"),
                _ => done("WouldBlock"),
            },
            Op::TryReceive(channel) => match self.balance(channel) {
                1.. => self.receive(me, channel),
                _ if self.channels[channel].closing => done("Closed"),
                _ => done("WouldBlock"),
            },
            Op::RunAll if self.ring.len() == 1 => Done(self.report()),
            Op::RunAll => {
                self.runners.push(me);
                self.leave(State::Paused)
            }
            Op::Preference(channel, sign) => {
                self.channels[channel].preference = sign;
                ok()
            }
            Op::ScheduleAll(channel, on) => {
                self.channels[channel].schedule_all = on;
                ok()
            }
            Op::Close(channel) => {
                self.channels[channel].closing = true;
                ok()
            }
            Op::Open(channel) => {
                self.channels[channel].closing = false;
                ok()
            }
            Op::BlockTrap(on) => {
                self.tasks[me].block_trap = on;
                ok()
            }
            Op::Fail => Unwinds(Some(format!("F{me}"))),
            Op::Spawn(task)
            | Op::Insert(task)
            | Op::Remove(task)
            | Op::Run(task)
            | Op::Switch(task)
            | Op::Kill(task)
            | Op::KillPending(task)
            | Op::Throw(task)
            | Op::ThrowPending(task) => self.begin_on(me, op, task),
        }
    }

    /// A step that concerns another tasklet.
    fn begin_on(&mut self, me: usize, op: Op, task: usize) -> Progress {
        let state = self.tasks[task].state;
        match (op, state) {
            (Op::Spawn(_), State::Unborn) => {
                self.append(task);
                ok()
            }
            (Op::Spawn(_), _) | (_, State::Unborn) => done("none"),
            (Op::Insert(_), State::Paused) => {
                self.append(task);
                ok()
            }
            (Op::Insert(_), State::Runnable) => ok(),
            (Op::Remove(_), _) if task == me => done("Current"),
            (Op::Remove(_), State::Runnable) => {
                self.ring.retain(|&t| t != task);
                self.tasks[task].state = State::Paused;
                ok()
            }
            (Op::Remove(_), State::Paused | State::Dead) => ok(),
            (Op::Run(_) | Op::Switch(_), _) if task == me => ok(),
            (Op::Run(_) | Op::Switch(_), State::Paused | State::Runnable) => {
                if state == State::Paused {
                    self.append(task);
                }
                if let Op::Switch(_) = op {
                    self.ring.pop_front();
                    self.tasks[me].state = State::Paused;
                }
                self.go(task)
            }
            (Op::Kill(_) | Op::KillPending(_), State::Dead) => ok(),
            (Op::Kill(_) | Op::KillPending(_), _) if task == 0 => done("Main"),
            (Op::Kill(_) | Op::KillPending(_), _) if task == me => Unwinds(None),
            (Op::Kill(_), _) => {
                self.post(task, Wake::Killed);
                self.go(task)
            }
            (Op::KillPending(_), _) => {
                self.post(task, Wake::Killed);
                ok()
            }
            (_, State::Dead) => done("Dead"),
            (Op::Throw(_) | Op::ThrowPending(_), _) if task == me => Unwinds(Some(self.value(me))),
            (Op::Throw(_), _) => {
                self.post(task, Wake::Thrown(self.value(me)));
                self.go(task)
            }
            (Op::ThrowPending(_), _) => {
                self.post(task, Wake::Thrown(self.value(me)));
                ok()
            }
            (_, State::Blocked) => done("Blocked"),
            _ => unreachable!("{op:?} on a tasklet that is {state:?}"),
        }
    }

    /// A name for what a step sends or throws.
    fn value(&self, me: usize) -> String {
        format!("v{me}.{}", self.tasks[me].step)
    }

    /// Whether the actor may wait in a channel.
    fn refusal(&self, me: usize, channel: usize) -> Option<&'static str> {
        if self.tasks[me].block_trap {
            return Some("BlockTrap");
        }
        self.channels[channel].closing.then_some("Closed")
    }

    /// Queues the partner of a hand-over; `first` if it is the preferred one.
    fn hand_over(&mut self, channel: usize, partner: usize, first: bool) -> Option<Progress> {
        if self.channels[channel].schedule_all {
            self.append(partner);
            Some(self.go_to_next())
        } else if first {
            self.insert_after_current(partner);
            Some(self.go_to_next())
        } else {
            self.append(partner);
            None
        }
    }

    fn wait_in(&mut self, me: usize, channel: usize, senders: bool) -> Progress {
        self.channels[channel].senders = senders;
        self.channels[channel].waiting.push_back(me);
        self.leave(State::Blocked)
    }

    fn send(&mut self, me: usize, channel: usize, parcel: Parcel) -> Progress {
        if self.balance(channel) < 0 {
            let partner = self.channels[channel].waiting.pop_front();
            let partner = partner.expect("a receiver waits");
            self.tasks[partner].parcel = Some(parcel);
            let first = self.channels[channel].preference == -1;
            let switched = self.hand_over(channel, partner, first);
            return switched.unwrap_or_else(|| done("sent"));
        }
        if let Some(refusal) = self.refusal(me, channel) {
            return Done(format!("{refusal}, back: {}", parcel.is_ok()));
        }
        self.tasks[me].parcel = Some(parcel);
        self.wait_in(me, channel, true)
    }

    fn receive(&mut self, me: usize, channel: usize) -> Progress {
        if self.balance(channel) > 0 {
            let partner = self.channels[channel].waiting.pop_front();
            let partner = partner.expect("a sender waits");
            self.tasks[me].parcel = self.tasks[partner].parcel.take();
            let first = self.channels[channel].preference == 1;
            if let Some(switched) = self.hand_over(channel, partner, first) {
                return switched;
            }
            return self.received(me);
        }
        if let Some(refusal) = self.refusal(me, channel) {
            return done(refusal);
        }
        self.wait_in(me, channel, false)
    }

    fn received(&mut self, me: usize) -> Progress {
        match self.tasks[me].parcel.take() {
            Some(Ok(value)) => Done(value),
            Some(Err(error)) => Done(format!("Thrown {error}")),
            None => unreachable!("a receiver was woken without anything"),
        }
    }

    /// The turn of a tasklet that was suspended in `op` has come.
    fn resume(&mut self, me: usize, op: Op) -> Progress {
        if let Op::RunAll = op {
            self.leave_runners(me);
        }
        let wake = self.tasks[me].wake.take();
        match (op, wake) {
            (_, Some(Wake::Killed)) => {
                self.tasks[me].parcel = None;
                Unwinds(None)
            }
            (
                Op::RunAll | Op::Run(_) | Op::Switch(_) | Op::Kill(_) | Op::Throw(_),
                Some(Wake::Raised(error)),
            ) => Done(format!("Uncaught {error}")),
            (_, Some(Wake::Raised(error))) => {
                self.tasks[me].parcel = None;
                Unwinds(Some(error))
            }
            (Op::Send(_) | Op::SendError(_) | Op::TrySend(_), wake) => {
                let back = matches!(self.tasks[me].parcel.take(), Some(Ok(_)));
                match wake {
                    None => done("sent"),
                    Some(Wake::Thrown(error)) => Done(format!("Thrown {error}, back: {back}")),
                    Some(_) => Done(format!("Deadlock, back: {back}")),
                }
            }
            (Op::Receive(_) | Op::TryReceive(_), None) => self.received(me),
            (Op::Receive(_) | Op::TryReceive(_), wake) => {
                self.tasks[me].parcel = None;
                match wake {
                    Some(Wake::Thrown(error)) => Done(format!("Thrown {error}")),
                    _ => done("Deadlock"),
                }
            }
            (_, Some(Wake::Thrown(error))) => Unwinds(Some(error)),
            (Op::RunAll, _) => Done(self.report()),
            _ => ok(),
        }
    }

    /// A call of `run` returns: those inside it return as well, after it.
    fn leave_runners(&mut self, me: usize) {
        let Some(position) = self.runners.iter().rposition(|&t| t == me) else {
            // Taken along by one further out.
            return;
        };
        let above = self.runners.split_off(position);
        for task in above.into_iter().skip(1) {
            if self.tasks[task].state == State::Paused {
                self.append(task);
            }
        }
    }

    fn report(&self) -> String {
        let count = |state| self.tasks.iter().filter(|task| task.state == state).count();
        format!("{}+{}", count(State::Blocked), count(State::Paused))
    }
}
