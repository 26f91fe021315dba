//! Many threads at once: nothing lost, nothing doubled, no wake-up missing.

use greenling::thread::{SendError, channel};
use greenling::time::timeout;
use greenling::{Shutdown, enter, schedule, spawn};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tests::isolated;

/// A stream of numbers that differs from run to run of a loop only.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[test]
fn many_producers_and_consumers_lose_and_double_nothing() {
    const EACH: u64 = 400;
    isolated(|| {
        for capacity in [0, 1, 5] {
            let (sender, receiver) = channel(capacity);
            let mut threads = Vec::new();
            for producer in 0..4u64 {
                let sender = sender.clone();
                threads.push(std::thread::spawn(move || {
                    let send = move |number| {
                        sender.send((producer, number)).unwrap();
                    };
                    if producer % 2 == 0 {
                        return (0..EACH).for_each(send);
                    }
                    enter(|| {
                        // Two tasklets of one thread share the producer.
                        let send = std::rc::Rc::new(send);
                        let other = send.clone();
                        let task = spawn(move || (0..EACH / 2).for_each(|n| other(n * 2)));
                        (0..EACH / 2).for_each(|n| send(n * 2 + 1));
                        task.join().unwrap();
                    });
                }));
            }
            drop(sender);
            let mut consumers = Vec::new();
            for consumer in 0..3 {
                let receiver = receiver.clone();
                consumers.push(std::thread::spawn(move || {
                    if consumer == 0 {
                        return receiver.iter().collect::<Vec<_>>();
                    }
                    enter(|| {
                        let other = receiver.clone();
                        let task = spawn(move || other.iter().collect::<Vec<_>>());
                        let mut got: Vec<_> = receiver.iter().collect();
                        got.extend(task.join().unwrap());
                        got
                    })
                }));
            }
            drop(receiver);
            threads
                .into_iter()
                .for_each(|thread| thread.join().unwrap());
            let mut seen = HashMap::new();
            for consumer in consumers {
                for value in consumer.join().unwrap() {
                    *seen.entry(value).or_insert(0) += 1;
                }
            }
            assert_eq!(seen.len() as u64, 4 * EACH);
            assert!(seen.values().all(|&count| count == 1));
        }
    });
}

