//! Backtraces of tasklets.

use super::symbols::Symbols;
use super::unwind;
use crate::scheduler::local;
use crate::tasklet::Tasklet;
use std::fmt;

/// Where a tasklet stands, and who has called whom to get there.
///
/// Taking one collects addresses only; displaying it looks their names up,
/// which reads the program's debug information and takes milliseconds. With
/// `{:#}` the frames of the runtime are shown as well.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Clone, Debug)]
pub struct Backtrace {
    addresses: Box<[usize]>,
}

impl Backtrace {
    pub(super) fn new(addresses: Box<[usize]>) -> Backtrace {
        Backtrace { addresses }
    }

    /// The address at which the tasklet goes on, then the return addresses of
    /// its callers, innermost first; 200 at most.
    pub fn addresses(&self) -> &[usize] {
        &self.addresses
    }
}

impl fmt::Display for Backtrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = f.alternate();
        Symbols::default().write(f, &self.addresses, all)
    }
}

/// The backtrace of a tasklet of this thread, suspended or running. `None` for
/// one that has not started yet, has ended, or has no function.
///
/// A suspended tasklet is unwound where it is: it does not run. What C code
/// without unwind tables has called on it ends the backtrace early.
///
/// # Scheduling
///
/// Never switches; displaying it doesn't, either.
///
/// # Examples
///
/// ```
/// let sleeper = greenling::spawn(|| greenling::schedule_remove());
/// let sleeper = sleeper.tasklet();
/// assert!(greenling::inspect::backtrace(&sleeper).is_none());
/// greenling::schedule();
/// println!("{}", greenling::inspect::backtrace(&sleeper).unwrap());
/// ```
pub fn backtrace(tasklet: &Tasklet) -> Option<Backtrace> {
    let scheduler = local::get()?;
    unwind::addresses(scheduler, tasklet.tcb()).map(Backtrace::new)
}
