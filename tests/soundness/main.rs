//! What `docs/soundness.md` lists, shown to happen: code that counts on calls
//! of one OS thread being nested. Each test shows a broken expectation by
//! safe means; the same mistake with pointers is undefined behaviour.

use greenling::{Tasklet, run, schedule, schedule_remove};
use std::cell::{Cell, LazyCell, OnceCell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::mpsc;
use std::sync::{Mutex, Once, TryLockError};
use tests::{Trace, isolated, on_bare_thread};

/// Says whether it was dropped, to those that hold a reference to it.
struct Value {
    alive: Rc<Cell<bool>>,
}

impl Value {
    fn new() -> Value {
        Value {
            alive: Rc::new(Cell::new(true)),
        }
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        self.alive.set(false);
    }
}

#[test]
fn a_thread_local_initialiser_that_parks_drops_a_value_that_is_borrowed() {
    thread_local! {
        static LAZY: Value = {
            schedule();
            Value::new()
        };
    }
    isolated(|| {
        let trace = Trace::new();
        // Both find the variable uninitialised and run its initialiser.
        for name in ["first", "second"] {
            let trace = trace.clone();
            greenling::spawn(move || {
                LAZY.with(|value| {
                    // Not through `value`, which may be gone by then.
                    let alive = value.alive.clone();
                    schedule();
                    trace.note(format!("{name} borrows a live value: {}", alive.get()));
                });
            });
        }
        run().unwrap();
        assert_eq!(
            trace.take_list(),
            [
                "first borrows a live value: false",
                "second borrows a live value: true"
            ]
        );
    });
}

/// What scoped-tls does, with numbers in place of pointers: `set` stores the
/// address of its caller's value, and puts the one before back when it ends.
mod scoped {
    use std::cell::{Cell, RefCell};

    thread_local! {
        static CURRENT: Cell<Option<u32>> = const { Cell::new(None) };
        static FRAMES: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
    }

    /// Runs `f` with `frame` set.
    pub(crate) fn set(frame: u32, f: impl FnOnce()) {
        FRAMES.with_borrow_mut(|frames| frames.push(frame));
        let before = CURRENT.replace(Some(frame));
        f();
        CURRENT.set(before);
        FRAMES.with_borrow_mut(|frames| frames.retain(|&f| f != frame));
    }

    /// The frame that is set, and whether its `set` has not returned yet.
    pub(crate) fn current() -> Option<(u32, bool)> {
        let frame = CURRENT.get()?;
        let exists = FRAMES.with_borrow(|frames| frames.contains(&frame));
        Some((frame, exists))
    }
}

#[test]
fn scoped_thread_locals_set_in_turns_leave_a_frame_that_has_returned() {
    isolated(|| {
        let trace = Trace::new();
        for frame in [1, 2] {
            let trace = trace.clone();
            greenling::spawn(move || {
                scoped::set(frame, || {
                    schedule();
                    trace.note(format!("{frame} sees {:?}", scoped::current()));
                });
            });
        }
        run().unwrap();
        assert_eq!(trace.take(), "1 sees Some((2, true)) 2 sees None");
        // The first put nothing back, the second put the first back.
        assert_eq!(scoped::current(), Some((1, false)));
    });
}

thread_local! {
    static FIRST: RefCell<Option<Tasklet>> = const { RefCell::new(None) };
    static KILLS: KillsAtTheEnd = const { KillsAtTheEnd };
    static BORROWED: Value = Value::new();
}

struct KillsAtTheEnd;

impl Drop for KillsAtTheEnd {
    fn drop(&mut self) {
        if let Ok(Some(tasklet)) = FIRST.try_with(RefCell::take) {
            let _ = tasklet.kill();
        }
    }
}

#[test]
fn a_tasklet_resumed_by_a_thread_local_destructor_borrows_what_is_destroyed() {
    let (sender, receiver) = mpsc::channel();
    on_bare_thread(move || {
        FIRST.with(|_| ());
        schedule();
        let tasklet = Tasklet::new(move || {
            BORROWED.with(|value| {
                struct Looks(Rc<Cell<bool>>, mpsc::Sender<bool>);
                impl Drop for Looks {
                    fn drop(&mut self) {
                        let _ = self.1.send(self.0.get());
                    }
                }
                let _looks = Looks(value.alive.clone(), sender);
                schedule_remove();
            });
        });
        // Destroyed in reverse: the borrowed value, then who kills, then the
        // scheduler.
        let _ = greenling::current();
        KILLS.with(|_| ());
        tasklet.run().unwrap();
        FIRST.set(Some(tasklet));
    });
    let alive = receiver.recv().expect("the tasklet was unwound");
    assert!(!alive, "inside `with`, the value was destroyed");
}

#[test]
fn enter_ends_tasklets_while_what_they_borrow_is_there() {
    let (sender, receiver) = mpsc::channel();
    on_bare_thread(move || {
        greenling::enter(|| {
            greenling::spawn(move || {
                BORROWED.with(|value| {
                    struct Looks<'a>(&'a Value, mpsc::Sender<bool>);
                    impl Drop for Looks<'_> {
                        fn drop(&mut self) {
                            let _ = self.1.send(self.0.alive.get());
                        }
                    }
                    let _looks = Looks(value, sender);
                    schedule();
                });
            });
            schedule();
        });
    });
    assert!(receiver.recv().expect("the tasklet was unwound"));
}

