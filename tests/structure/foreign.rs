//! `select!` over what other threads do.

use greenling::select::after;
use greenling::{Channel, Shutdown, WaitError, schedule, select, spawn, thread, time};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use tests::isolated;

#[test]
fn a_value_from_another_thread_and_one_from_this_are_never_taken_together() {
    isolated(|| {
        let (sender, receiver) = thread::channel(2);
        let local = Channel::new();
        let far = std::thread::spawn(move || {
            for n in 0..500u32 {
                sender.send(n).unwrap();
            }
        });
        let near = spawn({
            let local = local.clone();
            move || {
                for n in 0..500u32 {
                    local.send(n).unwrap();
                }
            }
        });
        let (mut from_far, mut from_near) = (Vec::new(), Vec::new());
        while from_far.len() + from_near.len() < 1000 {
            select! {
                value = receiver.receiving() => if let Ok(value) = value { from_far.push(value) },
                value = local.receiving() => from_near.push(value.unwrap()),
            }
            .unwrap();
        }
        let all: Vec<_> = (0..500).collect();
        assert_eq!((&from_far, &from_near), (&all, &all));
        near.join().unwrap();
        far.join().unwrap();
    });
}

#[test]
fn a_wake_up_that_is_not_used_goes_to_the_next_receiver() {
    isolated(|| {
        let (sender, receiver) = thread::channel(1);
        let chooser = spawn({
            let receiver = receiver.clone();
            move || {
                select! {
                    _ = receiver.receiving() => "value",
                    () = after(Duration::from_millis(1)) => "time",
                }
            }
        });
        let plain = spawn(move || receiver.receive());
        schedule();
        assert_eq!(chooser.join().unwrap().unwrap(), "time");
        sender.send(5).unwrap();
        assert_eq!(plain.join().unwrap().unwrap(), 5);
    });
}

#[test]
fn a_shutdown_ends_the_wait_for_work() {
    isolated(|| {
        let (stop, work) = (Shutdown::new(), Channel::<()>::new());
        let trigger = stop.clone();
        let worker = spawn(move || {
            select! {
                _ = work.receiving() => false,
                () = stop.triggering() => true,
            }
        });
        schedule();
        std::thread::spawn(move || trigger.trigger())
            .join()
            .unwrap();
        assert!(worker.join().unwrap().unwrap());
    });
}

#[test]
fn a_time_limit_around_it_takes_nothing() {
    isolated(|| {
        let (sender, receiver) = thread::channel(1);
        let result = time::timeout(Duration::from_millis(1), || {
            select! { value = receiver.receiving() => value }
        });
        let inner = result.unwrap_err().into_inner();
        assert!(matches!(inner, Err(WaitError::TimedOut)));
        sender.send(1).unwrap();
        assert_eq!(receiver.receive().unwrap(), 1);
    });
}

#[test]
fn senders_that_select_share_room_with_plain_ones_and_lose_nothing() {
    isolated(|| {
        for capacity in [0, 1, 3] {
            let (sender, receiver) = thread::channel(capacity);
            let senders: Vec<_> = (0..4u32)
                .map(|who| {
                    let sender = sender.clone();
                    std::thread::spawn(move || {
                        for n in 0..100 {
                            let value = who * 1000 + n;
                            if who % 2 == 0 {
                                sender.send(value).unwrap();
                                continue;
                            }
                            let never = Channel::<()>::new();
                            select! {
                                sent = sender.sending(value) => sent.unwrap(),
                                _ = never.receiving() => unreachable!(),
                            }
                            .unwrap();
                        }
                    })
                })
                .collect();
            drop(sender);
            let mut next = [0; 4];
            for turn in 0..400 {
                let value = if turn % 3 == 0 {
                    receiver.receive().unwrap()
                } else {
                    select! { value = receiver.receiving() => value.unwrap() }.unwrap()
                };
                let (who, n) = (value as usize / 1000, value % 1000);
                assert_eq!(n, next[who], "capacity {capacity}");
                next[who] += 1;
            }
            assert_eq!(next, [100; 4]);
            senders
                .into_iter()
                .for_each(|sender| sender.join().unwrap());
            let closed = select! { value = receiver.receiving() => value };
            assert!(closed.unwrap().is_err());
        }
    });
}

#[test]
fn without_capacity_a_value_goes_only_to_who_waits_for_it() {
    isolated(|| {
        let (sender, receiver) = thread::channel(0);
        assert!(sender.try_send(1).is_err(), "nobody waits");
        let waiting = spawn(move || receiver.receive());
        schedule();
        sender.try_send(2).unwrap();
        assert_eq!(waiting.join().unwrap().unwrap(), 2);
        let gone = select! { sent = sender.sending(3) => sent };
        assert_eq!(gone.unwrap().unwrap_err().into_inner(), 3);
    });
}

#[test]
fn what_is_always_ready_does_not_keep_the_thread() {
    isolated(|| {
        let (sender, receiver) = thread::channel::<u32>(0);
        drop(sender);
        let others = Rc::new(Cell::new(0));
        let seen = others.clone();
        let other = spawn(move || {
            for _ in 0..3 {
                seen.set(seen.get() + 1);
                schedule();
            }
        });
        // The closed end of a channel is ready for ever.
        while others.get() < 2 {
            select! { _ = receiver.receiving() => () }.unwrap();
        }
        let (sender, receiver) = thread::channel(usize::MAX);
        while others.get() < 3 {
            sender.send(1).unwrap();
            receiver.receive().unwrap();
        }
        other.join().unwrap();
    });
}

#[test]
fn a_newcomer_does_not_overtake_a_send_that_waits_behind_one_who_selects() {
    isolated(|| {
        let (sender, receiver) = thread::channel(1);
        sender.send(0).unwrap();
        let chooser = spawn({
            let sender = sender.clone();
            move || select! { sent = sender.sending(1) => sent.unwrap() }.unwrap()
        });
        let plain = |value| {
            let sender = sender.clone();
            spawn(move || sender.send(value).unwrap())
        };
        let second = plain(2);
        schedule();
        // Room is made, and the newcomer's turn comes before that of the first.
        assert_eq!(receiver.receive().unwrap(), 0);
        let third = plain(3);
        schedule();
        let rest: Vec<_> = (0..3).map(|_| receiver.receive().unwrap()).collect();
        // Who selects sends when it runs; the order of the others is theirs.
        let plain: Vec<_> = rest.iter().filter(|&&value| value > 1).collect();
        assert_eq!((plain, rest.len()), (vec![&2, &3], 3));
        for task in [chooser, second, third] {
            task.join().unwrap();
        }
    });
}
