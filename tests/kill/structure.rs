//! Scopes, `select!`, cancel tokens and intervals.

use crate::stage::{Stage, kill_tests};
use greenling::select::{Operation, after};
use greenling::time::{CancelToken, interval_at};
use greenling::{Channel, schedule, scope, select, spawn, thread};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::time::{Duration, Instant};

kill_tests! {
    waiting_for_a_token,
    working_under_a_token,
    ticking,
    selecting_local_channels,
    selecting_what_threads_bring,
    selecting_time_and_ends,
    scopes,
    nested_scopes,
}

fn waiting_for_a_token(stage: &Stage) {
    let tokens = [CancelToken::new(), CancelToken::new()];
    let waiting = tokens.clone();
    let victim = stage.victim(move || {
        for token in &waiting {
            token.wait().unwrap();
        }
    });
    let other = spawn({
        let token = tokens[1].clone();
        move || token.wait()
    });
    for token in &tokens {
        stage.until_parked();
        token.cancel();
    }
    stage.end(victim);
    other.join().unwrap().unwrap();
}

fn working_under_a_token(stage: &Stage) {
    let (token, never) = (CancelToken::new(), Channel::<u32>::new());
    let (under, waiting) = (token.clone(), never.clone());
    let victim = stage.victim(move || {
        let first = under.child();
        let inner = first.run(|| waiting.receive());
        assert!(inner.unwrap_err().into_inner().is_err());
        // Cancelled already, so that this does not even park for long.
        under.run(|| waiting.receive()).unwrap_err();
    });
    stage.until_parked();
    token.cancel();
    stage.end(victim);
    assert_eq!(never.balance(), 0, "the dead still wait");
}

fn ticking(stage: &Stage) {
    let start = Instant::now() + Duration::from_micros(300);
    let pulse = Rc::new(RefCell::new(interval_at(start, Duration::from_micros(300))));
    let (ticking, ticks) = (pulse.clone(), Rc::new(Cell::new(0)));
    let counting = ticks.clone();
    let victim = stage.victim(move || {
        for n in 0..3 {
            let due = ticking.borrow_mut().tick().unwrap();
            assert_eq!(due, start + n * Duration::from_micros(300));
            counting.set(n + 1);
        }
    });
    stage.end(victim);
    // The tick that the dead has waited for is the next one.
    let due = pulse.borrow_mut().tick().unwrap();
    assert_eq!(due, start + ticks.get() * Duration::from_micros(300));
}

fn selecting_local_channels(stage: &Stage) {
    let (numbers, words) = (Channel::<u32>::new(), Channel::<u32>::new());
    let (sent, got) = (Rc::new(Cell::new(0)), Rc::new(RefCell::new(Vec::new())));
    let victim = stage.victim({
        let (numbers, words, sent, got) =
            (numbers.clone(), words.clone(), sent.clone(), got.clone());
        move || {
            for _ in 0..4 {
                let next = sent.get();
                let result = select! {
                    number = numbers.receiving() => got.borrow_mut().push(number.unwrap()),
                    done = words.sending(next) => { done.unwrap(); sent.set(next + 1) }
                };
                result.unwrap();
            }
        }
    });
    let (mut given, mut received) = (0, 0);
    for turn in 0.. {
        if !stage.until_parked() {
            break;
        }
        // The victim may have been killed on its way into the lists.
        if numbers.balance() == 0 {
            continue;
        }
        if turn % 2 == 0 {
            numbers.send(given).unwrap();
            given += 1;
        } else {
            assert_eq!(words.receive().unwrap(), received);
            received += 1;
        }
    }
    stage.end(victim);
    let got = got.take();
    assert!(got.iter().copied().eq(0..got.len() as u32));
    assert!(given - got.len() as u32 <= 1, "{got:?} of {given}");
    assert!(received - sent.get() <= 1, "{received} {sent:?}");
    assert_eq!((numbers.balance(), words.balance()), (0, 0));
}

