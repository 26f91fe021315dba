//! Wait lists: first in, first out, with a payload for each waiter.
//!
//! A node lies on the stack of the tasklet that waits, so waiting allocates
//! nothing; a tasklet that waits in two lists at once has two nodes, chained
//! by `sibling`, and leaves both when either wakes it; `several` has any number.
//!
//! ```text
//!   WaitList.head --> node A <--> node B <--> node C --> (back to A)
//!                      |           |           |
//!                    stack of    stack of    stack of
//!                    tasklet A   tasklet B   tasklet C
//! ```
//!
//! # Why this is sound
//!
//! * A node is linked only while its tasklet is inside `wait`, `park_on_either`,
//!   `while_member` or `Places`, that is, while the frame that holds it is alive.
//!   Every way of waking a tasklet unlinks the nodes it waits by (`unlink_all`), a
//!   kill included; a stack with live frames is never freed or unmapped.
//! * Whoever waits borrows the list, so a list can't be dropped or moved
//!   while it has nodes.
//! * Payloads are reached by the waker only while the waiter is suspended, and
//!   by the waiter only after it was unlinked.
//! * No user code runs while a list is half linked.

mod ahead;
mod several;

pub(crate) use ahead::Step;
pub(crate) use several::{Place, Places};

use crate::error::WaitError;
use crate::scheduler::{Park, Scheduler};
use crate::tasklet::raw::TcbRef;
use std::cell::{Cell, UnsafeCell};
use std::marker::PhantomData;
use std::ptr;

/// The links of one waiter in one list.
pub(crate) struct Node {
    next: Cell<*const Node>,
    prev: Cell<*const Node>,
    /// The list it is linked in; null when unlinked.
    list: Cell<*const RawWaitList>,
    task: TcbRef,
    /// The tasklet's next node, if it waits in several lists.
    sibling: Cell<*const Node>,
}

/// A list whose payload type is not known: what a kill needs to see.
#[derive(Debug)]
pub(crate) struct RawWaitList {
    /// The oldest node; the newest is its `prev`. Null when empty.
    head: Cell<*const Node>,
    len: Cell<usize>,
}

/// Links and payload; the links come first, so their address is the node's.
#[repr(C)]
struct Slot<P> {
    node: Node,
    payload: UnsafeCell<P>,
}

/// A queue of parked tasklets, each with a payload of type `P`.
#[derive(Debug)]
pub(crate) struct WaitList<P> {
    raw: RawWaitList,
    payload: PhantomData<Cell<P>>,
}

impl Default for RawWaitList {
    fn default() -> RawWaitList {
        RawWaitList::new()
    }
}

