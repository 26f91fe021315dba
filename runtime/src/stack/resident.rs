//! How much of the stacks' address space is memory.
//!
//! `mincore` looks into the page tables and touches nothing, so asking costs
//! no page. Pages that were swapped out count as not there.

use super::slab::Slab;
use super::{Stack, StackPool, page_size};

/// Pages asked about at a time.
const BATCH: usize = 1024;

/// What a thread's stacks take.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Stacks of tasklets that are alive.
    pub(crate) in_use: usize,
    /// Stacks that wait for the next tasklet.
    pub(crate) pooled: usize,
    /// Bytes of address space that are open for use, guards included.
    pub(crate) opened: usize,
    /// Bytes of memory.
    pub(crate) resident: usize,
}

impl Stack {
    /// Bytes from the lowest page that is in memory up to the end of the stack;
    /// 0 if none is. Pages stay in memory when a stack changes hands, so it is
    /// the depth that this tasklet or an earlier one has reached since the
    /// memory was last given back, rounded up to pages.
    pub(crate) fn high_water(&self) -> usize {
        if self.is_none() {
            return 0;
        }
        let mut lowest = None;
        visit_pages(self.low() as usize, self.usable(), |at, resident| {
            if resident {
                lowest = Some(at);
            }
            !resident
        });
        lowest.map_or(0, |at| self.base() as usize + self.size() - at)
    }
}

impl StackPool {
    /// What the pool holds. Looks at every page that was ever opened.
    pub(crate) fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        for class in self.classes() {
            usage.in_use += class.live();
            usage.pooled += class.free();
            for (start, length) in class.slabs().map(Slab::opened_range) {
                usage.opened += length;
                usage.resident += resident_bytes(start, length);
            }
        }
        usage
    }
}

fn resident_bytes(start: usize, length: usize) -> usize {
    let mut pages = 0;
    visit_pages(start, length, |_, resident| {
        pages += usize::from(resident);
        true
    });
    pages * page_size()
}

/// Shows `visit` each page of the range with whether it is in memory, upwards,
/// until that returns false. The range is mapped and in whole pages.
fn visit_pages(start: usize, length: usize, mut visit: impl FnMut(usize, bool) -> bool) {
    let page = page_size();
    let mut found = [0u8; BATCH];
    for from in (start..start + length).step_by(BATCH * page) {
        let pages = ((start + length - from) / page).min(BATCH);
        // SAFETY: the kernel writes a byte for each page of the range, for
        // which there is room, and reads nothing.
        let asked =
            unsafe { libc::mincore(from as *mut _, pages * page, found.as_mut_ptr().cast()) };
        if asked != 0 {
            return;
        }
        for (index, byte) in found[..pages].iter().enumerate() {
            if !visit(from + index * page, byte & 1 != 0) {
                return;
            }
        }
    }
}
