//! Which stack to hand out, and when memory goes back to the kernel.
//!
//! Freed stacks are reused last in, first out: the hottest is in the cache.
//! Pages that a deep call once touched stay resident until `trim`, which the
//! scheduler calls when it is idle: stacks that lay unused since the last call
//! lose all their pages, the others all beyond `HOT_BYTES`.

use super::slab::{GuardMethod, Slab, discard_pages};
use super::{Stack, default_stack_size};
use std::io;

/// What an idle stack in the hot part of the free list keeps resident.
const HOT_BYTES: usize = 16 * 1024;

/// Free stacks that are kept hot at all times.
const HOT_STACKS: usize = 64;

/// Stacks trimmed in one go, so that a trim never holds the thread for long.
const TRIM_BATCH: usize = 64;

/// All stacks of one OS thread.
#[derive(Debug)]
pub(crate) struct StackPool {
    /// Stacks of the default size.
    usual: Class,
    /// Those of other sizes; few programs have any.
    others: Vec<Class>,
    making: Making,
}

/// How stacks are made.
#[derive(Debug)]
struct Making {
    guard: GuardMethod,
    /// Called before the first of a size are mapped.
    first: fn(),
}

/// Stacks of one size.
#[derive(Debug)]
pub(super) struct Class {
    size: usize,
    /// Last in, first out.
    free: Vec<Stack>,
    slabs: Vec<Slab>,
    /// Free stacks below this index have been trimmed and not used since.
    trimmed: usize,
}

impl StackPool {
    /// `first` is called as the first stack of each size is taken, and must not touch
    /// the pool.
    pub(crate) fn new(first: fn()) -> StackPool {
        StackPool {
            usual: Class::new(default_stack_size()),
            others: Vec::new(),
            making: Making {
                guard: GuardMethod::Install,
                first,
            },
        }
    }

    #[cfg(test)]
    pub(super) fn with_guard(guard: GuardMethod) -> StackPool {
        let mut pool = StackPool::new(|| ());
        pool.making.guard = guard;
        pool
    }

    /// A stack of the default size.
    #[inline]
    pub(crate) fn take_default(&mut self) -> io::Result<Stack> {
        self.usual.take(&self.making)
    }

    /// A stack of `size` bytes, which `slot_size` has rounded.
    pub(crate) fn take(&mut self, size: usize) -> io::Result<Stack> {
        if self.usual.size == size {
            return self.usual.take(&self.making);
        }
        let index = self.other(size);
        self.others[index].take(&self.making)
    }

    /// Takes a stack back. The caller may still be running on it, as long as
    /// it leaves it before anyone calls the pool again.
    #[inline]
    pub(crate) fn give_back(&mut self, stack: Stack) {
        let class = if self.usual.size == stack.size() {
            &mut self.usual
        } else {
            let index = self.other(stack.size());
            &mut self.others[index]
        };
        class.free.push(stack);
    }

    /// Returns memory of free stacks to the kernel, a batch at a time; true
    /// while more is left to do. Called off the hot path.
    pub(crate) fn trim(&mut self) -> bool {
        let mut more = self.usual.trim();
        for class in &mut self.others {
            more |= class.trim();
        }
        more
    }

    /// Stacks in use.
    #[cfg(test)]
    pub(super) fn live(&self) -> usize {
        self.classes().map(Class::live).sum()
    }

    pub(super) fn classes(&self) -> impl Iterator<Item = &Class> {
        self.others.iter().chain([&self.usual])
    }

    /// Unmaps every slab of which no stack is in use; leaks the others, whose
    /// frames may still be pointed at.
    pub(crate) fn release(&mut self) {
        let usual = std::mem::replace(&mut self.usual, Class::new(default_stack_size()));
        for class in self.others.drain(..).chain([usual]) {
            if class.live() == 0 {
                for slab in class.slabs {
                    // SAFETY: no stack of this class is in use, and the free
                    // list that named them is gone with the class.
                    unsafe { slab.unmap() };
                }
            }
        }
    }

    /// The index of the class of an unusual size.
    #[cold]
    fn other(&mut self, size: usize) -> usize {
        let known = self.others.iter().position(|class| class.size == size);
        known.unwrap_or_else(|| {
            self.others.push(Class::new(size));
            self.others.len() - 1
        })
    }

    #[cfg(test)]
    pub(super) fn guard_methods(&self) -> Vec<GuardMethod> {
        self.usual.slabs.iter().map(Slab::guard_method).collect()
    }
}

impl Class {
    fn new(size: usize) -> Class {
        Class {
            size,
            free: Vec::new(),
            slabs: Vec::new(),
            trimmed: 0,
        }
    }

    /// Stacks in use.
    pub(super) fn live(&self) -> usize {
        let carved: usize = self.slabs.iter().map(Slab::used).sum();
        carved - self.free.len()
    }

    /// Stacks on the free list.
    pub(super) fn free(&self) -> usize {
        self.free.len()
    }

    pub(super) fn slabs(&self) -> impl Iterator<Item = &Slab> {
        self.slabs.iter()
    }

    #[inline]
    fn take(&mut self, making: &Making) -> io::Result<Stack> {
        let stack = match self.free.pop() {
            Some(stack) => {
                if self.free.len() < self.trimmed {
                    self.trimmed = self.free.len();
                }
                stack
            }
            None => self.carve(making)?,
        };
        #[cfg(greenling_asan)]
        crate::context::sanitizer::stack_handed_out(stack.low(), stack.usable());
        Ok(stack)
    }

    #[cold]
    fn carve(&mut self, making: &Making) -> io::Result<Stack> {
        if self.slabs.is_empty() {
            (making.first)();
        }
        if !self.slabs.last().is_some_and(Slab::has_room) {
            self.slabs.push(Slab::reserve(self.size, making.guard)?);
        }
        let slab = self.slabs.last_mut().expect("a slab was just pushed");
        let stack = slab.carve()?;
        Ok(stack.expect("the slab was seen to have room"))
    }

    fn trim(&mut self) -> bool {
        let cold = self.free.len().saturating_sub(HOT_STACKS);
        let end = cold.min(self.trimmed + TRIM_BATCH);
        for stack in self.free.get(self.trimmed..end).unwrap_or_default() {
            // SAFETY: a stack on the free list has no frames.
            unsafe { discard_pages(stack, 0) };
        }
        self.trimmed = self.trimmed.max(end);
        for stack in &self.free[cold..] {
            // SAFETY: as above.
            unsafe { discard_pages(stack, HOT_BYTES) };
        }
        self.trimmed < cold
    }
}
