//! Sequences: sending them, iterating a channel, ending the iteration; and
//! clearing a channel.

use crate::queued;
use greenling::{
    Channel, ReceiveError, SendErrorKind, StopIteration, Tasklet, TaskletError, WaitError, current,
    run, schedule,
};
use tests::{Trace, isolated};

/// Notes each item, and when the iteration has ended.
fn iterating(channel: &Channel<i32>, trace: &Trace) -> Tasklet {
    let (channel, trace) = (channel.clone(), trace.clone());
    queued(move || {
        for item in &channel {
            match item {
                Ok(number) => trace.note(number),
                Err(error) => trace.note(error),
            }
        }
        trace.note("end");
    })
}

#[test]
fn a_sequence_is_sent_item_by_item_and_its_length_returned() {
    isolated(|| {
        let (channel, trace) = (Channel::new(), Trace::new());
        iterating(&channel, &trace);
        let sender = greenling::spawn({
            let (channel, trace) = (channel.clone(), trace.clone());
            move || {
                let count = channel.send_sequence(0..10).unwrap();
                trace.note(format!("sent {count}"));
                channel.send_error(StopIteration).unwrap();
                channel.close();
            }
        });
        sender.join().unwrap();
        run().unwrap();
        assert_eq!(trace.take(), "0 1 2 3 4 5 6 7 8 9 sent 10 end");
        assert!(channel.is_closed());
    });
}

#[test]
fn each_item_of_a_sequence_is_a_send_of_its_own() {
    isolated(|| {
        let (channel, trace) = (Channel::new(), Trace::new());
        let (inner, receiving) = (trace.clone(), channel.clone());
        queued(move || {
            while let Ok(number) = receiving.receive() {
                inner.note(format!("r{number}"));
            }
        });
        let (inner, sending) = (trace.clone(), channel.clone());
        queued(move || {
            let items = (0..3).inspect(|number| inner.note(format!("s{number}")));
            sending.send_sequence(items).unwrap();
        });
        run().unwrap();
        // As producer and consumer of single items do.
        assert_eq!(trace.take(), "s0 r0 s1 r1 s2 r2");
    });
}

#[test]
fn a_sequence_that_is_cut_short_tells_how_much_was_sent_and_keeps_the_rest() {
    isolated(|| {
        let channel = Channel::new();
        let receiving = channel.clone();
        queued(move || {
            for _ in 0..2 {
                receiving.receive().unwrap();
            }
        });
        schedule();
        current().set_block_trap(true);
        let mut items = 10..15;
        let cut = channel.send_sequence(&mut items).unwrap_err();
        current().set_block_trap(false);
        assert_eq!(cut.sent, 2);
        assert!(matches!(
            cut.error.kind(),
            SendErrorKind::Wait(WaitError::BlockTrap)
        ));
        assert_eq!(cut.error.into_inner(), Some(12));
        assert_eq!(items, 13..15);
    });
}

#[test]
fn a_stop_that_is_sent_ends_the_iteration_but_is_an_error_to_a_plain_receive() {
    isolated(|| {
        let (channel, trace) = (Channel::new(), Trace::new());
        iterating(&channel, &trace);
        let receiver = greenling::spawn({
            let channel = channel.clone();
            move || match channel.receive() {
                Err(ReceiveError::Wait(WaitError::Thrown(error))) => error.is::<StopIteration>(),
                other => panic!("{other:?}"),
            }
        });
        schedule();
        // The iterating one is the older: it gets this, and comes back last.
        channel.send(1).unwrap();
        channel.send_error(StopIteration).unwrap();
        assert!(receiver.join().unwrap());
        channel.send_error("an ordinary error").unwrap();
        channel.send_error(StopIteration).unwrap();
        assert_eq!(
            trace.take_list(),
            [
                "1",
                "an error was thrown at the tasklet: an ordinary error",
                "end"
            ]
        );
        assert!(!channel.is_closing());
    });
}

#[test]
fn an_iteration_that_waits_when_its_channel_closes_ends_only_after_another_value() {
    isolated(|| {
        let (channel, trace) = (Channel::new(), Trace::new());
        let iterating = iterating(&channel, &trace);
        let sending = channel.clone();
        queued(move || {
            sending.send_sequence(0..3).unwrap();
            sending.close();
        });
        run().unwrap();
        assert!(iterating.is_blocked() && channel.is_closing() && !channel.is_closed());
        assert_eq!(trace.take(), "0 1 2");
        let mut dummies = 0;
        while !channel.is_closed() {
            channel.send(-1).unwrap();
            dummies += 1;
        }
        assert_eq!((dummies, trace.take().as_str()), (1, "-1 end"));
    });
}

#[test]
fn clearing_a_channel_kills_all_who_wait_in_it_the_oldest_first() {
    isolated(|| {
        let (channel, trace) = (Channel::<i32>::new(), Trace::new());
        for sends in [false, true] {
            for name in ["A", "B", "C"] {
                let (channel, trace) = (channel.clone(), trace.clone());
                queued(move || {
                    let _note = trace.on_drop(name);
                    if sends {
                        let _ = channel.send(1);
                    } else {
                        let _ = channel.receive();
                    }
                });
            }
            schedule();
            queued(trace.noting("X"));
            assert_eq!(channel.clear().unwrap(), 3);
            trace.note(format!("main {}", channel.balance()));
            schedule();
            assert_eq!(trace.take(), "A B C main 0 X");
        }
        assert_eq!(channel.clear().unwrap(), 0);
        assert!(!channel.is_closing());
    });
}

#[test]
fn clearing_spares_main_and_those_whom_an_earlier_kill_has_woken() {
    isolated(|| {
        let (channel, trace) = (Channel::new(), Trace::new());
        let (inner, waiting) = (trace.clone(), channel.clone());
        let first = queued(move || {
            struct Sends(Channel<i32>);
            impl Drop for Sends {
                fn drop(&mut self) {
                    self.0.set_preference(greenling::Preference::Neither);
                    self.0.send(5).unwrap();
                }
            }
            let _last = Sends(waiting.clone());
            let _note = inner.on_drop("A killed");
            let _ = waiting.receive();
        });
        let (inner, waiting) = (trace.clone(), channel.clone());
        let second = queued(move || inner.note(format!("B got {}", waiting.receive().unwrap())));
        schedule();
        let (inner, clearing) = (trace.clone(), channel.clone());
        let main = current();
        queued(move || {
            assert_eq!(clearing.queue(), [first, second, main.clone()]);
            assert_eq!(clearing.clear().unwrap(), 1);
            assert_eq!(clearing.queue(), [main]);
            inner.note("cleared");
            clearing.send(6).unwrap();
        });
        trace.note(format!("main got {}", channel.receive().unwrap()));
        run().unwrap();
        assert_eq!(trace.take(), "A killed cleared B got 5 main got 6");
    });
}

#[test]
fn a_trapped_clear_changes_nothing() {
    isolated(|| {
        let channel = Channel::<i32>::new();
        let waiting = channel.clone();
        queued(move || drop(waiting.receive()));
        schedule();
        let trap = greenling::switch_trap();
        assert!(matches!(channel.clear(), Err(TaskletError::SwitchTrap)));
        assert_eq!(channel.balance(), -1);
        drop(trap);
        assert_eq!(channel.clear().unwrap(), 1);
    });
}
