//! Blocking work on the pool.

use greenling::net::lookup_host;
use greenling::time::timeout;
use greenling::{WaitError, offload, schedule, spawn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tests::isolated;

/// Set when dropped.
struct Flag(Arc<AtomicBool>);

impl Drop for Flag {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_job_runs_elsewhere_while_others_go_on_here() {
    isolated(|| {
        let (go, gate) = mpsc::channel();
        let here = std::thread::current().id();
        let job = spawn(move || {
            offload(move || {
                let number: u32 = gate.recv().unwrap();
                (number, std::thread::current().id())
            })
        });
        schedule();
        // The job blocks its thread, not this one.
        go.send(7).unwrap();
        let (number, there) = job.join().unwrap().unwrap();
        assert_eq!(number, 7);
        assert_ne!(here, there);
    });
}

#[test]
fn a_panic_is_resumed_in_the_caller() {
    isolated(|| {
        let payload = catch_unwind(|| offload(|| std::panic::panic_any(42u64))).unwrap_err();
        assert_eq!(*payload.downcast::<u64>().unwrap(), 42);
        assert_eq!(offload(|| 1).unwrap(), 1);
    });
}

#[test]
fn a_killed_waiter_leaves_the_job_to_its_end() {
    isolated(|| {
        let (go, gate) = mpsc::channel::<()>();
        let (tell, told) = mpsc::channel();
        let dropped = Arc::new(AtomicBool::new(false));
        let flag = Flag(dropped.clone());
        let waiter = spawn(move || {
            drop(offload(move || {
                gate.recv().unwrap();
                tell.send(()).unwrap();
                flag
            }));
        });
        schedule();
        waiter.tasklet().kill().unwrap();
        assert!(waiter.join().unwrap_err().is_killed());
        assert!(!dropped.load(Ordering::SeqCst));
        go.send(()).unwrap();
        told.recv().unwrap();
        // The result is dropped by the pool, which then takes other jobs.
        while !dropped.load(Ordering::SeqCst) {
            offload(|| ()).unwrap();
        }
    });
}

#[test]
fn a_timeout_ends_the_wait_only() {
    isolated(|| {
        let (go, gate) = mpsc::channel::<()>();
        let (tell, told) = mpsc::channel();
        let elapsed = timeout(Duration::from_millis(3), || {
            offload(move || {
                gate.recv().unwrap();
                tell.send(5).unwrap();
            })
        });
        let inner = elapsed.unwrap_err().into_inner();
        assert!(matches!(inner, Err(WaitError::TimedOut)));
        go.send(()).unwrap();
        assert_eq!(told.recv().unwrap(), 5);
    });
}

#[test]
fn a_destructor_that_unwinds_can_not_offload() {
    struct Tries(Arc<AtomicUsize>);
    impl Drop for Tries {
        fn drop(&mut self) {
            let ran = self.0.clone();
            let result = offload(move || ran.store(100, Ordering::SeqCst));
            assert!(matches!(result, Err(WaitError::Unwinding)));
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    isolated(|| {
        let seen = Arc::new(AtomicUsize::new(0));
        let tries = Tries(seen.clone());
        let result = catch_unwind(AssertUnwindSafe(move || {
            let _tries = tries;
            panic!("unwinds");
        }));
        result.unwrap_err();
        offload(|| ()).unwrap();
        assert_eq!(seen.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn jobs_that_need_each_other_never_wait_for_one_thread() {
    // The second job of each pair lets the first one end. Were it to count on
    // the thread that has just taken the first, neither ever would.
    isolated(|| {
        for _ in 0..3000 {
            let (go, gate) = mpsc::channel::<()>();
            let first = spawn(move || offload(move || gate.recv().is_ok()));
            let second = spawn(move || offload(move || go.send(()).is_ok()));
            assert!(first.join().unwrap().unwrap());
            assert!(second.join().unwrap().unwrap());
        }
    });
}

#[test]
fn jobs_beyond_the_limit_queue() {
    const LIMIT: &str = "GREENLING_OFFLOAD_THREADS";
    const TEST: &str = "offload::jobs_beyond_the_limit_queue";
    if !tests::child::is(TEST) {
        tests::child::run(TEST, TEST, &[(LIMIT, "3")]).success();
        return;
    }
    isolated(|| {
        let (now, most, done) = (
            Arc::new(AtomicUsize::new(0)),
            Arc::new(AtomicUsize::new(0)),
            Arc::new(AtomicUsize::new(0)),
        );
        let jobs: Vec<_> = (0..100)
            .map(|number| {
                let (now, most, done) = (now.clone(), most.clone(), done.clone());
                spawn(move || {
                    offload(move || {
                        let running = now.fetch_add(1, Ordering::SeqCst) + 1;
                        most.fetch_max(running, Ordering::SeqCst);
                        std::thread::yield_now();
                        now.fetch_sub(1, Ordering::SeqCst);
                        done.fetch_add(1, Ordering::SeqCst);
                        number
                    })
                })
            })
            .collect();
        for (number, job) in jobs.into_iter().enumerate() {
            assert_eq!(job.join().unwrap().unwrap(), number);
        }
        assert_eq!(done.load(Ordering::SeqCst), 100);
        assert!(most.load(Ordering::SeqCst) <= 3);
    });
}

#[test]
fn names_are_looked_up_whatever_the_pool_is_held_by() {
    const LIMIT: &str = "GREENLING_OFFLOAD_THREADS";
    const TEST: &str = "offload::names_are_looked_up_whatever_the_pool_is_held_by";
    if !tests::child::is(TEST) {
        tests::child::run(TEST, TEST, &[(LIMIT, "1")]).success();
        return;
    }
    isolated(|| {
        let (go, gate) = mpsc::channel::<()>();
        let held = spawn(move || offload(move || gate.recv().is_ok()));
        schedule();
        let mut found = lookup_host("localhost:80").unwrap();
        assert!(found.all(|address| address.ip().is_loopback()));
        go.send(()).unwrap();
        assert!(held.join().unwrap().unwrap());
    });
}

#[test]
fn several_schedulers_share_the_pool() {
    let threads: Vec<_> = (0..4u64)
        .map(|thread| {
            std::thread::spawn(move || {
                isolated(move || {
                    let jobs: Vec<_> = (0..100)
                        .map(|number| spawn(move || offload(move || thread * 1000 + number)))
                        .collect();
                    for (number, job) in jobs.into_iter().enumerate() {
                        assert_eq!(job.join().unwrap().unwrap(), thread * 1000 + number as u64);
                    }
                });
            })
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
}
