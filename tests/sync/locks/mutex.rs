//! `Mutex`: the value inside, and code that runs while it is locked.

use super::settle;
use greenling::sync::{Mutex, MutexGuard};
use greenling::{Tasklet, WaitError, schedule, spawn};
use std::cell::RefCell;
use std::rc::Rc;
use tests::{Trace, isolated, logs, on_bare_thread};

#[test]
fn the_guard_is_the_only_way_to_the_value() {
    isolated(|| {
        let mut mutex = Mutex::from(vec![1]);
        let mut guard = mutex.lock().unwrap();
        guard.push(2);
        assert_eq!(
            format!("{guard:?} {mutex:?}"),
            "[1, 2] Mutex { data: <locked>, waiting: 0 }"
        );
        assert!(mutex.try_lock().is_none() && mutex.is_locked());
        drop(guard);
        assert_eq!(format!("{mutex:?}"), "Mutex { data: [1, 2], waiting: 0 }");
        mutex.get_mut().push(3);
        assert_eq!(mutex.into_inner(), [1, 2, 3]);
    });
}

#[test]
fn a_slice_or_a_trait_object_can_be_inside() {
    isolated(|| {
        let mutex: Rc<Mutex<[u32]>> = Rc::new(Mutex::new([3, 1, 2]));
        mutex.lock().unwrap().sort_unstable();
        assert_eq!(*mutex.lock().unwrap(), [1, 2, 3]);
    });
}

#[test]
fn the_owner_is_known_while_it_lives() {
    isolated(|| {
        let mutex = Rc::new(Mutex::new(()));
        assert_eq!(mutex.owner(), None);
        let guard = mutex.lock().unwrap();
        assert_eq!(mutex.owner(), Some(greenling::current()));
        let inner = mutex.clone();
        let task = spawn(move || {
            // Locked for ever by somebody who is no more.
            std::mem::forget(inner.lock().unwrap());
        });
        schedule();
        assert_eq!(mutex.waiters(), [task.tasklet()]);
        drop(guard);
        assert_eq!(mutex.owner(), Some(task.tasklet()), "before it runs");
        task.join().unwrap();
        assert!(mutex.is_locked());
        assert_eq!(mutex.owner(), None);
    });
}

#[test]
fn an_owner_that_locks_again_waits_for_itself_and_is_named() {
    isolated(|| {
        logs::keep();
        let mutex = Mutex::new(1);
        let guard = mutex.lock().unwrap();
        assert!(matches!(mutex.lock(), Err(WaitError::Deadlock)));
        let lines = logs::take();
        assert!(
            lines
                .iter()
                .any(|line| line.contains("waits for mutex (0x")),
            "{lines:#?}"
        );
        drop(guard);
        assert_eq!(*mutex.lock().unwrap(), 1);
    });
}

#[test]
#[cfg_attr(greenling_asan, ignore = "leaks on purpose")]
fn a_guard_may_be_dropped_by_another_tasklet() {
    isolated(|| {
        let mutex: &'static Mutex<u32> = Box::leak(Box::new(Mutex::new(1)));
        let carried: Rc<RefCell<Option<MutexGuard<'static, u32>>>> = Rc::default();
        *carried.borrow_mut() = Some(mutex.lock().unwrap());
        let waiter = spawn(|| *mutex.lock().unwrap());
        schedule();
        spawn(move || drop(carried.take()));
        assert_eq!(waiter.join().unwrap(), 1);
    });
}

/// Uses the mutex that it is in when it is dropped.
struct Inside {
    mutex: Rc<Mutex<Option<Inside>>>,
    trace: Trace,
}

impl Drop for Inside {
    fn drop(&mut self) {
        let locked = self.mutex.try_lock().is_none();
        self.trace.note(if locked { "locked" } else { "free" });
        if !locked {
            let guard = self.mutex.lock().unwrap();
            self.trace.note(guard.is_none());
        }
        // Others run, and wait, while this is being dropped.
        schedule();
    }
}

#[test]
fn a_value_whose_destructor_uses_the_mutex_finds_it_locked_or_free() {
    isolated(|| {
        let (mutex, trace) = (Rc::new(Mutex::new(None)), Trace::new());
        let value = || Inside {
            mutex: mutex.clone(),
            trace: trace.clone(),
        };
        *mutex.lock().unwrap() = Some(value());
        let (inner, seen) = (mutex.clone(), trace.clone());
        let waiter = spawn(move || {
            let _guard = inner.lock().unwrap();
            seen.note("waiter");
        });
        // Replaced while it is locked; the waiter queues up meanwhile.
        *mutex.lock().unwrap() = Some(value());
        assert_eq!(trace.take(), "locked");
        waiter.join().unwrap();
        assert_eq!(trace.take(), "waiter");
        // Taken out under the lock, dropped after it.
        let last = mutex.lock().unwrap().take();
        drop(last);
        assert_eq!(trace.take(), "free true");
    });
}

#[test]
fn formatting_a_mutex_whose_value_waits_keeps_it_locked() {
    struct Waits;
    impl std::fmt::Debug for Waits {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            schedule();
            f.write_str("waited")
        }
    }
    isolated(|| {
        let mutex = Rc::new(Mutex::new(Waits));
        let inner = mutex.clone();
        let other = spawn(move || inner.lock().map(drop));
        assert!(format!("{mutex:?}").contains("waited"));
        other.join().unwrap().unwrap();
    });
}

#[test]
fn an_idle_mutex_moves_to_another_thread_and_none_is_shared() {
    fn movable<T: Send>() {}
    movable::<Mutex<u32>>();
    let mutex = isolated(|| {
        let mutex = Mutex::new(1);
        *mutex.lock().unwrap() += 1;
        mutex
    });
    assert_eq!(*isolated(move || mutex).lock().unwrap(), 2);
}

/// Locks when its thread's locals are destroyed.
struct Late(Rc<Mutex<u32>>, std::sync::mpsc::Sender<bool>);

impl Drop for Late {
    fn drop(&mut self) {
        let locked = self.0.lock().is_ok_and(|guard| *guard == 5);
        let refused = {
            let _guard = self.0.try_lock();
            matches!(self.0.lock(), Err(WaitError::Unwinding))
        };
        // The receiver is there until the thread has been joined.
        let _ = self.1.send(locked && refused);
    }
}

#[test]
fn a_thread_that_is_ending_can_lock_but_not_wait() {
    thread_local! {
        static LATE: RefCell<Option<Late>> = const { RefCell::new(None) };
    }
    let (sender, results) = std::sync::mpsc::channel();
    on_bare_thread(move || {
        // Made before the scheduler, so dropped after it.
        LATE.with(|late| *late.borrow_mut() = Some(Late(Rc::new(Mutex::new(5)), sender)));
        let inner = LATE.with(|late| late.borrow().as_ref().map(|late| late.0.clone()));
        let inner = inner.expect("it was just put there");
        let other = inner.clone();
        let guard = inner.lock().unwrap();
        Tasklet::new(move || other.lock().map(drop))
            .insert()
            .unwrap();
        drop(guard);
        settle();
    });
    assert!(results.recv().unwrap());
}
