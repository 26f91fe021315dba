//! Channels between threads: order, closing, and what kills and time limits
//! may not lose.

use greenling::thread::{
    ReceiveError, Receiver, SendError, TryReceiveError, TrySendError, channel,
};
use greenling::time::timeout;
use greenling::{ParkAction, WaitError, schedule, set_park_hook, spawn};
use std::cell::Cell;
use std::error::Error;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tests::{isolated, on_bare_thread};

const SHORT: Duration = Duration::from_millis(5);

/// A value that counts how many of its kind are dropped.
struct Counted {
    number: usize,
    dropped: Arc<AtomicUsize>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

fn counted() -> (impl Fn(usize) -> Counted, Arc<AtomicUsize>) {
    let dropped = Arc::new(AtomicUsize::new(0));
    let counter = dropped.clone();
    let make = move |number| Counted {
        number,
        dropped: counter.clone(),
    };
    (make, dropped)
}

#[test]
fn values_keep_their_order_whatever_the_capacity() {
    isolated(|| {
        for capacity in [0, 1, 2, 7, 1000] {
            let (sender, receiver) = channel(capacity);
            let task = spawn(move || {
                for number in 0..100 {
                    sender.send(number).unwrap();
                }
            });
            let got: Vec<_> = receiver.iter().collect();
            assert_eq!(got, (0..100).collect::<Vec<_>>());
            task.join().unwrap();
        }
    });
}

#[test]
fn values_cross_threads_in_both_directions() {
    isolated(|| {
        for capacity in [0, 1, 16] {
            let (out, inn) = channel(capacity);
            let (back, answers) = channel(capacity);
            let thread = std::thread::spawn(move || {
                // A plain thread: no scheduler is made by waiting here.
                for number in inn.iter() {
                    back.send(number * 2u64).unwrap();
                }
            });
            let feeder = spawn(move || {
                for number in 0..500 {
                    out.send(number).unwrap();
                }
            });
            let got: Vec<_> = answers.iter().collect();
            assert_eq!(got, (0..500).map(|n| n * 2).collect::<Vec<_>>());
            feeder.join().unwrap();
            thread.join().unwrap();
        }
    });
}

#[test]
fn a_send_without_capacity_waits_until_its_value_is_taken() {
    isolated(|| {
        let (sender, receiver) = channel(0);
        let sent = Rc::new(Cell::new(0));
        let counting = sent.clone();
        let task = spawn(move || {
            for number in 1..=3 {
                sender.send(number).unwrap();
                counting.set(number);
            }
        });
        for number in 1..=3 {
            greenling::time::sleep(Duration::from_millis(1));
            assert_eq!(sent.get(), number - 1);
            assert_eq!(receiver.receive().unwrap(), number);
        }
        task.join().unwrap();
    });
}

#[test]
fn operations_that_must_not_wait_say_why_they_would() {
    isolated(|| {
        let (sender, receiver) = channel(1);
        assert_eq!(receiver.try_receive(), Err(TryReceiveError::Empty));
        sender.try_send(1).unwrap();
        assert!(matches!(sender.try_send(2), Err(TrySendError::Full(2))));
        assert_eq!(receiver.try_receive(), Ok(1));
        sender.try_send(3).unwrap();
        drop(sender);
        assert_eq!(receiver.try_receive(), Ok(3));
        assert_eq!(receiver.try_receive(), Err(TryReceiveError::Closed));
        let (sender, receiver) = channel(1);
        drop(receiver);
        assert!(matches!(sender.try_send(4), Err(TrySendError::Closed(4))));
        assert!(matches!(sender.send(5), Err(SendError::Closed(5))));
    });
}

#[test]
fn waiting_senders_get_their_values_back_when_the_last_receiver_goes() {
    isolated(|| {
        let (sender, receiver) = channel(1);
        let senders: Vec<_> = (0..3)
            .map(|number| {
                let sender = sender.clone();
                spawn(move || sender.send(number).map_err(SendError::into_inner))
            })
            .collect();
        let thread_sender = sender.clone();
        schedule();
        let thread = std::thread::spawn(move || thread_sender.send(9));
        let other = receiver.clone();
        drop(receiver);
        greenling::time::sleep(Duration::from_millis(1));
        drop(other);
        let results: Vec<_> = senders.into_iter().map(|s| s.join().unwrap()).collect();
        // The first is in the queue and was dropped with it.
        assert_eq!(results, [Ok(()), Err(1), Err(2)]);
        assert!(matches!(thread.join().unwrap(), Err(SendError::Closed(9))));
    });
}

#[test]
fn waiting_receivers_are_told_when_the_last_sender_goes() {
    isolated(|| {
        let (sender, receiver) = channel::<u8>(2);
        let receivers: Vec<_> = (0..3)
            .map(|_| {
                let receiver = receiver.clone();
                spawn(move || receiver.receive())
            })
            .collect();
        let thread = std::thread::spawn(move || receiver.receive());
        schedule();
        sender.send(1).unwrap();
        let other = sender.clone();
        drop(sender);
        other.send(2).unwrap();
        drop(other);
        let mut results: Vec<_> = receivers.into_iter().map(|r| r.join().unwrap()).collect();
        results.push(thread.join().unwrap());
        let values: Vec<_> = results.iter().flatten().copied().collect();
        assert_eq!(values.len(), 2, "{results:?}");
        assert_eq!(values.iter().sum::<u8>(), 3);
        let closed = results
            .iter()
            .filter(|result| matches!(result, Err(ReceiveError::Closed)));
        assert_eq!(closed.count(), 2);
    });
}

#[test]
fn a_killed_sender_takes_its_value_along() {
    isolated(|| {
        for capacity in [0, 1] {
            let (make, dropped) = counted();
            let (sender, receiver) = channel(capacity);
            for number in 0..capacity {
                sender.send(make(number)).unwrap();
            }
            let send = |number| {
                let (sender, value) = (sender.clone(), make(number));
                spawn(move || sender.send(value).map_err(drop))
            };
            let (first, second, third) = (send(10), send(11), send(12));
            schedule();
            second.tasklet().kill().unwrap();
            assert!(second.join().unwrap_err().is_killed());
            assert_eq!(dropped.load(Ordering::SeqCst), 1);
            drop(sender);
            let got: Vec<_> = receiver.iter().map(|value| value.number).collect();
            let expected: Vec<_> = (0..capacity).chain([10, 12]).collect();
            assert_eq!(got, expected);
            assert!(first.join().unwrap().is_ok() && third.join().unwrap().is_ok());
            assert_eq!(dropped.load(Ordering::SeqCst), capacity + 3);
        }
    });
}

#[test]
fn a_sender_that_times_out_gets_its_value_back() {
    isolated(|| {
        for capacity in [0, 1] {
            let (sender, receiver) = channel(capacity);
            (0..capacity).for_each(|number| sender.send(number).unwrap());
            let elapsed = timeout(SHORT, || sender.send(77)).unwrap_err();
            match elapsed.into_inner() {
                Err(SendError::Wait(WaitError::TimedOut, 77)) => {}
                other => panic!("{other:?}"),
            }
            drop(sender);
            assert_eq!(receiver.iter().count(), capacity);
        }
    });
}

#[test]
fn a_receiver_that_times_out_takes_nothing() {
    isolated(|| {
        let (sender, receiver) = channel(0);
        let elapsed = timeout(SHORT, || receiver.receive()).unwrap_err();
        assert!(matches!(
            elapsed.into_inner(),
            Err(ReceiveError::Wait(WaitError::TimedOut))
        ));
        let task = spawn(move || sender.send(5));
        assert_eq!(receiver.receive().unwrap(), 5);
        task.join().unwrap().unwrap();
    });
}

/// Two receivers wait; a value comes, for which the first is picked, and that
/// one is killed after `turns` turns. Unless it has taken the value by then,
/// the value must reach the second.
fn wake_up_is_passed_on(capacity: usize, turns: usize) {
    let (sender, receiver) = channel(capacity);
    let wait = |receiver: Receiver<u32>| spawn(move || receiver.receive().ok());
    let (first, second) = (wait(receiver.clone()), wait(receiver));
    schedule();
    let thread = std::thread::spawn(move || {
        sender.send(4).unwrap();
        // Not dropped yet: that would wake the second as well.
        sender
    });
    for _ in 0..turns {
        schedule();
    }
    // It may have ended by now.
    let _ = first.tasklet().kill();
    if first.join().is_ok_and(|taken| taken == Some(4)) {
        drop(thread.join().unwrap());
        assert_eq!(second.join().unwrap(), None);
    } else {
        assert_eq!(second.join().unwrap(), Some(4));
        drop(thread.join().unwrap());
    }
}

#[test]
fn the_wake_up_of_a_killed_receiver_goes_to_the_next() {
    isolated(|| {
        for turns in 0..300 {
            wake_up_is_passed_on(0, turns);
            wake_up_is_passed_on(1, turns * 5);
        }
    });
}

#[test]
fn the_wake_up_of_a_receiver_killed_after_it_was_woken_goes_to_the_next() {
    isolated(|| {
        for capacity in [0, 1] {
            let (sender, receiver) = channel(capacity);
            let victim = Rc::new(Cell::new(0));
            let marked = victim.clone();
            set_park_hook(Some(Rc::new(move |tasklet, _| {
                if tasklet.id() == marked.get() {
                    ParkAction::KillWhenWoken
                } else {
                    ParkAction::Continue
                }
            })));
            let wait = |receiver: Receiver<u32>| spawn(move || receiver.receive().ok());
            let (first, second) = (wait(receiver.clone()), wait(receiver));
            victim.set(first.tasklet().id());
            schedule();
            let task = spawn(move || sender.send(4).is_ok());
            assert!(first.join().unwrap_err().is_killed());
            assert_eq!(second.join().unwrap(), Some(4));
            assert!(task.join().unwrap());
            set_park_hook(None);
        }
    });
}

#[test]
fn a_sender_killed_after_its_value_was_taken_has_sent_it() {
    isolated(|| {
        for capacity in [0, 1] {
            let (make, dropped) = counted();
            let (sender, receiver) = channel(capacity);
            (0..capacity).for_each(|number| assert!(sender.send(make(number)).is_ok()));
            let value = make(50);
            let task = spawn(move || sender.send(value).map_err(drop));
            schedule();
            // The wake-up is on its way when the kill arrives.
            assert_eq!(
                receiver.receive().unwrap().number,
                if capacity == 0 { 50 } else { 0 }
            );
            task.tasklet().kill().unwrap();
            assert!(task.join().unwrap_err().is_killed());
            let rest: Vec<_> = receiver.iter().map(|value| value.number).collect();
            assert_eq!(rest, if capacity == 0 { vec![] } else { vec![50] });
            assert_eq!(dropped.load(Ordering::SeqCst), capacity + 1);
        }
    });
}

#[test]
fn an_error_thrown_at_a_waiter_leaves_the_channel_intact() {
    isolated(|| {
        let (sender, receiver) = channel::<u8>(0);
        let waiting = receiver.clone();
        let task = spawn(move || waiting.receive());
        schedule();
        task.tasklet().throw("stop").unwrap();
        match task.join().unwrap() {
            Err(ReceiveError::Wait(WaitError::Thrown(error))) => {
                assert_eq!(error.to_string(), "stop");
            }
            other => panic!("{other:?}"),
        }
        let task = spawn(move || sender.send(1));
        assert_eq!(receiver.receive().unwrap(), 1);
        task.join().unwrap().unwrap();
    });
}

#[test]
fn waiting_where_no_switch_is_possible_fails_and_keeps_the_value() {
    isolated(|| {
        let (sender, receiver) = channel(0);
        let trap = greenling::switch_trap();
        match sender.send(3) {
            Err(SendError::Wait(WaitError::SwitchTrap, 3)) => {}
            other => panic!("{other:?}"),
        }
        assert!(matches!(
            receiver.receive(),
            Err(ReceiveError::Wait(WaitError::SwitchTrap))
        ));
        drop(trap);
        assert_eq!(receiver.try_receive(), Err(TryReceiveError::Empty));
    });
}

#[test]
fn a_try_send_without_capacity_needs_a_receiver_that_waits() {
    isolated(|| {
        let (sender, receiver) = channel(0);
        assert!(matches!(sender.try_send(1), Err(TrySendError::Full(1))));
        let waiting = receiver.clone();
        let first = spawn(move || waiting.receive().unwrap());
        let waiting = receiver.clone();
        let second = spawn(move || waiting.receive().unwrap());
        schedule();
        // One value for each that waits, and no more.
        sender.try_send(2).unwrap();
        sender.try_send(3).unwrap();
        assert!(matches!(sender.try_send(4), Err(TrySendError::Full(4))));
        assert_eq!(sender.len(), 2);
        assert_eq!((first.join().unwrap(), second.join().unwrap()), (2, 3));
    });
}

#[test]
fn a_try_sent_value_whose_receiver_is_killed_is_for_the_next() {
    isolated(|| {
        let (sender, receiver) = channel(0);
        let waiting = receiver.clone();
        let killed = spawn(move || waiting.receive());
        schedule();
        sender.try_send(5).unwrap();
        killed.tasklet().kill().unwrap();
        assert!(killed.join().unwrap_err().is_killed());
        // Sends keep their order behind it.
        let task = spawn(move || sender.send(6).unwrap());
        schedule();
        assert_eq!(receiver.len(), 2);
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [5, 6]);
        task.join().unwrap();

        let (make, dropped) = counted();
        let (sender, receiver) = channel(0);
        let killed = spawn({
            let receiver = receiver.clone();
            move || receiver.receive().map(drop)
        });
        schedule();
        assert!(sender.try_send(make(1)).is_ok());
        killed.tasklet().kill().unwrap();
        drop(receiver);
        assert_eq!(dropped.load(Ordering::SeqCst), 1);
        assert!(sender.is_closed());
    });
}

