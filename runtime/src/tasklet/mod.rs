//! Tasklets: what can be done to one, and how they are made.
//!
//! `spawn` is the everyday way and gives a join handle; [`Tasklet`] is
//! Stackless' object. Both are the same machine: `raw` has the control block,
//! `entry` its first and last function.

mod binding;
mod builder;
mod ending;
#[allow(unsafe_code, reason = "moves closures to fresh stacks")]
pub(crate) mod entry;
pub(crate) mod extras;
mod guards;
mod handle;
#[allow(unsafe_code, reason = "moves results out of control blocks")]
mod join;
mod limit;
mod local;
pub(crate) mod movable;
#[allow(unsafe_code, reason = "control blocks and their table")]
pub(crate) mod raw;
mod tempval;

pub use binding::TaskletResult;
pub use builder::{Builder, spawn};
pub use ending::Ending;
pub use guards::{Atomic, DeferKill, SwitchTrap, defer_kill, switch_trap};
pub use handle::{Tasklet, current, main_tasklet, run_count};
pub use join::JoinHandle;
pub use limit::{max_tasklets, set_max_tasklets};
pub use local::LocalKey;
pub use tempval::{schedule_remove_with, schedule_with};
