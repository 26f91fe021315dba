//! Requests of other threads in storms, for tasklets that pause, end, and wait in
//! main loops.

use greenling::{
    Tasklet, TaskletError, run, run_blocking, schedule, schedule_remove, spawn, thread, turn,
};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tests::isolated;

#[test]
fn a_foreign_run_reaches_the_tasklet_that_was_the_last_to_pause() {
    isolated(|| {
        let (done, ended) = thread::channel::<()>(1);
        let last = Tasklet::new(move || {
            schedule_remove();
            drop(done);
        });
        last.insert().unwrap();
        let there = last.remote().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let other = std::thread::spawn(move || {
            // As often as it takes: it may not have paused yet.
            while !stopped.load(Ordering::Relaxed) {
                there.run().unwrap();
                std::thread::yield_now();
            }
        });
        // Main waits first, then the last of all, and nobody else is there.
        assert!(ended.receive().is_err());
        stop.store(true, Ordering::Relaxed);
        other.join().unwrap();
    });
}

#[test]
fn requests_in_storms_from_many_threads_are_each_done_or_refused() {
    isolated(|| {
        let resumed = Rc::new(Cell::new(0_u32));
        let tasklets: Vec<_> = (0..20)
            .map(|_| {
                let resumed = resumed.clone();
                Tasklet::new(move || {
                    loop {
                        schedule_remove();
                        resumed.set(resumed.get() + 1);
                    }
                })
            })
            .collect();
        for tasklet in &tasklets {
            tasklet.run().unwrap();
        }
        let theirs: Vec<_> = tasklets.iter().map(|it| it.remote().unwrap()).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let here = thread::remote().unwrap();
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let (theirs, stop, asked) = (theirs.clone(), stop.clone(), here.clone());
                std::thread::spawn(move || {
                    for round in 0.. {
                        let there = &theirs[(round * 7 + thread * 3) % theirs.len()];
                        match round % 5 {
                            0 | 4 => there.insert().unwrap(),
                            1 => there.run().unwrap(),
                            2 => there.remove().unwrap(),
                            _ => drop(there.clone()),
                        }
                        if round % 64 == 63 {
                            // Nobody runs too far ahead.
                            assert!(asked.info().unwrap().run_count >= 1);
                        }
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                    }
                    for there in theirs.iter().skip(thread).step_by(2) {
                        there.kill().unwrap();
                    }
                })
            })
            .collect();
        while resumed.get() < 5_000 {
            turn(Some(Duration::from_millis(1))).unwrap();
        }
        stop.store(true, Ordering::Relaxed);
        for thread in threads {
            // It may still wait for an answer.
            while !thread.is_finished() {
                turn(Some(Duration::from_micros(100))).unwrap();
            }
            thread.join().unwrap();
        }
        drop(theirs);
        turn(Some(Duration::ZERO)).unwrap();
        for tasklet in &tasklets {
            assert!(tasklet.is_paused() || !tasklet.is_alive());
            tasklet.kill().unwrap();
        }
        drop(tasklets);
        run().unwrap();
        assert_eq!(greenling::inspect::tasklets().len(), 1);
    });
}

#[test]
fn a_flood_of_requests_does_not_keep_the_thread_from_its_own_work() {
    isolated(|| {
        let stop = Arc::new(AtomicBool::new(false));
        let tasklet = Tasklet::new(schedule_remove);
        tasklet.run().unwrap();
        let there = tasklet.remote().unwrap();
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let (there, stop) = (there.clone(), stop.clone());
                std::thread::spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        there.remove().unwrap();
                    }
                })
            })
            .collect();
        for _ in 0..200 {
            greenling::time::sleep(Duration::from_micros(50));
            turn(Some(Duration::ZERO)).unwrap();
        }
        stop.store(true, Ordering::Relaxed);
        for thread in threads {
            thread.join().unwrap();
        }
        tasklet.kill().unwrap();
    });
}

