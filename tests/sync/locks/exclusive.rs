//! What all locks with one owner have in common: order, hand-over, and that
//! none is lost when its waiters end at the wrong moment.

use super::kinds::{Lock, each, is_free, locker, trier};
use super::{hold_the_thread_until, is_thrown, is_timed_out, schedule_until, settle};
use greenling::sync::Mutex;
use greenling::time::timeout;
use greenling::{Tasklet, WaitError, schedule, spawn, switch_trap};
use std::cell::{Cell, RefCell};
use std::panic::resume_unwind;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tests::{Trace, logs, on_bare_thread};

#[test]
fn one_tasklet_at_a_time_has_it_also_across_waits() {
    each(|lock| {
        let trace = Trace::new();
        let tasks = ["a", "b", "c"].map(|name| {
            let (lock, trace) = (lock.clone(), trace.clone());
            spawn(move || {
                for _ in 0..2 {
                    let _guard = lock.lock().unwrap();
                    trace.note(format!("{name}["));
                    schedule();
                    trace.note(format!("{name}]"));
                }
            })
        });
        for task in tasks {
            task.join().unwrap();
        }
        assert_eq!(trace.take(), "a[ a] b[ b] c[ c] a[ a] b[ b] c[ c]");
    });
}

#[test]
fn locking_what_is_free_and_unlocking_never_switch() {
    each(|lock| {
        let trace = Trace::new();
        spawn(trace.noting("other"));
        drop(lock.lock().unwrap());
        drop(lock.try_lock().unwrap());
        let guard = lock.lock_timeout(Duration::ZERO).unwrap();
        assert_eq!(trace.take(), "");
        locker(&lock, &trace, "waiter");
        schedule();
        assert_eq!(lock.waiters().len(), 1);
        assert_eq!(trace.take(), "other");
        drop(guard);
        assert_eq!(trace.take(), "");
        schedule();
        assert_eq!(trace.take(), "waiter");
    });
}

#[test]
fn waiters_come_before_one_that_locks_again_at_once() {
    each(|lock| {
        let trace = Trace::new();
        let guard = lock.lock().unwrap();
        let tasks = ["a", "b", "c"].map(|name| locker(&lock, &trace, name));
        schedule();
        assert_eq!(lock.waiters(), tasks.each_ref().map(|task| task.tasklet()));
        drop(guard);
        assert!(
            lock.try_lock().is_none(),
            "handed over, though not yet running"
        );
        let guard = lock.lock().unwrap();
        assert_eq!(trace.take(), "a b c");
        drop(guard);
        assert!(is_free(&lock));
    });
}

#[test]
fn one_that_is_killed_in_line_leaves_the_others_in_order() {
    each(|lock| {
        let trace = Trace::new();
        let guard = lock.lock().unwrap();
        let tasks = ["a", "b", "c"].map(|name| locker(&lock, &trace, name));
        schedule();
        tasks[1].tasklet().kill().unwrap();
        assert_eq!(lock.waiters().len(), 2);
        drop(guard);
        settle();
        assert_eq!(trace.take(), "a c");
        assert!(is_free(&lock));
    });
}

#[test]
fn one_that_is_killed_between_hand_over_and_its_turn_passes_it_on() {
    each(|lock| {
        let trace = Trace::new();
        for waiting in 1..4 {
            let guard = lock.lock().unwrap();
            let tasks: Vec<_> = (0..waiting)
                .map(|_| locker(&lock, &trace, "served"))
                .collect();
            schedule();
            drop(guard);
            // The first in line has it now, and then the next, down to the last.
            for task in &tasks {
                task.tasklet().kill_pending().unwrap();
            }
            settle();
            assert_eq!(trace.take(), "");
            assert!(is_free(&lock), "lost with {waiting} in line");
        }
        let guard = lock.lock().unwrap();
        let [first, second] = ["first", "second"].map(|name| locker(&lock, &trace, name));
        schedule();
        drop(guard);
        first.tasklet().kill().unwrap();
        second.join().unwrap();
        assert_eq!(trace.take(), "second");
    });
}

