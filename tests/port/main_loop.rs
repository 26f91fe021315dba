//! The main loop: the order within a turn, waiting, failing, stopping.

use crate::secs;
use greenling::port::{Clock, LoopError, MainLoop};
use greenling::time::timeout;
use greenling::{RunOptions, Tasklet, TaskletError, run_count, schedule, spawn, switch_trap};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tests::{Trace, isolated, logs};

const NO_WAIT: Option<Duration> = Some(Duration::ZERO);

fn main_loop() -> (MainLoop, Clock, Trace) {
    let clock = Clock::virtual_from_zero();
    (MainLoop::new(&clock).unwrap(), clock, Trace::new())
}

#[test]
fn a_turn_has_a_fixed_order() {
    isolated(|| {
        let (main_loop, _, trace) = main_loop();
        for name in ["pump 1", "pump 2"] {
            let note = trace.clone();
            main_loop.add_pump(name, move || note.note(name));
        }
        let (frames, note) = (main_loop.yields().clone(), trace.clone());
        spawn(move || {
            frames.be_nice().unwrap();
            note.note("nice");
        });
        let (sleeper, note) = (main_loop.sleeper(), trace.clone());
        spawn(move || {
            sleeper.sleep(Duration::ZERO).unwrap();
            note.note("sleeper");
        });
        let turn = main_loop.turn(NO_WAIT).unwrap();
        assert_eq!((turn.yielded, turn.events), (0, 0));
        assert_eq!(trace.take(), "pump 1 pump 2");
        // Pumps and events come before whoever they wake runs.
        main_loop.events().call_soon(trace.noting("event"));
        let turn = main_loop.turn(NO_WAIT).unwrap();
        assert_eq!((turn.yielded, turn.events), (1, 2));
        assert_eq!(trace.take(), "pump 1 pump 2 event nice sleeper");
        assert!(main_loop.remove_pump("pump 1"));
        assert!(!main_loop.remove_pump("pump 1"));
        main_loop.turn(NO_WAIT).unwrap();
        assert_eq!(trace.take(), "pump 2");
    });
}

#[test]
fn what_becomes_due_in_a_turn_is_for_the_next_one() {
    isolated(|| {
        let (main_loop, clock, trace) = main_loop();
        let (sleeper, note) = (main_loop.sleeper(), trace.clone());
        spawn(move || {
            for second in 1..=3 {
                sleeper.sleep(secs(1)).unwrap();
                note.note(second);
            }
        });
        main_loop.turn(NO_WAIT).unwrap();
        for second in ["1", "2", "3"] {
            clock.advance(secs(1));
            main_loop.turn(NO_WAIT).unwrap();
            assert_eq!(trace.take(), second);
            main_loop.turn(NO_WAIT).unwrap();
            assert_eq!(trace.take(), "");
        }
    });
}

#[test]
fn a_jumping_clock_runs_simulated_days_in_order() {
    isolated(|| {
        let main_loop = MainLoop::new(&Clock::virtual_jumping()).unwrap();
        let trace = Trace::new();
        for (name, period) in [("a", 2), ("b", 3)] {
            let (sleeper, note) = (main_loop.sleeper(), trace.clone());
            let clock = main_loop.clock().clone();
            spawn(move || {
                for _ in 0..3 {
                    sleeper.sleep(secs(period * 3600)).unwrap();
                    note.note(format!("{name}{}", clock.now().as_secs() / 3600));
                }
            });
        }
        let came = main_loop.run_until(|| run_count() == 0, Some(secs(24 * 3600)));
        assert!(!came.unwrap());
        // At six both are due, and b lay down first.
        assert_eq!(trace.take(), "a2 b3 a4 b6 a6 b9");
        assert_eq!(main_loop.clock().now(), secs(24 * 3600));
        assert!(
            main_loop.events().is_empty(),
            "the deadline has left an event"
        );
    });
}

