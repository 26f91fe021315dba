//! So many live timers: what it costs to arm one among them, to let each fire, and
//! what a deadline that is not reached adds to a wait, as in `timer-add-cancel`.
//!
//! Deadlines come in no order, as those of a server's connections do.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use greenling::time::sleep_until;
use greenling::{Channel, Preference, schedule, spawn};

use super::Failure;
use super::program::rounds;
use crate::programs::child::{Figures, cost};
use crate::programs::program::TIMERS;
use crate::programs::timers::add_cancel;

/// Timers armed and fired that a figure is the mean of, at least.
const OPERATIONS: u64 = 20_000;

/// No timer fires before all are armed: to arm one takes less than this.
const ARM_MAX: Duration = Duration::from_micros(3);

/// Deadlines are so far apart on average.
const APART: Duration = Duration::from_nanos(100);

/// What a tasklet is told.
#[derive(Clone, Copy)]
enum Turn {
    Sleep(Instant),
    End,
}

/// Tasklets with a timer each.
struct Sleepers {
    count: u64,
    gate: Channel<Turn>,
    /// How many have yet to wake.
    asleep: Rc<Cell<u64>>,
    /// The last one that woke says so here.
    awake: Channel<()>,
}

pub(super) fn run(count: u64) -> Result<Figures, Failure> {
    let sleepers = Sleepers {
        count,
        gate: Channel::new(),
        asleep: Rc::new(Cell::new(0)),
        awake: Channel::new(),
    };
    sleepers.gate.set_preference(Preference::Sender);
    sleepers.start();
    let rounds = rounds(count, OPERATIONS);
    let (mut arming, mut firing) = (Duration::ZERO, Duration::ZERO);
    // The first round makes room for all of them.
    for round in 0..=rounds {
        let (armed, fired) = sleepers.arm_and_fire()?;
        if round > 0 {
            arming += armed;
            firing += fired;
        }
    }
    let mut figures = cost("arm", arming, rounds * count);
    figures.extend(cost("fire", firing, rounds * count));

    sleepers.tell(|_| Turn::End)?;

    let added = add_cancel(count, TIMERS)?;
    figures.extend(added.into_iter().map(|(_, ns)| ("add-cancel".into(), ns)));
    Ok(figures)
}

impl Sleepers {
    fn start(&self) {
        for _ in 0..self.count {
            let (gate, asleep, awake) =
                (self.gate.clone(), self.asleep.clone(), self.awake.clone());
            spawn(move || {
                while let Ok(Turn::Sleep(deadline)) = gate.receive() {
                    sleep_until(deadline);
                    asleep.set(asleep.get() - 1);
                    if asleep.get() == 0 && awake.send(()).is_err() {
                        return;
                    }
                }
            });
        }
        schedule();
    }

    /// Gives each a turn, and lets each run.
    fn tell(&self, turn: impl Fn(u64) -> Turn) -> Result<(), Failure> {
        for index in 0..self.count {
            self.gate
                .send(turn(index))
                .map_err(|error| error.to_string())?;
        }
        schedule();
        Ok(())
    }

    /// How much later than the first possible one a deadline is; in no order.
    fn later(&self, index: u64) -> Duration {
        let scrambled = index.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        APART * (scrambled % self.count) as u32
    }

    /// How long it took until all were armed, and from when all were due until the
    /// last one was awake.
    fn arm_and_fire(&self) -> Result<(Duration, Duration), Failure> {
        self.asleep.set(self.count);
        let start = Instant::now();
        let due = start + ARM_MAX * self.count as u32 + Duration::from_millis(1);
        self.tell(|index| Turn::Sleep(due + self.later(index)))?;
        let armed = start.elapsed();
        let all_due = due + APART * self.count as u32;
        // Without a look at the timers: then all of them are due at once.
        while Instant::now() < all_due {
            std::hint::spin_loop();
        }
        let start = Instant::now();
        self.awake.receive().map_err(|error| error.to_string())?;
        let fired = start.elapsed();
        schedule();
        Ok((armed, fired))
    }
}
