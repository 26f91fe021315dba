//! `Condition`: notifications reach one, some or all, and are not lost.

use super::{is_thrown, is_timed_out, settle};
use greenling::sync::Condition;
use greenling::time::timeout;
use greenling::{JoinHandle, WaitError, schedule, spawn, switch_trap};
use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tests::{Trace, isolated};

fn waiter(condition: &Rc<Condition>, trace: &Trace, name: &'static str) -> JoinHandle<()> {
    let (condition, trace) = (condition.clone(), trace.clone());
    spawn(move || {
        condition.wait().unwrap();
        trace.note(name);
    })
}

/// Five waiters that have begun to wait.
fn five() -> (Rc<Condition>, Trace, [JoinHandle<()>; 5]) {
    let (condition, trace) = (Rc::new(Condition::new()), Trace::new());
    let tasks = ["a", "b", "c", "d", "e"].map(|name| waiter(&condition, &trace, name));
    schedule();
    (condition, trace, tasks)
}

#[test]
fn notifying_wakes_the_oldest_in_order_and_never_switches() {
    isolated(|| {
        let (condition, trace, tasks) = five();
        assert_eq!(
            condition.waiters(),
            tasks.each_ref().map(|task| task.tasklet())
        );
        assert!(condition.notify_one());
        assert_eq!(condition.notify(2), 2);
        assert_eq!(trace.take(), "");
        settle();
        assert_eq!(trace.take(), "a b c");
        assert_eq!(condition.notify(9), 2);
        settle();
        assert_eq!(trace.take(), "d e");
        assert!(!condition.notify_one());
        assert_eq!((condition.notify(1), condition.notify_all()), (0, 0));
    });
}

#[test]
fn all_are_those_who_wait_now() {
    isolated(|| {
        let (condition, trace) = (Rc::new(Condition::new()), Trace::new());
        for name in ["a", "b"] {
            let (condition, trace) = (condition.clone(), trace.clone());
            spawn(move || {
                for _ in 0..2 {
                    condition.wait().unwrap();
                    trace.note(name);
                }
            });
        }
        schedule();
        assert_eq!(condition.notify_all(), 2);
        settle();
        assert_eq!(trace.take(), "a b", "each once, though they wait again");
        assert_eq!(condition.notify_all(), 2);
        settle();
        assert_eq!(trace.take(), "a b");
    });
}

#[test]
fn a_notification_that_finds_nobody_is_not_remembered() {
    isolated(|| {
        let condition = Condition::new();
        condition.notify_one();
        condition.notify_all();
        assert!(matches!(condition.wait(), Err(WaitError::Deadlock)));
    });
}

#[test]
fn a_notified_waiter_that_ends_before_it_runs_passes_it_on() {
    isolated(|| {
        let (condition, trace, tasks) = five();
        condition.notify(2);
        tasks[0].tasklet().kill_pending().unwrap();
        settle();
        assert_eq!(trace.take(), "b c");
        condition.notify_one();
        tasks[3].tasklet().throw_pending("no").unwrap();
        settle();
        assert_eq!(trace.take(), "e");
        assert!(condition.waiters().is_empty());
    });
}

#[test]
fn a_notification_of_all_is_not_passed_on() {
    isolated(|| {
        let (condition, trace, tasks) = five();
        assert_eq!(condition.notify_all(), 5);
        let late = waiter(&condition, &trace, "late");
        late.tasklet().run().unwrap();
        assert_eq!(condition.waiters(), [late.tasklet()]);
        tasks[1].tasklet().kill_pending().unwrap();
        settle();
        assert_eq!(trace.take(), "a c d e");
        assert_eq!(condition.waiters(), [late.tasklet()]);
    });
}

#[test]
fn waiters_that_leave_unnotified_take_nothing() {
    isolated(|| {
        let (condition, trace, tasks) = five();
        let inner = condition.clone();
        let thrown_at = spawn(move || inner.wait());
        schedule();
        tasks[0].tasklet().kill().unwrap();
        thrown_at.tasklet().throw("no").unwrap();
        assert!(is_thrown(&thrown_at.join().unwrap()));
        assert_eq!(condition.notify(4), 4);
        settle();
        assert_eq!(trace.take(), "b c d e");
    });
}

#[test]
fn waits_are_limited_by_their_deadline_or_by_a_scope() {
    isolated(|| {
        let (condition, moment) = (Condition::new(), Duration::from_millis(1));
        assert!(is_timed_out(&condition.wait_timeout(moment)));
        assert!(is_timed_out(&condition.wait_deadline(Instant::now())));
        let scope = timeout(moment, || condition.wait_while(|| true));
        assert!(is_timed_out(&scope.unwrap_err().into_inner()));
        assert!(condition.waiters().is_empty());
        let trap = switch_trap();
        assert!(matches!(condition.wait(), Err(WaitError::SwitchTrap)));
        drop(trap);
    });
}

#[test]
fn wait_while_asks_before_each_wait_and_takes_what_is_there() {
    isolated(|| {
        let stock = Rc::new((Cell::new(0), Condition::new()));
        let trace = Trace::new();
        for name in ["a", "b"] {
            let (stock, trace) = (stock.clone(), trace.clone());
            spawn(move || {
                stock.1.wait_while(|| stock.0.get() == 0).unwrap();
                stock.0.set(stock.0.get() - 1);
                trace.note(name);
            });
        }
        schedule();
        // Notified too often: one of them finds nothing and waits on.
        stock.0.set(1);
        stock.1.notify_all();
        settle();
        assert_eq!((trace.take().as_str(), stock.0.get()), ("a", 0));
        assert_eq!(stock.1.waiters().len(), 1);
        stock.0.set(2);
        stock.1.notify_one();
        settle();
        assert_eq!((trace.take().as_str(), stock.0.get()), ("b", 1));
        stock.1.wait_while(|| stock.0.get() == 0).unwrap();
    });
}
