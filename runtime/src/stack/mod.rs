//! Stacks: where they come from, how they are guarded, how they come back.
//!
//! ```text
//!   slab: one mapping, opened from its low end as stacks are needed
//!   +--------+--------+--------+--------+ - - - - - - - - - - - - +
//!   | slot 0 | slot 1 | slot 2 | slot 3 |   still PROT_NONE       |
//!   +--------+--------+--------+--------+ - - - - - - - - - - - - +
//!
//!   slot:  base                                             base + size
//!          +-----------+--------------------------------------+----+
//!          |   guard   |  usable stack, grows downwards  <----|col.|
//!          +-----------+--------------------------------------+----+
//! ```
//!
//! * `size` counts everything, the guard included, so that a stack of the
//!   default size takes 64 entries of a page table and no more.
//! * The guard is at least 64 KiB: C code has no stack probes, and frames of
//!   33 KB exist in libc. A 12 KB frame jumps over a guard of one page.
//! * `col.` is the colour: tops are staggered by 128 bytes over 16 slots, or
//!   the hot end of every stack would fall into the same cache sets.
//!
//! The pool belongs to one OS thread and takes no locks. `slab` talks to the
//! kernel, `pool` decides, `overflow` explains a hit guard before the process
//! dies of it, `resident` tells how much of it all is memory.

mod overflow;
mod pool;
mod resident;
mod slab;

pub(crate) use overflow::{Suspect, forward as forward_signal, install as install_overflow_report};
pub(crate) use pool::StackPool;

use std::sync::OnceLock;

/// Bytes of every stack that are guard.
pub(crate) const GUARD_SIZE: usize = 64 * 1024;

/// Address space of a stack, guard included, when nobody says otherwise.
pub(crate) const DEFAULT_STACK_SIZE: usize = 256 * 1024;

/// The least stack anyone gets: a panic with a backtrace needs 22 KB.
pub(crate) const MIN_USABLE: usize = 32 * 1024;

/// Stacks are never larger than this: `Builder::stack_size` beyond it fails.
pub(crate) const MAX_STACK_SIZE: usize = 1 << 30;

/// One stack, by value: whoever holds it owns the memory.
///
/// Two words, which are read as they were written: a stack that comes back is
/// handed out again at once, and a word that was stored in parts could not be
/// loaded before the parts have left for the cache.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stack {
    /// Where the first frame goes; less than a page below the end of the slot.
    top: *mut u8,
    /// Bytes of the slot.
    size: usize,
}

impl Stack {
    /// Stands for "no stack": the main tasklet, and tasklets that have ended.
    pub(crate) const fn none() -> Stack {
        Stack {
            top: std::ptr::null_mut(),
            size: 0,
        }
    }

    /// The stack in the slot at `base`, the `index`th of its slab.
    fn in_slot(base: *mut u8, size: usize, index: usize) -> Stack {
        let skip = index % COLOURS * COLOUR_STEP;
        Stack {
            top: base.wrapping_add(size - skip),
            size,
        }
    }

    /// True for [`Stack::none`].
    pub(crate) fn is_none(&self) -> bool {
        self.top.is_null()
    }

    /// Bytes of address space, guard included.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Bytes that can be used before the guard is hit.
    pub(crate) fn usable(&self) -> usize {
        self.size.saturating_sub(GUARD_SIZE)
    }

    /// Lowest address of the guard.
    pub(crate) fn base(&self) -> *mut u8 {
        let skip = self.top.addr().wrapping_neg() % SKIP_LIMIT;
        self.top.wrapping_add(skip).wrapping_sub(self.size)
    }

    /// Lowest address that can be used.
    pub(crate) fn low(&self) -> *mut u8 {
        self.base().wrapping_add(GUARD_SIZE)
    }

    /// Where the first frame goes; 16-byte aligned.
    pub(crate) fn top(&self) -> *mut u8 {
        self.top
    }
}

/// Distance between the tops of two stacks of neighbouring colour: two cache
/// lines, since the prefetcher fetches them in pairs.
const COLOUR_STEP: usize = 128;

/// Colours before they repeat.
const COLOURS: usize = 16;

/// What the tops of stacks leave free is less than this. Slots end at multiples of
/// it, so a top says where its slot ends.
const SKIP_LIMIT: usize = COLOURS * COLOUR_STEP;

/// The size of a stack for which nobody asked anything: 256 KiB, or what
/// `GREENLING_STACK_SIZE` says (bytes, or with a suffix `K` or `M`).
pub(crate) fn default_stack_size() -> usize {
    static SIZE: OnceLock<usize> = OnceLock::new();
    *SIZE.get_or_init(|| match std::env::var("GREENLING_STACK_SIZE") {
        Ok(text) => parse_size(&text).unwrap_or_else(|| {
            log::warn!("GREENLING_STACK_SIZE={text:?} is not a size; using {DEFAULT_STACK_SIZE}");
            DEFAULT_STACK_SIZE
        }),
        Err(_) => DEFAULT_STACK_SIZE,
    })
}

/// Rounds what a user asks for to what a slot holds; `None` if out of range.
pub(crate) fn slot_size(asked: usize) -> Option<usize> {
    if asked > MAX_STACK_SIZE {
        return None;
    }
    let page = page_size();
    let size = asked.max(MIN_USABLE + GUARD_SIZE);
    Some(size.div_ceil(page) * page)
}

fn parse_size(text: &str) -> Option<usize> {
    let text = text.trim();
    let (digits, unit) = match text.as_bytes().last()? {
        b'k' | b'K' => (&text[..text.len() - 1], 1 << 10),
        b'm' | b'M' => (&text[..text.len() - 1], 1 << 20),
        _ => (text, 1),
    };
    let size = digits.parse::<usize>().ok()?.checked_mul(unit)?;
    slot_size(size)
}

fn page_size() -> usize {
    static PAGE: OnceLock<usize> = OnceLock::new();
    // SAFETY: sysconf has no preconditions.
    *PAGE.get_or_init(|| unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize)
}

#[cfg(test)]
mod tests;
