//! Budgets: runs that end before the queue has drained.

use crate::queued;
use greenling::{
    Channel, Preference, RunOptions, RunReport, Tasklet, TaskletError, Uncaught, current, run,
    run_count, run_with, schedule,
};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use tests::{Trace, isolated};

const FOR_EVER: Duration = Duration::from_secs(1 << 20);

/// Runs until `switches` tasklets have been resumed.
fn run_for(switches: u64) -> RunReport {
    run_with(&RunOptions::new().max_switches(switches)).unwrap()
}

/// A tasklet that notes each of its `turns`, and yields after it.
fn yielding(trace: &Trace, name: &'static str, turns: usize) -> Tasklet {
    let trace = trace.clone();
    queued(move || {
        for turn in 1..=turns {
            trace.note(format!("{name}{turn}"));
            schedule();
        }
    })
}

#[test]
fn a_spent_budget_brings_the_caller_back_and_leaves_the_queue_as_it_was() {
    isolated(|| {
        let trace = Trace::new();
        let [a, b, c] = ["A", "B", "C"].map(|name| yielding(&trace, name, 3));
        let report = run_for(4);
        assert!(report.over_budget);
        assert_eq!(report.interrupted, Some(a.clone()));
        assert_eq!(trace.take(), "A1 B1 C1 A2");
        // The caller is before the one whose turn it was; the victim is last.
        assert_eq!(current().next(), Some(b));
        assert_eq!(current().prev(), Some(a));
        assert_eq!(run_count(), 4);
        let report = run_for(1);
        assert!(report.over_budget && report.interrupted.is_some());
        trace.note("main");
        run().unwrap();
        assert_eq!(trace.take(), "B2 main C2 A3 B3 C3");
        assert!(!c.is_alive());
    });
}

#[test]
fn a_queue_that_drains_within_the_budget_ends_the_run_as_usual() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::<()>::new();
        let waiting = channel.clone();
        yielding(&trace, "A", 2);
        queued(move || drop(waiting.receive()));
        for options in [
            RunOptions::new().max_switches(5),
            RunOptions::new().max_time(FOR_EVER).max_slice(FOR_EVER),
            RunOptions::new(),
        ] {
            let report = run_with(&options).unwrap();
            assert!(!report.over_budget && report.interrupted.is_none());
            assert_eq!((report.blocked, report.paused), (1, 0));
        }
        assert_eq!(trace.take(), "A1 A2");
        channel.send(()).unwrap();
    });
}

#[test]
fn one_tasklet_is_run_at_least_however_small_the_budget() {
    isolated(|| {
        let trace = Trace::new();
        for options in [
            RunOptions::new().max_switches(0),
            RunOptions::new().max_switches(1),
            RunOptions::new().max_time(Duration::ZERO),
        ] {
            let a = yielding(&trace, "A", 1);
            yielding(&trace, "B", 1);
            let report = run_with(&options).unwrap();
            assert!(report.over_budget);
            assert_eq!(report.interrupted, Some(a));
            assert_eq!(trace.take(), "A1", "{options:?}");
            run().unwrap();
            assert_eq!(trace.take(), "B1");
        }
        assert!(!run_for(0).over_budget, "an empty queue");
    });
}

#[test]
fn a_tasklet_that_yields_to_nobody_but_itself_is_interrupted_too() {
    isolated(|| {
        let trace = Trace::new();
        let busy = yielding(&trace, "A", 5);
        let report = run_for(3);
        assert_eq!(report.interrupted, Some(busy));
        assert_eq!(trace.take(), "A1 A2 A3");
        run().unwrap();
    });
}

#[test]
fn each_way_to_give_way_can_be_the_last() {
    type Last = fn(&Channel<()>);
    let ways: [(&str, Last); 4] = [
        ("ends", |_| ()),
        ("pauses", |_| greenling::schedule_remove()),
        ("waits", |channel| drop(channel.receive())),
        ("runs another", |_| drop(queued(|| ()).run())),
    ];
    for (name, way) in ways {
        isolated(move || {
            let trace = Trace::new();
            let channel = Channel::new();
            let (inner, waiting) = (trace.clone(), channel.clone());
            let a = queued(move || {
                inner.note("A");
                way(&waiting);
            });
            queued(trace.noting("B"));
            let report = run_for(1);
            trace.note("main");
            assert!(report.over_budget, "{name}");
            assert_eq!(report.interrupted, a.is_alive().then_some(a), "{name}");
            run().unwrap();
            assert_eq!(trace.take(), "A main B", "{name}");
        });
    }
}

