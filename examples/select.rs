//! A worker with three things to wait for: work, a heartbeat, and the end.
//!
//! ```sh
//! cargo run --release --example select
//! ```
//!
//! Shows `select!`, as a connection that is written to or a batch that is filled has
//! use for it. Sensors hand readings to a collector over a channel. It ships them in
//! batches: a full one at once, a smaller one when the heart beats, so that nothing
//! lies around for long. When the shutdown is triggered, it ships what sensors are
//! still handing over, and ends. Nothing is lost on the way: an operation that is not
//! the chosen one has done nothing.

use std::time::{Duration, Instant};

use greenling::time::{MissedTick, interval_at};
use greenling::{Channel, Shutdown, WaitError, enter, scope, select};

/// Readings in a full batch.
const FULL: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reading {
    sensor: usize,
    value: u32,
}

fn main() -> Result<(), WaitError> {
    enter(|| {
        let (readings, stop) = (Channel::new(), Shutdown::new());
        scope(|s| {
            let collector = s.spawn(|| {
                let pulse = Duration::from_millis(20);
                collect(&readings, pulse, &stop, |batch| {
                    println!("{:2} readings: {batch:?}", batch.len());
                })
            });
            let sensors: Vec<_> = (0..3)
                .map(|sensor| {
                    let readings = &readings;
                    s.spawn(move || measure(sensor, 10, readings))
                })
                .collect();
            for sensor in sensors {
                sensor.join().expect("it does not panic");
            }
            stop.trigger();
            let batches = collector.join().expect("it does not panic")?;
            println!("shipped in {batches} batches");
            Ok(())
        })
    })
}

/// A sensor: takes a reading now and then, and hands it over.
fn measure(sensor: usize, count: u32, readings: &Channel<Reading>) {
    for n in 0..count {
        greenling::time::sleep(Duration::from_millis(1 + 3 * sensor as u64));
        let value = 100 * n + sensor as u32;
        // Waits until the collector takes it: there is no queue that could grow.
        if readings.send(Reading { sensor, value }).is_err() {
            return;
        }
    }
}

/// Ships readings until the end; how many batches there were.
fn collect(
    readings: &Channel<Reading>,
    pulse: Duration,
    stop: &Shutdown,
    mut ship: impl FnMut(&[Reading]),
) -> Result<usize, WaitError> {
    let (mut batch, mut shipped) = (Vec::with_capacity(FULL), 0);
    let mut ship_all = |batch: &mut Vec<Reading>| {
        if !batch.is_empty() {
            ship(batch);
            batch.clear();
            shipped += 1;
        }
    };
    // What is late by much need not be made up for.
    let mut pulse = interval_at(Instant::now() + pulse, pulse).missed(MissedTick::Delay);
    loop {
        let goes_on = select! {
            reading = readings.receiving() => match reading {
                Ok(reading) => {
                    batch.push(reading);
                    if batch.len() == FULL {
                        ship_all(&mut batch);
                    }
                    true
                }
                // Somebody has closed the channel.
                Err(_) => false,
            },
            // By the clock, so that a stream of readings does not put it off.
            _ = pulse.ticking() => {
                ship_all(&mut batch);
                true
            }
            () = stop.triggering() => false,
        }?;
        if !goes_on {
            break;
        }
    }
    while let Ok(reading) = readings.try_receive() {
        batch.push(reading);
        if batch.len() == FULL {
            ship_all(&mut batch);
        }
    }
    ship_all(&mut batch);
    Ok(shipped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use greenling::{JoinHandle, schedule, spawn};
    use std::cell::RefCell;
    use std::rc::Rc;

    const NEVER: Duration = Duration::from_secs(3600);

    fn reading(value: u32) -> Reading {
        Reading { sensor: 0, value }
    }

    /// What a collector has shipped.
    #[derive(Clone, Default)]
    struct Shipped(Rc<RefCell<Vec<Vec<Reading>>>>);

    impl Shipped {
        fn lengths(&self) -> Vec<usize> {
            self.0.borrow().iter().map(Vec::len).collect()
        }

        fn values(&self) -> Vec<u32> {
            let all = self.0.borrow().concat();
            all.iter().map(|reading| reading.value).collect()
        }
    }

    /// A collector in a tasklet of its own.
    fn start(
        readings: &Channel<Reading>,
        pulse: Duration,
        stop: &Shutdown,
    ) -> (JoinHandle<Result<usize, WaitError>>, Shipped) {
        let (readings, stop, shipped) = (readings.clone(), stop.clone(), Shipped::default());
        let shipping = shipped.clone();
        let collector = spawn(move || {
            let ship = |batch: &[Reading]| shipping.0.borrow_mut().push(batch.to_vec());
            collect(&readings, pulse, &stop, ship)
        });
        (collector, shipped)
    }

    #[test]
    fn full_batches_go_at_once_and_the_rest_at_the_end() {
        enter(|| {
            let (readings, stop) = (Channel::new(), Shutdown::new());
            let (collector, shipped) = start(&readings, NEVER, &stop);
            for value in 0..19 {
                readings.send(reading(value)).expect("it is taken");
            }
            assert_eq!(shipped.lengths(), [8, 8]);
            stop.trigger();
            assert_eq!(collector.join().expect("no panic").expect("no error"), 3);
            assert_eq!(shipped.values(), (0..19).collect::<Vec<_>>());
        });
    }

    #[test]
    fn what_is_being_handed_over_at_the_end_is_shipped() {
        enter(|| {
            let (readings, stop) = (Channel::new(), Shutdown::new());
            let sensors: Vec<_> = (0..20)
                .map(|value| {
                    let readings = readings.clone();
                    spawn(move || readings.send(reading(value)).is_ok())
                })
                .collect();
            schedule();
            stop.trigger();
            let (collector, shipped) = start(&readings, NEVER, &stop);
            assert_eq!(collector.join().expect("no panic").expect("no error"), 3);
            assert_eq!(shipped.values(), (0..20).collect::<Vec<_>>());
            for sensor in sensors {
                assert!(sensor.join().expect("no panic"));
            }
        });
    }

    #[test]
    fn the_heartbeat_ships_what_there_is() {
        enter(|| {
            let (readings, stop) = (Channel::new(), Shutdown::new());
            let (collector, shipped) = start(&readings, Duration::from_millis(1), &stop);
            readings.send(reading(7)).expect("it is taken");
            while shipped.lengths().is_empty() {
                greenling::time::sleep(Duration::from_millis(1));
            }
            stop.trigger();
            assert_eq!(collector.join().expect("no panic").expect("no error"), 1);
            assert_eq!(shipped.values(), [7]);
        });
    }
}
