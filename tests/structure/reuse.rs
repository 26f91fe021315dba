//! Operations that are selected again, and partners that go away meanwhile.

use greenling::select::{Operation, after, poll, select as select_any};
use greenling::{Channel, WaitError, schedule, select, set_channel_callback, spawn, thread};
use std::rc::Rc;
use std::time::Duration;
use tests::isolated;

#[test]
fn an_operation_that_has_taken_place_never_does_again() {
    isolated(|| {
        let (used, other) = (Channel::new(), Channel::new());
        let mut sending = used.sending(1);
        let waiting = used.clone();
        let late = spawn(move || (waiting.receive(), waiting.receive()));
        schedule();
        let first = select! { sent = &mut sending => sent };
        first.unwrap().unwrap();
        for n in 0..2 {
            let receiving = other.clone();
            spawn(move || receiving.receive());
            let taken = select! {
                _ = &mut sending => "again",
                sent = other.sending(n) => { sent.unwrap(); "other" }
            };
            assert_eq!(taken.unwrap(), "other");
        }
        late.tasklet().kill().unwrap();
        assert_eq!(sending.into_inner(), None);
    });
}

#[test]
fn one_to_another_thread_that_has_taken_place_does_not_spin() {
    isolated(|| {
        let (sender, receiver) = thread::channel(2);
        let mut sending = sender.sending(1);
        let first = select! { sent = &mut sending => sent };
        first.unwrap().unwrap();
        let taken = select! {
            _ = &mut sending => "again",
            () = after(Duration::from_millis(1)) => "time",
        };
        assert_eq!(taken.unwrap(), "time");
        assert_eq!(receiver.receive().unwrap(), 1);
    });
}

#[test]
fn an_output_that_was_not_taken_is_not_replaced() {
    isolated(|| {
        let channel = Channel::new();
        for n in 0..2 {
            let channel = channel.clone();
            spawn(move || channel.send(n));
        }
        schedule();
        let mut receiving = channel.receiving();
        for _ in 0..2 {
            assert_eq!(select_any(&mut [&mut receiving]).unwrap(), 0);
        }
        assert_eq!(receiving.take().unwrap().unwrap(), 0);
        assert_eq!(receiving.take().map(drop), None);
        assert_eq!(channel.balance(), 1, "the other sender still waits");
        assert_eq!(channel.receive().unwrap(), 1);
    });
}

#[test]
fn the_arm_that_runs_is_that_of_the_chosen_operation() {
    isolated(|| {
        let (a, b) = (Channel::new(), Channel::new());
        let mut sending = a.sending("a");
        // Taken, but the sender hears of an error: the output stays in there.
        let receiver = spawn({
            let (a, main) = (a.clone(), greenling::current());
            move || {
                let got = a.receive().unwrap();
                main.throw_pending("now").unwrap();
                got
            }
        });
        let failed = select_any(&mut [&mut sending]);
        assert!(matches!(failed, Err(WaitError::Thrown(_))), "{failed:?}");
        assert_eq!(receiver.join().unwrap(), "a");
        let mut arms = [0; 2];
        let mut losses = 0;
        for n in 0..20 {
            let b2 = b.clone();
            let sender = spawn(move || b2.send(n));
            schedule();
            let mut receiving = b.receiving();
            let arm = select! {
                sent = &mut sending => { sent.unwrap(); 0 }
                got = &mut receiving => { assert_eq!(got.unwrap(), n); 1 }
            };
            arms[arm.unwrap()] += 1;
            if !sender.is_finished() && b.balance() == 0 {
                losses += usize::from(receiving.take().is_none());
            }
            // What was not taken is still there.
            if b.balance() == 1 {
                assert_eq!(b.receive().unwrap(), n);
            }
            sender.join().unwrap().unwrap();
        }
        assert_eq!((arms, losses), ([1, 19], 19));
    });
}

#[test]
fn a_partner_that_a_callback_kills_is_not_waited_for() {
    isolated(|| {
        let channel = Channel::<u32>::new();
        for sends in [true, false] {
            let partner = spawn({
                let channel = channel.clone();
                move || {
                    let _ = if sends {
                        channel.send(1).map_err(drop)
                    } else {
                        channel.receive().map(drop).map_err(drop)
                    };
                }
            });
            schedule();
            let victim = partner.tasklet();
            set_channel_callback(Some(Rc::new(move |_| victim.kill_pending().unwrap())));
            let (mut receiving, mut sending) = (channel.receiving(), channel.sending(2));
            let taken = if sends {
                poll(&mut [&mut receiving])
            } else {
                poll(&mut [&mut sending])
            };
            set_channel_callback(None);
            assert_eq!(taken, None);
            assert!(partner.join().unwrap_err().is_killed());
            assert_eq!(channel.balance(), 0);
            assert_eq!(sending.into_inner(), Some(2));
        }
    });
}

#[test]
fn clear_kills_those_that_select_too() {
    isolated(|| {
        let (a, b) = (Channel::<u32>::new(), Channel::<u32>::new());
        for both in [[a.clone(), b.clone()], [b.clone(), a.clone()]] {
            let task = spawn(move || {
                let [first, second] = both;
                select! {
                    _ = first.receiving() => (),
                    _ = second.receiving() => (),
                }
            });
            schedule();
            assert!(task.tasklet().waits_in(&a) && task.tasklet().waits_in(&b));
            assert_eq!(a.clear().unwrap(), 1);
            assert!(task.join().unwrap_err().is_killed());
            assert_eq!((a.balance(), b.balance()), (0, 0));
        }
    });
}

#[test]
fn arms_may_leave_the_function_and_the_loop() {
    fn sum_until_zero(channel: &Channel<u32>) -> Result<u32, WaitError> {
        let mut sum = 0;
        loop {
            sum += select! {
                got = channel.receiving() => match got.unwrap() {
                    0 => break,
                    got => got,
                },
                () = after(Duration::from_secs(60)) => return Ok(0),
            }?;
        }
        Ok(sum)
    }
    isolated(|| {
        let channel = Channel::new();
        let sender = channel.clone();
        spawn(move || sender.send_sequence([4, 5, 0]));
        assert_eq!(sum_until_zero(&channel).unwrap(), 9);
    });
}

#[test]
fn arms_see_the_names_around_them() {
    isolated(|| {
        let channel = Channel::new();
        let (index, value, result, operation, output, error) = (1, 2, 3, 4, 5, 6);
        let sender = channel.clone();
        spawn(move || sender.send(7));
        let sum = select! {
            () = after(Duration::from_secs(60)) => index + value,
            got = channel.receiving() => {
                got.unwrap() + index + value + result + operation + output + error
            }
        };
        assert_eq!(sum.unwrap(), 28);
        let sum = select! { () = after(Duration::ZERO) => index + value, default => result };
        assert_eq!(sum.unwrap(), 3);
    });
}
