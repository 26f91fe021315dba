//! The watchdog reports who holds a thread, and leaves the others alone.

use greenling::inspect::{Hold, Watchdog, watchdog};
use greenling::{Builder, on_system_stack, schedule, time};
use std::hint::black_box;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};
use tests::process::alone;
use tests::{isolated, on_bare_thread};

/// Short, so that tests are; on a busy machine everything just takes longer.
const LIMIT: Duration = Duration::from_millis(20);

/// A generous limit: it only ends what hangs.
const FOR_EVER: Duration = Duration::from_secs(100);

/// A watch whose reports arrive here.
fn watched() -> (Watchdog, Receiver<Hold>) {
    watched_for(LIMIT)
}

fn watched_for(limit: Duration) -> (Watchdog, Receiver<Hold>) {
    let (sender, reports) = mpsc::channel();
    let watch = watchdog(limit).on_report(move |hold| drop(sender.send(hold.clone())));
    (watch, reports)
}

/// Holds the thread until a report has come.
#[inline(never)]
fn spins_until_reported(reports: &Receiver<Hold>) -> Hold {
    let start = Instant::now();
    loop {
        if let Ok(hold) = black_box(reports.try_recv()) {
            return hold;
        }
        assert!(start.elapsed() < FOR_EVER, "nobody reports it");
    }
}

#[test]
fn a_tasklet_that_spins_is_reported_once_for_each_time() {
    isolated(|| {
        let (_watch, reports) = watched();
        let spinner = Builder::new().name("spinner").spawn(move || {
            let first = spins_until_reported(&reports);
            // It goes on, and is not reported for that.
            let until = Instant::now() + LIMIT * 10;
            while Instant::now() < until {
                black_box(until);
            }
            assert!(reports.try_recv().is_err(), "the same hold once more");
            schedule();
            (first, spins_until_reported(&reports))
        });
        let spinner = spinner.unwrap();
        let id = spinner.tasklet().id();
        // Somebody else, or nobody would be kept waiting.
        let other = greenling::spawn(schedule);
        let (first, second) = spinner.join().unwrap();
        other.join().unwrap();
        for hold in [first, second] {
            assert_eq!((hold.id, hold.name.as_deref()), (id, Some("spinner")));
            assert!(hold.held >= LIMIT && !hold.on_system_stack, "{hold}");
            assert!(hold.spawned_at.file().ends_with("watchdogs.rs"));
            let text = hold.to_string();
            assert!(text.contains("spins_until_reported at "), "{text}");
            assert!(text.contains("has held its thread"), "{text}");
        }
    });
}

#[inline(never)]
fn spins_below(reports: &Receiver<Hold>) -> Hold {
    on_system_stack(|| black_box(spins_until_reported(reports)))
}

#[test]
fn one_on_the_system_stack_is_seen_through() {
    isolated(|| {
        let (_watch, reports) = watched();
        let hold = greenling::spawn(move || spins_below(&reports))
            .join()
            .unwrap();
        assert!(hold.on_system_stack);
        let text = hold.to_string();
        let (inner, outer) = (
            text.find("spins_until_reported at "),
            text.find("spins_below at "),
        );
        assert!(inner.is_some() && inner < outer, "{text}");
    });
}

#[test]
fn a_main_tasklet_that_spins_is_reported_if_it_is_not_alone() {
    isolated(|| {
        let (_watch, reports) = watched();
        let waits = greenling::spawn(greenling::schedule_remove).tasklet();
        schedule();
        let hold = spins_until_reported(&reports);
        assert_eq!(hold.name.as_deref(), Some("main"));
        assert!(
            hold.to_string().contains("spins_until_reported at "),
            "{hold}"
        );
        waits.kill().unwrap();
    });
}

/// Between two signs of life lie 64 switches, and here several limits: the
/// thread is suspected, asked, and cleared.
#[test]
fn those_who_give_way_are_not_reported() {
    isolated(|| {
        // Long, so that a busy machine rarely stops this thread for as long.
        let limit = LIMIT * 5;
        let (watch, reports) = watched_for(limit);
        let until = Instant::now() + limit * 12;
        let works = move || {
            let mut longest = Duration::ZERO;
            while Instant::now() < until {
                let start = Instant::now();
                while start.elapsed() < limit / 25 {
                    black_box(start);
                }
                longest = longest.max(start.elapsed());
                schedule();
            }
            longest
        };
        let (a, b) = (greenling::spawn(works), greenling::spawn(works));
        let longest = a.join().unwrap().max(b.join().unwrap());
        drop(watch);
        let reported = reports.try_iter().count();
        // Unless the machine has stopped this thread in the middle of a turn.
        assert!(
            reported == 0 || longest >= limit,
            "{reported} reports, {longest:?} at most"
        );
    });
}

/// C code: the loop is in libc.
#[inline(never)]
fn calls_c(reports: &Receiver<Hold>) -> Hold {
    let start = Instant::now();
    loop {
        let mut words: Vec<u64> = (0..1_000_000).rev().collect();
        native::sort(&mut words);
        assert!(words.is_sorted());
        if let Ok(hold) = reports.try_recv() {
            return hold;
        }
        assert!(start.elapsed() < FOR_EVER, "nobody reports it");
    }
}

