//! Graceful ends: what may finish, what is killed when, and what refuses.

use greenling::time::{CancelToken, sleep};
use greenling::{Shutdown, TaskletExit, Workers, defer_kill, schedule, spawn};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};
use tests::process::alone;
use tests::{isolated, logs, on_bare_thread};

/// Longer than any test lasts.
const EVER: Duration = Duration::from_secs(1000);

struct Noted(usize, Rc<RefCell<Vec<usize>>>);

impl Drop for Noted {
    fn drop(&mut self) {
        self.1.borrow_mut().push(self.0);
    }
}

/// A tasklet that sleeps for so long, and whose destructor notes its number.
fn sleeper(number: usize, time: Duration, ends: &Rc<RefCell<Vec<usize>>>) {
    let noted = Noted(number, ends.clone());
    spawn(move || {
        let _noted = noted;
        sleep(time);
    });
}

#[test]
fn those_that_finish_in_time_are_waited_for_and_the_others_killed_in_order() {
    isolated(|| {
        let ends = Rc::new(RefCell::new(Vec::new()));
        sleeper(0, EVER, &ends);
        sleeper(1, Duration::from_millis(20), &ends);
        sleeper(2, EVER, &ends);
        sleeper(3, Duration::ZERO, &ends);
        // All sleep before the limit is set, so it is the later.
        schedule();
        let stop = Shutdown::new();
        stop.trigger_with(Duration::from_millis(200), EVER);
        let report = stop.drain().unwrap();
        assert_eq!((report.killed, report.left), (2, 0));
        assert_eq!(*ends.borrow(), [3, 1, 0, 2]);
    });
}

#[test]
fn nothing_left_ends_the_wait_long_before_the_deadline() {
    isolated(|| {
        let ends = Rc::new(RefCell::new(Vec::new()));
        // One starts another: the newcomer is waited for, too.
        let inner = ends.clone();
        spawn(move || {
            sleep(Duration::from_millis(1));
            sleeper(1, Duration::from_millis(1), &inner);
        });
        let stop = Shutdown::with_limits(EVER, EVER);
        let report = stop.drain().unwrap();
        assert_eq!((report.killed, report.left), (0, 0));
        assert_eq!(*ends.borrow(), [1]);
        assert!(stop.is_triggered());
    });
}

#[test]
fn those_that_catch_the_kill_have_time_until_the_second_deadline() {
    isolated(|| {
        let ends = Rc::new(RefCell::new(Vec::new()));
        let (trace, last_words) = (ends.clone(), ends.clone());
        spawn(move || {
            let killed = catch_unwind(AssertUnwindSafe(|| sleep(EVER))).unwrap_err();
            assert!(killed.is::<TaskletExit>());
            sleep(Duration::from_millis(20));
            trace.borrow_mut().push(1);
        });
        spawn(move || {
            let held = defer_kill();
            sleep(Duration::from_millis(40));
            last_words.borrow_mut().push(2);
            drop(held);
            sleep(EVER);
            unreachable!("the kill is delivered here");
        });
        schedule();
        let report = Shutdown::with_limits(Duration::ZERO, EVER).drain().unwrap();
        assert_eq!((report.killed, report.left), (2, 0));
        assert_eq!(*ends.borrow(), [1, 2]);
    });
}

#[test]
#[cfg_attr(greenling_asan, ignore = "what refuses every kill is leaked")]
fn what_refuses_everything_is_named_and_left() {
    alone("drain::what_refuses_everything_is_named_and_left", || {
        logs::keep();
        // Without an `enter`, which would try again.
        let (report, logged) = on_bare_thread(|| {
            let stubborn = || {
                loop {
                    let _ = catch_unwind(|| sleep(EVER));
                }
            };
            let made = greenling::Builder::new().name("stubborn").spawn(stubborn);
            made.unwrap();
            spawn(|| sleep(EVER));
            schedule();
            let report = Shutdown::new().drain().unwrap();
            (report, logs::take())
        });
        assert_eq!((report.killed, report.left), (2, 1));
        let text = logged.join("\n");
        assert!(text.contains("ERROR greenling: 1 tasklets outlive the shutdown"));
        assert!(text.contains("stubborn"), "{text}");
    });
}

#[test]
fn a_second_trigger_brings_the_deadlines_forward_and_never_puts_them_off() {
    isolated(|| {
        let stop = Shutdown::with_limits(EVER, EVER);
        stop.trigger();
        let first = stop.drain_deadline().unwrap();
        stop.trigger_with(EVER * 2, EVER);
        stop.trigger();
        assert_eq!(stop.drain_deadline(), Some(first));
        stop.trigger_with(EVER / 2, Duration::ZERO);
        assert!(stop.drain_deadline().unwrap() < first);
        assert_eq!(stop.drain_deadline(), stop.kill_deadline());

        // While somebody drains, too, and from another thread.
        let sleeper = spawn(|| sleep(EVER));
        let other = stop.clone();
        let drainer = spawn(move || other.drain().unwrap());
        schedule();
        let hurry = stop.clone();
        std::thread::spawn(move || hurry.trigger_with(Duration::ZERO, Duration::ZERO));
        let report = drainer.join().unwrap();
        assert_eq!((report.killed, report.left), (1, 0));
        assert!(sleeper.join().unwrap_err().is_killed());
    });
}

