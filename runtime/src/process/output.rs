//! Reading both outputs of a child at once.
//!
//! One tasklet reads whichever has something, so that a child that fills one
//! pipe never waits for a reader of the other. A second tasklet would do as
//! well, but would have to be killed with the first.

use super::{ChildStderr, ChildStdout};
use crate::io::source::Source;
use crate::scheduler::Park;
use crate::wait::reason;
use rustix::buffer::spare_capacity;
use std::io;
use std::os::fd::AsFd;
use std::panic::Location;

/// Room made before each read, as much as a pipe holds.
const PIECE: usize = 1 << 16;

/// What is read until the ends of both, nothing from one that is not there.
pub(super) fn read_both(
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    location: &'static Location<'static>,
) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut stdout = stdout.as_ref().map(|pipe| Reading::new(pipe.source()));
    let mut stderr = stderr.as_ref().map(|pipe| Reading::new(pipe.source()));
    loop {
        let moved = step(&mut stdout)? | step(&mut stderr)?;
        if moved {
            continue;
        }
        let park = Park::new(&reason::CHILD_OUTPUT, location);
        match (open(&stdout), open(&stderr)) {
            (Some(first), Some(second)) => Source::wait_to_read_either(first, second, park)?,
            (Some(last), None) => Source::wait_to_read_either(last, last, park)?,
            (None, Some(last)) => Source::wait_to_read_either(last, last, park)?,
            (None, None) => return Ok((gathered(stdout), gathered(stderr))),
        }
    }
}

struct Reading<'a, S> {
    source: &'a Source<S>,
    gathered: Vec<u8>,
    at_end: bool,
}

impl<'a, S: AsFd> Reading<'a, S> {
    fn new(source: &'a Source<S>) -> Reading<'a, S> {
        Reading {
            source,
            gathered: Vec::new(),
            at_end: false,
        }
    }
}

/// The pipe, unless it has come to its end.
fn open<'a, S>(reading: &Option<Reading<'a, S>>) -> Option<&'a Source<S>> {
    let reading = reading.as_ref().filter(|reading| !reading.at_end);
    reading.map(|reading| reading.source)
}

fn gathered<S>(reading: Option<Reading<'_, S>>) -> Vec<u8> {
    reading.map_or_else(Vec::new, |reading| reading.gathered)
}

/// Reads what one read gives; whether there was something, be it the end.
fn step<S: AsFd>(reading: &mut Option<Reading<'_, S>>) -> io::Result<bool> {
    let Some(reading) = reading.as_mut().filter(|reading| !reading.at_end) else {
        return Ok(false);
    };
    reading.source.give_way_when_due();
    let gathered = &mut reading.gathered;
    gathered.reserve(PIECE);
    let got = reading
        .source
        .try_read_op(|pipe| Ok(rustix::io::read(pipe, spare_capacity(gathered))?));
    match got {
        Ok(count) => reading.at_end = count == 0,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
        Err(error) => return Err(error),
    }
    Ok(true)
}
