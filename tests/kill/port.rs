//! Waits of the helpers for ported programs: what the victim waited with must
//! be as good as new for the others.

use crate::stage::{Stage, kill_tests};
use greenling::port::{
    Clock, EventQueue, Future, QueueChannel, Sleeper, Until, YieldChannel, as_completed,
    call_on_thread, cancellable, parallel, tasklet_call, wait_any, wait_for,
};
use greenling::{Channel, run, schedule, spawn};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

kill_tests! {
    pumped_sleep,
    being_nice,
    queue_channel_receive,
    queue_channel_send,
    future,
    several_futures,
    parallel_calls,
    calls_on_tasklets,
    calls_on_threads,
    cancellable_regions,
}

fn pumped_sleep(stage: &Stage) {
    let clock = Clock::virtual_from_zero();
    let events = EventQueue::new(&clock);
    let (sleeper, other_sleeper) = (Sleeper::new(&events), Sleeper::new(&events));
    let victim = stage.victim(move || {
        sleeper.sleep(Duration::from_secs(5)).unwrap();
        sleeper.sleep(Duration::ZERO).unwrap();
        sleeper.sleep(Duration::from_secs(9)).unwrap();
    });
    let other = spawn(move || other_sleeper.sleep(Duration::from_secs(30)));
    while stage.until_parked() {
        clock.advance(Duration::from_secs(10));
        events.pump();
    }
    stage.end(victim);
    clock.advance(Duration::from_secs(30));
    events.pump();
    other.join().unwrap().unwrap();
    assert!(events.is_empty(), "the dead have left an event");
}

fn being_nice(stage: &Stage) {
    let frames = YieldChannel::new();
    let (frame, other_frame) = (frames.clone(), frames.clone());
    let victim = stage.victim(move || {
        frame.be_nice().unwrap();
        frame.be_nice().unwrap();
    });
    let other = spawn(move || (0..5).for_each(|_| other_frame.be_nice().unwrap()));
    while stage.until_parked() {
        assert!(frames.pump() <= 2);
    }
    stage.end(victim);
    while !other.is_finished() {
        run().unwrap();
        frames.pump();
    }
    other.join().unwrap();
    assert_eq!(frames.waiting(), 0);
}

fn queue_channel_receive(stage: &Stage) {
    let queue = QueueChannel::unbounded();
    let got = Rc::new(RefCell::new(Vec::new()));
    let receive = |times| {
        let (queue, got) = (queue.clone(), got.clone());
        move || {
            for _ in 0..times {
                let value = queue.receive().unwrap();
                got.borrow_mut().push(value);
            }
        }
    };
    let victim = stage.victim(receive(3));
    let (mut sent, mut others) = (0, Vec::new());
    while stage.until_parked() {
        // One that gets what the victim leaves behind.
        others.push(spawn(receive(1)));
        schedule();
        for _ in 1..-queue.balance() {
            queue.send(sent).unwrap();
            sent += 1;
        }
    }
    stage.end(victim);
    run().unwrap();
    assert!(got.take().into_iter().eq(0..sent), "lost, or out of order");
    for _ in 0..-queue.balance() {
        queue.send(99).unwrap();
    }
    others.into_iter().for_each(|other| other.join().unwrap());
    assert_eq!(queue.balance(), 0);
}

fn queue_channel_send(stage: &Stage) {
    let queue = QueueChannel::bounded(1);
    let (sending, sent) = (queue.clone(), Rc::new(Cell::new(0)));
    let counting = sent.clone();
    let victim = stage.victim(move || {
        for number in 1..=4 {
            sending.send(number).unwrap();
            counting.set(number);
        }
    });
    let mut received = 0;
    while stage.until_parked() {
        received += 1;
        assert_eq!(queue.receive().unwrap(), received);
    }
    stage.end(victim);
    while let Ok(number) = queue.try_receive() {
        received += 1;
        assert_eq!(number, received);
    }
    // A value whose sender was killed after it was taken has been received.
    assert!(received - sent.get() <= 1, "{received} {sent:?}");
    assert_eq!(queue.balance(), 0);
}

