//! `RwLock`: readers together, writers alone, one line for both.

use super::{is_thrown, is_timed_out, schedule_until, settle};
use greenling::sync::{RwLock, RwLockWriteGuard};
use greenling::{JoinHandle, WaitError, schedule, spawn};
use std::rc::Rc;
use std::time::Duration;
use tests::{Trace, isolated, logs};

type Shared = (Rc<RwLock<u32>>, Trace);

fn shared() -> Shared {
    (Rc::new(RwLock::new(0)), Trace::new())
}

/// Reads with a wait in between: notes `name[` and `name]`.
fn reader((lock, trace): &Shared, name: &'static str) -> JoinHandle<()> {
    let (lock, trace) = (lock.clone(), trace.clone());
    spawn(move || {
        let _guard = lock.read().unwrap();
        trace.note(format!("{name}["));
        schedule();
        trace.note(format!("{name}]"));
    })
}

/// Writes, likewise.
fn writer((lock, trace): &Shared, name: &'static str) -> JoinHandle<()> {
    let (lock, trace) = (lock.clone(), trace.clone());
    spawn(move || {
        let mut guard = lock.write().unwrap();
        trace.note(format!("{name}["));
        *guard += 1;
        schedule();
        trace.note(format!("{name}]"));
    })
}

#[test]
fn readers_share_it_and_a_writer_is_alone() {
    isolated(|| {
        let shared = shared();
        for name in ["r1", "r2"] {
            reader(&shared, name);
        }
        for name in ["w1", "w2"] {
            writer(&shared, name);
        }
        settle();
        assert_eq!(shared.1.take(), "r1[ r2[ r1] r2] w1[ w1] w2[ w2]");
        assert_eq!(*shared.0.read().unwrap(), 2);
    });
}

#[test]
fn neither_kind_starves_as_the_line_is_one_for_both() {
    isolated(|| {
        let shared = shared();
        reader(&shared, "r1");
        writer(&shared, "w1");
        for name in ["r2", "r3"] {
            reader(&shared, name);
        }
        writer(&shared, "w2");
        reader(&shared, "r4");
        settle();
        assert_eq!(
            shared.1.take(),
            "r1[ r1] w1[ w1] r2[ r3[ r2] r3] w2[ w2] r4[ r4]"
        );
    });
}

#[test]
fn a_reader_does_not_slip_in_before_a_writer_that_waits() {
    isolated(|| {
        let shared = shared();
        let (lock, _) = &shared;
        let reading = lock.read().unwrap();
        let waiting = writer(&shared, "w");
        schedule();
        assert_eq!(lock.waiters(), [waiting.tasklet()]);
        assert!(lock.try_read().is_none());
        drop(reading);
        assert!(lock.is_writing(), "handed over");
        assert!(lock.try_read().is_none() && lock.try_write().is_none());
        settle();
        assert_eq!(lock.readers(), 0);
        assert!(!lock.is_writing());
    });
}

#[test]
fn whoever_leaves_the_head_of_the_line_makes_way_for_those_behind() {
    isolated(|| {
        let shared = shared();
        let (lock, trace) = &shared;
        let reading = lock.read().unwrap();
        // Killed, thrown at, timed out: the readers behind go on each time.
        let killed = writer(&shared, "w");
        reader(&shared, "r1");
        schedule();
        killed.tasklet().kill().unwrap();
        settle();
        assert_eq!(trace.take(), "r1[ r1]");
        let inner = lock.clone();
        let thrown_at = spawn(move || inner.write().map(drop));
        reader(&shared, "r2");
        schedule();
        thrown_at.tasklet().throw("no").unwrap();
        assert!(is_thrown(&thrown_at.join().unwrap()));
        settle();
        assert_eq!(trace.take(), "r2[ r2]");
        let inner = lock.clone();
        let late = spawn(move || inner.write_timeout(Duration::from_millis(1)).map(drop));
        let behind = reader(&shared, "r3");
        schedule_until(|| behind.is_finished());
        assert!(is_timed_out(&late.join().unwrap()));
        assert_eq!(trace.take(), "r3[ r3]");
        assert_eq!(lock.readers(), 1);
        drop(reading);
        assert_eq!(lock.readers(), 0);
    });
}