impl RawWaitList {
    pub(crate) const fn new() -> RawWaitList {
        RawWaitList {
            head: Cell::new(ptr::null()),
            len: Cell::new(0),
        }
    }

    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.head.get().is_null()
    }

    pub(crate) fn len(&self) -> usize {
        self.len.get()
    }

    /// The oldest waiter, left where it is.
    pub(crate) fn first(&self) -> Option<TcbRef> {
        // SAFETY: a linked node is alive (see the header).
        unsafe { self.head.get().as_ref() }.map(|node| node.task)
    }

    /// All waiters, oldest first.
    pub(crate) fn tasks(&self) -> Vec<TcbRef> {
        let mut tasks = Vec::with_capacity(self.len());
        let mut at = self.head.get();
        for _ in 0..self.len() {
            // SAFETY: the list holds `len` linked nodes, which are alive.
            let node = unsafe { &*at };
            tasks.push(node.task);
            at = node.next.get();
        }
        tasks
    }

    /// Parks the current tasklet at the end of this list.
    #[inline]
    pub(crate) fn wait(&self, scheduler: &Scheduler, park: Park) -> Result<(), WaitError> {
        scheduler.check_may_park()?;
        scheduler.announce_park(park.reason);
        let node = Node::new(scheduler.current(), ptr::null());
        // SAFETY: `park` returns only when the node was unlinked.
        unsafe { self.link(&raw const node) };
        node.task.waits.set(&raw const node);
        scheduler.park(park)
    }

    /// Runs `f` while `task` stands at the end of this list without waiting in it.
    ///
    /// If that happens in a coroutine of another crate, it may end after `task` and even after
    /// the scheduler, so leaving touches the list alone. Whoever frees its stack without
    /// unwinding it breaks this, as it breaks `std::thread::scope`.
    #[inline]
    pub(crate) fn while_member<T>(&self, task: TcbRef, f: impl FnOnce() -> T) -> T {
        let node = Node::new(task, ptr::null());
        let member = Member {
            list: self,
            node: &node,
        };
        // SAFETY: `member` unlinks the node, by unwinding as well, before this frame is left.
        unsafe { self.link(&raw const node) };
        let value = f();
        drop(member);
        value
    }

    /// Appends a node.
    ///
    /// # Safety
    ///
    /// `at` is the address of the slot (or bare node) in the caller's frame,
    /// and the caller does not leave that frame before the node is unlinked.
    #[inline(always)]
    unsafe fn link(&self, at: *const Node) {
        // SAFETY: the caller vouches for the node.
        let node = unsafe { &*at };
        let head_at = self.head.get();
        if head_at.is_null() {
            node.next.set(at);
            node.prev.set(at);
            self.head.set(at);
        } else {
            // SAFETY: the head is linked, so it is alive.
            let head = unsafe { &*head_at };
            let tail_at = head.prev.get();
            node.next.set(head_at);
            node.prev.set(tail_at);
            head.prev.set(at);
            // SAFETY: the tail is linked, so it is alive.
            unsafe { &*tail_at }.next.set(at);
        }
        node.list.set(self);
        self.len.set(self.len.get() + 1);
    }

    #[inline(always)]
    fn unlink(&self, node: &Node) {
        let next = node.next.get();
        if ptr::eq(next, node) {
            self.head.set(ptr::null());
        } else {
            let prev = node.prev.get();
            // SAFETY: neighbours of a linked node are linked, so alive.
            unsafe { &*next }.prev.set(prev);
            // SAFETY: as above.
            unsafe { &*prev }.next.set(next);
            if ptr::eq(self.head.get(), node) {
                self.head.set(next);
            }
        }
        node.list.set(ptr::null());
        self.len.set(self.len.get() - 1);
    }
}

/// One that is linked without waiting; it leaves with this.
struct Member<'a> {
    list: &'a RawWaitList,
    node: &'a Node,
}

impl Drop for Member<'_> {
    #[inline]
    fn drop(&mut self) {
        self.list.unlink(self.node);
    }
}

impl Node {
    #[inline(always)]
    fn new(task: TcbRef, sibling: *const Node) -> Node {
        Node {
            next: Cell::new(ptr::null()),
            prev: Cell::new(ptr::null()),
            list: Cell::new(ptr::null()),
            task,
            sibling: Cell::new(sibling),
        }
    }
}

/// Takes a tasklet off every list it waits in.
#[inline]
pub(crate) fn unlink_all(task: TcbRef) {
    let mut at = task.waits.replace(ptr::null());
    // SAFETY: `waits` names nodes in a frame of the suspended tasklet.
    while let Some(node) = unsafe { at.as_ref() } {
        // SAFETY: a non-null `list` is the list the node is linked in, which
        // its waiter borrows.
        if let Some(list) = unsafe { node.list.get().as_ref() } {
            list.unlink(node);
        }
        at = node.sibling.get();
    }
}