#[test]
fn a_nice_tasklet_does_not_keep_a_jumping_clock_from_jumping() {
    isolated(|| {
        let main_loop = MainLoop::new(&Clock::virtual_jumping()).unwrap();
        let (frames, clock) = (main_loop.yields().clone(), main_loop.clock().clone());
        let seen: Rc<RefCell<Vec<u64>>> = Rc::default();
        let keeping = seen.clone();
        let task = spawn(move || {
            while clock.now() < secs(3) {
                frames.be_nice().unwrap();
                keeping.borrow_mut().push(clock.now().as_secs());
            }
        });
        let beat = main_loop.events().call_repeatedly(secs(1), || ());
        assert!(
            main_loop
                .run_until(|| task.is_finished(), Some(secs(9)))
                .unwrap()
        );
        assert!(beat.cancel());
        assert_eq!(seen.take(), [1, 2, 3]);
    });
}

#[test]
fn nobody_runs_while_it_waits() {
    isolated(|| {
        // A timer of the scheduler ends the wait, and its sleeper runs after
        // the pumps of that turn.
        let (main_loop, _, trace) = main_loop();
        let note = trace.clone();
        main_loop.add_pump("pump", move || note.note("pump"));
        let note = trace.clone();
        let task = spawn(move || {
            greenling::time::sleep(Duration::from_millis(1));
            note.note("woken");
        });
        main_loop.run_until(|| task.is_finished(), None).unwrap();
        let trace = trace.take();
        assert!(trace.ends_with("pump woken"), "{trace}");
    });
}

#[test]
fn failures_are_told_and_the_loop_goes_on() {
    isolated(|| {
        let (main_loop, _, trace) = main_loop();
        let note = trace.clone();
        main_loop.set_error_hook(Some(Rc::new(move |error: &LoopError| {
            note.note(match error {
                LoopError::Tasklet(_) => "tasklet!".to_owned(),
                LoopError::Event(_) => "event!".to_owned(),
                LoopError::Pump(name, _) => format!("{name}!"),
                _ => unreachable!(),
            });
        })));
        let rounds = Rc::new(Cell::new(0));
        let counter = rounds.clone();
        main_loop.add_pump("bad pump", move || {
            counter.set(counter.get() + 1);
            panic!("no luck");
        });
        let note = trace.clone();
        main_loop.add_pump("pump", move || note.note("pump"));
        main_loop.events().call_soon(|| panic!("no luck"));
        main_loop.events().call_soon(trace.noting("event"));
        Tasklet::new(|| Err::<(), _>("no luck")).insert().unwrap();
        Tasklet::new(trace.noting("tasklet")).insert().unwrap();
        let turn = main_loop.turn(NO_WAIT).unwrap();
        assert_eq!(turn.run.blocked, 0);
        // The others still have their turn.
        assert_eq!(trace.take(), "bad pump! pump event! event tasklet! tasklet");
        main_loop.turn(NO_WAIT).unwrap();
        assert_eq!(trace.take(), "bad pump! pump");
        assert_eq!(rounds.get(), 2);
    });
}

#[test]
fn without_a_hook_failures_are_logged() {
    logs::keep();
    isolated(|| {
        let (main_loop, ..) = main_loop();
        main_loop.add_pump("bad pump", || panic!("no luck"));
        logs::take();
        main_loop.turn(NO_WAIT).unwrap();
        let logged = logs::take().join("\n");
        assert!(logged.contains("in the pump bad pump: "), "{logged}");
    });
}

#[test]
fn a_kill_of_the_looping_tasklet_ends_the_loop_and_keeps_what_is_due() {
    isolated(|| {
        let (main_loop, _, trace) = main_loop();
        let main_loop = Rc::new(main_loop);
        let looping = main_loop.clone();
        let task = spawn(move || looping.run());
        let tasklet = task.tasklet();
        main_loop.events().call_soon(trace.noting("a"));
        main_loop
            .events()
            .call_soon(move || tasklet.kill().unwrap());
        main_loop.events().call_soon(trace.noting("b"));
        assert!(task.join().unwrap_err().is_killed());
        assert_eq!(trace.take(), "a");
        main_loop.turn(NO_WAIT).unwrap();
        assert_eq!(trace.take(), "b");
    });
}

