//! The control block of a tasklet, and the table they live in.
//!
//! Control blocks lie apart from the stacks, densely: blocks at the end of
//! equally strided stacks would all fall into the same cache sets. Each is
//! 192 bytes, of which a switch touches the first line only.
//!
//! # Who may touch what
//!
//! A block belongs to one OS thread; `TcbRef` is neither `Send` nor `Sync`, so
//! its fields are plain cells.
//!
//! | field | written by |
//! |---|---|
//! | `sp` | `context::switch`, when the tasklet is left |
//! | `next`, `prev` | `scheduler::ring`; mean nothing outside of it |
//! | `state` | the scheduler, together with the ring or the wait lists |
//! | `wake`, `cargo` | whoever wakes the tasklet; taken by it when it resumes |
//! | `deferred` | whoever kills or throws under `defer_kill`; see `deliver` |
//! | `waits` | `wait::list`; the nodes are on the tasklet's own stack |
//! | `outcome`, `result` | `tasklet::entry`; taken by the join handle |
//! | `handles` | `TcbRef::retain` and `release` |
//!
//! # Lifetime
//!
//! A block is free (in the table's free list) or in use. It is in use while
//! the tasklet is alive or a handle exists. Blocks are never moved, and chunks
//! are unmapped only when the thread's scheduler ends without any handle left,
//! so dereferencing a `TcbRef` is always valid.

use super::extras::Extras;
use crate::error::Thrown;
use crate::stack::Stack;
use crate::time::scope::Innermost;
use crate::wait::{Node, RawWaitList, WaitReason};
use std::any::Any;
use std::cell::{Cell, RefCell, UnsafeCell};
use std::mem::{MaybeUninit, offset_of};
use std::ops::Deref;
use std::panic::Location;
use std::ptr::NonNull;

/// Where a tasklet is in its life.
///
/// ```text
///   Unbound --bind--> Paused <--remove-- Runnable <--wake-- Blocked
///                        \--insert, run-->  |   \----park---->
///                                           v
///                                          Dead
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum State {
    /// A free block.
    Free,
    /// Has no function yet.
    Unbound,
    /// Alive but linked nowhere.
    Paused,
    /// In the ring; the current tasklet is, too.
    Runnable,
    /// Waits; in the wait lists of `waits`, or for its timer only.
    Blocked,
    /// Has ended, or its thread has.
    Dead,
}

/// Why a suspended tasklet was resumed. Everything but `Notified` is rare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Wake {
    /// By whoever it waited for, or by its turn in the ring.
    Notified,
    /// Its deadline passed.
    TimedOut,
    /// Nothing could ever wake it.
    Deadlock,
    /// An error was thrown at it; it is in `cargo`.
    Thrown,
    /// It is to unwind with `TaskletExit`.
    Killed,
    /// It is the wake target of a tasklet that failed; payload in `cargo`.
    Raised,
}

/// What travels with `Wake::Thrown` and `Wake::Raised`.
pub(crate) enum Cargo {
    Thrown(Thrown),
    Raised(Box<dyn Any + Send>),
}

/// How a tasklet ended and what its result cells hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Outcome {
    /// Has not ended, or its result was taken.
    None,
    /// `result` holds the value, or a box of it if it is large.
    Returned,
    /// `result` holds the panic payload.
    Panicked,
    /// Ended by `TaskletExit`.
    Killed,
    /// Ended by an error thrown at it; `result` holds it.
    Thrown,
}

