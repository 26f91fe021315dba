//! One mapping that holds many stacks of one size.
//!
//! The mapping is reserved with `PROT_NONE` and opened from its low end in
//! chunks, so a slab is two VMAs however many stacks it holds, provided that
//! guards don't split it. `MADV_GUARD_INSTALL` (Linux 6.13) marks guard pages
//! in the page tables and splits nothing; where the kernel refuses (older, or
//! the range is locked into memory) the guard is made with `mprotect`, which
//! costs two VMAs a stack and ends near `vm.max_map_count` / 2 stacks.

use super::{GUARD_SIZE, Stack};
use std::io;
use std::ptr;

/// How a guard is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GuardMethod {
    /// `madvise(MADV_GUARD_INSTALL)`, falling back to `Protect` per stack.
    Install,
    /// `mprotect(PROT_NONE)`.
    Protect,
}

/// Most stacks in one slab: with the default size 16 GiB of address space.
const SLOTS_MAX: usize = 64 * 1024;

/// Address space opened at a time.
const CHUNK_SIZE: usize = 16 << 20;

/// Linux 6.13; not in every libc header yet.
#[cfg(target_os = "linux")]
const MADV_GUARD_INSTALL: libc::c_int = 102;

#[derive(Debug)]
pub(super) struct Slab {
    base: *mut u8,
    /// Bytes of a stack, guard included.
    stride: usize,
    slots: usize,
    /// Slots whose memory is readable and writable.
    opened: usize,
    /// Slots that were handed out at least once.
    used: usize,
    guard: GuardMethod,
}

impl Slab {
    /// Reserves address space for up to `SLOTS_MAX` stacks of `stride` bytes.
    /// What cannot be had is halved and asked for again, down to one stack.
    pub(super) fn reserve(stride: usize, guard: GuardMethod) -> io::Result<Slab> {
        let mut slots = SLOTS_MAX.min((64usize << 30) / stride).max(1);
        loop {
            match map_reserved(slots * stride) {
                Ok(base) => {
                    return Ok(Slab {
                        base,
                        stride,
                        slots,
                        opened: 0,
                        used: 0,
                        guard,
                    });
                }
                Err(error) if slots == 1 => return Err(error),
                Err(_) => slots /= 2,
            }
        }
    }

    /// The next stack that was never used, or `None` when the slab is full.
    pub(super) fn carve(&mut self) -> io::Result<Option<Stack>> {
        if self.used == self.slots {
            return Ok(None);
        }
        if self.used == self.opened {
            self.open_chunk()?;
        }
        let base = self.base.wrapping_add(self.used * self.stride);
        let method = install_guard(base, self.guard)?;
        // One refusal is the kernel's answer for the whole slab.
        self.guard = method;
        let stack = Stack::in_slot(base, self.stride, self.used);
        #[cfg(greenling_valgrind)]
        crate::context::valgrind::stack_carved(stack.low(), stack.usable());
        self.used += 1;
        Ok(Some(stack))
    }

    /// True if some slot was never used.
    pub(super) fn has_room(&self) -> bool {
        self.used < self.slots
    }

    /// Slots that were handed out at least once.
    pub(super) fn used(&self) -> usize {
        self.used
    }

    /// Where the memory is that can be used, guards included: start and length.
    pub(super) fn opened_range(&self) -> (usize, usize) {
        (self.base as usize, self.opened * self.stride)
    }

    #[cfg(test)]
    pub(super) fn guard_method(&self) -> GuardMethod {
        self.guard
    }

    /// Gives the whole mapping back.
    ///
    /// # Safety
    ///
    /// No stack of this slab is in use or will be used.
    pub(super) unsafe fn unmap(self) {
        #[cfg(greenling_valgrind)]
        crate::context::valgrind::stacks_unmapped(self.base, self.slots * self.stride);
        #[cfg(greenling_asan)]
        crate::context::sanitizer::stacks_unmapped(self.base, self.slots * self.stride);
        // SAFETY: the mapping is ours and the caller vouches that it is idle.
        let result = unsafe { libc::munmap(self.base.cast(), self.slots * self.stride) };
        debug_assert_eq!(result, 0);
    }

    fn open_chunk(&mut self) -> io::Result<()> {
        let mut count = (CHUNK_SIZE / self.stride).clamp(1, self.slots - self.opened);
        loop {
            let start = self.base.wrapping_add(self.opened * self.stride);
            // SAFETY: the range lies in our own reserved mapping.
            let result = unsafe {
                libc::mprotect(
                    start.cast(),
                    count * self.stride,
                    libc::PROT_READ | libc::PROT_WRITE,
                )
            };
            if result == 0 {
                self.opened += count;
                return Ok(());
            }
            let error = io::Error::last_os_error();
            if count == 1 {
                return Err(error);
            }
            count /= 2;
        }
    }
}

fn map_reserved(length: usize) -> io::Result<*mut u8> {
    // SAFETY: a new anonymous mapping at an address of the kernel's choice.
    let address = unsafe {
        libc::mmap(
            ptr::null_mut(),
            length,
            libc::PROT_NONE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            -1,
            0,
        )
    };
    if address == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    #[cfg(target_os = "linux")]
    {
        // A huge page would back eight stacks at once. Kernels without
        // transparent huge pages refuse, and need no telling.
        // SAFETY: the range is the mapping made above.
        unsafe { libc::madvise(address, length, libc::MADV_NOHUGEPAGE) };
    }
    Ok(address.cast())
}

/// Makes the lowest pages of a slot fault, and tells by which method.
fn install_guard(base: *mut u8, method: GuardMethod) -> io::Result<GuardMethod> {
    #[cfg(target_os = "linux")]
    if method == GuardMethod::Install {
        // SAFETY: the range is the unused low end of our own slot.
        if unsafe { libc::madvise(base.cast(), GUARD_SIZE, MADV_GUARD_INSTALL) } == 0 {
            return Ok(GuardMethod::Install);
        }
    }
    let _ = method;
    // SAFETY: as above.
    if unsafe { libc::mprotect(base.cast(), GUARD_SIZE, libc::PROT_NONE) } == 0 {
        return Ok(GuardMethod::Protect);
    }
    Err(io::Error::last_os_error())
}

/// Returns the pages of a stack that is not in use to the kernel, all but
/// `keep` bytes at its hot end. Best effort: locked memory stays.
///
/// # Safety
///
/// The stack holds no live frames.
pub(super) unsafe fn discard_pages(stack: &Stack, keep: usize) {
    let low = stack.low();
    let Some(length) = stack.usable().checked_sub(keep).filter(|&n| n > 0) else {
        return;
    };
    // SAFETY: the range lies inside the slot, above the guard; the caller
    // vouches that nothing in it is needed.
    unsafe { libc::madvise(low.cast(), length, libc::MADV_DONTNEED) };
}
