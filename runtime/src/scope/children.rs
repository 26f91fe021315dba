//! The tasklets of a scope, and what each of them leaves behind.

use super::Payload;
use crate::error::{TaskletExit, Thrown, WaitError};
use crate::scheduler::{Park, Scheduler, local};
use crate::tasklet::Tasklet;
use crate::wait::WaitList;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

/// Those that have not ended, shared by the parent and their guards.
pub(super) struct Children {
    /// Closures that were made and not dropped yet.
    running: Cell<usize>,
    made: Cell<u64>,
    /// In the order of their start.
    tasklets: RefCell<BTreeMap<u64, Tasklet>>,
    /// Panics that nobody has taken yet, the first first.
    panics: RefCell<VecDeque<Rc<Failure>>>,
    /// The parent, when it waits for them.
    parent: WaitList<()>,
}

impl Children {
    pub(super) fn new() -> Rc<Children> {
        Rc::new(Children {
            running: Cell::new(0),
            made: Cell::new(0),
            tasklets: RefCell::default(),
            panics: RefCell::default(),
            parent: WaitList::new(),
        })
    }

    pub(super) fn running(&self) -> usize {
        self.running.get()
    }

    /// Remembers a child that was started, for killing it.
    pub(super) fn keep(&self, number: u64, tasklet: Tasklet) {
        self.tasklets.borrow_mut().insert(number, tasklet);
    }

    /// Kills all, first the one that was started first. The caller comes last,
    /// if it is among them: it unwinds from here.
    pub(super) fn kill_all(&self) {
        let mut tasklets: Vec<Tasklet> = self.tasklets.borrow().values().cloned().collect();
        tasklets.sort_by_key(Tasklet::is_current);
        for tasklet in tasklets {
            if let Err(error) = tasklet.kill_pending() {
                log::debug!("greenling: a tasklet of a scope can't be killed: {error}");
            }
        }
    }

    /// Waits until all have ended, or something else ends the wait. The caller
    /// may park.
    pub(super) fn wait(&self, scheduler: &Scheduler, park: Park) -> Result<(), WaitError> {
        while self.running() > 0 {
            self.parent.park(scheduler, park)?;
        }
        Ok(())
    }

    /// The payload of the earliest panic that is left.
    pub(super) fn take_panic(&self) -> Option<Payload> {
        let panics = &mut *self.panics.borrow_mut();
        while let Some(failure) = panics.pop_front() {
            if let Some(payload) = failure.payload.take() {
                return Some(payload);
            }
        }
        None
    }
}

/// What became of a child, for its handle.
pub(super) struct Outcome<T> {
    pub(super) value: Cell<Option<T>>,
    pub(super) failure: Rc<Failure>,
}

/// The panic of a child, for its handle or the parent.
#[derive(Default)]
pub(super) struct Failure {
    pub(super) payload: Cell<Option<Payload>>,
}

/// A closure to run, and the guard that tells of its end. What borrows from
/// the parent's frame is dropped first.
pub(super) struct Child<F, T> {
    f: Option<F>,
    outcome: Rc<Outcome<T>>,
    guard: Guard,
}

impl<F: FnOnce() -> T, T> Child<F, T> {
    pub(super) fn new(f: F, children: &Rc<Children>) -> (Child<F, T>, Rc<Outcome<T>>) {
        let number = children.made.get();
        children.made.set(number + 1);
        children.running.set(children.running() + 1);
        let outcome = Rc::new(Outcome {
            value: Cell::new(None),
            failure: Rc::default(),
        });
        let child = Child {
            f: Some(f),
            outcome: outcome.clone(),
            guard: Guard {
                children: children.clone(),
                number,
            },
        };
        (child, outcome)
    }

    pub(super) fn number(&self) -> u64 {
        self.guard.number
    }

    /// Runs the closure on its tasklet. Kills and errors thrown go on to the
    /// tasklet's own handle.
    pub(super) fn run(mut self) {
        let Some(f) = self.f.take() else {
            return;
        };
        match catch_unwind(AssertUnwindSafe(f)) {
            Ok(value) => self.outcome.value.set(Some(value)),
            Err(payload) if payload.is::<TaskletExit>() || payload.is::<Thrown>() => {
                resume_unwind(payload)
            }
            Err(payload) => {
                let failure = &self.outcome.failure;
                failure.payload.set(Some(payload));
                let panics = &self.guard.children.panics;
                panics.borrow_mut().push_back(failure.clone());
            }
        }
    }
}

/// Dropped when nothing of the closure is left.
struct Guard {
    children: Rc<Children>,
    number: u64,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let children = &self.children;
        let tasklet = children.tasklets.borrow_mut().remove(&self.number);
        drop(tasklet);
        children.running.set(children.running() - 1);
        if children.running() == 0
            && let Some(scheduler) = local::get()
        {
            children.parent.wake_all(scheduler);
        }
    }
}
