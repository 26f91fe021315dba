//! Value slots and tasklet-locals whose destructors do what they should not.

use greenling::{
    Channel, JoinHandle, Tasklet, current, main_tasklet, run, schedule, schedule_remove,
    schedule_remove_with, schedule_with, spawn,
};
use std::cell::{Cell, RefCell};
use std::panic::panic_any;
use std::rc::Rc;
use std::time::Duration;
use tests::{Trace, isolated, logs, on_bare_thread};

/// What a destructor has seen and done.
#[derive(Clone, Default)]
struct Log(Rc<Cell<u32>>);

/// Calls every function of the scheduler when it is dropped.
struct Wild {
    log: Log,
    /// The tasklet that it belongs to, if others shall be tried on it.
    of: Option<Tasklet>,
}

impl Drop for Wild {
    fn drop(&mut self) {
        self.log.0.set(self.log.0.get() + 1);
        schedule();
        schedule_remove();
        let _ = run();
        let _ = greenling::turn(Some(Duration::ZERO));
        let channel = Channel::<u8>::new();
        let _ = channel.try_send(1);
        let _ = channel.clear();
        let spawned: JoinHandle<()> = spawn(|| ());
        let tasklet = Tasklet::new_send(|| ());
        let _ = tasklet.insert();
        let _ = tasklet.remove();
        let _ = tasklet.unbind();
        let _ = tasklet.bind(|| ());
        let _ = tasklet.remote().map(drop);
        let _ = tasklet.kill_pending();
        let _ = tasklet.throw_pending("wild");
        drop((spawned, tasklet));
        let before = greenling::set_schedule_callback(None);
        greenling::set_schedule_callback(before);
        let before = greenling::set_error_handler(Some(Rc::new(|_, _| ())));
        greenling::set_error_handler(before);
        greenling::enter(|| ());
        greenling::on_system_stack(|| ());
        drop((
            greenling::defer_kill(),
            current().atomic(),
            greenling::switch_trap(),
        ));
        PLAIN.with(|plain| plain.set(plain.get() + 1));
        if let Some(of) = &self.of {
            let _ = of.set_tempval(1_u8);
            let _ = (of.insert(), of.remove(), of.unbind());
            let _ = (of.next(), of.prev(), of.remote().map(drop));
            let _ = (of.kill_pending().is_ok(), of.take_tempval::<u8>());
        }
        let _ = greenling::inspect::tasklets();
    }
}

greenling::local! {
    static PLAIN: Cell<u32> = Cell::new(0);
    static WILD: RefCell<Vec<Wild>> = RefCell::default();
}

/// Gives the current tasklet a wild local and a wild value in its slot.
fn go_wild(log: &Log) {
    let wild = |of| Wild {
        log: log.clone(),
        of,
    };
    WILD.with(|values| values.borrow_mut().push(wild(None)));
    current().set_tempval(wild(Some(current()))).unwrap();
}

#[test]
fn values_that_try_everything_when_dropped_do_so_at_every_kind_of_end() {
    isolated(|| {
        logs::keep();
        greenling::set_error_handler(Some(Rc::new(|_, _| ())));
        type End = fn();
        let ends: [(&str, End); 7] = [
            ("returns", || ()),
            ("fails", || panic_any("failed")),
            ("is killed", schedule_remove),
            ("kills itself", || current().kill().unwrap()),
            ("fails by an error", || drop(current().throw("thrown"))),
            ("has a kill held back", || {
                let guard = greenling::defer_kill();
                current().kill().unwrap();
                drop(guard);
            }),
            ("is the last to run", || {
                drop(Channel::<()>::new().receive())
            }),
        ];
        for (how, end) in ends {
            for spawned in [false, true] {
                let log = Log::default();
                let inner = log.clone();
                let body = move || {
                    go_wild(&inner);
                    end();
                };
                let tasklet = if spawned {
                    spawn(body).tasklet()
                } else {
                    Tasklet::new(body).setup().unwrap()
                };
                // What destructors have thrown and killed may be told here.
                while tasklet.is_scheduled() && !tasklet.is_blocked() {
                    let _ = run();
                }
                tasklet.kill().unwrap();
                assert!(!tasklet.is_alive(), "{how}");
                drop(tasklet);
                let _ = run();
                assert_eq!(log.0.get(), 2, "{how}");
                assert_eq!(greenling::run_count(), 1, "{how}");
                assert_eq!(greenling::inspect::tasklets().len(), 1, "{how}");
            }
        }
        greenling::set_error_handler(None);
    });
}

