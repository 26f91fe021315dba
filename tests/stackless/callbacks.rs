//! Callbacks: what they see, and what they may not do.

use crate::queued;
use greenling::{
    Channel, ChannelCallback, ChannelEvent, Preference, ScheduleCallback, Tasklet,
    channel_callback, current, error_handler, main_tasklet, run, schedule, schedule_callback,
    schedule_remove, set_channel_callback, set_error_handler, set_schedule_callback,
};
use std::cell::RefCell;
use std::panic::{panic_any, resume_unwind};
use std::rc::Rc;
use tests::{Trace, isolated, logs};

fn named(name: &str, f: impl FnOnce() + 'static) -> Tasklet {
    let tasklet = greenling::Builder::new().name(name).tasklet(f).unwrap();
    tasklet.setup().unwrap()
}

fn name(tasklet: &Tasklet) -> String {
    tasklet.name().unwrap_or("?".into())
}

/// Notes each switch as `prev>next`.
fn switches(trace: &Trace) -> ScheduleCallback {
    let trace = trace.clone();
    Rc::new(move |prev, next| trace.note(format!("{}>{}", name(prev), name(next))))
}

/// Notes each operation: who, what, and whether it waits.
fn operations(trace: &Trace) -> ChannelCallback {
    let trace = trace.clone();
    Rc::new(move |event: &ChannelEvent<'_>| {
        let operation = if event.sending { "sends" } else { "receives" };
        let waits = if event.will_block { "-waits" } else { "" };
        trace.note(format!("{}-{operation}{waits}", name(event.tasklet)));
    })
}

#[test]
fn the_schedule_callback_sees_every_switch_in_order_with_who_leaves_and_who_comes() {
    isolated(|| {
        let trace = Trace::new();
        assert!(set_schedule_callback(Some(switches(&trace))).is_none());
        for name in ["A", "B"] {
            let trace = trace.clone();
            named(name, move || {
                for turn in 1..=2 {
                    trace.note(format!("{name}{turn}"));
                    schedule();
                }
            });
        }
        assert_eq!(trace.take(), "", "nothing has been switched yet");
        run().unwrap();
        assert_eq!(
            trace.take(),
            "main>A A1 A>B B1 B>A A2 A>B B2 B>A A>B B>main",
            "also away from those that end"
        );
        schedule();
        assert_eq!(trace.take(), "", "never when the next is the one before");
        set_schedule_callback(None);
        schedule();
        named("C", || ());
        run().unwrap();
        assert_eq!(trace.take(), "");
    });
}

#[test]
fn the_one_that_is_left_may_have_ended_and_is_seen_to() {
    isolated(|| {
        let seen: Rc<RefCell<Vec<(bool, bool)>>> = Rc::default();
        let notes = seen.clone();
        set_schedule_callback(Some(Rc::new(move |prev, next| {
            notes.borrow_mut().push((prev.is_alive(), next.is_alive()));
        })));
        queued(|| ());
        run().unwrap();
        set_schedule_callback(None);
        assert_eq!(*seen.borrow(), [(true, true), (false, true)]);
    });
}

#[test]
fn the_schedule_callback_sees_switches_of_every_kind() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::new();
        let receiving = channel.clone();
        let worker = named("W", move || {
            receiving.receive().unwrap();
            schedule_remove();
        });
        set_schedule_callback(Some(switches(&trace)));
        schedule();
        assert_eq!(trace.take(), "main>W W>main", "it waits in the channel");
        channel.send(()).unwrap();
        assert_eq!(trace.take(), "main>W W>main", "a hand-over");
        worker.kill().unwrap();
        assert_eq!(trace.take(), "main>W W>main", "a kill");
        named("S", || main_tasklet().run().unwrap())
            .switch()
            .unwrap();
        assert_eq!(trace.take(), "main>S S>main", "a direct switch");
        run().unwrap();
        assert_eq!(trace.take(), "main>S S>main", "a run");
        set_schedule_callback(None);
    });
}

#[test]
fn a_tasklet_that_waits_for_the_world_and_is_the_next_to_run_makes_no_switch() {
    isolated(|| {
        let trace = Trace::new();
        set_schedule_callback(Some(switches(&trace)));
        greenling::time::sleep(std::time::Duration::from_millis(1));
        assert_eq!(trace.take(), "");
        assert!(Channel::<()>::new().receive().is_err(), "a deadlock");
        set_schedule_callback(None);
        assert_eq!(trace.take(), "");
    });
}

#[test]
fn setting_a_callback_returns_the_one_before_and_it_can_be_asked_for() {
    isolated(|| {
        let trace = Trace::new();
        let (first, second) = (switches(&trace), switches(&trace));
        assert!(schedule_callback().is_none() && channel_callback().is_none());
        assert!(set_schedule_callback(Some(first.clone())).is_none());
        assert!(Rc::ptr_eq(&schedule_callback().unwrap(), &first));
        let before = set_schedule_callback(Some(second.clone())).unwrap();
        assert!(Rc::ptr_eq(&before, &first));
        let before = set_schedule_callback(None).unwrap();
        assert!(Rc::ptr_eq(&before, &second));
        assert!(schedule_callback().is_none());
        let observer = operations(&trace);
        assert!(set_channel_callback(Some(observer.clone())).is_none());
        assert!(Rc::ptr_eq(&channel_callback().unwrap(), &observer));
        assert!(Rc::ptr_eq(&set_channel_callback(None).unwrap(), &observer));
        assert!(channel_callback().is_none() && error_handler().is_none());
        set_error_handler(Some(Rc::new(|_, _| ())));
        assert!(error_handler().is_some());
        set_error_handler(None);
    });
}