#[test]
fn a_limit_beyond_the_clock_is_none() {
    let stop = Shutdown::new();
    stop.trigger_with(Duration::MAX, Duration::MAX);
    assert_eq!((stop.drain_deadline(), stop.kill_deadline()), (None, None));
    stop.trigger_with(Duration::MAX, Duration::ZERO);
    assert_eq!(stop.kill_deadline(), None);
    stop.trigger_with(Duration::ZERO, Duration::MAX);
    assert!(stop.drain_deadline().unwrap() <= Instant::now());
}

#[test]
fn a_scope_and_a_throw_end_the_wait_early() {
    isolated(|| {
        let stop = Shutdown::with_limits(EVER, EVER);
        let sleeper = spawn(|| sleep(EVER));
        let waiting = stop.clone();
        let drainer = spawn(move || waiting.drain());
        schedule();
        drainer.tasklet().throw_pending("enough").unwrap();
        assert!(drainer.join().unwrap().is_err());
        assert!(!sleeper.is_finished(), "whoever has not ended goes on");
        let limit = Duration::from_millis(1);
        let elapsed = greenling::time::timeout(limit, || stop.drain()).unwrap_err();
        assert_eq!(elapsed.into_inner().unwrap().killed, 1);
        sleeper.join().unwrap_err();
    });
}

#[test]
fn a_token_ends_the_wait_early_like_a_deadline() {
    isolated(|| {
        let stop = Shutdown::with_limits(EVER, EVER);
        let sleeper = spawn(|| sleep(EVER));
        let token = CancelToken::new();
        let (waiting, scope) = (stop.clone(), token.clone());
        let drainer = spawn(move || scope.run(|| waiting.drain()));
        schedule();
        assert!(drainer.tasklet().is_blocked());
        token.cancel();
        let cancelled = drainer.join().unwrap().unwrap_err();
        assert_eq!(cancelled.into_inner().unwrap().killed, 1);
        sleeper.join().unwrap_err();
    });
}

#[test]
fn a_deadline_that_is_brought_forward_is_not_that_of_a_scope() {
    isolated(|| {
        let stop = Shutdown::with_limits(EVER, EVER);
        let sleeper = spawn(|| sleep(EVER));
        let waiting = stop.clone();
        let drainer = spawn(move || greenling::time::timeout(EVER / 2, || waiting.drain()));
        schedule();
        assert!(drainer.tasklet().is_blocked());
        stop.trigger_with(Duration::ZERO, Duration::ZERO);
        let report = drainer.join().unwrap().expect("the scope has time left");
        assert_eq!(report.unwrap().killed, 1);
        sleeper.join().unwrap_err();
    });
}

#[test]
fn workers_drain_each_for_itself() {
    struct Ends(usize, Arc<Mutex<Vec<usize>>>);
    impl Drop for Ends {
        fn drop(&mut self) {
            self.1.lock().unwrap().push(self.0);
        }
    }
    on_bare_thread(|| {
        let ended = Arc::new(Mutex::new(Vec::new()));
        let all = Workers::new(3)
            .drain_limit(Duration::from_millis(300))
            .kill_limit(EVER);
        let stop = all.shutdown();
        let others_are_gone = Barrier::new(2);
        let results = all.run(|worker| {
            match worker.index() {
                // The first returns early and the second panics: the third
                // knows nothing of it.
                0 => return,
                1 => {
                    others_are_gone.wait();
                    panic!("worker 1 has had enough");
                }
                _ => {}
            }
            for (number, time) in [(0, EVER), (1, Duration::from_millis(20))] {
                let ends = Ends(number, ended.clone());
                spawn(move || {
                    let _ends = ends;
                    sleep(time);
                });
            }
            schedule();
            others_are_gone.wait();
            stop.trigger();
            worker.shutdown().wait().unwrap();
        });
        assert!(results[0].is_ok() && results[1].is_err() && results[2].is_ok());
        assert_eq!(*ended.lock().unwrap(), [1, 0]);
    });
}

#[test]
fn without_a_shutdown_a_workers_end_gives_nobody_time() {
    on_bare_thread(|| {
        let all = Workers::new(1).drain_limit(EVER).kill_limit(EVER);
        let results = all.run(|_| {
            spawn(|| sleep(EVER));
            schedule();
        });
        assert!(results[0].is_ok());
    });
}

#[test]
#[cfg_attr(
    greenling_asan,
    ignore = "the sanitizer's shadow needs more than any limit"
)]
fn threads_that_can_not_be_made_are_an_error_and_no_worker_runs() {
    alone(
        "drain::threads_that_can_not_be_made_are_an_error_and_no_worker_runs",
        || {
            let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
            let pages: u64 = pages.split(' ').next().unwrap().parse().unwrap();
            // Room for the stacks of some threads, but not of all.
            let (_, hard) = getrlimit(Resource::RLIMIT_AS).unwrap();
            setrlimit(Resource::RLIMIT_AS, pages * 4096 + (64 << 20), hard).unwrap();
            let ran = AtomicUsize::new(0);
            let count = || ran.fetch_add(1, Ordering::SeqCst);
            Workers::new(500).try_run(|_| count()).unwrap_err();
            assert_eq!(ran.load(Ordering::SeqCst), 0);
            Workers::new(2).try_run(|_| count()).unwrap();
            assert_eq!(ran.load(Ordering::SeqCst), 2);
        },
    );
}
