//! What the kernel alone charges for a fresh stack: one page fault and one
//! `MADV_GUARD_INSTALL` call (madvise(2), Linux 6.13).
//!
//! The layout is that of the runtime's slabs, 256 KiB a stack with a guard of
//! 64 KiB at the low end, so that page tables are filled at the same rate.
#![allow(unsafe_code, reason = "maps and protects pages by hand")]

use std::ptr::NonNull;
use std::time::Instant;

const STACK: usize = 256 << 10;
const GUARD: usize = 64 << 10;
const STACKS: usize = 200_000;

/// From the kernel's `mman-common.h`; the libc crate does not name it yet.
#[cfg(target_os = "linux")]
const MADV_GUARD_INSTALL: libc::c_int = 102;

/// Nanoseconds for both together; `None` where the kernel lacks the call.
#[cfg(target_os = "linux")]
pub(crate) fn fault_and_guard() -> Option<f64> {
    let slab = Slab::map(STACK * STACKS)?;
    let start = Instant::now();
    for index in 0..STACKS {
        let low = slab.at(index * STACK);
        // SAFETY: the range lies inside the slab, which nothing refers into.
        if unsafe { libc::madvise(low.cast(), GUARD, MADV_GUARD_INSTALL) } != 0 {
            return None;
        }
        let top = slab.at((index + 1) * STACK - 1);
        // SAFETY: inside the slab, writable, and outside the guard just made.
        unsafe { top.write_volatile(1) };
    }
    Some(start.elapsed().as_secs_f64() * 1e9 / STACKS as f64)
}

/// Only Linux has guard pages that are not mappings.
#[cfg(not(target_os = "linux"))]
pub(crate) fn fault_and_guard() -> Option<f64> {
    None
}

/// An anonymous mapping; unmapped on drop.
#[cfg(target_os = "linux")]
struct Slab {
    base: NonNull<u8>,
    length: usize,
}

#[cfg(target_os = "linux")]
impl Slab {
    fn map(length: usize) -> Option<Slab> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new mapping at an address of the kernel's choice.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), length, protection, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            return None;
        }
        let slab = Slab {
            base: NonNull::new(base.cast())?,
            length,
        };
        // SAFETY: the whole of the mapping just made. Without huge pages the
        // advice is moot, so its result does not matter.
        unsafe { libc::madvise(base, length, libc::MADV_NOHUGEPAGE) };
        Some(slab)
    }

    fn at(&self, offset: usize) -> *mut u8 {
        assert!(offset < self.length, "the offset lies inside the slab");
        self.base.as_ptr().wrapping_add(offset)
    }
}

#[cfg(target_os = "linux")]
impl Drop for Slab {
    fn drop(&mut self) {
        // SAFETY: the mapping made by `map`, unmapped once.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.length) };
    }
}