#[test]
fn busy_tasklets_all_finish_when_the_run_is_repeated() {
    isolated(|| {
        let trace = Trace::new();
        let tasklets = ["A", "B", "C"].map(|name| yielding(&trace, name, 30));
        let mut interrupted = 0;
        while tasklets.iter().any(Tasklet::is_alive) {
            interrupted += usize::from(run_for(7).over_budget);
        }
        let notes = trace.take_list();
        assert_eq!(notes.len(), 90);
        for (turn, round) in notes.chunks(3).enumerate() {
            let expected = ["A", "B", "C"].map(|name| format!("{name}{}", turn + 1));
            assert_eq!(round, expected, "interruptions change no order");
        }
        // 30 yields and an end each: 93 turns, 7 at a time.
        assert_eq!(interrupted, 13);
    });
}

#[test]
fn the_owner_of_the_budget_is_woken_not_main_nor_the_innermost_caller_of_run() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        queued(move || {
            let runner = inner.clone();
            queued(move || {
                run().unwrap();
                runner.note("inner run returned");
            });
            yielding(&inner, "W", 3);
            let report = run_for(3);
            inner.note(format!("owner, over: {}", report.over_budget));
        });
        run().unwrap();
        trace.note("main");
        assert_eq!(
            trace.take_list(),
            // The runner, then W twice; then the queue drains in the runner's.
            [
                "W1",
                "W2",
                "owner, over: true",
                "W3",
                "inner run returned",
                "main"
            ]
        );
    });
}

#[test]
fn the_outermost_budget_counts_and_inner_ones_act_as_run() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        queued(move || {
            yielding(&inner, "W", 4);
            let report = run_for(1);
            inner.note(format!("inner, over: {}", report.over_budget));
        });
        let report = run_for(3);
        trace.note(format!("outer, over: {}", report.over_budget));
        run_for(100);
        assert_eq!(
            trace.take_list(),
            [
                "W1",
                "W2",
                "outer, over: true",
                "W3",
                // It was inside the outer one, so it returns after it.
                "inner, over: false",
                "W4"
            ]
        );
        // With the outer one gone, another may be set.
        yielding(&trace, "X", 2);
        assert!(run_for(1).over_budget);
        run().unwrap();
        assert_eq!(trace.take(), "X1 X2");
    });
}

#[test]
fn a_hand_over_whose_order_a_channel_has_promised_is_not_disturbed() {
    isolated(|| {
        for (preference, expected) in [
            // The receiver is resumed at once, and is the next to give way.
            (Preference::Receiver, "s r main X"),
            // The sender goes on, and ends.
            (Preference::Neither, "s sent main X r"),
        ] {
            let trace = Trace::new();
            let channel = Channel::new();
            channel.set_preference(preference);
            let (inner, receiving) = (trace.clone(), channel.clone());
            let receiver = queued(move || {
                receiving.receive().unwrap();
                inner.note("r");
                schedule();
            });
            run().unwrap();
            let (inner, sending) = (trace.clone(), channel.clone());
            queued(move || {
                inner.note("s");
                sending.send(()).unwrap();
                inner.note("sent");
            });
            queued(trace.noting("X"));
            assert!(run_for(1).over_budget);
            trace.note("main");
            schedule();
            let notes = trace.take();
            assert!(notes.starts_with(expected), "{preference:?}: {notes}");
            run().unwrap();
            assert!(!receiver.is_alive());
        }
    });
}

