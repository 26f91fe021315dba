//! Buffered channels: the balance, the order, closing, and values that outlive
//! those who were to receive them.

use greenling::port::QueueChannel;
use greenling::time::timeout;
use greenling::{
    ReceiveError, SendErrorKind, TryReceiveError, TrySendError, WaitError, current, run, schedule,
    schedule_remove, spawn, switch_trap,
};
use std::time::Duration;
use tests::{Trace, isolated};

/// Starts a receiver that notes what it gets.
fn receiver(queue: &QueueChannel<u32>, trace: &Trace, name: &'static str) -> greenling::Tasklet {
    let (queue, trace) = (queue.clone(), trace.clone());
    let handle = spawn(move || match queue.receive() {
        Ok(value) => trace.note(format!("{name}{value}")),
        Err(error) => trace.note(format!("{name}: {error}")),
    });
    handle.tasklet()
}

#[test]
fn the_balance_counts_the_buffer_and_senders_or_else_receivers() {
    isolated(|| {
        let (queue, trace) = (QueueChannel::bounded(2), Trace::new());
        assert_eq!(queue.balance(), 0);
        for expected in [-1, -2] {
            receiver(&queue, &trace, "r");
            schedule();
            assert_eq!(queue.balance(), expected);
        }
        // Values for those who wait don't count, though they have not run.
        for expected in [-1, 0, 1, 2] {
            queue.send(0).unwrap();
            assert_eq!(queue.balance(), expected);
        }
        let sending = queue.clone();
        let sender = spawn(move || sending.send(9));
        schedule();
        assert_eq!(queue.balance(), 3);
        assert_eq!(queue.len(), 2);
        assert_eq!(queue.queue(), [sender.tasklet()]);
        for expected in [2, 1, 0] {
            queue.receive().unwrap();
            assert_eq!(queue.balance(), expected);
        }
        sender.join().unwrap().unwrap();
        assert_eq!(trace.take(), "r0 r0");
    });
}

#[test]
fn a_send_never_switches_while_there_is_room_nor_a_receive_while_there_are_values() {
    isolated(|| {
        let (queue, trace) = (QueueChannel::unbounded(), Trace::new());
        receiver(&queue, &trace, "r");
        schedule();
        queue.send(1).unwrap();
        trace.note("sent");
        queue.send(2).unwrap();
        // The first is for the one that waits.
        assert_eq!(queue.receive().unwrap(), 2);
        trace.note("received");
        run().unwrap();
        assert_eq!(trace.take(), "sent received r1");
    });
}

#[test]
fn values_and_errors_are_received_in_the_order_of_sending() {
    isolated(|| {
        let queue = QueueChannel::bounded(2);
        let sending = queue.clone();
        let sender = spawn(move || {
            for n in 0..6 {
                if n % 2 == 0 {
                    sending.send(n).unwrap();
                } else {
                    sending.send_error(format!("{n}")).unwrap();
                }
            }
        });
        for n in 0..6 {
            match queue.receive() {
                Ok(value) => assert_eq!((value, n % 2), (n, 0)),
                Err(ReceiveError::Wait(WaitError::Thrown(error))) => {
                    assert_eq!((error.to_string(), n % 2), (format!("{n}"), 1));
                }
                Err(error) => panic!("{error}"),
            }
        }
        sender.join().unwrap();
    });
}

#[test]
fn without_a_capacity_a_send_waits_for_its_receiver() {
    isolated(|| {
        let (queue, trace) = (QueueChannel::bounded(0), Trace::new());
        assert!(matches!(
            queue.try_send(1),
            Err(TrySendError::WouldBlock(1))
        ));
        let (sending, note) = (queue.clone(), trace.clone());
        spawn(move || {
            sending.send(1).unwrap();
            note.note("sent");
        });
        run().unwrap();
        assert_eq!(trace.take(), "");
        assert_eq!(queue.balance(), 1);
        assert_eq!(queue.receive().unwrap(), 1);
        run().unwrap();
        assert_eq!(trace.take(), "sent");
        receiver(&queue, &trace, "r");
        run().unwrap();
        queue.try_send(2).unwrap();
        run().unwrap();
        assert_eq!(trace.take(), "r2");
        assert_eq!(queue.balance(), 0);
    });
}

