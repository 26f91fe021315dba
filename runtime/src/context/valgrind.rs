//! What Valgrind has to know: where stacks are.
//!
//! Compiled with `--cfg greenling_valgrind` only; docs/testing.md says how.
//! Memcheck takes a stack pointer that moves for a stack that grows or shrinks,
//! and memory that it moves over for new or gone. Between two registered stacks
//! it knows better. That includes the thread's native stack, where calls run on
//! behalf of tasklets; main's alone is registered by Valgrind itself.
//!
//! A client request is a sequence of instructions that does nothing on a real
//! processor and that Valgrind knows. It is part of Valgrind's interface, so it
//! stands here rather than in a dependency: the kept crate, `crabgrind`, needs
//! libclang and Valgrind's headers to be compiled.

use super::{Callee, STACK_ALIGN, arch};
use std::arch::asm;
use std::collections::BTreeMap;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError};

// From <valgrind/valgrind.h> and <valgrind/memcheck.h>.
const STACK_REGISTER: usize = 0x1501;
const STACK_DEREGISTER: usize = 0x1502;
const MAKE_MEM_UNDEFINED: usize = 0x4d43_0001;

/// What Valgrind calls each registered stack, by its lowest usable address.
static REGISTERED: Mutex<BTreeMap<usize, usize>> = Mutex::new(BTreeMap::new());

fn registered() -> MutexGuard<'static, BTreeMap<usize, usize>> {
    REGISTERED.lock().unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    static NATIVE: Native = Native::register();
}

/// The native stack of a thread that has tasklets.
struct Native {
    /// `None` for the main thread's.
    id: Option<usize>,
}

impl Native {
    fn register() -> Native {
        // SAFETY: asks for a number and has no preconditions.
        let thread = unsafe { libc::gettid() };
        if thread as u32 == std::process::id() {
            return Native { id: None };
        }
        let (low, size) = native_stack();
        Native {
            id: Some(request([STACK_REGISTER, low, low + size - 1, 0, 0, 0])),
        }
    }
}

impl Drop for Native {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            request([STACK_DEREGISTER, id, 0, 0, 0, 0]);
        }
    }
}

/// Lowest address and size of the calling thread's own stack.
fn native_stack() -> (usize, usize) {
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    let (mut low, mut size) = (ptr::null_mut(), 0);
    // SAFETY: has no preconditions.
    let this = unsafe { libc::pthread_self() };
    // SAFETY: the thread exists, and the call fills the attributes in.
    let got = unsafe { libc::pthread_getattr_np(this, attributes.as_mut_ptr()) };
    assert_eq!(got, 0, "a thread knows its stack");
    // SAFETY: filled in by the call that succeeded.
    unsafe { libc::pthread_attr_getstack(attributes.as_ptr(), &mut low, &mut size) };
    // SAFETY: as above, and not used again.
    unsafe { libc::pthread_attr_destroy(attributes.as_mut_ptr()) };
    (low as usize, size)
}

/// A stack is about to be used for the first time.
pub(crate) fn stack_carved(low: *const u8, size: usize) {
    NATIVE.with(|_| ());
    let low = low as usize;
    // The second number is that of its highest byte.
    let id = request([STACK_REGISTER, low, low + size - 1, 0, 0, 0]);
    registered().insert(low, id);
}

/// All stacks in this range are about to be unmapped.
pub(crate) fn stacks_unmapped(low: *const u8, size: usize) {
    let start = low as usize;
    registered()
        .extract_if(start..start + size, |_, _| true)
        .for_each(|(_, id)| _ = request([STACK_DEREGISTER, id, 0, 0, 0, 0]));
}

/// As the architecture's `call_on`.
///
/// Memcheck sees the stack pointer's move to the other stack and the push of a
/// return address there as one move, and does not make room for what is pushed.
///
/// # Safety
///
/// As there.
pub(crate) unsafe fn call_on(top: *mut u8, f: Callee, arg: *mut u8) {
    let pushed = top as usize - STACK_ALIGN;
    request([MAKE_MEM_UNDEFINED, pushed, STACK_ALIGN, 0, 0, 0]);
    // SAFETY: the caller's.
    unsafe { arch::call_on(top, f, arg) };
}

/// Asks Valgrind; 0 without it.
fn request(words: [usize; 6]) -> usize {
    let mut answer = 0;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: rotates a register all the way round and exchanges another with
    // itself; Valgrind reads the words.
    unsafe {
        asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") words.as_ptr(),
            inlateout("rdx") answer,
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above.
    unsafe {
        asm!(
            "ror x12, x12, #3",
            "ror x12, x12, #13",
            "ror x12, x12, #51",
            "ror x12, x12, #61",
            "orr x10, x10, x10",
            in("x4") words.as_ptr(),
            inlateout("x3") answer,
        );
    }
    answer
}