#[test]
fn budgets_bound_a_turn_and_the_rest_is_for_the_next() {
    isolated(|| {
        let (main_loop, _, trace) = main_loop();
        main_loop.set_budget(RunOptions::new().max_switches(2));
        for name in ["a", "b", "c"] {
            Tasklet::new(trace.noting(name)).insert().unwrap();
        }
        main_loop.turn(None).unwrap();
        assert_eq!(trace.take(), "a b");
        main_loop.turn(None).unwrap();
        assert_eq!(trace.take(), "c");
    });
}

#[test]
fn the_watchdog_names_whoever_held_the_thread() {
    isolated(|| {
        let (main_loop, ..) = main_loop();
        main_loop.set_budget(RunOptions::new().max_slice(Duration::from_millis(5)));
        let blamed: Rc<RefCell<Vec<Tasklet>>> = Rc::default();
        let keeping = blamed.clone();
        main_loop.set_budget_hook(Some(Rc::new(move |report| {
            keeping.borrow_mut().extend(report.interrupted.clone());
        })));
        let polite = Tasklet::new(|| (0..100).for_each(|_| schedule()))
            .setup()
            .unwrap();
        let hog = Tasklet::new(|| {
            let end = Instant::now() + Duration::from_millis(20);
            while Instant::now() < end {
                std::hint::spin_loop();
            }
            schedule();
        });
        let hog = hog.setup().unwrap();
        let done = || !polite.is_alive() && !hog.is_alive();
        main_loop.run_until(done, None).unwrap();
        assert!(blamed.take().contains(&hog));
    });
}

#[test]
fn other_threads_can_wake_call_and_stop_it() {
    isolated(|| {
        let (main_loop, _, trace) = main_loop();
        let handle = main_loop.handle();
        let thread = std::thread::spawn(move || {
            let (tell, told) = std::sync::mpsc::channel();
            for n in 0..1000 {
                let tell = tell.clone();
                handle.call_soon(move || tell.send(n).unwrap());
                // The loop is idle again before the next comes.
                assert_eq!(told.recv().unwrap(), n);
            }
            handle.wake();
            let last = handle.clone();
            handle.call_soon(move || last.call_soon(|| panic!("after the stop")));
            handle.call_soon(move || tell.send(1000).unwrap());
            handle.stop();
            assert_eq!(told.recv().unwrap(), 1000);
        });
        let note = trace.clone();
        main_loop
            .events()
            .call_later(secs(1), move || note.note("not due"));
        main_loop.run().unwrap();
        thread.join().unwrap();
        assert_eq!(trace.take(), "");
    });
}

