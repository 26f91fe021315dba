//! Semaphores: order, counts, bounds, closing.

use super::parked;
use greenling::sync::{AcquireError, Semaphore, TooManyPermits, TryAcquireError};
use greenling::{JoinHandle, run, schedule, spawn};
use std::cell::Cell;
use std::panic::panic_any;
use std::rc::Rc;
use std::time::Instant;
use tests::{Trace, isolated};

/// Acquires `count`, notes it, and gives the permits back when told to end.
fn acquiring(semaphore: &Rc<Semaphore>, trace: &Trace, name: &str, count: usize) -> JoinHandle<()> {
    let (semaphore, trace, name) = (semaphore.clone(), trace.clone(), name.to_owned());
    parked(move || {
        let permit = semaphore.acquire_many(count).unwrap();
        assert_eq!(permit.count(), count);
        trace.note(name);
    })
}

#[test]
fn permits_go_to_waiters_in_order_and_giving_back_does_not_switch() {
    isolated(|| {
        let (semaphore, trace) = (Rc::new(Semaphore::new(1)), Trace::new());
        let permit = semaphore.acquire().unwrap();
        let waiters = ["A", "B"].map(|name| acquiring(&semaphore, &trace, name, 1));
        assert_eq!(semaphore.waiters(), waiters.map(|waiter| waiter.tasklet()));
        drop(permit);
        trace.note("on");
        assert_eq!(semaphore.available(), 0, "it was given away");
        run().unwrap();
        assert_eq!(trace.take(), "on A B");
        assert_eq!(semaphore.available(), 1);
    });
}

#[test]
fn one_that_wants_many_is_not_overtaken_by_those_that_want_few() {
    isolated(|| {
        let (semaphore, trace) = (Rc::new(Semaphore::new(3)), Trace::new());
        let mut held = semaphore.acquire_many(3).unwrap();
        acquiring(&semaphore, &trace, "three", 3);
        acquiring(&semaphore, &trace, "one", 1);
        for _ in 0..2 {
            drop(held.split(1));
            run().unwrap();
            assert_eq!(trace.take(), "");
            let refused = semaphore.try_acquire().unwrap_err();
            assert_eq!(refused, TryAcquireError::NoPermits);
        }
        assert_eq!(semaphore.available(), 2);
        drop(held);
        run().unwrap();
        assert_eq!(trace.take(), "three one");
        assert_eq!(semaphore.available(), 3);
    });
}

#[test]
fn one_that_leaves_makes_way_for_those_behind_it() {
    isolated(|| {
        let trace = Trace::new();
        for way in ["kill", "throw", "timeout"] {
            let semaphore = Rc::new(Semaphore::new(2));
            let _held = semaphore.acquire().unwrap();
            let wants_many = semaphore.clone();
            let first = parked(move || match way {
                "timeout" => {
                    let soon = Instant::now() + std::time::Duration::from_millis(3);
                    let scope = greenling::time::timeout_at(soon, || {
                        wants_many.acquire_many(2).map(drop).is_err()
                    });
                    assert!(scope.unwrap_err().into_inner());
                }
                _ => drop(wants_many.acquire_many(2).map(drop)),
            });
            let second = acquiring(&semaphore, &trace, way, 1);
            match way {
                "kill" => first.tasklet().kill().unwrap(),
                "throw" => first.tasklet().throw("enough").unwrap(),
                _ => {}
            }
            second.join().unwrap();
            assert_eq!(trace.take(), way);
            assert_eq!(semaphore.available(), 1);
        }
    });
}

#[test]
fn a_bounded_semaphore_takes_back_only_what_was_forgotten() {
    isolated(|| {
        let semaphore = Semaphore::bounded(2);
        assert_eq!(semaphore.add_permits(1), Err(TooManyPermits));
        // Held permits count: they will come back by themselves.
        let held = semaphore.acquire().unwrap();
        assert_eq!(semaphore.add_permits(1), Err(TooManyPermits));
        held.forget();
        assert_eq!(semaphore.available(), 1);
        semaphore.add_permits(1).unwrap();
        assert_eq!(semaphore.add_permits(1), Err(TooManyPermits));
        assert_eq!(semaphore.available(), 2);
        let never = semaphore.acquire_many(3);
        assert!(matches!(never, Err(AcquireError::TooMany)));
        let all = semaphore.acquire_many(2).unwrap();
        assert_eq!(all.count(), 2);
    });
}

