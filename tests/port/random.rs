//! Random use against simple models.

use greenling::port::{Clock, EventHandle, EventQueue, QueueChannel};
use greenling::{Tasklet, run, schedule, spawn};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;
use tests::isolated;

/// Xorshift: the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }
}

/// A time of the model: soon, or at some second.
type Due = Option<u64>;

#[test]
fn an_event_queue_agrees_with_a_sorted_map() {
    isolated(|| {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let clock = Clock::virtual_from_zero();
        let events = EventQueue::new(&clock);
        let called: Rc<RefCell<Vec<u64>>> = Rc::default();
        let mut model: BTreeMap<(Due, u64), u64> = BTreeMap::new();
        let mut handles: Vec<(EventHandle, (Due, u64))> = Vec::new();
        for number in 0..20_000 {
            let now = clock.now().as_secs();
            let called_later = called.clone();
            let call = move || called_later.borrow_mut().push(number);
            match random.below(8) {
                0..=2 => {
                    let delay = random.below(9) as u64;
                    let handle = events.call_later(Duration::from_secs(delay), call);
                    model.insert((Some(now + delay), number), number);
                    handles.push((handle, (Some(now + delay), number)));
                }
                3 => {
                    let handle = events.call_soon(call);
                    model.insert((None, number), number);
                    handles.push((handle, (None, number)));
                }
                4 if !handles.is_empty() => {
                    let (handle, key) = handles.swap_remove(random.below(handles.len()));
                    assert_eq!(handle.cancel(), model.remove(&key).is_some());
                }
                5 => clock.advance(Duration::from_secs(random.below(3) as u64)),
                6 if random.below(10) == 0 => {
                    // None sorts before every time, in both.
                    events.postpone(Duration::from_secs(2));
                    let later = |(due, n): (Due, u64)| (due.map(|at| at + 2), n);
                    model = model.into_iter().map(|(key, n)| (later(key), n)).collect();
                    handles.iter_mut().for_each(|(_, key)| *key = later(*key));
                }
                _ => {
                    let rest = model.split_off(&(Some(now), u64::MAX));
                    let due = std::mem::replace(&mut model, rest);
                    assert_eq!(events.pump(), due.len());
                    assert!(called.take().into_iter().eq(due.into_values()));
                }
            }
            assert_eq!(events.len(), model.len());
            let now = clock.now().as_secs();
            let next = model
                .first_key_value()
                .map(|((due, _), _)| due.unwrap_or(now));
            assert_eq!(events.next_due().map(|due| due.as_secs()), next);
        }
    });
}

/// What became of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Its sender was killed while it waited.
    Unknown,
    Sent,
    Returned,
}

#[test]
fn a_queue_channel_loses_nothing_whoever_is_killed_thrown_at_or_late() {
    for capacity in 0..4 {
        isolated(move || play(capacity, Random(0x2545_f491_4f6c_dd1d + capacity as u64)));
    }
}

fn play(capacity: usize, mut random: Random) {
    let queue: QueueChannel<usize> = QueueChannel::bounded(capacity);
    let fates: Rc<RefCell<Vec<Fate>>> = Rc::default();
    let received: Rc<RefCell<Vec<usize>>> = Rc::default();
    let waiting = Rc::new(Cell::new(0));
    let mut tasks: Vec<Tasklet> = Vec::new();
    for _ in 0..20_000 {
        match random.below(7) {
            0 | 1 => {
                let (queue, received) = (queue.clone(), received.clone());
                let receiver = spawn(move || {
                    let result = queue.receive();
                    received.borrow_mut().extend(result.ok());
                });
                tasks.push(receiver.tasklet());
            }
            2 | 3 => {
                let (queue, fates) = (queue.clone(), fates.clone());
                let sender = spawn(move || {
                    let number = fates.borrow().len();
                    fates.borrow_mut().push(Fate::Unknown);
                    let fate = match queue.send(number) {
                        Ok(()) => Fate::Sent,
                        // Without its value, that has been taken.
                        Err(error) => match error.into_inner() {
                            Some(_) => Fate::Returned,
                            None => Fate::Sent,
                        },
                    };
                    fates.borrow_mut()[number] = fate;
                });
                tasks.push(sender.tasklet());
            }
            4 if !tasks.is_empty() => {
                let victim = tasks.swap_remove(random.below(tasks.len()));
                victim.kill_pending().unwrap();
            }
            5 if !tasks.is_empty() => {
                let victim = &tasks[random.below(tasks.len())];
                if victim.is_blocked() || victim.is_scheduled() {
                    victim.throw_pending("up").unwrap();
                }
            }
            _ => schedule(),
        }
        tasks.retain(Tasklet::is_alive);
        let balance = queue.balance();
        let waiters = queue.queue().len();
        if balance < 0 {
            assert_eq!(waiters, balance.unsigned_abs());
        } else {
            assert_eq!(waiters + queue.len(), balance.unsigned_abs());
        }
        waiting.set(waiting.get().max(waiters));
    }
    // Those that wait are served, or give their values.
    while queue.balance() < 0 {
        let number = fates.borrow().len();
        fates.borrow_mut().push(Fate::Sent);
        queue.send(number).unwrap();
        run().unwrap();
    }
    run().unwrap();
    let mut left = Vec::new();
    while let Ok(number) = queue.try_receive() {
        left.push(number);
    }
    run().unwrap();
    assert!(left.is_sorted(), "out of order: {left:?}");
    assert_eq!(queue.balance(), 0);
    let mut times = vec![0; fates.borrow().len()];
    for number in received.take().into_iter().chain(left) {
        times[number] += 1;
    }
    for (number, (&times, &fate)) in times.iter().zip(&*fates.borrow()).enumerate() {
        match fate {
            Fate::Sent => assert_eq!(times, 1, "{number} was sent"),
            Fate::Returned => assert_eq!(times, 0, "{number} came back"),
            Fate::Unknown => assert!(times <= 1, "{number} came twice"),
        }
    }
    assert!(waiting.get() > 3, "hardly anybody ever waited");
}
