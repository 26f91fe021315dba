//! What these tests need that has no safe wrapper: the C functions of
//! `native/frames.c`, a thread that std knows nothing of, `mlockall`.

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ptr;

unsafe extern "C" {
    fn frames_of_12_kilobytes(depth: usize) -> usize;
    fn call_back(function: extern "C" fn(*mut c_void), argument: *mut c_void);
}

/// Descends through `depth` + 1 frames of 12 KB, of which each touches only
/// its far end, and returns the address of the deepest.
pub(crate) fn descend(depth: usize) -> usize {
    // SAFETY: the function needs nothing but stack, and running out of that is
    // what the guard is for.
    unsafe { frames_of_12_kilobytes(depth) }
}

/// Runs `f` below a C frame.
pub(crate) fn below_c(mut f: &mut dyn FnMut()) {
    extern "C" fn run(argument: *mut c_void) {
        // SAFETY: `below_c` passes its own closure, which it lends exclusively.
        let f = unsafe { &mut *argument.cast::<&mut dyn FnMut()>() };
        f();
    }
    // SAFETY: `run` takes what it is given here, and C calls it before it returns.
    unsafe { call_back(run, (&raw mut f).cast()) };
}

/// Writes to an address that nobody has mapped.
pub(crate) fn fault() {
    let nowhere = std::hint::black_box(ptr::without_provenance_mut::<u8>(0x10));
    // SAFETY: none: the process is to die of it, and does so without having
    // changed anything.
    unsafe { nowhere.write_volatile(1) };
}

/// Runs `f` on a bare pthread and waits for its end.
pub(crate) fn run_on_pthread(f: fn()) {
    extern "C" fn start(f: *mut c_void) -> *mut c_void {
        // SAFETY: `run_on_pthread` passes the address of its own argument.
        let f = unsafe { *f.cast::<fn()>() };
        f();
        ptr::null_mut()
    }
    let mut thread = MaybeUninit::uninit();
    let argument = (&raw const f).cast_mut().cast();
    // SAFETY: the argument outlives the thread, which is joined below.
    let made = unsafe { libc::pthread_create(thread.as_mut_ptr(), ptr::null(), start, argument) };
    assert_eq!(made, 0);
    // SAFETY: filled in by the call that succeeded.
    let thread = unsafe { thread.assume_init() };
    // SAFETY: joined once.
    assert_eq!(unsafe { libc::pthread_join(thread, ptr::null_mut()) }, 0);
}

/// Locks all memory, present and future; false if that is not allowed.
pub(crate) fn lock_everything() -> bool {
    // SAFETY: mlockall has no preconditions.
    unsafe { libc::mlockall(libc::MCL_CURRENT | libc::MCL_FUTURE) == 0 }
}
