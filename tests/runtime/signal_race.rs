//! Signals whose targets come and go while they are on their way.

use greenling::{Channel, Tasklet, run, run_count, schedule, schedule_remove, spawn};
use std::cell::RefCell;
use tests::isolated;

thread_local! {
    /// What the destructor of an error does: it must be `Send`, and so can't
    /// hold it.
    static ON_DROP: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

/// An error that lets others run when it is dropped.
#[derive(Debug)]
struct Interrupts;

impl std::fmt::Display for Interrupts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupts")
    }
}

impl std::error::Error for Interrupts {}

impl Drop for Interrupts {
    fn drop(&mut self) {
        if let Some(act) = ON_DROP.take() {
            act();
        }
    }
}

/// What the target does after the first signal, caught.
type Afterwards = fn(&Channel<()>);

#[test]
fn a_target_that_ran_while_its_last_signal_was_dropped_is_not_resumed_for_it() {
    isolated(|| {
        let afterwards: [Afterwards; 4] = [
            |_| (),
            |channel| drop(channel.receive()),
            |_| schedule_remove(),
            |_| schedule(),
        ];
        for throws in [false, true] {
            for after in afterwards {
                let channel = Channel::new();
                let waiting = channel.clone();
                let target = Tasklet::new(move || {
                    let caught = std::panic::catch_unwind(schedule_remove);
                    after(&waiting);
                    drop(caught);
                });
                target.run().unwrap();
                target.throw_pending(Interrupts).unwrap();
                ON_DROP.set(Some(Box::new(schedule)));
                if throws {
                    target.throw("second").unwrap();
                } else {
                    target.kill().unwrap();
                }
                let mut at = greenling::current();
                for _ in 0..run_count() {
                    at = at.next().unwrap();
                }
                assert!(at.is_current());
                run().unwrap();
                target.kill().unwrap();
                assert!(!target.is_alive());
                assert_eq!((channel.balance(), run_count()), (0, 1));
            }
        }
    });
}

#[test]
fn a_target_that_is_bound_anew_while_its_last_signal_is_dropped_is_whole() {
    isolated(|| {
        for inserts in [false, true] {
            let tasklet = Tasklet::new(|| ());
            tasklet.throw_pending(Interrupts).unwrap();
            let same = tasklet.clone();
            ON_DROP.set(Some(Box::new(move || {
                same.remove().unwrap();
                same.bind(schedule_remove).unwrap();
                if inserts {
                    same.insert().unwrap();
                }
            })));
            tasklet.kill().unwrap();
            run().unwrap();
            tasklet.kill().unwrap();
            assert!(!tasklet.is_alive());
            drop(tasklet);
            let others: Vec<_> = (0..10).map(|n| spawn(move || n)).collect();
            let sum: i32 = others.into_iter().map(|it| it.join().unwrap()).sum();
            assert_eq!((sum, run_count()), (45, 1));
            assert_eq!(greenling::inspect::tasklets().len(), 1);
        }
    });
}
