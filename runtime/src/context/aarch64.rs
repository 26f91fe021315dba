//! aarch64, AAPCS64 (Linux and macOS).
//!
//! The stack of a context in its three states; addresses grow upwards:
//!
//! ```text
//!      fresh (prepare)            suspended (switch)          running
//!  top +--------------+         |  frames of its     |     |  frames   |
//!   24 | 0            |         |  functions         |     |           |
//!   16 | trampoline   |         +--------------------+     +-----------+ <- sp
//!    8 | entry        |      24 | (padding)          |
//!    0 | arg          |      16 | resume address     |
//!   sp +--------------+       8 | x29                |
//!                             0 | x19                |
//!                            sp +--------------------+
//! ```
//!
//! Whoever resumes a context branches to the address at `sp + 16` with the
//! stack pointer at `sp`. For a suspended context that is the label behind the
//! branch in `switch`, which takes back `x19` and `x29`, the two callee-saved
//! registers that LLVM reserves for itself and that inline assembly cannot name
//! as clobbered. All other registers are declared clobbered, so the compiler
//! has put live values into the frames above.
//!
//! At the resume label, once the 32 bytes are popped, the stack pointer is what
//! it was when the assembly began: a suspended stack can be unwound from
//! `pc = [sp+16]`, `x19 = [sp]`, `x29 = [sp+8]`, `sp = sp+32`.

use super::{Callee, Entry, Visitor};
use core::arch::{asm, naked_asm};

/// Lays out a fresh stack so that resuming it calls `entry(arg)`.
///
/// # Safety
///
/// `top` is 16-byte aligned and the 32 bytes below it are writable and unused.
pub(crate) unsafe fn prepare(top: *mut u8, entry: Entry, arg: *mut u8) -> *mut u8 {
    // SAFETY: stays inside the same stack.
    let sp = unsafe { top.sub(32) };
    // SAFETY: the caller guarantees 32 writable bytes below `top`.
    unsafe {
        sp.cast::<[usize; 4]>().write([
            arg as usize,
            entry as usize,
            trampoline as *const () as usize,
            0,
        ])
    };
    sp
}

/// Suspends the running context into `*save` and resumes `to`.
///
/// # Safety
///
/// `to` is a suspended or fresh context of this OS thread, and is resumed at
/// most once. Whoever resumes `*save` does so on this OS thread.
#[inline(always)]
pub(crate) unsafe fn switch(save: *mut *mut u8, to: *mut u8) {
    // SAFETY: the caller vouches for `save` and `to`; everything the compiler
    // keeps in registers is either clobbered below or saved by hand.
    unsafe {
        asm!(
            "stp x19, x29, [sp, #-32]!",
            "adr x2, 2f",
            "str x2, [sp, #16]",
            // The context is complete: publish it and leave.
            "mov x2, sp",
            "str x2, [x0]",
            "ldr x2, [x1, #16]",
            "mov sp, x1",
            "br x2",
            "2:",
            "ldp x19, x29, [sp], #32",
            inlateout("x0") save => _,
            inlateout("x1") to => _,
            out("x2") _,
            lateout("x20") _,
            lateout("x21") _,
            lateout("x22") _,
            lateout("x23") _,
            lateout("x24") _,
            lateout("x25") _,
            lateout("x26") _,
            lateout("x27") _,
            lateout("x28") _,
            clobber_abi("C"),
        );
    }
}

/// Resumes `to` for good: the running context is never resumed.
///
/// # Safety
///
/// As for [`switch`]; nothing on the running stack is needed any more.
#[inline(always)]
pub(crate) unsafe fn leave(to: *mut u8) -> ! {
    // SAFETY: the caller vouches for `to`; nothing of this stack is used again.
    unsafe {
        asm!(
            "ldr x2, [{to}, #16]",
            "mov sp, {to}",
            "br x2",
            to = in(reg) to,
            options(noreturn),
        );
    }
}

