//! So many tasklets at one channel: what it costs to send to one of them, to
//! receive from one, and to kill one that is neither first nor last.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use greenling::{Channel, JoinHandle, Preference, schedule, spawn};

use super::Failure;
use super::program::rounds;
use crate::programs::child::{Figures, cost};

/// Values sent or received that a figure is the mean of, at least.
const OPERATIONS: u64 = 200_000;

/// Kills that a figure is the mean of, at least, and those of one round at most.
const KILLS: u64 = 5000;
const KILLS_OF_ROUND: u64 = 1000;

pub(super) fn run(count: u64) -> Result<Figures, Failure> {
    let mut figures = send(count)?;
    figures.extend(receive(count)?);
    figures.extend(kill(count)?);
    Ok(figures)
}

/// Starts `count` tasklets that receive until they get `None`.
fn receivers(channel: &Channel<Option<u64>>, count: u64) -> Vec<JoinHandle<u64>> {
    let receiver = || {
        let channel = channel.clone();
        spawn(move || {
            let mut sum = 0;
            while let Ok(Some(value)) = channel.receive() {
                sum += value;
            }
            sum
        })
    };
    let all = (0..count).map(|_| receiver()).collect();
    schedule();
    all
}

/// A value to each of those who wait, who wait again.
fn send(count: u64) -> Result<Figures, Failure> {
    let channel = Channel::new();
    channel.set_preference(Preference::Sender);
    let all = receivers(&channel, count);
    let tell = |value| -> Result<(), Failure> {
        for _ in 0..count {
            channel.send(value).map_err(|error| error.to_string())?;
        }
        schedule();
        Ok(())
    };
    let rounds = rounds(count, OPERATIONS);
    tell(Some(1))?;
    let start = Instant::now();
    for _ in 0..rounds {
        tell(Some(1))?;
    }
    let elapsed = start.elapsed();
    tell(None)?;
    for receiver in all {
        if receiver.join()? != rounds + 1 {
            return Err("a value was lost".into());
        }
    }
    Ok(cost("send", elapsed, rounds * count))
}

/// A value from each of those who wait, who send another one.
fn receive(count: u64) -> Result<Figures, Failure> {
    let channel = Channel::new();
    let open = Rc::new(Cell::new(true));
    let sender = || {
        let (channel, open) = (channel.clone(), open.clone());
        spawn(move || while open.get() && channel.send(1).is_ok() {})
    };
    let all: Vec<JoinHandle<()>> = (0..count).map(|_| sender()).collect();
    schedule();
    let take = || -> Result<(), Failure> {
        for _ in 0..count {
            channel.receive().map_err(|error| error.to_string())?;
        }
        schedule();
        Ok(())
    };
    let rounds = rounds(count, OPERATIONS);
    take()?;
    let start = Instant::now();
    for _ in 0..rounds {
        take()?;
    }
    let elapsed = start.elapsed();
    open.set(false);
    take()?;
    for sender in all {
        sender.join()?;
    }
    Ok(cost("receive", elapsed, rounds * count))
}

/// Kills those in the middle, in no order.
fn kill(count: u64) -> Result<Figures, Failure> {
    let victims = count.min(KILLS_OF_ROUND);
    let first = (count - victims) / 2;
    let mut order: Vec<u64> = (first..first + victims).collect();
    fastrand::Rng::with_seed(1).shuffle(&mut order);
    let rounds = rounds(victims, KILLS);
    let mut spent = Duration::ZERO;
    for _ in 0..rounds {
        let channel = Channel::new();
        channel.set_preference(Preference::Sender);
        let all = receivers(&channel, count);
        let start = Instant::now();
        for &index in &order {
            all[index as usize].tasklet().kill()?;
        }
        spent += start.elapsed();
        if channel.balance() != -((count - victims) as isize) {
            return Err("a kill left something behind".into());
        }
        for _ in victims..count {
            channel.send(None).map_err(|error| error.to_string())?;
        }
        schedule();
    }
    Ok(cost("kill", spent, rounds * victims))
}
