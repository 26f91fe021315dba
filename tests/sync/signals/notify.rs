//! Notifications: who is woken, in which order, and who is not.

use super::parked;
use greenling::sync::Notify;
use greenling::{Tasklet, WaitError, run, schedule, spawn};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;
use tests::{Trace, isolated};

/// A tasklet that waits `times` and notes each wake-up.
fn waiting(notify: &Rc<Notify>, trace: &Trace, name: &'static str, times: usize) -> Tasklet {
    let (notify, trace) = (notify.clone(), trace.clone());
    let waiter = parked(move || {
        for _ in 0..times {
            notify.wait().unwrap();
            trace.note(name);
        }
    });
    waiter.tasklet()
}

#[test]
fn the_oldest_waiter_is_woken_and_the_signaller_goes_on() {
    isolated(|| {
        let (notify, trace) = (Rc::new(Notify::new()), Trace::new());
        let tasks = ["A", "B", "C"].map(|name| waiting(&notify, &trace, name, 1));
        assert_eq!(notify.waiters(), tasks);
        assert!(notify.notify_one());
        trace.note("on");
        schedule();
        assert_eq!(trace.take(), "on A");
        assert_eq!(notify.notify(2), 2);
        trace.note("on");
        schedule();
        assert_eq!(trace.take(), "on B C");
        assert!(!notify.notify_one());
    });
}

#[test]
fn a_notification_that_finds_nobody_is_not_kept() {
    isolated(|| {
        let (notify, trace) = (Rc::new(Notify::new()), Trace::new());
        assert!(!notify.notify_one());
        assert_eq!(notify.notify_all(), 0);
        waiting(&notify, &trace, "A", 1);
        schedule();
        assert_eq!(trace.take(), "");
        assert_eq!(notify.notify_all(), 1);
        schedule();
        assert_eq!(trace.take(), "A");
    });
}

#[test]
fn waiters_that_come_back_are_not_woken_twice_by_one_notify_all() {
    isolated(|| {
        let (notify, trace) = (Rc::new(Notify::new()), Trace::new());
        for name in ["A", "B", "C"] {
            waiting(&notify, &trace, name, 3);
        }
        for _ in 0..3 {
            assert_eq!(notify.notify_all(), 3);
            // Runs until nobody can any more.
            run().unwrap();
            assert_eq!(trace.take(), "A B C");
        }
        assert_eq!(notify.notify_all(), 0);
    });
}

#[test]
fn a_notify_of_many_takes_the_oldest_and_not_more_than_there_are() {
    isolated(|| {
        let (notify, trace) = (Rc::new(Notify::new()), Trace::new());
        for name in ["A", "B", "C"] {
            waiting(&notify, &trace, name, 2);
        }
        assert_eq!(notify.notify(0), 0);
        assert_eq!(notify.notify(2), 2);
        run().unwrap();
        assert_eq!(trace.take(), "A B");
        assert_eq!(notify.notify(9), 3);
        run().unwrap();
        assert_eq!(trace.take(), "C A B");
    });
}

#[test]
fn a_notification_passed_on_reaches_only_those_who_waited_when_it_was_given() {
    isolated(|| {
        let (notify, trace) = (Rc::new(Notify::new()), Trace::new());
        let first = waiting(&notify, &trace, "A", 1);
        assert!(notify.notify_one());
        let late = Rc::new(Cell::new(false));
        let (comes_late, was_woken) = (notify.clone(), late.clone());
        let latecomer = spawn(move || {
            comes_late.wait().unwrap();
            was_woken.set(true);
        });
        // It comes to the head of the queue, waits, and then the first dies.
        latecomer.tasklet().run().unwrap();
        first.kill_pending().unwrap();
        run().unwrap();
        assert_eq!(trace.take(), "");
        assert_eq!(notify.waiters(), [latecomer.tasklet()]);
        assert!(!late.get());
        assert!(notify.notify_one());
        latecomer.join().unwrap();
        assert!(late.get());
    });
}

#[test]
fn a_waiter_of_a_notify_all_that_dies_wakes_nobody_else() {
    isolated(|| {
        let (notify, trace) = (Rc::new(Notify::new()), Trace::new());
        let first = waiting(&notify, &trace, "A", 2);
        waiting(&notify, &trace, "B", 2);
        assert_eq!(notify.notify_all(), 2);
        first.kill_pending().unwrap();
        run().unwrap();
        assert_eq!(trace.take(), "B");
        assert_eq!(notify.waiters().len(), 1);
    });
}

#[test]
fn a_condition_is_asked_again_after_each_notification() {
    isolated(|| {
        let (notify, count) = (Rc::new(Notify::new()), Rc::new(Cell::new(0)));
        let (waiting, looking) = (notify.clone(), count.clone());
        let asked = Rc::new(Cell::new(0));
        let counting = asked.clone();
        let waiter = parked(move || {
            waiting.wait_while(|| {
                counting.set(counting.get() + 1);
                looking.get() < 2
            })
        });
        for number in 1..=2 {
            assert!(!waiter.is_finished());
            count.set(number);
            notify.notify_all();
            schedule();
        }
        waiter.join().unwrap().unwrap();
        assert_eq!(asked.get(), 3);
        notify.wait_while(|| false).unwrap();
    });
}

#[test]
fn a_destructor_notifies_during_an_unwind_without_switching() {
    struct Notifies(Rc<Notify>, Trace);
    impl Drop for Notifies {
        fn drop(&mut self) {
            self.1.note(self.0.notify_all());
            self.1.note("still unwinding");
        }
    }
    isolated(|| {
        let (notify, trace) = (Rc::new(Notify::new()), Trace::new());
        waiting(&notify, &trace, "A", 1);
        let notifies = Notifies(notify.clone(), trace.clone());
        let victim = parked(move || {
            let notifies = notifies;
            let _ = notifies.0.wait_deadline(Instant::now() + HOUR);
        });
        // Of the two that wait, one is the victim, off the list by then.
        victim.tasklet().kill().unwrap();
        schedule();
        assert_eq!(trace.take(), "1 still unwinding A");
    });
}

const HOUR: std::time::Duration = std::time::Duration::from_secs(3600);

#[test]
fn ten_thousand_are_woken_in_order() {
    isolated(|| {
        let notify = Rc::new(Notify::new());
        let order = Rc::new(Cell::new(0));
        let waiters: Vec<_> = (0..10_000)
            .map(|number| {
                let (notify, order) = (notify.clone(), order.clone());
                spawn(move || -> Result<(), WaitError> {
                    notify.wait()?;
                    assert_eq!(order.replace(number + 1), number);
                    Ok(())
                })
            })
            .collect();
        schedule();
        assert_eq!(notify.notify(4000), 4000);
        assert_eq!(notify.notify_all(), 6000);
        for waiter in waiters {
            waiter.join().unwrap().unwrap();
        }
    });
}
