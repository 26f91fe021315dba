//! What programs ported from Stackless Python bring along.
//!
//! Nearly every Stackless program has its own sleep, its own main loop, its own
//! futures. These are theirs, made once and safe against kills, throws and
//! timeouts. All of it is for one OS thread unless it says otherwise, and
//! nothing switches unless it says so. Waits honour timeout scopes and, as they
//! are receives in Stackless, the block trap.
//!
//! | file | has |
//! |---|---|
//! | `clock` | the time that events go by, real or virtual |
//! | `event_queue`, `event_books` | functions that are called at their time, by a pump |
//! | `sleeper` | sleeping until a pump |
//! | `yield_channel` | being nice: out of the run queue until a pump |
//! | `main_loop`, `loop_handle`, `turn` | wait, pumps, events, tasklets, and again |
//! | `queue_channel`, `queue_iter` | a buffer in front of a channel |
//! | `future`, `future_error`, `completer` | a value that somebody works on |
//! | `wait_for` | waiting for several things at once |
//! | `executor`, `pool` | where functions run whose results are futures |
//! | `call`, `parallel` | calls on tasklets and threads, and lists of them |
//! | `region` | regions of a tasklet that others can cancel |
//! | `caught` | whom a panic in all of these is meant for |
//!
//! Where to find what a port looks for:
//!
//! | in stacklesslib, uthread and the examples | here |
//! |---|---|
//! | `MainLoop`, `uthread.Run` | [`MainLoop`] |
//! | `EventQueue`; its `reschedule` | [`EventQueue`]; `postpone`, `bring_forward` |
//! | `Sleep`, `app.sleep`; `BeNice`, `scheduleAlternative` | [`Sleeper`]; [`YieldChannel`] |
//! | `SignalChannel`, `QueueChannel` | [`Notify`], [`QueueChannel`] |
//! | `ValueTasklet`, `Future`, executors | [`Future`], [`Executor`] |
//! | `WaitSite`, `iwait`, `wait`, `any`, `all` | [`Waitable`], [`wait_for`], [`as_completed`] |
//! | `tasklet_call`, `timeout_call`; `call_on_thread` | [`tasklet_call`]; [`call_on_thread`] |
//! | `Parallel`, `Pool` | [`parallel`], [`Pool`] |
//! | `SyncToAsync`; `AsyncToSync` | [`Queued`] and [`Future::on_done`]; [`Future::new`] |
//! | `cancellable`; `timeout` | [`cancellable`]; [`time::timeout`](crate::time::timeout) |
//! | locks, conditions, `Event`, `Barrier`, `Queue` | [`sync`](crate::sync) |

mod call;
mod caught;
mod clock;
mod completer;
mod event_books;
mod event_queue;
mod executor;
mod future;
mod future_error;
mod loop_handle;
mod main_loop;
mod parallel;
mod pool;
mod queue_channel;
mod queue_iter;
mod region;
mod sleeper;
mod turn;
mod wait_for;
mod yield_channel;

#[doc(alias = "SignalChannel")]
pub use crate::sync::Notify;
pub use call::{call_on_thread, tasklet_call, tasklet_call_timeout};
pub use clock::Clock;
pub use event_queue::{EventErrorHook, EventHandle, EventQueue};
pub use executor::{Direct, Executor, Immediate, OsThreads, Queued};
pub use future::Future;
pub use future_error::FutureError;
pub use loop_handle::LoopHandle;
pub use main_loop::MainLoop;
pub use parallel::{ParallelError, parallel};
pub use pool::Pool;
pub use queue_channel::QueueChannel;
pub use queue_iter::QueueIter;
pub use region::{CancelHandle, Cancelled, RegionCancelled, cancellable};
pub use sleeper::Sleeper;
pub use turn::{BudgetHook, LoopError, LoopErrorHook, Turn};
pub use wait_for::{
    AsCompleted, Until, Waitable, Watcher, as_completed, wait_all, wait_any, wait_for,
};
pub use yield_channel::YieldChannel;
