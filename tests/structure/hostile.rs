//! Scopes under attack: none returns before its tasklets have ended.

use greenling::{Builder, Channel, Tasklet, schedule, scope, spawn, switch_trap};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use tests::{isolated, on_bare_thread};

/// Lives in the frame that the tasklets of a scope borrow from.
#[derive(Default)]
struct Frame {
    running: Cell<u32>,
}

/// Is inside a tasklet of the scope.
struct Inside<'a>(&'a Frame);

impl<'a> Inside<'a> {
    fn of(frame: &'a Frame) -> Inside<'a> {
        frame.running.set(frame.running.get() + 1);
        Inside(frame)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.running.set(self.0.running.get() - 1);
    }
}

/// Panics whenever it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        // One that unwinds already would end the process.
        if !std::thread::panicking() {
            resume_unwind(Box::new(()));
        }
    }
}

/// Refuses to end when it is killed, until somebody sends to `enough`.
fn stubborn(enough: &Channel<()>) {
    while catch_unwind(AssertUnwindSafe(|| enough.receive())).is_err() {}
}

#[test]
fn failures_of_others_that_reach_a_dying_parent_do_not_free_it_early() {
    isolated(|| {
        let enough = Channel::new();
        let frame = Frame::default();
        let result = catch_unwind(AssertUnwindSafe(|| {
            scope(|s| {
                s.spawn(|| {
                    let _inside = Inside::of(&frame);
                    stubborn(&enough);
                });
                schedule();
                for _ in 0..3 {
                    // Their errors are raised in main, whatever it holds back.
                    let failing = Tasklet::new(|| -> () { resume_unwind(Box::new(Bomb)) });
                    failing.setup().unwrap();
                }
                let sender = enough.clone();
                spawn(move || {
                    (0..10).for_each(|_| schedule());
                    sender.send(()).unwrap();
                });
                panic!("kills the tasklets");
            })
        }));
        assert_eq!(
            frame.running.get(),
            0,
            "the tasklet uses a frame that is left"
        );
        drop(result);
    });
}

#[test]
fn a_tasklet_that_kills_all_of_its_scope_dies_with_the_others() {
    isolated(|| {
        let never = Channel::<()>::new();
        let ended = scope(|s| {
            let first = s.spawn(|| never.receive());
            let second = s.spawn(|| s.kill_all());
            let third = s.spawn(|| never.receive());
            [first.join().err(), second.join().err(), third.join().err()]
        });
        for error in ended {
            assert!(error.unwrap().is_killed());
        }
        assert_eq!(never.balance(), 0);
    });
}

#[test]
fn what_runs_contained_does_not_set_a_lifted_trap_again() {
    isolated(|| {
        let rounds = Cell::new(0);
        scope(|s| {
            s.spawn(|| {
                // Its error is told in a place where switching is trapped.
                drop(spawn(|| panic!("on purpose")));
                while rounds.get() < 3 {
                    let before = greenling::current();
                    schedule();
                    assert!(before.is_current());
                    rounds.set(rounds.get() + 1);
                }
                let channel = Channel::new();
                let sender = channel.clone();
                spawn(move || sender.send(5).unwrap());
                assert_eq!(channel.receive().unwrap(), 5, "trapped again");
            });
            std::mem::forget(switch_trap());
        });
        assert_eq!(rounds.get(), 3);
    });
}

#[test]
fn a_trap_that_is_set_and_released_while_others_are_lifted_changes_nothing_after() {
    isolated(|| {
        let trap = switch_trap();
        drop(trap);
        scope(|s| {
            let outer = switch_trap();
            s.spawn(move || {
                let inner = switch_trap();
                drop(outer);
                drop(inner);
                schedule();
            });
        });
        let channel = Channel::new();
        let sender = channel.clone();
        spawn(move || sender.send(5).unwrap());
        assert_eq!(channel.receive().unwrap(), 5, "still trapped");
    });
}

#[test]
fn enter_ends_a_scope_in_progress() {
    on_bare_thread(|| {
        let ended = Rc::new(RefCell::new(Vec::new()));
        greenling::enter(|| {
            for name in ["a", "b"] {
                let ended = ended.clone();
                spawn(move || {
                    let never = Channel::<()>::new();
                    let frame = Frame::default();
                    let result = catch_unwind(AssertUnwindSafe(|| {
                        scope(|s| {
                            for _ in 0..3 {
                                s.spawn(|| {
                                    let _inside = Inside::of(&frame);
                                    let _ = never.receive();
                                });
                            }
                        })
                    }));
                    assert_eq!(frame.running.get(), 0);
                    ended.borrow_mut().push(name);
                    resume_unwind(result.unwrap_err());
                });
            }
            schedule();
            schedule();
        });
        assert_eq!(*ended.borrow(), ["a", "b"]);
        assert_eq!(greenling::inspect::tasklets().len(), 1);
    });
}

#[test]
fn panics_of_all_that_a_tasklet_leaves_behind() {
    isolated(|| {
        let frame = Frame::default();
        let result = catch_unwind(AssertUnwindSafe(|| {
            scope(|s| {
                // Its captured value, its own value, its payload.
                let captured = (Bomb, Inside::of(&frame));
                s.spawn(move || drop(captured));
                let captured = (Inside::of(&frame), Bomb);
                s.spawn(move || captured);
                s.spawn(|| resume_unwind(Box::new(Bomb)));
                let never_started = (Bomb, Inside::of(&frame));
                let handle = s.spawn(move || drop(never_started));
                handle.tasklet().unwrap().kill_pending().unwrap();
            });
        }));
        assert!(result.is_err());
        assert_eq!(frame.running.get(), 0);
        drop(result);
    });
}

/// Waits when it is dropped, and looks at the frame afterwards.
struct Slow<'a>(Inside<'a>);

impl Drop for Slow<'_> {
    fn drop(&mut self) {
        (0..3).for_each(|_| schedule());
        assert!(self.0.0.running.get() > 0);
    }
}

#[test]
fn destructors_of_what_a_tasklet_leaves_may_wait() {
    isolated(|| {
        let frame = Frame::default();
        let check = || assert_eq!(frame.running.get(), 0, "it uses a frame that is left");
        scope(|s| drop(s.spawn(|| Slow(Inside::of(&frame)))));
        check();
        scope(|s| {
            let captured = Slow(Inside::of(&frame));
            s.spawn(move || drop(captured));
        });
        check();
        scope(|s| {
            let never_started = Slow(Inside::of(&frame));
            let handle = s.spawn(move || drop(never_started));
            handle.tasklet().unwrap().kill_pending().unwrap();
        });
        check();
    });
}

#[test]
fn a_tasklet_that_never_got_a_stack_is_not_waited_for() {
    isolated(|| {
        let frame = Frame::default();
        scope(|s| {
            let inside = Inside::of(&frame);
            let huge = Builder::new().stack_size(usize::MAX / 4);
            huge.spawn_scoped(s, move || drop(inside)).unwrap_err();
            assert_eq!((s.running(), frame.running.get()), (0, 0));
        });
    });
}
