//! Kills, immediate and pending.

use crate::queued;
use greenling::{
    Channel, Tasklet, TaskletError, TaskletExit, run, run_count, schedule, schedule_remove,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tests::{Trace, isolated};

/// A tasklet that yields for ever, and notes its end.
fn yielding(trace: &Trace, name: &'static str) -> Tasklet {
    let trace = trace.clone();
    queued(move || {
        let _note = trace.on_drop(format!("{name} unwound"));
        loop {
            trace.note(name);
            schedule();
        }
    })
}

#[test]
fn a_kill_runs_the_targets_destructors_before_it_returns() {
    isolated(|| {
        let trace = Trace::new();
        let worker = yielding(&trace, "A");
        schedule();
        worker.kill().unwrap();
        trace.note("main");
        assert!(!worker.is_alive());
        assert_eq!(trace.take(), "A A unwound main");
    });
}

#[test]
fn killing_a_blocked_tasklet_takes_it_off_its_channel_and_comes_back_next() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::<()>::new();
        let (inner, waiting) = (trace.clone(), channel.clone());
        let blocked = queued(move || {
            let _note = inner.on_drop("unwound");
            let _ = waiting.receive();
        });
        schedule();
        queued(trace.noting("A"));
        blocked.kill().unwrap();
        trace.note(format!("main {}", channel.balance()));
        schedule();
        assert_eq!(trace.take(), "unwound main 0 A");
    });
}

#[test]
fn killing_a_queued_tasklet_only_rotates_so_those_behind_it_run_first() {
    isolated(|| {
        let trace = Trace::new();
        queued(trace.noting("A"));
        let b = queued(trace.noting("B"));
        queued(trace.noting("C"));
        b.kill().unwrap();
        trace.note("main");
        assert_eq!(run_count(), 2);
        schedule();
        assert_eq!(trace.take(), "C main A");
    });
}

#[test]
fn a_tasklet_that_was_never_started_is_killed_without_running() {
    isolated(|| {
        let trace = Trace::new();
        for started in [false, true] {
            let (inner, captured) = (trace.clone(), trace.on_drop("closure dropped"));
            let fresh = Tasklet::new(move || {
                let _captured = captured;
                inner.note("ran");
            });
            if started {
                fresh.insert().unwrap();
            }
            fresh.kill().unwrap();
            assert!(!fresh.is_alive());
            assert!(matches!(fresh.run(), Err(TaskletError::Dead)));
            assert_eq!(trace.take(), "closure dropped");
        }
    });
}

#[test]
fn killing_an_ended_or_an_unbound_tasklet_does_nothing() {
    isolated(|| {
        let ended = queued(|| ());
        run().unwrap();
        ended.kill().unwrap();
        ended.kill_pending().unwrap();
        Tasklet::unbound().kill().unwrap();
    });
}

#[test]
fn main_can_not_be_killed() {
    isolated(|| {
        let me = greenling::current();
        assert!(matches!(me.kill(), Err(TaskletError::Main)));
        assert!(matches!(me.kill_pending(), Err(TaskletError::Main)));
    });
}

#[test]
fn a_tasklet_that_kills_itself_unwinds_right_there() {
    isolated(|| {
        let trace = Trace::new();
        for pending in [false, true] {
            let inner = trace.clone();
            let worker = queued(move || {
                let exit = catch_unwind(AssertUnwindSafe(|| {
                    let me = greenling::current();
                    if pending {
                        me.kill_pending().unwrap();
                    } else {
                        me.kill().unwrap();
                    }
                }));
                let payload = exit.unwrap_err();
                inner.note(payload.is::<TaskletExit>());
                std::panic::resume_unwind(payload);
            });
            run().unwrap();
            assert!(!worker.is_alive());
            assert_eq!(trace.take(), "true");
        }
    });
}

