//! Futures: set once, told in order, cancelled; waits for several.

use greenling::port::{
    Executor, Future, FutureError, Queued, Until, as_completed, wait_all, wait_any, wait_for,
};
use greenling::time::timeout;
use greenling::{Channel, WaitError, run, schedule, spawn};
use std::time::Duration;
use tests::{Trace, isolated, logs};

const SHORT: Duration = Duration::from_millis(1);

#[test]
fn a_result_is_set_once_and_the_value_taken_once() {
    isolated(|| {
        let future = Future::new();
        assert!(!future.is_done());
        future.set_value("value").unwrap();
        assert_eq!(future.set_value("another"), Err("another"));
        assert_eq!(future.set_error("late").unwrap_err().to_string(), "late");
        assert!(!future.cancel());
        assert_eq!(future.get().unwrap(), "value");
        assert_eq!(future.join().unwrap(), "value");
        assert!(matches!(future.join(), Err(FutureError::Taken)));
        assert!(future.is_done() && !future.has_failed());
    });
}

#[test]
fn an_error_is_for_all_who_ask() {
    isolated(|| {
        let future: Future<()> = Future::new();
        future.set_error("no luck").unwrap();
        for _ in 0..2 {
            let error = future.join().unwrap_err();
            assert!(matches!(&error, FutureError::Failed(error) if error.to_string() == "no luck"));
        }
        assert!(future.has_failed() && !future.is_cancelled());
    });
}

#[test]
fn waiters_are_queued_in_order_and_then_callbacks_are_called_in_order() {
    isolated(|| {
        let (future, trace) = (Future::new(), Trace::new());
        for name in ["a", "b"] {
            let (future, trace) = (future.clone(), trace.clone());
            spawn(move || {
                future.wait().unwrap();
                trace.note(name);
            });
        }
        run().unwrap();
        for name in ["c", "d"] {
            let trace = trace.clone();
            future.on_done(move |future| trace.note(format!("{name}{}", future.is_done())));
        }
        future.set_value(()).unwrap();
        trace.note("set");
        future.on_done({
            let trace = trace.clone();
            move |_| trace.note("at once")
        });
        run().unwrap();
        assert_eq!(trace.take(), "ctrue dtrue set at once a b");
    });
}

#[test]
fn a_callback_can_neither_switch_nor_do_harm() {
    logs::keep();
    isolated(|| {
        let (future, trace, channel) = (Future::new(), Trace::new(), Channel::<()>::new());
        let note = trace.clone();
        future.on_done(move |_| note.note(format!("{:?}", channel.receive().unwrap_err())));
        future.on_done(|_| panic!("in a callback"));
        future.on_done({
            let trace = trace.clone();
            move |_| trace.note("third")
        });
        logs::take();
        future.set_value(()).unwrap();
        assert_eq!(trace.take(), "Wait(SwitchTrap) third");
        assert!(logs::take().join("\n").contains("in a callback"));
        // Switching works again.
        let task = spawn(|| 5);
        assert_eq!(task.join().unwrap(), 5);
    });
}

#[test]
fn a_worker_that_panics_or_is_killed_or_thrown_at_fails_its_future() {
    isolated(|| {
        let panicked = Queued.submit(|| -> u32 { panic!("no luck") });
        let error = panicked.join().unwrap_err();
        assert!(matches!(error, FutureError::Panicked(text) if &*text == "no luck"));
        // Before it has begun, and while it waits.
        for turns in [0, 1] {
            let never: Channel<()> = Channel::new();
            let waiting = never.clone();
            let handle = spawn(move || waiting.receive().map_err(|error| error.to_string()));
            let tasklet = handle.tasklet();
            let future = Future::of(handle);
            (0..turns).for_each(|_| schedule());
            tasklet.kill().unwrap();
            assert!(matches!(future.join(), Err(FutureError::Cancelled)));
            assert!(future.is_cancelled());
        }
        let handle = spawn(|| ());
        handle.tasklet().throw_pending("up").unwrap();
        let error = Future::of(handle).join().unwrap_err();
        assert!(matches!(error, FutureError::Failed(error) if error.to_string() == "up"));
    });
}

#[test]
fn cancelling_kills_the_worker_and_is_seen_at_once() {
    isolated(|| {
        let (trace, never) = (Trace::new(), Channel::<()>::new());
        let (dropped, waiting) = (trace.on_drop("unwound"), never.clone());
        let future = Queued.submit(move || {
            let _dropped = dropped;
            waiting.receive().unwrap();
        });
        schedule();
        let joining = future.clone();
        let joiner = spawn(move || joining.join());
        schedule();
        assert!(future.cancel());
        assert!(future.is_cancelled());
        assert!(!future.cancel());
        let error = joiner.join().unwrap().unwrap_err();
        assert!(matches!(error, FutureError::Cancelled));
        run().unwrap();
        assert_eq!(trace.take(), "unwound");
        assert_eq!(never.balance(), 0);
    });
}

