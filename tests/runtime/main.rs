//! What Stackless did not have, or had otherwise: panics, kills that unwind,
//! ends of threads, stacks and their guards, timers.

mod bindings;
mod budgets;
mod chaos;
mod ends;
mod faults;
mod foreign_ends;
mod foreign_moves;
mod foreign_storm;
mod gdb;
mod hooks;
mod kills;
mod late_signals;
mod memory;
#[allow(unsafe_code, reason = "C functions, a bare pthread, mlockall")]
mod native;
mod panics;
mod reentrancy;
mod results;
#[cfg(greenling_asan)]
#[allow(unsafe_code, reason = "the errors that the sanitizer shall find")]
mod sanitizer;
mod scale;
mod signal_race;
mod system_stack;
mod timers;
mod values;