/// The waiters before and after `task` in the list that it waits in first.
pub(crate) fn neighbours(task: TcbRef) -> (Option<TcbRef>, Option<TcbRef>) {
    // SAFETY: `waits` names nodes in a frame of the suspended tasklet.
    let Some(node) = (unsafe { task.waits.get().as_ref() }) else {
        return (None, None);
    };
    // SAFETY: as in `unlink_all`.
    let Some(list) = (unsafe { node.list.get().as_ref() }) else {
        return (None, None);
    };
    let (head, prev, next) = (list.head.get(), node.prev.get(), node.next.get());
    let prev = (!ptr::eq(head, node)).then_some(prev);
    let next = (next != head).then_some(next);
    // SAFETY: neighbours of a linked node are linked, so alive.
    let task_of = |at: *const Node| unsafe { &*at }.task;
    (prev.map(task_of), next.map(task_of))
}

/// Whether one of the lists that `task` waits in has this address.
pub(crate) fn waits_in(task: TcbRef, address: usize) -> bool {
    let mut at = task.waits.get();
    // SAFETY: `waits` names nodes in a frame of the suspended tasklet.
    while let Some(node) = unsafe { at.as_ref() } {
        if node.list.get().addr() == address {
            return true;
        }
        at = node.sibling.get();
    }
    false
}

/// The address of the list that `task` waits in first.
pub(crate) fn list_of(task: TcbRef) -> Option<usize> {
    // SAFETY: `waits` names nodes in a frame of the suspended tasklet.
    let node = unsafe { task.waits.get().as_ref() }?;
    let list = node.list.get();
    (!list.is_null()).then(|| list.addr())
}

impl<P> Default for WaitList<P> {
    fn default() -> WaitList<P> {
        WaitList::new()
    }
}

impl<P> WaitList<P> {
    /// Tells this list from others.
    pub(crate) fn address(&self) -> usize {
        (&raw const self.raw).addr()
    }

    pub(crate) const fn new() -> WaitList<P> {
        WaitList {
            raw: RawWaitList::new(),
            payload: PhantomData,
        }
    }

    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.raw.len()
    }

    pub(crate) fn tasks(&self) -> Vec<TcbRef> {
        self.raw.tasks()
    }

    /// Parks the current tasklet at the end of this list, then shows `finish`
    /// how the wait ended and the payload as the waker left it.
    ///
    /// The payload is shown in place: moving it out as a whole would load in
    /// one piece what the waker has just stored in several, and wait for it.
    #[inline(always)]
    pub(crate) fn wait<R>(
        &self,
        scheduler: &Scheduler,
        payload: P,
        park: Park,
        finish: impl FnOnce(Result<(), WaitError>, &mut P) -> R,
    ) -> R {
        scheduler.announce_park(park.reason);
        let mut slot = Slot {
            node: Node::new(scheduler.current(), ptr::null()),
            payload: UnsafeCell::new(payload),
        };
        // The whole slot's address: `pop_with` reaches the payload by it.
        let at = (&raw const slot).cast::<Node>();
        // SAFETY: `park` returns only when the node was unlinked.
        unsafe { self.raw.link(at) };
        slot.node.task.waits.set(at);
        let result = scheduler.park(park);
        debug_assert!(slot.node.list.get().is_null());
        finish(result, slot.payload.get_mut())
    }

    /// As `wait`, for payloads by which something is handed over that must not
    /// get lost: `done` sees the payload if the wait ends well, and `undo` if
    /// it ends in any other way, by unwinding as well. `undo` must not run
    /// foreign code, and the payload lives until after it.
    #[inline]
    pub(crate) fn wait_or_undo<R>(
        &self,
        scheduler: &Scheduler,
        payload: P,
        park: Park,
        undo: impl FnOnce(&mut P),
        done: impl FnOnce(&mut P) -> R,
    ) -> Result<R, WaitError> {
        scheduler.announce_park(park.reason);
        let mut held = Held {
            slot: Slot {
                node: Node::new(scheduler.current(), ptr::null()),
                payload: UnsafeCell::new(payload),
            },
            undo: Some(undo),
        };
        let at = (&raw const held.slot).cast::<Node>();
        // SAFETY: `park` returns or unwinds only when the node was unlinked.
        unsafe { self.raw.link(at) };
        held.slot.node.task.waits.set(at);
        scheduler.park(park)?;
        held.undo = None;
        Ok(done(held.slot.payload.get_mut()))
    }

    /// Takes the oldest waiter off the list after showing its payload to `f`,
    /// which must not run foreign code. The caller makes the waiter runnable.
    #[inline(always)]
    pub(crate) fn pop_with<R>(&self, f: impl FnOnce(&mut P) -> R) -> Option<(TcbRef, R)> {
        let at = self.raw.head.get();
        // SAFETY: a linked node is alive.
        let task = unsafe { at.as_ref() }?.task;
        // SAFETY: every node in this list was linked by its slot's address in
        // `WaitList<P>::wait` or, with P = (), in `park_on_either`.
        let payload = unsafe { &*at.cast::<Slot<P>>() }.payload.get();
        // SAFETY: nobody else looks at the payload while the waiter sleeps.
        let result = f(unsafe { &mut *payload });
        unlink_all(task);
        Some((task, result))
    }

    /// Shows the payload of the oldest waiter to `accept`, which must not run
    /// foreign code, and takes the waiter off the list if that says so. The
    /// caller makes it runnable.
    #[inline]
    pub(crate) fn pop_if(&self, accept: impl FnOnce(&mut P) -> bool) -> Option<TcbRef> {
        let at = self.raw.head.get();
        // SAFETY: a linked node is alive.
        let task = unsafe { at.as_ref() }?.task;
        // SAFETY: as in `pop_with`.
        let payload = unsafe { &*at.cast::<Slot<P>>() }.payload.get();
        // SAFETY: nobody else looks at the payload while the waiter sleeps.
        let accepted = accept(unsafe { &mut *payload });
        accepted.then(|| {
            unlink_all(task);
            task
        })
    }
}

