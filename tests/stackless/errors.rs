//! Errors and panics that leave a tasklet, and the handler.

use crate::queued;
use greenling::{
    Channel, Preference, Tasklet, TaskletError, Uncaught, run, run_count, schedule,
    schedule_remove, set_error_handler,
};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::rc::Rc;
use tests::{Trace, isolated};

fn failing(text: &'static str) -> Tasklet {
    Tasklet::new(move || Err::<(), _>(text)).setup().unwrap()
}

fn handle(trace: &Trace) -> greenling::ErrorHandler {
    let trace = trace.clone();
    Rc::new(move |tasklet, error| {
        trace.note(format!(
            "handler: {error}, current: {}",
            tasklet.is_current()
        ));
    })
}

fn text(error: TaskletError) -> String {
    match error {
        TaskletError::Uncaught(Uncaught::Error(error)) => format!("error {error}"),
        TaskletError::Uncaught(Uncaught::Panic(payload)) => {
            format!("panic {}", payload.downcast_ref::<&str>().unwrap())
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn an_exit_ends_a_tasklet_silently() {
    isolated(|| {
        let trace = Trace::new();
        set_error_handler(Some(handle(&trace)));
        queued(|| panic_any(greenling::TaskletExit));
        run().unwrap();
        assert_eq!(trace.take(), "");
        set_error_handler(None);
    });
}

#[test]
fn the_handler_runs_in_the_dying_tasklets_context_and_consumes_the_error() {
    isolated(|| {
        let trace = Trace::new();
        set_error_handler(Some(handle(&trace)));
        failing("bad");
        queued(|| panic_any("worse"));
        queued(trace.noting("next"));
        run().unwrap();
        assert_eq!(
            trace.take_list(),
            [
                "handler: a tasklet failed: bad, current: true",
                "handler: a tasklet panicked: worse, current: true",
                "next"
            ]
        );
        set_error_handler(None);
    });
}

#[test]
fn a_handler_that_panics_replaces_the_error_by_its_panic() {
    isolated(|| {
        set_error_handler(Some(Rc::new(|_, _| panic_any("handler broken"))));
        failing("bad");
        assert_eq!(text(run().unwrap_err()), "panic handler broken");
        set_error_handler(None);
    });
}

#[test]
fn a_handler_that_raises_an_exit_has_the_tasklet_end_silently() {
    isolated(|| {
        set_error_handler(Some(Rc::new(|_, _| panic_any(greenling::TaskletExit))));
        let failed = failing("bad");
        run().unwrap();
        assert!(!failed.is_alive());
        set_error_handler(None);
    });
}

#[test]
fn a_handler_may_not_switch() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::<()>::new();
        let (inner, waiting) = (trace.clone(), channel.clone());
        set_error_handler(Some(Rc::new(move |_, _| {
            inner.note(waiting.receive().unwrap_err());
            queued(|| ());
            inner.note(run().unwrap_err());
        })));
        failing("bad");
        run().unwrap();
        let trapped = "switching is trapped here";
        assert_eq!(trace.take_list(), [trapped, trapped]);
        set_error_handler(None);
    });
}

#[test]
fn setting_a_handler_returns_the_one_before() {
    isolated(|| {
        let trace = Trace::new();
        assert!(set_error_handler(Some(handle(&trace))).is_none());
        let before = set_error_handler(None).unwrap();
        before(&greenling::current(), &Uncaught::Error("x".into()));
        assert_eq!(trace.take(), "handler: a tasklet failed: x, current: true");
        assert!(set_error_handler(None).is_none());
    });
}

#[test]
fn without_a_handler_run_returns_the_error_at_once_and_leaves_the_queue_intact() {
    isolated(|| {
        let trace = Trace::new();
        queued(trace.noting("A"));
        failing("bad");
        queued(trace.noting("C"));
        assert_eq!(text(run().unwrap_err()), "error bad");
        trace.note(format!("main, {} runnable", run_count()));
        run().unwrap();
        assert_eq!(trace.take(), "A main, 2 runnable C");
    });
}

#[test]
fn an_error_reaches_the_innermost_run() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        queued(move || {
            failing("bad");
            inner.note(text(run().unwrap_err()));
        });
        run().unwrap();
        trace.note("outer fine");
        assert_eq!(trace.take(), "error bad outer fine");
    });
}

