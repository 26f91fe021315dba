//! Scopes wherever code runs, and whatever happens to those inside.

use greenling::{
    Channel, JoinError, ParkAction, RunOptions, Tasklet, TaskletExit, Uncaught, defer_kill, enter,
    on_system_stack, run_with, schedule, scope, set_error_handler, set_park_hook,
    set_schedule_callback, spawn, switch_trap, time,
};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::time::Duration;
use tests::{child, isolated, on_bare_thread};

type Log = RefCell<Vec<&'static str>>;

/// Notes that it was dropped.
struct Note<'a>(&'a Log, &'static str);

impl Drop for Note<'_> {
    fn drop(&mut self) {
        self.0.borrow_mut().push(self.1);
    }
}

/// A scope that says whether it could start anything.
fn starts() -> bool {
    let ran = Cell::new(false);
    scope(|s| {
        let refused = matches!(s.spawn(|| ran.set(true)).join(), Err(JoinError::Wait(_)));
        assert_eq!(refused, !ran.get());
    });
    ran.get()
}

#[test]
fn starts_nothing_where_nothing_may_switch() {
    isolated(|| {
        assert!(starts());
        assert!(!on_system_stack(starts));
        let trap = switch_trap();
        assert!(!starts());
        drop(trap);
        let told = Rc::new(Cell::new(None));
        let telling = told.clone();
        set_error_handler(Some(Rc::new(move |_, _| telling.set(Some(starts())))));
        drop(spawn(|| resume_unwind(Box::new("told to the handler"))));
        schedule();
        set_error_handler(None);
        assert_eq!(told.take(), Some(false));
        let telling = told.clone();
        set_schedule_callback(Some(Rc::new(move |_, _| telling.set(Some(starts())))));
        spawn(|| ()).join().unwrap();
        set_schedule_callback(None);
        assert_eq!(told.take(), Some(false));
        assert!(starts());
    });
}

#[test]
fn a_destructor_that_does_not_unwind_may_have_one() {
    struct Late<'a>(&'a Cell<bool>);
    impl Drop for Late<'_> {
        fn drop(&mut self) {
            self.0.set(starts());
        }
    }
    isolated(|| {
        let started = Cell::new(false);
        drop(Late(&started));
        assert!(started.replace(false));
        scope(|s| {
            let late = Late(&started);
            s.spawn(move || drop(late));
        });
        assert!(started.get());
    });
}

#[test]
fn kills_of_a_parent_that_holds_them_back_wait_for_all_its_work() {
    isolated(|| {
        let worked = Rc::new(Cell::new(0));
        let counting = worked.clone();
        let parent = spawn(move || {
            let held = defer_kill();
            scope(|s| {
                for _ in 0..3 {
                    s.spawn(|| {
                        schedule();
                        counting.set(counting.get() + 1);
                    });
                }
            });
            drop(held);
            schedule();
            counting.set(100);
        });
        schedule();
        parent.tasklet().kill().unwrap();
        assert!(parent.join().unwrap_err().is_killed());
        assert_eq!(worked.get(), 3);
    });
}

#[test]
fn a_kill_that_comes_while_killed_tasklets_end_is_held_back() {
    isolated(|| {
        let (gate, returned) = (Channel::<()>::new(), Rc::new(Cell::new(None)));
        let (waiting, noting) = (gate.clone(), returned.clone());
        let parent = spawn(move || {
            let elapsed = time::timeout(Duration::from_millis(1), || {
                scope(|s| {
                    s.spawn(|| {
                        let _ = catch_unwind(|| time::sleep(Duration::from_secs(3600)));
                        let _ = waiting.receive();
                    });
                    "value"
                })
            });
            noting.set(Some(elapsed.unwrap_err().into_inner()));
            schedule();
            noting.set(Some("went on"));
        });
        while gate.balance() == 0 {
            time::sleep(Duration::from_millis(1));
        }
        parent.tasklet().kill_pending().unwrap();
        gate.send(()).unwrap();
        assert!(parent.join().unwrap_err().is_killed());
        assert_eq!(returned.take(), Some("value"));
    });
}

