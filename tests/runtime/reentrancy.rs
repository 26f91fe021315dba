//! User code that runs where the scheduler itself is at work: loggers, hooks,
//! destructors of errors. None of it may switch there, whatever it tries.

use greenling::{Channel, ParkAction, Tasklet, inspect, run, schedule, set_park_hook};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::rc::Rc;
use std::time::Duration;
use tests::{Trace, child, isolated, logs};

/// What an unwise logger might do with each line.
fn meddle(_: &str) {
    schedule();
    greenling::schedule_remove();
    greenling::time::sleep(Duration::from_secs(3600));
    assert!(greenling::run().is_err());
    let channel = Channel::<u8>::new();
    assert!(channel.receive().is_err());
    assert!(channel.send(1).is_err());
    assert_eq!(greenling::on_system_stack(|| 3), 3);
    let _ = greenling::current().name();
    let _ = greenling::current().run();
    let _ = inspect::tasklets();
}

#[test]
fn a_logger_that_tries_to_switch_in_a_deadlock_report_can_not() {
    isolated(|| {
        logs::keep();
        logs::also_call(Some(meddle));
        let channel = Channel::<()>::new();
        // Reported by main, then by a tasklet as it ends, then by a tasklet
        // that blocks.
        assert!(channel.receive().is_err());
        drop(greenling::spawn(|| ()));
        assert!(channel.receive().is_err());
        let inner = channel.clone();
        let worker = greenling::spawn(move || inner.receive().is_err());
        assert!(worker.join().unwrap());
        logs::also_call(None);
        assert!(logs::take().len() >= 3);
        // All blocks are still told apart.
        let handles: Vec<_> = (0..100).map(|n| greenling::spawn(move || n)).collect();
        for (n, handle) in handles.into_iter().enumerate() {
            assert_eq!(handle.join().unwrap(), n);
        }
    });
}

#[test]
fn a_logger_that_tries_to_switch_in_the_report_of_a_panic_can_not() {
    isolated(|| {
        logs::keep();
        logs::also_call(Some(meddle));
        let panicking = greenling::spawn(|| panic_any("lost")).tasklet();
        // Killed while it ends: the report must not be what is unwound.
        let other = greenling::spawn(move || panicking.kill().is_ok());
        assert!(other.join().unwrap());
        logs::also_call(None);
        assert_eq!(logs::take().len(), 1);
    });
}

#[test]
fn a_logger_that_panics_inside_the_scheduler_ends_the_process_with_a_message() {
    if child::is("panicking logger") {
        logs::keep();
        logs::also_call(Some(|_| panic_any("logger")));
        let _ = Channel::<()>::new().receive();
        std::process::exit(0);
    }
    let finished = child::run(
        "reentrancy::a_logger_that_panics_inside_the_scheduler_ends_the_process_with_a_message",
        "panicking logger",
        &[],
    );
    assert!(!finished.status.success());
    let text = finished.text();
    assert!(text.contains("inside the scheduler; aborting"), "{text}");
}

#[test]
fn a_park_hook_that_panics_unwinds_from_the_wait_and_leaves_nothing_linked() {
    isolated(|| {
        let channel = Channel::new();
        set_park_hook(Some(Rc::new(|_, _| panic_any("hook"))));
        assert!(catch_unwind(AssertUnwindSafe(|| channel.receive())).is_err());
        assert!(catch_unwind(AssertUnwindSafe(|| channel.send(1))).is_err());
        assert!(catch_unwind(|| greenling::time::sleep(Duration::ZERO)).is_err());
        assert!(catch_unwind(AssertUnwindSafe(|| greenling::offload(|| ()))).is_err());
        let other = greenling::spawn(|| ());
        assert!(catch_unwind(AssertUnwindSafe(|| other.wait())).is_err());
        set_park_hook(None);
        assert_eq!(channel.balance(), 0);
        let sender = channel.clone();
        greenling::spawn(move || sender.send(5));
        assert_eq!(channel.receive().unwrap(), 5);
    });
}

