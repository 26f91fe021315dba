//! `Condvar`: the mutex is unlocked for the wait and locked after it, or not
//! at all.

use super::{hold_the_thread_until, is_thrown, is_timed_out, settle};
use greenling::sync::{Condvar, Mutex};
use greenling::time::timeout;
use greenling::{JoinHandle, WaitError, schedule, spawn};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tests::{Trace, isolated};

type Shared = Rc<(Mutex<u32>, Condvar)>;

fn shared() -> Shared {
    Rc::default()
}

/// Waits once, then notes its name while it has the mutex across a wait.
fn waiter(shared: &Shared, trace: &Trace, name: &'static str) -> JoinHandle<Result<(), WaitError>> {
    let (shared, trace) = (shared.clone(), trace.clone());
    spawn(move || {
        let (mutex, changed) = &*shared;
        let guard = changed.wait(mutex.lock()?)?;
        trace.note(format!("{name}["));
        schedule();
        trace.note(format!("{name}]"));
        drop(guard);
        Ok(())
    })
}

#[test]
fn the_mutex_is_free_while_all_wait_and_each_has_it_alone_afterwards() {
    isolated(|| {
        let (shared, trace) = (shared(), Trace::new());
        let tasks = ["a", "b", "c"].map(|name| waiter(&shared, &trace, name));
        schedule();
        let (mutex, changed) = &*shared;
        assert_eq!(
            changed.waiters(),
            tasks.each_ref().map(|task| task.tasklet())
        );
        assert!(!mutex.is_locked());
        let guard = mutex.lock().unwrap();
        assert_eq!(changed.notify_all(), 3);
        settle();
        assert_eq!(
            mutex.waiters().len(),
            3,
            "notified, and in the mutex's line"
        );
        drop(guard);
        settle();
        assert_eq!(trace.take(), "a[ a] b[ b] c[ c]");
        assert!(!mutex.is_locked());
    });
}

#[test]
fn producers_and_consumers_exchange_everything_once() {
    isolated(|| {
        const ITEMS: u32 = 1_000;
        let shared = Rc::new((Mutex::new(VecDeque::new()), Condvar::new(), Condvar::new()));
        let producers = [0, 1].map(|which| {
            let shared = shared.clone();
            spawn(move || {
                let (queue, filled, emptied) = &*shared;
                for item in 0..ITEMS {
                    let guard = queue.lock().unwrap();
                    let full = |queue: &VecDeque<u32>| queue.len() >= 3;
                    let mut guard = emptied.wait_while(guard, full).unwrap();
                    guard.push_back(2 * item + which);
                    filled.notify_one();
                }
            })
        });
        let consumers = [(); 3].map(|()| {
            let shared = shared.clone();
            spawn(move || {
                let (queue, filled, emptied) = &*shared;
                let mut got = Vec::new();
                loop {
                    let guard = queue.lock().unwrap();
                    let mut guard = filled.wait_while(guard, |queue| queue.is_empty()).unwrap();
                    match guard.pop_front() {
                        Some(u32::MAX) => return got,
                        item => got.extend(item),
                    }
                    emptied.notify_one();
                }
            })
        });
        for producer in producers {
            producer.join().unwrap();
        }
        let (queue, filled, _) = &*shared;
        queue.lock().unwrap().extend([u32::MAX; 3]);
        filled.notify_all();
        let mut all: Vec<u32> = consumers
            .into_iter()
            .flat_map(|consumer| consumer.join().unwrap())
            .collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..2 * ITEMS));
    });
}

#[test]
fn a_limited_wait_keeps_its_guard_when_the_time_is_up() {
    isolated(|| {
        let (mutex, changed) = (Mutex::new(1), Condvar::new());
        let guard = mutex.lock().unwrap();
        let (guard, result) = changed
            .wait_timeout(guard, Duration::from_millis(1))
            .unwrap();
        assert!(result.timed_out() && mutex.is_locked());
        let (guard, result) = changed.wait_deadline(guard, Instant::now()).unwrap();
        assert!(result.timed_out());
        let (guard, result) = changed
            .wait_timeout_while(guard, Duration::from_millis(1), |value| *value == 1)
            .unwrap();
        assert!(result.timed_out());
        let (mut guard, result) = changed
            .wait_timeout_while(guard, Duration::ZERO, |value| *value == 2)
            .unwrap();
        assert!(!result.timed_out());
        *guard += 1;
        assert!(changed.waiters().is_empty());
    });
}

