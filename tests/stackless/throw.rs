//! Errors thrown at tasklets, immediate and pending.

use crate::queued;
use greenling::{
    Channel, ReceiveError, SendErrorKind, Tasklet, TaskletError, TaskletExit, Uncaught, WaitError,
    run, schedule,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tests::{Trace, isolated};

#[test]
fn a_throw_is_raised_from_the_wait_of_its_target() {
    isolated(|| {
        let trace = Trace::new();
        for pending in [false, true] {
            let channel = Channel::<()>::new();
            let (inner, waiting) = (trace.clone(), channel.clone());
            let blocked = queued(move || match waiting.receive() {
                Err(ReceiveError::Wait(WaitError::Thrown(error))) => inner.note(error),
                other => inner.note(format!("{other:?}")),
            });
            schedule();
            if pending {
                blocked.throw_pending("boom").unwrap();
                assert!(blocked.is_alive() && channel.balance() == 0);
                run().unwrap();
            } else {
                blocked.throw("boom").unwrap();
            }
            assert!(!blocked.is_alive());
            assert_eq!(trace.take(), "boom");
        }
    });
}

#[test]
fn of_two_pending_throws_the_last_wins() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::<()>::new();
        let (inner, waiting) = (trace.clone(), channel.clone());
        let blocked = queued(move || inner.note(waiting.receive().unwrap_err()));
        schedule();
        blocked.throw_pending("first").unwrap();
        blocked.throw_pending("second").unwrap();
        run().unwrap();
        assert_eq!(trace.take(), "an error was thrown at the tasklet: second");
    });
}

#[test]
fn a_throw_unwinds_a_target_whose_call_returns_nothing() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        let worker = queued(move || {
            let _note = inner.on_drop("unwound");
            schedule();
            inner.note("not reached");
        });
        schedule();
        let error = worker.throw("boom").unwrap_err();
        assert!(
            matches!(&error, TaskletError::Uncaught(Uncaught::Error(e)) if e.to_string() == "boom")
        );
        assert_eq!(trace.take(), "unwound");
    });
}

#[test]
fn an_error_thrown_at_a_tasklet_that_never_started_kills_it_and_surfaces() {
    isolated(|| {
        let trace = Trace::new();
        let fresh = Tasklet::new(trace.noting("ran"));
        let error = fresh.throw("early").unwrap_err();
        assert!(
            matches!(&error, TaskletError::Uncaught(Uncaught::Error(e)) if e.to_string() == "early")
        );
        assert!(!fresh.is_alive());
        let fresh = Tasklet::new(trace.noting("ran"));
        fresh.throw_pending("late").unwrap();
        assert!(fresh.is_alive());
        let error = run().unwrap_err();
        assert!(
            matches!(&error, TaskletError::Uncaught(Uncaught::Error(e)) if e.to_string() == "late")
        );
        assert!(!fresh.is_alive());
        assert_eq!(trace.take(), "");
    });
}

#[test]
fn throwing_at_an_ended_tasklet_is_an_error() {
    isolated(|| {
        let ended = queued(|| ());
        run().unwrap();
        assert!(matches!(ended.throw("late"), Err(TaskletError::Dead)));
        assert!(matches!(
            ended.throw_pending("late"),
            Err(TaskletError::Dead)
        ));
    });
}

#[test]
fn an_error_thrown_at_a_sender_whose_item_was_taken_comes_without_the_item() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::new();
        let (inner, sending) = (trace.clone(), channel.clone());
        let sender = queued(move || {
            let error = sending.send(5).unwrap_err();
            inner.note(matches!(
                error.kind(),
                SendErrorKind::Wait(WaitError::Thrown(_))
            ));
            inner.note(format!("{:?}", error.into_inner()));
        });
        schedule();
        assert_eq!(channel.receive().unwrap(), 5);
        sender.throw_pending("late").unwrap();
        run().unwrap();
        assert_eq!(trace.take(), "true None");
    });
}

#[test]
fn a_target_that_waits_again_gives_the_turn_back_to_who_threw() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::new();
        let (inner, waiting) = (trace.clone(), channel.clone());
        queued(move || {
            let thrown = waiting.receive().unwrap_err();
            inner.note(thrown);
            inner.note(waiting.receive().unwrap());
        });
        schedule();
        queued(trace.noting("A"));
        channel.queue()[0].throw("boom").unwrap();
        trace.note(format!("main {}", channel.balance()));
        channel.send("value").unwrap();
        assert_eq!(
            trace.take_list(),
            [
                "an error was thrown at the tasklet: boom",
                "main -1",
                "value",
                "A"
            ]
        );
    });
}

#[test]
fn an_error_thrown_at_a_queued_tasklet_only_rotates_so_those_behind_it_run_first() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        let target = queued(move || {
            let exit = catch_unwind(AssertUnwindSafe(schedule));
            inner.note(if exit.is_err() {
                "thrown at"
            } else {
                "yielded"
            });
        });
        let inner = trace.clone();
        queued(move || {
            schedule();
            inner.note("B");
        });
        schedule();
        queued(trace.noting("C"));
        // The ring is main, target, B, C.
        target.throw("boom").unwrap();
        trace.note("main");
        run().unwrap();
        assert_eq!(trace.take(), "thrown at B C main");
    });
}

#[test]
fn a_pending_throw_or_kill_appends_a_paused_target() {
    isolated(|| {
        for kill in [true, false] {
            let trace = Trace::new();
            let inner = trace.clone();
            let paused = queued(move || {
                let exit = catch_unwind(AssertUnwindSafe(greenling::schedule_remove));
                inner.note(format!("killed: {}", exit.unwrap_err().is::<TaskletExit>()));
            });
            schedule();
            assert!(paused.is_paused());
            queued(trace.noting("A"));
            if kill {
                paused.kill_pending().unwrap();
            } else {
                paused.throw_pending("boom").unwrap();
            }
            assert!(paused.is_scheduled() && !paused.is_blocked());
            trace.note("main");
            run().unwrap();
            assert_eq!(trace.take(), format!("main A killed: {kill}"));
        }
    });
}

#[test]
fn a_pending_kill_and_a_pending_throw_replace_each_other() {
    isolated(|| {
        for kill_last in [true, false] {
            let trace = Trace::new();
            let channel = Channel::<()>::new();
            let (inner, waiting) = (trace.clone(), channel.clone());
            let blocked = queued(move || {
                let _note = inner.on_drop("ended");
                inner.note(waiting.receive().unwrap_err());
            });
            schedule();
            if kill_last {
                blocked.throw_pending("boom").unwrap();
                blocked.kill_pending().unwrap();
            } else {
                blocked.kill_pending().unwrap();
                blocked.throw_pending("boom").unwrap();
            }
            run().unwrap();
            let expected = match kill_last {
                true => "ended",
                false => "an error was thrown at the tasklet: boom ended",
            };
            assert_eq!(trace.take(), expected);
        }
    });
}
