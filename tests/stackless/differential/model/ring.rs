//! The queue: rules 1 to 20 and 38 to 39.

use super::{Model, Progress, State, Suspended, Wake};
use crate::differential::trace::{Event, NOBODY, Note};

impl Model<'_> {
    /// At the end of the queue: just before current.
    pub(super) fn append(&mut self, task: usize) {
        self.tasks[task].state = State::Runnable;
        self.ring.push_back(task);
    }

    /// Next to run.
    pub(super) fn insert_after_current(&mut self, task: usize) {
        self.tasks[task].state = State::Runnable;
        self.ring.insert(1, task);
    }

    /// Makes another member current: a rotation.
    pub(super) fn go(&mut self, task: usize) -> Progress {
        let position = self.ring.iter().position(|&t| t == task);
        let position = position.expect("a member of the ring");
        self.ring.rotate_left(position);
        Suspended
    }

    /// Resumes a tasklet that is queued, or else was paused, with the caller
    /// right behind it. One that is queued keeps its place in the ring, but
    /// not in the flat order, where main waits until the queue has drained.
    pub(super) fn resume_now(&mut self, me: usize, task: usize) -> Progress {
        self.bring_forward(task);
        if self.program.flat && me == 0 {
            self.ring.pop_front();
            self.tasks[me].state = State::Paused;
            self.runners.push(me);
        }
        self.go(task)
    }

    /// As `resume_now`, but the caller is paused.
    pub(super) fn switch_to(&mut self, me: usize, task: usize) -> Progress {
        self.bring_forward(task);
        self.ring.pop_front();
        self.tasks[me].state = State::Paused;
        self.go(task)
    }

    fn bring_forward(&mut self, task: usize) {
        if self.tasks[task].state == State::Runnable {
            if !self.program.flat {
                return;
            }
            self.ring.retain(|&t| t != task);
        }
        self.append(task);
    }

    pub(super) fn go_to_next(&mut self) -> Progress {
        self.gives_way = true;
        self.ring.rotate_left(1);
        Suspended
    }

    /// The current tasklet leaves the ring in the given state.
    pub(super) fn leave(&mut self, state: State) -> Progress {
        self.gives_way = true;
        let me = self.ring.pop_front().expect("somebody is current");
        self.tasks[me].state = state;
        self.release(me);
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

    /// Out of whatever a blocked tasklet waits in.
    pub(super) fn unlink(&mut self, task: usize) {
        for channel in &mut self.channels {
            channel.waiting.retain(|&t| t != task);
        }
        for other in &mut self.tasks {
            other.joiners.retain(|&t| t != task);
        }
    }

    /// A call of `run` comes back: those inside it do as well, after it.
    pub(super) fn leave_runners(&mut self, me: usize) {
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

    /// Whoever is current is resumed, unless a budget is spent.
    pub(super) fn switch(&mut self) {
        let promised = std::mem::take(&mut self.promised);
        let gave_way = std::mem::take(&mut self.gives_way);
        let from = self.running;
        if self.ring[0] == from && !gave_way {
            return;
        }
        self.charge(from, promised);
        self.running = self.ring[0];
        if self.program.watched && self.running != from {
            let (event, view) = (Event::Switch(self.running), self.view().without_current());
            let note = Note {
                who: from,
                event,
                view,
            };
            self.trace.push(note);
        }
    }

    /// Counts a switch; puts the owner of a spent budget first.
    fn charge(&mut self, from: usize, promised: bool) {
        let Some(budget) = &mut self.budget else {
            return;
        };
        let owner = budget.owner;
        if self.ring[0] == owner {
            return;
        }
        if budget.left > 0 {
            budget.left -= 1;
            return;
        }
        // An owner that is queued resumes anyway.
        let waits = self.tasks[owner].state == State::Paused;
        if !promised && !self.tasks[from].atomic && waits {
            let lives = self.tasks[from].state != State::Dead;
            budget.spent = Some(if lives { from as u8 } else { NOBODY });
            self.tasks[owner].state = State::Runnable;
            self.ring.push_front(owner);
        }
    }

    /// The innermost caller of `run`, or main.
    pub(super) fn wake_target(&self) -> usize {
        self.runners.last().copied().unwrap_or(0)
    }

    pub(super) fn count(&self, state: State) -> usize {
        self.tasks.iter().filter(|task| task.state == state).count()
    }
}
