//! Deadlines of the futures that one `block_on` polls.
//!
//! The scheduler's heap has one timer per tasklet, so a tasklet that polls
//! futures keeps their deadlines in a list of its own, and parks until the
//! earliest. The list is found through the tasklet: whoever is polled on it is
//! polled by its innermost `block_on`.
//!
//! Futures keep a handle of the list they are in, and may be dropped on another
//! thread, hence the lock. It is never held while foreign code runs, that is
//! while a waker is cloned, called or dropped.

use crate::tasklet::LocalKey;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

/// The list of the innermost `block_on` of each tasklet.
static CURRENT: LocalKey<RefCell<Option<Arc<Timers>>>> = LocalKey::new(RefCell::default);

/// When, and which of those with that time.
pub(super) type Key = (Instant, u64);

/// One `block_on`'s list.
#[derive(Default)]
pub(super) struct Timers {
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    due: BTreeMap<Key, Waker>,
    added: u64,
}

impl Timers {
    /// The list of whoever polls on the current tasklet.
    pub(super) fn current() -> Option<Arc<Timers>> {
        CURRENT.with(|current| current.borrow().clone())
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls `waker` at `deadline`.
    pub(super) fn add(&self, deadline: Instant, waker: &Waker) -> Key {
        let waker = waker.clone();
        let mut entries = self.lock();
        let key = (deadline, entries.added);
        entries.added += 1;
        entries.due.insert(key, waker);
        key
    }

    /// Makes `waker` the one to call; false if none is there any more.
    pub(super) fn set_waker(&self, key: Key, waker: &Waker) -> bool {
        match self.lock().due.get(&key) {
            None => return false,
            Some(there) if there.will_wake(waker) => return true,
            Some(_) => {}
        }
        let waker = waker.clone();
        let replaced = self.lock().due.insert(key, waker);
        drop(replaced);
        true
    }

    pub(super) fn remove(&self, key: Key) {
        let removed = self.lock().due.remove(&key);
        drop(removed);
    }

    /// The earliest deadline.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let entries = self.lock();
        let (&(deadline, _), _) = entries.due.first_key_value()?;
        Some(deadline)
    }

    /// Calls the wakers whose time has come, earliest first.
    pub(super) fn fire(&self) {
        // Most have no timers, and then the clock need not be read.
        if self.next_due().is_none() {
            return;
        }
        let now = Instant::now();
        while let Some(waker) = self.take_due(now) {
            waker.wake();
        }
    }

    fn take_due(&self, now: Instant) -> Option<Waker> {
        let mut entries = self.lock();
        let first = entries.due.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }
}

/// Makes a new list the current tasklet's, for as long as it lives.
pub(super) struct Frame {
    pub(super) timers: Arc<Timers>,
    outer: Option<Arc<Timers>>,
}

impl Frame {
    pub(super) fn enter() -> Frame {
        let timers = Arc::new(Timers::default());
        let outer = CURRENT.with(|current| current.replace(Some(timers.clone())));
        Frame { timers, outer }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        let outer = self.outer.take();
        drop(CURRENT.with(|current| current.replace(outer)));
    }
}
