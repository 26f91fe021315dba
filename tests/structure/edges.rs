//! `select!` where it may not wait, and whoever cuts it short.

use greenling::select::{Operation, after, at, poll, select as select_any};
use greenling::{
    Channel, ReceiveError, SendErrorKind, WaitError, current, defer_kill, on_system_stack,
    schedule, select, set_channel_callback, spawn, switch_trap,
};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tests::isolated;

const LONG: Duration = Duration::from_secs(3600);

#[test]
fn where_nothing_may_switch_only_what_is_ready_takes_place() {
    isolated(|| {
        let never = Channel::<u32>::new();
        let mut sending = never.sending(4);
        let try_all = |expected: &str| {
            let mut receiving = never.receiving();
            let error = select_any(&mut [&mut receiving, &mut after(LONG)]).unwrap_err();
            assert_eq!(format!("{error:?}"), expected);
            assert_eq!(poll(&mut [&mut receiving]), None);
            let due = select! { () = after(Duration::ZERO) => 1 };
            assert_eq!(due.unwrap(), 1);
        };
        on_system_stack(|| try_all("SwitchTrap"));
        let trap = switch_trap();
        try_all("SwitchTrap");
        let error = select_any(&mut [&mut sending]).unwrap_err();
        assert!(matches!(error, WaitError::SwitchTrap));
        drop(trap);
        assert_eq!(sending.into_inner(), Some(4), "nothing is lost");
        struct InUnwind<F: Fn()>(F);
        impl<F: Fn()> Drop for InUnwind<F> {
            fn drop(&mut self) {
                (self.0)();
            }
        }
        let result = catch_unwind(AssertUnwindSafe(|| {
            let _in_unwind = InUnwind(|| try_all("Unwinding"));
            panic!("now");
        }));
        assert_eq!(result.unwrap_err().downcast_ref(), Some(&"now"));
        assert_eq!(never.balance(), 0);
    });
}

#[test]
fn a_block_trap_refuses_channels_and_keeps_the_value() {
    isolated(|| {
        let channel = Channel::new();
        let mut sending = channel.sending("kept");
        current().set_block_trap(true);
        let refused = select_any(&mut [&mut after(LONG), &mut sending]);
        assert!(matches!(refused, Err(WaitError::BlockTrap)));
        // What does not use a channel may wait.
        select! { () = after(Duration::from_millis(1)) => () }.unwrap();
        current().set_block_trap(false);
        assert_eq!(sending.into_inner(), Some("kept"));
        assert_eq!(channel.balance(), 0);
    });
}

#[test]
fn nothing_to_wait_for_is_a_deadlock() {
    isolated(|| {
        assert!(matches!(select_any(&mut []), Err(WaitError::Deadlock)));
        assert_eq!(poll(&mut []), None);
        // Whatever other threads could do, they do not know of this one.
        let alone = Channel::<()>::new();
        let alone = select! { _ = alone.receiving() => () };
        assert!(matches!(alone, Err(WaitError::Deadlock)));
    });
}

#[test]
fn ones_own_end_never_comes() {
    isolated(|| {
        let handle = Rc::new(RefCell::new(None));
        let own = handle.clone();
        let task = spawn(move || {
            let own = own.borrow();
            let own: &greenling::JoinHandle<bool> = own.as_ref().unwrap();
            let over = select! {
                () = own.ending() => false,
                () = after(Duration::from_millis(1)) => true,
            };
            over.unwrap()
        });
        *handle.borrow_mut() = Some(task);
        while !handle.borrow().as_ref().unwrap().is_finished() {
            select! { () = after(Duration::from_millis(1)) => () }.unwrap();
        }
        assert!(handle.take().unwrap().join().unwrap());
    });
}

#[test]
fn a_closed_channel_is_ready_and_says_so() {
    isolated(|| {
        let channel = Channel::<u32>::new();
        channel.close();
        let got = select! { got = channel.receiving() => got }.unwrap();
        assert!(matches!(got, Err(ReceiveError::Closed)));
        let sent = select! { sent = channel.sending(1) => sent }
            .unwrap()
            .unwrap_err();
        assert!(matches!(sent.kind(), SendErrorKind::Closed));
        assert_eq!(sent.into_inner(), Some(1));
    });
}

#[test]
fn an_error_that_is_thrown_or_sent_arrives_where_it_belongs() {
    isolated(|| {
        let channel = Channel::<u32>::new();
        let chooser = || {
            let channel = channel.clone();
            spawn(move || {
                let mut receiving = channel.receiving();
                match select_any(&mut [&mut receiving, &mut after(LONG)]) {
                    Ok(0) => format!("output {}", receiving.take().unwrap().unwrap_err()),
                    other => format!("select {}", other.unwrap_err()),
                }
            })
        };
        let (sent, thrown) = (chooser(), chooser());
        schedule();
        channel.send_error("parcel").unwrap();
        thrown.tasklet().throw("thrown").unwrap();
        assert!(sent.join().unwrap().starts_with("output "));
        let thrown = thrown.join().unwrap();
        assert!(
            thrown.starts_with("select ") && thrown.ends_with("thrown"),
            "{thrown}"
        );
        assert_eq!(channel.balance(), 0);
    });
}