#[test]
fn a_c_function_that_takes_long_is_named_with_its_caller() {
    isolated(|| {
        let (_watch, reports) = watched();
        let task = greenling::spawn(move || on_system_stack(|| calls_c(&reports)));
        let text = task.join().unwrap().to_string();
        assert!(text.contains("calls_c at "), "{text}");
    });
}

#[allow(unsafe_code, reason = "calls into libc")]
mod native {
    use libc::{c_int, c_void};

    /// By libc's `qsort`.
    pub(super) fn sort(words: &mut [u64]) {
        let (start, count) = (words.as_mut_ptr(), words.len());
        // SAFETY: these are the slice's, whose elements `by_value` compares.
        unsafe { libc::qsort(start.cast(), count, size_of::<u64>(), Some(by_value)) };
    }

    unsafe extern "C" fn by_value(a: *const c_void, b: *const c_void) -> c_int {
        // SAFETY: `qsort` passes elements of the slice.
        let a = unsafe { a.cast::<u64>().read() };
        // SAFETY: as above.
        let b = unsafe { b.cast::<u64>().read() };
        a.cmp(&b) as c_int
    }
}

/// Voluntary context switches of a thread of this process, by its name: how
/// often it has gone to sleep.
fn sleeps_of(name: &str) -> Option<u64> {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    for thread in threads {
        let path = thread.unwrap().path();
        let Ok(comm) = std::fs::read_to_string(path.join("comm")) else {
            continue;
        };
        if comm.trim_end() == name {
            let status = std::fs::read_to_string(path.join("status")).unwrap();
            let line = status.lines().find(|line| line.starts_with("voluntary_"));
            return line?.split_whitespace().nth(1)?.parse().ok();
        }
    }
    None
}

#[test]
fn an_idle_thread_is_never_woken_and_the_watcher_sleeps_with_it() {
    let test = "watchdogs::an_idle_thread_is_never_woken_and_the_watcher_sleeps_with_it";
    alone(test, || {
        let (sender, receiver) = mpsc::channel();
        let (end, ended) = greenling::thread::channel::<()>(1);
        let idle = std::thread::Builder::new()
            .name("idle".into())
            .spawn(move || {
                greenling::enter(|| {
                    let (_watch, reports) = watched();
                    sender.send(()).unwrap();
                    let _ = ended.receive();
                    assert!(reports.try_recv().is_err(), "an idle thread was reported");
                });
            });
        receiver.recv().unwrap();
        let pause = || std::thread::park_timeout(LIMIT * 10);
        // The kernel cuts names.
        let count = || (sleeps_of("idle"), sleeps_of("greenling-watch"));
        // Until both are there and have come to rest: then nothing changes any more.
        let start = Instant::now();
        loop {
            let before = count();
            pause();
            if before.0.is_some() && before.1.is_some() && before == count() {
                break;
            }
            assert!(start.elapsed() < FOR_EVER, "they do not come to rest");
        }
        let before = count();
        for _ in 0..5 {
            pause();
        }
        assert_eq!(before, count());
        drop(end);
        idle.unwrap().join().unwrap();
    });
}

#[test]
fn a_watch_that_is_leaked_ends_with_its_thread() {
    on_bare_thread(|| std::mem::forget(watchdog(LIMIT)));
    // The next one shares the watcher, which has thrown the other out.
    isolated(|| {
        let (_watch, reports) = watched();
        let hold = greenling::spawn(move || spins_until_reported(&reports)).join();
        assert!(hold.unwrap().held >= LIMIT);
    });
}

#[test]
fn a_handler_that_panics_does_not_end_the_watch() {
    isolated(|| {
        let (sender, reports) = mpsc::channel();
        let mut first = true;
        let first = std::sync::Mutex::new(move || std::mem::take(&mut first));
        let _watch = watchdog(LIMIT).on_report(move |hold| {
            drop(sender.send(hold.clone()));
            if (first.lock().unwrap())() {
                panic!("on purpose");
            }
        });
        let task = greenling::spawn(move || {
            let one = spins_until_reported(&reports).id;
            time::sleep(Duration::from_millis(1));
            (one, spins_until_reported(&reports).id)
        });
        let (one, two) = task.join().unwrap();
        assert_eq!(one, two);
    });
}

/// Somebody else's handler for the same signal gets what is not ours.
#[test]
fn a_handler_that_was_there_before_still_gets_its_signals() {
    use nix::sys::signal::{SigSet, Signal, raise};
    let test = "watchdogs::a_handler_that_was_there_before_still_gets_its_signals";
    alone(test, || {
        let signals = greenling::signal::Signals::new(&[Signal::SIGURG as i32]).unwrap();
        let (watch, reports) = watched();
        let holds = greenling::spawn(move || spins_until_reported(&reports)).join();
        assert!(holds.is_ok());
        drop(watch);
        raise(Signal::SIGURG).unwrap();
        assert_eq!(signals.wait().unwrap(), Signal::SIGURG as i32);
        assert!(!SigSet::thread_get_mask().unwrap().contains(Signal::SIGURG));
    });
}
