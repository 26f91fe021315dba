//! What each step does on the real scheduler.

use super::World;
use crate::differential::outcome::{
    Fault, join_failure, payload_of, received, refused, sent, why, why_unsent,
};
use crate::differential::program::{How, Op, REBIRTHS, Raise, TASKS};
use crate::differential::trace::{Event, NOBODY, Outcome, Value, Why};
use greenling::{
    DeferKill, JoinHandle, Preference, RunOptions, RunReport, StopIteration, Tasklet, TaskletError,
    TaskletExit, TryReceiveError, TrySendError, defer_kill, run, run_blocking, run_with, schedule,
    schedule_remove, schedule_remove_with, schedule_with, set_error_handler, turn,
};
use std::error::Error;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::time::Duration;

impl World {
    /// Takes a step; what it makes is called `value`.
    pub(super) fn take(
        self: &Rc<World>,
        op: Op,
        value: Value,
        guards: &mut Vec<DeferKill>,
    ) -> Outcome {
        match op {
            Op::Yield => schedule(),
            Op::Pause => schedule_remove(),
            Op::Send(c) => return sent(self.channels[c].send(value)),
            Op::SendSequence(c, count) => return self.send_sequence(value, c, count),
            Op::SendStop(c) => return sent(self.channels[c].send_error(StopIteration)),
            Op::SendError(c) => return sent(self.channels[c].send_error(fault(value))),
            Op::Receive(c) => return received(self.channels[c].receive()),
            Op::TrySend(c) => return self.try_send(c, value),
            Op::TryReceive(c) => return self.try_receive(c),
            Op::Iterate(c, most) => {
                for item in self.channels[c].iter().take(most) {
                    self.note(value.by, Event::Item(value.step, received(item)));
                }
            }
            Op::Spawn(t) if self.tasklets.borrow()[t].is_none() && t < self.program.tasks() => {
                self.bring_forth(t);
            }
            Op::Spawn(_) => return Outcome::Nothing,
            Op::Insert(t) => return self.on(t, Tasklet::insert),
            Op::Remove(t) => return self.on(t, Tasklet::remove),
            Op::Run(t) => return self.on(t, Tasklet::run),
            Op::Switch(t) => return self.on(t, Tasklet::switch),
            Op::Kill(t) => return self.on(t, Tasklet::kill),
            Op::KillPending(t) => return self.on(t, Tasklet::kill_pending),
            Op::Throw(t) => return self.on(t, |tasklet| tasklet.throw(fault(value))),
            Op::ThrowPending(t) => {
                return self.on(t, |tasklet| tasklet.throw_pending(fault(value)));
            }
            Op::Bind(t) => return self.bind(t),
            Op::Unbind(t) => return self.on(t, Tasklet::unbind),
            Op::YieldWith => return Outcome::Got(schedule_with(value)),
            Op::PauseWith => return Outcome::Got(schedule_remove_with(value)),
            Op::SetSlot(t) => return self.on(t, |tasklet| tasklet.set_tempval(value)),
            Op::TakeSlot(t) => {
                let tasklet = self.tasklets.borrow()[t].clone();
                let value = tasklet.and_then(|tasklet| tasklet.take_tempval());
                return value.map_or(Outcome::Nothing, Outcome::Got);
            }
            Op::Atomic(on) => drop(greenling::current().set_atomic(on)),
            Op::Join(t) => return self.join(t),
            Op::Wait(t) => return self.wait(t),
            Op::Detach(t) => {
                let Some(handle) = self.take_handle(t) else {
                    return Outcome::Nothing;
                };
                drop(handle);
            }
            Op::RunAll(How::Run) => return self.ran(run()),
            Op::RunAll(How::Turn) => return self.ran(turn(Some(Duration::ZERO))),
            Op::RunAll(How::Blocking) => return self.ran(run_blocking()),
            Op::RunSome(switches) => {
                let options = RunOptions::new().max_switches(switches);
                return self.ran(run_with(&options));
            }
            Op::Preference(c, sign) => {
                self.channels[c].set_preference(Preference::from_i32(sign));
            }
            Op::ScheduleAll(c, on) => self.channels[c].set_schedule_all(on),
            Op::Close(c) => self.channels[c].close(),
            Op::Open(c) => self.channels[c].open(),
            Op::Clear(c) => {
                return match self.channels[c].clear() {
                    Ok(count) => Outcome::Cleared(count),
                    Err(error) => Outcome::Refused(refused(error)),
                };
            }
            Op::BlockTrap(on) => greenling::current().set_block_trap(on),
            Op::Handler(handler) => drop(set_error_handler(self.handler(handler))),
            Op::Defer => guards.push(defer_kill()),
            Op::Undefer => {
                let guard = guards.pop();
                return guard.map_or(Outcome::Nothing, |_| Outcome::Done);
            }
            Op::Look(c) => return self.look(c),
            Op::LookAround(t) => return self.look_around(t),
            Op::Raise(Raise::Exit) => resume_unwind(Box::new(TaskletExit)),
            Op::Raise(Raise::Panic) => resume_unwind(payload_of(value)),
            Op::Raise(Raise::Error) | Op::Fail => resume_unwind(Box::new(fault(value))),
        }
        Outcome::Done
    }

