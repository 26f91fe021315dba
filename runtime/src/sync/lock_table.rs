//! `LockTable`: a lock for each key that somebody uses.
//!
//! ```text
//!   table: { key 1 -> entry, key 2 -> entry }      entry: key, RawLock
//!                       ^              ^
//!                 guard of the      waiters have it,
//!                 owner has it      on their stacks
//! ```
//!
//! An entry is in the table exactly while its lock is owned; whoever unlocks it
//! with nobody in line takes it out. So the table is as large as what is in use.
//!
//! Foreign code comes in by the keys. They are hashed and compared while the
//! table is borrowed, hence with switching trapped; they are cloned and dropped
//! while it is not.

use super::grant::deadline_after;
use super::raw_lock::RawLock;
use crate::error::WaitError;
use crate::scheduler::{Park, local};
use crate::tasklet::{SwitchTrap, Tasklet, switch_trap};
use crate::wait::reason;
use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::Location;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Locks by key: whoever locks a key waits for those who have locked an equal
/// one. Clones are handles of the same table.
///
/// The keys are whatever names the things to be locked, such as a file's name
/// or a user's number. A key costs memory only while it is locked. Each key's
/// waiters are served first in, first out.
///
/// # Deadlocks
///
/// A tasklet that locks a key again waits for itself, as it does with a
/// [`Mutex`](super::Mutex). [`locks`](LockTable::locks) shows who has what and
/// who waits for it.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Panics
///
/// All methods do if comparing, hashing or dropping a key does, or if comparing
/// or hashing uses the same table. Keys can't switch in there.
///
/// # Examples
///
/// ```
/// use greenling::sync::LockTable;
/// let accounts: LockTable<u32> = LockTable::new();
/// let mine = accounts.lock(17).unwrap();
/// assert!(accounts.try_lock(17).is_none());
/// assert!(accounts.try_lock(18).is_some());
/// assert_eq!(accounts.owner(&17), Some(greenling::current()));
/// drop(mine);
/// assert!(accounts.is_empty());
/// ```
pub struct LockTable<K> {
    entries: Rc<RefCell<Entries<K>>>,
}

type Entries<K> = HashSet<ByKey<K>>;

/// A key in use.
struct Entry<K> {
    key: K,
    lock: RawLock,
}

/// An entry, hashed and compared as its key.
struct ByKey<K>(Rc<Entry<K>>);

impl<K: Hash> Hash for ByKey<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.key.hash(state);
    }
}

impl<K: PartialEq> PartialEq for ByKey<K> {
    fn eq(&self, other: &ByKey<K>) -> bool {
        self.0.key == other.0.key
    }
}

impl<K: Eq> Eq for ByKey<K> {}

impl<K> std::borrow::Borrow<K> for ByKey<K> {
    fn borrow(&self) -> &K {
        &self.0.key
    }
}

/// A locked key, who locked it, and who waits for it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LockInfo<K> {
    /// The key.
    pub key: K,
    /// Who locked it; none if that has ended and left the guard elsewhere.
    pub owner: Option<Tasklet>,
    /// Those who wait for it, oldest first.
    pub waiters: Vec<Tasklet>,
}

impl<K: Eq + Hash> LockTable<K> {
    /// A table in which nothing is locked.
    pub fn new() -> LockTable<K> {
        LockTable {
            entries: Rc::default(),
        }
    }

    /// Locks `key` until the guard is dropped.
    ///
    /// # Scheduling
    ///
    /// Switches if the key is locked, and then returns in the caller's turn
    /// after the owner before it has unlocked it; else never. Unlocking never
    /// switches.
    ///
    /// # Cancellation
    ///
    /// A killed caller leaves the line; if the key had been handed to it
    /// already, the next gets it.
    ///
    /// # Errors
    ///
    /// `TimedOut` after the deadline of a [`timeout`](crate::time::timeout)
    /// scope; the other reasons of [`WaitError`]. The key is not locked then.
    #[track_caller]
    pub fn lock(&self, key: K) -> Result<KeyGuard<K>, WaitError> {
        self.lock_by(key, None, Location::caller())
    }

    /// As [`lock`](LockTable::lock), but waits no longer than until `deadline`.
    ///
    /// # Scheduling
    ///
    /// As [`lock`](LockTable::lock), whatever the deadline.
    ///
    /// # Cancellation
    ///
    /// As [`lock`](LockTable::lock).
    ///
    /// # Errors
    ///
    /// As [`lock`](LockTable::lock); `TimedOut` also after `deadline`.
    #[track_caller]
    pub fn lock_deadline(&self, key: K, deadline: Instant) -> Result<KeyGuard<K>, WaitError> {
        self.lock_by(key, Some(deadline), Location::caller())
    }

    /// As [`lock`](LockTable::lock), but waits no longer than `timeout`.
    ///
    /// # Scheduling
    ///
    /// As [`lock`](LockTable::lock), whatever the timeout.
    ///
    /// # Cancellation
    ///
    /// As [`lock`](LockTable::lock).
    ///
    /// # Errors
    ///
    /// As [`lock`](LockTable::lock); `TimedOut` also after `timeout`.
    #[track_caller]
    pub fn lock_timeout(&self, key: K, timeout: Duration) -> Result<KeyGuard<K>, WaitError> {
        self.lock_by(key, deadline_after(timeout), Location::caller())
    }