#[test]
fn values_that_are_replaced_or_taken_may_try_everything() {
    isolated(|| {
        greenling::set_error_handler(Some(Rc::new(|_, _| ())));
        let log = Log::default();
        let tasklet = Tasklet::new(schedule_remove);
        let wild = || Wild {
            log: log.clone(),
            of: None,
        };
        tasklet.set_tempval(wild()).unwrap();
        tasklet.set_tempval(wild()).unwrap();
        assert_eq!(log.0.get(), 1);
        drop(tasklet.take_tempval::<Wild>());
        assert_eq!(log.0.get(), 2);
        let _ = run();
        tasklet.kill().unwrap();
        assert!(tasklet.set_tempval(wild()).is_err());
        assert_eq!(log.0.get(), 3);
        let _ = run();
    });
}

#[test]
fn a_logger_that_uses_locals_after_a_tasklets_end_does_not_disturb_it() {
    struct Spawns;
    impl Drop for Spawns {
        fn drop(&mut self) {
            spawn(|| ());
            drop(Tasklet::new(|| ()));
            let _ = greenling::inspect::tasklets();
        }
    }
    greenling::local! {
        static SEEN: RefCell<Vec<Spawns>> = RefCell::default();
    }
    isolated(|| {
        logs::keep();
        for keeps in [false, true] {
            logs::also_call(Some(|_| SEEN.with(|seen| seen.borrow_mut().push(Spawns))));
            let worker = spawn(|| ()).tasklet();
            if !keeps {
                drop(worker);
                // Reported by the tasklet, as it ends.
                assert!(Channel::<()>::new().receive().is_err());
            } else {
                assert!(Channel::<()>::new().receive().is_err());
                logs::also_call(None);
                assert!(!worker.is_alive());
                drop(worker);
            }
            logs::also_call(None);
            let text = logs::take().join("\n");
            assert!(text.contains("deadlock"), "{text}");
            SEEN.with(|seen| drop(seen.take()));
            run().unwrap();
            let handles: Vec<_> = (0..20).map(|n| spawn(move || n)).collect();
            for (n, handle) in handles.into_iter().enumerate() {
                assert_eq!(handle.join().unwrap(), n);
            }
            assert_eq!(greenling::inspect::tasklets().len(), 1);
        }
    });
}

#[test]
#[cfg_attr(greenling_asan, ignore = "what such a payload panics with is leaked")]
fn a_payload_that_panics_when_dropped_ends_nobody_but_its_tasklet() {
    struct Bomb(u32);
    impl Drop for Bomb {
        fn drop(&mut self) {
            if self.0 > 0 {
                panic_any(Bomb(self.0 - 1));
            }
        }
    }
    greenling::local! {
        static BOMBS: RefCell<Vec<Bomb>> = RefCell::default();
    }
    isolated(|| {
        logs::keep();
        for layers in 1..=2 {
            let worker = spawn(move || {
                BOMBS.with(|bombs| bombs.borrow_mut().push(Bomb(layers)));
                current().set_tempval(Bomb(layers)).unwrap();
                5
            });
            assert_eq!(worker.join().unwrap(), 5);
            let text = logs::take().join("\n");
            assert!(text.contains("panicked when it was dropped"), "{text}");
        }
        // The logger as well.
        logs::also_call(Some(|_| panic_any("logger")));
        let worker = spawn(|| {
            current().set_tempval(Bomb(1)).unwrap();
            6
        });
        let value = worker.join();
        logs::also_call(None);
        assert_eq!(value.unwrap(), 6);
        assert!(!std::thread::panicking());
    });
}

