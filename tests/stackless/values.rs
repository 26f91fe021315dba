//! The value slot: parking and resuming with a value, without a channel.

use crate::queued;
use greenling::{
    Tasklet, TaskletError, current, main_tasklet, run, schedule, schedule_remove_with,
    schedule_with,
};
use tests::{Trace, isolated};

/// A tasklet that notes what its park returns; paused inside it.
fn parked(trace: &Trace) -> Tasklet {
    let trace = trace.clone();
    let tasklet = Tasklet::new(move || trace.note(schedule_remove_with("nothing")));
    tasklet.run().unwrap();
    assert!(tasklet.is_paused());
    tasklet
}

#[test]
fn a_yield_returns_its_own_value_if_nobody_puts_another() {
    isolated(|| {
        assert_eq!(schedule_with(5), 5, "alone");
        assert_eq!(schedule_remove_with("alone"), "alone");
        let trace = Trace::new();
        queued(trace.noting("A"));
        assert_eq!(schedule_with(5), 5);
        queued(trace.noting("B"));
        assert_eq!(schedule_remove_with("paused"), "paused");
        assert_eq!(trace.take(), "A B");
    });
}

#[test]
fn a_value_put_into_the_slot_is_what_the_suspended_call_returns() {
    isolated(|| {
        let trace = Trace::new();
        queued(|| main_tasklet().set_tempval(6).unwrap());
        assert_eq!(schedule_with(5), 6, "main was queued");
        assert_eq!(schedule_with(5), 5, "it was taken");
        let tasklet = parked(&trace);
        tasklet.set_tempval("something").unwrap();
        tasklet.insert().unwrap();
        trace.note("main");
        run().unwrap();
        assert_eq!(trace.take(), "main something");
    });
}

#[test]
fn the_slot_holds_one_value_and_a_later_one_takes_the_place_of_an_earlier() {
    isolated(|| {
        let trace = Trace::new();
        let tasklet = parked(&trace);
        tasklet.set_tempval(trace.on_drop("first dropped")).unwrap();
        tasklet.set_tempval("second").unwrap();
        assert_eq!(trace.take(), "first dropped");
        tasklet.run().unwrap();
        assert_eq!(trace.take(), "second");
    });
}

#[test]
fn a_value_of_another_type_stays_in_the_slot() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        let tasklet = Tasklet::new(move || {
            inner.note(schedule_remove_with("nothing"));
            inner.note(current().take_tempval::<i32>().unwrap());
            inner.note(current().take_tempval::<i32>().is_none());
        });
        tasklet.run().unwrap();
        tasklet.set_tempval(7).unwrap();
        assert_eq!(tasklet.take_tempval::<u8>(), None);
        tasklet.run().unwrap();
        assert_eq!(trace.take(), "nothing 7 true");
    });
}

#[test]
fn an_error_thrown_at_a_parked_tasklet_comes_instead_of_the_value() {
    isolated(|| {
        let trace = Trace::new();
        let tasklet = parked(&trace);
        tasklet.set_tempval(trace.on_drop("value dropped")).unwrap();
        assert!(tasklet.throw("boom").is_err());
        assert!(!tasklet.is_alive());
        assert_eq!(trace.take(), "value dropped", "the park did not return");
    });
}

#[test]
fn a_value_that_nobody_takes_is_dropped_with_its_tasklet_and_may_run_code_then() {
    struct Spawns(Trace);
    impl Drop for Spawns {
        fn drop(&mut self) {
            self.0.note("dropped");
            queued(self.0.noting("spawned"));
        }
    }
    isolated(|| {
        let trace = Trace::new();
        let tasklet = Tasklet::new(trace.noting("ran"));
        tasklet.set_tempval(Spawns(trace.clone())).unwrap();
        tasklet.run().unwrap();
        trace.note("main");
        run().unwrap();
        assert_eq!(trace.take(), "ran dropped main spawned");
        assert!(matches!(tasklet.set_tempval(1), Err(TaskletError::Dead)));
        assert!(matches!(
            Tasklet::unbound().set_tempval(1),
            Err(TaskletError::Dead)
        ));
    });
}

#[test]
fn the_slot_is_apart_from_what_a_channel_hands_over() {
    isolated(|| {
        let trace = Trace::new();
        let channel = greenling::Channel::new();
        let (inner, receiving) = (trace.clone(), channel.clone());
        let receiver = queued(move || {
            inner.note(receiving.receive().unwrap());
            inner.note(schedule_with("nothing"));
        });
        schedule();
        receiver.set_tempval("kept").unwrap();
        channel.send("sent").unwrap();
        run().unwrap();
        assert_eq!(trace.take(), "sent kept");
    });
}
