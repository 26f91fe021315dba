//! Callbacks that do what a callback should not: nothing that they try may
//! switch, unlink somebody half, or outlive its tasklet.

use greenling::thread::remote;
use greenling::{
    Channel, RunOptions, Tasklet, TaskletError, current, enter, main_tasklet, on_system_stack, run,
    run_blocking, run_with, schedule, schedule_remove, set_channel_callback, set_error_handler,
    set_schedule_callback, spawn, turn,
};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::rc::Rc;
use std::time::Duration;
use tests::{Trace, isolated, logs};

greenling::local! {
    static NUMBER: Cell<u32> = Cell::new(0);
}

/// A few tasklets that switch in every way: turns, channels, direct runs, ends
/// and kills.
fn traffic() -> u32 {
    let channel = Channel::new();
    let (sending, sum) = (channel.clone(), Rc::new(Cell::new(0)));
    let sender = spawn(move || sending.send_sequence(1..=10).map_err(drop));
    let adding = sum.clone();
    let receiver = spawn(move || {
        for _ in 0..10 {
            adding.set(adding.get() + channel.receive().unwrap());
            schedule();
        }
    });
    let paused = Tasklet::new(schedule_remove);
    paused.run().unwrap();
    let nested = spawn(|| {
        spawn(schedule);
        run().map(drop)
    });
    run().unwrap();
    assert!(paused.is_paused());
    paused.kill().unwrap();
    assert!(!paused.is_alive());
    receiver.join().unwrap();
    nested.join().unwrap().unwrap();
    assert_eq!(sender.join().unwrap(), Ok(10));
    sum.get()
}

/// Every call that may switch, and many that may not.
fn try_everything(tasklet: &Tasklet) {
    let channel = Channel::<u8>::new();
    assert!(channel.receive().is_err() && channel.send(1).is_err());
    assert!(channel.send_sequence([1, 2]).is_err() && channel.iter().next().unwrap().is_err());
    assert!(run().is_err() && run_blocking().is_err());
    assert!(turn(Some(Duration::ZERO)).is_err());
    assert!(run_with(&RunOptions::new().max_switches(1)).is_err());
    schedule();
    schedule_remove();
    greenling::time::sleep(Duration::from_secs(3600));
    let other = Tasklet::new(|| ());
    assert!(other.run().is_err() && other.switch().is_err());
    assert!(matches!(other.kill(), Err(TaskletError::SwitchTrap)));
    assert!(other.throw("no").is_err());
    assert!(spawn(|| ()).join().is_err());
    assert_eq!(on_system_stack(|| [1_u8; 4096].len()), 4096);
    assert_eq!(enter(|| 3), 3);
    NUMBER.with(|number| number.set(number.get() + 1));
    let _ = greenling::time::timeout(Duration::ZERO, schedule);
    let _ = tasklet.set_tempval(7_u8);
    let _ = tasklet.take_tempval::<u8>();
    drop(tasklet.atomic());
    drop(greenling::defer_kill());
    let _ = (tasklet.next(), tasklet.prev(), tasklet.remote());
    let _ = greenling::inspect::tasklets();
    remote().unwrap().wake();
    let _ = greenling::set_queue_order(greenling::QueueOrder::Ring);
}

#[test]
fn a_schedule_callback_can_try_everything() {
    isolated(|| {
        logs::keep();
        let calls = Rc::new(Cell::new(0));
        let counting = calls.clone();
        set_schedule_callback(Some(Rc::new(move |prev, next| {
            counting.set(counting.get() + 1);
            // It makes tasklets, and so switches.
            if counting.get() < 100 {
                try_everything(prev);
                try_everything(next);
            }
        })));
        let sum = traffic();
        set_schedule_callback(None);
        assert_eq!(sum, 55);
        assert!(calls.get() > 20);
        run().unwrap();
        assert_eq!(greenling::run_count(), 1);
        let panicked = logs::take();
        let panicked: Vec<_> = panicked
            .iter()
            .filter(|it| it.contains("panicked"))
            .collect();
        assert!(panicked.is_empty(), "{panicked:?}");
    });
}

#[test]
fn a_channel_callback_can_try_everything() {
    isolated(|| {
        let calls = Rc::new(Cell::new(0));
        let counting = calls.clone();
        set_channel_callback(Some(Rc::new(move |event| {
            counting.set(counting.get() + 1);
            try_everything(event.tasklet);
        })));
        let sum = traffic();
        set_channel_callback(None);
        assert_eq!((sum, calls.get()), (55, 20));
        run().unwrap();
        assert_eq!(greenling::run_count(), 1);
    });
}