fn selecting_what_threads_bring(stage: &Stage) {
    let (sender, receiver) = thread::channel::<u32>(4);
    let local = Channel::<u32>::new();
    let got = Rc::new(RefCell::new(Vec::new()));
    let victim = stage.victim({
        let (receiver, local, got) = (receiver.clone(), local.clone(), got.clone());
        move || {
            for _ in 0..3 {
                let value = select! {
                    value = receiver.receiving() => value.unwrap(),
                    value = local.receiving() => value.unwrap(),
                };
                got.borrow_mut().push(value.unwrap());
            }
        }
    });
    let mut sent = 0;
    while stage.until_parked() && local.balance() != 0 {
        sender.send(sent).unwrap();
        sent += 1;
    }
    while !stage.is_over() {
        schedule();
    }
    stage.end(victim);
    assert_eq!(local.balance(), 0, "the dead still wait");
    // A value that no operation has taken is still there.
    let mut got = got.take();
    got.extend(std::iter::from_fn(|| receiver.try_receive().ok()));
    assert!(got.iter().copied().eq(0..sent), "{got:?} of {sent}");
}

fn selecting_time_and_ends(stage: &Stage) {
    let (token, door) = (CancelToken::new(), Channel::<()>::new());
    let task = spawn({
        let door = door.clone();
        move || door.receive()
    });
    let (under, task) = (token.clone(), Rc::new(task));
    let victim = stage.victim({
        let task = task.clone();
        move || {
            let mut timer = after(Duration::from_micros(300));
            let in_time = select! { () = &mut timer => true, () = under.cancelling() => false };
            assert!(in_time.unwrap());
            assert!(timer.take().is_none(), "its output was taken");
            let ended = select! { () = task.ending() => true, () = under.cancelling() => false };
            assert!(ended.unwrap());
            let cancelled = select! {
                () = under.cancelling() => true,
                () = after(Duration::from_secs(3600)) => false,
            };
            assert!(cancelled.unwrap());
        }
    });
    // The timer's park is over by itself.
    stage.until_parked();
    stage.until_parked();
    door.send(()).unwrap();
    task.wait().unwrap();
    stage.until_parked();
    token.cancel();
    stage.end(victim);
    assert!(task.is_finished());
}

/// Notes that a tasklet of a scope has come to its end, and from where.
struct Leaving<'a> {
    left: &'a Cell<u32>,
    ran: &'a Cell<u32>,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.left.set(self.left.get() + 1);
        self.ran.set(self.ran.get() + 1);
    }
}

fn scopes(stage: &Stage) {
    let (first, second) = (Channel::<u32>::new(), Channel::<u32>::new());
    let left = Rc::new(Cell::new(0));
    let victim = stage.victim({
        let (first, second, left) = (first.clone(), second.clone(), left.clone());
        move || {
            // In the frame that the tasklets borrow from.
            let ran = Cell::new(0);
            let result = catch_unwind(AssertUnwindSafe(|| {
                scope(|s| {
                    for channel in [&first, &second] {
                        let leaving = Leaving {
                            left: &left,
                            ran: &ran,
                        };
                        s.spawn(move || {
                            let _leaving = leaving;
                            channel.receive().unwrap()
                        });
                    }
                })
            }));
            assert_eq!(ran.get(), 2, "it has left before its tasklets");
            if let Err(kill) = result {
                resume_unwind(kill);
            }
        }
    });
    stage.until_parked();
    while !stage.is_over() {
        for channel in [&first, &second] {
            // Its receiver may have been killed, or may not have begun.
            if channel.balance() < 0 {
                channel.send(1).unwrap();
            }
        }
        schedule();
    }
    stage.end(victim);
    assert_eq!(left.get(), 2);
    assert_eq!((first.balance(), second.balance()), (0, 0));
}

fn nested_scopes(stage: &Stage) {
    let doors = [Channel::<u32>::new(), Channel::new(), Channel::new()];
    let theirs = doors.clone();
    let victim = stage.victim(move || {
        let mut sum = 0;
        scope(|outer| {
            let outermost = outer.spawn(|| {
                let (mut a, mut b) = (0, 0);
                scope(|inner| {
                    inner.spawn(|| a = theirs[0].receive().unwrap());
                    inner.spawn(|| b = theirs[1].receive().unwrap());
                });
                a + b
            });
            let own = theirs[2].receive().unwrap();
            sum = own + outermost.join().unwrap();
        });
        sum
    });
    while stage.until_parked() {
        for door in &doors {
            if door.balance() < 0 {
                door.send(7).unwrap();
            }
            schedule();
        }
    }
    let sum = stage.end(victim);
    assert!(sum.is_none_or(|sum| sum == 21));
    assert!(doors.iter().all(|door| door.balance() == 0));
}
