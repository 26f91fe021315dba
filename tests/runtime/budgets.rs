//! Budgets whose owners end, are thrown at, taken out and inserted; and runs
//! nested by the thousand.

use greenling::{
    Builder, Channel, RunOptions, Tasklet, TaskletError, main_tasklet, run, run_with, schedule,
    schedule_remove, set_error_handler, spawn,
};
use std::cell::{Cell, RefCell};
use std::panic::panic_any;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tests::isolated;

fn switches(count: u64) -> RunOptions {
    RunOptions::new().max_switches(count)
}

/// Gives way for ever.
fn busy() {
    loop {
        schedule();
    }
}

/// A budget can be had again, so the last one was lifted.
fn assert_lifted() {
    let idler = Tasklet::new(busy).setup().unwrap();
    let report = run_with(&switches(2)).unwrap();
    assert!(report.over_budget);
    assert!(report.interrupted.is_some());
    idler.kill().unwrap();
}

#[test]
fn an_owner_that_ends_in_any_way_takes_its_budget_along() {
    isolated(|| {
        type Ending = fn(&Tasklet);
        let endings: [Ending; 7] = [
            |owner| owner.kill().unwrap(),
            |owner| owner.kill_pending().unwrap(),
            |owner| drop(owner.throw("thrown")),
            |owner| owner.throw_pending("thrown").unwrap(),
            |owner| owner.insert().unwrap(),
            |owner| owner.run().unwrap(),
            |owner| {
                owner.insert().unwrap();
                owner.remove().unwrap();
                schedule();
                owner.insert().unwrap();
            },
        ];
        set_error_handler(Some(Rc::new(|_, _| ())));
        for ending in endings {
            for others in [1, 50] {
                let owner = Tasklet::new(|| {
                    let _ = run_with(&switches(1_000_000));
                });
                owner.insert().unwrap();
                let mut busy_ones = vec![];
                for _ in 0..others {
                    busy_ones.push(Tasklet::new(busy).setup().unwrap());
                }
                schedule();
                schedule();
                assert!(owner.is_paused());
                ending(&owner);
                while owner.is_alive() {
                    schedule();
                }
                for tasklet in busy_ones {
                    tasklet.kill().unwrap();
                }
                run().unwrap();
                assert_lifted();
            }
        }
        set_error_handler(None);
        assert_eq!(greenling::inspect::tasklets().len(), 1);
    });
}

#[test]
fn an_owner_that_is_told_of_a_failure_is_told_and_not_also_interrupted() {
    isolated(|| {
        for limit in 1..8 {
            let ran = Rc::new(Cell::new(0));
            for n in 0..4 {
                let ran = ran.clone();
                Tasklet::new(move || {
                    schedule();
                    ran.set(ran.get() + 1);
                    assert!(n % 2 == 0, "failed");
                })
                .setup()
                .unwrap();
            }
            let mut failures = 0;
            loop {
                match run_with(&switches(limit)) {
                    Ok(report) if report.over_budget => {}
                    Ok(_) => break,
                    Err(error) => {
                        assert!(matches!(error, TaskletError::Uncaught(_)));
                        failures += 1;
                    }
                }
            }
            assert_eq!((failures, ran.get()), (2, 4), "{limit}");
            assert_lifted();
        }
    });
}

#[test]
fn an_owner_whose_tasklets_take_it_out_and_put_it_back_loses_no_turn() {
    isolated(|| {
        let main = main_tasklet();
        for limit in [1, 2, 3, 7] {
            let turns = Rc::new(Cell::new(0));
            for _ in 0..5 {
                let (main, turns) = (main.clone(), turns.clone());
                spawn(move || {
                    for turn in 0..10 {
                        turns.set(turns.get() + 1);
                        match turn % 3 {
                            0 => drop(main.insert()),
                            1 => drop(main.remove()),
                            _ => {}
                        }
                        schedule();
                    }
                });
            }
            let mut rounds = 0;
            while turns.get() < 50 || greenling::run_count() > 1 {
                run_with(&switches(limit)).unwrap();
                rounds += 1;
                assert!(rounds < 10_000, "nothing goes on");
            }
            assert_eq!(turns.get(), 50);
            assert_lifted();
        }
    });
}

#[test]
fn runs_are_nested_by_the_thousand_with_and_without_budgets() {
    isolated(|| {
        const DEPTH: u32 = 3_000;
        for budgets in [false, true] {
            let order = Rc::new(RefCell::new(Vec::new()));
            fn nest(level: u32, budgets: bool, order: Rc<RefCell<Vec<u32>>>) {
                let inner = order.clone();
                if level < DEPTH {
                    drop(spawn(move || nest(level + 1, budgets, inner)));
                }
                let report = if budgets {
                    run_with(&switches(1 << 40))
                } else {
                    run()
                };
                assert!(!report.unwrap().over_budget);
                order.borrow_mut().push(level);
            }
            nest(0, budgets, order.clone());
            run().unwrap();
            // The innermost returns first.
            assert!(order.borrow().iter().copied().eq((0..=DEPTH).rev()));
            assert_lifted();
        }
    });
}