#[test]
fn one_that_ends_after_it_was_let_in_leaves_again() {
    isolated(|| {
        let shared = shared();
        let (lock, trace) = &shared;
        // Readers let in together, one killed before it runs.
        let writing = lock.write().unwrap();
        let killed = reader(&shared, "r1");
        reader(&shared, "r2");
        writer(&shared, "w");
        schedule();
        drop(writing);
        assert_eq!(lock.readers(), 2);
        killed.tasklet().kill_pending().unwrap();
        settle();
        assert_eq!(trace.take(), "r2[ r2] w[ w]");
        // A writer let in and killed: both readers behind it get in.
        let reading = lock.read().unwrap();
        let killed = writer(&shared, "w");
        for name in ["r1", "r2"] {
            reader(&shared, name);
        }
        schedule();
        drop(reading);
        assert!(lock.is_writing());
        killed.tasklet().kill_pending().unwrap();
        settle();
        assert_eq!(trace.take(), "r1[ r2[ r1] r2]");
        assert_eq!(*lock.write().unwrap(), 1);
    });
}

#[test]
fn a_writer_that_becomes_a_reader_lets_readers_in_but_no_writer() {
    isolated(|| {
        let shared = shared();
        let (lock, trace) = &shared;
        let mut writing = lock.write().unwrap();
        *writing = 9;
        reader(&shared, "r1");
        writer(&shared, "w");
        reader(&shared, "r2");
        schedule();
        let reading = RwLockWriteGuard::downgrade(writing);
        settle();
        assert_eq!(trace.take(), "r1[ r1]");
        assert_eq!((*reading, lock.readers()), (9, 1));
        drop(reading);
        settle();
        assert_eq!(trace.take(), "w[ w] r2[ r2]");
    });
}

#[test]
fn reading_again_behind_a_waiting_writer_is_a_deadlock_that_is_reported() {
    isolated(|| {
        logs::keep();
        let lock = Rc::new(RwLock::new(1));
        let reading = lock.read().unwrap();
        drop(lock.read().unwrap());
        let inner = lock.clone();
        let waiting = spawn(move || inner.write().map(drop));
        schedule();
        assert!(matches!(lock.read(), Err(WaitError::Deadlock)));
        let lines = logs::take();
        assert!(
            lines
                .iter()
                .any(|line| line.contains("waits for rwlock read (0x")
                    && line.contains("waits for rwlock write (0x")),
            "{lines:#?}"
        );
        drop(reading);
        waiting.join().unwrap().unwrap();
    });
}

#[test]
fn reading_recursively_passes_by_waiting_writers_but_not_by_one_inside() {
    isolated(|| {
        let shared = shared();
        let (lock, trace) = &shared;
        let outer = lock.read_recursive().unwrap();
        let waiting = writer(&shared, "w");
        schedule();
        let inner = lock.read_recursive().unwrap();
        assert_eq!((lock.readers(), lock.waiters().len()), (2, 1));
        drop((outer, inner));
        // The writer has been let in, and is not overtaken any more.
        let third = lock.read_recursive().unwrap();
        assert_eq!(trace.take(), "w[ w]");
        waiting.join().unwrap();
        assert_eq!(*third, 1);
    });
}

#[test]
fn limited_waits_of_readers_time_out_and_take_nothing() {
    isolated(|| {
        let lock = RwLock::from(1);
        let writing = lock.write().unwrap();
        assert!(is_timed_out(&lock.read_timeout(Duration::from_millis(1))));
        assert!(is_timed_out(&lock.read_deadline(std::time::Instant::now())));
        assert_eq!(format!("{lock:?}"), "RwLock { data: <locked>, waiting: 0 }");
        assert_eq!(format!("{writing} {writing:?}"), "1 1");
        drop(writing);
        let reading = lock.read().unwrap();
        assert_eq!(format!("{reading} {reading:?}"), "1 1");
        drop(reading);
        let mut lock = lock;
        *lock.get_mut() += 1;
        assert_eq!(*lock.read().unwrap(), 2);
        assert_eq!(lock.into_inner(), 2);
    });
}