#[test]
fn each_producers_values_stay_in_order() {
    isolated(|| {
        let (sender, receiver) = channel(3);
        let threads: Vec<_> = (0..4)
            .map(|producer| {
                let sender = sender.clone();
                std::thread::spawn(move || {
                    (0..2000).for_each(|number| sender.send((producer, number)).unwrap());
                })
            })
            .collect();
        drop(sender);
        let mut next = [0; 4];
        for (producer, number) in receiver.iter() {
            assert_eq!(number, next[producer]);
            next[producer] += 1;
        }
        assert_eq!(next, [2000; 4]);
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn kills_and_time_limits_in_the_middle_lose_nothing() {
    // Every value is counted where it ends: received, given back by a time
    // limit, or gone with a killed sender that says so by dropping it.
    struct Value {
        ended: Arc<AtomicU64>,
    }
    impl Drop for Value {
        fn drop(&mut self) {
            self.ended.fetch_add(1, Ordering::SeqCst);
        }
    }
    isolated(|| {
        for capacity in [0, 1, 3] {
            let ended = Arc::new(AtomicU64::new(0));
            let (sender, receiver) = channel::<Value>(capacity);
            let producer = std::thread::spawn({
                let ended = ended.clone();
                move || {
                    enter(|| {
                        let mut made = 0;
                        let mut random = Random(88_172_645_463_325_252);
                        for _ in 0..300 {
                            made += 1;
                            let value = Value {
                                ended: ended.clone(),
                            };
                            let sender = sender.clone();
                            let task = spawn(move || {
                                match timeout(Duration::from_micros(300), || sender.send(value)) {
                                    Ok(sent) => drop(sent),
                                    Err(elapsed) => {
                                        drop(elapsed.into_inner().map_err(SendError::into_inner));
                                    }
                                }
                            });
                            for _ in 0..random.below(4) {
                                schedule();
                            }
                            if random.below(4) == 0 {
                                // It may have ended already.
                                let _ = task.tasklet().kill();
                            }
                        }
                        // The rest is waited for, so that none is cut short.
                        while greenling::inspect::tasklets().len() > 1 {
                            greenling::time::sleep(Duration::from_micros(100));
                        }
                        made
                    })
                }
            });
            let mut random = Random(362_436_069);
            let consumers: Vec<_> = (0..3)
                .map(|_| {
                    let receiver = receiver.clone();
                    let patience = Duration::from_micros(50 + random.below(300));
                    spawn(move || {
                        loop {
                            match timeout(patience, || receiver.receive()) {
                                Ok(Ok(value)) => drop(value),
                                Ok(Err(_)) => return,
                                Err(elapsed) => match elapsed.into_inner() {
                                    Ok(value) => drop(value),
                                    Err(greenling::thread::ReceiveError::Closed) => return,
                                    Err(_) => {}
                                },
                            }
                        }
                    })
                })
                .collect();
            drop(receiver);
            consumers.into_iter().for_each(|task| task.join().unwrap());
            let made = producer.join().unwrap();
            assert_eq!(ended.load(Ordering::SeqCst), made);
        }
    });
}

#[test]
fn no_wake_up_through_the_inbox_is_missed() {
    // Ping-pong without capacity: every message needs a wake-up in each
    // direction, of a thread that is just about to sleep.
    isolated(|| {
        let mut threads = Vec::new();
        let mut tasks = Vec::new();
        for plain in [true, false, true, false] {
            let (out, inn) = channel::<u32>(0);
            let (back, answers) = channel::<u32>(0);
            threads.push(std::thread::spawn(move || {
                let serve = || inn.iter().for_each(|number| back.send(number + 1).unwrap());
                if plain { serve() } else { enter(serve) }
            }));
            tasks.push(spawn(move || {
                for number in 0..1500 {
                    out.send(number).unwrap();
                    assert_eq!(answers.receive().unwrap(), number + 1);
                }
            }));
        }
        tasks.into_iter().for_each(|task| task.join().unwrap());
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn a_shutdown_reaches_whoever_begins_to_wait_at_that_moment() {
    isolated(|| {
        for round in 0..300u64 {
            let stop = Shutdown::new();
            let trigger = stop.clone();
            let thread = std::thread::spawn(move || {
                for _ in 0..round % 50 {
                    std::hint::spin_loop();
                }
                trigger.trigger();
            });
            let waiters = [stop.clone(), stop.clone()].map(|stop| spawn(move || stop.wait()));
            let plain = std::thread::spawn({
                let stop = stop.clone();
                move || stop.wait()
            });
            stop.wait().unwrap();
            for waiter in waiters {
                waiter.join().unwrap().unwrap();
            }
            plain.join().unwrap().unwrap();
            thread.join().unwrap();
            assert!(stop.is_triggered());
        }
    });
}

#[test]
fn remote_spawns_from_many_threads_all_run() {
    isolated(|| {
        let home = greenling::thread::remote().unwrap();
        let (done, results) = channel(0);
        let threads: Vec<_> = (0..4u64)
            .map(|thread| {
                let (home, done) = (home.clone(), done.clone());
                std::thread::spawn(move || {
                    for number in 0..300 {
                        let done = done.clone();
                        drop(home.spawn(move || done.send(thread * 1000 + number).unwrap()));
                    }
                })
            })
            .collect();
        drop((home, done));
        let mut got: Vec<_> = results.iter().collect();
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        got.sort_unstable();
        let expected: Vec<_> = (0..4)
            .flat_map(|thread| (0..300).map(move |number| thread * 1000 + number))
            .collect();
        assert_eq!(got, expected);
    });
}
