//! Waits for locks and condition variables: what is handed to the victim must outlive it.

use crate::stage::{Stage, kill_tests};
use greenling::sync::{Condvar, LockTable, Mutex, ReentrantMutex, RwLock};
use greenling::{run, schedule, spawn};
use std::cell::Cell;
use std::rc::Rc;

kill_tests! {
    mutex,
    reentrant_mutex,
    rw_read,
    rw_write,
    lock_table,
    condvar,
    reentrant_condvar,
}

/// A guard of any kind: it only wants to be dropped.
trait Guard {}
impl<T> Guard for T {}

type Acquire<L> = for<'a> fn(&'a L) -> Box<dyn Guard + 'a>;

fn mutex(stage: &Stage) {
    let lock = hand_over(stage, Mutex::new(0), |lock| Box::new(lock.lock().unwrap()));
    assert!(!lock.is_locked() && lock.waiters().is_empty());
}

fn reentrant_mutex(stage: &Stage) {
    let lock = hand_over(stage, ReentrantMutex::new(0), |lock| {
        Box::new((lock.lock().unwrap(), lock.lock().unwrap()))
    });
    assert!(!lock.is_locked() && lock.waiters().is_empty());
}

fn rw_write(stage: &Stage) {
    let lock = hand_over(stage, RwLock::new(0), |lock| {
        Box::new(lock.write().unwrap())
    });
    assert!(lock.try_write().is_some() && lock.waiters().is_empty());
}

fn rw_read(stage: &Stage) {
    let lock = RwLock::new(0);
    let lock = hand_over_to(
        stage,
        lock,
        |lock| Box::new(lock.read().unwrap()),
        |lock| Box::new(lock.write().unwrap()),
    );
    assert!(lock.try_write().is_some() && lock.waiters().is_empty());
}

fn lock_table(stage: &Stage) {
    let table = hand_over(stage, LockTable::new(), |table| {
        Box::new(table.lock("key").unwrap())
    });
    assert!(table.is_empty());
}

fn hand_over<L: 'static>(stage: &Stage, lock: L, acquire: Acquire<L>) -> Rc<L> {
    hand_over_to(stage, lock, acquire, acquire)
}

/// Hands a lock to the victim again and again, with somebody behind it in line.
fn hand_over_to<L: 'static>(
    stage: &Stage,
    lock: L,
    by_victim: Acquire<L>,
    by_others: Acquire<L>,
) -> Rc<L> {
    let (lock, served) = (Rc::new(lock), Rc::new(Cell::new(0)));
    let mut held = by_others(&lock);
    let locking = lock.clone();
    let victim = stage.victim(move || {
        for _ in 0..3 {
            drop(by_victim(&locking));
        }
    });
    let mut others = 0;
    while stage.until_parked() {
        let (locking, counting) = (lock.clone(), served.clone());
        spawn(move || {
            let _guard = by_others(&locking);
            counting.set(counting.get() + 1);
        });
        others += 1;
        schedule();
        drop(held);
        held = by_others(&lock);
        assert_eq!(served.get(), others, "overtaken in line");
    }
    stage.end(victim);
    drop(held);
    drop(by_others(&lock));
    lock
}

fn condvar(stage: &Stage) {
    wait_for_changes(
        stage,
        Mutex::new(()),
        |mutex, changed| {
            drop(changed.wait(mutex.lock().unwrap()).unwrap());
        },
        |mutex| Box::new(mutex.lock().unwrap()),
    );
}

fn reentrant_condvar(stage: &Stage) {
    wait_for_changes(
        stage,
        ReentrantMutex::new(()),
        |mutex, changed| {
            let _outer = mutex.lock().unwrap();
            drop(changed.wait(mutex.lock().unwrap()).unwrap());
        },
        |mutex| Box::new(mutex.lock().unwrap()),
    );
}

/// Notifies the victim while the mutex is locked, so that it parks once more.
fn wait_for_changes<M: 'static>(stage: &Stage, mutex: M, wait: fn(&M, &Condvar), lock: Acquire<M>) {
    let shared = Rc::new((mutex, Condvar::new()));
    let woken = Rc::new(Cell::new(0));
    let waiter = |times| {
        let (shared, woken) = (shared.clone(), woken.clone());
        move || {
            for _ in 0..times {
                wait(&shared.0, &shared.1);
                woken.set(woken.get() + 1);
            }
        }
    };
    let (mutex, changed) = &*shared;
    let victim = stage.victim(waiter(2));
    let (mut guard, mut given) = (None, 0);
    while stage.until_parked() {
        if changed.waiters().contains(&victim.tasklet()) {
            // One that gets what the victim leaves behind.
            spawn(waiter(1));
            schedule();
            guard = Some(lock(mutex));
            given += changed.notify(changed.waiters().len() - 1);
        } else {
            drop(guard.take());
        }
    }
    stage.end(victim);
    drop(guard);
    run().unwrap();
    assert_eq!(woken.get(), given, "a notification is lost, or came twice");
    drop(lock(mutex));
    changed.notify_all();
    run().unwrap();
    assert!(changed.waiters().is_empty());
}
