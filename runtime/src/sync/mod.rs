//! Waiting of tasklets for each other, on one thread.

mod barrier;
mod condition;
mod condvar;
mod event;
mod grant;
mod lock_table;
mod mutex;
mod notify;
mod once_value;
mod queue;
mod raw_lock;
mod raw_rw_lock;
mod reentrant_mutex;
mod rw_lock;
mod semaphore;
mod wait_group;
mod wait_queue;

pub use barrier::{Barrier, BarrierError, BarrierWaitResult};
pub use condition::Condition;
pub use condvar::{Condvar, CondvarGuard, WaitTimeoutResult};
pub use event::Event;
pub use lock_table::{KeyGuard, LockInfo, LockTable};
pub use mutex::{Mutex, MutexGuard};
pub use notify::Notify;
pub use once_value::{OnceValue, OnceValueError};
pub use queue::{GetError, Iter, PutError, Queue, TryGetError, TryPutError};
pub use reentrant_mutex::{ReentrantMutex, ReentrantMutexGuard};
pub use rw_lock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use semaphore::{AcquireError, Permit, Semaphore, TooManyPermits, TryAcquireError};
pub use wait_group::{Job, WaitGroup};
pub use wait_queue::WaitQueue;
