//! Errors sent over channels.

use crate::queued;
use greenling::{
    Channel, Preference, ReceiveError, SendErrorKind, WaitError, current, run, schedule,
};
use std::io;
use tests::{Trace, isolated};

#[test]
fn a_sent_error_is_raised_at_the_receiver_and_leaves_the_sender_alone() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::<i32>::new();
        let (inner, sender) = (trace.clone(), channel.clone());
        queued(move || {
            sender.send_error(io::Error::other("first cause")).unwrap();
            inner.note("sender goes on");
        });
        run().unwrap();
        assert_eq!(channel.balance(), 1);
        match channel.receive() {
            Err(ReceiveError::Wait(WaitError::Thrown(error))) => {
                assert!(error.is::<io::Error>());
                assert_eq!(error.to_string(), "first cause");
            }
            other => panic!("{other:?}"),
        }
        run().unwrap();
        assert_eq!(trace.take(), "sender goes on");
    });
}

#[test]
fn an_error_that_is_passed_on_arrives_as_the_same_object() {
    isolated(|| {
        let address = |error: &greenling::Thrown| std::ptr::from_ref(&**error).addr();
        let (first, second) = (Channel::<i32>::new(), Channel::<i32>::new());
        let (from, to) = (first.clone(), second.clone());
        let relay = greenling::spawn(move || match from.receive() {
            Err(ReceiveError::Wait(WaitError::Thrown(error))) => {
                let address = address(&error);
                to.send_error(error).unwrap();
                address
            }
            other => panic!("{other:?}"),
        });
        first.send_error(io::Error::other("origin")).unwrap();
        match second.receive() {
            Err(ReceiveError::Wait(WaitError::Thrown(error))) => {
                assert_eq!(error.to_string(), "origin");
                assert_eq!(address(&error), relay.join().unwrap());
            }
            other => panic!("{other:?}"),
        }
    });
}

/// A receiver waits, X is queued, and main sends an error or a value.
fn order(error: bool, preference: Preference, schedule_all: bool) -> String {
    let trace = Trace::new();
    let channel = Channel::<i32>::new();
    channel.set_preference(preference);
    channel.set_schedule_all(schedule_all);
    let (inner, receiving) = (trace.clone(), channel.clone());
    queued(move || {
        assert_eq!(receiving.receive().is_err(), error);
        inner.note("receiver");
    });
    schedule();
    queued(trace.noting("X"));
    if error {
        channel.send_error("boom").unwrap();
    } else {
        channel.send(1).unwrap();
    }
    trace.note("main");
    run().unwrap();
    trace.take()
}

#[test]
fn a_sent_error_follows_the_order_of_a_send() {
    isolated(|| {
        for (preference, schedule_all, expected) in [
            (Preference::Receiver, false, "receiver X main"),
            (Preference::Sender, false, "main X receiver"),
            (Preference::Neither, false, "main X receiver"),
            (Preference::Receiver, true, "X receiver main"),
            (Preference::Sender, true, "X receiver main"),
            (Preference::Neither, true, "X receiver main"),
        ] {
            for error in [true, false] {
                assert_eq!(order(error, preference, schedule_all), expected);
            }
        }
    });
}

#[test]
fn an_error_is_not_sent_where_a_value_would_not_be() {
    isolated(|| {
        let channel = Channel::<i32>::new();
        let refused = channel.send_error("boom").unwrap_err();
        assert!(matches!(
            refused.kind(),
            SendErrorKind::Wait(WaitError::Deadlock)
        ));
        current().set_block_trap(true);
        let refused = channel.send_error("boom").unwrap_err();
        assert!(matches!(
            refused.kind(),
            SendErrorKind::Wait(WaitError::BlockTrap)
        ));
        current().set_block_trap(false);
        channel.close();
        let refused = channel.send_error("boom").unwrap_err();
        assert!(matches!(refused.kind(), SendErrorKind::Closed));
        assert!(refused.into_inner().is_none(), "there was no value");
        assert_eq!(channel.balance(), 0);
    });
}
