//! Fetching ahead what waking a tasklet will touch.
//!
//! Of very many that wait, whoever is woken has mostly left the processor's caches. What its
//! turn needs first is found by three steps, each in what the one before has brought:
//!
//! ```text
//!   list --head--> node --task--> control block --sp--> what it has on its stack
//! ```
//!
//! Whoever wakes several does one step for all of them before the next: the memory answers all
//! at once then, instead of one after the other.

use super::WaitList;
use crate::context::prefetch;

/// Bytes of a cache line.
const LINE: isize = 64;

/// What is fetched of a suspended stack, in lines from its stack pointer: the frames that it
/// will return through, and where its next calls go.
const STACK: std::ops::Range<isize> = -4..16;

/// What of the oldest waiter is fetched.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Node,
    Block,
    Stack,
}

impl<P> WaitList<P> {
    /// Begins to fetch this of the oldest waiter, if there is one.
    #[inline]
    pub(crate) fn fetch_ahead(&self, step: Step) {
        match step {
            Step::Node => prefetch(self.raw.head.get().cast()),
            Step::Block => {
                if let Some(task) = self.raw.first() {
                    let block = (&raw const *task).cast::<u8>();
                    prefetch(block);
                    prefetch(block.wrapping_offset(LINE));
                }
            }
            Step::Stack => {
                if let Some(task) = self.raw.first() {
                    let sp = task.sp.get().cast_const();
                    STACK.for_each(|line| prefetch(sp.wrapping_offset(line * LINE)));
                }
            }
        }
    }
}
