//! Green threads for Rust after Stackless Python.
//!
//! Code that looks synchronous: a tasklet per connection, `read`, `write`,
//! `channel.receive()`. Every call that waits parks its tasklet only; the OS
//! thread runs the next one.

mod channel;
#[allow(unsafe_code, reason = "switches stacks")]
mod context;
mod error;
pub mod inspect;
pub mod io;
pub mod net;
mod offload;
mod primitives;
mod reactor;
mod scheduler;
pub mod signal;
#[allow(
    unsafe_code,
    reason = "maps, guards and unmaps stacks; reports overflows"
)]
mod stack;
pub mod sync;
#[allow(unsafe_code, reason = "system calls without a safe wrapper")]
mod sys;
#[allow(unsafe_code, reason = "calls on the thread's native stack")]
mod system_stack;
mod tasklet;
pub mod thread;
pub mod time;
mod timer;
mod wait;

pub use channel::{
    Channel, Iter, Preference, ReceiveError, SendError, SendErrorKind, TryReceiveError,
    TrySendError,
};
pub use error::{JoinError, Panicked, TaskletError, TaskletExit, Thrown, Uncaught, WaitError};
pub use offload::offload;
pub use scheduler::{
    ErrorHandler, ParkAction, ParkHook, RunReport, enter, run, schedule, schedule_remove,
    set_error_handler, set_park_hook,
};
pub use system_stack::on_system_stack;
pub use tasklet::{
    Builder, DeferKill, JoinHandle, SwitchTrap, Tasklet, TaskletResult, current, defer_kill,
    main_tasklet, run_count, spawn, switch_trap,
};
pub use thread::{Shutdown, Worker, Workers, workers};
pub use wait::{WaitReason, reason::WAIT_REASONS};
