//! Executors: where a function runs, and what becomes of it.

use greenling::port::{
    Direct, Executor, Future, FutureError, Immediate, OsThreads, Pool, Queued, wait_all,
};
use greenling::{Channel, current, inspect, run, schedule, schedule_remove, spawn, switch_trap};
use std::cell::Cell;
use std::rc::Rc;
use tests::{Trace, isolated};

#[test]
fn each_executor_has_its_own_order() {
    isolated(|| {
        fn order(executor: &impl Executor) -> String {
            let trace = Trace::new();
            for name in ["a", "b"] {
                let note = trace.clone();
                executor.submit(move || {
                    note.note(format!("{name}1"));
                    schedule();
                    note.note(format!("{name}2"));
                });
                trace.note("submitted");
            }
            run().unwrap();
            trace.take()
        }
        assert_eq!(order(&Direct), "a1 a2 submitted b1 b2 submitted");
        assert_eq!(order(&Queued), "submitted submitted a1 b1 a2 b2");
        assert_eq!(order(&Immediate), "a1 submitted b1 submitted a2 b2");
        let pool = Pool::new(1).unwrap();
        assert_eq!(order(&pool), "submitted submitted a1 a2 b1 b2");
        let pool = Pool::new(2).unwrap();
        assert_eq!(order(&pool), "submitted submitted a1 b1 a2 b2");
    });
}

#[test]
fn a_direct_call_shares_the_fate_of_its_caller() {
    isolated(|| {
        let caller = spawn(|| Direct.submit(schedule_remove).join());
        schedule();
        caller.tasklet().throw("enough").unwrap();
        let error = caller.join().unwrap().unwrap_err();
        assert!(matches!(error, FutureError::Failed(error) if error.to_string() == "enough"));
        let trace = Trace::new();
        let note = trace.clone();
        let caller = spawn(move || {
            Direct.submit(schedule_remove);
            note.note("not reached");
        });
        schedule();
        caller.tasklet().kill().unwrap();
        assert!(caller.join().unwrap_err().is_killed());
        assert_eq!(trace.take(), "");
    });
}

#[test]
fn an_immediate_call_runs_on_a_tasklet_of_its_own_or_later_if_it_must() {
    isolated(|| {
        let main = current().id();
        let future = Immediate.submit(|| current().id());
        assert!(future.is_done());
        assert_ne!(future.join().unwrap(), main);
        let trap = switch_trap();
        let future = Immediate.submit(|| 7);
        assert!(!future.is_done());
        drop(trap);
        assert_eq!(future.join().unwrap(), 7);
    });
}

#[test]
fn os_threads_give_values_and_panics_and_may_be_abandoned() {
    isolated(|| {
        let here = std::thread::current().id();
        let other = OsThreads.submit(move || std::thread::current().id() != here);
        assert!(other.join().unwrap());
        let error = OsThreads.submit(|| panic!("no luck")).join().unwrap_err();
        assert!(matches!(error, FutureError::Panicked(text) if &*text == "no luck"));
        let (gate, wait) = std::sync::mpsc::channel::<()>();
        let abandoned = OsThreads.submit(move || wait.recv());
        schedule();
        assert!(abandoned.cancel());
        assert!(matches!(abandoned.join(), Err(FutureError::Cancelled)));
        drop(gate);
    });
}

#[test]
fn a_pool_runs_no_more_at_once_than_it_has_workers() {
    isolated(|| {
        let pool = Pool::new(3).unwrap();
        let (now, most) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let futures: Vec<Future<()>> = (0..10)
            .map(|_| {
                let (now, most) = (now.clone(), most.clone());
                pool.submit(move || {
                    now.set(now.get() + 1);
                    most.set(most.get().max(now.get()));
                    schedule();
                    now.set(now.get() - 1);
                })
            })
            .collect();
        wait_all(&futures).unwrap();
        assert_eq!(most.get(), 3);
    });
}

