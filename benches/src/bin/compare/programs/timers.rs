//! Deadlines, most of which never come.
//!
//! Nobody sets a timer by itself here: a wait has a deadline. So the cost of a
//! timer is what the same waits take more with one than without, run in turns.

use std::cell::Cell;
use std::io::{Read, Write};
use std::rc::Rc;
use std::time::{Duration, Instant};

use greenling::net::UnixStream;
use greenling::sync::Semaphore;
use greenling::time::{sleep_until, timeout};
use greenling::{Tasklet, schedule, spawn};

use super::child::{self, Figures};
use super::program::{Program, TIMERS};

/// Why a program could not run to its end.
type Failure = Box<dyn std::error::Error>;

/// Turns that waits with and without a deadline take.
const TURNS: u64 = 20;

/// Sleepers of `timer-fire`.
const SLEEPERS: u64 = 1000;

/// Runs one of the programs about deadlines.
pub(crate) fn run(program: Program, count: u64) -> Result<Figures, Failure> {
    match program {
        Program::Timer => add_cancel(0, count),
        Program::TimerCrowd => add_cancel(count, TIMERS),
        Program::TimerFire => fire(count),
        Program::TimeoutUnused => timeout_unused(count),
        _ => read_timeout(count),
    }
}

/// `count` timers set and cleared, among `crowd` others.
pub(crate) fn add_cancel(crowd: u64, count: u64) -> Result<Figures, Failure> {
    let later = Instant::now() + Duration::from_secs(3600);
    let mut dice = fastrand::Rng::with_seed(7);
    let mut deadline = || later + Duration::from_micros(dice.u64(..3_600_000_000));
    let sleepers: Vec<Tasklet> = (0..crowd)
        .map(|_| {
            let deadline = deadline();
            spawn(move || sleep_until(deadline)).tasklet()
        })
        .collect();
    // Made before: to draw one takes longer than to set it.
    let deadlines: Vec<Instant> = (0..1 << 16).map(|_| deadline()).collect();
    let [there, back] = [(); 2].map(|()| Rc::new(Semaphore::new(0)));
    let limited = Rc::new(Cell::new(false));
    let acquire = Rc::new(move |semaphore: &Semaphore, limited: bool, turn: usize| {
        let permit = if limited {
            semaphore.acquire_deadline(deadlines[turn % deadlines.len()])
        } else {
            semaphore.acquire()
        };
        permit.map(|permit| permit.forget()).is_ok()
    });
    let partner = spawn({
        let (there, back) = (there.clone(), back.clone());
        let (limited, acquire) = (limited.clone(), acquire.clone());
        move || {
            let mut turn = 0;
            while acquire(&there, limited.get(), turn) && back.add_permits(1).is_ok() {
                turn += 2;
            }
        }
    });
    let mut turn = 1;
    let mut rounds = |count: u64| -> Result<Duration, Failure> {
        let start = Instant::now();
        for _ in 0..count {
            there.add_permits(1)?;
            if !acquire(&back, limited.get(), turn) {
                return Err("a wait has failed".into());
            }
            turn += 2;
        }
        Ok(start.elapsed())
    };
    // Each round is two waits.
    let each = count / 2 / TURNS;
    let (mut with, mut without) = (Duration::ZERO, Duration::ZERO);
    for turn in 0..=TURNS {
        limited.set(true);
        let limited_ones = rounds(each)?;
        limited.set(false);
        let others = rounds(each)?;
        // The first turn warms up.
        if turn > 0 {
            with += limited_ones;
            without += others;
        }
    }
    partner.tasklet().kill()?;
    for sleeper in sleepers {
        sleeper.kill()?;
    }
    Ok(child::each(with.saturating_sub(without), each * TURNS * 2))
}

/// Sleeps until an instant that is past, by many at once.
fn fire(rounds: u64) -> Result<Figures, Failure> {
    let past = Instant::now();
    let sleepers = |rounds: u64| -> Result<Duration, Failure> {
        let start = Instant::now();
        let sleepers: Vec<_> = (0..SLEEPERS)
            .map(|_| spawn(move || (0..rounds).for_each(|_| sleep_until(past))))
            .collect();
        for sleeper in sleepers {
            sleeper.join()?;
        }
        Ok(start.elapsed())
    };
    sleepers(rounds / 10)?;
    Ok(child::each(sleepers(rounds)?, SLEEPERS * rounds))
}

/// A limit of time around what takes none.
fn timeout_unused(count: u64) -> Result<Figures, Failure> {
    let run = |count: u64| {
        for value in 0..count {
            let limit = Duration::from_secs(60);
            if timeout(limit, || std::hint::black_box(value)).is_err() {
                return Err("a minute has passed");
            }
        }
        Ok(())
    };
    run(count / 10)?;
    let start = Instant::now();
    run(count)?;
    Ok(child::each(start.elapsed(), count))
}

/// A byte there and back over a socket pair whose reads wait, without and with a
/// limit to how long.
fn read_timeout(count: u64) -> Result<Figures, Failure> {
    let (near, far) = UnixStream::pair()?;
    let (mut near, far) = (&near, Rc::new(far));
    let limit = Some(Duration::from_secs(60));
    let echo = spawn({
        let far = far.clone();
        move || -> std::io::Result<()> {
            let mut byte = [0];
            while (&*far).read(&mut byte)? == 1 {
                (&*far).write_all(&byte)?;
            }
            Ok(())
        }
    });
    let mut trips = |count: u64, limit: Option<Duration>| -> Result<Duration, Failure> {
        near.set_read_timeout(limit)?;
        far.set_read_timeout(limit)?;
        let start = Instant::now();
        for _ in 0..count {
            near.write_all(&[7])?;
            near.read_exact(&mut [0])?;
        }
        Ok(start.elapsed())
    };
    let each = count / TURNS;
    let (mut with, mut without) = (Duration::ZERO, Duration::ZERO);
    for turn in 0..=TURNS {
        let limited = trips(each, limit)?;
        let others = trips(each, None)?;
        if turn > 0 {
            with += limited;
            without += others;
        }
    }
    echo.tasklet().kill()?;
    schedule();
    let each = |elapsed: Duration| elapsed.as_secs_f64() * 1e9 / (each * TURNS * 2) as f64;
    Ok(vec![
        ("plain".into(), each(without)),
        ("limited".into(), each(with)),
    ])
}
