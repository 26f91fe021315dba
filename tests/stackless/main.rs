//! Stackless' semantics: a test for each rule, named as the sentence it
//! states, and a model of the ring and the channels that random programs are
//! compared with.

mod atomic;
mod binding;
mod budgets;
mod callbacks;
mod channels;
mod deadlock;
mod destructors;
mod differential;
mod direct;
mod errors;
mod flat;
mod foreign;
mod kill;
mod lifecycle;
mod locals;
mod main_tasklet;
mod moves;
mod neighbours;
mod payload;
mod preference;
mod ring;
mod run;
mod sequence;
mod thread_end;
mod throw;
mod traps;
mod turns;
mod values;

use greenling::Tasklet;
use std::sync::{Arc, Mutex};

/// A tasklet at the end of the run queue.
fn queued(f: impl FnOnce() + 'static) -> Tasklet {
    Tasklet::new(f).setup().unwrap()
}

/// What happened, told by several threads.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn note(&self, what: impl ToString) {
        self.0.lock().unwrap().push(what.to_string());
    }

    /// All notes since the last call.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}
