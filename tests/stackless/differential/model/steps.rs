//! What each step does, and how it ends once its tasklet is resumed.

use super::{Budget, Ended, Model, Progress, State, Unwinds, Wake, done, refused};
use crate::differential::program::{How, Op, REBIRTHS, Raise};
use crate::differential::trace::{Cause, NOBODY, Outcome, STOP, Why};

impl Model<'_> {
    pub(super) fn begin(&mut self, me: usize, op: Op) -> Progress {
        let value = self.value(me);
        self.tasks[me].items = 0;
        match op {
            Op::Yield | Op::YieldWith | Op::Pause | Op::PauseWith if self.forbidden.is_some() => {
                self.gave_way(me, op)
            }
            Op::Yield | Op::YieldWith => self.go_to_next(),
            Op::Pause | Op::PauseWith if me == 0 && self.ring.len() == 1 => self.gave_way(me, op),
            Op::Pause | Op::PauseWith => self.leave(State::Paused),
            Op::SendSequence(channel, count) => self.sequence(me, channel, count),
            Op::SendStop(channel) => self.send(me, channel, Err(STOP)),
            Op::Clear(channel) => {
                self.tasks[me].targets = self.channels[channel].waiting.clone();
                self.clear(me, channel)
            }
            Op::Atomic(on) => {
                self.tasks[me].atomic = on;
                done()
            }
            Op::Send(channel) => self.send(me, channel, Ok(value)),
            Op::SendError(channel) => self.send(me, channel, Err(value)),
            Op::Receive(channel) => self.receive(me, channel),
            Op::TrySend(channel) => self.try_send(me, channel),
            Op::TryReceive(channel) => self.try_receive(me, channel),
            Op::Iterate(channel, most) => self.iterate(me, channel, most),
            Op::RunAll(How::Run | How::Blocking) => self.run_all(me, None),
            // A turn waits for the world, which must not be either.
            Op::RunAll(How::Turn) if let Some(why) = self.forbidden => refused(why),
            Op::RunAll(How::Turn) => {
                self.release(me);
                match self.tasks[me].wake.take() {
                    Some(wake) => Unwinds(cause_of(wake)),
                    None => self.run_all(me, None),
                }
            }
            Op::RunSome(switches) => self.run_all(me, Some(switches.max(1))),
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
            | Op::Unbind(task)
            | Op::SetSlot(task)
            | Op::TakeSlot(task)
            | Op::LookAround(task)
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
            Op::Unbind(_) => self.unbind(me, task),
            Op::SetSlot(_) if matches!(state, State::Dead | State::Unbound) => refused(Why::Dead),
            Op::SetSlot(_) => {
                self.tasks[task].slot = Some(self.value(me));
                done()
            }
            Op::TakeSlot(_) => {
                let value = self.tasks[task].slot.take();
                Ended(value.map_or(Outcome::Nothing, Outcome::Got))
            }
            Op::LookAround(_) => self.look_around(task),
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
            _ => {}
        }
        if leaves {
            self.switch_to(me, task)
        } else {
            self.resume_now(me, task)
        }
    }

    /// `run` of everybody: rules 16 to 20. A limit counts resumptions, and
    /// means nothing inside of another.
    fn run_all(&mut self, me: usize, limit: Option<u64>) -> Progress {
        match self.forbidden {
            // Nothing is trapped where there is nobody to switch to.
            Some(Why::SwitchTrap) if self.ring.len() == 1 => return self.report(None),
            Some(why) => return refused(why),
            None => {}
        }
        if self.ring.len() > 1 {
            if let (Some(left), None) = (limit, &self.budget) {
                self.budget = Some(Budget {
                    owner: me,
                    left,
                    spent: None,
                });
            }
            self.runners.push(me);
            return self.leave(State::Paused);
        }
        self.release(me);
        match self.tasks[me].wake.take() {
            Some(wake) => Unwinds(cause_of(wake)),
            None => self.report(None),
        }
    }

    fn report(&self, budget: Option<Budget>) -> Progress {
        let (blocked, paused) = (self.count(State::Blocked), self.count(State::Paused));
        let spent = budget.and_then(|budget| budget.spent);
        let victim = spent.unwrap_or(NOBODY);
        Ended(Outcome::Ran(blocked, paused, spent.is_some(), victim))
    }

    /// A yield or a pause is over, and returns what is in the slot.
    fn gave_way(&mut self, me: usize, op: Op) -> Progress {
        match op {
            Op::YieldWith | Op::PauseWith => {
                let value = self.tasks[me].slot.take();
                Ended(Outcome::Got(value.unwrap_or(self.value(me))))
            }
            _ => done(),
        }
    }

    /// The step of a tasklet that was suspended in it, as far as it goes now.
    pub(super) fn resume(&mut self, me: usize, op: Op) -> Progress {
        let (runs_all, switches) = match op {
            Op::RunAll(_) | Op::RunSome(_) => (true, true),
            Op::Run(_) | Op::Switch(_) | Op::Kill(_) | Op::Throw(_) | Op::Clear(_) => (false, true),
            _ => (false, false),
        };
        if switches {
            self.leave_runners(me);
        }
        let budget = self.budget.take_if(|budget| runs_all && budget.owner == me);
        if let Op::Wait(task) = op {
            self.tasks[task].waiting -= 1;
        }
        let wake = self.tasks[me].wake.take();
        match wake {
            Some(Wake::Raised(cause)) if switches => {
                return refused(Why::Uncaught(cause));
            }
            Some(Wake::Killed) => return self.unwind(me, op, Cause::Exit),
            Some(Wake::Raised(cause)) => return self.unwind(me, op, cause),
            _ => {}
        }
        match (op, wake) {
            (Op::Send(_) | Op::SendError(_) | Op::SendStop(_) | Op::TrySend(_), wake) => {
                self.sent(me, wake)
            }
            (Op::SendSequence(channel, count), wake) => {
                let item = self.sent(me, wake);
                match self.item_sent(me, item) {
                    Some(progress) => progress,
                    None => self.sequence(me, channel, count),
                }
            }
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
            (Op::RunAll(_) | Op::RunSome(_), _) => self.report(budget),
            (Op::Clear(channel), _) => {
                self.tasks[me].items += 1;
                self.clear(me, channel)
            }
            (op, _) => self.gave_way(me, op),
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

/// What a kill or a throw unwinds with.
fn cause_of(wake: Wake) -> Cause {
    match wake {
        Wake::Thrown(value) => Cause::Error(value),
        _ => Cause::Exit,
    }
}
