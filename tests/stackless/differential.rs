//! Random programs, run for real and by the model: the traces must be equal.
//!
//! `GREENLING_TEST_PROGRAMS` is how many (20,000 if unset), and
//! `GREENLING_TEST_SEED` the first seed, for looking at one that failed.

use super::model::Model;
use super::program::{Birth, CHANNELS, Op, Program};
use greenling::{
    Channel, Preference, ReceiveError, SendError, SendErrorKind, Tasklet, TaskletError,
    TryReceiveError, TrySendError, Uncaught, WaitError, run, run_count, schedule, schedule_remove,
};
use std::cell::RefCell;
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use tests::{Trace, isolated};

/// What all tasklets of a program share.
struct World {
    program: Program,
    tasklets: RefCell<Vec<Option<Tasklet>>>,
    channels: [Channel<String>; CHANNELS],
    trace: Trace,
}

impl World {
    fn run(program: Program) -> (Program, Vec<String>) {
        let world = Rc::new(World {
            tasklets: RefCell::default(),
            channels: std::array::from_fn(|_| Channel::new()),
            trace: Trace::new(),
            program,
        });
        let main = Some(greenling::main_tasklet());
        world.tasklets.borrow_mut().push(main);
        for task in 1..world.program.births.len() {
            let birth = world.program.births[task];
            let tasklet = (birth != Birth::Spawned).then(|| world.make(task));
            if birth == Birth::Queued {
                tasklet.as_ref().expect("it was made").insert().unwrap();
            }
            world.tasklets.borrow_mut().push(tasklet);
        }
        for step in 0..world.program.steps[0].len() {
            let op = world.program.steps[0][step];
            let result = catch_unwind(AssertUnwindSafe(|| world.execute(0, step, op)));
            let result = result.unwrap_or_else(|payload| {
                let error = payload.downcast::<Box<dyn Error + Send + Sync>>();
                format!("unwound by {}", error.expect("an error of the program"))
            });
            world.note(0, op, &result);
        }
        let notes = world.trace.take_list();
        greenling::main_tasklet().set_block_trap(false);
        // Handles and tasklets hold the world, and it them.
        world.tasklets.borrow_mut().clear();
        greenling::run().expect("nobody is left to fail");
        let world = Rc::into_inner(world).expect("everybody else has gone");
        (world.program, notes)
    }

    fn make(self: &Rc<World>, task: usize) -> Tasklet {
        let world = self.clone();
        let note = self.trace.on_drop(format!("{task} gone"));
        Tasklet::new(move || {
            let _note = note;
            for (step, &op) in world.program.steps[task].iter().enumerate() {
                if let Op::Fail = op {
                    return Err(format!("F{task}"));
                }
                let result = world.execute(task, step, op);
                world.note(task, op, &result);
            }
            Ok(())
        })
    }

    fn note(&self, me: usize, op: Op, result: &str) {
        let balances = [0, 1].map(|c: usize| self.channels[c].balance());
        let count = run_count();
        self.trace
            .note(format!("{me} {op:?}: {result} [{count} {balances:?}]"));
    }

