//! `run`, nested and interrupted.

use crate::queued;
use greenling::{Channel, Tasklet, run, run_count, schedule};
use std::cell::RefCell;
use std::rc::Rc;
use tests::{Trace, isolated};

#[test]
fn run_with_an_empty_queue_returns_at_once() {
    isolated(|| {
        let report = run().unwrap();
        assert_eq!((report.blocked, report.paused), (0, 0));
    });
}

#[test]
fn run_returns_when_the_ring_has_drained_whatever_is_left_blocked_or_paused() {
    isolated(|| {
        let channel = Channel::<()>::new();
        let inner = channel.clone();
        let blocked = queued(move || inner.receive().unwrap());
        let paused = queued(greenling::schedule_remove);
        let unstarted = Tasklet::new(|| ());
        queued(schedule);
        let report = run().unwrap();
        assert_eq!((report.blocked, report.paused), (1, 2));
        assert!(blocked.is_blocked() && paused.is_paused() && unstarted.is_paused());
        channel.send(()).unwrap();
    });
}

#[test]
fn the_inner_run_returns_first_and_main_is_paused_until_then() {
    isolated(|| {
        let trace = Trace::new();
        let (inner, main) = (trace.clone(), greenling::current());
        queued(move || {
            queued(inner.noting("worker"));
            run().unwrap();
            inner.note(format!("inner returned, main paused: {}", main.is_paused()));
        });
        run().unwrap();
        trace.note("outer returned");
        assert_eq!(
            trace.take(),
            "worker inner returned, main paused: true outer returned"
        );
    });
}

#[test]
fn an_inner_run_does_not_return_while_main_keeps_scheduling() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        let runner = queued(move || {
            run().unwrap();
            inner.note("returned");
        });
        for _ in 0..5 {
            schedule();
        }
        assert!(runner.is_paused());
        assert_eq!(trace.take(), "");
        // Main leaves the ring: now it drains.
        run().unwrap();
        assert_eq!(trace.take(), "");
        assert!(runner.is_paused(), "main was the innermost");
        runner.insert().unwrap();
        run().unwrap();
        assert_eq!(trace.take(), "returned");
    });
}

#[test]
fn a_fresh_run_of_main_is_inside_an_older_run_of_a_worker() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        let worker = queued(move || {
            run().unwrap();
            inner.note("worker's run returned");
        });
        schedule();
        assert!(worker.is_paused());
        queued(trace.noting("A"));
        run().unwrap();
        trace.note("main's run returned");
        assert_eq!(trace.take(), "A main's run returned");
        assert!(worker.is_paused());
    });
}

#[test]
fn inserting_a_caller_of_run_makes_its_run_return_early() {
    isolated(|| {
        let trace = Trace::new();
        let (inner, main) = (trace.clone(), greenling::current());
        queued(move || {
            inner.note("A1");
            main.insert().unwrap();
            schedule();
            inner.note("A2");
        });
        let more = trace.clone();
        queued(move || {
            more.note("B1");
            schedule();
            more.note("B2");
        });
        run().unwrap();
        trace.note(format!("main with {} runnable", run_count()));
        run().unwrap();
        assert_eq!(trace.take(), "A1 B1 main with 3 runnable A2 B2");
    });
}

#[test]
fn running_a_caller_of_run_makes_its_run_return_at_once() {
    isolated(|| {
        let trace = Trace::new();
        let (inner, main) = (trace.clone(), greenling::current());
        queued(move || {
            inner.note("A1");
            main.run().unwrap();
            inner.note("A2");
        });
        queued(trace.noting("B"));
        run().unwrap();
        trace.note("main");
        run().unwrap();
        assert_eq!(trace.take(), "A1 main A2 B");
    });
}

#[test]
fn an_outer_run_that_returns_early_takes_the_inner_ones_along_after_it() {
    isolated(|| {
        let trace = Trace::new();
        let tasklets: Rc<RefCell<Vec<Tasklet>>> = Rc::default();
        let runner = |name: &'static str| {
            let trace = trace.clone();
            queued(move || {
                run().unwrap();
                trace.note(name);
            })
        };
        // Main's run is outermost, then R1's, then R2's.
        let first = runner("R1");
        runner("R2");
        tasklets.borrow_mut().push(first);
        let (inner, waker) = (trace.clone(), tasklets.clone());
        queued(move || {
            inner.note("worker");
            waker.borrow()[0].insert().unwrap();
            schedule();
            inner.note("worker again");
        });
        run().unwrap();
        trace.note("main");
        // R1 returns when its turn comes, and R2's run, which is inside R1's,
        // after it; main's run is outside and stays.
        assert_eq!(trace.take(), "worker R1 worker again R2 main");
    });
}

#[test]
fn a_kill_takes_a_caller_of_run_off_the_stack_of_callers() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        let runner = queued(move || {
            let _note = inner.on_drop("unwound");
            let _ = run();
            inner.note("not reached");
        });
        schedule();
        runner.kill().unwrap();
        assert_eq!(trace.take(), "unwound");
        queued(trace.noting("A"));
        run().unwrap();
        trace.note("main");
        assert_eq!(trace.take(), "A main");
    });
}
