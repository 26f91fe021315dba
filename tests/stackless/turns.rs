//! Runs that wait: for timers, descriptors and other threads.

use crate::queued;
use greenling::thread::{channel, remote};
use greenling::{Channel, TaskletError, run, run_blocking, schedule, switch_trap, turn};
use std::time::Duration;
use tests::{Trace, isolated};

#[test]
fn run_does_not_wait_for_those_whom_only_the_world_can_wake() {
    isolated(|| {
        let trace = Trace::new();
        let (sender, receiver) = channel::<&str>(1);
        let inner = trace.clone();
        queued(move || inner.note(receiver.receive().unwrap()));
        assert_eq!(run().unwrap().blocked, 1);
        trace.note("main");
        sender.send("value").unwrap();
        run_blocking().unwrap();
        assert_eq!(trace.take(), "main value");
    });
}

#[test]
fn a_blocking_run_waits_for_other_threads_and_returns_when_nothing_is_left() {
    isolated(|| {
        let trace = Trace::new();
        let (sender, receiver) = channel::<u32>(0);
        let inner = trace.clone();
        queued(move || {
            while let Ok(number) = receiver.receive() {
                inner.note(number);
            }
            inner.note("closed");
        });
        let other = std::thread::spawn(move || {
            for number in 1..=3 {
                sender.send(number).unwrap();
            }
        });
        let report = run_blocking().unwrap();
        trace.note("main");
        assert_eq!((report.blocked, report.paused), (0, 0));
        assert_eq!(trace.take(), "1 2 3 closed main");
        other.join().unwrap();
    });
}

#[test]
fn a_blocking_run_waits_for_timers() {
    isolated(|| {
        let trace = Trace::new();
        for (name, after) in [("late", 200), ("early", 1)] {
            let inner = trace.clone();
            queued(move || {
                greenling::time::sleep(Duration::from_millis(after));
                inner.note(name);
            });
        }
        run_blocking().unwrap();
        assert_eq!(trace.take(), "early late");
    });
}

#[test]
fn a_blocking_run_returns_when_nothing_could_wake_anybody_and_that_is_no_error() {
    isolated(|| {
        assert_eq!(run_blocking().unwrap().blocked, 0, "nobody is there");
        let local = Channel::<()>::new();
        let waiting = local.clone();
        queued(move || drop(waiting.receive()));
        queued(greenling::schedule_remove);
        assert_eq!(run_blocking().unwrap().blocked, 1);
        assert_eq!(local.balance(), -1);
        local.send(()).unwrap();
    });
}

#[test]
fn a_worker_may_wait_in_a_blocking_run_while_main_waits_for_it() {
    isolated(|| {
        let trace = Trace::new();
        let (sender, receiver) = channel::<&str>(1);
        let inner = trace.clone();
        let worker = greenling::spawn(move || {
            let note = inner.clone();
            queued(move || note.note(receiver.receive().unwrap()));
            let report = run_blocking().unwrap();
            // Main: it waits for this very tasklet.
            inner.note(format!("{} blocked", report.blocked));
        });
        let other = std::thread::spawn(move || sender.send("value").unwrap());
        worker.join().unwrap();
        other.join().unwrap();
        assert_eq!(trace.take(), "value 1 blocked");
    });
}

#[test]
fn inserting_the_caller_of_a_blocking_run_makes_it_return_early() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        let worker = queued(move || {
            run_blocking().unwrap();
            inner.note("worker");
        });
        let inner = trace.clone();
        queued(move || {
            for turn in 1..=3 {
                inner.note(format!("B{turn}"));
                schedule();
            }
        });
        schedule();
        assert!(worker.is_paused());
        worker.insert().unwrap();
        schedule();
        trace.note("main");
        run().unwrap();
        assert_eq!(trace.take(), "B1 B2 worker main B3");
    });
}

