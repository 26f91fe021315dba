//! Channels between threads in every order in which the threads can take turns.
//!
//! A wake-up that is lost leaves a thread parked for ever, which loom reports
//! as a deadlock. Loom's threads have no scheduler, so all wait as plain threads
//! do; a tasklet's wait ends through the inbox, which has models of its own.

use super::waiter::wait;
use super::*;
use crate::error::WaitError;
use crate::scheduler::Park;
use crate::wait::reason;
use loom::thread;
use std::cell::Cell;
use std::panic::Location;

loom::thread_local! {
    /// The thread's next wait gives up instead of blocking.
    static IMPATIENT: Cell<bool> = Cell::new(false);
}

/// Plain threads wait for ever. Tasklets may time out at any moment, and so
/// may the threads of models that asked for it.
pub(super) fn give_up() -> Result<(), WaitError> {
    if IMPATIENT.with(Cell::get) {
        return Err(WaitError::TimedOut);
    }
    Ok(())
}

fn impatiently<R>(f: impl FnOnce() -> R) -> R {
    IMPATIENT.with(|impatient| impatient.set(true));
    let result = f();
    IMPATIENT.with(|impatient| impatient.set(false));
    result
}

#[test]
fn a_rendezvous_loses_neither_values_nor_wake_ups() {
    loom::model(|| {
        let (sender, receiver) = channel(0);
        let thread = thread::spawn(move || (1..=2).for_each(|n| sender.send(n).unwrap()));
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [1, 2]);
        thread.join().unwrap();
    });
}

