//! `LockTable`: keys that come and go, and foreign code in them.

use super::{is_timed_out, settle};
use greenling::sync::{KeyGuard, LockTable};
use greenling::{JoinHandle, Tasklet, schedule, spawn};
use std::cell::RefCell;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tests::{Trace, isolated};

/// Locks `key`, notes that, and unlocks it when it is run again.
fn holder(table: &LockTable<&'static str>, trace: &Trace, key: &'static str) -> JoinHandle<()> {
    let (table, trace) = (table.clone(), trace.clone());
    spawn(move || {
        let guard = table.lock(key).unwrap();
        trace.note(*guard.key());
        greenling::schedule_remove();
    })
}

#[test]
fn each_key_has_its_own_owner_and_its_own_line() {
    isolated(|| {
        let (table, trace) = (LockTable::new(), Trace::new());
        let [a, b, a2] = ["a", "b", "a"].map(|key| holder(&table, &trace, key));
        schedule();
        assert_eq!(trace.take(), "a b");
        assert_eq!(table.len(), 2);
        assert_eq!(table.owner(&"a"), Some(a.tasklet()));
        assert_eq!(table.waiters(&"a"), [a2.tasklet()]);
        assert_eq!(table.owner(&"b"), Some(b.tasklet()));
        assert!(table.waiters(&"b").is_empty());
        assert_eq!(table.owner(&"c"), None);
        assert!(table.try_lock("b").is_none() && table.is_locked(&"b"));
        let mut locks = table.locks();
        locks.sort_by_key(|lock| lock.key);
        assert_eq!(locks[0].key, "a");
        assert_eq!(locks[0].owner, Some(a.tasklet()));
        assert_eq!(locks[0].waiters, [a2.tasklet()]);
        assert_eq!(locks[1].owner, Some(b.tasklet()));
        a.tasklet().run().unwrap();
        settle();
        assert_eq!(trace.take(), "a");
        for task in [a2, b] {
            task.tasklet().run().unwrap();
        }
        assert!(table.is_empty());
    });
}

#[test]
fn a_key_is_forgotten_when_nobody_uses_it_however_its_users_end() {
    isolated(|| {
        let (table, trace) = (LockTable::new(), Trace::new());
        let [owner, next, last] = [(); 3].map(|()| holder(&table, &trace, "key"));
        schedule();
        // Handed over twice, to tasklets that never run again.
        next.tasklet().kill_pending().unwrap();
        owner.tasklet().run().unwrap();
        last.tasklet().kill_pending().unwrap();
        settle();
        assert!(table.is_empty());
        let [owner, next] = [(); 2].map(|()| holder(&table, &trace, "key"));
        schedule();
        owner.tasklet().run().unwrap();
        next.tasklet().throw_pending("no").unwrap();
        assert!(next.join().unwrap_err().is_panic());
        assert!(table.is_empty());
    });
}

#[test]
fn one_that_gave_up_on_a_key_leaves_its_next_user_alone() {
    isolated(|| {
        let table: LockTable<u32> = LockTable::new();
        let guard = table.lock(1).unwrap();
        let inner = table.clone();
        let late = spawn(move || inner.lock_deadline(1, Instant::now()).map(drop));
        schedule();
        // It has timed out, and not run since, when the key gets new users.
        while !table.waiters(&1).is_empty() {
            schedule();
        }
        let waiting = table.clone();
        let gives_up = spawn(move || waiting.lock(1).map(drop));
        schedule();
        assert_eq!(table.waiters(&1).len(), 1);
        gives_up.tasklet().throw_pending("enough").unwrap();
        drop(guard);
        assert!(table.is_empty());
        let guard = table.lock(1).unwrap();
        settle();
        assert!(gives_up.join().unwrap().is_err());
        assert!(is_timed_out(&late.join().unwrap()));
        assert!(table.is_locked(&1), "taken out by one that gave up");
        drop(guard);
        assert!(table.is_empty());
    });
}

