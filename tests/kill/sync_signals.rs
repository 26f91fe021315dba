//! Waits in signals and counters: whatever wakes the victim must outlive it.

use crate::stage::{Stage, kill_tests};
use greenling::sync::{Barrier, BarrierError, Event, Notify, OnceValue, Queue, Semaphore};
use greenling::sync::{GetError, WaitGroup};
use greenling::{run, schedule, spawn};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

kill_tests! {
    notify,
    manual_event,
    automatic_event,
    once_value,
    semaphore,
    barrier,
    wait_group,
    queue_get,
    queue_put,
}

fn notify(stage: &Stage) {
    let notify = Rc::new(Notify::new());
    let woken = Rc::new(Cell::new(0));
    let wait = |times| {
        let (notify, woken) = (notify.clone(), woken.clone());
        move || {
            for _ in 0..times {
                notify.wait().unwrap();
                woken.set(woken.get() + 1);
            }
        }
    };
    let victim = stage.victim(wait(3));
    let (mut given, mut others) = (0, Vec::new());
    while stage.until_parked() {
        // One that gets what the victim leaves behind.
        others.push(spawn(wait(1)));
        schedule();
        given += notify.notify(notify.waiters().len() - 1);
    }
    stage.end(victim);
    run().unwrap();
    assert_eq!(woken.get(), given, "a notification is lost, or came twice");
    notify.notify_all();
    others.into_iter().for_each(|other| other.join().unwrap());
    assert!(notify.waiters().is_empty());
}

fn manual_event(stage: &Stage) {
    let event = Rc::new(Event::new());
    let (waiting, other_waiting) = (event.clone(), event.clone());
    let victim = stage.victim(move || {
        for _ in 0..2 {
            waiting.wait().unwrap();
            waiting.clear();
        }
    });
    let other = spawn(move || other_waiting.wait());
    while stage.until_parked() {
        event.set();
    }
    stage.end(victim);
    event.set();
    other.join().unwrap().unwrap();
    assert!(event.waiters().is_empty());
}

fn automatic_event(stage: &Stage) {
    let event = Rc::new(Event::auto_reset());
    let released = Rc::new(Cell::new(0));
    let (waiting, counting) = (event.clone(), released.clone());
    let victim = stage.victim(move || {
        for _ in 0..3 {
            waiting.wait().unwrap();
            counting.set(counting.get() + 1);
        }
    });
    let mut sets = 0;
    while stage.until_parked() {
        event.set();
        sets += 1;
    }
    stage.end(victim);
    let kept = u32::from(event.is_set());
    assert_eq!(released.get() + kept, sets, "a set is lost");
    assert!(event.waiters().is_empty());
    event.set();
    event.wait().unwrap();
    assert!(!event.is_set());
}

fn once_value(stage: &Stage) {
    let values = Rc::new([OnceValue::new(), OnceValue::new()]);
    let (waiting, other_waiting) = (values.clone(), values.clone());
    let victim = stage.victim(move || {
        let second = waiting[0].wait().unwrap() + 1;
        assert_eq!(*waiting[1].wait().unwrap(), second);
    });
    let other = spawn(move || other_waiting[0].wait().unwrap() + other_waiting[1].wait().unwrap());
    let mut next = values.iter().zip([4, 5]);
    while stage.until_parked() {
        let (value, number) = next.next().unwrap();
        value.set(number).unwrap();
    }
    stage.end(victim);
    for (value, number) in next {
        value.set(number).unwrap();
    }
    assert_eq!(other.join().unwrap(), 9);
}

fn semaphore(stage: &Stage) {
    let semaphore = Rc::new(Semaphore::bounded(3));
    let acquiring = semaphore.clone();
    let mut held = Some(semaphore.try_acquire_many(3).unwrap());
    let victim = stage.victim(move || {
        for count in [1, 2, 3] {
            drop(acquiring.acquire_many(count).unwrap());
        }
    });
    let mut others = Vec::new();
    while stage.until_parked() {
        // One that wants all, and stands between the victim and its next turn.
        let wanting = semaphore.clone();
        others.push(spawn(move || drop(wanting.acquire_many(3).unwrap())));
        schedule();
        drop(held.take());
    }
    drop(held);
    stage.end(victim);
    others.into_iter().for_each(|other| other.join().unwrap());
    assert!(semaphore.waiters().is_empty());
    assert_eq!(semaphore.available(), 3, "permits are lost, or too many");
    semaphore.add_permits(1).unwrap_err();
}

