//! Regions of a tasklet that others can cancel.
//!
//! ```text
//!   tasklet A:   cancellable(|outer| ... cancellable(|inner| ... wait ... ) ... )
//!                                                               ^
//!   tasklet B:   outer.cancel() --- throws a token at A --------+
//! ```
//!
//! The wait that A is in fails with the token; what the code makes of it is its
//! own affair, until it comes out of the region that the token names, which
//! reports `Cancelled`. The regions inside of that one see an error like any
//! other. Calls that return nothing, such as `schedule`, unwind instead: the
//! region catches its own token and lets others pass.

use crate::error::Thrown;
use crate::tasklet::{Tasklet, current};
use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is thrown at a tasklet to cancel one of its regions.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegionCancelled {
    token: u64,
}

impl RegionCancelled {
    /// The region's number, which no other region of the process ever has; see
    /// [`CancelHandle::token`].
    pub fn token(&self) -> u64 {
        self.token
    }
}

impl fmt::Display for RegionCancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the region was cancelled")
    }
}

impl Error for RegionCancelled {}

/// A region was cancelled before it was over.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled<T> {
    value: Option<T>,
}

impl<T> Cancelled<T> {
    /// What the closure returned; nothing if it was unwound.
    pub fn into_inner(self) -> Option<T> {
        self.value
    }
}

impl<T> fmt::Display for Cancelled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the region was cancelled")
    }
}

impl<T: fmt::Debug> Error for Cancelled<T> {}

/// Runs `f` as a region that [`CancelHandle::cancel`] can end early. Regions
/// nest, and each has its own handle.
///
/// # Scheduling
///
/// Switches only as `f` does.
///
/// # Cancellation
///
/// A cancelled wait took nothing, except that a value which had been handed
/// over already is dropped, as by any throw. What `f` returned is in
/// [`Cancelled`].
///
/// # Errors
///
/// [`Cancelled`] if the region was cancelled before `f` returned.
///
/// # Panics
///
/// With the panic of `f`, and when the thread is ending.
///
/// # Examples
///
/// ```
/// use greenling::{Channel, port::cancellable, spawn};
/// let never = Channel::<()>::new();
/// let result = cancellable(|region| {
///     let region = region.clone();
///     spawn(move || region.cancel());
///     never.receive()
/// });
/// assert!(result.unwrap_err().into_inner().unwrap().is_err());
/// ```
pub fn cancellable<T>(f: impl FnOnce(&CancelHandle) -> T) -> Result<T, Cancelled<T>> {
    static TOKENS: AtomicU64 = AtomicU64::new(1);
    let handle = CancelHandle {
        region: Rc::new(Region {
            token: TOKENS.fetch_add(1, Ordering::Relaxed),
            tasklet: current(),
            state: Cell::new(State::Open),
        }),
    };
    let region = &*handle.region;
    let result = catch_unwind(AssertUnwindSafe(|| f(&handle)));
    let state = region.state.replace(State::Over);
    match result {
        Ok(value) if state == State::Open => Ok(value),
        Ok(value) => Err(Cancelled { value: Some(value) }),
        Err(payload) => {
            let thrown = payload.downcast_ref::<Thrown>();
            let token = thrown.and_then(|error| error.downcast_ref::<RegionCancelled>());
            if token.is_some_and(|token| token.token == region.token) {
                return Err(Cancelled { value: None });
            }
            resume_unwind(payload)
        }
    }
}

/// Cancels one region; see [`cancellable`]. Clones are for the same region.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Clone)]
pub struct CancelHandle {
    region: Rc<Region>,
}

struct Region {
    token: u64,
    tasklet: Tasklet,
    state: Cell<State>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Cancelled,
    Over,
}

impl CancelHandle {
    /// Has the wait that the region's tasklet is in fail with
    /// `WaitError::Thrown` of a [`RegionCancelled`], when its turn comes; a
    /// call that returns nothing unwinds. False if the region is over.
    ///
    /// A tasklet that cancels a region of its own unwinds from here. While the
    /// tasklet holds kills back ([`defer_kill`](crate::defer_kill)), so is
    /// this, and the error may then arrive when the region is over. As with any
    /// throw, a kill that is still on its way gives place to it.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn cancel(&self) -> bool {
        let region = &*self.region;
        if region.state.get() == State::Over {
            return false;
        }
        let before = region.state.replace(State::Cancelled);
        let token = RegionCancelled {
            token: region.token,
        };
        let thrown = region.tasklet.throw_pending(token).is_ok();
        if !thrown {
            // The tasklet itself, in a destructor of an unwind.
            region.state.set(before);
        }
        thrown
    }

    /// True until the closure has returned.
    pub fn is_open(&self) -> bool {
        self.region.state.get() != State::Over
    }

    /// The region's number, by which a [`RegionCancelled`] names it.
    pub fn token(&self) -> u64 {
        self.region.token
    }
}

impl fmt::Debug for CancelHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelHandle")
            .field("token", &self.region.token)
            .field("state", &self.region.state.get())
            .finish()
    }
}
