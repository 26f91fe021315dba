//! Random programs on a mutex and on a read-write lock, compared after each
//! step with a model of plain data: who is inside, and who waits in which
//! order.
//!
//! A program's workers do what main orders. The hostile step is `Unlock` with
//! strikes: the worker unlocks and at once kills or throws at some of those in
//! line, which by then have the lock already, or not yet, and have not run.
//!
//! `GREENLING_TEST_PROGRAMS` is how many programs (300 if unset), and
//! `GREENLING_TEST_SEED` the first seed, for looking at one that failed.

use super::settle;
use greenling::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
use greenling::{Channel, Tasklet, WaitError, spawn};
use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;
use tests::isolated;

const WORKERS: usize = 6;
const STEPS: usize = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Read,
    Write,
}

/// What the lock should be like.
#[derive(Debug, Default)]
struct Model {
    inside: Vec<(usize, Use)>,
    line: VecDeque<(usize, Use)>,
}

impl Model {
    fn admits(&self, wanted: Use) -> bool {
        match wanted {
            Use::Read => self.inside.iter().all(|&(_, has)| has == Use::Read),
            Use::Write => self.inside.is_empty(),
        }
    }

    fn could_enter(&self, wanted: Use) -> bool {
        self.line.is_empty() && self.admits(wanted)
    }

    fn enter(&mut self, who: usize, wanted: Use) {
        self.line.push_back((who, wanted));
        self.let_in();
    }

    /// They leave, from wherever they are, all at the same time.
    fn leave(&mut self, who: &[usize]) {
        self.inside.retain(|(other, _)| !who.contains(other));
        self.line.retain(|(other, _)| !who.contains(other));
        self.let_in();
    }

    fn downgrade(&mut self, who: usize) {
        self.inside = vec![(who, Use::Read)];
        self.let_in();
    }

    fn let_in(&mut self) {
        while let Some(&(_, wanted)) = self.line.front()
            && self.admits(wanted)
        {
            self.inside.extend(self.line.pop_front());
        }
    }

    fn is_inside(&self, who: usize) -> Option<Use> {
        let found = self.inside.iter().find(|(other, _)| *other == who);
        found.map(|&(_, has)| has)
    }

    fn is_in_line(&self, who: usize) -> bool {
        self.line.iter().any(|(other, _)| *other == who)
    }
}

/// The lock under test.
enum Lock {
    Mutex(Mutex<()>),
    RwLock(RwLock<()>),
}

