//! Panics: where they go, and whom they leave alone.

use greenling::{Channel, JoinError, schedule, set_error_handler};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::rc::Rc;
use std::sync::Mutex;
use tests::{Trace, isolated, logs};

#[test]
fn a_panic_stays_in_the_join_handle() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        let failing = greenling::spawn(move || {
            let _note = inner.on_drop("unwound");
            panic_any(17_u8);
        });
        let other = greenling::spawn(trace.noting("other"));
        schedule();
        assert!(failing.is_finished());
        let error = failing.join().unwrap_err();
        assert!(error.is_panic() && !error.is_killed());
        assert_eq!(*error.into_panic().downcast::<u8>().unwrap(), 17);
        other.join().unwrap();
        assert_eq!(trace.take(), "unwound other");
    });
}

#[test]
fn the_panic_of_a_detached_tasklet_goes_to_the_log_whenever_it_is_detached() {
    isolated(|| {
        logs::keep();
        for before in [true, false] {
            let handle = greenling::spawn(|| panic_any("lost"));
            if before {
                drop(handle);
                schedule();
            } else {
                schedule();
                drop(handle);
            }
            let lines = logs::take();
            assert_eq!(lines.len(), 1, "{lines:#?}");
            assert!(
                lines[0].starts_with("ERROR greenling: a tasklet panicked: lost"),
                "{lines:#?}"
            );
        }
    });
}

#[test]
fn the_panic_of_a_detached_tasklet_goes_to_the_error_handler_if_there_is_one() {
    isolated(|| {
        logs::keep();
        let trace = Trace::new();
        let inner = trace.clone();
        set_error_handler(Some(Rc::new(move |_, error| inner.note(error))));
        drop(greenling::spawn(|| panic_any("lost")));
        schedule();
        let handle = greenling::spawn(|| panic_any("left"));
        schedule();
        drop(handle);
        set_error_handler(None);
        assert_eq!(
            trace.take(),
            "a tasklet panicked: lost a tasklet panicked: left"
        );
        assert!(logs::take().is_empty());
    });
}

#[test]
fn a_panic_does_not_make_other_tasklets_panicking_nor_poison_their_mutexes() {
    isolated(|| {
        let trace = Trace::new();
        let mutex = Rc::new(Mutex::new(0));
        let channel = Channel::<()>::new();
        let (theirs, waiting) = (mutex.clone(), channel.clone());
        let bystander = greenling::spawn(move || {
            let mut value = theirs.lock().unwrap();
            *value += 1;
            waiting.receive().unwrap();
            assert!(!std::thread::panicking());
            *value += 1;
        });
        struct Meddler(Channel<()>, Trace);
        impl Drop for Meddler {
            fn drop(&mut self) {
                assert!(std::thread::panicking());
                // Would resume the bystander in the middle of this unwind.
                self.1.note(self.0.send(()).unwrap_err());
            }
        }
        let meddler = Meddler(channel.clone(), trace.clone());
        let failing = greenling::spawn(move || {
            let _meddler = meddler;
            panic_any("failing");
        });
        assert!(failing.join().unwrap_err().is_panic());
        assert_eq!(trace.take(), "a tasklet that is unwinding can't wait");
        channel.send(()).unwrap();
        bystander.join().unwrap();
        assert_eq!(*mutex.lock().unwrap(), 2);
    });
}

#[test]
fn a_waits_in_a_destructor_during_an_unwind_fail_and_never_switch() {
    isolated(|| {
        struct Waits(Trace);
        impl Drop for Waits {
            fn drop(&mut self) {
                let trace = &self.0;
                let channel = Channel::<()>::new();
                trace.note(channel.receive().unwrap_err());
                trace.note(channel.send(()).unwrap_err());
                let spawned = greenling::spawn(trace.noting("spawned"));
                trace.note(spawned.wait().unwrap_err());
                trace.note(spawned.join().unwrap_err());
                trace.note(greenling::offload(|| ()).unwrap_err());
                trace.note(greenling::run().unwrap_err());
                schedule();
                greenling::schedule_remove();
                greenling::time::sleep(std::time::Duration::from_millis(1));
                trace.note("done");
            }
        }
        let trace = Trace::new();
        let inner = trace.clone();
        let victim = greenling::spawn(move || {
            let _waits = Waits(inner);
            greenling::schedule_remove();
        });
        greenling::spawn(trace.noting("other"));
        let (killed, inner) = (victim.tasklet(), trace.clone());
        greenling::spawn(move || {
            inner.note("kill");
            killed.kill().unwrap();
            inner.note("killed");
        });
        greenling::run().unwrap();
        let wait = "a tasklet that is unwinding can't wait".to_owned();
        let switch = "a tasklet that is unwinding can't switch".to_owned();
        let mut expected = vec!["other".to_owned(), "kill".to_owned()];
        expected.extend(std::iter::repeat_n(wait, 5));
        expected.push(switch);
        expected.extend(["done", "spawned", "killed"].map(str::to_owned));
        // What the destructor spawned was queued behind the killer.
        expected.swap(9, 10);
        assert_eq!(trace.take_list(), expected);
        assert!(victim.join().unwrap_err().is_killed());
    });
}