#[test]
fn a_callback_belongs_to_its_thread() {
    isolated(|| {
        set_schedule_callback(Some(Rc::new(|_, _| panic!("not here"))));
        set_channel_callback(Some(Rc::new(|_| panic!("nor here"))));
        let elsewhere = std::thread::spawn(|| {
            let channel = Channel::new();
            let sending = channel.clone();
            queued(move || sending.send(1).unwrap());
            (channel.receive().unwrap(), schedule_callback().is_none())
        });
        assert_eq!(elsewhere.join().unwrap(), (1, true));
        set_schedule_callback(None);
        set_channel_callback(None);
    });
}

#[test]
fn a_panic_of_a_callback_is_logged_and_disturbs_nothing() {
    isolated(|| {
        logs::keep();
        let trace = Trace::new();
        let channel = Channel::new();
        let (inner, sending) = (trace.clone(), channel.clone());
        queued(move || {
            sending.send("value").unwrap();
            inner.note("sent");
        });
        set_schedule_callback(Some(Rc::new(|_, _| panic_any("schedule broken"))));
        set_channel_callback(Some(Rc::new(|_| resume_unwind(Box::new("channel broken")))));
        trace.note(channel.receive().unwrap());
        run().unwrap();
        set_schedule_callback(None);
        set_channel_callback(None);
        assert_eq!(trace.take(), "value sent");
        let lines = logs::take();
        let count = |text| lines.iter().filter(|line| line.contains(text)).count();
        // main>W W>main for the value, and again for the rest of W.
        assert_eq!(count("schedule broken"), 4, "{lines:#?}");
        assert_eq!(count("channel broken"), 2, "{lines:#?}");
    });
}

#[test]
fn inside_a_callback_nothing_switches_and_no_channel_can_be_used() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::new();
        let waiting = channel.clone();
        let receiver = named("R", move || drop(waiting.receive()));
        schedule();
        let worker = Tasklet::new(trace.noting("worker ran"));
        channel.set_preference(Preference::Neither);
        let (inner, refused) = (trace.clone(), channel.clone());
        let meddle = move || {
            schedule();
            schedule_remove();
            inner.note(run().is_ok_and(|report| report.paused == 0));
            inner.note(worker.run().is_err());
            inner.note(worker.switch().is_err());
            inner.note(receiver.kill().is_err());
            inner.note(refused.send(1).is_err());
            inner.note(refused.receive().is_err());
        };
        let all_refused = ["false", "true", "true", "true", "true", "true"];
        let in_schedule = meddle.clone();
        set_schedule_callback(Some(Rc::new(move |_, _| in_schedule())));
        queued(|| ());
        schedule();
        set_schedule_callback(None);
        assert_eq!(trace.take_list(), [all_refused, all_refused].concat());
        set_channel_callback(Some(Rc::new(move |_| meddle())));
        channel.send(2).unwrap();
        set_channel_callback(None);
        assert_eq!(trace.take_list(), all_refused);
        assert_eq!(channel.balance(), 0, "the operation itself took place");
    });
}

#[test]
fn the_channel_callback_sees_who_does_what_where_before_it_takes_effect() {
    isolated(|| {
        let trace = Trace::new();
        let channel = Channel::new();
        let id = channel.id();
        assert_ne!(Channel::<i32>::new().id(), id);
        let (inner, same) = (trace.clone(), channel.clone());
        set_channel_callback(Some(Rc::new(move |event: &ChannelEvent<'_>| {
            assert_eq!(event.channel, id);
            assert!(event.tasklet.is_current());
            inner.note(format!("{} at {}", name(event.tasklet), same.balance()));
        })));
        let sending = channel.clone();
        named("S", move || sending.send(42).unwrap());
        assert_eq!(channel.receive().unwrap(), 42);
        assert_eq!(trace.take(), "main at 0 S at -1");
        set_channel_callback(None);
        channel.close();
        assert!(channel.receive().is_err());
        assert_eq!(trace.take(), "");
    });
}

#[test]
fn the_channel_callback_is_told_whether_the_operation_will_wait() {
    isolated(|| {
        let trace = Trace::new();
        set_channel_callback(Some(operations(&trace)));
        for sender_first in [true, false] {
            let channel = Channel::new();
            let sending = channel.clone();
            let send = move || named("S", move || sending.send(1).unwrap());
            let receiving = channel.clone();
            let receive = move || named("R", move || drop(receiving.receive()));
            if sender_first {
                send();
                receive();
            } else {
                receive();
                send();
            }
            run().unwrap();
        }
        set_channel_callback(None);
        assert_eq!(
            trace.take(),
            "S-sends-waits R-receives R-receives-waits S-sends"
        );
    });
}

#[test]
fn a_callback_may_replace_or_remove_itself() {
    isolated(|| {
        let trace = Trace::new();
        let (inner, after) = (trace.clone(), switches(&trace));
        set_schedule_callback(Some(Rc::new(move |_, _| {
            inner.note("first");
            set_schedule_callback(Some(after.clone()));
        })));
        named("A", || ());
        run().unwrap();
        assert_eq!(trace.take(), "first A>main");
        let inner = trace.clone();
        set_schedule_callback(Some(Rc::new(move |_, _| {
            inner.note("only");
            set_schedule_callback(None);
        })));
        named("B", || assert!(!current().is_main()));
        run().unwrap();
        assert_eq!(trace.take(), "only");
    });
}
