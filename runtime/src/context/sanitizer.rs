//! The four operations as AddressSanitizer has to see them.
//!
//! Compiled with `--cfg greenling_asan` only; docs/testing.md says how. The
//! sanitizer keeps the bounds of the stack that a thread runs on, and a *fake
//! stack* beside each stack, where locals lie whose use after return it finds.
//! It is told of every change, before and after:
//!
//! ```text
//!   start_switch(&mut fake, where to)    leaving; the fake stack is put away,
//!                                        or freed if the stack is left for good
//!   the operation of the architecture
//!   finish_switch(fake)                  arrived; takes up what was put away,
//!                                        null on a fresh stack
//! ```
//!
//! Contexts are bare stack pointers, so where a stack ends is looked up in
//! `STACKS`, which the stack pool fills. An address that is not in there lies on
//! the thread's native stack, whose bounds the sanitizer tells on the first
//! arrival anywhere else.

use super::{Callee, Entry, arch};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError};

// From <sanitizer/common_interface_defs.h>, asan_interface.h, lsan_interface.h.
unsafe extern "C" {
    fn __sanitizer_start_switch_fiber(save: *mut *mut c_void, bottom: *const u8, size: usize);
    fn __sanitizer_finish_switch_fiber(
        saved: *mut c_void,
        old_bottom: *mut *const u8,
        old_size: *mut usize,
    );
    fn __asan_unpoison_memory_region(start: *const u8, size: usize);
    fn __lsan_ignore_object(object: *const u8);
    fn __lsan_register_root_region(start: *const u8, size: usize);
    fn __lsan_unregister_root_region(start: *const u8, size: usize);
}

/// Every stack that was ever handed out and is mapped: its size by its lowest
/// usable address.
static STACKS: Mutex<BTreeMap<usize, usize>> = Mutex::new(BTreeMap::new());

/// Lowest address and size.
type Bounds = (*const u8, usize);

thread_local! {
    /// The thread's own stack, once it was left for the first time.
    static NATIVE: Cell<Bounds> = const { Cell::new((ptr::null(), 0)) };

    /// The fake stack of calls on the native stack. Main's frames have another:
    /// theirs is put away in main's own `switch`.
    static CALLS: Cell<*mut c_void> = const { Cell::new(ptr::null_mut()) };
}

fn stacks() -> MutexGuard<'static, BTreeMap<usize, usize>> {
    STACKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A stack is about to be used, for the first time or again. Frames that were
/// never returned from have left poison on it.
pub(crate) fn stack_handed_out(low: *const u8, size: usize) {
    let known = stacks().insert(low as usize, size);
    if known.is_none() {
        // A suspended tasklet may be the only one to know of its allocations.
        // SAFETY: the caller's stack is mapped until `stacks_unmapped`.
        unsafe { __lsan_register_root_region(low, size) };
    }
    // SAFETY: as above; no frame lies on it.
    unsafe { __asan_unpoison_memory_region(low, size) };
}

/// All stacks in this range are about to be unmapped.
pub(crate) fn stacks_unmapped(low: *const u8, size: usize) {
    let start = low as usize;
    let gone: Vec<(usize, usize)> = {
        let mut stacks = stacks();
        stacks
            .extract_if(start..start + size, |_, _| true)
            .collect()
    };
    for (low, size) in gone {
        let low = ptr::without_provenance(low);
        // SAFETY: registered by `stack_handed_out`, and still mapped.
        unsafe { __lsan_unregister_root_region(low, size) };
        // What is mapped here next must not find the poison.
        // SAFETY: as above.
        unsafe { __asan_unpoison_memory_region(low, size) };
    }
}

/// A heap block is leaked on purpose, with all that it refers to.
pub(crate) fn leaked(block: *const u8) {
    // SAFETY: any address will do; that of a block is heeded.
    unsafe { __lsan_ignore_object(block) };
}

/// The stack that an address lies on.
fn stack_of(address: *mut u8) -> Bounds {
    let address = address as usize;
    match stacks().range(..=address).next_back() {
        Some((&low, &size)) if address <= low + size => (ptr::without_provenance(low), size),
        _ => NATIVE.get(),
    }
}