#[test]
fn one_that_was_served_and_then_killed_or_thrown_at_drops_the_value_once() {
    struct Value(Rc<Cell<u32>>);
    impl Drop for Value {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    isolated(|| {
        let (channel, drops) = (Channel::new(), Rc::new(Cell::new(0)));
        channel.set_preference(greenling::Preference::Neither);
        for kills in [true, false] {
            drops.set(0);
            let waiting = channel.clone();
            let chooser = spawn(move || {
                let mut receiving = waiting.receiving();
                let failed = select_any(&mut [&mut receiving, &mut after(LONG)]);
                assert!(receiving.take().is_none());
                failed.is_err()
            });
            schedule();
            channel.send(Value(drops.clone())).unwrap();
            let tasklet = chooser.tasklet();
            let hit = if kills {
                tasklet.kill_pending()
            } else {
                tasklet.throw_pending("now")
            };
            hit.unwrap();
            assert_eq!(chooser.join().is_err(), kills);
            assert_eq!((drops.get(), channel.balance()), (1, 0));
        }
    });
}

#[test]
fn the_next_in_line_gets_what_comes_after() {
    isolated(|| {
        let (a, b) = (Channel::new(), Channel::<u32>::new());
        let order = Rc::new(RefCell::new(Vec::new()));
        for n in 0..6 {
            let (a, b, order) = (a.clone(), b.clone(), order.clone());
            spawn(move || {
                let got: u32 = if n % 2 == 0 {
                    a.receive().unwrap()
                } else {
                    select! { x = b.receiving() => x, x = a.receiving() => x }
                        .unwrap()
                        .unwrap()
                };
                order.borrow_mut().push((n, got));
            });
        }
        schedule();
        (0..6).for_each(|value| a.send(value).unwrap());
        assert_eq!(*order.borrow(), (0..6).map(|n| (n, n)).collect::<Vec<_>>());
        assert_eq!((a.balance(), b.balance()), (0, 0));
    });
}

#[test]
fn another_tasklet_may_select_the_same_operation_later() {
    isolated(|| {
        let channel = Channel::new();
        greenling::scope(|s| {
            let sending = channel.sending(5);
            let moved = s.spawn(move || {
                let mut sending = sending;
                let first = select! {
                    _ = &mut sending => true,
                    () = after(Duration::ZERO) => false,
                };
                (first.unwrap(), sending)
            });
            let (first, mut sending) = moved.join().unwrap();
            assert!(!first);
            let receiver = s.spawn(|| channel.receive().unwrap());
            select! { sent = &mut sending => sent.unwrap() }.unwrap();
            assert_eq!(receiver.join().unwrap(), 5);
            assert_eq!(sending.into_inner(), None);
        });
    });
}

#[test]
fn callbacks_see_what_takes_place_and_what_waits_and_can_kill_there() {
    isolated(|| {
        let channel = Channel::<u32>::new();
        let seen = Rc::new(RefCell::new(Vec::new()));
        let noting = seen.clone();
        set_channel_callback(Some(Rc::new(move |event| {
            noting.borrow_mut().push((event.sending, event.will_block));
        })));
        let waiting = channel.clone();
        let chooser = spawn(move || select! { got = waiting.receiving() => got.unwrap() });
        schedule();
        select! { sent = channel.sending(1) => sent.unwrap() }.unwrap();
        assert_eq!(chooser.join().unwrap().unwrap(), 1);
        assert_eq!(*seen.borrow(), [(false, true), (true, false)]);
        // One that is killed while it gets ready.
        set_channel_callback(Some(Rc::new(|event| {
            let _ = event.tasklet.kill_pending();
        })));
        let (other, waiting) = (Channel::<u32>::new(), channel.clone());
        let theirs = other.clone();
        let victim = spawn(move || {
            select! {
                _ = waiting.receiving() => (),
                _ = theirs.sending(2) => (),
            }
        });
        assert!(victim.join().unwrap_err().is_killed());
        set_channel_callback(None);
        assert_eq!((channel.balance(), other.balance()), (0, 0));
    });
}

#[test]
fn kills_that_are_held_back_come_after_it() {
    isolated(|| {
        let channel = Channel::<u32>::new();
        let waiting = channel.clone();
        let chooser = spawn(move || {
            let held = defer_kill();
            let got = select! { got = waiting.receiving() => got.unwrap() }.unwrap();
            drop(held);
            schedule();
            got
        });
        schedule();
        chooser.tasklet().kill_pending().unwrap();
        channel.send(1).unwrap();
        assert!(chooser.join().unwrap_err().is_killed());
    });
}

#[test]
fn timers_by_the_clock_and_never() {
    isolated(|| {
        let due = Instant::now() + Duration::from_millis(1);
        let first = select! {
            () = after(Duration::MAX) => "never",
            () = at(due) => "due",
        };
        assert_eq!(first.unwrap(), "due");
        assert!(Instant::now() >= due);
    });
}

#[test]
fn many_operations() {
    isolated(|| {
        let channels: Vec<_> = (0..1000).map(|_| Channel::new()).collect();
        for n in [0, 999, 500] {
            let sender = channels[n].clone();
            spawn(move || sender.send(n).unwrap());
            let mut operations: Vec<_> = channels.iter().map(Channel::receiving).collect();
            let mut all: Vec<_> = operations.iter_mut().map(|one| one as _).collect();
            assert_eq!(select_any(&mut all).unwrap(), n);
            assert_eq!(operations[n].take().unwrap().unwrap(), n);
        }
        assert!(channels.iter().all(|channel| channel.balance() == 0));
    });
}
