//! Wait lists whose wake-up carries something that must not get lost: a lock,
//! a permit, a notification.
//!
//! ```text
//!             wait(wanted)                grant_next, grant_if
//!   caller ----------------> in the list ----------------------> granted
//!                                 |                                 |
//!             killed, thrown at,  |            killed, thrown at    | runs
//!             timed out, deadlock v            before it has run    v
//!                       undo(wanted, false)   undo(wanted, true)   done
//! ```
//!
//! The giver hands over what it gives when it wakes the waiter: it keeps its
//! books as if the waiter had it already, so nobody who comes in between can
//! take it away, and waiters are served first in, first out. The price is that
//! a waiter can end between being served and running. Then `undo` is called
//! with `true`, and must put back what was granted, or pass it on. It is called
//! with `false` when a waiter leaves that had got nothing, which may make way
//! for those behind it.
//!
//! `undo` also runs while a tasklet unwinds. It must not switch, and must not
//! run foreign code; making others runnable does neither.
//!
//! # Rules for users
//!
//! * Try first, wait only if that fails, and join a queue that is not empty
//!   even if what is wanted could be had, or waiters starve.
//! * Whatever tells that somebody waits is in `wanted`, or is counted by the
//!   list: when `wait` refuses (a trap, an unwinding caller) neither `undo` nor
//!   `done` is called.
//! * `wanted` may be dropped after `undo`, in the waiter's frame, so it may hold
//!   foreign values (an item for a queue's consumer).
//!
//! All waits honour the tasklet's block trap, as Stackless' locks do, which are
//! made of channels.

use crate::error::WaitError;
use crate::scheduler::{Park, Scheduler, local};
use crate::tasklet::Tasklet;
use crate::tasklet::raw::flag;
use crate::wait::WaitList;
use std::time::{Duration, Instant};

/// First in, first out queue of parked tasklets, each of which wants an `R`.
#[derive(Debug)]
pub(crate) struct GrantList<R> {
    list: WaitList<Request<R>>,
}

impl<R> Default for GrantList<R> {
    fn default() -> GrantList<R> {
        GrantList::new()
    }
}

/// What a waiter wants, and whether it has it.
#[derive(Debug)]
struct Request<R> {
    wanted: R,
    granted: bool,
}

impl<R> GrantList<R> {
    pub(crate) const fn new() -> GrantList<R> {
        GrantList {
            list: WaitList::new(),
        }
    }

    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// Who waits, oldest first.
    pub(crate) fn waiters(&self) -> Vec<Tasklet> {
        let tasks = self.list.tasks();
        tasks.into_iter().map(Tasklet::from_tcb).collect()
    }

    /// Parks the caller at the end of the list until it is granted what it
    /// wants; see the header for `undo` and `done`.
    #[cold]
    pub(crate) fn wait<T>(
        &self,
        wanted: R,
        park: Park,
        undo: impl FnOnce(&mut R, bool),
        done: impl FnOnce(&mut R) -> T,
    ) -> Result<T, WaitError> {
        let scheduler = may_wait()?;
        let request = Request {
            wanted,
            granted: false,
        };
        self.list.wait_or_undo(
            scheduler,
            request,
            park,
            |request| undo(&mut request.wanted, request.granted),
            |request| {
                debug_assert!(request.granted);
                done(&mut request.wanted)
            },
        )
    }

    /// Grants the oldest waiter what it wants, after showing it to `give`, and
    /// makes the waiter runnable; false if nobody waits, or nobody can be woken
    /// any more since the thread is ending.
    pub(crate) fn grant_next(&self, give: impl FnOnce(&mut R)) -> bool {
        self.grant_if(|wanted| {
            give(wanted);
            true
        })
    }

    /// Grants all waiters what they want, oldest first.
    pub(crate) fn grant_all(&self, give: impl Fn(&mut R)) {
        while self.grant_next(&give) {}
    }

    /// As `grant_next` if `accept` says so; false if it does not. `accept` must
    /// not run foreign code.
    pub(crate) fn grant_if(&self, accept: impl FnOnce(&mut R) -> bool) -> bool {
        let Some(scheduler) = local::get() else {
            return false;
        };
        let task = self.list.pop_if(|request| {
            request.granted = accept(&mut request.wanted);
            request.granted
        });
        if let Some(task) = task {
            scheduler.make_runnable(task);
        }
        task.is_some()
    }
}

/// The scheduler, if the caller may wait as for a channel: no trap forbids it,
/// and it is not unwinding.
pub(crate) fn may_wait() -> Result<&'static Scheduler, WaitError> {
    let scheduler = local::get_or_make().ok_or(WaitError::Unwinding)?;
    scheduler.check_may_park()?;
    if scheduler.current().has(flag::BLOCK_TRAP) {
        return Err(WaitError::BlockTrap);
    }
    Ok(scheduler)
}

/// The deadline of a wait that may last `timeout`; none if that is longer than
/// the clock can express.
pub(crate) fn deadline_after(timeout: Duration) -> Option<Instant> {
    Instant::now().checked_add(timeout)
}
