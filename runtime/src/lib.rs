//! Green threads for Rust after Stackless Python.
//!
//! Code that looks synchronous: a tasklet per connection, `read`, `write`,
//! `channel.receive()`. Every call that waits parks its tasklet only; the OS
//! thread runs the next one.
//!
//! | to | see |
//! |---|---|
//! | start tasklets, wait for them, let them borrow | [`spawn`], [`JoinHandle`], [`scope()`] |
//! | hand values over | [`Channel`], [`sync`], [`thread::channel`] |
//! | wait for whichever comes first | [`select!`], [`mod@select`] |
//! | talk to the world | [`net`], [`io`], [`process`], [`fs`], [`signal`] |
//! | limit and cancel | [`time::timeout`], [`time::CancelToken`] |
//! | serve on several threads, to a graceful end | [`server`], [`workers`], [`Shutdown`] |
//! | use async crates | [`block_on`], [`future`] |
//! | see what goes on | [`inspect`] |
//!
//! For those who come from Stackless Python: [`port`] has the helpers that
//! programs bring along; `docs/stackless.md` in the repository has Stackless'
//! names and rules, and `docs/porting.md` programs before and after.

mod channel;
#[allow(unsafe_code, reason = "switches stacks")]
mod context;
mod error;
pub mod fs;
pub mod future;
pub mod inspect;
pub mod io;
pub mod net;
mod offload;
pub mod port;
mod primitives;
pub mod process;
mod reactor;
mod scheduler;
mod scope;
pub mod select;
pub mod server;
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
    Channel, Iter, Preference, ReceiveError, Receiving, SendError, SendErrorKind, Sending,
    SequenceError, StopIteration, TryReceiveError, TrySendError,
};
pub use error::{JoinError, Panicked, TaskletError, TaskletExit, Thrown, Uncaught, WaitError};
pub use future::block_on;
pub use offload::offload;
pub use scheduler::{
    ChannelCallback, ChannelEvent, ErrorHandler, ParkAction, ParkHook, QueueOrder, RunOptions,
    RunReport, ScheduleCallback, channel_callback, enter, error_handler, run, run_blocking,
    run_with, schedule, schedule_callback, schedule_remove, set_channel_callback,
    set_error_handler, set_park_hook, set_queue_order, set_schedule_callback, turn,
};
pub use scope::{Scope, ScopedJoinHandle, scope};
pub use system_stack::on_system_stack;
pub use tasklet::{
    Atomic, Builder, DeferKill, Ending, JoinHandle, LocalKey, SwitchTrap, Tasklet, TaskletResult,
    current, defer_kill, main_tasklet, max_tasklets, run_count, schedule_remove_with,
    schedule_with, set_max_tasklets, spawn, switch_trap,
};
pub use thread::{Shutdown, Worker, Workers, workers};
pub use wait::{WaitReason, reason::WAIT_REASONS};
