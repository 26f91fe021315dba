//! Rings that nobody uses, kept for the next connection of the same thread.
//!
//! A connection that waits for its peer holds two empty rings: 35 KB that do
//! nothing. Taking them away and plugging other ones in costs about 100 ns,
//! making new ones six times that. The pool is per thread, so it needs no lock;
//! a connection that moved to another thread simply gives its rings to the
//! pool there.
//!
//! Rings enter the pool only if they are empty and never carried end of file
//! ([`MemoryRings::is_reusable`]): the next user would read that end as its own.

use std::cell::RefCell;

use openssl::error::ErrorStack;

use crate::bio::{MemoryRings, RingSizes};

/// How many rings of one size a thread keeps. More than this many connections
/// were busy at once and then fell silent together.
const KEPT: usize = 64;

thread_local! {
    static POOL: RefCell<Pool> = const {
        RefCell::new(Pool { record: Vec::new(), bulk: Vec::new() })
    };
}

struct Pool {
    record: Vec<MemoryRings>,
    bulk: Vec<MemoryRings>,
}

impl Pool {
    /// The shelf for a size, or `None` for a size that the user chose.
    fn shelf(&mut self, sizes: RingSizes) -> Option<&mut Vec<MemoryRings>> {
        match sizes {
            RingSizes::RECORD => Some(&mut self.record),
            RingSizes::BULK => Some(&mut self.bulk),
            _ => None,
        }
    }
}

/// Empty rings, from the pool if it has some.
pub(crate) fn take(sizes: RingSizes) -> Result<MemoryRings, ErrorStack> {
    // While the thread ends there is no pool any more; then all are new.
    let pooled = POOL
        .try_with(|pool| pool.borrow_mut().shelf(sizes)?.pop())
        .ok()
        .flatten();
    match pooled {
        Some(rings) => Ok(rings),
        None => MemoryRings::new(sizes),
    }
}

/// Gives rings to the pool, or frees them if they cannot be used again.
pub(crate) fn give(rings: MemoryRings) {
    if !rings.is_reusable() {
        return;
    }
    // What does not fit drops after the borrow has ended.
    let _surplus = POOL.try_with(|pool| match pool.borrow_mut().shelf(rings.sizes()) {
        Some(shelf) if shelf.len() < KEPT => {
            shelf.push(rings);
            None
        }
        _ => Some(rings),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lends_the_same_rings_again_if_they_are_clean() {
        let first = take(RingSizes::RECORD).expect("memory");
        let address = first.address();
        give(first);
        let mut second = take(RingSizes::RECORD).expect("memory");
        assert_eq!(second.address(), address);
        second.close_in();
        give(second);
        let kept = POOL.with(|pool| pool.borrow().record.len());
        assert_eq!(kept, 0);
    }

    #[test]
    fn does_not_keep_unusual_sizes_or_too_many() {
        let odd = RingSizes {
            incoming: 17,
            outgoing: 17,
        };
        give(take(odd).expect("memory"));
        let many: Vec<_> = (0..KEPT + 3)
            .map(|_| MemoryRings::new(RingSizes::BULK).expect("memory"))
            .collect();
        many.into_iter().for_each(give);
        let kept = POOL.with(|pool| pool.borrow().bulk.len());
        assert_eq!(kept, KEPT);
    }
}
