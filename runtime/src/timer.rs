//! All deadlines of one thread: a heap that can also remove from its middle.
//!
//! Pure data. It knows nothing of tasklets but their slot numbers, of which
//! each has at most one deadline, and nothing of clocks: `now` is passed in.
//!
//! Four children a node, since a cache line then holds most of a family; the
//! usual timeout is later than those before it, so adding one at the end and
//! removing it soon touches one or two lines however many timers live. Equal
//! deadlines expire in the order in which they were set.

use std::time::{Duration, Instant};

/// Children of a node.
const ARITY: usize = 4;

/// Position of a slot that has no deadline.
const NOWHERE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Nanoseconds since `base`.
    due: u64,
    /// Breaks ties.
    sequence: u32,
    slot: u32,
}

impl Entry {
    fn is_before(self, other: Entry) -> bool {
        // Sequences wrap; two equal deadlines are never 2^31 insertions apart.
        self.due < other.due
            || (self.due == other.due && (self.sequence.wrapping_sub(other.sequence) as i32) < 0)
    }
}

/// The deadlines of all tasklets of a thread.
#[derive(Debug)]
pub(crate) struct Timers {
    base: Instant,
    heap: Vec<Entry>,
    /// Where each slot's entry is in the heap.
    positions: Vec<u32>,
    sequence: u32,
}

impl Timers {
    pub(crate) fn new(base: Instant) -> Timers {
        Timers {
            base,
            heap: Vec::new(),
            positions: Vec::new(),
            sequence: 0,
        }
    }

    /// How many are armed.
    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// The earliest deadline.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let first = self.heap.first()?;
        self.base.checked_add(Duration::from_nanos(first.due))
    }

    /// Sets the deadline of a slot that has none.
    pub(crate) fn insert(&mut self, slot: u32, deadline: Instant) {
        let index = slot as usize;
        if index >= self.positions.len() {
            self.positions.resize(index + 1, NOWHERE);
        }
        debug_assert_eq!(self.positions[index], NOWHERE);
        let entry = Entry {
            due: self.nanos(deadline),
            sequence: self.sequence,
            slot,
        };
        self.sequence = self.sequence.wrapping_add(1);
        self.heap.push(entry);
        self.sift_up(self.heap.len() - 1, entry);
    }

    /// Clears the deadline of a slot, if it has one.
    pub(crate) fn remove(&mut self, slot: u32) {
        let position = match self.positions.get(slot as usize) {
            Some(&position) if position != NOWHERE => position as usize,
            _ => return,
        };
        self.remove_at(position);
    }

    /// Clears the earliest deadline that is not after `now`.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<u32> {
        let first = *self.heap.first()?;
        if first.due > self.nanos(now) {
            return None;
        }
        self.remove_at(0);
        Some(first.slot)
    }

    fn nanos(&self, at: Instant) -> u64 {
        let nanos = at.saturating_duration_since(self.base).as_nanos();
        u64::try_from(nanos).unwrap_or(u64::MAX)
    }

    fn remove_at(&mut self, position: usize) {
        let removed = self.heap[position];
        self.positions[removed.slot as usize] = NOWHERE;
        let last = self.heap.pop().expect("it holds the removed entry");
        if position == self.heap.len() {
            return;
        }
        if position > 0 && last.is_before(self.heap[(position - 1) / ARITY]) {
            self.sift_up(position, last);
        } else {
            self.sift_down(position, last);
        }
    }

    fn place(&mut self, position: usize, entry: Entry) {
        self.heap[position] = entry;
        self.positions[entry.slot as usize] = position as u32;
    }

    fn sift_up(&mut self, mut position: usize, entry: Entry) {
        while position > 0 {
            let parent = (position - 1) / ARITY;
            if !entry.is_before(self.heap[parent]) {
                break;
            }
            self.place(position, self.heap[parent]);
            position = parent;
        }
        self.place(position, entry);
    }

    fn sift_down(&mut self, mut position: usize, entry: Entry) {
        loop {
            let first = position * ARITY + 1;
            let end = (first + ARITY).min(self.heap.len());
            let Some(least) = (first..end).reduce(|a, b| {
                if self.heap[b].is_before(self.heap[a]) {
                    b
                } else {
                    a
                }
            }) else {
                break;
            };
            if !self.heap[least].is_before(entry) {
                break;
            }
            self.place(position, self.heap[least]);
            position = least;
        }
        self.place(position, entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn at(base: Instant, millis: u64) -> Instant {
        base + Duration::from_millis(millis)
    }

    #[test]
    fn expires_in_order_and_ties_in_order_of_setting() {
        let base = Instant::now();
        let mut timers = Timers::new(base);
        for (slot, due) in [(5, 30), (1, 10), (2, 10), (9, 20), (3, 10)] {
            timers.insert(slot, at(base, due));
        }
        assert_eq!(timers.next_due(), Some(at(base, 10)));
        assert_eq!(timers.pop_due(at(base, 9)), None);
        let order: Vec<_> = std::iter::from_fn(|| timers.pop_due(at(base, 99))).collect();
        assert_eq!(order, [1, 2, 3, 9, 5]);
        assert!(timers.is_empty());
    }

    #[test]
    fn agrees_with_a_sorted_map_under_random_use() {
        let base = Instant::now();
        let mut timers = Timers::new(base);
        let mut model = BTreeMap::new();
        let mut due_of = BTreeMap::new();
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        for step in 0..200_000u32 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let slot = (random >> 40) as u32 % 500;
            match (random % 4, due_of.contains_key(&slot)) {
                (0, _) => {
                    let now = random >> 20 & 0xfff;
                    let expected = model.first_key_value().map(|(&key, &slot)| (key, slot));
                    let expected = expected.filter(|((due, _), _)| *due <= now);
                    assert_eq!(
                        timers.pop_due(at(base, now)),
                        expected.map(|(_, slot)| slot)
                    );
                    if let Some((key, slot)) = expected {
                        model.remove(&key);
                        due_of.remove(&slot);
                    }
                }
                (1, true) => {
                    timers.remove(slot);
                    model.remove(&due_of.remove(&slot).unwrap());
                }
                (_, false) => {
                    let due = random >> 8 & 0xfff;
                    timers.insert(slot, at(base, due));
                    model.insert((due, step), slot);
                    due_of.insert(slot, (due, step));
                }
                _ => {}
            }
        }
    }
}
