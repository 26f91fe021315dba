//! Callbacks that watch the scheduler: one sees every switch, one every
//! operation of a channel.
//!
//! ```text
//!   switch:   current = next; callback(prev, next); the stack is left
//!   channel:  callback(channel, tasklet, direction, blocks); checks; effect
//! ```
//!
//! Both run on the stack of the tasklet that acts, between two steps of the
//! scheduler. What they may not do, switch and use channels, is refused while
//! `IN_HOOK` is set, and a panic ends with them: a callback can observe, but
//! not disturb.

use super::switch::Order;
use super::{Scheduler, guard, local};
use crate::error::{WaitError, contain, drop_payload, panic_message};
use crate::tasklet::Tasklet;
use crate::tasklet::raw::{TcbRef, Wake};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// Called with the tasklet that is left and the one that is resumed.
pub type ScheduleCallback = Rc<dyn Fn(&Tasklet, &Tasklet)>;

/// Called with each operation of a channel.
pub type ChannelCallback = Rc<dyn Fn(&ChannelEvent<'_>)>;

/// An operation that is about to take effect on a channel.
#[derive(Debug)]
#[non_exhaustive]
pub struct ChannelEvent<'a> {
    /// [`Channel::id`](crate::Channel::id) of the channel.
    pub channel: usize,
    /// The tasklet that acts.
    pub tasklet: &'a Tasklet,
    /// It sends; otherwise it receives.
    pub sending: bool,
    /// Nobody waits on the other side.
    pub will_block: bool,
}

/// What callbacks there are.
#[derive(Default)]
pub(super) struct Hooks {
    pub(super) schedule: Option<ScheduleCallback>,
    pub(super) channel: Option<ChannelCallback>,
}

/// Sets a callback for every switch of this thread's tasklets, and returns the
/// one before.
///
/// It is called just before the switch, also when the first of its arguments
/// has ended, and not when a tasklet that gives way is alone. While it runs,
/// switching and channel operations are refused. Its panics are logged and
/// dropped.
///
/// # Scheduling
///
/// Never switches.
///
/// # Panics
///
/// When the thread is ending.
///
/// # Examples
///
/// ```
/// use std::{cell::Cell, rc::Rc};
/// let switches = Rc::new(Cell::new(0));
/// let counter = switches.clone();
/// greenling::set_schedule_callback(Some(Rc::new(move |_prev, _next| {
///     counter.set(counter.get() + 1);
/// })));
/// greenling::spawn(|| ()).join().unwrap();
/// assert_eq!(switches.get(), 2);
/// ```
pub fn set_schedule_callback(callback: Option<ScheduleCallback>) -> Option<ScheduleCallback> {
    local::expect().replace_hook(guard::SCHEDULE_HOOK, callback, |hooks| &mut hooks.schedule)
}

/// The callback that [`set_schedule_callback`] has set.
///
/// # Scheduling
///
/// Never switches.
pub fn schedule_callback() -> Option<ScheduleCallback> {
    local::get()?.hooks.borrow().schedule.clone()
}

/// Sets a callback for every `send` and `receive` on this thread's channels,
/// and returns the one before.
///
/// It is called before the operation takes effect, and before it is checked
/// for a block trap or a closing channel. While it runs, switching and channel
/// operations are refused. Its panics are logged and dropped.
///
/// # Scheduling
///
/// Never switches.
///
/// # Panics
///
/// When the thread is ending.
///
/// # Examples
///
/// ```
/// use std::rc::Rc;
/// greenling::set_channel_callback(Some(Rc::new(|event| {
///     println!("{:?} sends: {}", event.tasklet, event.sending);
/// })));
/// ```
pub fn set_channel_callback(callback: Option<ChannelCallback>) -> Option<ChannelCallback> {
    local::expect().replace_hook(guard::CHANNEL_HOOK, callback, |hooks| &mut hooks.channel)
}

/// The callback that [`set_channel_callback`] has set.
///
/// # Scheduling
///
/// Never switches.
pub fn channel_callback() -> Option<ChannelCallback> {
    local::get()?.hooks.borrow().channel.clone()
}

impl Scheduler {
    fn replace_hook<H>(
        &self,
        bit: u32,
        hook: Option<H>,
        of: impl FnOnce(&mut Hooks) -> &mut Option<H>,
    ) -> Option<H> {
        if hook.is_some() {
            self.set_guard(bit);
        } else {
            self.clear_guard(bit);
        }
        std::mem::replace(of(&mut self.hooks.borrow_mut()), hook)
    }

    /// Lets those who watch see the switch from `from` to the current tasklet,
    /// which a budget may replace; returns who it is.
    #[cold]
    #[inline(never)]
    pub(super) fn before_switch(&self, from: TcbRef, order: Order) -> TcbRef {
        if self.guard_bits() & guard::BUDGET != 0 {
            self.charge(from, order);
        }
        let next = self.current.get();
        if self.guard_bits() & guard::ACCOUNTING != 0 {
            self.account_switch(from, next);
        }
        let hook = self.hooks.borrow().schedule.clone();
        if let Some(hook) = hook.filter(|_| next != from) {
            self.call_hook("schedule", hook, from, |hook| {
                hook(&Tasklet::from_tcb(from), &Tasklet::from_tcb(next));
            });
        }
        next
    }

    /// Shows an operation of a channel to whoever wants to see it; refuses
    /// those of callbacks.
    #[cold]
    #[inline(never)]
    pub(crate) fn before_channel_operation(
        &self,
        channel: usize,
        sending: bool,
        will_block: bool,
    ) -> Result<(), WaitError> {
        if self.guard_bits() & guard::IN_HOOK != 0 {
            return Err(WaitError::SwitchTrap);
        }
        let hook = self.hooks.borrow().channel.clone();
        if let Some(hook) = hook {
            let tasklet = &Tasklet::from_tcb(self.current());
            let event = ChannelEvent {
                channel,
                tasklet,
                sending,
                will_block,
            };
            self.call_hook("channel", hook, self.current(), |hook| hook(&event));
            if tasklet.tcb().wake.get() != Wake::Notified {
                // The callback has killed it, or has thrown something at it.
                return self.after_turn(tasklet.tcb());
            }
        }
        Ok(())
    }

    fn call_hook<H>(&self, name: &str, hook: H, running: TcbRef, call: impl FnOnce(&H)) {
        self.apart.set(running);
        self.set_guard(guard::IN_HOOK);
        let called = catch_unwind(AssertUnwindSafe(|| {
            call(&hook);
            // It may have replaced itself: then this drops it.
            drop(hook);
        }));
        if let Err(payload) = called {
            contain(|| {
                let message = panic_message(&payload);
                log::error!("greenling: a {name} callback panicked: {message}");
            });
            drop_payload(payload);
        }
        self.clear_guard(guard::IN_HOOK);
    }
}
