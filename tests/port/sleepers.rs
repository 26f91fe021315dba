//! Sleeping until a pump, and being nice until one.

use crate::secs;
use greenling::port::{Clock, EventQueue, Future, Sleeper, YieldChannel, wait_any};
use greenling::time::timeout;
use greenling::{WaitError, current, run, spawn};
use std::time::Duration;
use tests::{Trace, isolated};

fn sleeper() -> (Clock, EventQueue, Sleeper, Trace) {
    let clock = Clock::virtual_from_zero();
    let events = EventQueue::new(&clock);
    let sleeper = Sleeper::new(&events);
    (clock, events, sleeper, Trace::new())
}

#[test]
fn sleepers_wake_by_time_and_ties_in_the_order_in_which_they_lay_down() {
    isolated(|| {
        let (clock, events, sleeper, trace) = sleeper();
        for (name, time) in [("c", 3), ("a1", 1), ("b", 2), ("a2", 1), ("a3", 1)] {
            let (sleeper, trace) = (sleeper.clone(), trace.clone());
            spawn(move || {
                sleeper.sleep(secs(time)).unwrap();
                trace.note(name);
            });
        }
        run().unwrap();
        clock.advance(secs(1));
        events.pump();
        run().unwrap();
        assert_eq!(trace.take(), "a1 a2 a3");
        clock.advance(secs(9));
        events.pump();
        run().unwrap();
        assert_eq!(trace.take(), "b c");
    });
}

#[test]
fn a_sleep_of_zero_ends_with_the_next_pump_and_no_sooner() {
    isolated(|| {
        let (_, events, sleeper, trace) = sleeper();
        let note = trace.clone();
        spawn(move || {
            for round in 1..=3 {
                sleeper.sleep(Duration::ZERO).unwrap();
                note.note(round);
            }
        });
        run().unwrap();
        run().unwrap();
        assert_eq!(trace.take(), "");
        for round in ["1", "2", "3"] {
            assert_eq!(events.pump(), 1);
            run().unwrap();
            assert_eq!(trace.take(), round);
        }
        assert_eq!(events.pump(), 0);
    });
}

#[test]
fn sleepers_that_are_killed_thrown_at_or_timed_out_leave_no_event() {
    isolated(|| {
        let (_, events, sleeper, _) = sleeper();
        let sleep = |sleeper: Sleeper| move || sleeper.sleep(secs(1));
        let killed = spawn(sleep(sleeper.clone()));
        let thrown_at = spawn(sleep(sleeper.clone()));
        let other = spawn(sleep(sleeper.clone()));
        run().unwrap();
        assert_eq!(events.len(), 3);
        killed.tasklet().kill().unwrap();
        assert!(killed.join().unwrap_err().is_killed());
        assert_eq!(events.len(), 2);
        thrown_at.tasklet().throw("up").unwrap();
        let error = thrown_at.join().unwrap().unwrap_err();
        assert!(matches!(error, WaitError::Thrown(error) if error.to_string() == "up"));
        assert_eq!(events.len(), 1);
        let timed_out = timeout(Duration::from_millis(1), || sleeper.sleep(secs(1)));
        let error = timed_out.unwrap_err().into_inner().unwrap_err();
        assert!(matches!(error, WaitError::TimedOut));
        assert_eq!(events.len(), 1);
        events.clock().advance(secs(1));
        assert_eq!(events.pump(), 1);
        other.join().unwrap().unwrap();
    });
}

#[test]
fn a_sleeper_killed_between_its_pump_and_its_turn_concerns_nobody() {
    isolated(|| {
        let (clock, events, sleeper, trace) = sleeper();
        let tasks = ["a", "b"].map(|name| {
            let (sleeper, trace) = (sleeper.clone(), trace.clone());
            spawn(move || {
                sleeper.sleep(secs(1)).unwrap();
                trace.note(name);
            })
        });
        run().unwrap();
        clock.advance(secs(1));
        assert_eq!(events.pump(), 2);
        tasks[0].tasklet().kill_pending().unwrap();
        run().unwrap();
        assert_eq!(trace.take(), "b");
        assert!(events.is_empty());
    });
}

#[test]
fn where_nobody_pumps_a_sleep_is_a_deadlock() {
    isolated(|| {
        let (_, events, sleeper, _) = sleeper();
        assert!(matches!(sleeper.sleep(secs(1)), Err(WaitError::Deadlock)));
        assert!(events.is_empty());
        let nice = YieldChannel::new().be_nice();
        assert!(matches!(nice, Err(WaitError::Deadlock)));
    });
}

#[test]
fn a_block_trap_forbids_the_waits_that_are_receives_in_stackless() {
    isolated(|| {
        let (_, events, sleeper, _) = sleeper();
        let future: Future<()> = Future::new();
        current().set_block_trap(true);
        assert!(matches!(sleeper.sleep(secs(1)), Err(WaitError::BlockTrap)));
        assert!(matches!(
            YieldChannel::new().be_nice(),
            Err(WaitError::BlockTrap)
        ));
        assert!(matches!(future.wait(), Err(WaitError::BlockTrap)));
        assert!(matches!(wait_any(&[future]), Err(WaitError::BlockTrap)));
        current().set_block_trap(false);
        assert!(events.is_empty());
    });
}

#[test]
fn nice_tasklets_run_once_a_pump_and_the_queue_drains_in_between() {
    isolated(|| {
        let (frames, trace) = (YieldChannel::new(), Trace::new());
        for name in ["a", "b"] {
            let (frames, trace) = (frames.clone(), trace.clone());
            spawn(move || {
                for round in 1..=3 {
                    trace.note(format!("{name}{round}"));
                    frames.be_nice().unwrap();
                }
            });
        }
        run().unwrap();
        assert_eq!(trace.take(), "a1 b1");
        for expected in ["a2 b2", "a3 b3", ""] {
            assert_eq!(frames.waiting(), 2);
            // The snapshot: those that come back are not in it.
            assert_eq!(frames.pump(), 2);
            run().unwrap();
            assert_eq!(trace.take(), expected);
        }
        assert_eq!(frames.waiting(), 0);
        assert_eq!(frames.pump(), 0);
    });
}

#[test]
fn a_nice_tasklet_that_is_killed_leaves_the_others_their_pump() {
    isolated(|| {
        let (frames, trace) = (YieldChannel::new(), Trace::new());
        let tasks = ["a", "b", "c"].map(|name| {
            let (frames, trace) = (frames.clone(), trace.clone());
            spawn(move || {
                frames.be_nice().unwrap();
                trace.note(name);
            })
        });
        run().unwrap();
        tasks[0].tasklet().kill().unwrap();
        assert_eq!(frames.pump(), 2);
        // Woken, and killed before it has run.
        tasks[1].tasklet().kill_pending().unwrap();
        run().unwrap();
        assert_eq!(trace.take(), "c");
    });
}
