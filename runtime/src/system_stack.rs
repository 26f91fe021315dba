//! Running code on the OS thread's own stack.
//!
//! While a tasklet runs, main is suspended, and the native stack below main's
//! suspended frame is free. C code and polling run there: a frame of any size
//! fits, and the tasklet's own stack keeps one or two touched pages.
//!
//! ```text
//!   native stack                 tasklet's stack
//!   |  main's frames   |         |  tasklet's frames |
//!   |  (suspended)     |         |  on_system_stack  |
//!   +------------------+ <- sp   +-------------------+
//!   |  f runs here     |  <------- call_on
//! ```
//!
//! No switch is possible there: resuming main would run over `f`'s frames. So
//! the scheduler refuses to switch as long as `f` runs, also when the caller
//! is main, whose stack it is anyway.

use crate::context::{STACK_ALIGN, call_on};
use crate::scheduler::{Scheduler, guard, local};
use std::mem::{ManuallyDrop, MaybeUninit};

/// Kept free below main's frame for leaf functions that use a red zone.
const RED_ZONE: usize = 128;

/// Runs `f` on the OS thread's own stack and returns what it returns.
///
/// For calls into C that need more stack than a tasklet has, or that must not
/// be interleaved with other tasklets. On a thread without tasklets, and from
/// the main tasklet, this is a plain call.
///
/// # Scheduling
///
/// Never switches, and `f` can't: a blocking call inside it fails with
/// [`WaitError::SwitchTrap`](crate::WaitError::SwitchTrap), and
/// [`schedule`](crate::schedule) does nothing.
///
/// # Panics
///
/// A panic of `f` passes through, with its backtrace.
///
/// # Examples
///
/// ```
/// let sum = greenling::spawn(|| greenling::on_system_stack(|| 40 + 2));
/// assert_eq!(sum.join().unwrap(), 42);
/// ```
#[inline]
pub fn on_system_stack<R>(f: impl FnOnce() -> R) -> R {
    let Some(scheduler) = local::get() else {
        return call_here(f);
    };
    if scheduler.guard_bits() & (guard::SYSTEM_STACK | guard::IN_HOOK) != 0 {
        // In a callback the current tasklet is not the one whose stack this is.
        return call_here(f);
    }
    let _guard = SystemStackGuard::new(scheduler);
    if scheduler.current() == scheduler.main() {
        return call_here(f);
    }
    on_native_stack(scheduler.main().sp.get(), f)
}

/// A plain call, kept out of its caller: inlined there, `f`'s locals would
/// take room in the tasklet's own frame, also when `f` runs elsewhere.
#[inline(never)]
fn call_here<R>(f: impl FnOnce() -> R) -> R {
    f()
}

/// Forbids switching for as long as it lives.
struct SystemStackGuard(&'static Scheduler);

impl SystemStackGuard {
    #[inline(always)]
    fn new(scheduler: &'static Scheduler) -> SystemStackGuard {
        scheduler.set_guard(guard::SYSTEM_STACK);
        SystemStackGuard(scheduler)
    }
}

impl Drop for SystemStackGuard {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.clear_guard(guard::SYSTEM_STACK);
    }
}

/// What crosses to the other stack: the closure going, the result coming.
struct Parcel<F, R> {
    closure: ManuallyDrop<F>,
    result: MaybeUninit<R>,
}

/// Runs `f` below `main_sp`, the stack pointer of the suspended main tasklet.
#[inline]
pub(crate) fn on_native_stack<F: FnOnce() -> R, R>(main_sp: *mut u8, f: F) -> R {
    let mut parcel: Parcel<F, R> = Parcel {
        closure: ManuallyDrop::new(f),
        result: MaybeUninit::uninit(),
    };
    let top = (main_sp as usize - RED_ZONE) & !(STACK_ALIGN - 1);
    let top = main_sp.with_addr(top);
    let parcel_at = (&raw mut parcel).cast();
    // SAFETY: main is suspended, so the native stack below its frame is free,
    // and nothing switches to main before this returns or unwinds: public
    // callers hold a `SystemStackGuard`, the idle scheduler resumes nobody.
    unsafe { call_on(top, open_parcel::<F, R>, parcel_at) };
    // SAFETY: `open_parcel` returned, so it has stored the result.
    unsafe { parcel.result.assume_init() }
}

unsafe extern "C-unwind" fn open_parcel<F: FnOnce() -> R, R>(parcel: *mut u8) {
    // SAFETY: `on_native_stack` passes its own parcel, which nobody else uses.
    let parcel = unsafe { &mut *parcel.cast::<Parcel<F, R>>() };
    // SAFETY: the closure is in it, and is taken this once.
    let closure = unsafe { ManuallyDrop::take(&mut parcel.closure) };
    parcel.result.write(closure());
}