/// Bits of `Tcb::flags`.
pub(crate) mod flag {
    /// The thread's native flow of control.
    pub(crate) const MAIN: u16 = 1;
    /// Its entry function has begun.
    pub(crate) const STARTED: u16 = 2;
    /// A timer is armed for it.
    pub(crate) const TIMER: u16 = 4;
    /// Must not be queued on a channel.
    pub(crate) const BLOCK_TRAP: u16 = 8;
    /// The join handle is gone: nobody will take the result.
    pub(crate) const DETACHED: u16 = 16;
    /// A kill, or the throw in `deferred`, is held back by `defer_kill`.
    pub(crate) const DEFERRED: u16 = 32;
    /// Stackless kind: errors go to the handler and the wake target.
    pub(crate) const STACKLESS: u16 = 64;
    /// A test wants it killed between its wake-up and its run.
    pub(crate) const KILL_ON_WAKE: u16 = 128;
    /// Budgets don't end at its switches.
    pub(crate) const ATOMIC: u16 = 256;
    /// `extras` holds values that are dropped when it ends.
    pub(crate) const VALUES: u16 = 512;
    /// Other threads have had its address.
    pub(crate) const REMOTE: u16 = 1024;
    /// `extras` is not empty.
    pub(crate) const EXTRAS: u16 = 2048;
}

/// Stands for a name in reports.
pub(crate) const NAMELESS: &[u8] = b"unnamed";

/// Words of result kept inside the block.
const RESULT_WORDS: usize = 4;

#[repr(C, align(64))]
pub(crate) struct Tcb {
    // First cache line: what a switch touches.
    pub(crate) sp: Cell<*mut u8>,
    pub(crate) next: Cell<TcbRef>,
    pub(crate) prev: Cell<TcbRef>,
    // These three are cleared together.
    pub(crate) flags: Cell<u16>,
    pub(crate) wake: Cell<Wake>,
    pub(crate) outcome: Cell<Outcome>,
    pub(crate) state: Cell<State>,
    /// Index in the table.
    pub(crate) slot: Cell<u32>,
    handles: Cell<u32>,
    /// First of the wait nodes on its stack, or null.
    pub(crate) waits: Cell<*const Node>,
    /// Innermost `timeout` scope.
    pub(crate) scope: Cell<Option<Innermost>>,
    pub(crate) id: Cell<u64>,

    // Second line: creation, waiting and the end.
    /// Nested `defer_kill` guards.
    pub(crate) deferrals: Cell<u32>,
    /// How often it was killed for want of handles, and lived on.
    pub(crate) refusals: Cell<u32>,
    pub(crate) stack: Cell<Stack>,
    pub(crate) reason: Cell<&'static WaitReason>,
    pub(crate) location: Cell<&'static Location<'static>>,
    pub(crate) joiners: RawWaitList,

    // Third line: the rare and the result.
    pub(crate) spawned_at: Cell<&'static Location<'static>>,
    pub(super) extras: Cell<Option<Box<Extras>>>,
    pub(crate) cargo: Cell<Option<Box<Cargo>>>,
    pub(crate) deferred: Cell<Option<Box<Cargo>>>,
    result: UnsafeCell<[MaybeUninit<u64>; RESULT_WORDS]>,
}

const _: () = assert!(size_of::<Tcb>() <= 192);

/// A pointer to a control block of this OS thread.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct TcbRef(NonNull<Tcb>);

impl Deref for TcbRef {
    type Target = Tcb;

    #[inline(always)]
    fn deref(&self) -> &Tcb {
        // SAFETY: blocks live in chunks that outlast every TcbRef (see the
        // header), and a block is only ever accessed through shared references.
        unsafe { self.0.as_ref() }
    }
}

impl std::fmt::Debug for TcbRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{} {:?}", self.id.get(), self.state.get())
    }
}

impl Tcb {
    #[inline(always)]
    pub(crate) fn has(&self, bit: u16) -> bool {
        self.flags.get() & bit != 0
    }

    #[inline(always)]
    pub(crate) fn set(&self, bit: u16) {
        self.flags.set(self.flags.get() | bit);
    }

    #[inline(always)]
    pub(crate) fn clear(&self, bit: u16) {
        self.flags.set(self.flags.get() & !bit);
    }

