//! The queue: rules 1 to 20 and 38 to 39.

use super::{Model, Progress, State, Suspended, Wake};

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

    pub(super) fn go_to_next(&mut self) -> Progress {
        self.ring.rotate_left(1);
        Suspended
    }

    /// The current tasklet leaves the ring in the given state.
    pub(super) fn leave(&mut self, state: State) -> Progress {
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

    /// The innermost caller of `run`, or main.
    pub(super) fn wake_target(&self) -> usize {
        self.runners.last().copied().unwrap_or(0)
    }

    pub(super) fn count(&self, state: State) -> usize {
        self.tasks.iter().filter(|task| task.state == state).count()
    }
}
