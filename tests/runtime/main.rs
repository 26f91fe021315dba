//! What Stackless did not have, or had otherwise: panics, kills that unwind,
//! ends of threads, stacks and their guards, timers.

mod ends;
mod faults;
#[allow(unsafe_code, reason = "calls C functions with large frames")]
mod frames;
mod gdb;
mod kills;
mod memory;
mod panics;
mod reentrancy;
mod results;
mod scale;
mod system_stack;
mod timers;