    /// Has work left.
    #[inline(always)]
    pub(crate) fn is_alive(&self) -> bool {
        matches!(
            self.state.get(),
            State::Paused | State::Runnable | State::Blocked
        )
    }

    /// A kill, a throw or the like is on its way to it.
    pub(crate) fn has_signals(&self) -> bool {
        self.wake.get() != Wake::Notified || self.has(flag::DEFERRED)
    }

    /// True if a timeout scope surrounds the tasklet's code.
    #[inline(always)]
    pub(crate) fn has_scope(&self) -> bool {
        self.scope.get().is_some()
    }

    /// The name as bytes, for the fault handler; empty if there is none.
    pub(crate) fn name_bytes(&self) -> &'static [u8] {
        // SAFETY: only looks; the name is not changed while its tasklet runs.
        let extras = unsafe { &*self.extras.as_ptr() };
        let Some(name) = extras.as_ref().and_then(|extras| extras.name.as_ref()) else {
            return NAMELESS;
        };
        let bytes: *const [u8] = name.as_bytes();
        // SAFETY: the handler that asks ends the process.
        unsafe { &*bytes }
    }

    /// The stack's base, size and usable size, for reports.
    pub(crate) fn stack_bounds(&self) -> (usize, usize, usize) {
        // SAFETY: as above.
        let stack = unsafe { &*self.stack.as_ptr() };
        (stack.base() as usize, stack.size(), stack.usable())
    }

    /// How much of its stack is memory; see `Stack::high_water`.
    pub(crate) fn stack_high_water(&self) -> usize {
        // SAFETY: as above.
        let stack = unsafe { &*self.stack.as_ptr() };
        stack.high_water()
    }

    /// Stores a value in the result cells, boxed if it does not fit.
    ///
    /// # Safety
    ///
    /// The cells are empty; `take_result::<T>` or nobody reads them next.
    #[inline(always)]
    pub(crate) unsafe fn put_result<T>(&self, value: T) {
        let cells = self.result.get();
        if fits::<T>() {
            // SAFETY: size and alignment were checked; only this thread has
            // access, and nobody holds a reference into the cells.
            unsafe { cells.cast::<T>().write(value) };
        } else {
            // SAFETY: a box is one word.
            unsafe { cells.cast::<Box<T>>().write(Box::new(value)) };
        }
    }

    /// Moves the value out of the result cells.
    ///
    /// # Safety
    ///
    /// `put_result::<T>` with the same `T` came before, and nothing has taken
    /// the value since.
    #[inline(always)]
    pub(crate) unsafe fn take_result<T>(&self) -> T {
        let cells = self.result.get();
        if fits::<T>() {
            // SAFETY: the caller vouches that a T is there.
            unsafe { cells.cast::<T>().read() }
        } else {
            // SAFETY: the caller vouches that a Box<T> is there.
            *unsafe { cells.cast::<Box<T>>().read() }
        }
    }
}

const fn fits<T>() -> bool {
    size_of::<T>() <= RESULT_WORDS * 8 && align_of::<T>() <= 8
}

impl TcbRef {
    /// Counts one more handle. Leaking 2^32 of them ends the process, as it
    /// does with `Rc`: a count that wraps would free a block in use.
    #[inline(always)]
    pub(crate) fn retain(self) {
        match self.handles.get().checked_add(1) {
            Some(handles) => self.handles.set(handles),
            None => std::process::abort(),
        }
    }

    /// Counts the first handle of a block that was just taken.
    #[inline(always)]
    pub(crate) fn retain_first(self) {
        debug_assert!(!self.has_handles());
        self.handles.set(1);
    }

    /// Counts one handle less; true if it was the last.
    #[inline(always)]
    pub(crate) fn release(self) -> bool {
        let left = self.handles.get() - 1;
        self.handles.set(left);
        left == 0
    }

    /// True if a handle exists.
    #[inline(always)]
    pub(crate) fn has_handles(self) -> bool {
        self.handles.get() != 0
    }

