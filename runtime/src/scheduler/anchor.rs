//! Where a debugger begins: a symbol that leads to every tasklet.
//!
//! ```text
//!   GREENLING_DEBUG --> anchor --> anchor --> ..     one for each scheduler
//!     layout              |
//!                         +--> current, apart, guard bits
//!                         +--> newest chunk --> older chunk --> ..
//! ```
//!
//! `docs/gdb/greenling.py` follows these pointers, in a live process or in its
//! core file, by the offsets in the layout. So it needs no debug information,
//! which release builds have little of, and none of the layouts that a compiler
//! is free to choose.
//!
//! The list belongs to a lock; debuggers read it while nothing runs.

use super::{Scheduler, guard};
use crate::tasklet::raw::{Chunk, LAYOUT, Layout, TcbRef};
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, PoisonError};

/// Changes when the layout of what is below does.
const VERSION: u32 = 1;

#[repr(C)]
struct Debug {
    version: u32,
    layout: Layout,
    /// The guard bits under which `apart` is the one that runs.
    guard_apart: u32,
    schedulers: AtomicPtr<Anchor>,
}

/// What leads to a scheduler's tasklets.
#[repr(C)]
struct Anchor {
    next: AtomicPtr<Anchor>,
    /// The kernel's number of the thread.
    thread: i64,
    current: *const Cell<TcbRef>,
    apart: *const Cell<TcbRef>,
    guarded: *const Cell<u32>,
    newest_chunk: *const *const Chunk,
    used_blocks: *const u32,
}

// SAFETY: the name is ours; nothing but debuggers looks it up.
#[unsafe(no_mangle)]
static GREENLING_DEBUG: Debug = Debug {
    version: VERSION,
    layout: LAYOUT,
    guard_apart: guard::APART,
    schedulers: AtomicPtr::new(ptr::null_mut()),
};

/// Held by who changes the list.
static LIST: Mutex<()> = Mutex::new(());

/// A place in the list, until it is dropped.
#[derive(Debug)]
pub(super) struct Anchored {
    anchor: *mut Anchor,
    thread: i64,
}

impl Anchored {
    /// The kernel's number of the scheduler's thread.
    pub(super) fn thread(&self) -> i64 {
        self.thread
    }
}

impl Scheduler {
    /// Puts this scheduler, which does not move any more, into the list.
    pub(super) fn show_to_debuggers(&self) -> Anchored {
        let (newest_chunk, used_blocks) = self.table.anchors();
        // SAFETY: has no preconditions.
        let thread = unsafe { libc::syscall(libc::SYS_gettid) };
        let anchor = Box::into_raw(Box::new(Anchor {
            next: AtomicPtr::new(ptr::null_mut()),
            thread,
            current: &raw const self.current,
            apart: &raw const self.apart,
            guarded: &raw const self.guarded,
            newest_chunk,
            used_blocks,
        }));
        let _list = LIST.lock().unwrap_or_else(PoisonError::into_inner);
        let first = &GREENLING_DEBUG.schedulers;
        // SAFETY: made above, and in nobody else's hands yet.
        let next = unsafe { &(*anchor).next };
        next.store(first.load(Ordering::Relaxed), Ordering::Relaxed);
        first.store(anchor, Ordering::Release);
        Anchored { anchor, thread }
    }
}

impl Drop for Anchored {
    fn drop(&mut self) {
        let list = LIST.lock().unwrap_or_else(PoisonError::into_inner);
        let mut link = &GREENLING_DEBUG.schedulers;
        loop {
            let anchor = link.load(Ordering::Relaxed);
            if anchor.is_null() {
                return;
            }
            // SAFETY: what is in the list exists, as long as the lock is held.
            let next = unsafe { &(*anchor).next };
            if anchor == self.anchor {
                link.store(next.load(Ordering::Relaxed), Ordering::Release);
                break;
            }
            link = next;
        }
        drop(list);
        // SAFETY: made by `Box::into_raw`, and out of the list now.
        drop(unsafe { Box::from_raw(self.anchor) });
    }
}
