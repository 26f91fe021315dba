//! What each step does, and how it ends once its tasklet is resumed.

use super::{Ended, Model, Progress, State, Unwinds, Wake, done, refused};
use crate::differential::program::{Op, REBIRTHS, Raise};
use crate::differential::trace::{Cause, Outcome, Why};

impl Model<'_> {
    pub(super) fn begin(&mut self, me: usize, op: Op) -> Progress {
        let value = self.value(me);
        match op {
            Op::Yield if self.forbidden.is_some() => done(),
            Op::Yield => self.go_to_next(),
            Op::Pause if self.forbidden.is_some() => done(),
            Op::Pause if me == 0 && self.ring.len() == 1 => done(),
            Op::Pause => self.leave(State::Paused),
            Op::Send(channel) => self.send(me, channel, Ok(value)),
            Op::SendError(channel) => self.send(me, channel, Err(value)),
            Op::Receive(channel) => self.receive(me, channel),
            Op::TrySend(channel) => self.try_send(me, channel),
            Op::TryReceive(channel) => self.try_receive(me, channel),
            Op::Iterate(channel, most) => self.iterate(me, channel, most),
            Op::RunAll => self.run_all(me),
            Op::Preference(channel, sign) => {
                self.channels[channel].preference = sign;
                done()
            }
            Op::ScheduleAll(channel, on) => {
                self.channels[channel].schedule_all = on;
                done()
            }
            Op::Close(channel) => {
                self.channels[channel].closing = true;
                done()
            }
            Op::Open(channel) => {
                self.channels[channel].closing = false;
                done()
            }
            Op::BlockTrap(on) => {
                self.tasks[me].block_trap = on;
                done()
            }
            Op::Handler(handler) => {
                self.handler = handler;
                done()
            }
            Op::Defer => {
                self.tasks[me].guards += 1;
                done()
            }
            Op::Undefer if self.tasks[me].guards == 0 => Ended(Outcome::Nothing),
            Op::Undefer => {
                self.tasks[me].guards -= 1;
                done()
            }
            Op::Look(channel) => self.look(channel),
            Op::Raise(Raise::Exit) => Unwinds(Cause::Exit),
            Op::Raise(Raise::Panic) => Unwinds(Cause::Panic(value)),
            Op::Raise(Raise::Error) | Op::Fail => Unwinds(Cause::Error(value)),
            Op::Spawn(task)
            | Op::Insert(task)
            | Op::Remove(task)
            | Op::Run(task)
            | Op::Switch(task)
            | Op::Kill(task)
            | Op::KillPending(task)
            | Op::Throw(task)
            | Op::ThrowPending(task)
            | Op::Bind(task)
            | Op::Join(task)
            | Op::Wait(task)
            | Op::Detach(task) => self.begin_on(me, op, task),
        }
    }

    /// A step that concerns another tasklet.
    fn begin_on(&mut self, me: usize, op: Op, task: usize) -> Progress {
        let state = self.tasks[task].state;
        match op {
            Op::Spawn(_) if state == State::Unborn && task < self.program.tasks() => {
                self.bring_forth(task);
                done()
            }
            Op::Spawn(_) => Ended(Outcome::Nothing),
            Op::Bind(_) if self.tasks[task].rebirths == REBIRTHS => Ended(Outcome::Nothing),
            _ if state == State::Unborn => Ended(Outcome::Nothing),
            Op::Insert(_) => match state {
                State::Paused => {
                    self.append(task);
                    done()
                }
                State::Runnable => done(),
                State::Blocked => refused(Why::Blocked),
                _ => refused(Why::Dead),
            },
            Op::Remove(_) => match state {
                _ if task == me => refused(Why::Current),
                State::Blocked => refused(Why::Blocked),
                State::Runnable => {
                    self.ring.retain(|&t| t != task);
                    self.tasks[task].state = State::Paused;
                    done()
                }
                _ => done(),
            },
            Op::Run(_) | Op::Switch(_) => self.run(me, task, matches!(op, Op::Switch(_))),
            Op::Kill(_) => self.signal(me, task, Wake::Killed, true),
            Op::KillPending(_) => self.signal(me, task, Wake::Killed, false),
            Op::Throw(_) => self.signal(me, task, Wake::Thrown(self.value(me)), true),
            Op::ThrowPending(_) => self.signal(me, task, Wake::Thrown(self.value(me)), false),
            Op::Bind(_) => self.bind(me, task),
            Op::Join(_) => self.join(me, task),
            Op::Wait(_) => self.wait(me, task),
            Op::Detach(_) => self.detach(task),
            _ => unreachable!("{op:?} concerns nobody else"),
        }
    }

    /// `run` and `switch` of a tasklet: rules 11 to 14.
    fn run(&mut self, me: usize, task: usize, leaves: bool) -> Progress {
        match self.tasks[task].state {
            _ if task == me => return done(),
            State::Blocked => return refused(Why::Blocked),
            State::Dead | State::Unbound | State::Unborn => return refused(Why::Dead),
            _ if let Some(why) = self.forbidden => return refused(why),
            State::Paused => self.append(task),
            State::Runnable => {}
        }
        if leaves {
            self.ring.pop_front();
            self.tasks[me].state = State::Paused;
        }
        self.go(task)
    }

    /// `run` of everybody: rules 16 to 20.
    fn run_all(&mut self, me: usize) -> Progress {
        if let Some(why) = self.forbidden {
            return refused(why);
        }
        if self.ring.len() > 1 {
            self.runners.push(me);
            return self.leave(State::Paused);
        }
        self.release(me);
        match self.tasks[me].wake.take() {
            Some(Wake::Thrown(value)) => Unwinds(Cause::Error(value)),
            Some(_) => Unwinds(Cause::Exit),
            None => self.report(),
        }
    }

    fn report(&self) -> Progress {
        let (blocked, paused) = (self.count(State::Blocked), self.count(State::Paused));
        Ended(Outcome::Drained(blocked, paused))
    }

    /// The step of a tasklet that was suspended in it, as far as it goes now.
    pub(super) fn resume(&mut self, me: usize, op: Op) -> Progress {
        if op == Op::RunAll {
            self.leave_runners(me);
        }
        if let Op::Wait(task) = op {
            self.tasks[task].waiting -= 1;
        }
        let wake = self.tasks[me].wake.take();
        let returns_failures = matches!(
            op,
            Op::RunAll | Op::Run(_) | Op::Switch(_) | Op::Kill(_) | Op::Throw(_)
        );
        match wake {
            Some(Wake::Raised(cause)) if returns_failures => {
                return refused(Why::Uncaught(cause));
            }
            Some(Wake::Killed) => return self.unwind(me, op, Cause::Exit),
            Some(Wake::Raised(cause)) => return self.unwind(me, op, cause),
            _ => {}
        }
        match (op, wake) {
            (Op::Send(_) | Op::SendError(_) | Op::TrySend(_), wake) => self.sent(me, wake),
            (Op::Receive(_) | Op::TryReceive(_), wake) => self.got(me, wake),
            (Op::Iterate(channel, most), wake) => {
                let item = self.got(me, wake);
                match self.item(me, item) {
                    Some(progress) => progress,
                    None => self.iterate(me, channel, most),
                }
            }
            (Op::Join(task), wake) => self.joined(task, wake),
            (Op::Wait(_), wake) => self.waited(wake),
            (_, Some(Wake::Thrown(error))) => Unwinds(Cause::Error(error)),
            (Op::RunAll, _) => self.report(),
            _ => done(),
        }
    }

    fn unwind(&mut self, me: usize, op: Op, cause: Cause) -> Progress {
        self.tasks[me].parcel = None;
        if let Op::Join(task) = op {
            self.give_up_join(task);
        }
        Unwinds(cause)
    }
}
