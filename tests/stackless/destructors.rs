//! Destructors that run code, and what is left of a tasklet that has ended.

use crate::queued;
use greenling::{Channel, Preference, Tasklet, run, schedule, schedule_remove};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use tests::{Trace, isolated, logs};

/// Calls its function when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        self.0();
    }
}

#[test]
fn a_destructor_may_switch_when_its_tasklet_returns() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        let tasklet = queued(move || {
            let note = inner.clone();
            let _last = OnDrop(move || {
                note.note("A2");
                schedule();
                note.note("A3");
            });
            inner.note("A1");
        });
        queued(trace.noting("B"));
        run().unwrap();
        assert_eq!(trace.take(), "A1 A2 B A3");
        assert!(!tasklet.is_alive());
    });
}

#[test]
fn a_destructor_of_a_killed_tasklet_can_spawn_insert_and_tell_but_not_switch() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::new();
        channel.set_preference(Preference::Neither);
        let paused = Tasklet::new(trace.noting("inserted"));
        let (inner, receiving) = (trace.clone(), channel.clone());
        queued(move || inner.note(format!("told {}", receiving.receive().unwrap())));
        let inner = trace.clone();
        let doomed = queued(move || {
            let _last = OnDrop(move || {
                queued(inner.noting("spawned"));
                paused.insert().unwrap();
                channel.send("goodbye").unwrap();
                schedule();
                inner.note("switch refused:");
                inner.note(channel.receive().unwrap_err());
            });
            schedule_remove();
        });
        schedule();
        doomed.kill().unwrap();
        trace.note("main");
        run().unwrap();
        assert_eq!(
            trace.take_list(),
            [
                "switch refused:",
                "a tasklet that is unwinding can't wait",
                "main",
                "spawned",
                "inserted",
                "told goodbye"
            ]
        );
    });
}

#[test]
fn a_value_in_flight_whose_destructor_runs_code_does_no_harm() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::new();
        let (inner, sending) = (trace.clone(), channel.clone());
        let doomed = queued(move || {
            let spawner = inner.clone();
            let _ = sending.send(OnDrop(move || {
                spawner.note("dropped");
                queued(spawner.noting("spawned"));
            }));
        });
        run().unwrap();
        doomed.kill().unwrap();
        assert_eq!(channel.balance(), 0);
        trace.note("main");
        run().unwrap();
        assert_eq!(trace.take(), "dropped main spawned");
    });
}

#[test]
fn what_a_tasklet_held_is_gone_when_it_has_ended_whoever_still_has_its_handle() {
    isolated(|| {
        let (value, channel) = (Rc::new(5), Rc::new(Channel::<()>::new()));
        let (weak, weak_channel) = (Rc::downgrade(&value), Rc::downgrade(&channel));
        let handle = queued(move || {
            assert_eq!(*value, 5);
            let _ = channel.receive();
        });
        schedule();
        assert!(weak.upgrade().is_some() && weak_channel.upgrade().is_some());
        handle.kill().unwrap();
        assert!(weak.upgrade().is_none() && weak_channel.upgrade().is_none());
        assert!(!handle.is_alive());
        let listed = greenling::inspect::tasklets();
        assert!(listed.iter().all(|info| info.id != handle.id()));
    });
}

#[test]
fn an_abandoned_tasklet_that_refuses_to_die_is_killed_ten_times_and_then_left() {
    let lines = isolated(|| {
        logs::keep();
        let trace = Trace::new();
        let inner = trace.clone();
        drop(queued(move || {
            loop {
                let exit = catch_unwind(AssertUnwindSafe(schedule_remove));
                inner.note(if exit.is_err() { "refused" } else { "resumed" });
            }
        }));
        for _ in 0..20 {
            schedule();
            run().unwrap();
        }
        assert_eq!(trace.take_list(), ["refused"; 10]);
        assert_eq!(run().unwrap().paused, 1, "it is left as it is");
        logs::take()
    });
    let told = lines.iter().filter(|line| line.contains("kill"));
    assert_eq!(told.count(), 1, "{lines:#?}");
}