/// A slot whose wait may yet have to be undone.
struct Held<P, U: FnOnce(&mut P)> {
    slot: Slot<P>,
    /// None once the wait has ended well.
    undo: Option<U>,
}

impl<P, U: FnOnce(&mut P)> Drop for Held<P, U> {
    fn drop(&mut self) {
        if let Some(undo) = self.undo.take() {
            debug_assert!(self.slot.node.list.get().is_null());
            undo(self.slot.payload.get_mut());
        }
    }
}

impl WaitList<()> {
    /// Parks the current tasklet at the end of this list.
    #[inline]
    pub(crate) fn park(&self, scheduler: &Scheduler, park: Park) -> Result<(), WaitError> {
        self.wait(scheduler, (), park, |result, ()| result)
    }

    /// Wakes all waiters, oldest first, and tells how many there were.
    pub(crate) fn wake_all(&self, scheduler: &Scheduler) -> usize {
        let mut count = 0;
        while let Some((task, ())) = self.pop_with(|()| ()) {
            scheduler.make_runnable(task);
            count += 1;
        }
        count
    }
}

// SAFETY: a list can move to another thread only while nobody waits in it,
// since whoever waits borrows it, and then it is a null pointer and a zero. The
// frames of tasklets whose thread has ended are never run again, and keep
// whatever they borrow from being dropped or moved.
unsafe impl<P: Send> Send for WaitList<P> {}

/// Parks the current tasklet in two lists at once, until either wakes it.
pub(crate) fn park_on_either(
    scheduler: &Scheduler,
    first: &WaitList<()>,
    second: &WaitList<()>,
    park: Park,
) -> Result<(), WaitError> {
    scheduler.announce_park(park.reason);
    let task = scheduler.current();
    let b = Slot {
        node: Node::new(task, ptr::null()),
        payload: UnsafeCell::new(()),
    };
    let a = Slot {
        node: Node::new(task, (&raw const b).cast()),
        payload: UnsafeCell::new(()),
    };
    // SAFETY: `park` returns only when both nodes were unlinked.
    unsafe { first.raw.link((&raw const a).cast()) };
    // SAFETY: as above.
    unsafe { second.raw.link((&raw const b).cast()) };
    task.waits.set((&raw const a).cast());
    scheduler.park(park)
}
