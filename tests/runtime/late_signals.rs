//! Signals, traps and guards that come at an odd moment: while nobody runs, or
//! to somebody who is about to wait.

use greenling::{Channel, SwitchTrap, defer_kill, run_blocking, set_channel_callback, spawn, turn};
use std::cell::RefCell;
use std::rc::Rc;
use tests::{Trace, isolated};

#[test]
fn what_was_held_back_is_delivered_before_a_turn_waits() {
    isolated(|| {
        for blocking in [false, true] {
            let trace = Trace::new();
            let value = trace.on_drop("unwound");
            let here = greenling::thread::remote().unwrap();
            let worker = spawn(move || {
                let _value = value;
                let guard = defer_kill();
                greenling::current().kill().unwrap();
                drop(guard);
                if blocking {
                    let _ = run_blocking();
                } else {
                    let _ = turn(None);
                }
                unreachable!("it was killed");
            });
            assert!(worker.join().unwrap_err().is_killed());
            assert_eq!(trace.take(), "unwound");
            drop(here);
        }
    });
}

#[test]
fn a_signal_from_a_channel_callback_comes_before_the_wait() {
    isolated(|| {
        for throws in [false, true] {
            for pending in [false, true] {
                for sending in [false, true] {
                    let channel = Channel::<u8>::new();
                    let waiting = channel.clone();
                    let worker = spawn(move || {
                        if sending {
                            waiting.send(1).map_err(|e| e.to_string())
                        } else {
                            waiting.receive().map(drop).map_err(|e| e.to_string())
                        }
                    });
                    let id = worker.tasklet().id();
                    set_channel_callback(Some(Rc::new(move |event| {
                        if event.tasklet.id() == id {
                            match (throws, pending) {
                                (false, false) => drop(event.tasklet.kill()),
                                (false, true) => drop(event.tasklet.kill_pending()),
                                (true, false) => drop(event.tasklet.throw("thrown")),
                                (true, true) => drop(event.tasklet.throw_pending("thrown")),
                            }
                        }
                    })));
                    greenling::run().unwrap();
                    set_channel_callback(None);
                    if pending {
                        assert!(
                            worker.is_finished(),
                            "{throws} {sending}: its signal waits for a partner"
                        );
                    } else {
                        worker.tasklet().kill().unwrap();
                    }
                }
            }
        }
    });
}

#[test]
fn a_destructor_between_tasklets_may_leave_a_switch_trap_behind() {
    thread_local!(static TRAP: RefCell<Option<SwitchTrap>> = const { RefCell::new(None) });
    #[derive(Debug)]
    struct Traps;
    impl std::fmt::Display for Traps {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("traps")
        }
    }
    impl std::error::Error for Traps {}
    impl Drop for Traps {
        fn drop(&mut self) {
            TRAP.set(Some(greenling::switch_trap()));
        }
    }
    isolated(|| {
        for _ in 0..3 {
            let tasklet = greenling::Tasklet::new(|| ());
            let there = tasklet.remote().unwrap();
            tasklet.run().unwrap();
            let (done, ended) = greenling::thread::channel::<()>(1);
            let (go, asked) = std::sync::mpsc::channel::<()>();
            let other = std::thread::spawn(move || {
                asked.recv().unwrap();
                there.throw(Traps).unwrap();
                drop(done);
            });
            // Main waits by then.
            let never = Channel::<()>::new();
            let waiting = never.clone();
            spawn(move || {
                go.send(()).unwrap();
                waiting.receive().is_err()
            });
            assert!(ended.receive().is_err());
            other.join().unwrap();
            assert!(TRAP.take().is_some());
            assert_eq!(never.clear().unwrap(), 1);
            spawn(|| ()).join().unwrap();
        }
    });
}
