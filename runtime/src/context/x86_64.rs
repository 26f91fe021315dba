//! x86-64, System V calling convention.
//!
//! The stack of a context in its three states; addresses grow upwards:
//!
//! ```text
//!      fresh (prepare)            suspended (switch)          running
//!  top +--------------+         |  frames of its     |     |  frames   |
//!      | arg          |         |  functions         |     |           |
//!      | entry        |         +--------------------+     +-----------+ <- rsp
//!      | trampoline   |         | rbp                |
//!   sp +--------------+         | rbx                |
//!                               | resume address     |
//!                            sp +--------------------+
//! ```
//!
//! Whoever resumes a context loads `sp`, pops the topmost word and jumps to
//! it. For a suspended context that is the label behind the jump in `switch`,
//! which pops `rbx` and `rbp`, the two callee-saved registers that LLVM
//! reserves for itself and that inline assembly cannot name as clobbered. All
//! other registers are declared clobbered, so the compiler has put live values
//! into the frames above.
//!
//! At the resume label the stack pointer is what it was when the assembly
//! began, so the unwind information of the enclosing function holds there: a
//! suspended stack can be unwound from `pc = [sp]`, `rbx = [sp+8]`,
//! `rbp = [sp+16]`, `rsp = sp+24`.

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
            trampoline as *const () as usize,
            entry as usize,
            arg as usize,
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
            "push rbp",
            "push rbx",
            "lea rax, [rip + 2f]",
            "push rax",
            // The context is complete: publish it and leave.
            "mov [rdi], rsp",
            "mov rsp, rsi",
            "pop rax",
            "jmp rax",
            // Resumed: the word above is popped already.
            "2:",
            "pop rbx",
            "pop rbp",
            inlateout("rdi") save => _,
            inlateout("rsi") to => _,
            out("rax") _,
            lateout("r12") _,
            lateout("r13") _,
            lateout("r14") _,
            lateout("r15") _,
            clobber_abi("sysv64"),
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
            "mov rsp, {to}",
            "pop rax",
            "jmp rax",
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
            "prefetcht0 [{address}]",
            address = in(reg) address,
            options(nostack, preserves_flags, readonly),
        );
    }
}

/// The root frame of every fresh stack. Marks the end of the stack for
/// unwinders: its return address is undefined, and `rbp` is null.
///
/// It jumps with a return address pushed by hand. `entry` never returns, and after
/// a call the processor would expect that it does: each function on the stack that
/// is resumed next would then return to where it was not expected.
#[unsafe(naked)]
unsafe extern "C" fn trampoline() -> ! {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        "pop rax", // entry
        "pop rdi", // arg
        "xor ebp, ebp",
        // The word left on the stack is the null that `prepare` wrote: it
        // keeps the stack aligned and ends frame-pointer walks.
        "push rbp",
        "lea rcx, [rip + 2f]",
        "push rcx",
        "jmp rax",
        "2:",
        "ud2",
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
        "sub rsp, 8",
        ".cfi_def_cfa_offset 16",
        "call {cross}",
        "add rsp, 8",
        ".cfi_def_cfa_offset 8",
        "ret",
        ".cfi_endproc",
        cross = sym cross,
    )
}

/// Does what [`call_on`] says.
///
/// Its frame's CFA is found through `rbp`. It is marked as a signal frame since
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
        "push rbp",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset rbp, -16",
        "mov rbp, rsp",
        ".cfi_def_cfa_register rbp",
        "mov rsp, rdi",
        "mov rdi, rdx",
        "call rsi",
        "mov rsp, rbp",
        "pop rbp",
        ".cfi_def_cfa rsp, 8",
        "ret",
        ".cfi_endproc",
    )
}

/// Where a suspended context keeps its resume address, from its stack pointer.
pub(crate) const RESUME_ADDRESS: usize = 0;

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
        "push rbp",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset rbp, -16",
        "mov rbp, rdi",
        // From here on the caller is what `switch` has left: see the header.
        ".cfi_def_cfa rbp, 24",
        ".cfi_offset rip, -24",
        ".cfi_offset rbx, -16",
        ".cfi_offset rbp, -8",
        "mov rdi, rdx",
        "call rsi",
        "pop rbp",
        ".cfi_def_cfa rsp, 8",
        ".cfi_offset rip, -8",
        ".cfi_restore rbx",
        ".cfi_restore rbp",
        "ret",
        ".cfi_endproc",
    )
}
