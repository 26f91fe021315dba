//! So many tasklets: what it costs to start each, to wake it, to switch to it, to
//! let it end and start it again, and what it holds.
//!
//! All wait at one channel, whose sender goes on: so a round wakes all of them
//! first, and then runs them in turn.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

use benches::machine::Footprint;
use greenling::{Channel, Preference, schedule, spawn};

use super::Failure;
use super::program::rounds;
use crate::programs::child::{Figures, cost};

/// Wakes, switches or starts that a figure is the mean of, at least.
const OPERATIONS: u64 = 200_000;

/// Rounds of a ring, at least: one alone may have been a slow one.
const ROUNDS_MIN: u64 = 3;

/// What a tasklet is woken for.
#[derive(Clone, Copy)]
enum Turn {
    /// To wait again.
    Wait,
    /// To yield as long as the ring turns.
    Ring,
    End,
}

/// Tasklets that wait for their turn.
struct Crowd {
    count: u64,
    gate: Channel<Turn>,
    turning: Rc<Cell<bool>>,
}

pub(super) fn run(count: u64) -> Result<Figures, Failure> {
    let crowd = Crowd {
        count,
        gate: Channel::new(),
        turning: Rc::new(Cell::new(false)),
    };
    crowd.gate.set_preference(Preference::Sender);
    // The first slab of stacks is made once.
    spawn(|| ()).join()?;

    let before = Footprint::of("self")?;
    let start = Instant::now();
    crowd.start()?;
    let mut figures = cost("start", start.elapsed(), count);
    if count >= super::HELD_MIN {
        let held = Footprint::of("self")?
            .bytes()
            .saturating_sub(before.bytes());
        figures.push(("bytes".into(), held as f64 / count as f64));
    }

    let rounds = rounds(count, OPERATIONS);
    crowd.tell(Turn::Wait)?;
    let start = Instant::now();
    for _ in 0..rounds {
        crowd.tell(Turn::Wait)?;
    }
    figures.extend(cost("wake", start.elapsed(), rounds * count));

    crowd.turning.set(true);
    crowd.tell(Turn::Ring)?;
    // The main tasklet is in the ring as well.
    let turns = rounds.max(ROUNDS_MIN);
    let start = Instant::now();
    for _ in 0..turns {
        schedule();
    }
    figures.extend(cost("switch", start.elapsed(), turns * (count + 1)));
    crowd.turning.set(false);
    schedule();

    crowd.tell(Turn::End)?;
    let start = Instant::now();
    for _ in 0..rounds {
        crowd.start()?;
        crowd.tell(Turn::End)?;
    }
    figures.extend(cost("again", start.elapsed(), rounds * count));
    Ok(figures)
}

impl Crowd {
    /// Starts all of them, up to where they wait.
    fn start(&self) -> Result<(), Failure> {
        for _ in 0..self.count {
            let (gate, turning) = (self.gate.clone(), self.turning.clone());
            // The handle is dropped: nobody joins, as in a server.
            spawn(move || {
                loop {
                    match gate.receive() {
                        Ok(Turn::Wait) => {}
                        Ok(Turn::Ring) => {
                            while turning.get() {
                                schedule();
                            }
                        }
                        Ok(Turn::End) | Err(_) => return,
                    }
                }
            });
        }
        schedule();
        if self.gate.balance() == -(self.count as isize) {
            Ok(())
        } else {
            Err("not all of them wait".into())
        }
    }

    /// Wakes each, and lets each run.
    fn tell(&self, turn: Turn) -> Result<(), Failure> {
        for _ in 0..self.count {
            self.gate.send(turn).map_err(|error| error.to_string())?;
        }
        schedule();
        Ok(())
    }
}
