//! The main tasklet: the thread's native flow of control, and otherwise a
//! member of the ring like any other.

use crate::queued;
use greenling::{Channel, ReceiveError, TaskletExit, WaitError, main_tasklet, run, schedule};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use tests::{Trace, isolated, on_bare_thread};

#[test]
fn each_thread_has_one_main_tasklet_from_its_first_use_on() {
    on_bare_thread(|| {
        let main = main_tasklet();
        let id = main.id();
        assert!(main.is_main() && main.is_current() && main == greenling::current());
        let seen = greenling::spawn(|| (main_tasklet().id(), greenling::current().is_main()));
        assert_eq!(seen.join().unwrap(), (id, false));
        let elsewhere = std::thread::spawn(|| main_tasklet().id()).join().unwrap();
        assert_ne!(elsewhere, id);
        assert_eq!(main_tasklet().id(), id);
    });
}

#[test]
fn running_a_queued_main_rotates_the_ring_to_it() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        queued(trace.noting("A"));
        queued(move || {
            inner.note("B1");
            main_tasklet().run().unwrap();
            inner.note("B2");
        });
        queued(trace.noting("C"));
        schedule();
        trace.note("main");
        run().unwrap();
        // The ring was B C main, and is main B C after the rotation.
        assert_eq!(trace.take(), "A B1 main B2 C");
    });
}

#[test]
fn switching_to_main_pauses_the_worker() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        let worker = queued(move || {
            inner.note("A1");
            main_tasklet().switch().unwrap();
            inner.note("A2");
        });
        queued(trace.noting("B"));
        schedule();
        trace.note(format!("main, A paused: {}", worker.is_paused()));
        run().unwrap();
        worker.insert().unwrap();
        run().unwrap();
        assert_eq!(trace.take(), "A1 main, A paused: true B A2");
    });
}

#[test]
fn a_main_that_was_removed_comes_back_when_the_queue_drains() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        queued(move || {
            main_tasklet().remove().unwrap();
            inner.note(format!("A, main paused: {}", main_tasklet().is_paused()));
        });
        queued(trace.noting("B"));
        queued(trace.noting("C"));
        schedule();
        trace.note("main");
        assert_eq!(trace.take(), "A, main paused: true B C main");
    });
}

/// What main, which waits to receive, and those behind the thrower do.
fn thrown_at_main(pending: bool) -> String {
    let trace = Trace::new();
    let channel = Channel::<()>::new();
    let (inner, waited_in) = (trace.clone(), channel.clone());
    queued(move || {
        assert_eq!(waited_in.balance(), -1);
        if pending {
            main_tasklet().throw_pending("boom").unwrap();
        } else {
            main_tasklet().throw("boom").unwrap();
        }
        inner.note(format!("A, balance {}", waited_in.balance()));
    });
    queued(trace.noting("B"));
    match channel.receive() {
        Err(ReceiveError::Wait(WaitError::Thrown(error))) => trace.note(error),
        other => panic!("{other:?}"),
    }
    run().unwrap();
    trace.take()
}

#[test]
fn an_error_thrown_at_a_waiting_main_is_raised_from_its_wait() {
    isolated(|| {
        assert_eq!(thrown_at_main(false), "boom A, balance 0 B");
        assert_eq!(thrown_at_main(true), "A, balance 0 B boom");
    });
}

#[test]
fn an_error_thrown_at_a_main_inside_run_unwinds_it_and_leaves_the_rest_queued() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        queued(move || {
            main_tasklet().throw("boom").unwrap();
            inner.note("A");
        });
        queued(trace.noting("B"));
        let unwound = catch_unwind(AssertUnwindSafe(run)).unwrap_err();
        let error = unwound.downcast::<Box<dyn std::error::Error + Send + Sync>>();
        trace.note(error.unwrap());
        run().unwrap();
        assert_eq!(trace.take(), "boom A B");
    });
}

#[test]
fn an_exit_that_leaves_main_is_an_error_like_any_other() {
    let exit = on_bare_thread(|| {
        let exit = catch_unwind(|| greenling::enter(|| resume_unwind(Box::new(TaskletExit))));
        let payload: Box<dyn std::any::Any + Send> = match exit {
            Ok(never) => never,
            Err(payload) => payload,
        };
        payload.is::<TaskletExit>()
    });
    assert!(exit);
}

#[test]
fn a_blocked_main_is_found_in_the_queue_of_its_channel_and_served_in_its_turn() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::new();
        let (inner, receiving) = (trace.clone(), channel.clone());
        let first = queued(move || inner.note(format!("A got {}", receiving.receive().unwrap())));
        let (inner, sending) = (trace.clone(), channel.clone());
        schedule();
        queued(move || {
            assert_eq!(sending.queue(), [first, main_tasklet()]);
            for n in 1..=2 {
                sending.send(n).unwrap();
                inner.note(format!("sent {n}"));
            }
        });
        trace.note(format!("main got {}", channel.receive().unwrap()));
        run().unwrap();
        assert_eq!(trace.take(), "A got 1 sent 1 main got 2 sent 2");
    });
}