#[test]
fn an_error_thrown_in_line_ends_the_wait_and_one_after_the_hand_over_passes_it_on() {
    each(|lock| {
        let guard = lock.lock().unwrap();
        let [early, late, last] = [(); 3].map(|()| trier(&lock));
        schedule();
        early.tasklet().throw("now").unwrap();
        drop(guard);
        late.tasklet().throw_pending("later").unwrap();
        assert!(is_thrown(&early.join().unwrap()));
        assert!(is_thrown(&late.join().unwrap()));
        last.join().unwrap().unwrap();
        assert!(is_free(&lock));
    });
}

#[test]
fn waits_end_by_their_deadline_or_that_of_a_scope_and_lose_nothing() {
    each(|lock| {
        let guard = lock.lock().unwrap();
        let (inner, moment) = (lock.clone(), Duration::from_millis(1));
        let patient = Rc::new(Cell::new(false));
        let turned = patient.clone();
        let impatient = spawn(move || {
            assert!(is_timed_out(&inner.lock_timeout(moment)));
            assert!(is_timed_out(&inner.lock_deadline(Instant::now())));
            let scope = timeout(moment, || inner.lock().map(drop));
            assert!(is_timed_out(&scope.unwrap_err().into_inner()));
            turned.set(true);
            inner.lock_timeout(Duration::MAX).map(drop)
        });
        let last = trier(&lock);
        schedule_until(|| patient.get());
        assert_eq!(lock.waiters(), [last.tasklet(), impatient.tasklet()]);
        drop(guard);
        impatient.join().unwrap().unwrap();
        last.join().unwrap().unwrap();
        assert!(is_free(&lock));
    });
}

#[test]
fn a_deadline_that_passes_after_the_hand_over_takes_nothing_back() {
    each(|lock| {
        let guard = lock.lock().unwrap();
        let (inner, deadline) = (lock.clone(), Instant::now() + Duration::from_millis(20));
        let waiter = spawn(move || inner.lock_deadline(deadline).map(drop));
        schedule();
        let in_time = lock.waiters().len() == 1;
        drop(guard);
        hold_the_thread_until(deadline);
        let result = waiter.join().unwrap();
        assert!(result.is_ok() || !in_time, "{result:?}");
        assert!(is_free(&lock));
    });
}

#[test]
fn a_guard_dropped_by_an_unwind_hands_over_without_switching() {
    each(|lock| {
        let trace = Trace::new();
        let (inner, seen) = (lock.clone(), trace.clone());
        let owner = spawn(move || {
            let _last = seen.on_drop("unwound");
            let _guard = inner.lock().unwrap();
            schedule();
            resume_unwind(Box::new("a panic without its message"));
        });
        schedule();
        let waiter = locker(&lock, &trace, "waiter");
        assert!(owner.join().unwrap_err().is_panic());
        waiter.join().unwrap();
        assert_eq!(trace.take(), "unwound waiter");
        let (inner, seen) = (lock.clone(), trace.clone());
        let owner = spawn(move || {
            let _last = seen.on_drop("killed");
            let _guard = inner.lock().unwrap();
            greenling::schedule_remove();
        });
        schedule();
        let waiter = locker(&lock, &trace, "waiter");
        schedule();
        owner.tasklet().kill().unwrap();
        waiter.join().unwrap();
        assert_eq!(trace.take(), "killed waiter");
        // No poison.
        drop(lock.try_lock().unwrap());
    });
}

/// Locks when it is dropped, and keeps what it got.
struct LocksOnDrop {
    lock: Rc<dyn Lock>,
    results: Rc<RefCell<Vec<String>>>,
}

impl Drop for LocksOnDrop {
    fn drop(&mut self) {
        let wait = self.lock.lock().map(drop);
        let attempt = self.lock.try_lock().is_some();
        self.results
            .borrow_mut()
            .push(format!("{wait:?} {attempt}"));
    }
}