#[test]
fn a_once_whose_initialiser_parks_is_still_running_for_all_others() {
    isolated(|| {
        let once = Rc::new(Once::new());
        let theirs = once.clone();
        let first = greenling::spawn(move || theirs.call_once(schedule));
        schedule();
        // `call_once` here would block the thread, and with it the only
        // tasklet that could end the wait.
        assert!(!once.is_completed());
        first.join().unwrap();
        assert!(once.is_completed());
    });
}

#[test]
fn a_cell_whose_initialiser_parks_panics_for_the_second() {
    isolated(|| {
        let cell = Rc::new(OnceCell::new());
        let theirs = cell.clone();
        let first = greenling::spawn(move || {
            *theirs.get_or_init(|| {
                schedule();
                1
            })
        });
        schedule();
        assert_eq!(*cell.get_or_init(|| 2), 2);
        // The first finds it full when it comes back.
        assert!(first.join().unwrap_err().is_panic());

        let lazy = Rc::new(LazyCell::new(|| {
            schedule();
            1
        }));
        let theirs = lazy.clone();
        let first = greenling::spawn(move || **theirs);
        schedule();
        let second = catch_unwind(AssertUnwindSafe(|| **lazy));
        assert!(second.is_err());
        assert!(!first.is_finished());
        drop(first);
    });
}

#[test]
fn a_lock_of_std_that_is_held_while_parked_is_held_against_the_own_thread() {
    isolated(|| {
        let mutex = Rc::new(Mutex::new(0));
        let theirs = mutex.clone();
        let holder = greenling::spawn(move || {
            let _guard = theirs.lock().unwrap();
            schedule();
        });
        schedule();
        // `lock` here would block the thread for ever.
        assert!(matches!(mutex.try_lock(), Err(TryLockError::WouldBlock)));
        holder.join().unwrap();
        assert!(mutex.try_lock().is_ok());
    });
}

#[test]
fn a_ref_cell_that_is_borrowed_while_parked_refuses_the_second_borrow() {
    isolated(|| {
        let cell = Rc::new(RefCell::new(0));
        let theirs = cell.clone();
        let holder = greenling::spawn(move || {
            let _borrow = theirs.borrow_mut();
            schedule();
        });
        schedule();
        assert!(cell.try_borrow().is_err());
        holder.join().unwrap();
        assert!(cell.try_borrow().is_ok());
    });
}

#[cfg(target_os = "linux")]
#[test]
#[cfg_attr(greenling_asan, ignore = "locals lie on the sanitizer's fake stack")]
fn a_tasklet_runs_outside_of_what_the_system_calls_the_threads_stack() {
    /// The mapping that an address lies in.
    fn mapping(address: usize) -> String {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let line = maps.lines().find(|line| {
            let range = line.split(' ').next().unwrap();
            let (low, high) = range.split_once('-').unwrap();
            let [low, high] = [low, high].map(|n| usize::from_str_radix(n, 16).unwrap());
            (low..high).contains(&address)
        });
        line.unwrap().to_owned()
    }
    fn here() -> usize {
        let local = std::hint::black_box(0_u8);
        std::ptr::from_ref(&local) as usize
    }
    isolated(|| {
        let native = mapping(here());
        let tasklets = greenling::spawn(|| mapping(here())).join().unwrap();
        // Code that asks how much of the thread's stack is left, as stacker
        // does, compares addresses of two unrelated mappings.
        assert_ne!(native, tasklets);
        let system = greenling::spawn(|| mapping(greenling::on_system_stack(here)));
        assert_eq!(system.join().unwrap(), native);
    });
}