fn future(stage: &Stage) {
    let (first, second) = (Future::new(), Future::new());
    let (joining, other_waiting) = ([first.clone(), second.clone()], second.clone());
    let victim = stage.victim(move || joining.map(|future| future.join().unwrap()));
    let other = spawn(move || other_waiting.wait());
    if stage.until_parked() {
        first.set_value("first").unwrap();
    }
    stage.until_parked();
    second.set_value("second").unwrap();
    let joined = stage.end(victim);
    assert!(joined.is_none_or(|values| values == ["first", "second"]));
    other.join().unwrap().unwrap();
}

fn several_futures(stage: &Stage) {
    let futures = [Future::new(), Future::new(), Future::new(), Future::new()];
    let waiting = futures.clone();
    let victim = stage.victim(move || {
        assert_eq!(wait_any(&waiting).unwrap(), 3);
        let done = wait_for(&waiting[..2], Until::First, None).unwrap();
        assert_eq!(done, [1]);
        let order: Result<Vec<_>, _> = as_completed(&waiting).collect();
        order.unwrap()
    });
    for index in [3, 1, 2, 0] {
        stage.until_parked();
        futures[index].set_value(index).unwrap();
    }
    let order = stage.end(victim);
    assert!(order.is_none_or(|order| order == [1, 3, 2, 0]));
    assert!(futures.iter().all(|future| future.join().is_ok()));
}

fn parallel_calls(stage: &Stage) {
    let gates: [Channel<()>; 3] = [Channel::new(), Channel::new(), Channel::new()];
    let ended = Rc::new(Cell::new(0));
    let calls = gates.clone().map(|gate| {
        let end = CountOnDrop(ended.clone());
        move || {
            let _end = end;
            gate.receive()
        }
    });
    let victim = stage.victim(move || parallel(calls, 2).unwrap().len());
    stage.until_parked();
    run().unwrap();
    for gate in &gates {
        if gate.balance() < 0 {
            gate.send(()).unwrap();
            run().unwrap();
        }
    }
    let count = stage.end(victim);
    assert!(count.is_none_or(|count| count == 3));
    run().unwrap();
    assert_eq!(ended.get(), 3, "a call is left");
}

/// Counts what has ended, begun or not.
struct CountOnDrop(Rc<Cell<u32>>);

impl Drop for CountOnDrop {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

fn calls_on_tasklets(stage: &Stage) {
    let gate: Channel<u32> = Channel::new();
    let receiving = gate.clone();
    let victim = stage.victim(move || tasklet_call(move || receiving.receive().unwrap()).unwrap());
    stage.until_parked();
    schedule();
    if gate.balance() < 0 {
        gate.send(7).unwrap();
    }
    assert!(stage.end(victim).is_none_or(|value| value == 7));
    run().unwrap();
    assert_eq!(gate.balance(), 0, "the callee waits for ever");
}

fn calls_on_threads(stage: &Stage) {
    // Held up until the victim waits, or is dead.
    let (open, gate) = std::sync::mpsc::channel();
    let victim = stage.victim(move || call_on_thread(move || gate.recv()).unwrap());
    stage.until_parked();
    let _ = open.send(7);
    let value = stage.end(victim);
    assert!(value.is_none_or(|value| value == Ok(7)));
}

fn cancellable_regions(stage: &Stage) {
    let gate: Channel<()> = Channel::new();
    let (waiting, handles) = (gate.clone(), Rc::new(RefCell::new(Vec::new())));
    let keeping = handles.clone();
    let victim = stage.victim(move || {
        cancellable(|outer| {
            keeping.borrow_mut().push(outer.clone());
            cancellable(|inner| {
                keeping.borrow_mut().push(inner.clone());
                waiting.receive().unwrap();
            })
            .unwrap();
            waiting.receive().unwrap();
        })
        .unwrap();
    });
    while stage.until_parked() {
        gate.send(()).unwrap();
    }
    stage.end(victim);
    for handle in handles.take() {
        assert!(!handle.is_open(), "a kill is no cancellation, but it ends");
        assert!(!handle.cancel());
    }
    assert_eq!(gate.balance(), 0);
}