    fn on(&self, task: usize, f: impl FnOnce(&Tasklet) -> Result<(), TaskletError>) -> Outcome {
        let tasklet = self.tasklets.borrow()[task].clone();
        let Some(tasklet) = tasklet else {
            return Outcome::Nothing;
        };
        match f(&tasklet) {
            Ok(()) => Outcome::Done,
            Err(error) => Outcome::Refused(refused(error)),
        }
    }

    fn try_send(&self, channel: usize, value: Value) -> Outcome {
        match self.channels[channel].try_send(value) {
            Ok(()) => Outcome::Done,
            Err(TrySendError::WouldBlock(back)) => Outcome::Unsent(Why::WouldBlock, back == value),
            Err(TrySendError::Failed(error)) => sent(Err(error)),
            Err(_) => Outcome::Refused(Why::Odd),
        }
    }

    fn try_receive(&self, channel: usize) -> Outcome {
        match self.channels[channel].try_receive() {
            Ok(value) => Outcome::Got(value),
            Err(TryReceiveError::WouldBlock) => Outcome::Refused(Why::WouldBlock),
            Err(TryReceiveError::Failed(error)) => received(Err(error)),
            Err(_) => Outcome::Refused(Why::Odd),
        }
    }

    fn bind(self: &Rc<World>, task: usize) -> Outcome {
        let rebirths = &self.rebirths[task];
        if rebirths.get() == REBIRTHS {
            return Outcome::Nothing;
        }
        let outcome = self.on(task, |tasklet| {
            let function = self.function(task);
            tasklet.bind(move || function().map(drop))
        });
        if outcome == Outcome::Done {
            rebirths.set(rebirths.get() + 1);
        }
        outcome
    }

    /// The join handle, if it is there and nobody waits with it.
    fn take_handle(&self, task: usize) -> Option<JoinHandle<Value>> {
        let place = &mut self.handles.borrow_mut()[task];
        Rc::try_unwrap(place.take()?)
            .map_err(|shared| *place = Some(shared))
            .ok()
    }

    fn join(&self, task: usize) -> Outcome {
        match self.take_handle(task).map(JoinHandle::join) {
            None => Outcome::Nothing,
            Some(Ok(value)) => Outcome::Got(value),
            Some(Err(error)) => Outcome::Refused(join_failure(error)),
        }
    }

    fn wait(&self, task: usize) -> Outcome {
        let handle = self.handles.borrow()[task].clone();
        match handle.map(|handle| handle.wait()) {
            None => Outcome::Nothing,
            Some(Ok(())) => Outcome::Done,
            Some(Err(error)) => Outcome::Refused(why(&error)),
        }
    }

    fn ran(&self, result: Result<RunReport, TaskletError>) -> Outcome {
        match result {
            Ok(report) => Outcome::Ran(
                report.blocked,
                report.paused,
                report.over_budget,
                self.number_of(report.interrupted.as_ref()),
            ),
            Err(error) => Outcome::Refused(refused(error)),
        }
    }

    fn send_sequence(&self, first: Value, channel: usize, count: usize) -> Outcome {
        let items = (0..count).map(|item| {
            self.note(first.by, Event::Pulled(item));
            Value { item, ..first }
        });
        match self.channels[channel].send_sequence(items) {
            Ok(sent) => Outcome::Sent(sent, None),
            Err(cut) => Outcome::Sent(cut.sent, Some(why_unsent(cut.error))),
        }
    }

    fn look_around(&self, task: usize) -> Outcome {
        let Some(tasklet) = self.tasklets.borrow()[task].clone() else {
            return Outcome::Nothing;
        };
        let mut channels = self.channels.iter();
        let channel = channels.position(|channel| tasklet.waits_in(channel));
        Outcome::Around(
            self.number_of(tasklet.prev().as_ref()),
            self.number_of(tasklet.next().as_ref()),
            channel.map_or(NOBODY, |channel| channel as u8),
        )
    }

    fn look(&self, channel: usize) -> Outcome {
        let channel = &self.channels[channel];
        let mut waiting = [NOBODY; TASKS];
        for (place, tasklet) in waiting.iter_mut().zip(channel.queue()) {
            *place = self.number_of(Some(&tasklet));
        }
        Outcome::Seen(
            waiting,
            channel.is_closing(),
            channel.is_closed(),
            channel.preference().as_i32(),
            channel.schedule_all(),
        )
    }
}

pub(super) fn fault(value: Value) -> Box<dyn Error + Send + Sync> {
    Fault(value).into()
}