#[test]
fn a_worker_outlives_a_panic_and_is_replaced_after_a_kill() {
    isolated(|| {
        let pool = Pool::new(1).unwrap();
        let panicked = pool.submit(|| panic!("no luck"));
        assert!(matches!(panicked.join(), Err(FutureError::Panicked(_))));
        // Cancelled while it runs, with others behind it and without.
        for behind in [1, 0] {
            let never: Channel<()> = Channel::new();
            let running = pool.submit(move || never.receive().is_ok());
            let next: Vec<_> = (0..behind).map(|n| pool.submit(move || n)).collect();
            run().unwrap();
            assert!(running.cancel());
            assert!(matches!(running.join(), Err(FutureError::Cancelled)));
            run().unwrap();
            assert!(next.iter().all(Future::is_done));
        }
        assert_eq!(pool.submit(|| 7).join().unwrap(), 7);
    });
}

#[test]
fn a_call_that_was_cancelled_in_the_queue_is_never_begun() {
    isolated(|| {
        let (pool, trace) = (Pool::new(1).unwrap(), Trace::new());
        let first = pool.submit(trace.noting("first"));
        let second = pool.submit(trace.noting("second"));
        let third = pool.submit(trace.noting("third"));
        assert_eq!(pool.queued(), 3);
        assert!(second.cancel());
        wait_all(&[first, second, third]).unwrap();
        assert_eq!(trace.take(), "first third");
    });
}

#[test]
fn a_closed_pool_does_what_was_submitted_and_leaves_no_tasklet() {
    isolated(|| {
        let trace = Trace::new();
        let pool = Pool::new(3).unwrap();
        let futures: Vec<_> = (0..5).map(|n| pool.submit(trace.noting(n))).collect();
        pool.close();
        let late = pool.submit(trace.noting("late"));
        assert!(late.is_cancelled());
        wait_all(&futures).unwrap();
        run().unwrap();
        assert_eq!(trace.take(), "0 1 2 3 4");
        assert_eq!(inspect::tasklets().len(), 1, "only main is left");
        // Dropped with idle workers, and before they have begun.
        for turns in [1, 0] {
            let pool = Pool::new(2).unwrap();
            (0..turns).for_each(|_| schedule());
            drop(pool);
            run().unwrap();
            assert_eq!(inspect::tasklets().len(), 1);
        }
    });
}

#[test]
fn an_error_thrown_at_an_idle_worker_does_not_end_it() {
    isolated(|| {
        let pool = Pool::new(1).unwrap();
        let worker = pool.submit(current).join().unwrap();
        run().unwrap();
        worker.throw("up").unwrap();
        let again = pool.submit(|| current().id()).join().unwrap();
        assert_eq!(again, worker.id());
        // A killed idle worker is replaced by the next call.
        run().unwrap();
        worker.kill().unwrap();
        let other = pool.submit(|| current().id()).join().unwrap();
        assert_ne!(other, worker.id());
    });
}

#[test]
fn workers_killed_before_they_begin_are_replaced_for_those_who_wait() {
    isolated(|| {
        for close in [false, true] {
            let pool = Pool::new(2).unwrap();
            let future = pool.submit(|| 7);
            if close {
                pool.close();
            }
            // Main, the two workers, and main again.
            let workers = [current().next().unwrap(), current().prev().unwrap()];
            for worker in workers {
                worker.kill_pending().unwrap();
            }
            assert_eq!(future.join().unwrap(), 7);
            drop(pool);
            run().unwrap();
            assert_eq!(inspect::tasklets().len(), 1);
        }
    });
}

#[test]
fn work_may_submit_work() {
    isolated(|| {
        let pool = Rc::new(Pool::new(2).unwrap());
        let inner = pool.clone();
        let future = pool.submit(move || inner.submit(|| 5).join().unwrap() + 1);
        assert_eq!(future.join().unwrap(), 6);
        let task = spawn(move || drop(pool));
        task.join().unwrap();
        run().unwrap();
        assert_eq!(inspect::tasklets().len(), 1);
    });
}
