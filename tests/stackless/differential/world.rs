//! Runs a program on the real scheduler.

mod steps;

use super::outcome::{cause_of, cause_of_uncaught, payload_of};
use super::program::{Birth, CHANNELS, Handler, Op, Program, TASKS};
use super::trace::{Event, NOBODY, Note, Outcome, Value, View, bit, by_handler};
use greenling::{
    Channel, ChannelEvent, ErrorHandler, JoinHandle, QueueOrder, Tasklet, TaskletExit, run_count,
    set_channel_callback, set_error_handler, set_queue_order, set_schedule_callback, switch_trap,
};
use std::cell::{Cell, RefCell};
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use steps::fault;

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
            let value = self.world.value(task, number);
            let outcome = self.world.take(self.op, value, &mut Vec::new());
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
        if program.flat {
            set_queue_order(QueueOrder::Flat);
        }
        if program.watched {
            world.watch();
        }
        let ending = world.body(0);
        debug_assert!(ending.is_ok());
        // Handles, hooks and tasklets hold the world, and it them.
        main.set_block_trap(false);
        main.set_atomic(false);
        let _: Option<Value> = main.take_tempval();
        set_queue_order(QueueOrder::Ring);
        set_error_handler(None);
        set_schedule_callback(None);
        set_channel_callback(None);
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
                self.take(step.op, self.value(me, number), &mut guards)
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
                | flag(tasklet.is_atomic(), bit::ATOMIC)
        };
        View {
            run_count: run_count(),
            balances: std::array::from_fn(|channel| self.channels[channel].balance()),
            states: std::array::from_fn(state),
        }
    }

    /// The number of a tasklet of this program.
    fn number_of(&self, tasklet: Option<&Tasklet>) -> u8 {
        let Some(tasklet) = tasklet else {
            return NOBODY;
        };
        let tasklets = self.tasklets.borrow();
        let mut numbered = tasklets.iter();
        let number = numbered.position(|candidate| candidate.as_ref() == Some(tasklet));
        number.expect("a tasklet of the program") as u8
    }

    fn handler(self: &Rc<World>, handler: Handler) -> Option<ErrorHandler> {
        if handler == Handler::None {
            return None;
        }
        let world = self.clone();
        Some(Rc::new(move |tasklet, error| {
            let who = world.number_of(Some(tasklet)).into();
            let cause = cause_of_uncaught(error);
            world.note(who, Event::Handled(cause));
            let me = world.number_of(Some(&greenling::current())).into();
            if let Handler::Meddles(meddle, _) = handler {
                let op = meddle.op(me);
                let outcome = world.take(op, by_handler(me), &mut Vec::new());
                world.note(me, Event::Meddled(op, outcome));
            }
            match handler {
                Handler::Panics | Handler::Meddles(_, true) => {
                    resume_unwind(payload_of(by_handler(me)))
                }
                Handler::Exits => resume_unwind(Box::new(TaskletExit)),
                _ => {}
            }
        }))
    }

    /// Puts switches and operations of channels into the trace.
    fn watch(self: &Rc<World>) {
        let world = self.clone();
        set_schedule_callback(Some(Rc::new(move |prev, next| {
            let [prev, next] = [prev, next].map(|it| world.number_of(Some(it)).into());
            let (event, view) = (Event::Switch(next), world.view().without_current());
            let note = Note {
                who: prev,
                event,
                view,
            };
            world.trace.borrow_mut().push(note);
        })));
        let world = self.clone();
        set_channel_callback(Some(Rc::new(move |event: &ChannelEvent<'_>| {
            let mut channels = world.channels.iter();
            let channel = channels.position(|channel| channel.id() == event.channel);
            let channel = channel.expect("a channel of the program");
            let who = world.number_of(Some(event.tasklet));
            let event = Event::Acts(channel, event.sending, event.will_block);
            world.note(who.into(), event);
        })));
    }
}
