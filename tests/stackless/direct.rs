//! Running and switching to a given tasklet.

use crate::queued;
use greenling::{Channel, Tasklet, TaskletError, run, run_count, schedule};
use tests::{Trace, isolated};

/// Main, then A, B and C, all queued.
fn three(trace: &Trace) -> [Tasklet; 3] {
    ["A", "B", "C"].map(|name| queued(trace.noting(name)))
}

#[test]
fn running_a_queued_tasklet_only_rotates_the_ring() {
    isolated(|| {
        let trace = Trace::new();
        let [_, b, _] = three(&trace);
        b.run().unwrap();
        trace.note("main");
        schedule();
        assert_eq!(trace.take(), "B C main A");
    });
}

#[test]
fn running_the_first_of_the_queue_runs_them_all() {
    isolated(|| {
        let trace = Trace::new();
        let [a, ..] = three(&trace);
        a.run().unwrap();
        trace.note(run_count());
        assert_eq!(trace.take(), "A B C 1");
    });
}

#[test]
fn the_caller_comes_right_after_a_paused_tasklet_that_it_runs() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        let paused = Tasklet::new(move || {
            inner.note("P1");
            schedule();
            inner.note("P2");
        });
        three(&trace);
        paused.run().unwrap();
        trace.note("main");
        run().unwrap();
        assert_eq!(trace.take(), "P1 main A B C P2");
    });
}

#[test]
fn running_a_fresh_tasklet_has_run_it_when_the_call_returns() {
    isolated(|| {
        let trace = Trace::new();
        Tasklet::new(trace.noting("ran")).run().unwrap();
        assert_eq!(trace.take(), "ran");
    });
}

#[test]
fn switching_to_a_queued_tasklet_pauses_the_caller() {
    isolated(|| {
        let trace = Trace::new();
        let (main, inner) = (greenling::current(), trace.clone());
        queued(trace.noting("A"));
        let b = queued(move || {
            inner.note(format!("B sees main paused: {}", main.is_paused()));
            main.insert().unwrap();
        });
        queued(trace.noting("C"));
        b.switch().unwrap();
        trace.note("main");
        // Rotated, with main taken out and then put at the end: B C A main.
        assert_eq!(trace.take(), "B sees main paused: true C A main");
    });
}

#[test]
fn switching_to_a_paused_tasklet_pauses_the_caller() {
    isolated(|| {
        let trace = Trace::new();
        let (main, inner) = (greenling::current(), trace.clone());
        queued(trace.noting("A"));
        let paused = Tasklet::new(move || {
            inner.note(main.is_paused());
            main.insert().unwrap();
            schedule();
            inner.note("P2");
        });
        paused.switch().unwrap();
        trace.note("main");
        run().unwrap();
        assert_eq!(trace.take(), "true A main P2");
    });
}

#[test]
fn a_paused_main_is_revived_when_the_queue_drains() {
    isolated(|| {
        let trace = Trace::new();
        let [_, b, _] = three(&trace);
        b.switch().unwrap();
        trace.note("main");
        assert_eq!(trace.take(), "B C A main");
    });
}

#[test]
fn the_innermost_caller_of_run_is_revived_before_a_paused_main() {
    isolated(|| {
        let trace = Trace::new();
        let (inner, more) = (trace.clone(), trace.clone());
        let runner = Tasklet::new(move || {
            queued(more.noting("worker"));
            run().unwrap();
            inner.note("runner");
        });
        runner.switch().unwrap();
        trace.note("main");
        assert_eq!(trace.take(), "worker runner main");
    });
}

#[test]
fn running_or_switching_to_itself_does_nothing() {
    isolated(|| {
        let trace = Trace::new();
        queued(trace.noting("A"));
        let me = greenling::current();
        me.run().unwrap();
        me.switch().unwrap();
        me.switch().unwrap();
        trace.note("main");
        assert_eq!(run_count(), 2);
        run().unwrap();
        assert_eq!(trace.take(), "main A");
    });
}

#[test]
fn running_or_switching_to_a_blocked_or_an_ended_tasklet_is_an_error() {
    isolated(|| {
        let channel = Channel::<()>::new();
        let inner = channel.clone();
        let blocked = queued(move || inner.receive().unwrap());
        let ended = queued(|| ());
        run().unwrap();
        assert!(matches!(blocked.run(), Err(TaskletError::Blocked)));
        assert!(matches!(blocked.switch(), Err(TaskletError::Blocked)));
        assert!(blocked.is_blocked());
        assert!(matches!(ended.run(), Err(TaskletError::Dead)));
        assert!(matches!(ended.switch(), Err(TaskletError::Dead)));
        assert!(matches!(Tasklet::unbound().run(), Err(TaskletError::Dead)));
        assert!(greenling::current().is_scheduled());
        channel.send(()).unwrap();
    });
}
