//! Scopes: what they wait for, and what ends that wait.

use greenling::{Channel, JoinError, schedule, scope, spawn, time};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use tests::isolated;

/// Notes that it was dropped.
struct Note<'a>(&'a RefCell<Vec<&'static str>>, &'static str);

impl Drop for Note<'_> {
    fn drop(&mut self) {
        self.0.borrow_mut().push(self.1);
    }
}

#[test]
fn waits_for_all_and_gives_results_that_borrow() {
    isolated(|| {
        let words = [String::from("one"), String::from("two")];
        let lengths = Cell::new(0);
        let longest = scope(|s| {
            let first = s.spawn(|| {
                lengths.set(lengths.get() + words[0].len());
                words[0].as_str()
            });
            s.spawn(|| {
                time::sleep(Duration::from_millis(1));
                lengths.set(lengths.get() + words[1].len());
            });
            first.join().unwrap()
        });
        assert_eq!((longest, lengths.get()), ("one", 6));
    });
}

#[test]
fn the_first_panic_that_nobody_has_joined_resumes_after_all_have_ended() {
    isolated(|| {
        let ended = Cell::new(0);
        let result = catch_unwind(AssertUnwindSafe(|| {
            scope(|s| {
                let joined = s.spawn(|| panic!("joined"));
                s.spawn(|| panic!("first"));
                s.spawn(|| panic!("second"));
                s.spawn(|| {
                    time::sleep(Duration::from_millis(2));
                    ended.set(1);
                });
                assert!(joined.join().unwrap_err().is_panic());
            });
        }));
        assert_eq!(result.unwrap_err().downcast_ref(), Some(&"first"));
        assert_eq!(ended.get(), 1);
    });
}

#[test]
fn a_kill_of_the_parent_goes_on_when_its_children_have_ended_by_it() {
    isolated(|| {
        let victim = spawn(|| {
            let log = RefCell::new(Vec::new());
            let never = Channel::<()>::new();
            let result = catch_unwind(AssertUnwindSafe(|| {
                scope(|s| {
                    for name in ["a", "b"] {
                        let (log, never) = (&log, &never);
                        s.spawn(move || {
                            let _note = Note(log, name);
                            let _ = never.receive();
                        });
                    }
                })
            }));
            (result.is_err(), log.into_inner())
        });
        schedule();
        schedule();
        victim.tasklet().kill().unwrap();
        assert_eq!(victim.join().unwrap(), (true, vec!["a", "b"]));
    });
}

#[test]
fn a_deadline_kills_the_children_and_the_value_is_kept() {
    isolated(|| {
        let never = Channel::<()>::new();
        let elapsed = time::timeout(Duration::from_millis(1), || {
            scope(|s| {
                let child = s.spawn(|| never.receive().is_ok());
                drop(child);
                7
            })
        });
        assert_eq!(elapsed.unwrap_err().into_inner(), 7);
    });
}

#[test]
fn a_scope_in_a_destructor_that_unwinds_starts_nothing() {
    struct Late<'a>(&'a RefCell<Vec<&'static str>>);
    impl Drop for Late<'_> {
        fn drop(&mut self) {
            let log = self.0;
            scope(|s| {
                let note = Note(log, "dropped");
                let child = s.spawn(move || log.borrow_mut().push(note.1));
                let refused = child.join().unwrap_err();
                assert!(matches!(refused, JoinError::Wait(_)));
            });
            log.borrow_mut().push("over");
        }
    }
    isolated(|| {
        let log = RefCell::new(Vec::new());
        let result = catch_unwind(AssertUnwindSafe(|| {
            let _late = Late(&log);
            panic!("now");
        }));
        assert!(result.is_err());
        assert_eq!(log.into_inner(), ["dropped", "over"]);
    });
}

#[test]
fn a_forgotten_switch_trap_does_not_let_the_scope_return_early() {
    isolated(|| {
        let ran = Cell::new(false);
        scope(|s| {
            s.spawn(|| ran.set(true));
            std::mem::forget(greenling::switch_trap());
        });
        assert!(ran.get());
    });
}