/// Begins to fetch the line of memory at `address`, which may be any: it is a hint.
#[inline(always)]
pub(crate) fn prefetch(address: *const u8) {
    // SAFETY: never faults, and changes nothing that a program can see.
    unsafe {
        asm!(
            "prfm pldl1keep, [{address}]",
            address = in(reg) address,
            options(nostack, preserves_flags, readonly),
        );
    }
}

/// The root frame of every fresh stack. Marks the end of the stack for
/// unwinders: its return address is undefined, and `x29` is null.
///
/// It jumps with a return address put there by hand. `entry` never returns, and
/// after a call the processor would expect that it does: each function on the stack
/// that is resumed next would then return to where it was not expected.
#[unsafe(naked)]
unsafe extern "C" fn trampoline() -> ! {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined x30",
        "ldp x0, x1, [sp], #32",
        "mov x29, xzr",
        "adr x30, 2f",
        "br x1",
        "2:",
        "brk #1",
        ".cfi_endproc",
    )
}

/// Calls `f(arg)` with the stack pointer at `top`, then comes back.
///
/// Unwinding and backtraces pass through.
///
/// # Safety
///
/// `top` is 16-byte aligned, below it there is enough free stack for `f`, and
/// nothing else uses that stack until this returns or unwinds.
#[unsafe(naked)]
pub(crate) unsafe extern "C-unwind" fn call_on(top: *mut u8, f: Callee, arg: *mut u8) {
    naked_asm!(
        ".cfi_startproc",
        "stp x29, x30, [sp, #-16]!",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset x29, -16",
        ".cfi_offset x30, -8",
        "mov x29, sp",
        "bl {cross}",
        "ldp x29, x30, [sp], #16",
        ".cfi_def_cfa_offset 0",
        ".cfi_restore x29",
        ".cfi_restore x30",
        "ret",
        ".cfi_endproc",
        cross = sym cross,
    )
}

/// Does what [`call_on`] says.
///
/// Its frame's CFA is found through `x29`. It is marked as a signal frame since
/// debuggers take a caller that lies below its callee for a corrupt stack
/// everywhere else. But the return address of a signal frame is taken as the
/// next instruction to run, not as the one after a call: in a Rust function
/// that may be outside of the call's entry in the table of landing pads, which
/// ends the process. So `call_on`, which has no such table, lies between.
///
/// # Safety
///
/// As for [`call_on`].
#[unsafe(naked)]
unsafe extern "C-unwind" fn cross(top: *mut u8, f: Callee, arg: *mut u8) {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_signal_frame",
        "stp x29, x30, [sp, #-16]!",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset x29, -16",
        ".cfi_offset x30, -8",
        "mov x29, sp",
        ".cfi_def_cfa_register x29",
        "mov sp, x0",
        "mov x0, x2",
        "blr x1",
        "mov sp, x29",
        ".cfi_def_cfa_register sp",
        "ldp x29, x30, [sp], #16",
        ".cfi_def_cfa_offset 0",
        ".cfi_restore x29",
        ".cfi_restore x30",
        "ret",
        ".cfi_endproc",
    )
}

/// Where a suspended context keeps its resume address, from its stack pointer.
pub(crate) const RESUME_ADDRESS: usize = 16;

/// Calls `f(arg)` on this stack, and tells unwinders that its caller is the
/// suspended context `sp`: a backtrace taken by `f` goes on there.
///
/// # Safety
///
/// `sp` is a context that `switch` has suspended, and that nobody resumes
/// before this returns.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn call_beneath(sp: *const u8, f: Visitor, arg: *mut u8) {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_signal_frame",
        "stp x29, x30, [sp, #-16]!",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset x29, -16",
        ".cfi_offset x30, -8",
        "mov x29, x0",
        // From here on the caller is what `switch` has left: see the header.
        ".cfi_def_cfa x29, 32",
        ".cfi_offset x19, -32",
        ".cfi_offset x29, -24",
        ".cfi_offset x30, -16",
        "mov x0, x2",
        "blr x1",
        "ldp x29, x30, [sp], #16",
        ".cfi_def_cfa sp, 0",
        ".cfi_restore x19",
        ".cfi_restore x29",
        ".cfi_restore x30",
        "ret",
        ".cfi_endproc",
    )
}
