//! Random programs of everything that a thread's tasklets can do to each
//! other, from bodies, destructors, callbacks and other threads. Nobody knows
//! what they should do, but the ring stays whole, every value is dropped once,
//! and everything ends.

use greenling::{
    Channel, JoinHandle, Preference, QueueOrder, RunOptions, Tasklet, current, main_tasklet, run,
    run_count, run_with, schedule, schedule_remove, set_channel_callback, set_error_handler,
    set_queue_order, set_schedule_callback, spawn, turn,
};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering};
use std::time::Duration;
use tests::on_bare_thread;

/// What all of one program share.
struct World {
    random: Cell<u64>,
    /// Actions left.
    fuel: Cell<u32>,
    tasklets: RefCell<Vec<Tasklet>>,
    joins: RefCell<Vec<JoinHandle<Token>>>,
    channels: Vec<Channel<Token>>,
    guards: RefCell<Vec<greenling::DeferKill>>,
    alive: Arc<AtomicIsize>,
    /// Destructors within destructors.
    depth: Cell<u32>,
    /// A ring was not one.
    broken: Cell<bool>,
}

/// A value that is counted, and acts when it is dropped.
struct Token {
    alive: Arc<AtomicIsize>,
    world: Option<Rc<World>>,
}

impl Drop for Token {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
        if let Some(world) = self.world.take()
            && world.depth.get() < 3
        {
            world.depth.set(world.depth.get() + 1);
            // Unwinding out of a destructor that runs in an unwind aborts, in
            // any program.
            let acted = catch_unwind(AssertUnwindSafe(|| world.act(false)));
            drop(acted);
            world.depth.set(world.depth.get() - 1);
        }
    }
}

thread_local! {
    /// For errors, which must be `Send` and so can't hold the world.
    static HERE: RefCell<Option<Rc<World>>> = const { RefCell::new(None) };
}

/// An error that acts when it is dropped.
#[derive(Debug)]
struct Thrown;

impl std::fmt::Display for Thrown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("thrown")
    }
}

impl std::error::Error for Thrown {}

impl Drop for Thrown {
    fn drop(&mut self) {
        let world = HERE.try_with(|here| here.try_borrow().ok().and_then(|it| it.clone()));
        if let Ok(Some(world)) = world {
            drop(world.token());
        }
    }
}

greenling::local! {
    static OWN: RefCell<Vec<Token>> = RefCell::default();
    static OTHER: RefCell<Vec<Token>> = RefCell::default();
}

