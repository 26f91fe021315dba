//! Channels: waiting, order, closing.

use crate::queued;
use greenling::{
    Channel, ReceiveError, SendErrorKind, Tasklet, TryReceiveError, TrySendError, WaitError, run,
    schedule,
};
use tests::{Trace, isolated};

fn sender(channel: &Channel<i32>, n: i32) -> Tasklet {
    let channel = channel.clone();
    queued(move || channel.send(n).unwrap())
}

fn receiver(channel: &Channel<i32>, trace: &Trace, name: &'static str) -> Tasklet {
    let (channel, trace) = (channel.clone(), trace.clone());
    queued(move || trace.note(format!("{name}{}", channel.receive().unwrap())))
}

#[test]
fn a_lone_sender_waits_and_counts_as_plus_one() {
    isolated(|| {
        let channel = Channel::new();
        let worker = sender(&channel, 1);
        run().unwrap();
        assert!(worker.is_blocked() && worker.is_scheduled() && !worker.is_paused());
        assert_eq!(channel.balance(), 1);
        assert_eq!(channel.receive().unwrap(), 1);
        assert_eq!(channel.balance(), 0);
    });
}

#[test]
fn a_lone_receiver_waits_and_counts_as_minus_one() {
    isolated(|| {
        let (channel, trace) = (Channel::new(), Trace::new());
        let worker = receiver(&channel, &trace, "got ");
        run().unwrap();
        assert!(worker.is_blocked());
        assert_eq!(channel.balance(), -1);
        channel.send(5).unwrap();
        assert_eq!(trace.take(), "got 5");
    });
}

#[test]
fn partners_are_served_first_in_first_out_whatever_their_place_in_the_run_queue() {
    isolated(|| {
        let (channel, trace) = (Channel::new(), Trace::new());
        for name in ["A", "B", "C"] {
            receiver(&channel, &trace, name);
        }
        run().unwrap();
        for n in 0..3 {
            channel.send(n).unwrap();
        }
        assert_eq!(trace.take(), "A0 B1 C2");
        for n in 0..3 {
            sender(&channel, n);
        }
        run().unwrap();
        assert_eq!(channel.balance(), 3);
        let got = [0; 3].map(|_| channel.receive().unwrap());
        assert_eq!(got, [0, 1, 2]);
    });
}

#[test]
fn the_queue_names_the_waiters_oldest_first() {
    isolated(|| {
        let channel = Channel::new();
        assert!(channel.queue().is_empty());
        let (a, b) = (sender(&channel, 1), sender(&channel, 2));
        run().unwrap();
        assert_eq!(channel.queue(), [a, b]);
    });
}

#[test]
fn the_balance_follows_waiters_that_are_killed() {
    isolated(|| {
        let (channel, trace) = (Channel::new(), Trace::new());
        let senders = [sender(&channel, 1), sender(&channel, 2)];
        run().unwrap();
        assert_eq!(channel.balance(), 2);
        senders[0].kill().unwrap();
        assert_eq!(channel.balance(), 1);
        senders[1].kill().unwrap();
        assert_eq!(channel.balance(), 0);
        let receivers = ["A", "B"].map(|name| receiver(&channel, &trace, name));
        run().unwrap();
        assert_eq!(channel.balance(), -2);
        receivers[1].kill().unwrap();
        receivers[0].kill().unwrap();
        assert_eq!(channel.balance(), 0);
        assert_eq!(trace.take(), "");
    });
}

#[test]
fn nobody_waits_anew_in_a_closed_channel() {
    isolated(|| {
        let channel = Channel::new();
        channel.close();
        let refused = channel.send(3).unwrap_err();
        assert!(matches!(refused.kind(), SendErrorKind::Closed));
        assert_eq!(refused.into_inner(), Some(3));
        assert!(matches!(channel.receive(), Err(ReceiveError::Closed)));
        assert!(channel.iter().next().is_none());
        assert!(channel.is_closed() && channel.is_closing());
        assert_eq!(channel.balance(), 0);
    });
}

#[test]
fn a_block_trap_is_reported_before_the_closing() {
    isolated(|| {
        let channel = Channel::new();
        channel.close();
        greenling::current().set_block_trap(true);
        assert!(matches!(
            channel.receive(),
            Err(ReceiveError::Wait(WaitError::BlockTrap))
        ));
        let refused = channel.send(1).unwrap_err();
        assert!(matches!(
            refused.kind(),
            SendErrorKind::Wait(WaitError::BlockTrap)
        ));
        greenling::current().set_block_trap(false);
    });
}

#[test]
fn a_sender_that_waits_in_a_closing_channel_is_still_served() {
    isolated(|| {
        let channel = Channel::new();
        sender(&channel, 9);
        run().unwrap();
        channel.close();
        assert!(channel.is_closing() && !channel.is_closed());
        assert_eq!(channel.receive().unwrap(), 9);
        assert!(channel.is_closed());
        assert!(matches!(channel.receive(), Err(ReceiveError::Closed)));
    });
}

