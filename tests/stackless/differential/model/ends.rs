//! How tasklets end and who is told: rules 15, 21 to 25, and join handles,
//! which keep a result until somebody takes it.

use super::{Ended, Model, Progress, State, Wake, done, refused};
use crate::differential::program::Handler;
use crate::differential::trace::{Cause, Event, Outcome, Value, Why, by_handler};

impl Model<'_> {
    /// The current tasklet ends.
    pub(super) fn end(&mut self, me: usize, ending: Result<(), Cause>) {
        self.note(me, Event::Gone);
        let joined = self.program.births[me].is_joined();
        let value = Value {
            by: me,
            step: 0,
            item: 0,
        };
        match ending {
            _ if joined && !self.tasks[me].detached => {
                self.tasks[me].result = Some(ending.map(|()| value));
            }
            Ok(()) | Err(Cause::Exit) => {}
            Err(cause) => {
                // A tasklet that somebody could have joined fails nobody else.
                if let Some(cause) = self.tell_handler(me, cause)
                    && !joined
                {
                    self.raise(me, cause);
                }
            }
        }
        self.tasks[me].held_back = None;
        self.tasks[me].guards = 0;
        self.tasks[me].parcel = None;
        self.tasks[me].slot = None;
        while let Some(joiner) = self.tasks[me].joiners.pop_front() {
            self.append(joiner);
        }
        self.leave(State::Dead);
    }

    /// The error that the handler leaves over.
    fn tell_handler(&mut self, who: usize, cause: Cause) -> Option<Cause> {
        if self.handler == Handler::None {
            return Some(cause);
        }
        self.note(who, Event::Handled(cause));
        let me = self.ring[0];
        if let Handler::Meddles(meddle, _) = self.handler {
            let before = self.forbidden.replace(Why::SwitchTrap);
            self.meddling = true;
            let op = meddle.op(me);
            let Ended(outcome) = self.begin(me, op) else {
                unreachable!("a handler neither waits nor unwinds");
            };
            self.meddling = false;
            self.forbidden = before;
            self.note(me, Event::Meddled(op, outcome));
        }
        let panics = matches!(self.handler, Handler::Panics | Handler::Meddles(_, true));
        panics.then_some(Cause::Panic(by_handler(me)))
    }

    /// A tasklet that may be bound to a function gets one.
    pub(super) fn bind(&mut self, me: usize, task: usize) -> Progress {
        let Some(why) = self.why_not_bound(me, task) else {
            self.forget_function(task);
            let bound = &mut self.tasks[task];
            bound.state = State::Paused;
            bound.started = false;
            bound.step = 0;
            bound.rebirths += 1;
            return done();
        };
        // The function is dropped.
        self.note(task, Event::Gone);
        refused(why)
    }

    fn why_not_bound(&self, me: usize, task: usize) -> Option<Why> {
        match self.tasks[task].state {
            _ if task == me => Some(Why::Current),
            State::Blocked => Some(Why::Blocked),
            State::Runnable => Some(Why::Scheduled),
            _ if task == 0 => Some(Why::Main),
            _ if self.program.births[task].is_joined() => Some(Why::Dead),
            State::Paused if self.tasks[task].started => Some(Why::Bound),
            _ => None,
        }
    }

    pub(super) fn unbind(&mut self, me: usize, task: usize) -> Progress {
        if let Some(why) = self.why_not_bound(me, task) {
            return refused(why);
        }
        self.forget_function(task);
        done()
    }

    /// One that has never started loses its function and what was put into its
    /// slot.
    fn forget_function(&mut self, task: usize) {
        if self.tasks[task].state == State::Paused {
            self.tasks[task].state = State::Unbound;
            self.tasks[task].slot = None;
            self.tasks[task].wake = None;
            self.note(task, Event::Gone);
        }
    }

    /// The handle can be taken: it is there, and nobody waits with it.
    fn take_handle(&mut self, task: usize) -> bool {
        let target = &mut self.tasks[task];
        target.waiting == 0 && std::mem::take(&mut target.has_handle)
    }

    /// The handle is dropped: an error that nobody took goes to the handler.
    fn drop_handle(&mut self, task: usize) {
        if let Some(Err(cause)) = self.tasks[task].result.take()
            && cause != Cause::Exit
        {
            self.tell_handler(task, cause);
        }
        self.tasks[task].detached = true;
    }

    pub(super) fn detach(&mut self, task: usize) -> Progress {
        if !self.take_handle(task) {
            return Ended(Outcome::Nothing);
        }
        self.drop_handle(task);
        done()
    }

    pub(super) fn join(&mut self, me: usize, task: usize) -> Progress {
        if !self.take_handle(task) {
            return Ended(Outcome::Nothing);
        }
        if self.tasks[task].state == State::Dead {
            return self.joined(task, None);
        }
        match self.why_no_join(me, task) {
            Some(why) => {
                self.drop_handle(task);
                refused(why)
            }
            None => self.wait_for_end(me, task),
        }
    }

    pub(super) fn wait(&mut self, me: usize, task: usize) -> Progress {
        if !self.tasks[task].has_handle {
            return Ended(Outcome::Nothing);
        }
        if self.tasks[task].state == State::Dead {
            return done();
        }
        if let Some(why) = self.why_no_join(me, task) {
            return refused(why);
        }
        self.tasks[task].waiting += 1;
        self.wait_for_end(me, task)
    }

    fn why_no_join(&self, me: usize, task: usize) -> Option<Why> {
        if task == me {
            return Some(Why::Deadlock);
        }
        self.forbidden
    }

    fn wait_for_end(&mut self, me: usize, task: usize) -> Progress {
        self.tasks[task].joiners.push_back(me);
        self.leave(State::Blocked)
    }

    /// A join resumes, or need not wait.
    pub(super) fn joined(&mut self, task: usize, wake: Option<Wake>) -> Progress {
        if let Some(wake) = wake {
            self.drop_handle(task);
            return refused(why_ended(wake));
        }
        self.tasks[task].detached = true;
        match self.tasks[task].result.take() {
            Some(Ok(value)) => Ended(Outcome::Got(value)),
            Some(Err(Cause::Panic(value))) => refused(Why::Panicked(value)),
            Some(Err(Cause::Error(value))) => refused(Why::Thrown(value)),
            Some(Err(Cause::Exit)) | None => refused(Why::Killed),
        }
    }

    /// A wait for an end resumes.
    pub(super) fn waited(&mut self, wake: Option<Wake>) -> Progress {
        match wake {
            Some(wake) => refused(why_ended(wake)),
            None => done(),
        }
    }

    /// The caller of `wait` or `join` unwinds out of it.
    pub(super) fn give_up_join(&mut self, task: usize) {
        self.drop_handle(task);
    }
}

fn why_ended(wake: Wake) -> Why {
    match wake {
        Wake::Thrown(error) => Why::Thrown(error),
        _ => Why::Deadlock,
    }
}
