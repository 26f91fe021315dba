//! One side of a queue: those who wait, and the claims of those who were woken.
//!
//! Getters claim items and putters claim room in the same way. A claim begins
//! with the wake-up. It ends when its tasklet runs and makes use of it, or dies
//! instead; then it is free for the next.

use crate::error::WaitError;
use crate::scheduler::Park;
use crate::sync::grant::GrantList;
use crate::tasklet::Tasklet;
use std::cell::Cell;

#[derive(Debug)]
pub(super) struct Side {
    waiters: GrantList<Wake>,
    claims: Cell<usize>,
}

/// What a wake-up has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wake {
    Claim,
    /// The queue was closed.
    Refusal,
}

impl Side {
    pub(super) const fn new() -> Side {
        Side {
            waiters: GrantList::new(),
            claims: Cell::new(0),
        }
    }

    /// Claims of tasklets that were woken and have not run.
    pub(super) fn claims(&self) -> usize {
        self.claims.get()
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiters.len()
    }

    /// Who waits, oldest first.
    pub(super) fn waiters(&self) -> Vec<Tasklet> {
        self.waiters.waiters()
    }

    /// Waits for a claim, which the caller uses before it does anything else;
    /// false if there is none to wait for any more. `serve` is called when a
    /// claim has become free.
    pub(super) fn wait(&self, park: Park, serve: impl FnOnce()) -> Result<bool, WaitError> {
        let give_up = |wake: &mut Wake, woken| {
            if woken && *wake == Wake::Claim {
                self.claims.set(self.claims.get() - 1);
                serve();
            }
        };
        let run = |wake: &mut Wake| {
            let has_claim = *wake == Wake::Claim;
            if has_claim {
                self.claims.set(self.claims.get() - 1);
            }
            has_claim
        };
        self.waiters.wait(Wake::Claim, park, give_up, run)
    }

    /// Wakes waiters, oldest first, as long as there is something to claim,
    /// given the number of claims.
    pub(super) fn serve(&self, is_left: impl Fn(usize) -> bool) {
        while is_left(self.claims.get()) && self.waiters.grant_next(|_| ()) {
            self.claims.set(self.claims.get() + 1);
        }
    }

    /// Wakes all waiters, with nothing.
    pub(super) fn refuse(&self) {
        self.waiters.grant_all(|wake| *wake = Wake::Refusal);
    }
}