    fn execute(self: &Rc<World>, me: usize, step: usize, op: Op) -> String {
        let value = format!("v{me}.{step}");
        match op {
            Op::Yield => schedule(),
            Op::Pause => schedule_remove(),
            Op::Send(c) => return sent(self.channels[c].send(value)),
            Op::SendError(c) => return sent(self.channels[c].send_error(value)),
            Op::Receive(c) => return received(self.channels[c].receive()),
            Op::TrySend(c) => {
                return match self.channels[c].try_send(value) {
                    Ok(()) => "sent".into(),
                    Err(TrySendError::Failed(error)) => match error.kind() {
                        SendErrorKind::Closed => "Closed".into(),
                        SendErrorKind::Wait(_) => sent(Err(error)),
                        other => format!("{other:?}"),
                    },
                    Err(TrySendError::WouldBlock(back)) => {
                        assert_eq!(back, value_of(me, step));
                        "WouldBlock".into()
                    }
                    Err(other) => format!("{other:?}"),
                };
            }
            Op::TryReceive(c) => {
                return match self.channels[c].try_receive() {
                    Ok(value) => value,
                    Err(TryReceiveError::Failed(error)) => received(Err(error)),
                    Err(_) => "WouldBlock".into(),
                };
            }
            Op::Preference(c, sign) => {
                self.channels[c].set_preference(Preference::from_i32(sign));
            }
            Op::ScheduleAll(c, on) => self.channels[c].set_schedule_all(on),
            Op::Close(c) => self.channels[c].close(),
            Op::Open(c) => self.channels[c].open(),
            Op::BlockTrap(on) => greenling::current().set_block_trap(on),
            Op::Fail => unreachable!("handled by the tasklet's own loop"),
            Op::RunAll => {
                return match run() {
                    Ok(report) => format!("{}+{}", report.blocked, report.paused),
                    Err(error) => refused(error),
                };
            }
            Op::Spawn(t) => {
                if self.tasklets.borrow()[t].is_some() {
                    return "none".into();
                }
                let tasklet = self.make(t).setup().unwrap();
                self.tasklets.borrow_mut()[t] = Some(tasklet);
            }
            Op::Insert(t) => return self.on(t, Tasklet::insert),
            Op::Remove(t) => return self.on(t, Tasklet::remove),
            Op::Run(t) => return self.on(t, Tasklet::run),
            Op::Switch(t) => return self.on(t, |tasklet| tasklet.switch()),
            Op::Kill(t) => return self.on(t, Tasklet::kill),
            Op::KillPending(t) => return self.on(t, Tasklet::kill_pending),
            Op::Throw(t) => return self.on(t, |tasklet| tasklet.throw(value)),
            Op::ThrowPending(t) => return self.on(t, |tasklet| tasklet.throw_pending(value)),
        }
        "ok".into()
    }

    fn on(&self, task: usize, f: impl FnOnce(&Tasklet) -> Result<(), TaskletError>) -> String {
        let tasklet = self.tasklets.borrow()[task].clone();
        let Some(tasklet) = tasklet else {
            return "none".into();
        };
        match f(&tasklet) {
            Ok(()) => "ok".into(),
            Err(error) => refused(error),
        }
    }
}

fn value_of(me: usize, step: usize) -> String {
    format!("v{me}.{step}")
}

fn refused(error: TaskletError) -> String {
    match error {
        TaskletError::Uncaught(Uncaught::Error(error)) => format!("Uncaught {error}"),
        other => format!("{other:?}"),
    }
}

fn reason(error: &WaitError) -> String {
    match error {
        WaitError::Thrown(error) => format!("Thrown {error}"),
        other => format!("{other:?}"),
    }
}

fn sent(result: Result<(), SendError<String>>) -> String {
    let Err(error) = result else {
        return "sent".into();
    };
    let why = match error.kind() {
        SendErrorKind::Closed => "Closed".into(),
        SendErrorKind::Wait(error) => reason(error),
        other => format!("{other:?}"),
    };
    format!("{why}, back: {}", error.into_inner().is_some())
}

fn received(result: Result<String, ReceiveError>) -> String {
    match result {
        Ok(value) => value,
        Err(ReceiveError::Closed) => "Closed".into(),
        Err(ReceiveError::Wait(error)) => reason(&error),
        Err(other) => format!("{other:?}"),
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn random_programs_do_what_the_model_of_the_rules_does() {
    let first = number("GREENLING_TEST_SEED").unwrap_or(1);
    let count = number("GREENLING_TEST_PROGRAMS").unwrap_or(20_000);
    isolated(move || {
        for seed in first..first + count {
            let (program, real) = World::run(Program::random(seed));
            let expected = Model::trace(&program);
            let differs = real.iter().zip(&expected).position(|(a, b)| a != b);
            let differs = differs.unwrap_or(real.len().min(expected.len()));
            assert!(
                real == expected,
                "GREENLING_TEST_SEED={seed} GREENLING_TEST_PROGRAMS=1\n{program}\
                 equal: {:#?}\nreal: {:#?}\nmodel: {:#?}",
                &real[..differs],
                &real[differs..],
                &expected[differs..],
            );
        }
    });
}
