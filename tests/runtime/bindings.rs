//! Tasklets that are bound, unbound and bound again, also by what is dropped
//! meanwhile.

use greenling::{Tasklet, TaskletError, run, schedule, schedule_remove, spawn};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use tests::{Trace, isolated};

/// Calls a function when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn a_function_whose_destructor_binds_its_tasklet_again_and_runs_it() {
    isolated(|| {
        let trace = Trace::new();
        let tasklet = Tasklet::unbound();
        let (same, noting) = (tasklet.clone(), trace.clone());
        let dropping = OnDrop(move || {
            let (noting, value) = (noting.clone(), noting.on_drop("unwound"));
            let again = move || {
                let _value = value;
                noting.note("started");
                schedule_remove();
                noting.note("resumed");
            };
            if same.bind(again).is_ok() {
                same.run().unwrap();
            }
        });
        tasklet.bind(move || drop(dropping)).unwrap();
        tasklet.unbind().unwrap();
        assert_eq!(trace.take(), "started");
        assert!(tasklet.is_paused());
        // It has frames on its stack.
        assert!(matches!(tasklet.unbind(), Err(TaskletError::Bound)));
        assert!(matches!(tasklet.bind(|| ()), Err(TaskletError::Bound)));
        tasklet.run().unwrap();
        assert_eq!(trace.take(), "resumed unwound");
        assert!(!tasklet.is_alive());
    });
}

#[test]
fn a_binding_that_a_destructor_gets_ahead_of_is_refused() {
    isolated(|| {
        for what in ["bound", "queued", "blocked", "ended"] {
            let trace = Trace::new();
            let tasklet = Tasklet::unbound();
            let (same, noting) = (tasklet.clone(), trace.clone());
            let never = greenling::Channel::<()>::new();
            let waiting = never.clone();
            let dropping = OnDrop(move || {
                let (noting, waiting) = (noting.clone(), waiting.clone());
                let value = noting.on_drop("dropped");
                let first = move || {
                    let _value = value;
                    noting.note("first");
                    if what == "blocked" {
                        waiting.receive().unwrap();
                    }
                };
                same.bind(first).unwrap();
                match what {
                    "bound" => {}
                    "queued" => same.insert().unwrap(),
                    _ => same.run().unwrap(),
                }
            });
            tasklet.bind(move || drop(dropping)).unwrap();
            let noting = trace.clone();
            let second = tasklet.bind(move || noting.note("second"));
            match what {
                "ended" => second.unwrap(),
                _ => assert!(matches!(second, Err(TaskletError::Bound)), "{what}"),
            }
            // The ring is whole: as many come by as are counted.
            let members = greenling::run_count();
            let mut at = greenling::current();
            for _ in 0..members {
                at = at.next().unwrap();
            }
            assert!(at.is_current(), "{what}");
            run().unwrap();
            tasklet.kill().unwrap();
            let notes = trace.take();
            assert_eq!(notes.matches("dropped").count(), 1, "{what}: {notes}");
            assert_eq!(never.balance(), 0);
            drop(tasklet);
            assert_eq!(greenling::run_count(), 1);
        }
    });
}

#[test]
fn what_reached_a_function_that_is_taken_away_does_not_reach_the_next() {
    isolated(|| {
        let trace = Trace::new();
        for thrown in [false, true] {
            let tasklet = Tasklet::new(|| ());
            if thrown {
                tasklet.throw_pending("for the first").unwrap();
            } else {
                tasklet.kill_pending().unwrap();
            }
            tasklet.remove().unwrap();
            tasklet.bind(trace.noting("ran")).unwrap();
            tasklet.insert().unwrap();
            run().unwrap();
            assert_eq!(trace.take(), "ran", "{thrown}");
        }
    });
}

#[test]
fn values_of_a_function_that_is_taken_away_may_bind_and_spawn_when_dropped() {
    isolated(|| {
        let trace = Trace::new();
        let tasklet = Tasklet::new(|| ());
        let (same, noting) = (tasklet.clone(), trace.clone());
        let value = OnDrop(move || {
            spawn(noting.noting("spawned"));
            let _ = same.bind(noting.noting("bound"));
            let _ = same.insert();
            schedule();
        });
        tasklet.set_tempval(value).unwrap();
        tasklet.unbind().unwrap();
        run().unwrap();
        assert_eq!(trace.take(), "spawned bound");
        assert!(!tasklet.is_alive());
    });
}

#[test]
fn a_tasklet_bound_again_from_its_own_clean_up_keeps_nothing_of_before() {
    isolated(|| {
        let runs = Rc::new(Cell::new(0));
        let kept: Rc<RefCell<Option<Tasklet>>> = Rc::default();
        let tasklet = Tasklet::unbound();
        *kept.borrow_mut() = Some(tasklet.clone());
        for _ in 0..1000 {
            let (counting, same) = (runs.clone(), kept.clone());
            let refused = OnDrop(move || {
                let same = same.borrow().clone().unwrap();
                // Still current, and then still on its stack.
                assert!(same.bind(|| ()).is_err() && same.unbind().is_err());
            });
            tasklet
                .bind(move || {
                    let _refused = refused;
                    counting.set(counting.get() + 1);
                    schedule();
                })
                .unwrap();
            tasklet.insert().unwrap();
            run().unwrap();
            assert!(!tasklet.is_alive());
        }
        assert_eq!(runs.get(), 1000);
        kept.take();
        drop(tasklet);
        assert_eq!(greenling::inspect::tasklets().len(), 1);
    });
}