#[test]
fn a_park_hook_that_wakes_or_switches_does_no_harm() {
    isolated(|| {
        let queue = Rc::new(greenling::sync::WaitQueue::new());
        let channel = Channel::<u8>::new();
        let (inner, hooked) = (queue.clone(), channel.clone());
        set_park_hook(Some(Rc::new(move |tasklet, _| {
            inner.notify_all();
            schedule();
            assert!(run().is_err());
            assert!(hooked.receive().is_err());
            let _ = tasklet.remove();
            let _ = tasklet.insert();
            ParkAction::Continue
        })));
        static DOOR: greenling::WaitReason = greenling::WaitReason::new("door");
        let waiter = queue.clone();
        let guest = greenling::spawn(move || waiter.wait(&DOOR, None).is_ok());
        schedule();
        set_park_hook(None);
        assert_eq!(queue.notify_all(), 1);
        assert!(guest.join().unwrap());
        assert_eq!(greenling::run_count(), 1);
    });
}

#[test]
fn a_hook_that_is_replaced_may_set_a_hook_when_it_is_dropped() {
    isolated(|| {
        struct Resets;
        impl Drop for Resets {
            fn drop(&mut self) {
                set_park_hook(None);
            }
        }
        let resets = Resets;
        set_park_hook(Some(Rc::new(move |_, _| {
            let _ = &resets;
            ParkAction::Continue
        })));
        set_park_hook(Some(Rc::new(|_, _| ParkAction::Continue)));
        set_park_hook(None);
    });
}

#[test]
fn a_park_hook_kills_at_the_park_or_between_wake_up_and_run() {
    isolated(|| {
        for action in [ParkAction::Kill, ParkAction::KillWhenWoken] {
            let trace = Trace::new();
            let channel = Channel::new();
            let (inner, waiting) = (trace.clone(), channel.clone());
            let worker = greenling::spawn(move || {
                let _note = inner.on_drop("unwound");
                let _value = waiting.receive();
                inner.note("not reached");
            });
            let victim = worker.tasklet();
            set_park_hook(Some(Rc::new(move |tasklet, reason| {
                if *tasklet == victim && reason.name() == "channel receive" {
                    action
                } else {
                    ParkAction::Continue
                }
            })));
            schedule();
            schedule();
            let woken = channel.try_send(trace.on_drop("value dropped")).is_ok();
            set_park_hook(None);
            run().unwrap();
            assert!(worker.join().unwrap_err().is_killed());
            assert_eq!(woken, action == ParkAction::KillWhenWoken);
            assert_eq!(channel.balance(), 0);
            trace.take();
        }
    });
}

#[test]
fn an_error_whose_destructor_meddles_is_dropped_where_that_is_harmless() {
    #[derive(Debug)]
    struct Meddles;
    impl std::fmt::Display for Meddles {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("meddles")
        }
    }
    impl std::error::Error for Meddles {}
    impl Drop for Meddles {
        fn drop(&mut self) {
            schedule();
            greenling::spawn(schedule);
            let _ = greenling::current().kill_pending();
        }
    }
    isolated(|| {
        let channel = Channel::<()>::new();
        let waiting = channel.clone();
        let worker = greenling::spawn(move || {
            let _guard = greenling::defer_kill();
            let _ = greenling::time::timeout(Duration::from_millis(1), || waiting.receive());
        });
        schedule();
        worker.tasklet().throw(Meddles).unwrap();
        greenling::time::sleep(Duration::from_millis(2));
        assert!(worker.wait().is_ok());
        // Each error is dropped by what replaces it, and its destructor can't
        // let the target run in between: the kill is what it meets.
        let told = Rc::new(std::cell::Cell::new(0));
        let count = told.clone();
        greenling::set_error_handler(Some(Rc::new(move |_, _| count.set(count.get() + 1))));
        let target = Tasklet::new(greenling::schedule_remove);
        target.throw_pending(Meddles).unwrap();
        target.throw_pending(Meddles).unwrap();
        target.kill().unwrap();
        run().unwrap();
        greenling::set_error_handler(None);
        assert_eq!(told.get(), 0);
        assert!(!target.is_alive());
        assert_eq!(greenling::run_count(), 1);
    });
}
