//! Stackless' value slot: what a suspended `schedule` is to return.
//!
//! Together with [`schedule_remove_with`] and [`Tasklet::insert`] it makes a
//! park that is unparked with a value, without a channel.

use super::handle::{Tasklet, current};
use super::raw::flag;
use crate::error::TaskletError;
use crate::scheduler::{schedule, schedule_remove};
use std::any::Any;

impl Tasklet {
    /// Puts a value into the tasklet's slot, in place of what was there.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    ///
    /// # Cancellation
    ///
    /// A value that nobody has taken is dropped when the tasklet ends.
    ///
    /// # Errors
    ///
    /// `Dead`; the value is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenling::{schedule_remove_with, spawn};
    /// let waiter = spawn(|| schedule_remove_with(0));
    /// greenling::schedule();
    /// waiter.tasklet().set_tempval(42).unwrap();
    /// waiter.tasklet().insert().unwrap();
    /// assert_eq!(waiter.join().unwrap(), 42);
    /// ```
    pub fn set_tempval<T: 'static>(&self, value: T) -> Result<(), TaskletError> {
        if !self.is_alive() {
            return Err(TaskletError::Dead);
        }
        let value: Box<dyn Any> = Box::new(value);
        let replaced = self
            .tcb()
            .with_extras(|extras| extras.values.tempval.replace(value));
        self.set_flag(flag::VALUES, true);
        drop(replaced);
        Ok(())
    }

    /// Takes the value out of the slot, if it is a `T`.
    pub fn take_tempval<T: 'static>(&self) -> Option<T> {
        if !self.tcb().has(flag::VALUES) {
            return None;
        }
        let value = self
            .tcb()
            .with_extras(|extras| extras.values.tempval.take_if(|value| value.is::<T>()))?;
        value.downcast().ok().map(|value| *value)
    }
}

/// As [`schedule`], and returns what was put into the caller's slot meanwhile,
/// or else `value`. Something that is no `T` stays in the slot.
///
/// # Scheduling
///
/// As [`schedule`].
///
/// # Cancellation
///
/// As [`schedule`]; `value` is dropped.
///
/// # Panics
///
/// When the thread is ending.
pub fn schedule_with<T: 'static>(value: T) -> T {
    schedule();
    current().take_tempval().unwrap_or(value)
}

/// As [`schedule_remove`], and returns what was put into the caller's slot
/// meanwhile, or else `value`. Something that is no `T` stays in the slot.
///
/// # Scheduling
///
/// As [`schedule_remove`].
///
/// # Cancellation
///
/// As [`schedule_remove`]; `value` is dropped.
///
/// # Panics
///
/// When the thread is ending.
#[track_caller]
pub fn schedule_remove_with<T: 'static>(value: T) -> T {
    schedule_remove();
    current().take_tempval().unwrap_or(value)
}