#[test]
fn senders_that_wait_for_room_get_in_one_by_one() {
    loom::model(|| {
        let (sender, receiver) = channel(1);
        let threads = [1, 2].map(|n| {
            let sender = sender.clone();
            thread::spawn(move || sender.send(n).unwrap())
        });
        drop(sender);
        let mut received: Vec<_> = receiver.iter().collect();
        received.sort_unstable();
        assert_eq!(received, [1, 2]);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn a_sender_sees_the_room_that_is_made_before_it_waits() {
    loom::model(|| {
        let (sender, receiver) = channel(1);
        sender.send(1).unwrap();
        let thread = thread::spawn(move || sender.send(2).unwrap());
        assert_eq!(receiver.receive().unwrap(), 1);
        // Nobody receives until the second send is over: it has room.
        thread.join().unwrap();
        assert_eq!(receiver.receive().unwrap(), 2);
    });
}

#[test]
fn each_of_two_receivers_gets_one_of_two_values() {
    loom::model(|| {
        let (sender, receiver) = channel(2);
        let other = receiver.clone();
        let thread = thread::spawn(move || other.receive().unwrap());
        let sending = thread::spawn(move || (1..=2).for_each(|n| sender.send(n).unwrap()));
        let mut received = [receiver.receive().unwrap(), thread.join().unwrap()];
        received.sort_unstable();
        assert_eq!(received, [1, 2]);
        sending.join().unwrap();
    });
}

#[test]
fn the_last_sender_to_go_wakes_all_receivers() {
    loom::model(|| {
        let (sender, receiver) = channel::<u8>(1);
        let other = receiver.clone();
        let thread = thread::spawn(move || assert!(other.receive().is_err()));
        let going = thread::spawn(move || drop(sender));
        assert!(receiver.receive().is_err());
        thread.join().unwrap();
        going.join().unwrap();
    });
}

#[test]
fn the_last_receiver_to_go_hands_the_value_back() {
    loom::model(|| {
        let (sender, receiver) = channel(0);
        let thread = thread::spawn(move || drop(receiver));
        let Err(SendError::Closed(value)) = sender.send(7) else {
            panic!("nobody has taken it");
        };
        assert_eq!(value, 7);
        thread.join().unwrap();
    });
}

#[test]
fn a_receiver_that_gives_up_passes_its_wake_up_on() {
    loom::model(|| {
        let (sender, receiver) = channel(1);
        let hasty = receiver.clone();
        let hasty = thread::spawn(move || impatiently(|| hasty.receive()).ok());
        let patient = thread::spawn(move || receiver.receive().ok());
        sender.send(7).unwrap();
        if hasty.join().unwrap().is_none() {
            // The sender is still there: nothing else than the value, or the
            // wake-up that was passed on, ends the other's wait.
            assert_eq!(patient.join().unwrap(), Some(7));
        } else {
            drop(sender);
            assert_eq!(patient.join().unwrap(), None);
        }
    });
}

#[test]
fn a_sender_that_gives_up_keeps_its_value_or_has_sent_it() {
    loom::model(|| {
        let (sender, receiver) = channel(0);
        let thread = thread::spawn(move || match impatiently(|| sender.send(7)) {
            Ok(()) => None,
            Err(SendError::Wait(WaitError::TimedOut, value)) => Some(value),
            Err(other) => panic!("unexpected: {other:?}"),
        });
        let received = receiver.receive().ok();
        let kept = thread.join().unwrap();
        assert_ne!(
            received.is_some(),
            kept.is_some(),
            "the value is in one place"
        );
    });
}

/// Sends as a tasklet does that selects: it is told of room, and looks for itself
/// before it leaves the line. The value comes back if it gives up.
#[track_caller]
fn send_by_select<T: Send>(sender: &Sender<T>, value: T) -> Result<(), T> {
    let mut value = Some(value);
    let mut attempt = || {
        let sent = sender.try_send(value.take()?);
        match sent {
            Ok(()) => Some(Ok(())),
            Err(TrySendError::Closed(value)) => Some(Err(value)),
            Err(TrySendError::Full(back)) => {
                value = Some(back);
                None
            }
        }
    };
    loop {
        if let Some(done) = attempt() {
            return done;
        }
        let mut watching = None;
        let park = Park::new(&reason::SELECT, Location::caller());
        let waited = wait(park, |waiter| {
            watching = sender.watch(waiter);
            watching.is_some()
        });
        if waited.is_ok()
            && let Some(done) = attempt()
        {
            return done;
        }
        drop(watching);
        if waited.is_err() {
            return value.map_or(Ok(()), Err);
        }
    }
}

#[test]
fn a_sender_that_selects_is_told_of_room() {
    loom::model(|| {
        let (sender, receiver) = channel(1);
        sender.send(1).unwrap();
        let thread = thread::spawn(move || send_by_select(&sender, 2).unwrap());
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [1, 2]);
        thread.join().unwrap();
    });
}

#[test]
fn a_sender_that_selects_meets_a_receiver_without_capacity() {
    loom::model(|| {
        let (sender, receiver) = channel(0);
        let thread = thread::spawn(move || send_by_select(&sender, 7).unwrap());
        assert_eq!(receiver.receive().unwrap(), 7);
        thread.join().unwrap();
    });
}

/// A full channel, into which `hasty` would send by select, if it had the patience,
/// and `patient` sends. What the latter sends arrives in any case.
fn room_is_passed_on(
    capacity: usize,
    patient: impl Fn(&Sender<u8>) + Send + Sync + Clone + 'static,
) {
    loom::model(move || {
        let (sender, receiver) = channel(capacity);
        (0..capacity).for_each(|_| sender.send(1).unwrap());
        let [hasty, theirs] = [sender.clone(), sender];
        let hasty = thread::spawn(move || impatiently(|| send_by_select(&hasty, 2)).is_ok());
        let patient = patient.clone();
        let patient = thread::spawn(move || patient(&theirs));
        let mut received: Vec<_> = receiver.iter().collect();
        received.sort_unstable();
        let has_sent = hasty.join().unwrap();
        patient.join().unwrap();
        let wanted: &[u8] = if has_sent { &[1, 2, 3] } else { &[1, 3] };
        // Without capacity nothing is in there before.
        assert_eq!(received, wanted[1 - capacity..]);
    });
}

#[test]
fn room_that_one_who_selects_gives_up_goes_to_the_next_who_selects() {
    for capacity in [0, 1] {
        room_is_passed_on(capacity, |sender| send_by_select(sender, 3).unwrap());
    }
}

#[test]
fn room_that_one_who_selects_gives_up_goes_to_a_sender_that_waits() {
    room_is_passed_on(1, |sender| sender.send(3).unwrap());
}

#[test]
fn a_sender_that_selects_sees_the_last_receiver_go() {
    loom::model(|| {
        let (sender, receiver) = channel(0);
        let thread = thread::spawn(move || drop(receiver));
        assert_eq!(send_by_select(&sender, 7), Err(7));
        thread.join().unwrap();
    });
}
