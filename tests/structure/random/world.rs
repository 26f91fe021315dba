//! A program, run by the real scheduler.

use super::program::{Arm, Note, Out, Program, Seen, Step, Trace};
use greenling::select::{Operation, Timer, after, poll, select};
use greenling::time::{CancelToken, Cancelling};
use greenling::{
    Channel, Ending, JoinHandle, ReceiveError, Receiving, SendError, SendErrorKind, Sending,
    WaitError, run, schedule, spawn,
};
use std::cell::{Cell, OnceCell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::time::Duration;

/// A value that is sent; all are counted.
struct Value {
    number: u32,
    _alive: Rc<()>,
}

type Handles = Rc<Vec<OnceCell<JoinHandle<()>>>>;

struct World {
    channels: Vec<Channel<Value>>,
    token: CancelToken,
    handles: Handles,
    notes: RefCell<Vec<Note>>,
    numbers: Cell<u32>,
    alive: Rc<()>,
}

/// An operation, whichever it is.
enum Op<'w> {
    Send(Sending<'w, Value>),
    Receive(Receiving<'w, Value>),
    Ending(Ending<'w>),
    Cancelling(Cancelling<'w>),
    Due(Timer),
}

/// Runs a program to its end, kills what is left, and tells what was seen.
pub(super) fn trace(program: &Program) -> Trace {
    let world = Rc::new(World {
        channels: program.channels.iter().map(|_| Channel::new()).collect(),
        token: CancelToken::new(),
        handles: Rc::new(program.tasks.iter().map(|_| OnceCell::new()).collect()),
        notes: RefCell::default(),
        numbers: Cell::new(0),
        alive: Rc::new(()),
    });
    for (channel, setting) in world.channels.iter().zip(&program.channels) {
        channel.set_preference(setting.preference);
        channel.set_schedule_all(setting.schedule_all);
    }
    for (task, steps) in program.tasks.iter().cloned().enumerate() {
        let inside = world.clone();
        let handle = spawn(move || {
            let body = || {
                for (at, step) in steps.iter().enumerate() {
                    inside.play(task, at, step);
                }
            };
            match catch_unwind(AssertUnwindSafe(body)) {
                Ok(()) => inside.note(task, Seen::Ended),
                Err(payload) => {
                    inside.note(task, Seen::Unwound);
                    resume_unwind(payload);
                }
            }
        });
        world.handles[task].set(handle).expect("it is new");
    }
    run().expect("no failure is left to main");
    let trace = Trace {
        notes: world.notes.take(),
        balances: world.channels.iter().map(Channel::balance).collect(),
    };
    // All before one runs, so that none goes on with its steps.
    let handles = || world.handles.iter().filter_map(OnceCell::get);
    for handle in handles() {
        handle.tasklet().kill_pending().expect("it is no main");
    }
    run().expect("no failure is left to main");
    assert!(
        handles().all(JoinHandle::is_finished),
        "one outlives its kill"
    );
    let balances = world.channels.iter().map(Channel::balance);
    assert!(
        balances.into_iter().all(|balance| balance == 0),
        "the dead wait"
    );
    let values = Rc::strong_count(&world.alive) - 1;
    assert_eq!(values, 0, "values outlive everybody");
    trace
}

impl World {
    fn note(&self, task: usize, seen: Seen) {
        self.notes.borrow_mut().push((task, seen));
    }

    fn value(&self) -> Value {
        let number = self.numbers.get();
        self.numbers.set(number + 1);
        Value {
            number,
            _alive: self.alive.clone(),
        }
    }

    fn play(&self, task: usize, at: usize, step: &Step) {
        let channel = |number: &usize| &self.channels[*number];
        let tasklet = |number: &usize| self.handles[*number].get().map(JoinHandle::tasklet);
        match step {
            Step::Send(number) => {
                let out = sent(channel(number).send(self.value()));
                self.note(task, Seen::Step(at, out));
            }
            Step::Receive(number) => {
                let out = received(channel(number).receive());
                self.note(task, Seen::Step(at, out));
            }
            Step::Select(arms, times, waits) => self.select(task, at, arms, *times, *waits),
            Step::Yield => {
                schedule();
                self.note(task, Seen::Step(at, Out::Over));
            }
            Step::Kill(number) => {
                tasklet(number)
                    .expect("all are there")
                    .kill_pending()
                    .expect("it is no main");
            }
            // Fails for one that has ended.
            Step::Throw(number) => {
                let _ = tasklet(number)
                    .expect("all are there")
                    .throw_pending("thrown");
            }
            Step::Close(number) => channel(number).close(),
            Step::Open(number) => channel(number).open(),
            Step::BlockTrap(on) => greenling::current().set_block_trap(*on),
            Step::Cancel => self.token.cancel(),
        }
    }

    fn select(&self, task: usize, at: usize, arms: &[Arm], times: usize, waits: bool) {
        let mut ops: Vec<_> = arms.iter().map(|&arm| self.operation(arm)).collect();
        for _ in 0..times {
            let mut all: Vec<_> = ops
                .iter_mut()
                .map(|op| match op {
                    Op::Send(op) => op as _,
                    Op::Receive(op) => op as _,
                    Op::Ending(op) => op as _,
                    Op::Cancelling(op) => op as _,
                    Op::Due(op) => op as _,
                })
                .collect();
            let result = if waits {
                select(&mut all).map(Some)
            } else {
                Ok(poll(&mut all))
            };
            self.note(
                task,
                match result {
                    Ok(Some(index)) => Seen::Selected(at, index, ops[index].take()),
                    Ok(None) => Seen::Default(at),
                    Err(error) => Seen::Failed(at, failed(error)),
                },
            );
        }
        let left = ops.into_iter().filter_map(|op| match op {
            Op::Send(sending) => sending.into_inner().map(|value| value.number),
            _ => None,
        });
        self.note(task, Seen::Left(at, left.collect()));
    }

    fn operation(&self, arm: Arm) -> Op<'_> {
        match arm {
            Arm::Send(channel) => Op::Send(self.channels[channel].sending(self.value())),
            Arm::Receive(channel) => Op::Receive(self.channels[channel].receiving()),
            Arm::Ending(task) => {
                let handle = self.handles[task].get();
                Op::Ending(handle.expect("all are there").ending())
            }
            Arm::Cancelling => Op::Cancelling(self.token.cancelling()),
            Arm::Due => Op::Due(after(Duration::ZERO)),
        }
    }
}

impl Op<'_> {
    fn take(&mut self) -> Out {
        let nothing = "its output is there";
        match self {
            Op::Send(op) => sent(op.take().expect(nothing)),
            Op::Receive(op) => received(op.take().expect(nothing)),
            Op::Ending(op) => op.take().map(over).expect(nothing),
            Op::Cancelling(op) => op.take().map(over).expect(nothing),
            Op::Due(op) => op.take().map(over).expect(nothing),
        }
    }
}

fn over((): ()) -> Out {
    Out::Over
}

fn sent(result: Result<(), SendError<Value>>) -> Out {
    match result.as_ref().map_err(SendError::kind) {
        Ok(()) => Out::Sent,
        Err(SendErrorKind::Closed) => Out::Closed,
        Err(SendErrorKind::Wait(WaitError::BlockTrap)) => Out::BlockTrap,
        Err(SendErrorKind::Wait(WaitError::Thrown(_))) => Out::Thrown,
        Err(error) => panic!("{error:?}"),
    }
}

fn received(result: Result<Value, ReceiveError>) -> Out {
    match result {
        Ok(value) => Out::Got(value.number),
        Err(ReceiveError::Closed) => Out::Closed,
        Err(ReceiveError::Wait(error)) => failed(error),
        Err(error) => panic!("{error:?}"),
    }
}

fn failed(error: WaitError) -> Out {
    match error {
        WaitError::BlockTrap => Out::BlockTrap,
        WaitError::Thrown(_) => Out::Thrown,
        error => panic!("{error:?}"),
    }
}