    /// How many handles there are.
    pub(crate) fn handle_count(self) -> u32 {
        self.handles.get()
    }

    /// Linked to no other block.
    #[inline(always)]
    pub(crate) fn link_to_self(self) {
        self.next.set(self);
        self.prev.set(self);
    }
}

/// Blocks per chunk: 48 KiB each.
const CHUNK: usize = 256;

/// Blocks that are allocated together.
#[repr(C)]
pub(crate) struct Chunk {
    blocks: [MaybeUninit<Tcb>; CHUNK],
    /// The chunk before it, for debuggers; null in the first.
    older: *const Chunk,
}

/// All control blocks of one scheduler: the registry of its tasklets.
///
/// No foreign code runs in here, so cells will do.
#[derive(Debug)]
pub(crate) struct Table {
    chunks: RefCell<Vec<NonNull<Chunk>>>,
    /// The last of them, or null; debuggers begin there.
    newest: Cell<*const Chunk>,
    /// Blocks that were handed out at least once.
    used: Cell<u32>,
    /// Free blocks, last in, first out; linked through `next`, by which the last
    /// one points at itself.
    free: Cell<Option<TcbRef>>,
}

/// How a debugger finds the blocks: offsets and sizes in bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    block_size: u32,
    blocks_per_chunk: u32,
    /// In a chunk: the chunk before it.
    older: u32,
    /// In a block.
    sp: u32,
    state: u32,
    flags: u32,
    id: u32,
    reason: u32,
    extras: u32,
    /// In the extras.
    name: u32,
    /// The bit of `flags` for tasklets that have begun.
    started: u32,
}

/// That of this build.
pub(crate) const LAYOUT: Layout = Layout {
    block_size: size_of::<Tcb>() as u32,
    blocks_per_chunk: CHUNK as u32,
    older: offset_of!(Chunk, older) as u32,
    sp: offset_of!(Tcb, sp) as u32,
    state: offset_of!(Tcb, state) as u32,
    flags: offset_of!(Tcb, flags) as u32,
    id: offset_of!(Tcb, id) as u32,
    reason: offset_of!(Tcb, reason) as u32,
    extras: offset_of!(Tcb, extras) as u32,
    name: offset_of!(Extras, name) as u32,
    started: flag::STARTED as u32,
};

impl Default for Table {
    fn default() -> Table {
        Table {
            chunks: RefCell::default(),
            newest: Cell::new(std::ptr::null()),
            used: Cell::new(0),
            free: Cell::new(None),
        }
    }
}

impl Table {
    /// Where debuggers find the newest chunk, and the number of blocks that
    /// were ever in use.
    pub(crate) fn anchors(&self) -> (*const *const Chunk, *const u32) {
        (self.newest.as_ptr(), self.used.as_ptr())
    }

    /// A block without handles, linked nowhere. Its state is still `Free`; the
    /// caller, who knows better, sets it at once.
    #[inline(always)]
    pub(crate) fn take(&self, id: u64, at: &'static Location<'static>) -> TcbRef {
        let tcb = match self.free.get() {
            Some(tcb) => {
                let next = tcb.next.get();
                self.free.set((next != tcb).then_some(next));
                tcb
            }
            None => self.carve(at),
        };
        tcb.flags.set(0);
        tcb.wake.set(Wake::Notified);
        tcb.outcome.set(Outcome::None);
        tcb.id.set(id);
        tcb.deferrals.set(0);
        tcb.refusals.set(0);
        tcb.spawned_at.set(at);
        tcb
    }

    /// Takes a block back that nobody refers to any more. Its extras are gone
    /// already: their destructors are foreign code, of which none runs in here.
    #[inline(always)]
    pub(crate) fn give_back(&self, tcb: TcbRef) {
        debug_assert!(!tcb.is_alive() && !tcb.has_handles());
        debug_assert!(tcb.take_extras().is_none());
        tcb.state.set(State::Free);
        tcb.next.set(self.free.get().unwrap_or(tcb));
        self.free.set(Some(tcb));
    }

