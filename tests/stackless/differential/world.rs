//! Runs a program on the real scheduler.

use super::outcome::{cause_of, join_failure, payload_of, received, refused, unsent, why};
use super::program::{Birth, CHANNELS, Handler, Op, Program, REBIRTHS, Raise, TASKS};
use super::trace::{BY_HANDLER, Event, NOBODY, Note, Outcome, Value, View, Why, bit};
use greenling::{
    Channel, DeferKill, ErrorHandler, JoinHandle, Preference, Tasklet, TaskletError, TaskletExit,
    TryReceiveError, TrySendError, defer_kill, run, run_count, schedule, schedule_remove,
    set_error_handler, switch_trap,
};
use std::cell::{Cell, RefCell};
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

/// What all tasklets of a program share.
pub(crate) struct World {
    program: Program,
    tasklets: RefCell<[Option<Tasklet>; TASKS]>,
    /// A tasklet that waits has a clone of the handle.
    handles: RefCell<[Option<Rc<JoinHandle<Value>>>; TASKS]>,
    rebirths: [Cell<usize>; TASKS],
    channels: [Channel<Value>; CHANNELS],
    trace: RefCell<Vec<Note>>,
}

/// Notes that a tasklet's function has gone with all it held.
struct Gone {
    world: Rc<World>,
    task: usize,
}

impl Drop for Gone {
    fn drop(&mut self) {
        self.world.note(self.task, Event::Gone);
    }
}

/// Does something when the step it belongs to unwinds.
struct Cleanup<'a> {
    world: &'a Rc<World>,
    task: usize,
    number: usize,
    op: Op,
}

impl Drop for Cleanup<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let (task, number) = (self.task, self.number);
            let outcome = self.world.take(task, number, self.op, &mut Vec::new());
            let event = Event::Cleanup(number, self.op, outcome);
            self.world.note(task, event);
        }
    }
}

type Ending = Result<Value, Box<dyn Error + Send + Sync>>;

impl World {
    /// The trace of a program, on the scheduler of this thread.
    pub(crate) fn trace(program: &Program) -> Vec<Note> {
        let world = Rc::new(World {
            program: program.clone(),
            tasklets: RefCell::default(),
            handles: RefCell::default(),
            rebirths: std::array::from_fn(|_| Cell::new(0)),
            channels: std::array::from_fn(|_| Channel::new()),
            trace: RefCell::default(),
        });
        let main = greenling::main_tasklet();
        world.tasklets.borrow_mut()[0] = Some(main.clone());
        for task in 1..program.tasks() {
            if program.births[task].is_early() {
                world.bring_forth(task);
            }
        }
        let ending = world.body(0);
        debug_assert!(ending.is_ok());
        // Handles, hooks and tasklets hold the world, and it them.
        main.set_block_trap(false);
        set_error_handler(None);
        world.handles.take();
        world.tasklets.take();
        let world = Rc::into_inner(world).expect("all tasklets have ended");
        world.trace.into_inner()
    }

    fn bring_forth(self: &Rc<World>, task: usize) {
        let birth = self.program.births[task];
        let tasklet = if birth.is_joined() {
            let function = self.function(task);
            let handle = greenling::spawn(move || match function() {
                Ok(value) => value,
                Err(error) => resume_unwind(Box::new(error)),
            });
            let tasklet = handle.tasklet();
            self.handles.borrow_mut()[task] = Some(Rc::new(handle));
            tasklet
        } else if birth == Birth::Unbound {
            Tasklet::unbound()
        } else {
            let function = self.function(task);
            Tasklet::new(move || function().map(drop))
        };
        if matches!(birth, Birth::Queued | Birth::Late) {
            tasklet.insert().expect("it is paused");
        }
        self.tasklets.borrow_mut()[task] = Some(tasklet);
    }

    /// What a tasklet does.
    fn function(self: &Rc<World>, task: usize) -> impl FnOnce() -> Ending + use<> {
        let world = self.clone();
        let gone = Gone {
            world: world.clone(),
            task,
        };
        move || {
            let gone = gone;
            gone.world.body(task)
        }
    }

    fn body(self: &Rc<World>, me: usize) -> Ending {
        let mut guards = Vec::new();
        for number in 0.. {
            let Some(step) = self.program.step(me, number, &self.view()) else {
                break;
            };
            if step.op == Op::Fail && me != 0 && !step.catches {
                return Err(fault(self.value(me, number)));
            }
            let mut attempt = || {
                let _cleanup = step.cleanup.map(|op| Cleanup {
                    world: self,
                    task: me,
                    number,
                    op,
                });
                let _trap = step.trapped.then(switch_trap);
                self.take(me, number, step.op, &mut guards)
            };
            let outcome = if step.catches || me == 0 {
                catch_unwind(AssertUnwindSafe(attempt))
                    .unwrap_or_else(|payload| Outcome::Caught(cause_of(&*payload)))
            } else {
                attempt()
            };
            self.note(me, Event::Step(number, step, outcome));
        }
        Ok(self.value(me, 0))
    }