/// A key whose destructor uses the table.
#[derive(Clone)]
struct Meddling {
    number: u32,
    table: LockTable<Meddling>,
    seen: Rc<RefCell<Vec<usize>>>,
}

impl PartialEq for Meddling {
    fn eq(&self, other: &Meddling) -> bool {
        // Refused: others would find the table in the middle of something.
        schedule();
        self.number == other.number
    }
}

impl Eq for Meddling {}

impl Hash for Meddling {
    fn hash<H: Hasher>(&self, state: &mut H) {
        schedule();
        self.number.hash(state);
    }
}

impl Drop for Meddling {
    fn drop(&mut self) {
        self.seen.borrow_mut().push(self.table.len());
        schedule();
    }
}

#[test]
fn keys_may_use_the_table_when_they_are_dropped_and_may_not_switch_when_compared() {
    isolated(|| {
        let (table, seen) = (LockTable::new(), Rc::default());
        let key = |number| Meddling {
            number,
            table: table.clone(),
            seen: Rc::clone(&seen),
        };
        let trace = Trace::new();
        spawn(trace.noting("other"));
        let one = table.try_lock(key(1)).unwrap();
        assert_eq!(trace.take(), "", "it has switched");
        assert!(table.try_lock(key(1)).is_none());
        assert_eq!(trace.take(), "other", "dropped where it may switch");
        assert_eq!(seen.take(), [1]);
        let two = table.lock(key(2)).unwrap();
        let inner = table.clone();
        let again = key(2);
        let waiter = spawn(move || {
            assert!(is_timed_out(&inner.lock_timeout(again, Duration::ZERO)));
        });
        waiter.join().unwrap();
        assert_eq!(seen.take(), [2]);
        drop(one);
        assert_eq!(seen.take(), [1], "out of the table first");
        assert_eq!(table.locks()[0].key.number, 2);
        assert_eq!(seen.take(), [1], "a clone");
        drop(two);
        assert_eq!(seen.take(), [0]);
    });
}

/// A key that can't be copied without locking another one.
#[derive(PartialEq, Eq, Hash)]
struct Guarded(u32);

thread_local! {
    static GUARDED: LockTable<Guarded> = LockTable::new();
}

impl Clone for Guarded {
    fn clone(&self) -> Guarded {
        let table = GUARDED.with(LockTable::clone);
        let _other = table.lock(Guarded(self.0 + 1)).unwrap();
        schedule();
        Guarded(self.0)
    }
}

#[test]
fn keys_may_use_the_table_and_switch_when_they_are_cloned() {
    isolated(|| {
        let table = GUARDED.with(LockTable::clone);
        let trace = Trace::new();
        spawn(trace.noting("other"));
        let _guard = table.lock(Guarded(1)).unwrap();
        let locks = table.locks();
        assert_eq!(locks.len(), 1);
        assert_eq!(locks[0].key.0, 1);
        assert_eq!(trace.take(), "other");
    });
}

#[test]
fn guards_can_be_kept_and_unlocked_elsewhere() {
    isolated(|| {
        let table: LockTable<u32> = LockTable::default();
        let kept: Rc<RefCell<Vec<KeyGuard<u32>>>> = Rc::default();
        let (inner, keeping) = (table.clone(), kept.clone());
        spawn(move || {
            for key in 0..3 {
                keeping.borrow_mut().push(inner.lock(key).unwrap());
            }
        });
        settle();
        assert_eq!(
            format!("{table:?} {:?}", kept.borrow()[1]),
            "LockTable { locked: 3 } KeyGuard(1)"
        );
        // Its owner has ended, but the key is locked.
        assert_eq!(table.owner(&1), None);
        let inner = table.clone();
        let waiter = Tasklet::new(move || inner.lock(1).map(drop))
            .setup()
            .unwrap();
        schedule();
        assert!(waiter.is_blocked());
        kept.take();
        settle();
        assert!(!waiter.is_alive() && table.is_empty());
    });
}