#[test]
fn a_worker_can_outlive_its_cancellation_and_its_value_is_dropped() {
    isolated(|| {
        let trace = Trace::new();
        let value = trace.on_drop("dropped");
        let future = Queued.submit(move || {
            let _ = std::panic::catch_unwind(schedule);
            value
        });
        schedule();
        future.cancel();
        run().unwrap();
        assert_eq!(trace.take(), "dropped");
        assert!(matches!(future.join(), Err(FutureError::Cancelled)));
    });
}

#[test]
fn waits_for_several_end_as_told() {
    isolated(|| {
        let futures: [Future<u32>; 4] = std::array::from_fn(|_| Future::new());
        let later = futures.clone();
        spawn(move || {
            later[2].set_value(2).unwrap();
            schedule();
            schedule();
            later[1].set_error("one").unwrap();
            schedule();
            schedule();
            later[0].set_value(0).unwrap();
            later[3].set_value(3).unwrap();
        });
        assert_eq!(wait_for(&futures, Until::First, None).unwrap(), [2]);
        assert_eq!(wait_any(&futures).unwrap(), 2);
        assert_eq!(
            wait_for(&futures, Until::FirstFailed, None).unwrap(),
            [1, 2]
        );
        wait_all(&futures).unwrap();
        assert_eq!(wait_for(&futures, Until::All, None).unwrap(), [0, 1, 2, 3]);
    });
}

#[test]
fn any_is_the_first_to_become_ready() {
    isolated(|| {
        let futures: [Future<u32>; 3] = std::array::from_fn(|_| Future::new());
        let later = futures.clone();
        spawn(move || {
            for index in [2, 0, 1] {
                later[index].set_value(0).unwrap();
            }
        });
        assert_eq!(wait_any(&futures).unwrap(), 2);
        // Of those that are ready, the lowest.
        assert_eq!(wait_any(&futures).unwrap(), 0);
        let none: [Future<()>; 0] = [];
        assert!(matches!(wait_any(&none), Err(WaitError::Deadlock)));
        assert!(wait_for(&none, Until::First, None).unwrap().is_empty());
    });
}

#[test]
fn the_order_of_completion_is_that_of_the_results() {
    isolated(|| {
        let futures: [Future<u32>; 4] = std::array::from_fn(|_| Future::new());
        futures[3].set_value(0).unwrap();
        let later = futures.clone();
        spawn(move || {
            later[1].cancel();
            schedule();
            later[2].set_value(0).unwrap();
            later[0].set_error("zero").unwrap();
        });
        let order: Result<Vec<usize>, _> = as_completed(&futures).collect();
        assert_eq!(order.unwrap(), [3, 1, 2, 0]);
    });
}

#[test]
fn a_time_limit_tells_how_far_it_came_and_that_of_a_scope_is_an_error() {
    isolated(|| {
        let futures: [Future<u32>; 3] = std::array::from_fn(|_| Future::new());
        futures[1].set_value(1).unwrap();
        let done = wait_for(&futures, Until::All, Some(SHORT)).unwrap();
        assert_eq!(done, [1]);
        let elapsed = timeout(SHORT, || wait_for(&futures, Until::All, None)).unwrap_err();
        assert!(matches!(elapsed.into_inner(), Err(WaitError::TimedOut)));
        let mut order = as_completed(&futures);
        assert_eq!(order.next().unwrap().unwrap(), 1);
        let elapsed = timeout(SHORT, || order.next()).unwrap_err().into_inner();
        assert!(matches!(elapsed, Some(Err(WaitError::TimedOut))));
        // A step that has failed is taken again.
        futures[2].set_value(2).unwrap();
        assert_eq!(order.next().unwrap().unwrap(), 2);
    });
}

#[test]
fn handles_of_tasklets_and_futures_are_waited_for_alike() {
    isolated(|| {
        let slow = spawn(|| (0..9).for_each(|_| schedule()));
        let quick = spawn(|| ());
        let by_hand: Future<()> = Future::new();
        let futures = [Future::of(slow), Future::of(quick), by_hand];
        assert_eq!(wait_any(&futures).unwrap(), 1);
        assert!(futures[0].cancel());
        futures[2].set_value(()).unwrap();
        assert_eq!(wait_for(&futures, Until::All, None).unwrap().len(), 3);
        run().unwrap();
    });
}

#[test]
fn the_panic_of_an_abandoned_worker_is_logged() {
    logs::keep();
    isolated(|| {
        drop(Queued.submit(|| panic!("nobody listens")));
        logs::take();
        run().unwrap();
        let logged = logs::take().join("\n");
        assert!(logged.contains("nobody listens"), "{logged}");
    });
}