enum Guard<'a> {
    Mutex { _guard: MutexGuard<'a, ()> },
    Reading { _guard: RwLockReadGuard<'a, ()> },
    Writing(RwLockWriteGuard<'a, ()>),
}

impl Lock {
    fn enter(&self, wanted: Use) -> Result<Guard<'_>, WaitError> {
        Ok(match (self, wanted) {
            (Lock::Mutex(lock), _) => Guard::Mutex {
                _guard: lock.lock()?,
            },
            (Lock::RwLock(lock), Use::Read) => Guard::Reading {
                _guard: lock.read()?,
            },
            (Lock::RwLock(lock), Use::Write) => Guard::Writing(lock.write()?),
        })
    }

    fn could_enter(&self, wanted: Use) -> bool {
        match (self, wanted) {
            (Lock::Mutex(lock), _) => lock.try_lock().is_some(),
            (Lock::RwLock(lock), Use::Read) => lock.try_read().is_some(),
            (Lock::RwLock(lock), Use::Write) => lock.try_write().is_some(),
        }
    }

    fn waiters(&self) -> Vec<Tasklet> {
        match self {
            Lock::Mutex(lock) => lock.waiters(),
            Lock::RwLock(lock) => lock.waiters(),
        }
    }

    /// Readers and writers inside.
    fn inside(&self) -> (usize, bool) {
        match self {
            Lock::Mutex(lock) => (0, lock.is_locked()),
            Lock::RwLock(lock) => (lock.readers(), lock.is_writing()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strike {
    Kill,
    Throw,
}

enum Order {
    Enter(Use),
    Unlock(Vec<(Tasklet, Strike)>),
    Downgrade,
}

fn strike(target: &Tasklet, how: Strike) {
    match how {
        Strike::Kill => target.kill_pending().unwrap(),
        Strike::Throw => target.throw_pending("struck").unwrap(),
    }
}

struct Worker {
    tasklet: Tasklet,
    orders: Channel<Order>,
    /// As it sees it itself.
    is_inside: Rc<Cell<bool>>,
}

impl Worker {
    fn new(lock: &Rc<Lock>) -> Worker {
        let (lock, orders) = (lock.clone(), Channel::new());
        let is_inside = Rc::new(Cell::new(false));
        let (receiving, inside) = (orders.clone(), is_inside.clone());
        let handle = spawn(move || {
            let mut guard = None;
            while let Ok(order) = receiving.receive() {
                match order {
                    Order::Enter(wanted) => guard = lock.enter(wanted).ok(),
                    Order::Unlock(strikes) => {
                        guard = None;
                        for (target, how) in strikes {
                            strike(&target, how);
                        }
                    }
                    Order::Downgrade => {
                        guard = guard.map(|guard| match guard {
                            Guard::Writing(guard) => Guard::Reading {
                                _guard: RwLockWriteGuard::downgrade(guard),
                            },
                            other => other,
                        });
                    }
                }
                inside.set(guard.is_some());
            }
        });
        Worker {
            tasklet: handle.tasklet(),
            orders,
            is_inside,
        }
    }
}

/// Xorshift: the same numbers for the same seed everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % bound
    }
}

struct World {
    lock: Rc<Lock>,
    model: Model,
    workers: Vec<Worker>,
    random: Random,
}

impl World {
    fn step(&mut self) -> String {
        let who = self.random.below(WORKERS);
        let wanted = match (&*self.lock, self.random.below(5)) {
            (Lock::RwLock(_), 0..3) => Use::Read,
            _ => Use::Write,
        };
        assert_eq!(
            self.lock.could_enter(wanted),
            self.model.could_enter(wanted),
            "try_ to {wanted:?}"
        );
        let dice = self.random.below(8);
        match self.model.is_inside(who) {
            None if self.model.is_in_line(who) => {
                let how = self.strike_kind();
                strike(&self.workers[who].tasklet, how);
                settle();
                self.struck(&[(who, how)]);
                format!("{how:?} {who} in line")
            }
            None => {
                self.order(who, Order::Enter(wanted));
                self.model.enter(who, wanted);
                format!("{who} enters to {wanted:?}")
            }
            Some(_) if dice == 0 => {
                strike(&self.workers[who].tasklet, Strike::Kill);
                settle();
                self.struck(&[(who, Strike::Kill)]);
                format!("kill {who} inside")
            }
            Some(Use::Write) if dice == 1 && matches!(&*self.lock, Lock::RwLock(_)) => {
                self.order(who, Order::Downgrade);
                self.model.downgrade(who);
                format!("{who} downgrades")
            }
            Some(_) => self.unlock(who),
        }
    }

    fn unlock(&mut self, who: usize) -> String {
        let line: Vec<_> = self.model.line.iter().map(|&(other, _)| other).collect();
        let mut targets = Vec::new();
        for other in line {
            if self.random.below(3) == 0 {
                targets.push((other, self.strike_kind()));
            }
        }
        let strikes = targets
            .iter()
            .map(|&(other, how)| (self.workers[other].tasklet.clone(), how))
            .collect();
        self.order(who, Order::Unlock(strikes));
        let mut gone: Vec<_> = targets.iter().map(|&(other, _)| other).collect();
        gone.push(who);
        self.model.leave(&gone);
        self.replace_the_dead();
        format!("{who} unlocks and strikes {targets:?}")
    }

    fn strike_kind(&mut self) -> Strike {
        match self.random.below(2) {
            0 => Strike::Kill,
            _ => Strike::Throw,
        }
    }

    fn order(&self, who: usize, order: Order) {
        assert!(self.workers[who].orders.send(order).is_ok());
        settle();
    }

    fn struck(&mut self, targets: &[(usize, Strike)]) {
        let gone: Vec<_> = targets.iter().map(|&(who, _)| who).collect();
        self.model.leave(&gone);
        self.replace_the_dead();
    }

    fn replace_the_dead(&mut self) {
        for worker in &mut self.workers {
            if !worker.tasklet.is_alive() {
                *worker = Worker::new(&self.lock);
            }
        }
        settle();
    }

    fn compare(&self) {
        let line = self.model.line.iter();
        let line: Vec<_> = line
            .map(|&(who, _)| self.workers[who].tasklet.clone())
            .collect();
        assert_eq!(self.lock.waiters(), line);
        let writers = self
            .model
            .inside
            .iter()
            .filter(|(_, has)| *has == Use::Write);
        let writing = writers.count() == 1;
        let readers = self.model.inside.len() - usize::from(writing);
        assert_eq!(self.lock.inside(), (readers, writing));
        for (who, worker) in self.workers.iter().enumerate() {
            assert_eq!(worker.is_inside.get(), self.model.is_inside(who).is_some());
        }
    }
}

fn play(seed: u64, lock: Lock) {
    let lock = Rc::new(lock);
    let mut world = World {
        workers: (0..WORKERS).map(|_| Worker::new(&lock)).collect(),
        model: Model::default(),
        random: Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1),
        lock,
    };
    settle();
    let mut steps = Vec::new();
    for _ in 0..STEPS {
        let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            steps.push(world.step());
            world.compare();
        }));
        if let Err(payload) = played {
            eprintln!("seed {seed}: {steps:#?}\n{:?}", world.model);
            std::panic::resume_unwind(payload);
        }
    }
    for worker in &world.workers {
        worker.tasklet.kill_pending().unwrap();
    }
    settle();
    assert!(
        world.lock.could_enter(Use::Write),
        "seed {seed}: left locked"
    );
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

#[test]
fn random_programs_find_the_locks_as_the_model_says() {
    isolated(|| {
        let first = number("GREENLING_TEST_SEED", 1);
        for seed in first..first + number("GREENLING_TEST_PROGRAMS", 300) {
            play(seed, Lock::Mutex(Mutex::new(())));
            play(seed, Lock::RwLock(RwLock::new(())));
        }
    });
}
