//! `ReentrantMutex`: its owner comes in again, others do not.

use super::settle;
use greenling::sync::{Condvar, ReentrantMutex};
use greenling::{WaitError, schedule, spawn};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use tests::{Trace, isolated};

#[test]
fn the_last_guard_to_go_unlocks_in_whatever_order_they_go() {
    isolated(|| {
        let (mutex, trace) = (Rc::new(ReentrantMutex::new(())), Trace::new());
        let first = mutex.lock().unwrap();
        let second = mutex.try_lock().unwrap();
        let third = mutex.lock().unwrap();
        assert!(mutex.is_mine());
        let (inner, seen) = (mutex.clone(), trace.clone());
        let other = spawn(move || {
            assert!(!inner.is_mine() && inner.try_lock().is_none());
            let _guard = inner.lock().unwrap();
            seen.note("other");
        });
        drop(first);
        schedule();
        drop(third);
        schedule();
        assert_eq!(trace.take(), "");
        drop(second);
        assert!(!mutex.is_mine(), "handed over");
        other.join().unwrap();
        assert_eq!(trace.take(), "other");
        assert!(!mutex.is_locked());
    });
}

#[test]
fn many_guards_share_the_value() {
    isolated(|| {
        let mutex = ReentrantMutex::from(RefCell::new(vec![1]));
        let (a, b) = (mutex.lock().unwrap(), mutex.lock().unwrap());
        a.borrow_mut().push(2);
        assert_eq!(*b.borrow(), [1, 2]);
        drop((a, b));
        assert_eq!(
            format!("{mutex:?}"),
            "ReentrantMutex { value: RefCell { value: [1, 2] }, waiting: 0 }"
        );
        assert_eq!(mutex.into_inner().into_inner(), [1, 2]);
    });
}

#[test]
fn a_killed_owner_gives_up_all_its_guards() {
    isolated(|| {
        let mutex = Rc::new(ReentrantMutex::new(()));
        let inner = mutex.clone();
        let owner = spawn(move || {
            let _outer = inner.lock().unwrap();
            let _inner = inner.lock().unwrap();
            greenling::schedule_remove();
        });
        schedule();
        assert_eq!(mutex.owner(), Some(owner.tasklet()));
        let inner = mutex.clone();
        let waiter = spawn(move || inner.lock().map(drop));
        schedule();
        owner.tasklet().kill().unwrap();
        waiter.join().unwrap().unwrap();
        assert!(!mutex.is_locked());
    });
}

#[test]
fn a_condvar_unlocks_it_fully_and_locks_it_as_often_again() {
    isolated(|| {
        let shared = Rc::new((ReentrantMutex::new(Cell::new(0)), Condvar::new()));
        let other = shared.clone();
        let setter = spawn(move || {
            let guard = other.0.lock().unwrap();
            guard.set(1);
            other.1.notify_one();
            schedule();
            guard.set(2);
        });
        let (mutex, changed) = &*shared;
        let outer = mutex.lock().unwrap();
        let inner = mutex.lock().unwrap();
        let inner = changed.wait_while(inner, |value| value.get() == 0).unwrap();
        assert_eq!(inner.get(), 2, "locked again after the setter's guard");
        drop(inner);
        assert!(mutex.is_mine());
        drop(outer);
        assert!(!mutex.is_locked());
        setter.join().unwrap();
    });
}

#[test]
fn guards_left_over_from_a_failed_wait_unlock_nothing() {
    isolated(|| {
        let shared = Rc::new((ReentrantMutex::new(()), Condvar::new()));
        let (mutex, never) = &*shared;
        let outer = mutex.lock().unwrap();
        let inner = mutex.lock().unwrap();
        let failed = never.wait(inner);
        assert!(matches!(failed, Err(WaitError::Deadlock)));
        assert!(!mutex.is_mine());
        let other = shared.clone();
        let owner = spawn(move || {
            let _guard = other.0.lock().unwrap();
            greenling::schedule_remove();
        });
        schedule();
        drop(outer);
        assert_eq!(mutex.owner(), Some(owner.tasklet()), "another's tenure");
        owner.tasklet().run().unwrap();
        settle();
        assert!(!mutex.is_locked());
        // Locked again while one is left over: it belongs to neither tenure.
        let outer = mutex.lock().unwrap();
        let inner = mutex.lock().unwrap();
        assert!(never.wait(inner).is_err());
        let fresh = mutex.lock().unwrap();
        drop(outer);
        assert!(mutex.is_mine());
        drop(fresh);
        assert!(!mutex.is_locked());
    });
}