#[test]
fn calls_of_many_threads_all_come_each_threads_in_its_order() {
    fn shareable<T: Send + Sync>(_: &T) {}
    thread_local!(static CALLS: RefCell<[Vec<u32>; 4]> = RefCell::default());
    isolated(|| {
        let (main_loop, ..) = main_loop();
        shareable(&main_loop.handle());
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let handle = main_loop.handle();
                std::thread::spawn(move || {
                    for n in 0..500 {
                        let call = move || CALLS.with_borrow_mut(|calls| calls[thread].push(n));
                        handle.call_soon(call);
                    }
                })
            })
            .collect();
        let all = || CALLS.with_borrow(|calls| calls.iter().all(|calls| calls.len() == 500));
        assert!(main_loop.run_until(all, None).unwrap());
        CALLS.with_borrow(|calls| {
            assert!(calls.iter().all(|calls| calls.iter().copied().eq(0..500)));
        });
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn a_stop_ends_one_run_also_one_that_has_not_begun() {
    isolated(|| {
        let (main_loop, clock, trace) = main_loop();
        let handle = main_loop.handle();
        handle.stop();
        main_loop
            .events()
            .call_later(secs(1), trace.noting("event"));
        main_loop.run().unwrap();
        assert_eq!(trace.take(), "");
        clock.advance(secs(1));
        main_loop
            .events()
            .call_later(Duration::ZERO, move || handle.stop());
        main_loop.run().unwrap();
        // The turn was completed.
        assert_eq!(trace.take(), "event");
    });
}

#[test]
fn a_call_that_was_handed_in_before_a_stop_is_done() {
    isolated(|| {
        let (main_loop, ..) = main_loop();
        let (handle, called) = (main_loop.handle(), Arc::new(AtomicBool::new(false)));
        let flag = called.clone();
        // At the end of a turn, too late for its own events.
        spawn(move || {
            handle.call_soon(move || flag.store(true, Ordering::Relaxed));
            handle.stop();
        });
        main_loop.run().unwrap();
        assert!(called.load(Ordering::Relaxed));
    });
}

#[test]
fn a_wake_before_the_wait_counts() {
    isolated(|| {
        let (main_loop, ..) = main_loop();
        let handle = main_loop.handle();
        // These would hang otherwise.
        handle.wake();
        main_loop.turn(None).unwrap();
        let waking = handle.clone();
        std::thread::spawn(move || waking.wake()).join().unwrap();
        (0..1000).for_each(|_| schedule());
        let task = spawn(|| (0..1000).for_each(|_| schedule()));
        task.join().unwrap();
        main_loop.turn(None).unwrap();
    });
}

#[test]
fn nice_tasklets_and_runnable_ones_keep_it_from_waiting() {
    isolated(|| {
        let (main_loop, _, trace) = main_loop();
        let (frames, note) = (main_loop.yields().clone(), trace.clone());
        spawn(move || {
            for frame in 0..3 {
                frames.be_nice().unwrap();
                note.note(frame);
            }
        });
        // Without limit: it would wait for ever.
        for _ in 0..4 {
            main_loop.turn(None).unwrap();
        }
        assert_eq!(trace.take(), "0 1 2");
    });
}

#[test]
fn a_condition_a_deadline_and_a_scope_end_a_run() {
    isolated(|| {
        let main_loop = MainLoop::new(&Clock::real()).unwrap();
        let task = spawn(|| greenling::time::sleep(Duration::from_millis(2)));
        assert!(main_loop.run_until(|| task.is_finished(), None).unwrap());
        let soon = main_loop.clock().now() + Duration::from_millis(2);
        assert!(!main_loop.run_until(|| false, Some(soon)).unwrap());
        assert!(main_loop.clock().now() >= soon);
        let result = timeout(Duration::from_millis(2), || main_loop.run());
        result.unwrap_err().into_inner().unwrap();
        assert!(main_loop.events().is_empty());
    });
}

#[test]
fn a_turn_within_a_turn_pumps_nothing_twice() {
    isolated(|| {
        let (main_loop, _, trace) = main_loop();
        let main_loop = Rc::new(main_loop);
        let (again, note) = (Rc::downgrade(&main_loop), trace.clone());
        main_loop.add_pump("pump", move || {
            note.note("pump");
            let turn = again.upgrade().unwrap().turn(NO_WAIT).unwrap();
            note.note(turn.events);
        });
        main_loop.events().call_soon(trace.noting("event"));
        Tasklet::new(trace.noting("tasklet")).insert().unwrap();
        let turn = main_loop.turn(NO_WAIT).unwrap();
        assert_eq!(turn.events, 0);
        assert_eq!(trace.take(), "pump event tasklet 1");
    });
}

#[test]
fn where_switching_is_trapped_a_turn_is_refused() {
    isolated(|| {
        let (main_loop, _, trace) = main_loop();
        main_loop.events().call_soon(trace.noting("event"));
        let trap = switch_trap();
        let refused = main_loop.turn(NO_WAIT);
        assert!(matches!(refused, Err(TaskletError::SwitchTrap)));
        drop(trap);
        assert_eq!(trace.take(), "");
        main_loop.turn(NO_WAIT).unwrap();
        assert_eq!(trace.take(), "event");
    });
}
