//! The flat queue order: a queued target alone moves to the front.

use crate::queued;
use greenling::{Channel, QueueOrder, Tasklet, run, run_count, schedule, set_queue_order};
use tests::{Trace, isolated};

/// Does `act` to B, in a tasklet that is followed by A, B and C in the queue.
fn from_a_tasklet(order: QueueOrder, act: fn(&Tasklet)) -> String {
    isolated(move || {
        set_queue_order(order);
        let trace = Trace::new();
        let (inner, names) = (trace.clone(), ["A", "B", "C"]);
        queued(move || {
            let tasklets = names.map(|name| {
                let trace = inner.clone();
                queued(move || {
                    let _note = trace.on_drop(name);
                    schedule();
                })
            });
            schedule();
            inner.note("actor:");
            act(&tasklets[1]);
            inner.note("back");
        });
        run().unwrap();
        trace.take()
    })
}

fn run_it(target: &Tasklet) {
    target.run().unwrap();
}

fn kill_it(target: &Tasklet) {
    target.kill().unwrap();
}

fn throw_at_it(target: &Tasklet) {
    // Nobody takes care of the error, so the innermost `run` is told.
    target.throw("boom").unwrap();
}

#[test]
fn the_order_is_the_rings_unless_another_is_set_for_the_thread() {
    isolated(|| {
        assert_eq!(set_queue_order(QueueOrder::Flat), QueueOrder::Ring);
        assert_eq!(set_queue_order(QueueOrder::Flat), QueueOrder::Flat);
        let elsewhere = std::thread::spawn(|| set_queue_order(QueueOrder::Ring));
        assert_eq!(elsewhere.join().unwrap(), QueueOrder::Ring);
        assert_eq!(set_queue_order(QueueOrder::Ring), QueueOrder::Flat);
    });
}

#[test]
fn the_caller_comes_right_behind_a_queued_target_that_it_runs_or_kills() {
    for act in [run_it, kill_it] {
        // Only rotated: what was behind B runs before the caller does.
        assert_eq!(from_a_tasklet(QueueOrder::Ring, act), "actor: B C back A");
        // B alone is moved to the front.
        assert_eq!(from_a_tasklet(QueueOrder::Flat, act), "actor: B back A C");
    }
}

#[test]
fn a_target_that_catches_what_was_thrown_at_it_goes_to_the_end_when_it_yields() {
    isolated(|| {
        set_queue_order(QueueOrder::Flat);
        let trace = Trace::new();
        let inner = trace.clone();
        queued(move || {
            let note = inner.clone();
            let tough = queued(move || {
                let caught = std::panic::catch_unwind(schedule);
                note.note(if caught.is_err() { "caught" } else { "missed" });
                schedule();
                note.note("tough again");
            });
            let a = inner.clone();
            queued(move || {
                schedule();
                a.note("A");
            });
            schedule();
            throw_at_it(&tough);
            inner.note("actor");
        });
        run().unwrap();
        assert_eq!(trace.take(), "caught actor A tough again");
    });
}

#[test]
fn a_paused_target_goes_first_in_either_order() {
    for order in [QueueOrder::Ring, QueueOrder::Flat] {
        let trace = isolated(move || {
            set_queue_order(order);
            let trace = Trace::new();
            let inner = trace.clone();
            queued(move || {
                queued(inner.noting("A"));
                Tasklet::new(inner.noting("P")).run().unwrap();
                inner.note("actor");
            });
            run().unwrap();
            trace.take()
        });
        assert_eq!(trace, "P actor A", "{order:?}");
    }
}

#[test]
fn switching_moves_a_queued_target_to_the_front_and_pauses_the_caller() {
    isolated(|| {
        set_queue_order(QueueOrder::Flat);
        let trace = Trace::new();
        let inner = trace.clone();
        let caller = queued(move || {
            queued(inner.noting("A"));
            let b = queued(inner.noting("B"));
            queued(inner.noting("C"));
            b.switch().unwrap();
            inner.note("caller");
        });
        run().unwrap();
        assert_eq!(trace.take(), "B A C");
        assert!(caller.is_paused());
        caller.run().unwrap();
        assert_eq!(trace.take(), "caller");
    });
}

#[test]
fn a_main_that_runs_or_kills_a_tasklet_waits_until_the_queue_has_drained() {
    isolated(|| {
        set_queue_order(QueueOrder::Flat);
        let trace = Trace::new();
        let three = || {
            ["A", "B", "C"].map(|name| {
                let trace = trace.clone();
                queued(move || {
                    let _note = trace.on_drop(format!("{name}-ends"));
                    trace.note(name);
                    schedule();
                })
            })
        };
        let [_, b, _] = three();
        b.run().unwrap();
        trace.note(format!("main {}", run_count()));
        assert_eq!(trace.take(), "B A C B-ends A-ends C-ends main 1");
        let [_, b, _] = three();
        schedule();
        trace.take();
        b.kill().unwrap();
        trace.note("main");
        assert_eq!(trace.take(), "B-ends A-ends C-ends main");
        let channel = Channel::<()>::new();
        let (inner, waiting) = (trace.clone(), channel.clone());
        let waiter = queued(move || inner.note(waiting.receive().unwrap_err()));
        schedule();
        three();
        waiter.throw("boom").unwrap();
        let notes = trace.take_list();
        assert_eq!(notes[0], "an error was thrown at the tasklet: boom");
        assert_eq!(notes[1..], ["A", "B", "C", "A-ends", "B-ends", "C-ends"]);
    });
}

#[test]
fn main_stays_with_those_that_are_left_blocked_as_run_does() {
    isolated(|| {
        set_queue_order(QueueOrder::Flat);
        let channel = Channel::<()>::new();
        let waiting = channel.clone();
        let blocked = Tasklet::new(move || drop(waiting.receive()));
        blocked.run().unwrap();
        assert!(blocked.is_blocked());
        channel.send(()).unwrap();
        assert!(!blocked.is_alive());
    });
}

#[test]
fn an_error_brings_main_back_before_the_queue_has_drained() {
    isolated(|| {
        set_queue_order(QueueOrder::Flat);
        let trace = Trace::new();
        queued(trace.noting("A"));
        Tasklet::new(|| Err::<(), _>("bad")).setup().unwrap();
        let c = queued(trace.noting("C"));
        queued(trace.noting("D"));
        assert!(c.run().is_err());
        trace.note("main");
        run().unwrap();
        assert_eq!(trace.take(), "C A main D");
    });
}