#[test]
fn an_unwinding_tasklet_locks_what_is_free_and_is_refused_what_is_not() {
    each(|lock| {
        let results = Rc::new(RefCell::new(Vec::new()));
        let victim = || {
            let (lock, results) = (lock.clone(), results.clone());
            let task = spawn(move || {
                let _locks = LocksOnDrop { lock, results };
                greenling::schedule_remove();
            });
            schedule();
            task.tasklet()
        };
        victim().kill().unwrap();
        let guard = lock.lock().unwrap();
        victim().kill().unwrap();
        drop(guard);
        assert_eq!(results.take(), ["Ok(()) true", "Err(Unwinding) false"]);
        assert!(is_free(&lock));
    });
}

#[test]
fn traps_refuse_the_wait_but_not_the_lock() {
    each(|lock| {
        let owner = lock.clone();
        let owner = Tasklet::new(move || {
            let _guard = owner.lock().unwrap();
            greenling::schedule_remove();
        });
        let trap = switch_trap();
        drop(lock.lock().unwrap());
        drop(trap);
        owner.run().unwrap();
        let trap = switch_trap();
        assert!(matches!(lock.lock().map(drop), Err(WaitError::SwitchTrap)));
        drop(trap);
        greenling::current().set_block_trap(true);
        assert!(matches!(lock.lock().map(drop), Err(WaitError::BlockTrap)));
        assert!(lock.waiters().is_empty());
        owner.run().unwrap();
        drop(lock.lock().unwrap());
        greenling::current().set_block_trap(false);
    });
}

#[test]
fn a_deadlock_is_reported_with_the_locks_that_are_waited_for() {
    each(|lock| {
        logs::keep();
        let other = Rc::new(Mutex::new(0));
        let (mine, theirs) = (lock.clone(), other.clone());
        let task = spawn(move || {
            let _guard = theirs.lock().unwrap();
            mine.lock().map(drop)
        });
        let guard = lock.lock().unwrap();
        schedule();
        let result = other.lock().map(drop);
        assert!(matches!(result, Err(WaitError::Deadlock)), "{result:?}");
        let lines = logs::take();
        let report = lines.iter().find(|line| line.contains("deadlock"));
        let report = report.expect("it was logged");
        assert!(report.contains("\"main\", waits for mutex (0x"), "{report}");
        let theirs = format!("waits for {} (0x", lock.name());
        assert!(report.contains(&theirs), "{report}");
        drop(guard);
        task.join().unwrap().unwrap();
    });
}

#[test]
fn thousands_wait_and_many_of_them_end_while_they_do() {
    each(|lock| {
        const WAITERS: usize = 5_000;
        let served = Rc::new(RefCell::new(Vec::new()));
        let guard = lock.lock().unwrap();
        let tasks: Vec<_> = (0..WAITERS)
            .map(|number| {
                let (lock, served) = (lock.clone(), served.clone());
                spawn(move || {
                    let _guard = lock.lock().unwrap();
                    served.borrow_mut().push(number);
                    if number % 7 == 0 {
                        schedule();
                    }
                })
            })
            .collect();
        schedule();
        assert_eq!(lock.waiters().len(), WAITERS);
        for task in tasks.iter().step_by(3) {
            task.tasklet().kill_pending().unwrap();
        }
        drop(guard);
        settle();
        let expected: Vec<_> = (0..WAITERS).filter(|number| number % 3 != 0).collect();
        assert_eq!(served.take(), expected);
        assert!(is_free(&lock));
    });
}

#[test]
fn what_is_left_when_a_thread_ends_is_killed_in_order_of_birth() {
    let notes = on_bare_thread(|| {
        let trace = Trace::new();
        let seen = trace.clone();
        greenling::enter(move || {
            let lock = Rc::new(Mutex::new(0));
            for name in ["owner", "first in line", "second in line"] {
                let (lock, note) = (lock.clone(), seen.on_drop(name));
                spawn(move || {
                    let _note = note;
                    let _guard = lock.lock().unwrap();
                    greenling::schedule_remove();
                });
            }
            schedule();
        });
        trace.take()
    });
    assert_eq!(notes, "owner first in line second in line");
}