#[test]
fn a_destructor_may_hand_over_where_it_goes_on_itself() {
    isolated(|| {
        struct Tells(Channel<&'static str>);
        impl Drop for Tells {
            fn drop(&mut self) {
                self.0.send("unwound").unwrap();
            }
        }
        let channel = Channel::new();
        channel.set_preference(greenling::Preference::Neither);
        let receiving = channel.clone();
        let listener = greenling::spawn(move || receiving.receive().unwrap());
        schedule();
        let tells = Tells(channel);
        let victim = greenling::spawn(move || {
            let _tells = tells;
            schedule();
        });
        schedule();
        victim.tasklet().kill().unwrap();
        assert_eq!(listener.join().unwrap(), "unwound");
    });
}

#[test]
fn the_panic_of_a_closures_destructor_counts_as_the_tasklets() {
    isolated(|| {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic_any("bomb");
            }
        }
        let bomb = Bomb;
        let handle = greenling::spawn(move || {
            let _bomb = bomb;
        });
        let never = handle.tasklet();
        never.kill().unwrap();
        match handle.join() {
            Err(JoinError::Panicked(_)) => {}
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn a_result_or_payload_whose_destructor_panics_harms_nobody() {
    isolated(|| {
        logs::keep();
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                if !std::thread::panicking() {
                    panic_any("bomb");
                }
            }
        }
        // Detached before it ends, and after.
        drop(greenling::spawn(|| Bomb));
        schedule();
        let handle = greenling::spawn(|| Bomb);
        schedule();
        drop(handle);
        // As a payload, with a handler that consumes it and without.
        drop(greenling::spawn(|| panic_any(Bomb)));
        schedule();
        set_error_handler(Some(Rc::new(|_, _| ())));
        drop(greenling::spawn(|| panic_any(Bomb)));
        schedule();
        set_error_handler(None);
        assert_eq!(greenling::run_count(), 1);
        assert!(!std::thread::panicking());
    });
}

#[test]
fn a_handler_that_panics_for_a_detached_tasklet_is_logged() {
    isolated(|| {
        logs::keep();
        set_error_handler(Some(Rc::new(|_, _| panic_any("broken handler"))));
        drop(greenling::spawn(|| panic_any("first")));
        schedule();
        set_error_handler(None);
        let lines = logs::take();
        assert!(lines[0].contains("broken handler"), "{lines:#?}");
    });
}

#[test]
fn backtraces_of_panics_end_at_the_root_of_the_tasklet() {
    isolated(|| {
        let text = Rc::new(RefCell::new(String::new()));
        let inner = text.clone();
        greenling::spawn(move || {
            *inner.borrow_mut() = std::backtrace::Backtrace::force_capture().to_string();
        })
        .join()
        .unwrap();
        let text = text.borrow();
        let root = text.find("main_of").expect("the root is in it");
        assert!(
            text[root..].lines().count() < 8,
            "nothing of main's stack follows:\n{text}"
        );
    });
}

#[test]
fn a_panic_can_be_caught_inside_a_tasklet_around_a_wait() {
    isolated(|| {
        let channel = Channel::new();
        let waiting = channel.clone();
        let handle = greenling::spawn(move || {
            let caught = catch_unwind(AssertUnwindSafe(|| {
                let n: i32 = waiting.receive().unwrap();
                panic_any(n);
            }));
            *caught.unwrap_err().downcast::<i32>().unwrap()
        });
        schedule();
        channel.send(4).unwrap();
        assert_eq!(handle.join().unwrap(), 4);
    });
}
