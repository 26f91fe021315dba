//! Kills: from every state, held back, caught, by dropping the last handle.

use greenling::{
    Channel, JoinError, Tasklet, TaskletExit, WaitError, defer_kill, run, schedule, schedule_remove,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tests::{Trace, isolated};

/// Something a tasklet waits in.
type Wait = fn(&Channel<()>);

const WAITS: [(&str, Wait); 8] = [
    ("yield", |_| schedule()),
    ("pause", |_| schedule_remove()),
    ("receive", |channel| drop(channel.receive())),
    ("send", |_| drop(Channel::new().send(()))),
    ("sleep", |_| {
        greenling::time::sleep(Duration::from_secs(3600))
    }),
    ("join", |channel| {
        let channel = channel.clone();
        drop(greenling::spawn(move || channel.receive()).join());
    }),
    ("run", |_| drop(run())),
    ("scope", |channel| {
        drop(greenling::time::timeout(Duration::from_secs(3600), || {
            channel.receive()
        }))
    }),
];

#[test]
fn a_kill_unwinds_from_every_kind_of_wait() {
    isolated(|| {
        for (name, wait) in WAITS {
            for pending in [false, true] {
                let trace = Trace::new();
                let channel = Channel::new();
                let (inner, waiting) = (trace.clone(), channel.clone());
                let handle = greenling::spawn(move || {
                    let _note = inner.on_drop("unwound");
                    wait(&waiting);
                    inner.note("not reached");
                });
                schedule();
                assert!(!handle.is_finished());
                let tasklet = handle.tasklet();
                if pending {
                    tasklet.kill_pending().unwrap();
                    assert_eq!(trace.take(), "");
                    schedule();
                } else {
                    tasklet.kill().unwrap();
                }
                assert_eq!(trace.take(), "unwound", "{name}, pending: {pending}");
                assert!(handle.join().unwrap_err().is_killed());
            }
        }
    });
}

#[test]
fn a_tasklet_that_catches_its_exit_lives_on() {
    isolated(|| {
        for (name, wait) in WAITS {
            let channel = Channel::new();
            let waiting = channel.clone();
            let handle = greenling::spawn(move || {
                let exit = catch_unwind(AssertUnwindSafe(|| wait(&waiting)));
                assert!(exit.unwrap_err().is::<TaskletExit>());
                schedule();
                5
            });
            schedule();
            handle.tasklet().kill().unwrap();
            assert!(!handle.is_finished(), "{name}");
            assert_eq!(handle.join().unwrap(), 5, "{name}");
        }
    });
}

#[test]
fn kills_are_held_back_by_a_guard_and_delivered_by_the_first_wait_after_it() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::new();
        let (inner, waiting) = (trace.clone(), channel.clone());
        let handle = greenling::spawn(move || {
            let _note = inner.on_drop("unwound");
            let outer = defer_kill();
            let nested = defer_kill();
            inner.note(waiting.receive().unwrap());
            drop(nested);
            inner.note(waiting.receive().unwrap());
            drop(outer);
            inner.note("guard gone");
            let _ = waiting.receive();
            inner.note("not reached");
        });
        schedule();
        handle.tasklet().kill().unwrap();
        assert_eq!(channel.balance(), -1, "the wait goes on");
        channel.send("one").unwrap();
        handle.tasklet().kill_pending().unwrap();
        channel.send("two").unwrap();
        run().unwrap();
        assert_eq!(trace.take(), "one two guard gone unwound");
        assert!(handle.join().unwrap_err().is_killed());
    });
}

#[test]
fn a_second_guard_taken_before_the_next_wait_holds_the_kill_back_again() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::new();
        let (inner, waiting) = (trace.clone(), channel.clone());
        let handle = greenling::spawn(move || {
            for _ in 0..3 {
                let _guard = defer_kill();
                inner.note(waiting.receive().unwrap());
            }
            schedule();
            inner.note("not reached");
        });
        schedule();
        handle.tasklet().kill().unwrap();
        for n in 0..3 {
            channel.send(n).unwrap();
        }
        assert!(handle.join().unwrap_err().is_killed());
        assert_eq!(trace.take(), "0 1 2");
    });
}

#[test]
fn a_throw_that_is_held_back_survives_a_wait_that_times_out() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::<()>::new();
        let (inner, waiting) = (trace.clone(), channel.clone());
        let handle = greenling::spawn(move || {
            let guard = defer_kill();
            let timed = greenling::time::timeout(Duration::from_millis(1), || waiting.receive());
            assert!(timed.is_err());
            drop(guard);
            inner.note(waiting.receive().unwrap_err());
        });
        schedule();
        handle.tasklet().throw("held back").unwrap();
        handle.join().unwrap();
        assert_eq!(
            trace.take(),
            "an error was thrown at the tasklet: held back"
        );
    });
}

