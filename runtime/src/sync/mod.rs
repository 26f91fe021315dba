//! Waiting of tasklets for each other, on one thread.
//!
//! Nothing else runs between two waits of a tasklet, so what the tasklets of a
//! thread share needs no lock as long as nobody waits in the middle of a change.
//! These are for when somebody does, and for waiting until something has changed.
//!
//! | to | use | in Stackless and Python programs |
//! |---|---|---|
//! | have a value alone | [`Mutex`] | `Lock` |
//! | the same, in code that calls itself | [`ReentrantMutex`] | `RLock`, `CriticalSection` |
//! | share a value with other readers | [`RwLock`] | `SquidgySemaphore` |
//! | lock one of many things by its name | [`LockTable`] | `uthread.Lock(object)` |
//! | let so many in at a time | [`Semaphore`] | `Semaphore`, `BoundedSemaphore` |
//! | wait for a change | [`Notify`] | `SignalChannel`, `NLCondition` |
//! | the same, of what a mutex guards | [`Condvar`] | `Condition` |
//! | wait for a flag, or for a value | [`Event`], [`OnceValue`] | `Event`, `ValueEvent` |
//! | wait for each other | [`Barrier`] | `Barrier` |
//! | wait until all jobs are done | [`WaitGroup`] | |
//! | pass values on in order | [`Queue`] | `Queue`, `FIFO` |
//! | build one's own | [`WaitQueue`] | a bare channel |
//!
//! All but `WaitQueue` have this in common: waiters are served first come,
//! first served; what was given to one that is killed, thrown at or timed out
//! before it runs goes to the next; giving never switches, taking does so only
//! if it has to wait; waits honour the block trap, as those for channels do.
//!
//! They are not `Sync`. Between OS threads there are the channels of
//! [`thread`](crate::thread).

mod barrier;
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
pub use condvar::{Condvar, CondvarGuard, WaitTimeoutResult};
pub use event::Event;
pub(crate) use grant::{deadline_after, may_wait};
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
