//! What `RwLock` waits with: how many are inside, and who is in line.
//!
//! ```text
//!   state   > 0: so many readers     0: free     WRITING: one writer
//!   line    W  R  R  W  R            one for both, first in, first out
//!           ^ let in when the state allows it, then the next, until one must
//!             wait: a writer, or whoever comes after a writer that got in
//! ```
//!
//! One line for both kinds starves neither: a reader that comes while anybody
//! waits goes behind them, even if only readers are inside. Whoever is let in
//! counts as inside from that moment, before it runs, so nobody can slip in
//! between; if it ends before it runs, `undo` leaves in its place. One that
//! gives up may have held up those behind it, which are let in then.

use super::grant::GrantList;
use crate::error::WaitError;
use crate::scheduler::Park;
use crate::tasklet::Tasklet;
use std::cell::Cell;

/// A writer is inside.
const WRITING: isize = -1;

/// How a tasklet wants to use the value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Use {
    Read,
    Write,
}

/// Shared or exclusive use.
#[derive(Debug, Default)]
pub(super) struct RawRwLock {
    state: Cell<isize>,
    waiting: GrantList<Use>,
}

impl RawRwLock {
    pub(super) const fn new() -> RawRwLock {
        RawRwLock {
            state: Cell::new(0),
            waiting: GrantList::new(),
        }
    }

    pub(super) fn readers(&self) -> usize {
        usize::try_from(self.state.get()).unwrap_or(0)
    }

    pub(super) fn is_writing(&self) -> bool {
        self.state.get() == WRITING
    }

    /// Those in line, oldest first.
    pub(super) fn waiters(&self) -> Vec<Tasklet> {
        self.waiting.waiters()
    }

    /// How many are in line.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    #[inline]
    pub(super) fn enter(&self, wanted: Use, park: Park) -> Result<(), WaitError> {
        if self.try_enter(wanted) {
            return Ok(());
        }
        self.enter_later(wanted, park)
    }

    #[inline]
    pub(super) fn try_enter(&self, wanted: Use) -> bool {
        self.waiting.is_empty() && self.admit(wanted)
    }

    /// Counts one more reader if there are readers inside, whoever waits.
    pub(super) fn join_readers(&self) -> bool {
        self.state.get() > 0 && self.admit(Use::Read)
    }

    #[cold]
    fn enter_later(&self, wanted: Use, park: Park) -> Result<(), WaitError> {
        let undo = |_: &mut Use, granted| {
            if granted {
                self.leave();
            } else {
                self.let_in();
            }
        };
        self.waiting.wait(wanted, park, undo, |_| ())
    }

    /// Counts one more inside, if the state allows it.
    #[inline]
    fn admit(&self, wanted: Use) -> bool {
        let state = self.state.get();
        match wanted {
            Use::Read if state >= 0 => self.state.set(state + 1),
            Use::Write if state == 0 => self.state.set(WRITING),
            _ => return false,
        }
        true
    }

    #[inline]
    pub(super) fn leave(&self) {
        let state = self.state.get();
        debug_assert_ne!(state, 0);
        self.state.set(if state == WRITING { 0 } else { state - 1 });
        self.let_in();
    }

    /// Makes a reader of the writer inside.
    pub(super) fn downgrade(&self) {
        debug_assert!(self.is_writing());
        self.state.set(1);
        self.let_in();
    }

    /// Lets in those first in line as far as the state allows.
    #[inline]
    fn let_in(&self) {
        if !self.waiting.is_empty() {
            self.let_in_waiters();
        }
    }

    #[cold]
    fn let_in_waiters(&self) {
        let admit = |wanted: &mut Use| self.admit(*wanted);
        while self.waiting.grant_if(admit) {}
    }
}
