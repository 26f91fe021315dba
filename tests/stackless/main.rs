//! Stackless' semantics: a test for each rule, named as the sentence it
//! states, and a model of the ring and the channels that random programs are
//! compared with.

mod channels;
mod deadlock;
mod destructors;
mod differential;
mod direct;
mod errors;
mod kill;
mod lifecycle;
mod main_tasklet;
mod preference;
mod ring;
mod run;
mod thread_end;
mod throw;
mod traps;

use greenling::Tasklet;

/// A tasklet at the end of the run queue.
fn queued(f: impl FnOnce() + 'static) -> Tasklet {
    Tasklet::new(f).setup().unwrap()
}