#[test]
fn waits_of_plain_threads_have_deadlines() {
    on_bare_thread(|| {
        let (sender, receiver) = channel(1);
        let thread = std::thread::spawn(move || {
            let nothing = receiver.receive_timeout(SHORT).unwrap_err();
            assert!(matches!(nothing, ReceiveError::Wait(WaitError::TimedOut)));
            let past = Instant::now();
            let nothing = receiver.receive_deadline(past).unwrap_err();
            assert!(matches!(nothing, ReceiveError::Wait(WaitError::TimedOut)));
            receiver
        });
        let receiver = thread.join().unwrap();
        sender.send_timeout(1, SHORT).unwrap();
        let past = Instant::now();
        for result in [sender.send_timeout(2, SHORT), sender.send_deadline(2, past)] {
            match result.unwrap_err() {
                SendError::Wait(WaitError::TimedOut, value) => assert_eq!(value, 2),
                other => panic!("{other}"),
            }
        }
        // What is there is taken however late it is, and a limit beyond the clock is
        // none.
        assert_eq!(receiver.receive_deadline(past).unwrap(), 1);
        let thread = std::thread::spawn(move || receiver.receive_timeout(Duration::MAX).unwrap());
        sender.send_timeout(3, Duration::MAX).unwrap();
        assert_eq!(thread.join().unwrap(), 3);
    });
}

