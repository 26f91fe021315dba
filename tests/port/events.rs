//! Event queues: order, batches, cancelling, repeating, failing.

use crate::secs;
use greenling::port::{Clock, EventHandle, EventQueue};
use greenling::{Channel, schedule, spawn};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;
use tests::{Trace, isolated, logs};

fn queue() -> (Clock, EventQueue, Trace) {
    let clock = Clock::virtual_from_zero();
    let events = EventQueue::new(&clock);
    (clock, events, Trace::new())
}

#[test]
fn events_come_by_time_and_ties_by_the_order_of_their_calls() {
    isolated(|| {
        let (clock, events, trace) = queue();
        for (name, at) in [("c", 3), ("a1", 1), ("b", 2), ("a2", 1), ("a3", 1)] {
            events.call_at(secs(at), trace.noting(name));
        }
        events.call_soon(trace.noting("soon"));
        // Late as the pump is, the order is the same.
        clock.advance(secs(9));
        assert_eq!(events.pump(), 6);
        assert_eq!(trace.take(), "soon a1 a2 a3 b c");
        assert!(events.is_empty());
        assert_eq!(events.next_due(), None);
    });
}

#[test]
fn an_event_is_due_at_its_time_and_not_before() {
    isolated(|| {
        let (clock, events, trace) = queue();
        events.call_later(secs(5), trace.noting("five"));
        assert_eq!(events.next_due(), Some(secs(5)));
        clock.advance(secs(5) - Duration::from_nanos(1));
        assert_eq!(events.pump(), 0);
        clock.advance(Duration::from_nanos(1));
        assert_eq!(events.pump(), 1);
        assert_eq!(trace.take(), "five");
        // A time that has passed: the next pump.
        events.call_at(secs(1), trace.noting("late"));
        assert_eq!(events.next_due(), Some(secs(1)));
        assert_eq!(events.pump(), 1);
    });
}

#[test]
fn what_a_batch_adds_waits_for_the_next_pump() {
    isolated(|| {
        let (_, events, trace) = queue();
        let (again, note) = (events.clone(), trace.clone());
        events.call_soon(move || {
            note.note("first");
            again.call_soon(note.noting("soon"));
            again.call_at(Duration::ZERO, note.noting("due"));
        });
        events.call_at(Duration::ZERO, trace.noting("second"));
        assert_eq!(events.pump(), 2);
        assert_eq!(trace.take(), "first second");
        assert_eq!(events.next_due(), Some(Duration::ZERO));
        assert_eq!(events.pump(), 2);
        assert_eq!(trace.take(), "soon due");
    });
}

#[test]
fn a_cancelled_event_is_dropped_unrun_even_out_of_the_batch_under_way() {
    isolated(|| {
        let (_, events, trace) = queue();
        let handles: Rc<RefCell<Vec<EventHandle>>> = Rc::default();
        let (theirs, note) = (handles.clone(), trace.clone());
        events.call_soon(move || {
            note.note("first");
            assert!(theirs.borrow()[0].cancel());
            assert!(!theirs.borrow()[0].cancel());
        });
        let dropped = trace.on_drop("dropped");
        let second = events.call_soon(move || panic!("it was cancelled: {dropped:?}"));
        let third = events.call_soon(trace.noting("third"));
        handles.borrow_mut().push(second.clone());
        assert!(second.is_pending());
        assert_eq!(events.pump(), 2);
        assert_eq!(trace.take(), "first dropped third");
        assert!(!second.is_pending() && !third.is_pending() && !third.cancel());
    });
}

#[test]
fn a_handle_outlives_its_queue_and_does_nothing_then() {
    isolated(|| {
        let (_, events, trace) = queue();
        let dropped = trace.on_drop("dropped");
        let handle = events.call_soon(move || drop(dropped));
        drop(events);
        assert_eq!(trace.take(), "dropped");
        assert!(!handle.is_pending());
        assert!(!handle.cancel());
    });
}

#[test]
fn repeated_events_keep_to_their_grid_and_one_call_makes_up_for_all() {
    isolated(|| {
        let (clock, events, trace) = queue();
        let (note, time) = (trace.clone(), clock.clone());
        let beat = events.call_repeatedly(secs(10), move || note.note(time.now().as_secs()));
        for _ in 0..3 {
            clock.advance(secs(10));
            assert_eq!(events.pump(), 1);
        }
        // Far too late: once, and on with the next multiple.
        clock.advance(secs(27));
        assert_eq!(events.pump(), 1);
        assert_eq!(events.pump(), 0);
        assert_eq!(events.next_due(), Some(secs(60)));
        clock.advance_to(secs(60));
        assert_eq!(events.pump(), 1);
        assert_eq!(trace.take(), "10 20 30 57 60");
        assert!(beat.cancel());
        assert!(events.is_empty());
    });
}