#[test]
fn a_notification_before_the_deadline_counts_even_if_the_mutex_comes_later() {
    isolated(|| {
        let shared = shared();
        let (other, deadline) = (shared.clone(), Instant::now() + Duration::from_millis(20));
        let waiting = spawn(move || {
            let guard = other.0.lock().unwrap();
            other
                .1
                .wait_deadline(guard, deadline)
                .unwrap()
                .1
                .timed_out()
        });
        schedule();
        let guard = shared.0.lock().unwrap();
        let in_time = shared.1.notify_one();
        hold_the_thread_until(deadline);
        settle();
        drop(guard);
        assert_eq!(waiting.join().unwrap(), !in_time);
    });
}

#[test]
fn when_a_wait_fails_the_mutex_is_not_locked() {
    isolated(|| {
        let (mutex, changed) = (Mutex::new(0), Condvar::new());
        let guard = mutex.lock().unwrap();
        assert!(matches!(changed.wait(guard), Err(WaitError::Deadlock)));
        assert!(!mutex.is_locked());
        let moment = Duration::from_millis(1);
        let guard = mutex.lock().unwrap();
        let scope = timeout(moment, || changed.wait(guard).map(drop));
        assert!(is_timed_out(&scope.unwrap_err().into_inner()));
        assert!(!mutex.is_locked());
        // The scope's deadline, though the wait has one as well.
        let guard = mutex.lock().unwrap();
        let long = Duration::from_secs(3600);
        let scope = timeout(moment, || changed.wait_timeout(guard, long).map(drop));
        assert!(is_timed_out(&scope.unwrap_err().into_inner()));
        assert!(!mutex.is_locked());
        greenling::current().set_block_trap(true);
        let guard = mutex.lock().unwrap();
        assert!(matches!(changed.wait(guard), Err(WaitError::BlockTrap)));
        assert!(!mutex.is_locked());
        greenling::current().set_block_trap(false);
    });
}

#[test]
fn one_that_is_notified_and_ends_before_it_has_the_mutex_passes_it_on() {
    isolated(|| {
        let (shared, trace) = (shared(), Trace::new());
        let [killed, thrown_at, late, last] =
            ["k", "t", "l", "z"].map(|name| waiter(&shared, &trace, name));
        schedule();
        let (mutex, changed) = &*shared;
        // Killed and thrown at in the mutex's line, where a notification has
        // brought them.
        let guard = mutex.lock().unwrap();
        changed.notify(2);
        settle();
        assert_eq!(mutex.waiters(), [killed.tasklet(), thrown_at.tasklet()]);
        killed.tasklet().kill().unwrap();
        settle();
        assert_eq!(mutex.waiters(), [thrown_at.tasklet(), late.tasklet()]);
        thrown_at.tasklet().throw("no").unwrap();
        settle();
        assert!(is_thrown(&thrown_at.join().unwrap()));
        assert_eq!(mutex.waiters(), [late.tasklet(), last.tasklet()]);
        // And when the mutex has been handed over.
        drop(guard);
        late.tasklet().kill_pending().unwrap();
        last.join().unwrap().unwrap();
        assert_eq!(trace.take(), "z[ z]");
        assert!(!mutex.is_locked());
    });
}

#[test]
fn a_kill_in_the_wait_leaves_neither_a_waiter_nor_a_lock() {
    isolated(|| {
        let (shared, trace) = (shared(), Trace::new());
        let [victim, other] = ["victim", "other"].map(|name| waiter(&shared, &trace, name));
        schedule();
        victim.tasklet().kill().unwrap();
        assert_eq!(shared.1.waiters(), [other.tasklet()]);
        drop(shared.0.try_lock().unwrap());
        shared.1.notify_one();
        other.join().unwrap().unwrap();
        assert_eq!(trace.take(), "other[ other]");
    });
}
