//! The C functions of `native/frames.c`.

use std::ffi::c_void;

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
    let nowhere = std::hint::black_box(std::ptr::without_provenance_mut::<u8>(0x10));
    // SAFETY: none: the process is to die of it, and does so without having
    // changed anything.
    unsafe { nowhere.write_volatile(1) };
}
