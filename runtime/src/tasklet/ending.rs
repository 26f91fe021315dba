//! The end of a tasklet for `select!`.

use super::raw::{State, TcbRef};
use crate::error::WaitError;
use crate::select::Operation;
use crate::select::steps::{Here, Links, Steps};
use crate::wait::Place;
use std::fmt;
use std::marker::PhantomData;

/// Completes when a tasklet has ended; see
/// [`JoinHandle::ending`](crate::JoinHandle::ending).
#[must_use = "it does nothing until it is selected"]
pub struct Ending<'h> {
    task: TcbRef,
    /// The block stays that tasklet's for as long as the handle exists.
    handle: PhantomData<&'h ()>,
    place: Option<Place<()>>,
    is_over: bool,
}

impl Ending<'_> {
    /// The caller keeps a handle for as long as this exists.
    pub(super) fn of(task: TcbRef) -> Self {
        Ending {
            task,
            handle: PhantomData,
            place: None,
            is_over: false,
        }
    }
}

impl Steps for Ending<'_> {
    fn attempt(&mut self, _here: Here<'_>) -> bool {
        self.is_over = self.task.state.get() == State::Dead;
        self.is_over
    }

    fn prepare(&mut self, here: Here<'_>) -> Result<bool, WaitError> {
        self.place = Some(Place::new(here.0, ()));
        Ok(false)
    }

    fn link<'a>(&'a self, links: &mut Links<'a>) {
        if let Some(place) = &self.place {
            links.0.add(self.task.joiners.spot(place));
        }
    }

    fn settle(&mut self, _woken: bool) -> bool {
        self.place = None;
        false
    }
}

impl Operation for Ending<'_> {
    type Output = ();

    fn take(&mut self) -> Option<()> {
        std::mem::take(&mut self.is_over).then_some(())
    }
}

impl fmt::Debug for Ending<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ending").field(&self.task).finish()
    }
}
