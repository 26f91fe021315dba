//! Threads and processes that end while tasklets are deep in something, and
//! while others ask for them.

use greenling::{
    Channel, Tasklet, TaskletError, enter, run, run_blocking, schedule, schedule_remove, spawn,
    thread, turn,
};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tests::process::alone_until_exit;
use tests::{isolated, on_bare_thread};

/// Counts how often something was dropped.
struct Counts(Arc<AtomicUsize>);

impl Drop for Counts {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn threads_that_end_under_requests_answer_or_fail_each_of_them() {
    isolated(|| {
        for round in 0..60 {
            let entered = round % 2 == 0;
            let (told, tell) = mpsc::channel();
            let owner = std::thread::spawn(move || {
                let play = || {
                    let movable = Tasklet::new_send(|| ());
                    let paused = Tasklet::new(schedule_remove);
                    paused.run().unwrap();
                    let remotes = (movable.remote().unwrap(), paused.remote().unwrap());
                    told.send((remotes, thread::remote().unwrap())).unwrap();
                    for _ in 0..round {
                        turn(Some(Duration::ZERO)).unwrap();
                    }
                };
                if entered { enter(play) } else { play() }
            });
            let ((movable, paused), remote) = tell.recv().unwrap();
            let threads: Vec<_> = (0..3)
                .map(|thread| {
                    let (movable, paused, remote) =
                        (movable.clone(), paused.clone(), remote.clone());
                    std::thread::spawn(move || {
                        enter(|| {
                            let waits = spawn(move || match thread {
                                0 => match movable.bind_thread() {
                                    Ok(tasklet) => tasklet.run().unwrap(),
                                    // Killed by `enter`, dropped with its
                                    // handle, or the first adopter's.
                                    Err(error) => drop(error),
                                },
                                1 => drop(remote.info()),
                                _ => drop(remote.spawn(|| 1).join()),
                            });
                            let _ = paused.insert();
                            let _ = paused.throw("storm");
                            let _ = paused.kill();
                            waits.join().unwrap();
                        });
                    })
                })
                .collect();
            for thread in threads {
                thread.join().unwrap();
            }
            // A throw may have reached it outside of its wait.
            let _ = owner.join();
            assert_eq!(remote.thread_id(), None);
            assert!(matches!(paused.insert(), Err(TaskletError::Dead)));
            paused.kill().unwrap();
        }
    });
}

#[test]
fn the_process_can_exit_from_deep_inside_a_suspended_tasklet() {
    alone_until_exit(
        "foreign_ends::the_process_can_exit_from_deep_inside_a_suspended_tasklet",
        || {
            fn deep(n: usize) -> usize {
                let frame = std::hint::black_box([n; 64]);
                if n == 0 {
                    schedule_remove();
                    // No test harness is left to report: say it the way it does.
                    println!("test result: ok. 1 passed");
                    std::process::exit(0);
                }
                deep(n - 1) + frame[n % 64]
            }
            enter(|| {
                let exits = Tasklet::new(|| assert_eq!(deep(50), 0));
                exits.run().unwrap();
                let there = exits.remote().unwrap();
                let _suspended: Vec<_> = (0..100)
                    .map(|_| {
                        spawn(|| {
                            let _value = tests::Trace::new();
                            schedule_remove();
                        })
                    })
                    .collect();
                for _ in 0..3 {
                    let there = there.clone();
                    std::thread::spawn(move || {
                        let movable = Tasklet::new_send(|| ());
                        let _remote = movable.remote();
                        while there.insert().is_ok() {
                            let _ = there.remove();
                            let _ = there.run();
                        }
                        std::thread::park();
                    });
                }
                loop {
                    run_blocking().unwrap();
                }
            });
        },
    );
}

#[test]
fn the_process_can_exit_inside_a_callback_or_a_logger() {
    alone_until_exit(
        "foreign_ends::the_process_can_exit_inside_a_callback_or_a_logger",
        || {
            let pending = Rc::new(Channel::<()>::new());
            let waiting = pending.clone();
            spawn(move || waiting.receive().is_ok());
            let here = Tasklet::new_send(|| ());
            let _remote = here.remote();
            greenling::set_schedule_callback(Some(Rc::new(|prev, next| {
                // On the stack of one that has ended, with main to come.
                if !prev.is_alive() && next.is_main() {
                    println!("test result: ok. 1 passed");
                    std::process::exit(0);
                }
            })));
            let other = spawn(|| ());
            other.join().unwrap();
        },
    );
}

#[test]
fn a_thread_ends_with_values_and_functions_of_every_kind_alive() {
    let dropped = Arc::new(AtomicUsize::new(0));
    greenling::local! {
        static OWN: RefCell<Vec<Tries>> = RefCell::default();
    }
    /// Calls everything from a thread that is ending.
    struct Tries(#[allow(dead_code, reason = "counts when dropped")] Counts);
    impl Drop for Tries {
        fn drop(&mut self) {
            schedule();
            schedule_remove();
            assert!(run().is_err() || greenling::run_count() == 0);
            assert!(turn(None).is_err());
            let _ = run_blocking();
            assert!(greenling::Builder::new().spawn(|| ()).is_err());
            assert!(Channel::<u8>::new().send(1).is_err());
            assert!(greenling::thread::remote().is_err());
            assert!(greenling::inspect::tasklets().is_empty());
            assert!(greenling::schedule_callback().is_none());
        }
    }
    let counted = dropped.clone();
    on_bare_thread(move || {
        let tries = || Tries(Counts(counted.clone()));
        OWN.with(|own| own.borrow_mut().push(tries()));
        greenling::main_tasklet().set_tempval(tries()).unwrap();
        let (in_function, in_movable, in_value) = (tries(), tries(), tries());
        let unstarted = Tasklet::new(move || drop(in_function));
        unstarted.set_tempval(in_value).unwrap();
        let movable = Tasklet::new_send(move || drop(in_movable));
        movable.insert().unwrap();
        let _remote = movable.remote().unwrap();
        let (in_schedule, in_channel, in_handler) = (tries(), tries(), tries());
        greenling::set_schedule_callback(Some(Rc::new(move |_, _| {
            let _ = &in_schedule;
        })));
        greenling::set_channel_callback(Some(Rc::new(move |_| {
            let _ = &in_channel;
        })));
        greenling::set_error_handler(Some(Rc::new(move |_, _| {
            let _ = &in_handler;
        })));
        // Errors on their way to who has never started.
        struct Late(#[allow(dead_code, reason = "counts when dropped")] Counts);
        impl std::fmt::Debug for Late {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("late")
            }
        }
        impl std::fmt::Display for Late {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("late")
            }
        }
        impl std::error::Error for Late {}
        let thrown_at = Tasklet::new(|| ());
        thrown_at
            .throw_pending(Late(Counts(counted.clone())))
            .unwrap();
        // Suspended: these are leaked, as documented.
        drop(spawn(|| schedule_remove()));
        std::mem::forget((unstarted, movable, thrown_at));
        std::mem::forget(_remote.clone());
    });
    // Two values, a function, one that may move (and whose thread's end does
    // not end it: somebody holds it), two callbacks, a handler, an error.
    assert_eq!(dropped.load(Ordering::Relaxed), 2 + 1 + 1 + 3 + 1);
}