#[test]
fn what_is_held_back_when_the_tasklet_ends_is_dropped_then() {
    isolated(|| {
        let alive = Arc::new(());
        #[derive(Debug)]
        struct Counted(#[expect(dead_code, reason = "counts")] Arc<()>);
        impl std::fmt::Display for Counted {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("counted")
            }
        }
        impl std::error::Error for Counted {}
        let handle = greenling::spawn(|| {
            let guard = defer_kill();
            schedule();
            drop(guard);
        });
        schedule();
        handle
            .tasklet()
            .throw_pending(Counted(alive.clone()))
            .unwrap();
        assert_eq!(Arc::strong_count(&alive), 2);
        handle.join().unwrap();
        assert_eq!(Arc::strong_count(&alive), 1);
        // The next owner of the block is not concerned.
        greenling::spawn(schedule).join().unwrap();
    });
}

#[test]
fn the_last_handle_of_a_paused_tasklet_kills_it_at_the_next_safe_point() {
    isolated(|| {
        let trace = Trace::new();
        let captured = trace.on_drop("unstarted");
        let unstarted = Tasklet::new(move || drop(captured));
        let inner = trace.clone();
        let started = Tasklet::new(move || {
            let _note = inner.on_drop("started");
            schedule_remove();
            inner.note("not reached");
        });
        started.run().unwrap();
        let inner = trace.clone();
        let removed = greenling::spawn(move || {
            let _note = inner.on_drop("removed");
            schedule();
            inner.note("not reached");
        });
        schedule();
        removed.tasklet().remove().unwrap();
        // Dropped in another order than that of their ids.
        drop(removed);
        drop(started);
        drop(unstarted);
        assert_eq!(trace.take(), "", "never inside the drop");
        run().unwrap();
        assert_eq!(trace.take(), "unstarted started removed");
    });
}

#[test]
fn a_paused_tasklet_that_gets_a_handle_back_in_time_is_not_killed() {
    isolated(|| {
        let trace = Trace::new();
        let tasklet = Tasklet::new(trace.noting("ran"));
        let copy = tasklet.clone();
        drop(tasklet);
        run().unwrap();
        copy.run().unwrap();
        assert_eq!(trace.take(), "ran");
    });
}

#[test]
fn a_tasklet_killed_by_a_destructor_during_an_unwind_dies_later() {
    isolated(|| {
        struct Kills(Tasklet, Trace);
        impl Drop for Kills {
            fn drop(&mut self) {
                self.0.kill().unwrap();
                self.1.note("pending");
            }
        }
        let trace = Trace::new();
        let inner = trace.clone();
        let victim = greenling::spawn(move || {
            let _note = inner.on_drop("victim unwound");
            schedule_remove();
        });
        schedule();
        let kills = Kills(victim.tasklet(), trace.clone());
        let killer = greenling::spawn(move || {
            let _kills = kills;
            schedule_remove();
        });
        schedule();
        killer.tasklet().kill().unwrap();
        assert!(victim.join().unwrap_err().is_killed());
        assert_eq!(trace.take(), "pending victim unwound");
    });
}

#[test]
fn joining_tells_a_kill_from_a_throw() {
    isolated(|| {
        let thrown = greenling::spawn(schedule_remove);
        schedule();
        thrown.tasklet().throw("boom").unwrap();
        match thrown.join() {
            Err(JoinError::Thrown(error)) => assert_eq!(error.to_string(), "boom"),
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn a_killed_joiner_leaves_the_tasklet_and_its_joiners_alone() {
    isolated(|| {
        let channel = Channel::new();
        let waiting = channel.clone();
        let worker = Rc::new(greenling::spawn(move || waiting.receive().unwrap()));
        let joiners = [0, 1, 2].map(|_| {
            let worker = worker.clone();
            greenling::spawn(move || worker.wait())
        });
        schedule();
        joiners[1].tasklet().kill().unwrap();
        channel.send(9).unwrap();
        let [first, killed, third] = joiners;
        first.join().unwrap().unwrap();
        third.join().unwrap().unwrap();
        assert!(killed.join().unwrap_err().is_killed());
        let worker = Rc::into_inner(worker).unwrap();
        assert_eq!(worker.join().unwrap(), 9);
    });
}

#[test]
fn a_kill_beats_a_timeout_that_is_due_as_well() {
    isolated(|| {
        let channel = Channel::<()>::new();
        let waiting = channel.clone();
        let handle = greenling::spawn(move || {
            let result = greenling::time::timeout(Duration::ZERO, || waiting.receive());
            drop(result);
        });
        schedule();
        handle.tasklet().kill_pending().unwrap();
        greenling::time::sleep(Duration::from_millis(1));
        assert!(matches!(handle.wait(), Ok(()) | Err(WaitError::TimedOut)));
        assert!(handle.is_finished());
    });
}
