//! What the rules say a program does, worked out on plain data.
//!
//! The ring is a list whose first member is current. A tasklet that is
//! suspended remembers nothing but which step it is in; what reached it
//! meanwhile is in `wake` and `parcel`, and the outcome of the step follows
//! from those when it is its turn.
//!
//! | file | has |
//! |---|---|
//! | `ring` | the queue, and who resumes when it has drained |
//! | `signals` | kills, throws, failures of others, what is held back |
//! | `channels` | rendezvous |
//! | `ends` | how tasklets end, who is told, joins |
//! | `steps` | what each step does, and how it ends once resumed |

mod channels;
mod ends;
mod ring;
mod signals;
mod steps;

use super::program::{Birth, CHANNELS, Handler, Op, Program, Step, TASKS};
use super::trace::{Cause, Event, Note, Outcome, Value, View, Why, bit, by_handler};
use std::collections::VecDeque;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Unborn,
    Unbound,
    Paused,
    Runnable,
    Blocked,
    Dead,
}

/// What reached a suspended tasklet besides what it waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wake {
    Killed,
    Thrown(Value),
    /// Another tasklet failed with this, and it is the one to be told.
    Raised(Cause),
    Deadlock,
}

/// A value or an error on its way through a channel.
type Parcel = Result<Value, Value>;

#[derive(Default)]
struct Task {
    state: State,
    started: bool,
    /// The number of the next step, or of the one it is in the middle of.
    step: usize,
    suspended_in: Option<Step>,
    /// Items that the step is done with.
    items: usize,
    /// Whom the step has still to kill.
    targets: VecDeque<usize>,
    block_trap: bool,
    atomic: bool,
    /// What a yield or a pause is to return.
    slot: Option<Value>,
    wake: Option<Wake>,
    parcel: Option<Parcel>,
    /// Guards that hold kills and throws back, and the last of those.
    guards: usize,
    held_back: Option<Wake>,
    rebirths: usize,
    /// The join handle is where all can take it, or with somebody who joins.
    has_handle: bool,
    detached: bool,
    /// Tasklets inside `wait`, which keep the handle where it is.
    waiting: usize,
    joiners: VecDeque<usize>,
    /// What a join handle is to give.
    result: Option<Result<Value, Cause>>,
}

#[derive(Default)]
struct Channel {
    waiting: VecDeque<usize>,
    senders: bool,
    preference: i32,
    schedule_all: bool,
    closing: bool,
}

/// How long the owner lets the others run.
struct Budget {
    owner: usize,
    left: u64,
    /// It was spent, at the switch of this one.
    spent: Option<u8>,
}

/// How far a step has come.
enum Progress {
    Ended(Outcome),
    /// Another tasklet is current now, or this one again.
    Suspended,
    /// The tasklet unwinds.
    Unwinds(Cause),
}

use Progress::{Ended, Suspended, Unwinds};

fn done() -> Progress {
    Ended(Outcome::Done)
}

fn refused(why: Why) -> Progress {
    Ended(Outcome::Refused(why))
}

pub(crate) struct Model<'a> {
    program: &'a Program,
    tasks: [Task; TASKS],
    channels: [Channel; CHANNELS],
    ring: VecDeque<usize>,
    /// Callers inside `run`, innermost last.
    runners: Vec<usize>,
    /// Whose stack it is: what is current may have changed already.
    running: usize,
    /// The switch that is due is one that a channel has promised.
    promised: bool,
    /// Somebody gives way, maybe to nobody.
    gives_way: bool,
    budget: Option<Budget>,
    handler: Handler,
    /// Why the step that is being taken must not switch.
    forbidden: Option<Why>,
    /// An error handler acts.
    meddling: bool,
    trace: Vec<Note>,
}

impl<'a> Model<'a> {
    /// The trace of a program.
    pub(crate) fn trace(program: &'a Program) -> Vec<Note> {
        let mut model = Model {
            program,
            tasks: Default::default(),
            channels: Default::default(),
            ring: VecDeque::from([0]),
            runners: Vec::new(),
            running: 0,
            promised: false,
            gives_way: false,
            budget: None,
            handler: Handler::None,
            forbidden: None,
            meddling: false,
            trace: Vec::new(),
        };
        for channel in &mut model.channels {
            channel.preference = -1;
        }
        model.tasks[0].state = State::Runnable;
        model.tasks[0].started = true;
        for task in 1..program.tasks() {
            if program.births[task].is_early() {
                model.bring_forth(task);
            }
        }
        while model.advance() {}
        model.trace
    }

