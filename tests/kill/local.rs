//! Waits for other tasklets of the thread, and for time.

use crate::stage::{Stage, kill_tests};
use greenling::sync::WaitQueue;
use greenling::time::{sleep, timeout};
use greenling::{Channel, WaitReason, schedule, spawn};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

/// What a victim of `wait_queue` waits for.
pub(crate) static DOOR: WaitReason = WaitReason::new("door of the tests");

kill_tests! {
    sending,
    receiving,
    joining,
    sleeping,
    timeout_scopes,
    wait_queue,
}

fn sending(stage: &Stage) {
    let channel: Channel<u32> = Channel::new();
    let sent = Rc::new(Cell::new(0));
    let (sending, counting) = (channel.clone(), sent.clone());
    let victim = stage.victim(move || {
        for number in 1..=3 {
            sending.send(number).unwrap();
            counting.set(number);
        }
    });
    let mut received = 0;
    while stage.until_parked() {
        received = channel.receive().unwrap();
    }
    stage.end(victim);
    // A value whose sender was killed after the hand-over has been received.
    assert!(received - sent.get() <= 1, "{received} {sent:?}");
    assert_eq!(channel.balance(), 0, "the dead still wait");
    channel.try_send(9).unwrap_err();
    works(&channel);
}

fn receiving(stage: &Stage) {
    let channel: Channel<u32> = Channel::new();
    let (receiving, got) = (channel.clone(), Rc::new(RefCell::new(Vec::new())));
    let keeping = got.clone();
    let victim = stage.victim(move || {
        for _ in 0..3 {
            let value = receiving.receive().unwrap();
            keeping.borrow_mut().push(value);
        }
    });
    let mut sent = 0;
    while stage.until_parked() {
        // The victim may have been killed on its way to the receive.
        if channel.balance() == 0 {
            continue;
        }
        channel.send(sent).unwrap();
        sent += 1;
    }
    stage.end(victim);
    let got = got.take();
    assert!(got.len() as u32 + 1 >= sent, "{got:?} of {sent}");
    assert!(got.iter().copied().eq(0..got.len() as u32));
    assert_eq!(channel.balance(), 0, "the dead still wait");
    works(&channel);
}

/// The channel is as good as new.
fn works(channel: &Channel<u32>) {
    let receiving = channel.clone();
    let task = spawn(move || receiving.receive().unwrap());
    channel.send(77).unwrap();
    assert_eq!(task.join().unwrap(), 77);
}

fn joining(stage: &Stage) {
    let (first, second) = (Channel::<u32>::new(), Channel::<u32>::new());
    let tasks = [&first, &second].map(|channel| {
        let channel = channel.clone();
        spawn(move || channel.receive().unwrap())
    });
    let tasklets = tasks.each_ref().map(|task| task.tasklet());
    let victim = stage.victim(move || tasks.map(|task| task.join().unwrap()));
    stage.until_parked();
    first.send(1).unwrap();
    while !stage.is_over() && !tasklets[0].is_alive() && stage.until_parked() {
        second.send(2).unwrap();
    }
    if second.balance() < 0 {
        second.send(2).unwrap();
    }
    let joined = stage.end(victim);
    assert!(joined.is_none_or(|values| values == [1, 2]));
    // The joined go on without their joiner.
    while tasklets.iter().any(|task| task.is_alive()) {
        schedule();
    }
}

fn sleeping(stage: &Stage) {
    let victim = stage.victim(|| {
        sleep(Duration::from_micros(300));
        sleep(Duration::ZERO);
        greenling::time::sleep_until(std::time::Instant::now() + Duration::from_micros(300));
    });
    // A second sleeper with a later time keeps its timer.
    let other = spawn(|| sleep(Duration::from_millis(2)));
    stage.end(victim);
    other.join().unwrap();
}

fn timeout_scopes(stage: &Stage) {
    let never: Channel<u32> = Channel::new();
    let waiting = never.clone();
    let victim = stage.victim(move || {
        let outer = timeout(Duration::from_secs(3600), || {
            let inner = timeout(Duration::from_micros(300), || waiting.receive());
            assert!(inner.unwrap_err().into_inner().is_err());
            sleep(Duration::from_micros(300));
            timeout(Duration::from_micros(300), || {
                sleep(Duration::from_secs(3600))
            })
        });
        outer.unwrap().unwrap_err();
        assert_eq!(greenling::time::deadline(), None);
    });
    stage.end(victim);
    assert_eq!(never.balance(), 0);
}

fn wait_queue(stage: &Stage) {
    let queue = Rc::new(WaitQueue::new());
    let (waiting, other_waiting) = (queue.clone(), queue.clone());
    let victim = stage.victim(move || {
        for _ in 0..2 {
            waiting.wait(&DOOR, None).unwrap();
        }
    });
    let other = spawn(move || other_waiting.wait(&DOOR, None));
    while stage.until_parked() {
        queue.notify_all();
    }
    stage.end(victim);
    queue.notify_all();
    other.join().unwrap().unwrap();
    assert!(queue.is_empty());
    assert_eq!(queue.len(), 0);
}