#[test]
fn a_value_whose_receiver_ends_before_it_runs_goes_to_the_next_in_its_place() {
    isolated(|| {
        let (queue, trace) = (QueueChannel::unbounded(), Trace::new());
        let [a, b, _c, _d] = ["a", "b", "c", "d"].map(|name| receiver(&queue, &trace, name));
        run().unwrap();
        queue.send(1).unwrap();
        queue.send(2).unwrap();
        queue.send(3).unwrap();
        // a and b have been woken: one is killed, one is thrown at.
        a.kill_pending().unwrap();
        b.throw_pending("up").unwrap();
        run().unwrap();
        assert_eq!(queue.balance(), 1);
        assert_eq!(
            trace.take(),
            "b: an error was thrown at the tasklet: up c1 d2"
        );
        assert_eq!(queue.try_receive().unwrap(), 3);
    });
}

#[test]
fn values_nobody_is_left_for_stay_in_their_order() {
    isolated(|| {
        let (queue, trace) = (QueueChannel::unbounded(), Trace::new());
        let tasks = ["a", "b"].map(|name| receiver(&queue, &trace, name));
        run().unwrap();
        for n in 1..=3 {
            queue.send(n).unwrap();
        }
        for task in tasks {
            task.kill_pending().unwrap();
        }
        run().unwrap();
        let left: Vec<u32> = std::iter::from_fn(|| queue.try_receive().ok()).collect();
        assert_eq!(left, [1, 2, 3]);
    });
}

#[test]
fn a_sender_that_gives_up_takes_its_value_with_it() {
    isolated(|| {
        let queue = QueueChannel::bounded(1);
        queue.send("first").unwrap();
        let result = timeout(Duration::from_millis(1), || queue.send("second"));
        let error = result.unwrap_err().into_inner().unwrap_err();
        assert!(matches!(
            error.kind(),
            SendErrorKind::Wait(WaitError::TimedOut)
        ));
        assert_eq!(error.into_inner(), Some("second"));
        assert_eq!(queue.balance(), 1);
        assert_eq!(queue.receive().unwrap(), "first");
        assert!(matches!(
            queue.try_receive(),
            Err(TryReceiveError::WouldBlock)
        ));
    });
}

#[test]
fn closing_wakes_nobody_serves_who_waits_and_drains() {
    isolated(|| {
        let (queue, trace) = (QueueChannel::unbounded(), Trace::new());
        receiver(&queue, &trace, "r");
        run().unwrap();
        queue.close();
        run().unwrap();
        assert!(queue.is_closing() && !queue.is_closed());
        assert_eq!(queue.balance(), -1);
        queue.send(1).unwrap();
        run().unwrap();
        assert_eq!(trace.take(), "r1");
        assert!(queue.is_closed());
        let error = queue.send(2).unwrap_err();
        assert!(matches!(error.kind(), SendErrorKind::Closed));
        assert_eq!(error.into_inner(), Some(2));
        assert!(matches!(queue.receive(), Err(ReceiveError::Closed)));
        queue.open();
        queue.send(3).unwrap();
        queue.send_error("four").unwrap();
        queue.close();
        assert!(!queue.is_closed());
        let items: Vec<_> = queue
            .iter()
            .map(|item| item.map_err(|e| e.to_string()))
            .collect();
        let thrown = "an error was thrown at the tasklet: four";
        assert_eq!(items, [Ok(3), Err(thrown.to_owned())]);
    });
}

/// Takes all that is left when it is dropped.
struct Drain(QueueChannel<u32>, Trace);

impl Drop for Drain {
    fn drop(&mut self) {
        self.0.close();
        for item in &self.0 {
            match item {
                Ok(value) => self.1.note(value),
                Err(error) => return self.1.note(error),
            }
        }
        self.1.note("end");
    }
}

#[test]
fn what_is_left_can_be_taken_where_nobody_may_wait() {
    isolated(|| {
        let trace = Trace::new();
        let queue = QueueChannel::unbounded();
        queue.send(1).unwrap();
        let drain = Drain(queue, trace.clone());
        let dies = spawn(move || {
            let _drain = drain;
            schedule_remove();
        });
        schedule();
        dies.tasklet().kill().unwrap();
        assert_eq!(trace.take(), "1 end");
        let _trap = switch_trap();
        drop(Drain(QueueChannel::unbounded(), trace.clone()));
        assert_eq!(trace.take(), "end");
    });
}

#[test]
fn a_block_trap_forbids_waiting_and_nothing_else() {
    isolated(|| {
        let queue = QueueChannel::bounded(1);
        current().set_block_trap(true);
        queue.send(1).unwrap();
        let error = queue.send(2).unwrap_err();
        assert!(matches!(
            error.kind(),
            SendErrorKind::Wait(WaitError::BlockTrap)
        ));
        assert_eq!(queue.receive().unwrap(), 1);
        let error = queue.receive().unwrap_err();
        assert!(matches!(error, ReceiveError::Wait(WaitError::BlockTrap)));
        current().set_block_trap(false);
        assert_eq!(queue.balance(), 0);
    });
}
