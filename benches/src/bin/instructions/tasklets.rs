//! Switches, channels, and tasklets from start to end.

use std::cell::Cell;
use std::rc::Rc;

use greenling::{Channel, schedule, spawn};

use crate::meter::{Failure, Meter};

/// Tasklets of the ring.
const RING: u32 = 1000;

/// Counts all operations of this file.
pub(crate) fn count(meter: &Meter) -> Result<(), Failure> {
    turns(meter, "switch-pair", 1)?;
    turns(meter, "switch-ring-1000", RING - 1)?;
    channel(meter)?;
    spawn_join(meter);
    Ok(())
}

/// Gives way to `others`, which do the same. One operation is a whole turn.
fn turns(meter: &Meter, name: &'static str, others: u32) -> Result<(), Failure> {
    let done = Rc::new(Cell::new(false));
    let ring: Vec<_> = (0..others)
        .map(|_| {
            let done = done.clone();
            spawn(move || {
                while !done.get() {
                    schedule();
                }
            })
        })
        .collect();
    schedule();
    meter.count(name, |turns| (0..turns).for_each(|_| schedule()));
    done.set(true);
    ring.into_iter().try_for_each(|member| member.join())?;
    Ok(())
}

/// A value there and back.
fn channel(meter: &Meter) -> Result<(), Failure> {
    let (there, back) = (Channel::new(), Channel::new());
    let echo = spawn({
        let (there, back) = (there.clone(), back.clone());
        move || {
            while let Ok(Some(value)) = there.receive() {
                if back.send(value).is_err() {
                    return;
                }
            }
        }
    });
    let mut answered = true;
    meter.count("channel-round-trip", |trips| {
        for value in 0..trips {
            answered &= there.send(Some(value)).is_ok() && back.receive().ok() == Some(value);
        }
    });
    there.send(None).map_err(|error| error.to_string())?;
    echo.join()?;
    if answered {
        Ok(())
    } else {
        Err("a value was lost".into())
    }
}

/// A tasklet that returns a number, on a recycled stack.
fn spawn_join(meter: &Meter) {
    meter.count("spawn-join", |times| {
        for value in 0..times {
            assert_eq!(spawn(move || value).join().ok(), Some(value));
        }
    });
}