fn barrier(stage: &Stage) {
    let barrier = Rc::new(Barrier::new(2));
    let passed = Rc::new(Cell::new(0));
    let (waiting, counting) = (barrier.clone(), passed.clone());
    let victim = stage.victim(move || {
        for _ in 0..3 {
            assert!(!waiting.wait().unwrap().is_leader());
            counting.set(counting.get() + 1);
        }
    });
    let mut rounds = 0;
    while stage.until_parked() {
        assert!(barrier.wait().unwrap().is_leader());
        rounds += 1;
    }
    let was_killed = stage.end(victim).is_none();
    // A round that was over when the victim died is not broken by that.
    let died_waiting = was_killed && passed.get() == rounds;
    assert_eq!(barrier.is_broken(), died_waiting);
    if died_waiting {
        assert!(matches!(barrier.wait(), Err(BarrierError::Broken)));
    }
    barrier.reset();
    let waiting = barrier.clone();
    let other = spawn(move || waiting.wait().unwrap().index());
    schedule();
    assert_eq!(barrier.wait().unwrap().index(), 1);
    assert_eq!(other.join().unwrap(), 0);
}

fn wait_group(stage: &Stage) {
    let (group, holding) = (WaitGroup::new(), WaitGroup::new());
    let (waiting, other_waiting) = (group.clone(), group.clone());
    let (mut job, held) = (Some(group.add()), holding.add());
    let victim = stage.victim(move || {
        let _held = held;
        for _ in 0..2 {
            waiting.wait().unwrap();
            let own = waiting.add();
            spawn(move || {
                schedule();
                own.done();
            });
        }
    });
    let other = spawn(move || other_waiting.wait());
    while stage.until_parked() {
        drop(job.take());
    }
    drop(job);
    stage.end(victim);
    other.join().unwrap().unwrap();
    holding.wait().unwrap();
    group.wait().unwrap();
    assert_eq!((group.waiters().len(), holding.count()), (0, 0));
}

fn queue_get(stage: &Stage) {
    let queue = Rc::new(Queue::new());
    let got = Rc::new(RefCell::new(Vec::new()));
    let (getting, keeping) = (queue.clone(), got.clone());
    let victim = stage.victim(move || {
        for value in getting.iter() {
            keeping.borrow_mut().push(value.unwrap());
        }
    });
    let mut put = 0..9;
    while stage.until_parked() {
        for number in put.by_ref().take(3) {
            queue.put(number).unwrap();
        }
        if put.is_empty() {
            queue.close();
        }
    }
    stage.end(victim);
    queue.close();
    let mut all = got.take();
    let rest: Result<Vec<i32>, GetError> = queue.iter().collect();
    all.extend(rest.unwrap());
    assert!(all.into_iter().eq(0..put.start), "lost, or out of order");
    assert_eq!(queue.balance(), 0);
}

fn queue_put(stage: &Stage) {
    let queue = Rc::new(Queue::bounded(1));
    let (putting, put) = (queue.clone(), Rc::new(Cell::new(0)));
    let counting = put.clone();
    let victim = stage.victim(move || {
        for number in 0..4 {
            putting.put(number).unwrap();
            counting.set(number + 1);
        }
    });
    let mut got = Vec::new();
    while stage.until_parked() {
        got.push(queue.get().unwrap());
    }
    stage.end(victim);
    got.extend(queue.try_get());
    // Exactly those whose put has returned.
    assert!(got.into_iter().eq(0..put.get()));
    queue.try_put(7).unwrap();
    assert_eq!(queue.get().unwrap(), 7);
    assert_eq!(queue.balance(), 0);
}