    /// The block at `slot`, in use or not.
    pub(crate) fn get(&self, slot: u32) -> Option<TcbRef> {
        if slot >= self.used.get() {
            return None;
        }
        let chunk = self.chunks.borrow()[slot as usize / CHUNK].cast::<Tcb>();
        // SAFETY: the index is below CHUNK and the block below `used` was
        // initialised by `carve`.
        Some(TcbRef(unsafe { chunk.add(slot as usize % CHUNK) }))
    }

    /// Every block in use, by slot.
    pub(crate) fn iter(&self) -> impl Iterator<Item = TcbRef> + '_ {
        (0..self.used.get())
            .filter_map(|slot| self.get(slot))
            .filter(|tcb| tcb.state.get() != State::Free)
    }

    #[cold]
    fn carve(&self, at: &'static Location<'static>) -> TcbRef {
        let slot = self.used.get() as usize;
        if slot.is_multiple_of(CHUNK) {
            let chunk = NonNull::from(Box::leak(Box::new(Chunk {
                blocks: [const { MaybeUninit::uninit() }; CHUNK],
                older: self.newest.get(),
            })));
            self.chunks.borrow_mut().push(chunk);
            self.newest.set(chunk.as_ptr());
        }
        let chunk = self.chunks.borrow()[slot / CHUNK].cast::<Tcb>();
        // SAFETY: the index is below CHUNK.
        let pointer = unsafe { chunk.add(slot % CHUNK) };
        let tcb = TcbRef(pointer);
        let block = Tcb {
            sp: Cell::new(std::ptr::null_mut()),
            next: Cell::new(tcb),
            prev: Cell::new(tcb),
            flags: Cell::new(0),
            wake: Cell::new(Wake::Notified),
            outcome: Cell::new(Outcome::None),
            state: Cell::new(State::Free),
            slot: Cell::new(self.used.get()),
            waits: Cell::new(std::ptr::null()),
            scope: Cell::new(None),
            id: Cell::new(0),
            handles: Cell::new(0),
            deferrals: Cell::new(0),
            refusals: Cell::new(0),
            stack: Cell::new(Stack::none()),
            reason: Cell::new(&crate::wait::reason::NOTHING),
            location: Cell::new(at),
            joiners: RawWaitList::new(),
            spawned_at: Cell::new(at),
            extras: Cell::new(None),
            cargo: Cell::new(None),
            deferred: Cell::new(None),
            result: UnsafeCell::new([MaybeUninit::uninit(); RESULT_WORDS]),
        };
        // SAFETY: the block is inside the chunk, unused and well aligned.
        unsafe { pointer.write(block) };
        self.used.set(self.used.get() + 1);
        tcb
    }

    /// Frees the chunks if nobody can refer to a block any more. Otherwise
    /// leaks them: handles may sit in other thread-locals, and so may channels
    /// in which tasklets with leaked stacks are still linked.
    pub(crate) fn release(&self, leaked_stacks: bool) {
        let referred = leaked_stacks || self.iter().any(|tcb| tcb.has_handles());
        if !referred {
            self.iter().for_each(|tcb| drop(tcb.extras.take()));
        }
        for chunk in self.chunks.take() {
            #[cfg(greenling_asan)]
            if referred {
                crate::context::sanitizer::leaked(chunk.as_ptr().cast());
            }
            if !referred {
                // SAFETY: leaked from a Box in `carve`; no handle is left and
                // the scheduler is gone. A block owns nothing on the heap by
                // now, or what it owns belongs to a stack that is leaked too.
                drop(unsafe { Box::from_raw(chunk.as_ptr()) });
            }
        }
        self.newest.set(std::ptr::null());
        self.used.set(0);
        self.free.set(None);
    }
}