#[test]
fn both_ends_say_how_full_the_channel_is() {
    isolated(|| {
        let (sender, receiver) = channel(2);
        assert_eq!((sender.capacity(), receiver.capacity()), (2, 2));
        assert!(sender.is_empty() && receiver.is_empty() && !sender.is_full());
        sender.send(1).unwrap();
        sender.send(2).unwrap();
        assert!(sender.is_full() && sender.len() == 2);
        let other = sender.clone();
        let waiting = spawn(move || other.send(3).unwrap());
        schedule();
        assert_eq!((sender.len(), receiver.len()), (3, 3));
        assert!(!sender.is_closed() && !receiver.is_closed());
        drop(sender);
        assert!(!receiver.is_closed());
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [1, 2, 3]);
        waiting.join().unwrap();
        assert!(receiver.is_closed());
    });
}

#[test]
fn the_end_of_the_last_receiver_can_be_waited_for() {
    isolated(|| {
        let (sender, receiver) = channel::<u8>(1);
        let other = receiver.clone();
        let limited = timeout(SHORT, || sender.closed()).unwrap_err().into_inner();
        assert!(matches!(limited, Err(WaitError::TimedOut)));
        let waiting = sender.clone();
        let task = spawn(move || waiting.closed());
        let waiting = sender.clone();
        let thread = std::thread::spawn(move || waiting.closed());
        schedule();
        drop(receiver);
        schedule();
        assert!(!task.is_finished());
        drop(other);
        task.join().unwrap().unwrap();
        thread.join().unwrap().unwrap();
        sender.closed().unwrap();
    });
}

#[test]
fn errors_of_a_wait_name_it_as_their_source() {
    let (sender, receiver) = channel(0);
    let error = sender.send_timeout((), SHORT).unwrap_err();
    assert!(error.source().unwrap().is::<WaitError>());
    let error = receiver.receive_timeout(SHORT).unwrap_err();
    assert!(error.source().unwrap().is::<WaitError>());
    drop(sender);
    assert!(receiver.receive().unwrap_err().source().is_none());
}
