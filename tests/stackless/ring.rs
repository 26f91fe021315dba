//! The ring: spawning, yielding, inserting, removing.

use crate::queued;
use greenling::{Channel, Tasklet, TaskletError, run, run_count, schedule, schedule_remove};
use tests::{Trace, isolated, logs};

#[test]
fn spawn_order_is_run_order_and_the_spawner_goes_on() {
    isolated(|| {
        let trace = Trace::new();
        for name in ["A", "B", "C"] {
            queued(trace.noting(name));
        }
        greenling::spawn(trace.noting("D"));
        trace.note("main");
        run().unwrap();
        assert_eq!(trace.take(), "main A B C D");
    });
}

#[test]
fn schedule_puts_the_caller_last() {
    isolated(|| {
        let trace = Trace::new();
        for name in ["A", "B", "C"] {
            let trace = trace.clone();
            queued(move || {
                trace.note(format!("{name}1"));
                schedule();
                trace.note(format!("{name}2"));
            });
        }
        run().unwrap();
        assert_eq!(trace.take(), "A1 B1 C1 A2 B2 C2");
    });
}

#[test]
fn what_is_spawned_during_a_round_comes_after_those_already_queued() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        queued(move || {
            inner.note("A");
            queued(inner.noting("spawned by A"));
            schedule();
            inner.note("A again");
        });
        queued(trace.noting("B"));
        schedule();
        trace.note("main");
        run().unwrap();
        assert_eq!(trace.take(), "A B main spawned by A A again");
    });
}

#[test]
fn schedule_runs_the_one_worker_which_sees_main_queued() {
    isolated(|| {
        let trace = Trace::new();
        let (inner, main) = (trace.clone(), greenling::current());
        queued(move || inner.note(main.is_scheduled()));
        schedule();
        assert_eq!(trace.take(), "true");
    });
}

#[test]
fn schedule_and_schedule_remove_of_a_lone_main_return_at_once() {
    isolated(|| {
        logs::keep();
        schedule();
        schedule_remove();
        assert_eq!(run_count(), 1);
        assert!(logs::take().is_empty(), "it is no deadlock either");
    });
}

#[test]
fn schedule_remove_pauses_the_caller_until_it_is_inserted() {
    isolated(|| {
        let trace = Trace::new();
        let (inner, main) = (trace.clone(), greenling::current());
        queued(move || {
            inner.note(main.is_scheduled());
            main.insert().unwrap();
            inner.note("inserted");
        });
        schedule_remove();
        trace.note("main");
        assert_eq!(trace.take(), "false inserted main");
    });
}

#[test]
fn a_worker_that_pauses_itself_under_run_stays_paused_when_run_returns() {
    isolated(|| {
        let worker = queued(schedule_remove);
        let report = run().unwrap();
        assert!(worker.is_alive() && worker.is_paused());
        assert_eq!((report.blocked, report.paused), (0, 1));
        worker.insert().unwrap();
        run().unwrap();
        assert!(!worker.is_alive());
    });
}

#[test]
fn insert_appends_a_paused_tasklet_and_leaves_a_queued_one_in_place() {
    isolated(|| {
        let trace = Trace::new();
        let paused = Tasklet::new(trace.noting("paused"));
        let first = queued(trace.noting("first"));
        queued(trace.noting("second"));
        first.insert().unwrap();
        first.insert().unwrap();
        paused.insert().unwrap();
        assert_eq!(run_count(), 4);
        assert_eq!(trace.take(), "");
        run().unwrap();
        assert_eq!(trace.take(), "first second paused");
    });
}

#[test]
fn insert_of_a_blocked_an_ended_or_an_unbound_tasklet_is_an_error() {
    isolated(|| {
        let channel = Channel::<()>::new();
        let inner = channel.clone();
        let blocked = queued(move || inner.receive().unwrap());
        let ended = queued(|| ());
        run().unwrap();
        assert!(matches!(blocked.insert(), Err(TaskletError::Blocked)));
        assert!(matches!(ended.insert(), Err(TaskletError::Dead)));
        assert!(matches!(
            Tasklet::unbound().insert(),
            Err(TaskletError::Dead)
        ));
        assert_eq!(channel.balance(), -1);
        channel.send(()).unwrap();
    });
}

#[test]
fn remove_unlinks_a_queued_tasklet_and_is_harmless_on_a_paused_one() {
    isolated(|| {
        let trace = Trace::new();
        let first = queued(trace.noting("first"));
        queued(trace.noting("second"));
        first.remove().unwrap();
        first.remove().unwrap();
        assert!(first.is_paused());
        assert_eq!(run_count(), 2);
        run().unwrap();
        assert_eq!(trace.take(), "second");
        first.insert().unwrap();
        run().unwrap();
        assert_eq!(trace.take(), "first");
        first.remove().unwrap();
    });
}

#[test]
fn remove_of_the_current_or_a_blocked_tasklet_is_an_error() {
    isolated(|| {
        let channel = Channel::<()>::new();
        let inner = channel.clone();
        let blocked = queued(move || inner.receive().unwrap());
        schedule();
        assert!(matches!(blocked.remove(), Err(TaskletError::Blocked)));
        let me = greenling::current();
        assert!(matches!(me.remove(), Err(TaskletError::Current)));
        channel.send(()).unwrap();
    });
}

#[test]
fn run_count_includes_the_caller_but_neither_blocked_nor_paused_ones() {
    isolated(|| {
        assert_eq!(run_count(), 1);
        let trace = Trace::new();
        let channel = Channel::<()>::new();
        let (inner, waiting) = (trace.clone(), channel.clone());
        queued(move || {
            inner.note(run_count());
            waiting.receive().unwrap();
        });
        let _paused = Tasklet::new(|| ());
        assert_eq!(run_count(), 2);
        // Main is not counted while it sits in `run`.
        run().unwrap();
        assert_eq!(trace.take(), "1");
        assert_eq!(run_count(), 1);
        channel.send(()).unwrap();
        // Another thread has a count of its own.
        assert_eq!(std::thread::spawn(run_count).join().unwrap(), 1);
    });
}

#[test]
fn a_tasklet_that_ends_gives_way_to_its_successor() {
    isolated(|| {
        let trace = Trace::new();
        queued(trace.noting("A"));
        queued(trace.noting("B"));
        schedule();
        trace.note("main");
        assert_eq!(trace.take(), "A B main");
        assert_eq!(run_count(), 1);
    });
}

#[test]
fn schedule_remove_goes_to_the_successor_and_the_rest_of_the_queue_runs_on() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        let pausing = queued(move || {
            inner.note("A1");
            schedule_remove();
            inner.note("A2");
        });
        queued(trace.noting("B"));
        queued(trace.noting("C"));
        schedule();
        trace.note(format!("main, A paused: {}", pausing.is_paused()));
        queued(trace.noting("D"));
        pausing.insert().unwrap();
        run().unwrap();
        assert_eq!(trace.take(), "A1 B C main, A paused: true D A2");
    });
}

#[test]
fn what_the_function_of_a_tasklet_returns_is_discarded() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        drop(greenling::spawn(move || inner.on_drop("value dropped")));
        queued(trace.noting("A"));
        run().unwrap();
        assert_eq!(trace.take(), "value dropped A");
    });
}
