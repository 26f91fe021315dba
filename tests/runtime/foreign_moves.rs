//! Tasklets that change threads while several ask for them.

use greenling::thread::{self, Remote, RemoteTasklet};
use greenling::{Tasklet, TaskletError, enter, run, spawn, turn};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::time::Duration;
use tests::isolated;

/// Counts how often something was dropped.
struct Counts(Arc<AtomicUsize>);

impl Drop for Counts {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A thread that keeps turning until it is told to stop.
struct Host {
    remote: Remote,
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<()>,
}

impl Host {
    fn new() -> Host {
        let stop = Arc::new(AtomicBool::new(false));
        let (told, tell) = mpsc::channel();
        let stopping = stop.clone();
        let thread = std::thread::spawn(move || {
            enter(|| {
                told.send(thread::remote().unwrap()).unwrap();
                while !stopping.load(Ordering::Relaxed) {
                    turn(Some(Duration::from_millis(20))).unwrap();
                }
            });
        });
        let remote = tell.recv().unwrap();
        Host {
            remote,
            stop,
            thread,
        }
    }

    fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.remote.wake();
        self.thread.join().unwrap();
    }
}

#[test]
fn many_threads_that_adopt_one_tasklet_pass_it_on_and_it_runs_once() {
    isolated(|| {
        for round in 0..30 {
            const THREADS: usize = 4;
            let (ran, dropped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let (running, counts) = (ran.clone(), Counts(dropped.clone()));
            let tasklet = Tasklet::new_send(move || {
                let _counts = counts;
                running.fetch_add(1, Ordering::Relaxed);
            });
            let there = tasklet.remote().unwrap();
            // Even rounds: only other threads hold it.
            let kept = (round % 2 == 1).then_some(tasklet);
            let left = Arc::new(AtomicUsize::new(THREADS));
            let start = Arc::new(Barrier::new(THREADS));
            let threads: Vec<_> = (0..THREADS)
                .map(|_| {
                    let (there, left, start) = (there.clone(), left.clone(), start.clone());
                    std::thread::spawn(move || {
                        enter(|| {
                            start.wait();
                            let mut adopted = Vec::new();
                            for _ in 0..20 {
                                // Nobody starts it, so it can always be had.
                                match there.bind_thread() {
                                    Ok(tasklet) => adopted.push(tasklet),
                                    Err(error) => panic!("{error}"),
                                }
                            }
                            left.fetch_sub(1, Ordering::Relaxed);
                            while left.load(Ordering::Relaxed) > 0 {
                                turn(Some(Duration::from_micros(100))).unwrap();
                            }
                            let alive = adopted.iter().filter(|it| it.is_alive());
                            alive.map(Tasklet::id).collect::<Vec<_>>()
                        })
                    })
                })
                .collect();
            while left.load(Ordering::Relaxed) > 0 {
                turn(Some(Duration::from_micros(100))).unwrap();
            }
            let alive: Vec<_> = threads
                .into_iter()
                .flat_map(|it| it.join().unwrap())
                .collect();
            assert!(alive.iter().all(|&id| id == there.id()), "{alive:?}");
            assert!(!alive.is_empty());
            drop(kept);
            // The last owner's `enter` has killed it, unstarted.
            assert_eq!(ran.load(Ordering::Relaxed), 0);
            assert_eq!(dropped.load(Ordering::Relaxed), 1, "round {round}");
            assert!(there.bind_thread().is_err());
        }
    });
}

#[test]
fn a_tasklet_that_is_sent_round_while_others_adopt_it_is_never_doubled() {
    isolated(|| {
        let hosts = [Host::new(), Host::new()];
        for _ in 0..100 {
            let ran = Arc::new(AtomicUsize::new(0));
            let running = ran.clone();
            let tasklet = Tasklet::new_send(move || {
                running.fetch_add(1, Ordering::Relaxed);
            });
            let there = tasklet.remote().unwrap();
            let adopting = there.clone();
            let (told, tell) = thread::channel::<Result<(), String>>(1);
            let adopter = hosts[1].remote.spawn(move || {
                let adopted = adopting.bind_thread();
                let result = match &adopted {
                    Ok(_) => Ok(()),
                    Err(error) => Err(error.to_string()),
                };
                told.send(result).unwrap();
                adopted.map(|tasklet| tasklet.insert()).is_ok()
            });
            // Gone already if the adopter was faster.
            let sent = tasklet.bind_thread(&hosts[0].remote);
            assert!(matches!(sent, Ok(_) | Err(TaskletError::Dead)), "{sent:?}");
            drop(tasklet);
            assert_eq!(tell.receive().unwrap(), Ok(()));
            adopter.join().unwrap();
            // Wherever it is now, it runs there, and no twin is anywhere else.
            let at = there.thread_id();
            assert_eq!(at, hosts[1].remote.thread_id());
            let all = hosts.iter().map(|host| {
                let count = host.remote.spawn(|| {
                    run().unwrap();
                    greenling::inspect::tasklets().len()
                });
                count.join().unwrap()
            });
            // Main and the one that counts.
            assert_eq!(all.collect::<Vec<_>>(), [2, 2]);
            assert_eq!(ran.load(Ordering::Relaxed), 1);
        }
        for host in hosts {
            host.end();
        }
    });
}

#[test]
fn requests_follow_a_tasklet_on_its_way() {
    isolated(|| {
        let host = Host::new();
        for _ in 0..200 {
            let (done, ended) = thread::channel(1);
            let tasklet = Tasklet::new_send(move || done.send(()).unwrap());
            let there = tasklet.remote().unwrap();
            let start = Arc::new(Barrier::new(2));
            let (following, ready) = (there.clone(), start.clone());
            let follower = std::thread::spawn(move || {
                ready.wait();
                // Until it is away, its own thread hears of it and is polite.
                while following.thread_id() != Some(std::thread::current().id()) {
                    if following.insert().is_ok() && following.thread_id().is_some() {
                        break;
                    }
                }
            });
            start.wait();
            match tasklet.bind_thread(&host.remote) {
                Ok(moved) => moved.insert().unwrap(),
                // Its thread was asked to insert it before.
                Err(error) => assert!(matches!(error, TaskletError::Scheduled), "{error}"),
            }
            follower.join().unwrap();
            while ended.try_receive().is_err() {
                turn(Some(Duration::from_micros(50))).unwrap();
            }
        }
        host.end();
    });
}

#[test]
fn an_adopter_that_is_here_already_gets_what_is_still_on_its_way() {
    isolated(|| {
        let (told, tell) = thread::channel::<RemoteTasklet>(1);
        let here = thread::remote().unwrap();
        let other = std::thread::spawn(move || {
            let tasklet = Tasklet::new_send(|| ());
            told.send(tasklet.bind_thread(&here).unwrap()).unwrap();
        });
        // The thread ends first, so that the request lies in the inbox.
        other.join().unwrap();
        let mut moved = None;
        while moved.is_none() {
            moved = tell.try_receive().ok();
        }
        let adopted = moved.unwrap().bind_thread().unwrap();
        assert!(adopted.is_paused());
        adopted.run().unwrap();
        turn(Some(Duration::ZERO)).unwrap();
        assert!(!adopted.is_alive());
        drop(adopted);
        assert_eq!(greenling::inspect::tasklets().len(), 1);
    });
}

#[test]
fn adopted_tasklets_leave_no_blocks_behind() {
    isolated(|| {
        let host = Host::new();
        // Blocks are numbered densely, and freed ones reused: ids of stack
        // slots can't grow, nor can what the host's table holds.
        let (counted, drops) = (Arc::new(AtomicUsize::new(0)), 3000);
        for _ in 0..drops {
            let counts = Counts(counted.clone());
            let made = host.remote.spawn(move || {
                let tasklet = Tasklet::new_send(move || drop(counts));
                let remote = tasklet.remote().unwrap();
                tasklet.set_tempval(Last(Some(tasklet.clone()))).unwrap();
                remote
            });
            let adopted = made.join().unwrap().bind_thread().unwrap();
            drop(adopted);
            run().unwrap();
        }
        // The host may still have held the last one when it was dropped here.
        while counted.load(Ordering::Relaxed) < drops {
            turn(Some(Duration::from_millis(1))).unwrap();
        }
        assert_eq!(counted.load(Ordering::Relaxed), drops);
        assert_eq!(greenling::inspect::tasklets().len(), 1);
        let left = host.remote.spawn(|| greenling::inspect::tasklets().len());
        assert_eq!(left.join().unwrap(), 2);
        host.end();
    });
}

/// Holds a tasklet, which holds it: its destructor has the last handle, and
/// makes another tasklet at once.
struct Last(Option<Tasklet>);

impl Drop for Last {
    fn drop(&mut self) {
        drop(self.0.take());
        let spawned = spawn(|| 5);
        let tasklet = spawned.tasklet();
        tasklet.set_tempval(6_u8).unwrap();
        assert_eq!(tasklet.take_tempval::<u8>(), Some(6));
    }
}

#[test]
fn a_function_that_is_not_send_stays_pinned_when_its_tasklet_was_once_movable() {
    isolated(|| {
        let host = Host::new();
        let dropped = Arc::new(AtomicUsize::new(0));
        let tasklet = Tasklet::new_send(|| ());
        tasklet.run().unwrap();
        run().unwrap();
        let counts = Counts(dropped.clone());
        let (not_send, ran) = (Rc::new(counts), Rc::new(Cell::new(false)));
        let running = ran.clone();
        let bound = tasklet.bind(move || {
            drop(not_send);
            running.set(true);
        });
        bound.unwrap();
        let refused = tasklet.bind_thread(&host.remote);
        assert!(matches!(refused, Err(TaskletError::Pinned)), "{refused:?}");
        assert_eq!(dropped.load(Ordering::Relaxed), 0);
        tasklet.run().unwrap();
        assert!(ran.get());
        host.end();
    });
}

#[test]
fn a_function_outlives_its_thread_and_is_dropped_with_the_last_who_could_run_it() {
    isolated(|| {
        for adopts in [true, false] {
            let (ran, dropped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let (running, counts) = (ran.clone(), Counts(dropped.clone()));
            let owner = std::thread::spawn(move || {
                let tasklet = Tasklet::new_send(move || {
                    let _counts = counts;
                    running.fetch_add(1, Ordering::Relaxed);
                });
                // Queued, or not: it has not started.
                if adopts {
                    tasklet.insert().unwrap();
                }
                tasklet.remote().unwrap()
            });
            let there = owner.join().unwrap();
            assert_eq!(dropped.load(Ordering::Relaxed), 0);
            if adopts {
                let tasklet = there.bind_thread().unwrap();
                assert_eq!(tasklet, there.bind_thread().unwrap());
                tasklet.run().unwrap();
                assert_eq!(ran.load(Ordering::Relaxed), 1);
            } else {
                drop(there);
                assert_eq!(ran.load(Ordering::Relaxed), 0);
            }
            assert_eq!(dropped.load(Ordering::Relaxed), 1);
        }
    });
}
