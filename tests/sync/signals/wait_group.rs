//! Groups of jobs.

use super::parked;
use greenling::sync::WaitGroup;
use greenling::{run, schedule, spawn};
use std::panic::panic_any;
use tests::{Trace, isolated};

#[test]
fn a_group_without_jobs_is_not_waited_for() {
    let group = WaitGroup::default();
    group.wait().unwrap();
    group.add().done();
    group.wait().unwrap();
    assert_eq!(group.count(), 0);
}

#[test]
fn all_who_wait_go_on_when_the_last_job_is_done() {
    isolated(|| {
        let (group, trace) = (WaitGroup::new(), Trace::new());
        let (first, second) = (group.add(), group.clone().add());
        for name in ["A", "B"] {
            let (group, trace) = (group.clone(), trace.clone());
            parked(move || {
                group.wait().unwrap();
                trace.note(name);
            });
        }
        assert_eq!((group.count(), group.waiters().len()), (2, 2));
        drop(first);
        run().unwrap();
        assert_eq!(trace.take(), "");
        second.done();
        trace.note("on");
        schedule();
        assert_eq!(trace.take(), "on A B");
    });
}

#[test]
fn a_waiter_is_released_even_if_another_job_begins_before_it_runs() {
    isolated(|| {
        let group = WaitGroup::new();
        let job = group.add();
        let waiting = group.clone();
        let waiter = parked(move || {
            waiting.wait().unwrap();
            waiting.count()
        });
        drop(job);
        let _another = group.add();
        assert_eq!(waiter.join().unwrap(), 1);
    });
}

#[test]
fn jobs_that_fail_are_done() {
    isolated(|| {
        let group = WaitGroup::new();
        let (panics, killed, never_runs) = (group.add(), group.add(), group.add());
        let panicking = spawn(move || {
            let _job = panics;
            panic_any("fails");
        });
        let parked = parked(move || {
            let _job = killed;
            greenling::time::sleep(std::time::Duration::from_secs(3600));
        });
        let unstarted = spawn(move || drop(never_runs)).tasklet();
        parked.tasklet().kill_pending().unwrap();
        unstarted.kill_pending().unwrap();
        group.wait().unwrap();
        assert_eq!(group.count(), 0);
        assert!(panicking.join().unwrap_err().is_panic());
    });
}

#[test]
fn thousands_of_jobs_and_waiters() {
    isolated(|| {
        let group = WaitGroup::new();
        for _ in 0..5000 {
            let job = group.add();
            spawn(move || {
                schedule();
                drop(job);
            });
        }
        let waiters: Vec<_> = (0..5000)
            .map(|_| {
                let group = group.clone();
                spawn(move || {
                    group.wait().unwrap();
                    assert_eq!(group.count(), 0);
                })
            })
            .collect();
        for waiter in waiters {
            waiter.join().unwrap();
        }
    });
}