impl World {
    fn new(seed: u64) -> Rc<World> {
        Rc::new(World {
            random: Cell::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1),
            fuel: Cell::new(400),
            tasklets: RefCell::default(),
            joins: RefCell::default(),
            channels: (0..3).map(|_| Channel::new()).collect(),
            guards: RefCell::default(),
            alive: Arc::default(),
            depth: Cell::new(0),
            broken: Cell::new(false),
        })
    }

    fn below(&self, limit: usize) -> usize {
        let mut x = self.random.get();
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        self.random.set(x);
        (x >> 33) as usize % limit
    }

    fn token(self: &Rc<World>) -> Token {
        self.alive.fetch_add(1, Ordering::Relaxed);
        Token {
            alive: self.alive.clone(),
            world: (self.below(2) == 0).then(|| self.clone()),
        }
    }

    fn error(&self) -> Thrown {
        // Not counted: those that a dying tasklet throws at itself are leaked.
        Thrown
    }

    fn body(self: &Rc<World>) -> impl FnOnce() + use<> {
        let (world, token) = (self.clone(), self.token());
        let steps = self.below(6);
        move || {
            let _token = token;
            for _ in 0..steps {
                world.act(true);
            }
        }
    }

    /// Any tasklet, or the current one, or main.
    fn any(&self) -> Tasklet {
        let tasklets = self.tasklets.borrow();
        match self.below(tasklets.len() + 2) {
            0 => current(),
            1 => main_tasklet(),
            n => tasklets[n - 2].clone(),
        }
    }

    fn channel(&self) -> &Channel<Token> {
        &self.channels[self.below(self.channels.len())]
    }

    fn keep(&self, tasklet: Tasklet) {
        let replaced = {
            let mut tasklets = self.tasklets.borrow_mut();
            if tasklets.len() < 12 {
                tasklets.push(tasklet);
                None
            } else {
                let at = self.below(tasklets.len());
                Some(std::mem::replace(&mut tasklets[at], tasklet))
            }
        };
        drop(replaced);
    }

    /// One action; with `free`, it may be one that waits for ever, or fails.
    fn act(self: &Rc<World>, free: bool) {
        if self.fuel.get() == 0 {
            return;
        }
        self.fuel.set(self.fuel.get() - 1);
        let action = self.below(if free { 46 } else { 40 });
        match action {
            0..=2 => self.keep(Tasklet::new(self.body())),
            3 => {
                let token = self.token();
                let body = self.body();
                let made = spawn(move || {
                    body();
                    token
                });
                self.keep(made.tasklet());
                self.joins.borrow_mut().push(made);
            }
            4 => {
                let join = self.joins.borrow_mut().pop();
                drop(join);
            }
            5 => {
                let join = self.joins.borrow_mut().pop();
                let time = Duration::from_micros(20);
                let join = join.map(|it| greenling::time::timeout(time, || it.join()));
                drop(join);
            }
            6..=8 => drop(self.any().insert()),
            9 => drop(self.any().remove()),
            10 | 11 => drop(self.any().run()),
            12 => drop(self.any().switch()),
            13 => drop(self.any().kill()),
            14 => drop(self.any().kill_pending()),
            15 => drop(self.any().throw(self.error())),
            16 => drop(self.any().throw_pending(self.error())),
            17 => drop(self.any().bind(self.body())),
            18 => drop(self.any().unbind()),
            19 => drop(self.any().set_tempval(self.token())),
            20 => drop(self.any().take_tempval::<Token>()),
            21 => {
                let token = self.token();
                OWN.with(|own| own.borrow_mut().push(token));
            }
            22 => {
                let token = self.token();
                OTHER.with(|own| own.borrow_mut().push(token));
            }
            23 | 24 => schedule(),
            25 => drop(run()),
            26 => {
                let switches = self.below(5) as u64;
                drop(run_with(&RunOptions::new().max_switches(switches)));
            }
            27 => drop(turn(Some(Duration::ZERO))),
            28 => drop(self.channel().try_send(self.token())),
            29 => drop(self.channel().try_receive()),
            30 => drop(self.channel().clear()),
            31 => {
                let preferences = [
                    Preference::Receiver,
                    Preference::Sender,
                    Preference::Neither,
                ];
                let channel = self.channel();
                channel.set_preference(preferences[self.below(3)]);
                channel.set_schedule_all(self.below(3) == 0);
            }
            32 => {
                let world = self.clone();
                let before = set_schedule_callback((self.below(2) == 0).then(|| {
                    let callback = move |_: &Tasklet, _: &Tasklet| world.act_rarely();
                    Rc::new(callback) as greenling::ScheduleCallback
                }));
                drop(before);
            }
            33 => {
                let world = self.clone();
                let before = set_channel_callback((self.below(2) == 0).then(|| {
                    let callback = move |_: &greenling::ChannelEvent<'_>| world.act_rarely();
                    Rc::new(callback) as greenling::ChannelCallback
                }));
                drop(before);
            }
            34 => {
                let order = [QueueOrder::Ring, QueueOrder::Flat][self.below(2)];
                set_queue_order(order);
            }
            35 => {
                let guard = greenling::defer_kill();
                self.guards.borrow_mut().push(guard);
            }
            36 => {
                let guard = self.guards.borrow_mut().pop();
                drop(guard);
            }
            37 => drop((self.any().next(), self.any().prev(), self.any().remote())),
            38 => {
                let tasklets = {
                    let mut tasklets = self.tasklets.borrow_mut();
                    let at = self.below(tasklets.len() + 1);
                    tasklets.split_off(at)
                };
                drop(tasklets);
            }
            39 => {
                if let Ok(there) = self.any().remote() {
                    let error = self.error();
                    match self.below(4) {
                        0 => drop(there.insert()),
                        1 => drop(there.run()),
                        2 => drop(there.kill()),
                        _ => drop(there.throw(error)),
                    }
                }
            }
            40 => drop(self.channel().send(self.token())),
            41 => drop(self.channel().receive()),
            42 => schedule_remove(),
            43 => panic_any("chaos"),
            44 => {
                let _trap = greenling::switch_trap();
                self.act(true);
            }
            _ => {
                let time = Duration::from_micros(self.below(50) as u64);
                let _ = greenling::time::timeout(time, || self.act(true));
            }
        }
        self.check();
    }

    fn act_rarely(self: &Rc<World>) {
        if self.below(4) == 0 {
            self.act(true);
        }
    }

    /// The ring has as many members as are counted, both ways round.
    fn check(&self) {
        let Some(first) = self.ring_member() else {
            return;
        };
        for forward in [true, false] {
            let mut at = first.clone();
            for step in 1..=run_count() {
                let next = if forward { at.next() } else { at.prev() };
                let whole =
                    next.is_some() && (next.as_ref() == Some(&first)) == (step == run_count());
                if !whole {
                    // Panics are part of the programs, so this must not be one.
                    self.broken.set(true);
                    return;
                }
                at = next.unwrap();
            }
        }
    }

    fn ring_member(&self) -> Option<Tasklet> {
        let tasklet = current();
        // Between two tasklets the current one may be in no ring.
        (tasklet.is_scheduled() && !tasklet.is_blocked() && run_count() > 0).then_some(tasklet)
    }
}

