//! Return addresses, of the running tasklet and of suspended ones.
//!
//! A suspended tasklet is unwound by the unwind tables, as a panic would, but
//! on the stack of whoever asks: `context::call_beneath` makes the suspended
//! context look like the caller of the function that takes the backtrace.
//!
//! ```text
//!   stack of the asker            stack of the suspended tasklet
//!   |  .. asks           |        |  its functions          |  ^
//!   |  call_beneath      |        |  function with switch   |  | the unwinder
//!   |  visit, backtrace  | -----> +-------------------------+  | goes on here
//!   +--------------------+                            saved sp
//! ```
//!
//! Only addresses are taken here. Their names are looked up later, from
//! anywhere.

use crate::context::{RESUME_ADDRESS, call_beneath};
use crate::scheduler::Scheduler;
use crate::tasklet::raw::{TcbRef, flag};

/// Most frames of a backtrace; a deeper one ends there.
const FRAMES_MAX: usize = 200;

/// Room for the frames of the unwinder itself.
const OWN_FRAMES: usize = 24;

/// The addresses in a tasklet's frames, innermost first: of the instruction at
/// which it goes on, then of its callers' calls. `None` if it has no frames.
pub(super) fn addresses(scheduler: &Scheduler, task: TcbRef) -> Option<Box<[usize]>> {
    if !task.is_alive() {
        return None;
    }
    if task == scheduler.running() {
        return Some(collect().into());
    }
    let sp = task.sp.get();
    if !task.has(flag::STARTED) || sp.is_null() {
        return None;
    }
    let mut frames = Vec::new();
    // SAFETY: the task is alive, has begun and does not run, so `switch` has
    // suspended it; nobody resumes it while this thread is in here. `visit`
    // gets the vector it expects.
    unsafe { call_beneath(sp, visit, (&raw mut frames).cast()) };
    // SAFETY: a suspended context has its resume address there.
    let resume = unsafe { sp.add(RESUME_ADDRESS) };
    // SAFETY: as above, and it is aligned as the stack pointer is.
    let resume = unsafe { resume.cast::<usize>().read() };
    let start = frames.iter().position(|&address| address == resume)?;
    Some(frames[start..].into())
}

/// A panic in here, which has no caller, ends the process.
unsafe extern "C" fn visit(frames: *mut u8) {
    // SAFETY: `addresses` passes a vector that nobody else uses meanwhile.
    let frames = unsafe { &mut *frames.cast::<Vec<usize>>() };
    *frames = collect();
}

fn collect() -> Vec<usize> {
    let mut frames = Vec::with_capacity(FRAMES_MAX + OWN_FRAMES);
    backtrace::trace(|frame| {
        let address = frame.ip() as usize;
        // The end of a tasklet's stack counts as a frame without an address.
        if address != 0 {
            frames.push(address);
        }
        frames.len() < frames.capacity()
    });
    frames
}