#[test]
fn a_tasklet_that_catches_its_kill_lives_on_and_can_block_again() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::new();
        let (inner, waiting) = (trace.clone(), channel.clone());
        let tough = queued(move || {
            let exit = catch_unwind(AssertUnwindSafe(|| waiting.receive()));
            assert!(exit.unwrap_err().is::<TaskletExit>());
            inner.note("caught");
            inner.note(waiting.receive().unwrap());
        });
        schedule();
        tough.kill().unwrap();
        assert!(tough.is_alive() && tough.is_blocked());
        assert_eq!(channel.balance(), -1);
        channel.send(3).unwrap();
        assert_eq!(trace.take(), "caught 3");
        assert!(!tough.is_alive());
    });
}

#[test]
fn a_pending_kill_lets_the_caller_go_on() {
    isolated(|| {
        let trace = Trace::new();
        let worker = yielding(&trace, "A");
        schedule();
        worker.kill_pending().unwrap();
        trace.note("main");
        assert!(worker.is_alive());
        run().unwrap();
        assert_eq!(trace.take(), "A main A unwound");
    });
}

#[test]
fn a_pending_kill_appends_a_blocked_target_and_changes_the_balance_at_once() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::<()>::new();
        let (inner, waiting) = (trace.clone(), channel.clone());
        let blocked = queued(move || {
            let _note = inner.on_drop("unwound");
            let _ = waiting.receive();
        });
        schedule();
        queued(trace.noting("A"));
        blocked.kill_pending().unwrap();
        assert_eq!(channel.balance(), 0);
        assert!(blocked.is_alive() && !blocked.is_blocked());
        run().unwrap();
        assert_eq!(trace.take(), "A unwound");
    });
}

#[test]
fn a_pending_kill_leaves_a_queued_target_in_its_place() {
    isolated(|| {
        let trace = Trace::new();
        let a = yielding(&trace, "A");
        let b = queued(trace.noting("B"));
        a.kill_pending().unwrap();
        b.insert().unwrap();
        run().unwrap();
        assert_eq!(trace.take(), "B", "A never started");
    });
}

#[test]
fn a_pending_kill_discards_a_value_that_was_already_handed_over() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::new();
        let (inner, waiting) = (trace.clone(), channel.clone());
        let receiver = queued(move || {
            let _note = inner.on_drop("unwound");
            let _value = waiting.receive();
            inner.note("not reached");
        });
        schedule();
        channel.set_preference(greenling::Preference::Neither);
        channel.send(trace.on_drop("value dropped")).unwrap();
        receiver.kill_pending().unwrap();
        assert_eq!(trace.take(), "");
        run().unwrap();
        assert_eq!(trace.take(), "value dropped unwound");
    });
}

#[test]
fn a_trapped_kill_leaves_the_target_at_its_place_in_the_channel() {
    isolated(|| {
        let channel = Channel::<i32>::new();
        let waiters = [0, 1].map(|n| {
            let channel = channel.clone();
            queued(move || assert_eq!(channel.receive().unwrap(), n))
        });
        run().unwrap();
        {
            let _trap = greenling::switch_trap();
            assert!(matches!(waiters[0].kill(), Err(TaskletError::SwitchTrap)));
        }
        assert_eq!(channel.queue(), waiters);
        channel.send(0).unwrap();
        channel.send(1).unwrap();
    });
}

#[test]
fn a_paused_tasklet_without_handles_is_finalised_at_the_next_safe_point() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        drop(queued(move || {
            let _note = inner.on_drop("unwound");
            schedule_remove();
            inner.note("not reached");
        }));
        run().unwrap();
        assert_eq!(trace.take(), "unwound");
        // The same with main paused instead of inside `run`.
        let inner = trace.clone();
        drop(queued(move || {
            let _note = inner.on_drop("unwound");
            schedule_remove();
            inner.note("not reached");
        }));
        schedule_remove();
        assert_eq!(trace.take(), "unwound");
    });
}

#[test]
fn killing_a_paused_tasklet_unwinds_it_at_once_and_comes_back_next() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        let paused = queued(move || {
            let _note = inner.on_drop("unwound");
            schedule_remove();
        });
        schedule();
        queued(trace.noting("A"));
        paused.kill().unwrap();
        trace.note("main");
        schedule();
        assert_eq!(trace.take(), "unwound main A");
    });
}
