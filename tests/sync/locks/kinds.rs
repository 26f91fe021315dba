//! Every lock that has one owner, as one type of object.

use greenling::sync::{LockTable, Mutex, ReentrantMutex, RwLock};
use greenling::{JoinHandle, Tasklet, WaitError, spawn};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tests::{Trace, isolated};

/// A guard of any kind: it only wants to be dropped.
pub(super) trait Guard {}
impl<T> Guard for T {}

pub(super) type Locked<'a> = Box<dyn Guard + 'a>;

/// A lock of any kind.
pub(super) trait Lock {
    fn lock(&self) -> Result<Locked<'_>, WaitError>;
    fn lock_deadline(&self, deadline: Instant) -> Result<Locked<'_>, WaitError>;
    fn lock_timeout(&self, timeout: Duration) -> Result<Locked<'_>, WaitError>;
    fn try_lock(&self) -> Option<Locked<'_>>;
    fn waiters(&self) -> Vec<Tasklet>;
    fn name(&self) -> &'static str;
}

macro_rules! lock {
    (
        $kind:ty, $name:literal,
        $lock:ident, $deadline:ident, $timeout:ident, $try:ident $(, $key:expr)?
    ) => {
        impl Lock for $kind {
            fn lock(&self) -> Result<Locked<'_>, WaitError> {
                Ok(Box::new(self.$lock($($key)?)?))
            }
            fn lock_deadline(&self, deadline: Instant) -> Result<Locked<'_>, WaitError> {
                Ok(Box::new(self.$deadline($($key,)? deadline)?))
            }
            fn lock_timeout(&self, timeout: Duration) -> Result<Locked<'_>, WaitError> {
                Ok(Box::new(self.$timeout($($key,)? timeout)?))
            }
            fn try_lock(&self) -> Option<Locked<'_>> {
                Some(Box::new(self.$try($($key)?)?))
            }
            fn waiters(&self) -> Vec<Tasklet> {
                self.waiters($(&$key)?)
            }
            fn name(&self) -> &'static str {
                $name
            }
        }
    };
}

lock!(
    Mutex<u32>,
    "mutex",
    lock,
    lock_deadline,
    lock_timeout,
    try_lock
);
lock!(
    ReentrantMutex<u32>,
    "reentrant mutex",
    lock,
    lock_deadline,
    lock_timeout,
    try_lock
);
lock!(
    RwLock<u32>,
    "rwlock write",
    write,
    write_deadline,
    write_timeout,
    try_write
);
lock!(
    LockTable<u32>,
    "lock table",
    lock,
    lock_deadline,
    lock_timeout,
    try_lock,
    7
);

/// Plays `test` with a lock of each kind.
pub(super) fn each(test: fn(Rc<dyn Lock>)) {
    let kinds: [fn() -> Rc<dyn Lock>; 4] = [
        || Rc::new(Mutex::new(0)),
        || Rc::new(ReentrantMutex::new(0)),
        || Rc::new(RwLock::new(0)),
        || Rc::new(LockTable::new()),
    ];
    for make in kinds {
        isolated(move || test(make()));
    }
}

/// A tasklet that locks, notes its name and unlocks.
pub(super) fn locker(lock: &Rc<dyn Lock>, trace: &Trace, name: &'static str) -> JoinHandle<()> {
    let (lock, trace) = (lock.clone(), trace.clone());
    spawn(move || {
        let _guard = lock.lock().unwrap();
        trace.note(name);
    })
}

/// A tasklet that locks and returns how that went, having unlocked.
pub(super) fn trier(lock: &Rc<dyn Lock>) -> JoinHandle<Result<(), WaitError>> {
    let lock = lock.clone();
    spawn(move || lock.lock().map(drop))
}

pub(super) fn is_free(lock: &Rc<dyn Lock>) -> bool {
    // Not by the owner of a reentrant one.
    let lock = lock.clone();
    let look = spawn(move || lock.try_lock().is_some());
    look.join().unwrap()
}