#[test]
fn the_error_of_a_tasklet_ends_a_blocking_run() {
    isolated(|| {
        greenling::Tasklet::new(|| {
            greenling::time::sleep(Duration::from_millis(1));
            Err::<(), _>("bad")
        })
        .insert()
        .unwrap();
        let error = run_blocking().unwrap_err();
        assert!(matches!(error, TaskletError::Uncaught(_)), "{error}");
    });
}

#[test]
fn a_turn_runs_what_is_runnable_and_does_not_wait_then() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        queued(move || {
            inner.note("A1");
            schedule();
            inner.note("A2");
            // For ever, as far as this test is concerned.
            greenling::time::sleep(Duration::from_secs(1 << 20));
        });
        let report = turn(None).unwrap();
        trace.note("main");
        assert_eq!(report.blocked, 1);
        assert_eq!(trace.take(), "A1 A2 main");
        // Nobody is runnable: it may look at the world, but need not wait.
        assert_eq!(turn(Some(Duration::ZERO)).unwrap().blocked, 1);
        // Somebody is, so there is no wait for the sleeper either.
        queued(trace.noting("B"));
        assert_eq!(turn(None).unwrap().blocked, 1);
        assert_eq!(trace.take(), "B");
    });
}

#[test]
fn a_turn_of_an_idle_thread_waits_for_the_first_event_and_handles_it() {
    isolated(|| {
        let trace = Trace::new();
        let (sender, receiver) = channel::<u32>(0);
        let inner = trace.clone();
        let worker = queued(move || {
            while let Ok(number) = receiver.receive() {
                inner.note(number);
            }
        });
        schedule();
        let other = std::thread::spawn(move || sender.send(7).unwrap());
        let mut turns = 0;
        while worker.is_alive() {
            turn(None).unwrap();
            turns += 1;
        }
        other.join().unwrap();
        assert_eq!(trace.take(), "7");
        // At least the value or the closing ended a wait; nothing spins.
        assert!((1..=4).contains(&turns), "{turns} turns");
    });
}

#[test]
fn a_turn_returns_at_once_when_nothing_could_wake_anybody() {
    isolated(|| {
        assert_eq!(turn(None).unwrap().blocked, 0);
        let local = Channel::<()>::new();
        let waiting = local.clone();
        queued(move || drop(waiting.receive()));
        assert_eq!(turn(None).unwrap().blocked, 1);
        assert_eq!(turn(None).unwrap().blocked, 1);
        local.send(()).unwrap();
    });
}

#[test]
fn another_thread_can_end_the_wait_of_a_turn() {
    isolated(|| {
        let home = remote().unwrap();
        let other = std::thread::spawn(move || home.wake());
        let report = turn(Some(Duration::from_secs(1 << 20))).unwrap();
        assert_eq!((report.blocked, report.paused), (0, 0));
        other.join().unwrap();
    });
}

#[test]
fn where_switching_is_trapped_there_is_no_turn() {
    isolated(|| {
        let trace = Trace::new();
        queued(trace.noting("A"));
        let trap = switch_trap();
        assert!(matches!(turn(None), Err(TaskletError::SwitchTrap)));
        assert!(matches!(run_blocking(), Err(TaskletError::SwitchTrap)));
        assert_eq!(trace.take(), "");
        drop(trap);
        turn(None).unwrap();
        assert_eq!(trace.take(), "A");
    });
}

#[test]
fn two_threads_that_call_run_until_their_tasklets_have_ended_pass_messages() {
    isolated(|| {
        let (sender, receiver) = channel::<u32>(0);
        let other = std::thread::spawn(move || {
            let worker = queued(move || {
                for number in 1..=4 {
                    sender.send(number).unwrap();
                }
            });
            while worker.is_alive() {
                run().unwrap();
            }
        });
        let trace = Trace::new();
        let inner = trace.clone();
        let worker = queued(move || {
            for _ in 0..4 {
                inner.note(receiver.receive().unwrap());
            }
        });
        while worker.is_alive() {
            run().unwrap();
        }
        other.join().unwrap();
        assert_eq!(trace.take(), "1 2 3 4");
    });
}