    fn bring_forth(&mut self, task: usize) {
        let birth = self.program.births[task];
        self.tasks[task].has_handle = birth.is_joined();
        match birth {
            Birth::Unbound => self.tasks[task].state = State::Unbound,
            Birth::Paused => self.tasks[task].state = State::Paused,
            _ => self.append(task),
        }
    }

    /// One step of whoever is current; false when main has come to its end.
    fn advance(&mut self) -> bool {
        self.switch();
        let me = self.running;
        if !self.tasks[me].started {
            self.tasks[me].started = true;
            if let Some(wake) = self.tasks[me].wake.take() {
                let cause = match wake {
                    Wake::Thrown(value) => Cause::Error(value),
                    _ => Cause::Exit,
                };
                self.end(me, Err(cause));
                return true;
            }
        }
        let (step, progress) = if let Some(step) = self.tasks[me].suspended_in.take() {
            (step, self.resume(me, step.op))
        } else if let Some(step) = self.program.step(me, self.tasks[me].step, &self.view()) {
            self.forbidden = step.trapped.then_some(Why::SwitchTrap);
            (step, self.begin(me, step.op))
        } else if me == 0 {
            return false;
        } else {
            self.end(me, Ok(()));
            return true;
        };
        self.forbidden = None;
        if let (Unwinds(_), Some(op)) = (&progress, step.cleanup) {
            self.clean_up(me, op);
        }
        match progress {
            Ended(outcome) => self.finish_step(me, step, outcome),
            Suspended => {
                self.tasks[me].suspended_in = Some(step);
                self.release(me);
            }
            Unwinds(cause) if me == 0 || step.catches => {
                self.finish_step(me, step, Outcome::Caught(cause));
            }
            Unwinds(cause) => self.end(me, Err(cause)),
        }
        true
    }

    /// A destructor does something while the tasklet unwinds.
    fn clean_up(&mut self, me: usize, op: Op) {
        self.forbidden = Some(Why::Unwinding);
        let Ended(outcome) = self.begin(me, op) else {
            unreachable!("a destructor neither waits nor unwinds");
        };
        self.forbidden = None;
        let number = self.tasks[me].step;
        self.note(me, Event::Cleanup(number, op, outcome));
    }

    fn finish_step(&mut self, me: usize, step: Step, outcome: Outcome) {
        let number = self.tasks[me].step;
        self.note(me, Event::Step(number, step, outcome));
        self.tasks[me].step += 1;
    }

    fn note(&mut self, who: usize, event: Event) {
        let view = self.view();
        self.trace.push(Note { who, event, view });
    }

    fn view(&self) -> View {
        let state = |task: usize| {
            let flags = match self.tasks[task].state {
                State::Unborn | State::Unbound | State::Dead => 0,
                State::Paused => bit::ALIVE | bit::PAUSED,
                State::Blocked => bit::ALIVE | bit::SCHEDULED | bit::BLOCKED,
                State::Runnable if self.ring[0] == task => {
                    bit::ALIVE | bit::SCHEDULED | bit::CURRENT
                }
                State::Runnable => bit::ALIVE | bit::SCHEDULED,
            };
            let with = |set, bit| if set { bit } else { 0 };
            flags
                | with(self.tasks[task].block_trap, bit::BLOCK_TRAP)
                | with(self.tasks[task].atomic, bit::ATOMIC)
        };
        View {
            run_count: self.ring.len(),
            balances: std::array::from_fn(|channel| self.balance(channel)),
            states: std::array::from_fn(state),
        }
    }

    /// A name for what the current step makes.
    fn value(&self, me: usize) -> Value {
        if self.meddling {
            return by_handler(me);
        }
        Value {
            by: me,
            step: self.tasks[me].step,
            item: 0,
        }
    }
}