fn play(seed: u64) {
    let world = World::new(seed);
    // What still waits in the end, for each other perhaps, is killed.
    // A throw at main may come at that time.
    drop(catch_unwind(AssertUnwindSafe(|| {
        greenling::enter(|| go_on(&world))
    })));
    for round in 0.. {
        // What those who were killed have left behind, and that left behind.
        drop(catch_unwind(AssertUnwindSafe(|| run().is_ok())));
        drop(world.tasklets.take());
        drop(world.joins.take());
        drop(world.guards.take());
        drop(main_tasklet().take_tempval::<Token>());
        drop((OWN.with(RefCell::take), OTHER.with(RefCell::take)));
        drop(catch_unwind(AssertUnwindSafe(|| {
            turn(Some(Duration::ZERO)).is_ok()
        })));
        let left = greenling::inspect::tasklets();
        let tokens = world.alive.load(Ordering::Relaxed);
        if left.len() == 1 && tokens == 0 {
            break;
        }
        assert!(round < 50, "seed {seed}: {tokens} tokens, {left:#?}");
        drop(catch_unwind(|| greenling::enter(|| ())));
    }
    set_error_handler(None);
    assert!(!world.broken.get(), "seed {seed}: the ring was broken");
    assert_eq!(run_count(), 1);
}

fn go_on(world: &Rc<World>) {
    HERE.set(Some(world.clone()));
    let telling = world.clone();
    set_error_handler(Some(Rc::new(move |_, _| telling.act_rarely())));
    while world.fuel.get() > 0 {
        // Main is thrown at and told of failures.
        drop(catch_unwind(AssertUnwindSafe(|| world.act(false))));
        if world.below(3) == 0 {
            drop(catch_unwind(AssertUnwindSafe(|| {
                turn(Some(Duration::ZERO)).is_ok()
            })));
        }
    }
    HERE.set(None);
    set_schedule_callback(None);
    set_channel_callback(None);
    set_error_handler(Some(Rc::new(|_, _| ())));
    set_queue_order(QueueOrder::Ring);
}

#[test]
fn random_programs_keep_the_ring_whole_and_drop_everything_once() {
    on_bare_thread(|| {
        // Others by GREENLING_CHAOS=SEED+COUNT.
        let asked = std::env::var("GREENLING_CHAOS").unwrap_or("1+300".into());
        let (first, count) = asked.split_once('+').expect("a seed and a count");
        let (first, count): (u64, u64) = (first.parse().unwrap(), count.parse().unwrap());
        for seed in first..first + count {
            play(seed);
        }
    });
}
