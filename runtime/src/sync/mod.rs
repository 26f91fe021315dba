//! Waiting of tasklets for each other, on one thread.

mod barrier;
mod event;
#[allow(dead_code, reason = "its users are being written")]
mod grant;
mod notify;
mod once_value;
mod queue;
mod semaphore;
mod wait_group;
mod wait_queue;

pub use barrier::{Barrier, BarrierError, BarrierWaitResult};
pub use event::Event;
pub use notify::Notify;
pub use once_value::{OnceValue, OnceValueError};
pub use queue::{GetError, Iter, PutError, Queue, TryGetError, TryPutError};
pub use semaphore::{AcquireError, Permit, Semaphore, TooManyPermits, TryAcquireError};
pub use wait_group::{Job, WaitGroup};
pub use wait_queue::WaitQueue;
