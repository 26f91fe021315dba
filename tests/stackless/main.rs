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
mod kill;
mod lifecycle;
mod main_tasklet;
mod neighbours;
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

/// A tasklet at the end of the run queue.
fn queued(f: impl FnOnce() + 'static) -> Tasklet {
    Tasklet::new(f).setup().unwrap()
}
