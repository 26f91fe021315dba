//! Execution contexts: the one place where a stack is left and another entered.
//!
//! A suspended context is nothing but a stack pointer. What must survive the
//! suspension lies on the stack it points to; the drawings are in the file of
//! each architecture. Six operations exist:
//!
//! ```text
//! prepare(top, entry, arg)   makes a fresh stack look like a suspended context
//! switch(save, to)           suspends this context into `save`, resumes `to`
//! leave(to)                  resumes `to`; this context is never resumed
//! call_on(top, f, arg)       an ordinary call of `f`, but on another stack
//! call_beneath(sp, f, arg)   an ordinary call of `f`, whose backtrace goes on in
//!                            the suspended context
//! prefetch(address)          begins to fetch memory that is needed soon
//! ```
//!
//! `switch` is inline assembly that is inlined into each of its callers: the
//! compiler saves only what is live there, and each call site has an indirect
//! jump of its own for the branch predictor to learn. A shared function that
//! ends in `ret` costs a mispredicted return for every switch.
//!
//! The floating point environment (MXCSR, the x87 control word, FPCR) belongs
//! to the OS thread and is not switched. User-mode shadow stacks (CET, GCS)
//! are not supported: a process that turns them on cannot switch stacks so.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(greenling_asan)]
pub(crate) mod sanitizer;
#[cfg(greenling_valgrind)]
pub(crate) mod valgrind;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
use aarch64 as arch;
#[cfg(target_arch = "x86_64")]
use x86_64 as arch;

#[cfg(not(any(greenling_asan, greenling_valgrind)))]
pub(crate) use arch::call_on;
pub(crate) use arch::{RESUME_ADDRESS, call_beneath, prefetch};
#[cfg(not(greenling_asan))]
pub(crate) use arch::{leave, prepare, switch};
#[cfg(greenling_asan)]
pub(crate) use sanitizer::{call_on, leave, prepare, switch};
#[cfg(greenling_valgrind)]
pub(crate) use valgrind::call_on;

#[cfg(not(all(
    any(target_arch = "x86_64", target_arch = "aarch64"),
    any(target_os = "linux", target_os = "macos")
)))]
compile_error!("greenling switches stacks on x86-64 and aarch64, Linux and macOS only");

/// What a fresh context runs. It must not return and must not unwind.
pub(crate) type Entry = unsafe extern "C" fn(*mut u8) -> !;

/// What `call_on` runs on the other stack. It may unwind.
pub(crate) type Callee = unsafe extern "C-unwind" fn(*mut u8);

/// What `call_beneath` runs. It must not unwind: its caller is none.
pub(crate) type Visitor = unsafe extern "C" fn(*mut u8);

/// Alignment of every stack top handed to `prepare` and `call_on`.
pub(crate) const STACK_ALIGN: usize = 16;

#[cfg(test)]
mod tests;
