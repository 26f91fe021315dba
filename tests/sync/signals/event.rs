//! Events, those that stay set and those that reset themselves.

use super::parked;
use greenling::sync::Event;
use greenling::{JoinHandle, WaitError, run, schedule, spawn};
use std::rc::Rc;
use tests::{Trace, isolated};

fn waiting(event: &Rc<Event>, trace: &Trace, name: &'static str) -> JoinHandle<()> {
    let (event, trace) = (event.clone(), trace.clone());
    parked(move || {
        event.wait().unwrap();
        trace.note(name);
    })
}

/// As `waiting`, but those that are queued do not run before it waits.
fn waiting_first(event: &Rc<Event>, trace: &Trace, name: &'static str) -> JoinHandle<()> {
    let (event, trace) = (event.clone(), trace.clone());
    let waiter = spawn(move || {
        event.wait().unwrap();
        trace.note(name);
    });
    waiter.tasklet().run().unwrap();
    waiter
}

#[test]
fn a_set_event_releases_all_and_lets_later_ones_pass() {
    isolated(|| {
        let (event, trace) = (Rc::new(Event::new()), Trace::new());
        let waiters = ["A", "B"].map(|name| waiting(&event, &trace, name));
        assert!(!event.is_set() && !event.try_wait());
        assert_eq!(event.waiters(), waiters.map(|waiter| waiter.tasklet()));
        event.set();
        trace.note("on");
        // Neither waits nor gives way.
        event.wait().unwrap();
        trace.note("passed");
        schedule();
        assert_eq!(trace.take(), "on passed A B");
        assert!(event.try_wait() && event.is_set());
        event.set();
        event.clear();
        assert!(!event.is_set());
    });
}

#[test]
fn who_waited_at_the_set_goes_on_after_a_clear_and_who_comes_later_waits() {
    isolated(|| {
        let (event, trace) = (Rc::new(Event::new()), Trace::new());
        waiting(&event, &trace, "A");
        event.set();
        event.clear();
        let late = waiting(&event, &trace, "B");
        run().unwrap();
        assert_eq!(trace.take(), "A");
        assert_eq!(event.waiters(), [late.tasklet()]);
    });
}

#[test]
fn a_self_resetting_event_releases_one_at_a_time() {
    isolated(|| {
        let (event, trace) = (Rc::new(Event::auto_reset()), Trace::new());
        for name in ["A", "B", "C"] {
            waiting(&event, &trace, name);
        }
        event.set();
        assert!(!event.is_set(), "it was given away");
        assert!(!event.try_wait());
        run().unwrap();
        assert_eq!(trace.take(), "A");
        event.set();
        event.set();
        run().unwrap();
        assert_eq!(trace.take(), "B C");
    });
}

#[test]
fn sets_of_a_self_resetting_event_do_not_add_up() {
    isolated(|| {
        let event = Event::auto_reset();
        event.set();
        event.set();
        assert!(event.is_set());
        event.wait().unwrap();
        assert!(matches!(event.wait(), Err(WaitError::Deadlock)));
        event.set();
        assert!(event.try_wait());
        assert!(!event.try_wait());
        event.set();
        event.clear();
        assert!(!event.try_wait());
    });
}

#[test]
fn what_a_dead_waiter_puts_back_does_not_undo_a_clear() {
    isolated(|| {
        let (event, trace) = (Rc::new(Event::auto_reset()), Trace::new());
        let only = waiting(&event, &trace, "A");
        event.set();
        event.clear();
        only.tasklet().kill().unwrap();
        assert!(!event.is_set());

        // One that waited when it was set gets it all the same.
        let first = waiting(&event, &trace, "B");
        waiting(&event, &trace, "C");
        event.set();
        event.clear();
        first.tasklet().kill().unwrap();
        run().unwrap();
        assert_eq!(trace.take(), "C");

        // One that came after the clear does not.
        let first = waiting(&event, &trace, "D");
        event.set();
        event.clear();
        let late = waiting_first(&event, &trace, "E");
        first.tasklet().kill().unwrap();
        run().unwrap();
        assert_eq!(trace.take(), "");
        assert_eq!(event.waiters(), [late.tasklet()]);
    });
}

#[test]
fn an_event_put_back_finds_those_who_came_meanwhile() {
    isolated(|| {
        let (event, trace) = (Rc::new(Event::auto_reset()), Trace::new());
        let first = waiting(&event, &trace, "A");
        event.set();
        let second = waiting_first(&event, &trace, "B");
        first.tasklet().kill_pending().unwrap();
        run().unwrap();
        assert_eq!(trace.take(), "B");
        assert!(second.is_finished() && !event.is_set());
    });
}