#[test]
fn the_native_stack_is_not_overwritten_by_a_callback_on_the_way_away_from_main() {
    isolated(|| {
        let sum = Rc::new(Cell::new(0_u64));
        let adding = sum.clone();
        set_schedule_callback(Some(Rc::new(move |_, _| {
            let filled = on_system_stack(|| std::hint::black_box([7_u8; 16 << 10])[9]);
            adding.set(adding.get() + u64::from(filled));
        })));
        // Main has never been suspended, then it has, elsewhere.
        let frame = std::hint::black_box([1_u8; 4096]);
        spawn(|| ()).join().unwrap();
        let deeper = || {
            let frame = std::hint::black_box([2_u8; 32 << 10]);
            spawn(|| ()).join().unwrap();
            assert!(frame.iter().all(|&byte| byte == 2));
        };
        deeper();
        spawn(|| ()).join().unwrap();
        set_schedule_callback(None);
        assert!(frame.iter().all(|&byte| byte == 1));
        assert_eq!(sum.get(), 6 * 7);
    });
}

#[test]
fn a_tasklet_that_is_bound_again_while_it_is_left_for_ever_is_not_lost() {
    isolated(|| {
        for inserts in [false, true] {
            let trace = Trace::new();
            let (noting, name) = (trace.clone(), "again");
            set_schedule_callback(Some(Rc::new(move |prev, _| {
                if prev.is_alive() || prev.is_main() {
                    return;
                }
                let (again, dropped) = (noting.clone(), noting.on_drop("dropped"));
                set_schedule_callback(None);
                let bound = prev.bind(move || {
                    let _dropped = dropped;
                    again.note(name);
                });
                bound.unwrap();
                if inserts {
                    prev.insert().unwrap();
                }
            })));
            // Nobody holds it but itself.
            drop(Tasklet::new(|| ()).setup().unwrap());
            run().unwrap();
            set_schedule_callback(None);
            // Blocks that were given back too early would be handed out twice.
            let others: Vec<_> = (0..8).map(|n| spawn(move || n)).collect();
            run().unwrap();
            let sum: i32 = others.into_iter().map(|it| it.join().unwrap()).sum();
            assert_eq!(sum, 28);
            let expected = if inserts { "again dropped" } else { "dropped" };
            assert_eq!(trace.take(), expected);
            assert_eq!(greenling::inspect::tasklets().len(), 1);
        }
    });
}

#[test]
fn a_callback_kills_throws_at_and_removes_those_it_is_shown() {
    isolated(|| {
        logs::keep();
        for what in 0..6 {
            let ends = Rc::new(Cell::new(0));
            set_schedule_callback(Some(Rc::new(move |prev, next| {
                for tasklet in [prev, next] {
                    if tasklet.is_main() {
                        continue;
                    }
                    match what {
                        0 => drop(tasklet.kill()),
                        1 => drop(tasklet.kill_pending()),
                        2 => drop(tasklet.throw("thrown")),
                        3 => drop(tasklet.throw_pending("thrown")),
                        4 => drop(tasklet.remove()),
                        _ if !tasklet.is_alive() => {}
                        _ => drop(tasklet.unbind().and_then(|()| tasklet.bind(|| ()))),
                    }
                }
            })));
            set_error_handler(Some(Rc::new(|_, _| ())));
            struct Ends(Rc<Cell<u32>>);
            impl Drop for Ends {
                fn drop(&mut self) {
                    self.0.set(self.0.get() + 1);
                }
            }
            for _ in 0..10 {
                let end = Ends(ends.clone());
                let tasklet = Tasklet::new(move || {
                    let _end = end;
                    for _ in 0..3 {
                        schedule();
                    }
                });
                drop(tasklet.setup().unwrap());
            }
            run().unwrap();
            set_schedule_callback(None);
            set_error_handler(None);
            run().unwrap();
            assert_eq!(ends.get(), 10, "{what}");
            assert_eq!(greenling::inspect::tasklets().len(), 1, "{what}");
        }
    });
}

#[test]
fn who_is_next_is_not_running_yet_for_a_kill_from_a_callback() {
    isolated(|| {
        logs::keep();
        let trace = Trace::new();
        set_schedule_callback(Some(Rc::new(|_, next| {
            if !next.is_main() {
                next.kill_pending().unwrap();
            }
        })));
        let noting = trace.clone();
        let dropped = trace.on_drop("dropped");
        let victim = spawn(move || {
            let _dropped = dropped;
            noting.note("ran");
        });
        schedule();
        set_schedule_callback(None);
        assert!(victim.join().unwrap_err().is_killed());
        assert_eq!(trace.take(), "dropped");
        assert_eq!(logs::take(), Vec::<String>::new());
    });
}

