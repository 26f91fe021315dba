//! `select!`: exactly one operation takes place.

use greenling::io::Interest;
use greenling::net::UnixStream;
use greenling::select::{after, at};
use greenling::time::CancelToken;
use greenling::{Channel, WaitError, schedule, select, spawn, time};
use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};
use tests::isolated;

#[test]
fn takes_from_the_channel_that_a_sender_comes_to() {
    isolated(|| {
        let (a, b) = (Channel::new(), Channel::new());
        let sender = b.clone();
        let sent = spawn(move || sender.send("b"));
        let got = select! {
            a = a.receiving() => a,
            b = b.receiving() => b,
        };
        assert_eq!(got.unwrap().unwrap(), "b");
        assert_eq!((a.balance(), b.balance()), (0, 0));
        sent.join().unwrap().unwrap();
    });
}

#[test]
fn a_send_and_a_receive_meet_in_the_middle() {
    isolated(|| {
        let (there, back) = (Channel::new(), Channel::<u32>::new());
        let (there2, back2) = (there.clone(), back.clone());
        let other = spawn(move || {
            select! {
                value = there2.receiving() => value.unwrap(),
                value = back2.receiving() => value.unwrap(),
            }
        });
        schedule();
        let sent = select! {
            sent = there.sending(3) => sent.is_ok(),
            _ = after(Duration::from_secs(60)) => false,
        };
        assert!(sent.unwrap());
        assert_eq!(other.join().unwrap().unwrap(), 3);
        assert_eq!((there.balance(), back.balance()), (0, 0));
    });
}

#[test]
fn without_anything_ready_default_runs() {
    isolated(|| {
        let channel = Channel::<u32>::new();
        let got = select! {
            value = channel.receiving() => value.ok(),
            default => None,
        };
        assert_eq!(got.unwrap(), None);
        assert_eq!(channel.balance(), 0);
    });
}

#[test]
fn the_earliest_timer_wins_and_a_scope_around_all_of_them() {
    isolated(|| {
        let now = Instant::now();
        let first = select! {
            () = at(now + Duration::from_secs(3600)) => 2,
            () = at(now + Duration::from_millis(1)) => 1,
        };
        assert_eq!(first.unwrap(), 1);
        let elapsed = time::timeout(Duration::from_millis(1), || {
            select! { () = after(Duration::from_secs(60)) => () }
        });
        let inner = elapsed.unwrap_err().into_inner();
        assert!(matches!(inner, Err(WaitError::TimedOut)));
    });
}

#[test]
fn a_value_that_was_not_sent_stays_in_its_operation() {
    isolated(|| {
        let channel = Channel::new();
        let mut sending = channel.sending("kept");
        let first = select! {
            sent = &mut sending => sent.is_ok(),
            () = after(Duration::ZERO) => false,
        };
        assert!(!first.unwrap());
        assert_eq!(sending.into_inner(), Some("kept"));
    });
}

#[test]
fn chance_is_fair_among_those_that_are_ready() {
    isolated(|| {
        let mut counts = [0u32; 3];
        for _ in 0..3000 {
            let index = select! {
                () = after(Duration::ZERO) => 0,
                () = after(Duration::ZERO) => 1,
                () = after(Duration::ZERO) => 2,
            };
            counts[index.unwrap()] += 1;
        }
        assert!(
            counts.iter().all(|&n| (800..1200).contains(&n)),
            "{counts:?}"
        );
    });
}

#[test]
fn chance_is_fair_whatever_lies_between_those_that_are_ready() {
    isolated(|| {
        // Those at even places can take place, and their neighbours can't; few, whose
        // order is drawn on the stack, and many.
        for count in [3_usize, 7, 31] {
            let ready = count.div_ceil(2);
            let mut counts = vec![0; count];
            for _ in 0..ready * 1000 {
                let limit = |index| match index {
                    _ if index % 2 == 1 => Duration::from_secs(3600),
                    _ => Duration::ZERO,
                };
                let mut timers: Vec<_> = (0..count).map(|index| after(limit(index))).collect();
                let mut all: Vec<_> = timers.iter_mut().map(|timer| timer as _).collect();
                counts[greenling::select::select(&mut all).unwrap()] += 1;
            }
            let (chosen, others): (Vec<_>, Vec<_>) = (0..count).partition(|at| at % 2 == 0);
            assert!(
                chosen.iter().all(|&at| (800..1200).contains(&counts[at])),
                "{counts:?}"
            );
            assert!(others.iter().all(|&at| counts[at] == 0), "{counts:?}");
        }
    });
}

#[test]
fn a_block_may_be_followed_by_a_comma() {
    isolated(|| {
        let never = Channel::<u32>::new();
        let chosen = select! {
            _ = never.receiving() => { 1 },
            () = after(Duration::ZERO) => { 2 }
            _ = never.receiving() => { 3 },
        };
        assert_eq!(chosen.unwrap(), 2);
        let chosen = select! {
            _ = never.receiving() => { 1 },
            default => { 2 },
        };
        assert_eq!(chosen.unwrap(), 2);
    });
}

#[test]
fn a_token_and_the_end_of_a_tasklet_are_operations() {
    isolated(|| {
        let token = CancelToken::new();
        let never = Channel::<()>::new();
        let waiter = spawn({
            let (token, never) = (token.clone(), never.clone());
            move || {
                select! {
                    _ = never.receiving() => "value",
                    () = token.cancelling() => "token",
                }
            }
        });
        schedule();
        assert_eq!(never.balance(), -1);
        let canceller = spawn(move || token.cancel());
        select! { () = canceller.ending() => () }.unwrap();
        assert_eq!(waiter.join().unwrap().unwrap(), "token");
        assert_eq!(never.balance(), 0);
    });
}

#[test]
#[should_panic(expected = "send to and receive from the same channel")]
fn one_channel_both_ways_is_refused() {
    let channel = Channel::new();
    let _ = select! {
        _ = channel.receiving() => (),
        _ = channel.sending(1) => (),
    };
}

#[test]
fn a_socket_is_ready_when_there_is_something_to_read_and_not_before() {
    isolated(|| {
        let (mut here, mut there) = UnixStream::pair().unwrap();
        // Not known to block yet, and nothing there: the kernel is asked.
        let early = select! {
            _ = here.readiness(Interest::READ) => "ready",
            () = after(Duration::from_millis(1)) => "time",
        };
        assert_eq!(early.unwrap(), "time");
        let writer = spawn(move || there.write_all(b"x").map(|()| there));
        let ready = select! {
            ready = here.readiness(Interest::READ) => ready.unwrap(),
            () = after(Duration::from_secs(60)) => panic!("late"),
        };
        assert!(ready.unwrap().readable);
        let mut byte = [0];
        assert_eq!(here.read(&mut byte).unwrap(), 1);
        drop(writer.join().unwrap().unwrap());
        let end = select! { ready = here.readiness(Interest::READ) => ready.unwrap() };
        assert!(
            end.unwrap().readable,
            "the end of the stream is something to read"
        );
        here.close();
        let closed = select! { ready = here.readiness(Interest::BOTH) => ready };
        assert_eq!(
            closed.unwrap().unwrap_err().kind(),
            ErrorKind::ConnectionAborted
        );
    });
}