#[test]
fn tasklets_that_pass_a_token_round_are_neither_lost_nor_doubled() {
    isolated(|| {
        let channels: [Channel<u32>; 3] = std::array::from_fn(|_| Channel::new());
        let passed = Rc::new(Cell::new(0));
        for at in 0..3 {
            let (from, to) = (channels[at].clone(), channels[(at + 1) % 3].clone());
            let passed = passed.clone();
            queued(move || {
                loop {
                    let token = from.receive().unwrap();
                    passed.set(passed.get() + 1);
                    to.send(token + 1).unwrap();
                }
            });
        }
        run().unwrap();
        channels[0].set_preference(Preference::Neither);
        channels[0].send(0).unwrap();
        for _ in 0..10 {
            let before = passed.get();
            let report = run_for(20);
            assert!(report.over_budget && passed.get() > before);
            // One has the token, the others wait for it or to hand it on.
            assert_eq!(run_count() - 1 + report.blocked, 3);
        }
    });
}

#[test]
fn atomic_tasklets_are_not_interrupted_but_the_next_ones_are() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        let atomic = queued(move || {
            let guard = current().atomic();
            for turn in 1..=3 {
                inner.note(format!("A{turn}"));
                if turn == 3 {
                    assert!(current().is_atomic());
                }
                schedule();
            }
            drop(guard);
            inner.note("A4");
            schedule();
        });
        let report = run_for(1);
        assert_eq!(trace.take(), "A1 A2 A3 A4", "its switches passed");
        assert!(!report.over_budget || report.interrupted == Some(atomic));
        run().unwrap();
        let inner = trace.clone();
        let atomic = queued(move || {
            let _guard = current().atomic();
            inner.note("A1");
            schedule();
            inner.note("A2");
        });
        let b = yielding(&trace, "B", 1);
        let report = run_for(1);
        assert_eq!(report.interrupted, Some(b));
        assert!(atomic.is_alive());
        assert_eq!(trace.take(), "A1 B1");
        run().unwrap();
    });
}

#[test]
fn the_slice_of_an_uncooperative_tasklet_ends_the_run_and_the_report_names_it() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        let culprit = queued(move || {
            let _note = inner.on_drop("punished");
            loop {
                inner.note("held");
                // Whatever it takes, it is more than nothing.
                while std::time::Instant::now() == std::time::Instant::now() {}
                schedule();
            }
        });
        let report = run_with(&RunOptions::new().max_slice(Duration::ZERO)).unwrap();
        assert!(report.over_budget);
        let named = report.interrupted.unwrap();
        assert_eq!(named, culprit);
        assert!(named.is_scheduled());
        let error = named.throw("too long").unwrap_err();
        assert!(matches!(error, TaskletError::Uncaught(Uncaught::Error(_))));
        assert_eq!(trace.take(), "held punished");
    });
}

#[test]
fn an_error_ends_the_run_before_its_budget_does_and_lifts_it() {
    isolated(|| {
        let trace = Trace::new();
        Tasklet::new(|| Err::<(), _>("bad")).setup().unwrap();
        yielding(&trace, "A", 3);
        assert!(run_with(&RunOptions::new().max_switches(2)).is_err());
        run().unwrap();
        assert_eq!(trace.take(), "A1 A2 A3", "no budget is left over");
    });
}

#[test]
fn an_owner_that_is_killed_takes_its_budget_along() {
    isolated(|| {
        let trace = Trace::new();
        let owner = queued(|| drop(run_with(&RunOptions::new().max_switches(3))));
        schedule();
        owner.kill().unwrap();
        yielding(&trace, "A", 5);
        assert!(!run().unwrap().over_budget);
        assert_eq!(trace.take(), "A1 A2 A3 A4 A5");
    });
}

#[test]
fn an_owner_that_is_inserted_returns_in_its_turn_whatever_is_left_of_its_budget() {
    isolated(|| {
        for switches in [1, 100] {
            let trace = Trace::new();
            let (inner, main) = (trace.clone(), current());
            queued(move || {
                inner.note("A1");
                main.insert().unwrap();
                schedule();
                inner.note("A2");
            });
            yielding(&trace, "B", 2);
            let report = run_for(switches);
            assert!(!report.over_budget && report.interrupted.is_none());
            trace.note("main");
            assert!(run_for(1).over_budget, "the first is lifted");
            run().unwrap();
            assert_eq!(trace.take(), "A1 B1 main A2 B2");
        }
    });
}