    fn value(&self, by: usize, step: usize) -> Value {
        Value { by, step, item: 0 }
    }

    fn note(&self, who: usize, event: Event) {
        let view = self.view();
        self.trace.borrow_mut().push(Note { who, event, view });
    }

    fn view(&self) -> View {
        let tasklets = self.tasklets.borrow();
        let state = |task: usize| {
            let Some(tasklet) = &tasklets[task] else {
                return 0;
            };
            let flag = |set, bit| if set { bit } else { 0 };
            flag(tasklet.is_alive(), bit::ALIVE)
                | flag(tasklet.is_blocked(), bit::BLOCKED)
                | flag(tasklet.is_scheduled(), bit::SCHEDULED)
                | flag(tasklet.is_paused(), bit::PAUSED)
                | flag(tasklet.is_current(), bit::CURRENT)
                | flag(tasklet.block_trap(), bit::BLOCK_TRAP)
        };
        View {
            run_count: run_count(),
            balances: std::array::from_fn(|channel| self.channels[channel].balance()),
            states: std::array::from_fn(state),
        }
    }

    fn take(
        self: &Rc<World>,
        me: usize,
        number: usize,
        op: Op,
        guards: &mut Vec<DeferKill>,
    ) -> Outcome {
        let value = self.value(me, number);
        match op {
            Op::Yield => schedule(),
            Op::Pause => schedule_remove(),
            Op::Send(c) => return unsent(self.channels[c].send(value)),
            Op::SendError(c) => return unsent(self.channels[c].send_error(fault(value))),
            Op::Receive(c) => return received(self.channels[c].receive()),
            Op::TrySend(c) => return self.try_send(c, value),
            Op::TryReceive(c) => return self.try_receive(c),
            Op::Iterate(c, most) => {
                for item in self.channels[c].iter().take(most) {
                    self.note(me, Event::Item(number, received(item)));
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
            Op::Join(t) => return self.join(t),
            Op::Wait(t) => return self.wait(t),
            Op::Detach(t) => {
                let Some(handle) = self.take_handle(t) else {
                    return Outcome::Nothing;
                };
                drop(handle);
            }
            Op::RunAll => {
                return match run() {
                    Ok(report) => Outcome::Drained(report.blocked, report.paused),
                    Err(error) => Outcome::Refused(refused(error)),
                };
            }
            Op::Preference(c, sign) => {
                self.channels[c].set_preference(Preference::from_i32(sign));
            }
            Op::ScheduleAll(c, on) => self.channels[c].set_schedule_all(on),
            Op::Close(c) => self.channels[c].close(),
            Op::Open(c) => self.channels[c].open(),
            Op::BlockTrap(on) => greenling::current().set_block_trap(on),
            Op::Handler(handler) => drop(set_error_handler(self.handler(handler))),
            Op::Defer => guards.push(defer_kill()),
            Op::Undefer => {
                let guard = guards.pop();
                return guard.map_or(Outcome::Nothing, |_| Outcome::Done);
            }
            Op::Look(c) => return self.look(c),
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
            Err(TrySendError::Failed(error)) => unsent(Err(error)),
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

    fn handler(self: &Rc<World>, handler: Handler) -> Option<ErrorHandler> {
        if handler == Handler::None {
            return None;
        }
        let world = self.clone();
        Some(Rc::new(move |tasklet, error| {
            let tasklets = world.tasklets.borrow();
            let who = tasklets.iter().position(|t| t.as_ref() == Some(tasklet));
            drop(tasklets);
            let who = who.expect("a tasklet of the program");
            let cause = super::outcome::cause_of_uncaught(error);
            world.note(who, Event::Handled(cause));
            match handler {
                Handler::Panics => resume_unwind(payload_of(Value {
                    by: who,
                    step: 0,
                    item: BY_HANDLER,
                })),
                Handler::Exits => resume_unwind(Box::new(TaskletExit)),
                Handler::None | Handler::Returns => {}
            }
        }))
    }

    fn look(&self, channel: usize) -> Outcome {
        let channel = &self.channels[channel];
        let tasklets = self.tasklets.borrow();
        let mut waiting = [NOBODY; TASKS];
        for (place, tasklet) in waiting.iter_mut().zip(channel.queue()) {
            let number = tasklets.iter().position(|t| t.as_ref() == Some(&tasklet));
            *place = number.map_or(NOBODY - 1, |number| number as u8);
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

fn fault(value: Value) -> Box<dyn Error + Send + Sync> {
    super::outcome::Fault(value).into()
}
