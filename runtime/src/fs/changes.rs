//! The order of jobs that change one file.
//!
//! A tasklet that is killed or times out leaves its job behind, in the pool's
//! queue or running. What the next job writes must not be overtaken by it, nor
//! may a later read miss it.
//!
//! ```text
//!   numbers:   0 1 2 3 4 5 6          issued: 7
//!              . . . . ^   x          `.` ended; `x` ended before its turn
//!                      next: 4        5 waits for its turn on the pool's thread
//! ```
//!
//! Such waits end: the queue is first in, first out, so all that a job waits
//! for have begun before it.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Numbers the changes of one file.
#[derive(Debug, Default)]
pub(super) struct Changes {
    state: Mutex<State>,
    /// Told whenever `next` grows.
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    issued: u64,
    /// All below have ended.
    next: u64,
    /// Those that ended without having begun, out of turn.
    early: BTreeSet<u64>,
}

impl Changes {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of changes that were asked for so far.
    pub(super) fn issued(&self) -> u64 {
        self.lock().issued
    }

    /// Whether one that was asked for has not ended.
    pub(super) fn are_pending(&self) -> bool {
        let state = self.lock();
        state.next < state.issued
    }

    /// The next change, which lasts until it is dropped.
    pub(super) fn issue(self: &Arc<Self>) -> Change {
        let mut state = self.lock();
        let number = state.issued;
        state.issued += 1;
        Change {
            changes: self.clone(),
            number,
        }
    }

    /// Blocks the thread until the first `count` changes have ended.
    pub(super) fn wait_for(&self, count: u64) {
        let waiting = self
            .ended
            .wait_while(self.lock(), |state| state.next < count);
        drop(waiting);
    }
}

/// One change in progress, or yet to begin.
#[derive(Debug)]
pub(super) struct Change {
    changes: Arc<Changes>,
    number: u64,
}

impl Change {
    /// Blocks the thread until all earlier changes have ended.
    pub(super) fn wait_for_turn(&self) {
        self.changes.wait_for(self.number);
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        let mut state = self.changes.lock();
        state.early.insert(self.number);
        loop {
            let next = state.next;
            if !state.early.remove(&next) {
                break;
            }
            state.next += 1;
        }
        drop(state);
        self.changes.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn changes_take_turns_even_if_one_never_begins() {
        let changes: Arc<Changes> = Arc::default();
        let (first, second, third) = (changes.issue(), changes.issue(), changes.issue());
        assert_eq!(changes.issued(), 3);
        drop(second);
        let (tell, told) = mpsc::channel();
        let turn = std::thread::spawn(move || {
            third.wait_for_turn();
            tell.send("third").unwrap();
        });
        first.wait_for_turn();
        // It can't be the third's turn, since this one goes on.
        assert!(told.try_recv().is_err());
        drop(first);
        turn.join().unwrap();
        told.recv().unwrap();
        changes.wait_for(3);
    }
}
