//! The programs as Greenling tasklets.
//!
//! A loop is timed by a tasklet that takes part in it, after a tenth of the
//! count as warm-up; the main tasklet waits in `join` and so is not switched
//! to.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use benches::machine::Footprint;
use greenling::{Channel, JoinHandle, schedule, spawn};

use super::child::{self, Figures};
use super::crowds;
use super::program::{Program, RING};
use super::timers;

/// Why a program could not run to its end.
type Failure = Box<dyn std::error::Error>;

/// Runs `program` and returns its figures.
pub(crate) fn run(program: Program, count: u64) -> Result<Figures, Failure> {
    greenling::enter(|| match program {
        Program::SwitchPair => Ok(child::each(switch_pair(count)?, 2 * count)),
        Program::SwitchSame => Ok(child::each(switch_same(2, count)?, 2 * count)),
        Program::SwitchRing => Ok(child::each(switch_same(RING, count)?, RING * count)),
        Program::ChannelRoundTrip => Ok(child::each(channel_round_trip(count)?, count)),
        Program::SpawnJoin => Ok(child::each(spawn_join(count)?, count)),
        Program::Parked => parked(count),
        Program::Timer
        | Program::TimerCrowd
        | Program::TimerFire
        | Program::TimeoutUnused
        | Program::ReadTimeout => timers::run(program, count),
        _ => crowds::run(program, count),
    })
}

/// Waits until all `members` are there, then yields `count` times and says how
/// long that took.
fn timed(there: &Cell<u64>, members: u64, count: u64) -> Duration {
    there.set(there.get() + 1);
    while there.get() < members {
        schedule();
    }
    for _ in 0..count / 10 {
        schedule();
    }
    let start = Instant::now();
    for _ in 0..count {
        schedule();
    }
    start.elapsed()
}

/// Two tasklets with code of their own: each resumes where the other one's
/// branch history says nothing about it.
fn switch_pair(count: u64) -> Result<Duration, Failure> {
    let there = Rc::new(Cell::new(0));
    let done = Rc::new(Cell::new(false));
    let timer = spawn({
        let (there, done) = (there.clone(), done.clone());
        move || {
            let elapsed = timed(&there, 2, count);
            done.set(true);
            elapsed
        }
    });
    let other = spawn(move || {
        there.set(there.get() + 1);
        let mut turns = 0;
        while !done.get() {
            schedule();
            turns += 1;
        }
        turns
    });
    let elapsed = timer.join()?;
    if other.join()? < count {
        return Err("the two did not take turns".into());
    }
    Ok(elapsed)
}

/// `members` tasklets that run the same code.
fn switch_same(members: u64, count: u64) -> Result<Duration, Failure> {
    let there = Rc::new(Cell::new(0));
    let mut ring: Vec<JoinHandle<Duration>> = Vec::new();
    for _ in 0..members {
        let there = there.clone();
        ring.push(spawn(move || timed(&there, members, count)));
    }
    let mut first = None;
    for member in ring {
        let elapsed = member.join()?;
        first.get_or_insert(elapsed);
    }
    first.ok_or_else(|| "the ring is empty".into())
}

/// A value there and back over two channels.
fn channel_round_trip(count: u64) -> Result<Duration, Failure> {
    let there = Channel::new();
    let back = Channel::new();
    let echo = spawn({
        let (there, back) = (there.clone(), back.clone());
        move || {
            // A round trip more than the timed ones ends the loop.
            while let Ok(Some(value)) = there.receive() {
                if back.send(value).is_err() {
                    return;
                }
            }
        }
    });
    let timer = spawn(move || -> Result<Duration, String> {
        let trip = |rounds: u64| {
            for value in 0..rounds {
                there.send(Some(value)).map_err(|error| error.to_string())?;
                if back.receive().map_err(|error| error.to_string())? != value {
                    return Err("a value was lost".to_string());
                }
            }
            Ok(())
        };
        trip(count / 10)?;
        let start = Instant::now();
        trip(count)?;
        let elapsed = start.elapsed();
        there.send(None).map_err(|error| error.to_string())?;
        Ok(elapsed)
    });
    let elapsed = timer.join()??;
    echo.join()?;
    Ok(elapsed)
}

/// A tasklet started and joined, over and over, by another one.
fn spawn_join(count: u64) -> Result<Duration, Failure> {
    let run = |rounds: u64| -> Result<(), Failure> {
        for value in 0..rounds {
            if spawn(move || value).join()? != value {
                return Err("a value was lost".into());
            }
        }
        Ok(())
    };
    run(count / 10)?;
    let start = Instant::now();
    run(count)?;
    Ok(start.elapsed())
}

/// `count` tasklets that wait for a value each, and then get it, which shows
/// that all of them were alive.
fn parked(count: u64) -> Result<Figures, Failure> {
    let gate = Channel::new();
    let waiting = Rc::new(Cell::new(0_u64));
    let before = Footprint::of("self")?;
    let start = Instant::now();
    for _ in 0..count {
        let (gate, waiting) = (gate.clone(), waiting.clone());
        // The handle is dropped: nobody joins, as in a server.
        spawn(move || {
            waiting.set(waiting.get() + 1);
            if gate.receive().is_ok() {
                waiting.set(waiting.get() - 1);
            }
        });
    }
    while waiting.get() < count {
        schedule();
    }
    let elapsed = start.elapsed();
    let after = Footprint::of("self")?;
    for _ in 0..count {
        gate.send(()).map_err(|error| error.to_string())?;
    }
    while waiting.get() > 0 {
        schedule();
    }
    Ok(child::parked(before, after, elapsed, count))
}
