//! What few tasklets have, kept apart from their control block.
//!
//! The flag `EXTRAS` says that there are some, so that the others pay one look
//! at it. Values are foreign: their destructors may call anything, and panic.
//! So they run one by one, each contained by itself, and never while
//! something of the scheduler is borrowed.

use super::movable::Function;
use super::raw::{Tcb, TcbRef, flag};
use crate::error::contain;
use std::any::Any;
use std::rc::Rc;
use std::sync::{Arc, Weak};

#[derive(Default)]
pub(crate) struct Extras {
    pub(crate) name: Option<Box<str>>,
    pub(crate) values: Values,
    /// What it is to run, as long as that may change threads.
    pub(crate) function: Option<Arc<Function>>,
    /// By what other threads reach it; they may, as long as it can be upgraded.
    pub(crate) address: Option<Weak<dyn Any + Send + Sync>>,
}

/// What users have stored with the tasklet.
#[derive(Default)]
pub(crate) struct Values {
    /// Stackless' value slot.
    pub(crate) tempval: Option<Box<dyn Any>>,
    /// Tasklet-local values, by the address of their key, oldest first.
    pub(crate) locals: Vec<(usize, Rc<dyn Any>)>,
}

impl Drop for Values {
    fn drop(&mut self) {
        drop_value(self.tempval.take());
        for local in self.locals.drain(..) {
            drop_value(local);
        }
    }
}

fn drop_value<T>(value: T) {
    if contain(|| drop(value)) {
        contain(|| {
            log::error!("greenling: a value stored with a tasklet panicked when it was dropped");
        });
    }
}

impl Tcb {
    /// Runs `f` with the extras, made if need be. `f` runs no foreign code.
    pub(crate) fn with_extras<R>(&self, f: impl FnOnce(&mut Extras) -> R) -> R {
        let mut extras = self.extras.take().unwrap_or_default();
        self.set(flag::EXTRAS);
        let result = f(&mut extras);
        self.extras.set(Some(extras));
        result
    }

    /// All that is kept for few.
    #[cold]
    pub(crate) fn take_extras(&self) -> Option<Box<Extras>> {
        self.clear(flag::EXTRAS);
        self.extras.take()
    }

    /// The values that are dropped when it ends.
    pub(crate) fn take_values(&self) -> Option<Values> {
        if !self.has(flag::VALUES) {
            return None;
        }
        self.clear(flag::VALUES);
        Some(self.with_extras(|extras| std::mem::take(&mut extras.values)))
    }

    /// The function that may move, which then no longer may.
    pub(crate) fn take_function(&self) -> Option<Arc<Function>> {
        let mut extras = self.extras.take()?;
        let function = extras.function.take();
        self.extras.set(Some(extras));
        function
    }

    /// The name, if it has one.
    pub(crate) fn name(&self) -> Option<String> {
        let extras = self.extras.take();
        let name = extras.as_ref().and_then(|extras| extras.name.as_deref());
        let name = name.map(str::to_owned);
        self.extras.set(extras);
        name
    }
}

impl TcbRef {
    /// True if anybody could ever insert it: by a handle, or from another
    /// thread.
    pub(crate) fn is_reachable(self) -> bool {
        let remote = |extras: &Extras| {
            let address = extras.address.as_ref();
            address.is_some_and(|address| address.strong_count() > 0)
        };
        self.has_handles() || (self.has(flag::REMOTE) && self.with_extras(|it| remote(it)))
    }
}