/// Says that the next stack is the one that `to` lies on. With `save` null the
/// present one is never come back to.
fn leaving(save: *mut *mut c_void, to: Bounds) {
    // SAFETY: `save` is null or writable, and the bounds are those of a stack.
    unsafe { __sanitizer_start_switch_fiber(save, to.0, to.1) };
}

/// Says that the stack that was announced is in use now. Returns the one before.
fn arrived(fake: *mut c_void) -> Bounds {
    let mut old: Bounds = (ptr::null(), 0);
    // SAFETY: `fake` is null, or what `leaving` has put away for this stack.
    unsafe { __sanitizer_finish_switch_fiber(fake, &mut old.0, &mut old.1) };
    if NATIVE.get().0.is_null() {
        NATIVE.set(old);
    }
    old
}

/// What a fresh context starts with.
#[repr(C)]
struct Fresh {
    entry: Entry,
    arg: *mut u8,
}

/// As the architecture's `prepare`.
///
/// # Safety
///
/// As there, with 16 more bytes.
pub(crate) unsafe fn prepare(top: *mut u8, entry: Entry, arg: *mut u8) -> *mut u8 {
    let fresh = top.wrapping_sub(size_of::<Fresh>()).cast::<Fresh>();
    // SAFETY: the caller guarantees that these bytes are writable and unused.
    unsafe { fresh.write(Fresh { entry, arg }) };
    // SAFETY: and those below as well; still aligned.
    unsafe { arch::prepare(fresh.cast(), start, fresh.cast()) }
}

unsafe extern "C" fn start(fresh: *mut u8) -> ! {
    arrived(ptr::null_mut());
    // SAFETY: written by `prepare`, and started once.
    let Fresh { entry, arg } = unsafe { fresh.cast::<Fresh>().read() };
    // SAFETY: what the caller of `prepare` has asked for.
    unsafe { entry(arg) }
}

/// As the architecture's `switch`.
///
/// # Safety
///
/// As there.
pub(crate) unsafe fn switch(save: *mut *mut u8, to: *mut u8) {
    let to_stack = stack_of(to);
    let mut fake = ptr::null_mut();
    leaving(&mut fake, to_stack);
    // SAFETY: the caller's.
    unsafe { arch::switch(save, to) };
    arrived(fake);
}

/// As the architecture's `leave`.
///
/// # Safety
///
/// As there.
pub(crate) unsafe fn leave(to: *mut u8) -> ! {
    leaving(ptr::null_mut(), stack_of(to));
    // SAFETY: the caller's. No local is used from here on: those that lay on
    // the fake stack are gone.
    unsafe { arch::leave(to) }
}

/// A call that crosses to another stack.
struct Call {
    f: Callee,
    arg: *mut u8,
    /// The caller's fake stack.
    fake: Cell<*mut c_void>,
}

/// As the architecture's `call_on`.
///
/// # Safety
///
/// As there.
pub(crate) unsafe fn call_on(top: *mut u8, f: Callee, arg: *mut u8) {
    let call = Call {
        f,
        arg,
        fake: Cell::new(ptr::null_mut()),
    };
    let there = stack_of(top.wrapping_sub(1));
    let _back = Arrive(&call.fake);
    leaving(call.fake.as_ptr(), there);
    // SAFETY: the caller's; `call` outlives the call.
    unsafe { arch::call_on(top, open_call, (&raw const call).cast_mut().cast()) };
}

unsafe extern "C-unwind" fn open_call(call: *mut u8) {
    // SAFETY: `call_on` passes its own.
    let call = unsafe { &*call.cast::<Call>() };
    let caller = arrived(CALLS.replace(ptr::null_mut()));
    let _back = Leave(caller);
    // SAFETY: what the caller of `call_on` has asked for.
    unsafe { (call.f)(call.arg) };
}

/// Back on the caller's stack, by return or unwinding.
struct Arrive<'a>(&'a Cell<*mut c_void>);

impl Drop for Arrive<'_> {
    fn drop(&mut self) {
        arrived(self.0.get());
    }
}

/// About to go back to the caller's stack, by return or unwinding. The fake
/// stack is kept for the next call: this frame itself may lie on it.
struct Leave(Bounds);

impl Drop for Leave {
    fn drop(&mut self) {
        let mut fake = ptr::null_mut();
        leaving(&mut fake, self.0);
        CALLS.set(fake);
    }
}