#[test]
#[cfg_attr(greenling_asan, ignore = "the last of them are leaked")]
fn locals_whose_destructors_recreate_each_other_end_after_a_few_rounds() {
    greenling::local! {
        static FIRST: Again = Again(true);
        static SECOND: Again = Again(false);
    }
    thread_local!(static DROPS: Cell<u32> = const { Cell::new(0) });
    struct Again(bool);
    impl Drop for Again {
        fn drop(&mut self) {
            DROPS.set(DROPS.get() + 1);
            if self.0 {
                SECOND.with(|_| ());
            } else {
                FIRST.with(|_| ());
            }
        }
    }
    isolated(|| {
        for _ in 0..100 {
            spawn(|| FIRST.with(|_| ())).join().unwrap();
        }
        let each = DROPS.get() / 100;
        assert!((2..20).contains(&each), "{each}");
        // The next tasklet in the same block starts anew.
        assert_eq!(spawn(|| PLAIN.with(Cell::get)).join().unwrap(), 0);
    });
}

#[test]
fn mains_own_values_are_dropped_at_the_threads_end_whatever_they_try() {
    on_bare_thread(|| {
        let log = Log::default();
        thread_local!(static DROPPED: RefCell<Option<Log>> = const { RefCell::new(None) });
        go_wild(&log);
        DROPPED.with(|dropped| *dropped.borrow_mut() = Some(log));
    });
    isolated(|| {
        let log = Log::default();
        go_wild(&log);
        main_tasklet().set_tempval(3_u8).unwrap();
        assert_eq!(log.0.get(), 1, "the value that was replaced");
        // Put there by its destructor, which came later.
        assert_eq!(main_tasklet().take_tempval::<u8>(), None);
        let _ = run();
    });
}

#[test]
fn a_value_whose_initialiser_switches_is_made_once() {
    greenling::local! {
        static SLOW: Rc<Cell<u32>> = { schedule(); Rc::new(Cell::new(0)) };
        static RECURSIVE: Rc<Cell<u32>> = {
            if DEPTH.replace(DEPTH.get() + 1) < 3 { RECURSIVE.get() } else { Rc::default() }
        };
    }
    thread_local!(static DEPTH: Cell<u32> = const { Cell::new(0) });
    isolated(|| {
        let workers: Vec<_> = (0..10)
            .map(|n| {
                spawn(move || {
                    let first = SLOW.get();
                    first.set(n);
                    schedule();
                    assert!(Rc::ptr_eq(&first, &SLOW.get()));
                    SLOW.with(|it| it.get())
                })
            })
            .collect();
        for (n, worker) in workers.into_iter().enumerate() {
            assert_eq!(worker.join().unwrap() as usize, n);
        }
        let first = RECURSIVE.get();
        assert!(Rc::ptr_eq(&first, &RECURSIVE.get()));
        // Its initialiser is killed half-way: the next use starts anew.
        greenling::local! {
            static HALF: u32 = { schedule_remove(); 7 };
        }
        let half = spawn(|| HALF.get());
        schedule();
        half.tasklet().kill().unwrap();
        assert!(half.join().unwrap_err().is_killed());
    });
}

#[test]
fn a_reference_to_a_local_outlives_what_its_tasklet_does_meanwhile() {
    greenling::local! {
        static TEXT: RefCell<String> = RefCell::new("kept".into());
    }
    isolated(|| {
        let trace = Trace::new();
        let noting = trace.clone();
        let worker = spawn(move || {
            TEXT.with(|text| {
                schedule_remove();
                struct Reads<'a>(&'a RefCell<String>, Trace);
                impl Drop for Reads<'_> {
                    fn drop(&mut self) {
                        self.1.note(self.0.borrow());
                    }
                }
                let _reads = Reads(text, noting);
                schedule_remove();
            })
        });
        schedule();
        worker.tasklet().run().unwrap();
        worker.tasklet().kill().unwrap();
        assert_eq!(trace.take(), "kept");
    });
}

#[test]
fn thousands_of_tasklets_are_parked_and_get_each_their_own_value() {
    isolated(|| {
        let trace = Trace::new();
        let waiting: Vec<_> = (0..2_000)
            .map(|_| spawn(|| schedule_remove_with(usize::MAX)))
            .collect();
        run().unwrap();
        for (n, waiter) in waiting.iter().enumerate() {
            waiter.tasklet().set_tempval(trace.on_drop("x")).unwrap();
            waiter.tasklet().set_tempval(n).unwrap();
            waiter.tasklet().insert().unwrap();
        }
        assert_eq!(trace.take_list().len(), 2_000);
        for (n, waiter) in waiting.into_iter().enumerate() {
            assert_eq!(waiter.join().unwrap(), n);
        }
        assert_eq!(schedule_with("own"), "own");
    });
}
