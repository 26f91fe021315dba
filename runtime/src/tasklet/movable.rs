//! A function that has not started and may still change threads.
//!
//! ```text
//!   stack of the tasklet          Extras              address, for other threads
//!   closure { Arc<Function> } --> Arc<Function> <---- Arc<Function>
//! ```
//!
//! The function lies outside of the stack, so that it can leave before it is
//! called, and outlive the thread that was to call it.

use super::binding::TaskletResult;
use super::builder::Builder;
use super::handle::Tasklet;
use crate::error::Thrown;
use crate::scheduler::local;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

type Call = Box<dyn FnOnce() -> Result<(), Thrown> + Send>;

/// A function, until somebody takes it.
pub(crate) struct Function(Mutex<Option<Call>>);

impl Function {
    pub(crate) fn take(&self) -> Option<Call> {
        let mut call = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        call.take()
    }

    pub(crate) fn put_back(&self, call: Call) {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *place = Some(call);
    }
}

/// What lies on the tasklet's stack.
struct Caller(Arc<Function>);

impl Caller {
    fn call(&self) -> Result<(), Thrown> {
        self.0.take().map_or(Ok(()), |call| call())
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        // The end of the thread is not the end of the function: whoever knows
        // the tasklet may adopt it.
        if local::get().is_some() {
            drop(self.0.take());
        }
    }
}

impl Builder {
    /// As [`Builder::tasklet`], for a function that may change threads until
    /// it starts; see [`Tasklet::bind_thread`].
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Errors
    ///
    /// As [`Builder::spawn`].
    #[track_caller]
    pub fn tasklet_send<F, R>(self, f: F) -> io::Result<Tasklet>
    where
        F: FnOnce() -> R + Send + 'static,
        R: TaskletResult,
    {
        let call: Call = Box::new(move || f().into_result());
        self.movable(Arc::new(Function(Mutex::new(Some(call)))))
    }

    /// A tasklet of this thread for a function from anywhere, which is put
    /// there afterwards: if none can be made, the function is not lost.
    #[track_caller]
    pub(crate) fn movable(self, function: Arc<Function>) -> io::Result<Tasklet> {
        let caller = Caller(function.clone());
        let tasklet = self.tasklet(move || caller.call())?;
        tasklet
            .tcb()
            .with_extras(|extras| extras.function = Some(function));
        Ok(tasklet)
    }
}

impl Tasklet {
    /// As [`Tasklet::new`], for a function that may change threads until it
    /// starts; see [`Tasklet::bind_thread`].
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Panics
    ///
    /// When no stack can be had; [`Builder::tasklet_send`] returns the error.
    #[track_caller]
    pub fn new_send<F, R>(f: F) -> Tasklet
    where
        F: FnOnce() -> R + Send + 'static,
        R: TaskletResult,
    {
        match Builder::new().tasklet_send(f) {
            Ok(tasklet) => tasklet,
            Err(error) => panic!("greenling: no stack for a new tasklet: {error}"),
        }
    }
}