    fn lock_by(
        &self,
        key: K,
        deadline: Option<Instant>,
        location: &'static Location<'static>,
    ) -> Result<KeyGuard<K>, WaitError> {
        let Some(entry) = self.find(&key) else {
            return Ok(self.insert(key));
        };
        let park = Park::new(&reason::LOCK_TABLE, location).until(deadline);
        let line = InLine { table: self, entry };
        line.entry.lock.acquire(park)?;
        Ok(self.guard_of(line.entry.clone()))
    }

    /// Locks `key` if it is not locked.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn try_lock(&self, key: K) -> Option<KeyGuard<K>> {
        self.find(&key).is_none().then(|| self.insert(key))
    }

    /// True if `key` is locked. It may be handed to a tasklet that has not run
    /// yet.
    pub fn is_locked(&self, key: &K) -> bool {
        self.find(key).is_some()
    }

    /// The tasklet that locked `key`, if it is locked and that is alive. For
    /// diagnosis: it looks through all tasklets.
    pub fn owner(&self, key: &K) -> Option<Tasklet> {
        self.find(key)?.lock.owner()
    }

    /// Who waits for `key`, oldest first.
    pub fn waiters(&self, key: &K) -> Vec<Tasklet> {
        self.find(key)
            .map_or_else(Vec::new, |entry| entry.lock.waiters())
    }

    /// How many keys are locked.
    pub fn len(&self) -> usize {
        self.entries.borrow().len()
    }

    /// True if no key is locked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every locked key with its owner and its waiters, in no order: for a dump
    /// of who waits for whom.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn locks(&self) -> Vec<LockInfo<K>>
    where
        K: Clone,
    {
        // A statement of its own: keys must not be cloned while the table is
        // borrowed.
        let entries: Vec<_> = self
            .entries
            .borrow()
            .iter()
            .map(|entry| entry.0.clone())
            .collect();
        let info = |entry: Rc<Entry<K>>| LockInfo {
            key: entry.key.clone(),
            owner: entry.lock.owner(),
            waiters: entry.lock.waiters(),
        };
        entries.into_iter().map(info).collect()
    }

    fn find(&self, key: &K) -> Option<Rc<Entry<K>>> {
        let _trap = trap();
        let entries = self.entries.borrow();
        entries.get(key).map(|found| found.0.clone())
    }

    /// Locks a key that is not in the table.
    fn insert(&self, key: K) -> KeyGuard<K> {
        let entry = Rc::new(Entry {
            key,
            lock: RawLock::new(),
        });
        entry.lock.try_acquire();
        let _trap = trap();
        self.entries.borrow_mut().insert(ByKey(entry.clone()));
        self.guard_of(entry)
    }

    fn guard_of(&self, entry: Rc<Entry<K>>) -> KeyGuard<K> {
        KeyGuard {
            table: self.clone(),
            entry,
        }
    }

    /// Takes out an entry whose lock has become free. The caller has it as well,
    /// so its key is not dropped in here.
    fn remove(&self, entry: &Rc<Entry<K>>) {
        let _trap = trap();
        self.entries.borrow_mut().remove(&entry.key);
    }
}

impl<K: Eq + Hash> Default for LockTable<K> {
    fn default() -> LockTable<K> {
        LockTable::new()
    }
}

impl<K> Clone for LockTable<K> {
    fn clone(&self) -> LockTable<K> {
        LockTable {
            entries: self.entries.clone(),
        }
    }
}

impl<K: Eq + Hash> fmt::Debug for LockTable<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockTable")
            .field("locked", &self.len())
            .finish()
    }
}

/// A caller of `lock` that has to wait.
struct InLine<'a, K: Eq + Hash> {
    table: &'a LockTable<K>,
    entry: Rc<Entry<K>>,
}

impl<K: Eq + Hash> Drop for InLine<'_, K> {
    fn drop(&mut self) {
        // Free if the caller was given the lock and ended before it ran, with
        // nobody behind it. It is free as well if the caller gave up and the
        // owner unlocked it, but then it is out of the table already, and the
        // key may be locked by another entry.
        if self.entry.lock.is_free()
            && let Some(found) = self.table.find(&self.entry.key)
            && Rc::ptr_eq(&found, &self.entry)
        {
            self.table.remove(&self.entry);
        }
    }
}

/// Forbids switching, unless the thread is ending and can't anyway.
fn trap() -> Option<SwitchTrap> {
    local::get_or_make().map(|_| switch_trap())
}

/// A key that is locked in a [`LockTable`]; unlocks it when dropped.
///
/// Dropping it never switches, also while unwinding: the next in line becomes
/// runnable.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[must_use = "the key is locked only while the guard lives"]
pub struct KeyGuard<K: Eq + Hash> {
    table: LockTable<K>,
    entry: Rc<Entry<K>>,
}

impl<K: Eq + Hash> KeyGuard<K> {
    /// The locked key.
    pub fn key(&self) -> &K {
        &self.entry.key
    }
}

impl<K: Eq + Hash> Drop for KeyGuard<K> {
    fn drop(&mut self) {
        if self.entry.lock.release() {
            self.table.remove(&self.entry);
        }
    }
}

impl<K: Eq + Hash + fmt::Debug> fmt::Debug for KeyGuard<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyGuard").field(self.key()).finish()
    }
}