#[test]
fn a_repeated_event_can_cancel_itself_and_one_without_a_period_is_in_every_pump() {
    isolated(|| {
        let (_, events, trace) = queue();
        let own: Rc<RefCell<Option<EventHandle>>> = Rc::default();
        let (theirs, note, left) = (own.clone(), trace.clone(), Cell::new(3));
        let beat = events.call_repeatedly(Duration::ZERO, move || {
            note.note(left.get());
            left.set(left.get() - 1);
            if left.get() == 0 {
                assert!(theirs.borrow().as_ref().unwrap().cancel());
            }
        });
        own.replace(Some(beat.clone()));
        for _ in 0..3 {
            assert!(beat.is_pending());
            assert_eq!(events.pump(), 1);
        }
        assert_eq!(events.pump(), 0);
        assert!(!beat.is_pending());
        assert_eq!(trace.take(), "3 2 1");
    });
}

#[test]
fn a_panic_in_an_event_is_told_and_loses_no_other() {
    logs::keep();
    isolated(|| {
        let (_, events, trace) = queue();
        let note = trace.clone();
        let hook = Rc::new(move |error: &greenling::Uncaught| note.note(error));
        events.set_error_hook(Some(hook));
        events.call_soon(trace.noting("a"));
        events.call_soon(|| panic!("b"));
        let beat = events.call_repeatedly(Duration::ZERO, || panic!("c"));
        events.call_at(Duration::ZERO, trace.noting("d"));
        assert_eq!(events.pump(), 4);
        assert_eq!(
            trace.take(),
            "a a tasklet panicked: b a tasklet panicked: c d"
        );
        assert!(beat.is_pending());
        // Without a hook, the log.
        events.set_error_hook(None);
        logs::take();
        assert_eq!(events.pump(), 1);
        let logged = logs::take().join("\n");
        assert!(logged.contains("an event of a queue failed"), "{logged}");
    });
}

#[test]
fn a_kill_in_an_event_leaves_the_rest_of_the_batch_in_its_place() {
    isolated(|| {
        let (clock, events, trace) = queue();
        let never: Channel<()> = Channel::new();
        events.call_soon(trace.noting("a"));
        let note = trace.clone();
        events.call_soon(move || {
            note.note("b");
            let _ = never.receive();
            note.note("not reached");
        });
        events.call_at(secs(1), trace.noting("d"));
        events.call_soon(trace.noting("c"));
        clock.advance(secs(2));
        let pumping = events.clone();
        let pump = spawn(move || pumping.pump());
        schedule();
        assert_eq!(trace.take(), "a b");
        // What comes meanwhile is behind, and nobody else pumps.
        events.call_soon(trace.noting("e"));
        assert_eq!(events.pump(), 0);
        pump.tasklet().kill().unwrap();
        assert!(pump.join().unwrap_err().is_killed());
        assert_eq!(events.pump(), 3);
        assert_eq!(trace.take(), "c e d");
    });
}

#[test]
fn the_panic_of_the_hook_unwinds_from_the_pump_and_loses_no_event() {
    isolated(|| {
        let (_, events, trace) = queue();
        events.set_error_hook(Some(Rc::new(|_| panic!("hook"))));
        events.call_soon(|| panic!("event"));
        events.call_soon(trace.noting("next"));
        let payload = catch_unwind(AssertUnwindSafe(|| events.pump())).unwrap_err();
        assert_eq!(*payload.downcast::<&str>().unwrap(), "hook");
        assert_eq!(events.pump(), 1);
        assert_eq!(trace.take(), "next");
    });
}

#[test]
fn all_times_can_be_shifted_and_keep_their_order() {
    isolated(|| {
        let (clock, events, trace) = queue();
        events.call_at(secs(3), trace.noting("b"));
        events.call_at(secs(2), trace.noting("a1"));
        events.call_at(secs(2), trace.noting("a2"));
        let beat = events.call_repeatedly(secs(4), || ());
        events.postpone(secs(100));
        assert_eq!(events.next_due(), Some(secs(102)));
        clock.advance(secs(50));
        events.call_soon(trace.noting("soon"));
        assert_eq!(events.pump(), 1);
        events.bring_forward(secs(53));
        // The one at 103 is due now, after those before it.
        assert_eq!(events.pump(), 3);
        assert_eq!(trace.take(), "soon a1 a2 b");
        assert_eq!(events.next_due(), Some(secs(51)));
        // No further back than zero.
        events.bring_forward(secs(1000));
        assert_eq!(events.next_due(), Some(Duration::ZERO));
        assert!(beat.is_pending());
    });
}

#[test]
fn a_real_clock_goes_by_itself_and_can_be_put_forward() {
    isolated(|| {
        let clock = Clock::real();
        assert!(!clock.is_virtual());
        let events = EventQueue::new(&clock);
        let trace = Trace::new();
        events.call_later(secs(3600), trace.noting("an hour"));
        assert_eq!(events.pump(), 0);
        clock.advance(secs(3600));
        assert_eq!(events.pump(), 1);
        assert_eq!(trace.take(), "an hour");
        let before = clock.now();
        while clock.now() == before {
            schedule();
        }
    });
}