#[test]
fn main_loops_are_killed_and_thrown_at_from_other_threads() {
    isolated(|| {
        type Wait = fn() -> Result<(), TaskletError>;
        let waits: [(Wait, bool); 3] = [
            (|| turn(None).map(drop), true),
            (|| turn(Some(Duration::from_secs(3600))).map(drop), true),
            (|| run_blocking().map(drop), false),
        ];
        for (wait, returns) in waits {
            for throws in [false, true] {
                // One that waits for all has no reason to return early.
                for held_back in [false, returns] {
                    let unwound = Rc::new(Cell::new(0));
                    let counting = unwound.clone();
                    let worker = spawn(move || {
                        struct Unwound(Rc<Cell<u32>>);
                        impl Drop for Unwound {
                            fn drop(&mut self) {
                                self.0.set(self.0.get() + 1);
                            }
                        }
                        let _unwound = Unwound(counting);
                        let mut turns = 0;
                        let _guard = held_back.then(|| {
                            let guard = greenling::defer_kill();
                            let _ = wait();
                            guard
                        });
                        drop(_guard);
                        while wait().is_ok() {
                            turns += 1;
                            assert!(turns < 1_000_000, "it never arrives");
                        }
                    });
                    let there = worker.tasklet().remote().unwrap();
                    let other = std::thread::spawn(move || {
                        if throws {
                            there.throw("enough").unwrap();
                        } else {
                            there.kill().unwrap();
                        }
                        there
                    });
                    let ended = worker.join();
                    assert!(ended.is_err() || throws, "{ended:?}");
                    assert_eq!(unwound.get(), 1);
                    drop(other.join().unwrap());
                }
            }
        }
        run().unwrap();
        assert_eq!(greenling::inspect::tasklets().len(), 1);
    });
}

#[test]
fn the_main_tasklet_is_thrown_at_in_its_main_loop_from_another_thread() {
    isolated(|| {
        let there = greenling::main_tasklet().remote().unwrap();
        for blocking in [false, true] {
            let there = there.clone();
            let other = std::thread::spawn(move || there.throw("for main").unwrap());
            let result = std::panic::catch_unwind(move || {
                loop {
                    if blocking {
                        run_blocking().unwrap();
                    } else {
                        turn(None).unwrap();
                    }
                }
            });
            let payload: Box<dyn std::any::Any + Send> = match result {
                Err(payload) => payload,
                Ok(()) => unreachable!("the loop only ends by the throw"),
            };
            assert!(!payload.is::<&str>());
            other.join().unwrap();
        }
        // A main tasklet can't be killed from anywhere.
        let other = std::thread::spawn(move || {
            let _ = there.kill();
        });
        other.join().unwrap();
        turn(Some(Duration::ZERO)).unwrap();
    });
}

#[test]
fn errors_that_arrive_too_late_are_dropped_between_tasklets_and_may_try_anything() {
    #[derive(Debug)]
    struct Meddles;
    impl std::fmt::Display for Meddles {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("meddles")
        }
    }
    impl std::error::Error for Meddles {}
    greenling::local! {
        static KEPT: RefCell<Vec<Spawns>> = RefCell::default();
    }
    thread_local!(static DROPPED: Cell<u32> = const { Cell::new(0) });
    struct Spawns;
    impl Drop for Spawns {
        fn drop(&mut self) {
            if greenling::inspect::tasklets().is_empty() {
                return; // The thread is ending.
            }
            spawn(|| ());
            let _ = greenling::inspect::tasklets();
        }
    }
    impl Drop for Meddles {
        fn drop(&mut self) {
            schedule();
            if greenling::inspect::tasklets().is_empty() {
                return; // The thread is ending.
            }
            spawn(schedule);
            drop(Tasklet::new(|| ()));
            KEPT.with(|kept| kept.borrow_mut().push(Spawns));
            let current = greenling::current();
            let _ = current.remove();
            let _ = current.insert();
            let _ = current.unbind();
            let _ = greenling::thread::remote().unwrap().info();
            let _ = greenling::main_tasklet().throw_pending("from a destructor");
            DROPPED.set(DROPPED.get() + 1);
        }
    }
    isolated(|| {
        for round in 1..=20 {
            let (done, ended) = thread::channel::<()>(1);
            let short = Tasklet::new(|| ());
            let there = short.remote().unwrap();
            short.run().unwrap();
            drop(short);
            let other = std::thread::spawn(move || {
                there.throw(Meddles).unwrap();
                drop(done);
            });
            // The last to run has ended when the error is dropped.
            spawn(|| ());
            let result = ended.receive();
            assert!(result.is_err());
            other.join().unwrap();
            // What was thrown at main may arrive here.
            while DROPPED.get() < round {
                let _ = std::panic::catch_unwind(|| turn(None).map(drop));
            }
            let _ = std::panic::catch_unwind(|| run().map(drop));
        }
        while greenling::inspect::tasklets().len() > 1 {
            let _ = std::panic::catch_unwind(|| run().map(drop));
        }
    });
}