#[test]
fn an_error_unwinds_a_main_that_is_merely_queued_and_only_rotates_the_ring() {
    isolated(|| {
        let trace = Trace::new();
        failing("bad");
        queued(trace.noting("A"));
        let unwound = catch_unwind(AssertUnwindSafe(schedule)).unwrap_err();
        let error = unwound.downcast::<Box<dyn std::error::Error + Send + Sync>>();
        trace.note(error.unwrap());
        trace.note(run_count());
        run().unwrap();
        assert_eq!(trace.take(), "bad 2 A");
    });
}

#[test]
fn an_error_takes_a_waiting_main_off_its_channel_and_unwinds_it_at_once() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::<()>::new();
        queued(|| panic_any("worker failed"));
        queued(trace.noting("A"));
        let payload = catch_unwind(AssertUnwindSafe(|| channel.receive())).unwrap_err();
        trace.note(payload.downcast::<&str>().unwrap());
        assert_eq!(channel.balance(), 0);
        run().unwrap();
        assert_eq!(trace.take(), "worker failed A");
    });
}

#[test]
fn a_call_that_switches_directly_returns_the_error_of_the_tasklet() {
    isolated(|| {
        let error = Tasklet::new(|| Err::<(), _>("bad")).run().unwrap_err();
        assert_eq!(text(error), "error bad");
        let error = Tasklet::new(|| Err::<(), _>("bad")).switch().unwrap_err();
        assert_eq!(text(error), "error bad");
        assert!(greenling::current().is_scheduled());
    });
}

#[test]
fn an_error_thrown_before_the_start_goes_to_the_handler_when_the_tasklet_runs() {
    isolated(|| {
        let trace = Trace::new();
        set_error_handler(Some(handle(&trace)));
        Tasklet::new(trace.noting("ran")).throw("early").unwrap();
        assert_eq!(
            trace.take(),
            "handler: a tasklet failed: early, current: true"
        );
        let fresh = Tasklet::new(trace.noting("ran"));
        fresh.throw_pending("late").unwrap();
        assert_eq!(trace.take(), "");
        run().unwrap();
        assert_eq!(
            trace.take(),
            "handler: a tasklet failed: late, current: true"
        );
        set_error_handler(None);
    });
}

#[test]
fn of_two_failures_in_a_row_each_is_told() {
    isolated(|| {
        let trace = Trace::new();
        failing("one");
        failing("two");
        for _ in 0..2 {
            trace.note(text(run().unwrap_err()));
        }
        run().unwrap();
        assert_eq!(trace.take(), "error one error two");
    });
}

#[test]
fn after_a_failure_the_ring_is_main_and_then_the_others_from_the_dead_ones_successor_on() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        queued(move || {
            inner.note("A1");
            schedule();
            inner.note("A2");
        });
        failing("bad");
        let inner = trace.clone();
        queued(move || {
            inner.note("C1");
            schedule();
            inner.note("C2");
        });
        assert_eq!(text(run().unwrap_err()), "error bad");
        trace.note("main");
        schedule();
        trace.note("main");
        run().unwrap();
        assert_eq!(trace.take(), "A1 main C1 A2 main C2");
    });
}

#[test]
fn an_error_takes_the_place_of_a_value_that_main_was_handed_but_has_not_seen() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::new();
        channel.set_preference(Preference::Neither);
        let (inner, sending) = (trace.clone(), channel.clone());
        queued(move || {
            sending.send(inner.on_drop("value dropped")).unwrap();
            inner.note("sent");
        });
        failing("bad");
        let unwound = catch_unwind(AssertUnwindSafe(|| channel.receive())).unwrap_err();
        let error = unwound.downcast::<Box<dyn std::error::Error + Send + Sync>>();
        trace.note(error.unwrap());
        assert_eq!(trace.take(), "sent value dropped bad");
        assert_eq!(channel.balance(), 0);
    });
}

#[test]
fn an_error_resumes_a_paused_main() {
    isolated(|| {
        let trace = Trace::new();
        failing("bad");
        queued(trace.noting("A"));
        let unwound = catch_unwind(AssertUnwindSafe(schedule_remove)).unwrap_err();
        let error = unwound.downcast::<Box<dyn std::error::Error + Send + Sync>>();
        trace.note(error.unwrap());
        run().unwrap();
        assert_eq!(trace.take(), "bad A");
    });
}