#[test]
fn a_receiver_that_waits_in_a_closing_channel_stays_and_can_be_sent_to() {
    isolated(|| {
        let (channel, trace) = (Channel::new(), Trace::new());
        let worker = receiver(&channel, &trace, "got ");
        run().unwrap();
        channel.close();
        run().unwrap();
        assert!(worker.is_blocked());
        channel.send(4).unwrap();
        assert_eq!(trace.take(), "got 4");
        assert!(channel.is_closed());
    });
}

#[test]
fn a_closing_channel_is_closed_when_its_last_waiter_is_killed() {
    isolated(|| {
        let channel = Channel::new();
        let senders = [sender(&channel, 1), sender(&channel, 2)];
        run().unwrap();
        channel.close();
        senders[0].kill().unwrap();
        assert!(!channel.is_closed());
        senders[1].kill().unwrap();
        assert!(channel.is_closed());
        channel.open();
        let trace = Trace::new();
        let receivers = ["A", "B"].map(|name| receiver(&channel, &trace, name));
        run().unwrap();
        channel.close();
        receivers[0].kill().unwrap();
        assert!(!channel.is_closed());
        receivers[1].kill().unwrap();
        assert!(channel.is_closed());
        assert_eq!(channel.balance(), 0);
    });
}

#[test]
fn open_undoes_close() {
    isolated(|| {
        let channel = Channel::new();
        channel.close();
        channel.open();
        sender(&channel, 6);
        assert_eq!(channel.receive().unwrap(), 6);
    });
}

#[test]
fn iterating_a_closing_channel_drains_its_senders_and_ends() {
    isolated(|| {
        let channel = Channel::new();
        for n in 0..4 {
            sender(&channel, n);
        }
        run().unwrap();
        channel.close();
        let got: Vec<i32> = channel.iter().map(Result::unwrap).collect();
        assert_eq!(got, [0, 1, 2, 3]);
        assert!(channel.is_closed());
    });
}

#[test]
fn trying_never_waits() {
    isolated(|| {
        let (channel, trace) = (Channel::new(), Trace::new());
        assert!(matches!(
            channel.try_send(1),
            Err(TrySendError::WouldBlock(1))
        ));
        assert!(matches!(
            channel.try_receive(),
            Err(TryReceiveError::WouldBlock)
        ));
        assert_eq!(channel.balance(), 0);
        receiver(&channel, &trace, "got ");
        run().unwrap();
        channel.try_send(2).unwrap();
        assert_eq!(trace.take(), "got 2");
        sender(&channel, 3);
        run().unwrap();
        assert_eq!(channel.try_receive().unwrap(), 3);
        channel.close();
        assert!(matches!(channel.try_send(1), Err(TrySendError::Failed(_))));
        assert!(matches!(
            channel.try_receive(),
            Err(TryReceiveError::Failed(ReceiveError::Closed))
        ));
    });
}

#[test]
fn what_was_tried_in_vain_is_an_io_error_of_the_matching_kind() {
    isolated(|| {
        /// Neither `Debug` nor anything else.
        struct Plain;
        let channel = Channel::new();
        let kinds = || {
            let sent: std::io::Error = channel.try_send(Plain).unwrap_err().into();
            let received: std::io::Error = channel.try_receive().err().unwrap().into();
            [sent.kind(), received.kind()]
        };
        assert_eq!(kinds(), [std::io::ErrorKind::WouldBlock; 2]);
        channel.close();
        assert_eq!(kinds(), [std::io::ErrorKind::BrokenPipe; 2]);
    });
}

#[test]
fn a_channel_that_only_its_own_waiter_knows_does_no_harm() {
    let trace = isolated(|| {
        let trace = Trace::new();
        for _ in 0..3 {
            let note = trace.on_drop("unwound");
            queued(move || {
                let _note = note;
                let _ = Channel::<()>::new().receive();
            });
        }
        run().unwrap();
        let nested = trace.clone();
        greenling::spawn(move || nested.note("later"))
            .join()
            .unwrap();
        trace.take()
    });
    assert_eq!(trace, "later", "the waiters are unwound when `enter` ends");
}

#[test]
fn an_operation_that_must_wait_gives_way_to_the_successor() {
    isolated(|| {
        let trace = Trace::new();
        for sends in [true, false] {
            let channel = Channel::new();
            let (inner, waiting) = (trace.clone(), channel.clone());
            queued(move || {
                inner.note("A1");
                let _ = match sends {
                    true => waiting.send(()).is_ok(),
                    false => waiting.receive().is_ok(),
                };
                inner.note("A2");
            });
            queued(trace.noting("B"));
            queued(trace.noting("C"));
            schedule();
            trace.note(format!("main {}", channel.balance()));
            channel.queue()[0].kill().unwrap();
        }
        assert_eq!(trace.take(), "A1 B C main 1 A1 B C main -1");
    });
}

#[test]
fn a_tasklet_that_waits_needs_no_handle_to_stay_alive() {
    isolated(|| {
        let (channel, trace) = (Channel::new(), Trace::new());
        drop(receiver(&channel, &trace, "got "));
        for _ in 0..3 {
            run().unwrap();
        }
        assert_eq!(channel.balance(), -1);
        channel.send(1).unwrap();
        assert_eq!(trace.take(), "got 1");
    });
}