#[test]
fn an_unbounded_semaphore_has_a_bound_as_well() {
    let semaphore = Semaphore::new(1);
    assert_eq!(semaphore.add_permits(usize::MAX), Err(TooManyPermits));
    semaphore.add_permits(usize::MAX - 1).unwrap();
    assert_eq!(semaphore.available(), usize::MAX);
    drop(semaphore.try_acquire_many(usize::MAX).unwrap());
    assert_eq!(semaphore.available(), usize::MAX);
}

#[test]
fn owned_permits_travel_and_can_be_taken_apart() {
    isolated(|| {
        let semaphore = Rc::new(Semaphore::new(3));
        let mut permit = semaphore.acquire_owned(3).unwrap();
        assert!(permit.split(4).is_none());
        assert_eq!(permit.count(), 3);
        let one = permit.split(1).unwrap();
        let holder = parked(move || {
            schedule();
            drop(one);
        });
        assert_eq!((permit.count(), semaphore.available()), (2, 0));
        holder.join().unwrap();
        assert_eq!(semaphore.available(), 1);
        drop(permit.split(2));
        assert_eq!(permit.count(), 0);
        drop(permit);
        assert_eq!(semaphore.available(), 3);
        let refused = semaphore.try_acquire_owned(4).unwrap_err();
        assert_eq!(refused, TryAcquireError::NoPermits);
        drop(semaphore.try_acquire_owned(3).unwrap());
        assert_eq!(Rc::strong_count(&semaphore), 1);
    });
}

#[test]
fn a_closed_semaphore_refuses_and_sends_away_who_waits() {
    isolated(|| {
        let semaphore = Rc::new(Semaphore::new(2));
        let held = semaphore.acquire_many(2).unwrap();
        let waiters = [0; 3].map(|_| {
            let semaphore = semaphore.clone();
            parked(move || semaphore.acquire().map(drop))
        });
        let mut held = held;
        drop(held.split(1));
        semaphore.close();
        assert!(semaphore.is_closed());
        // One was killed after it was sent away: no permit comes of that.
        waiters[1].tasklet().kill_pending().unwrap();
        let [first, second, third] = waiters;
        first.join().unwrap().expect("granted before the end");
        assert!(second.join().unwrap_err().is_killed());
        let refused = third.join().unwrap();
        assert!(matches!(refused, Err(AcquireError::Closed)));
        assert!(matches!(semaphore.acquire(), Err(AcquireError::Closed)));
        assert!(matches!(
            semaphore.try_acquire(),
            Err(TryAcquireError::Closed)
        ));
        drop(held);
        assert_eq!(semaphore.available(), 2);
    });
}

#[test]
fn permits_come_back_from_tasklets_that_panic_or_are_killed() {
    isolated(|| {
        let (semaphore, trace) = (Rc::new(Semaphore::new(1)), Trace::new());
        let permit = semaphore.acquire_owned(1).unwrap();
        let inside = trace.clone();
        let panicking = spawn(move || {
            let _note = inside.on_drop("unwinding goes on");
            let _permit = permit;
            panic_any("fails");
        });
        let waiter = acquiring(&semaphore, &trace, "A", 1);
        waiter.join().unwrap();
        assert_eq!(trace.take(), "unwinding goes on A");
        assert!(panicking.join().unwrap_err().is_panic());
        let permit = semaphore.acquire_owned(1).unwrap();
        let unstarted = spawn(move || drop(permit));
        unstarted.tasklet().kill().unwrap();
        assert_eq!(semaphore.available(), 1);
    });
}

#[test]
fn no_more_than_the_permits_are_at_work_at_a_time() {
    isolated(|| {
        let semaphore = Rc::new(Semaphore::bounded(7));
        let at_work = Rc::new(Cell::new(0));
        let most = Rc::new(Cell::new(0));
        let workers: Vec<_> = (0..3000)
            .map(|number| {
                let (semaphore, at_work, most) = (semaphore.clone(), at_work.clone(), most.clone());
                spawn(move || {
                    let permit = semaphore.acquire_many(1 + number % 3).unwrap();
                    at_work.set(at_work.get() + permit.count());
                    most.set(most.get().max(at_work.get()));
                    schedule();
                    at_work.set(at_work.get() - permit.count());
                })
            })
            .collect();
        for worker in workers {
            worker.join().unwrap();
        }
        assert_eq!((most.get(), at_work.get()), (7, 0));
        assert_eq!(semaphore.available(), 7);
    });
}