#[test]
fn nested_runs_are_unwound_from_the_middle_and_the_others_return() {
    isolated(|| {
        const DEPTH: usize = 1_000;
        let returned = Rc::new(Cell::new(0));
        let runners: Vec<_> = (0..DEPTH)
            .map(|_| {
                let returned = returned.clone();
                let runner = Tasklet::new(move || {
                    run().unwrap();
                    returned.set(returned.get() + 1);
                });
                runner.setup().unwrap()
            })
            .collect();
        let idler = Tasklet::new(busy).setup().unwrap();
        schedule();
        assert!(runners.iter().all(Tasklet::is_paused));
        // It takes those above it along, and those below stay.
        runners[DEPTH / 2].kill().unwrap();
        for _ in 0..3 {
            schedule();
        }
        assert_eq!(returned.get(), DEPTH / 2 - 1);
        assert!(runners[..DEPTH / 2].iter().all(Tasklet::is_paused));
        idler.kill().unwrap();
        // The innermost first, whenever nobody else is runnable and main waits.
        while returned.get() < DEPTH - 1 {
            greenling::time::sleep(Duration::from_micros(1));
        }
        assert!(!runners.iter().any(Tasklet::is_alive));
    });
}

#[test]
fn a_failure_deep_in_nested_runs_reaches_the_innermost_and_passes_up() {
    isolated(|| {
        const DEPTH: u32 = 1_000;
        fn nest(level: u32) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
            if level == DEPTH {
                panic_any("at the bottom");
            }
            Tasklet::new(move || nest(level + 1)).setup().unwrap();
            // It fails by what it is told.
            run_with(&switches(1 << 40)).map(drop).map_err(|error| {
                assert!(matches!(error, TaskletError::Uncaught(_)));
                format!("{level}").into()
            })
        }
        let error = nest(0).unwrap_err();
        assert_eq!(error.to_string(), "0");
        run().unwrap();
        assert_eq!(greenling::inspect::tasklets().len(), 1);
        assert_lifted();
    });
}

#[test]
fn cycles_of_tasklets_and_channels_pass_a_token_round_under_every_budget() {
    isolated(|| {
        const MEMBERS: usize = 1_000;
        const ROUNDS: u32 = 3;
        for limit in [None, Some(1), Some(17)] {
            let channels: Vec<Channel<u32>> = (0..MEMBERS).map(|_| Channel::new()).collect();
            let passed = Rc::new(Cell::new(0));
            let members: Vec<_> = (0..MEMBERS)
                .map(|n| {
                    let (from, to) = (channels[n].clone(), channels[(n + 1) % MEMBERS].clone());
                    let passed = passed.clone();
                    Builder::new()
                        .stack_size(96 << 10)
                        .spawn(move || {
                            loop {
                                let token = from.receive().unwrap();
                                passed.set(passed.get() + 1);
                                if token == 0 {
                                    return;
                                }
                                to.send(token - 1).unwrap();
                            }
                        })
                        .unwrap()
                })
                .collect();
            run().unwrap();
            let steps = MEMBERS as u32 * ROUNDS;
            let first = channels[0].clone();
            let starter = spawn(move || first.send(steps).unwrap());
            loop {
                let options = limit.map_or(RunOptions::new(), switches);
                if !run_with(&options).unwrap().over_budget {
                    break;
                }
            }
            assert_eq!(passed.get(), steps + 1);
            starter.join().unwrap();
            // The rest hold each other: all wait, each channel is held by two
            // tasklets that wait in channels.
            drop(channels);
            for member in &members {
                member.tasklet().kill().unwrap();
            }
            drop(members);
            assert_eq!(greenling::inspect::tasklets().len(), 1);
        }
    });
}

#[test]
fn tasklets_and_channels_that_hold_each_other_end_with_enter() {
    /// What is sent over the channel: its sender, and the channel itself.
    struct Knot {
        _sender: Tasklet,
        _channel: Channel<Knot>,
        _counts: Counts,
    }
    struct Counts(Arc<AtomicUsize>);
    impl Drop for Counts {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let counted = dropped.clone();
    isolated(move || {
        let counts = || Counts(counted.clone());
        for _ in 0..500 {
            // A tasklet that waits in a channel whose only handles it holds,
            // and that is held by itself.
            let own: Rc<RefCell<Option<Tasklet>>> = Rc::default();
            let (channel, count) = (Channel::<()>::new(), counts());
            let itself = own.clone();
            let tasklet = Tasklet::new(move || {
                let _both = (count, itself);
                let _ = channel.receive();
            });
            *own.borrow_mut() = Some(tasklet.clone());
            tasklet.insert().unwrap();
            // Two that send themselves and their channels to nobody.
            for _ in 0..2 {
                let channel = Channel::new();
                let knot = counts();
                spawn(move || {
                    let knot = Knot {
                        _sender: greenling::current(),
                        _channel: channel.clone(),
                        _counts: knot,
                    };
                    channel.send(knot).map_err(drop)
                });
            }
        }
        run().unwrap();
        assert_eq!(counted.load(Ordering::Relaxed), 0);
        assert_eq!(greenling::inspect::tasklets().len(), 1501);
    });
    assert_eq!(dropped.load(Ordering::Relaxed), 1500);
}

#[test]
fn the_limits_of_time_hold_for_tasklets_that_switch_in_every_way() {
    isolated(|| {
        let channel = Channel::new();
        let (sending, receiving) = (channel.clone(), channel.clone());
        let workers = [
            spawn(busy).tasklet(),
            spawn(move || while sending.send(1).is_ok() {}).tasklet(),
            spawn(move || while receiving.receive().is_ok() {}).tasklet(),
            spawn(|| {
                loop {
                    spawn(|| ()).join().unwrap();
                }
            })
            .tasklet(),
            spawn(|| {
                loop {
                    let _ = run();
                }
            })
            .tasklet(),
        ];
        for options in [
            RunOptions::new().max_time(Duration::from_micros(300)),
            RunOptions::new().max_slice(Duration::ZERO),
            switches(0),
        ] {
            for _ in 0..20 {
                assert!(run_with(&options).unwrap().over_budget);
            }
        }
        for worker in workers {
            worker.kill().unwrap();
        }
        run().unwrap();
        assert_lifted();
        schedule_remove();
    });
}