#[test]
fn the_innermost_ends_first() {
    isolated(|| {
        let parent = spawn(|| {
            let log = Log::default();
            let never = Channel::<()>::new();
            let result = catch_unwind(AssertUnwindSafe(|| {
                scope(|outer| {
                    outer.spawn(|| {
                        let _note = Note(&log, "middle");
                        scope(|inner| {
                            inner.spawn(|| {
                                let _note = Note(&log, "inner");
                                let _ = never.receive();
                            });
                        });
                    });
                })
            }));
            let _outer = Note(&log, "outer");
            assert!(result.unwrap_err().is::<TaskletExit>());
            drop(_outer);
            log.into_inner()
        });
        (0..3).for_each(|_| schedule());
        parent.tasklet().kill().unwrap();
        assert_eq!(parent.join().unwrap(), ["inner", "middle", "outer"]);
    });
}

#[test]
fn tasklets_start_others_and_join_their_siblings() {
    isolated(|| {
        let sums = RefCell::new(Vec::new());
        scope(|s| {
            let first = s.spawn(|| {
                schedule();
                s.spawn(|| sums.borrow_mut().push(1));
                2
            });
            let sums = &sums;
            s.spawn(move || {
                let from_sibling = first.join().unwrap();
                sums.borrow_mut().push(from_sibling);
                s.spawn(move || s.spawn(move || sums.borrow_mut().push(3)));
            });
        });
        assert_eq!(sums.into_inner(), [1, 2, 3]);
    });
}

#[test]
fn results_that_nobody_takes_are_dropped_before_the_scope_ends() {
    isolated(|| {
        let log = Log::default();
        scope(|s| {
            drop(s.spawn(|| Note(&log, "dropped handle")));
            let forgotten = s.spawn(|| Note(&log, "forgotten, and so leaked"));
            if !cfg!(greenling_asan) {
                std::mem::forget(forgotten);
            }
            let kept = s.spawn(|| Note(&log, "kept handle"));
            let taken = s.spawn(|| Note(&log, "joined"));
            drop(taken.join().unwrap());
            kept.wait().unwrap();
            assert!(kept.is_finished());
            log.borrow_mut().push("end");
        });
        let mut seen = log.into_inner();
        seen.retain(|name| !name.starts_with("forgotten"));
        assert_eq!(seen, ["dropped handle", "joined", "end", "kept handle"]);
    });
}

#[test]
fn an_error_of_another_tasklet_reaches_main_after_its_tasklets_have_ended() {
    isolated(|| {
        let log = Log::default();
        let never = Channel::<()>::new();
        let result = catch_unwind(AssertUnwindSafe(|| {
            scope(|s| {
                s.spawn(|| {
                    let _note = Note(&log, "killed");
                    let _ = never.receive();
                });
                Tasklet::new(|| Err::<(), _>("no luck")).setup().unwrap();
            })
        }));
        log.borrow_mut().push("told");
        let error = result.unwrap_err().downcast::<greenling::Thrown>().unwrap();
        assert_eq!(error.to_string(), "no luck");
        assert_eq!(log.into_inner(), ["killed", "told"]);
    });
}

#[test]
fn an_error_thrown_at_the_parent_goes_on_when_its_tasklets_have_ended() {
    isolated(|| {
        let ended = Rc::new(Cell::new(false));
        let noting = ended.clone();
        let parent = spawn(move || {
            scope(|s| {
                s.spawn(|| {
                    let result = catch_unwind(|| time::sleep(Duration::from_secs(3600)));
                    noting.set(true);
                    resume_unwind(result.unwrap_err());
                });
            });
        });
        schedule();
        schedule();
        parent.tasklet().throw("reason").unwrap();
        let JoinError::Thrown(error) = parent.join().unwrap_err() else {
            panic!("no error");
        };
        assert_eq!(error.to_string(), "reason");
        assert!(ended.get());
    });
}

#[test]
fn a_tasklet_that_catches_its_kill_is_waited_for() {
    isolated(|| {
        let (rounds, parks) = (Cell::new(0), Rc::new(Cell::new(0)));
        let counting = parks.clone();
        set_park_hook(Some(Rc::new(move |tasklet, _| {
            counting.set(counting.get() + u32::from(tasklet.is_main()));
            ParkAction::Continue
        })));
        let elapsed = time::timeout(Duration::from_millis(1), || {
            scope(|s| {
                s.spawn(|| {
                    while rounds.get() < 3 {
                        let _ = catch_unwind(|| time::sleep(Duration::from_millis(1)));
                        rounds.set(rounds.get() + 1);
                    }
                });
            });
        });
        set_park_hook(None);
        assert!(elapsed.is_err());
        assert_eq!(rounds.get(), 3);
        assert_eq!(
            parks.get(),
            2,
            "the deadline that has passed ends waits again"
        );
    });
}