#[test]
fn a_callback_that_spawns_thousands_and_drops_all_handles_leaves_nothing() {
    isolated(|| {
        let left = Rc::new(Cell::new(5_000));
        let (counting, ran) = (left.clone(), Rc::new(Cell::new(0)));
        let running = ran.clone();
        set_schedule_callback(Some(Rc::new(move |prev, next| {
            let _both = (prev.clone(), next.clone());
            if counting.get() > 0 {
                counting.set(counting.get() - 1);
                let running = running.clone();
                spawn(move || running.set(running.get() + 1));
                drop(Tasklet::new(|| ()));
            }
        })));
        while left.get() > 0 {
            spawn(|| ());
            run().unwrap();
        }
        set_schedule_callback(None);
        run().unwrap();
        assert_eq!(ran.get(), 5_000);
        assert_eq!(greenling::inspect::tasklets().len(), 1);
    });
}

#[test]
fn a_callback_that_goes_while_it_runs_may_do_anything_in_its_destructor() {
    struct Last(Trace);
    impl Drop for Last {
        fn drop(&mut self) {
            self.0.note("dropped");
            set_schedule_callback(None);
            set_channel_callback(None);
            spawn(|| ());
            schedule();
            assert!(run().is_err());
            panic_any("on drop");
        }
    }
    isolated(|| {
        logs::keep();
        let trace = Trace::new();
        let last = Last(trace.clone());
        set_schedule_callback(Some(Rc::new(move |_, _| {
            let _ = &last;
            set_schedule_callback(None);
        })));
        spawn(|| ()).join().unwrap();
        assert_eq!(trace.take(), "dropped");
        let last = Last(trace.clone());
        set_channel_callback(Some(Rc::new(move |_| {
            let _ = &last;
            set_channel_callback(None);
        })));
        assert!(Channel::<()>::new().receive().is_err());
        assert_eq!(trace.take(), "dropped");
        let last = Last(trace.clone());
        set_error_handler(Some(Rc::new(move |_, _| {
            let _ = &last;
            set_error_handler(None);
        })));
        Tasklet::new(|| panic_any("failed")).setup().unwrap();
        let failed = run();
        assert!(failed.is_ok() || matches!(failed, Err(TaskletError::Uncaught(_))));
        assert_eq!(trace.take(), "dropped");
        set_error_handler(None);
        run().unwrap();
    });
}

#[test]
fn a_callback_may_leave_a_switch_trap_or_a_held_back_kill_behind() {
    isolated(|| {
        let kept = Rc::new(RefCell::new(Vec::new()));
        let keeping = kept.clone();
        set_schedule_callback(Some(Rc::new(move |_, next| {
            if !next.is_main() {
                keeping
                    .borrow_mut()
                    .push((greenling::defer_kill(), next.atomic()));
            }
        })));
        for _ in 0..3 {
            spawn(schedule);
        }
        run().unwrap();
        set_schedule_callback(None);
        // Those they were for have ended.
        assert_eq!(kept.borrow().len(), 6);
        kept.borrow_mut().clear();
        assert_eq!(greenling::inspect::tasklets().len(), 1);
        let trap = Rc::new(RefCell::new(None));
        let keeping = trap.clone();
        set_channel_callback(Some(Rc::new(move |_| {
            *keeping.borrow_mut() = Some(greenling::switch_trap());
        })));
        let channel = Channel::<()>::new();
        let refused = channel.receive().unwrap_err().to_string();
        set_channel_callback(None);
        assert!(refused.contains("switch"), "{refused}");
        trap.take();
        spawn(move || channel.send(()).is_ok());
        assert_eq!(main_tasklet(), current());
    });
}

#[test]
fn callbacks_and_a_budget_together_lose_nobody() {
    isolated(|| {
        let seen = Rc::new(Cell::new(0));
        let counting = seen.clone();
        set_schedule_callback(Some(Rc::new(move |prev, next| {
            assert!(prev != next);
            counting.set(counting.get() + 1);
            if !prev.is_main() {
                let _ = prev.remove().and_then(|()| prev.insert());
            }
            let _ = next.kill();
        })));
        logs::keep();
        let ended = Rc::new(Cell::new(0));
        for _ in 0..20 {
            let ended = ended.clone();
            spawn(move || {
                for _ in 0..5 {
                    schedule();
                }
                ended.set(ended.get() + 1);
            });
        }
        let mut runs = 0;
        loop {
            let budget = RunOptions::new().max_switches(3);
            let result = catch_unwind(AssertUnwindSafe(|| run_with(&budget)));
            runs += 1;
            if !result.unwrap().unwrap().over_budget {
                break;
            }
        }
        set_schedule_callback(None);
        assert_eq!(ended.get(), 20);
        assert!(runs > 20 && seen.get() > 100, "{runs} {seen:?}");
        assert_eq!(greenling::inspect::tasklets().len(), 1);
    });
}