#[test]
fn the_scope_of_one_that_runs_under_a_budget_goes_on_in_the_next_run() {
    isolated(|| {
        let sum = Rc::new(Cell::new(0));
        let adding = sum.clone();
        let parent = Tasklet::new(move || {
            scope(|s| {
                for n in 1..=4 {
                    let adding = &adding;
                    s.spawn(move || {
                        (0..5).for_each(|_| schedule());
                        adding.set(adding.get() + n);
                    });
                }
            });
            adding.set(-adding.get());
        });
        parent.insert().unwrap();
        let mut runs = 0;
        while parent.is_alive() {
            run_with(&RunOptions::new().max_switches(3)).unwrap();
            runs += 1;
        }
        assert!(runs > 3, "{runs}");
        assert_eq!(sum.get(), -10);
    });
}

#[test]
fn panics_of_several_and_of_the_closure() {
    isolated(|| {
        let handled = Rc::new(Cell::new(0));
        let counting = handled.clone();
        set_error_handler(Some(Rc::new(move |_, error| {
            assert!(matches!(error, Uncaught::Panic(_)));
            counting.set(counting.get() + 1);
        })));
        let result = catch_unwind(AssertUnwindSafe(|| {
            scope(|s| {
                s.spawn(|| resume_unwind(Box::new("a tasklet's")));
                schedule();
                resume_unwind(Box::new("the closure's"));
            })
        }));
        assert_eq!(result.unwrap_err().downcast_ref(), Some(&"the closure's"));
        // They are the scope's business, not the handler's.
        assert_eq!(handled.get(), 0);
        set_error_handler(None);
    });
}

#[test]
#[cfg_attr(greenling_asan, ignore = "leaks on purpose")]
fn a_thread_that_ends_leaves_the_frames_of_a_scope_alone() {
    on_bare_thread(|| {
        drop(spawn(|| {
            let log = Log::default();
            let never = Channel::<()>::new();
            scope(|s| {
                s.spawn(|| {
                    let _note = Note(&log, "started");
                    let _ = never.receive();
                });
                let late = Note(&log, "never started");
                schedule();
                s.spawn(move || drop(late));
            });
            unreachable!("nothing ends the wait");
        }));
        schedule();
        schedule();
    });
}

#[test]
#[cfg_attr(greenling_asan, ignore = "leaks on purpose")]
fn the_process_may_exit_inside() {
    if child::is("exits") {
        enter(|| {
            let text = String::from("borrowed");
            scope(|s| {
                s.spawn(|| time::sleep(Duration::from_secs(text.len() as u64)));
                s.spawn(|| scope(|s| drop(s.spawn(|| std::process::exit(text.len() as i32)))));
            });
        });
    }
    if child::is("exits in main") {
        let text = String::from("borrowed");
        scope(|s| {
            s.spawn(|| time::sleep(Duration::from_secs(text.len() as u64)));
            schedule();
            s.spawn(|| assert_eq!(text.len(), 8));
            std::process::exit(9);
        });
    }
    let name = "places::the_process_may_exit_inside";
    for (part, code) in [("exits", 8), ("exits in main", 9)] {
        let finished = child::run(name, part, &[]);
        assert_eq!(
            finished.status.code(),
            Some(code),
            "{part}: {}",
            finished.text()
        );
    }
}

#[test]
#[cfg_attr(greenling_asan, ignore = "leaks on purpose")]
fn the_process_is_aborted_before_a_frame_in_use_is_left() {
    if child::is("refuses to end") {
        scope(|s| {
            let never = Channel::<()>::new();
            s.spawn(move || {
                let _held = defer_kill();
                let _ = never.receive();
            });
            schedule();
            resume_unwind(Box::new("it is to end"));
        });
    }
    let name = "places::the_process_is_aborted_before_a_frame_in_use_is_left";
    let finished = child::run(name, "refuses to end", &[]);
    assert_eq!(finished.status.code(), None, "{}", finished.text());
    assert!(
        finished.text().contains("refuse to end"),
        "{}",
        finished.text()
    );
}
