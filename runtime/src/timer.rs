//! All deadlines of one thread: a heap that can also change in its middle.
//!
//! Pure data. It knows nothing of tasklets but their slot numbers, of which
//! each has at most one deadline, and nothing of clocks: `now` is passed in.
//!
//! Hardly any deadline is ever reached: what it guards comes first, and the
//! next wait of the same tasklet sets one that is a little later. So the heap
//! is told neither. A cleared deadline leaves its entry, which stands for the
//! next one too as long as that is not earlier: an entry is never later than
//! the deadline of its slot. What comes to the top is put right there.
//!
//! ```text
//!   targets[slot]   deadline in force, or none     set and cleared: two stores
//!        |
//!   heap entry      the same or earlier, or of a   moved when its slot gets an
//!                   deadline that is gone          earlier one, or at the top
//! ```
//!
//! Four children a node, since a cache line then holds most of a family. Equal
//! deadlines expire in the order in which they were set.

use std::time::Instant;

/// Children of a node.
const ARITY: usize = 4;

/// Position of a slot that has no entry.
const NOWHERE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Entry {
    due: Instant,
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

/// What a slot's deadline is, and where its entry.
#[derive(Clone, Copy, Debug)]
struct Target {
    due: Option<Instant>,
    sequence: u32,
    position: u32,
}

/// The deadlines of all tasklets of a thread.
#[derive(Debug)]
pub(crate) struct Timers {
    heap: Vec<Entry>,
    targets: Vec<Target>,
    sequence: u32,
    /// Deadlines in force; there may be more entries.
    in_force: usize,
}

impl Timers {
    pub(crate) fn new() -> Timers {
        Timers {
            heap: Vec::new(),
            targets: Vec::new(),
            sequence: 0,
            in_force: 0,
        }
    }

    /// How many deadlines are in force.
    pub(crate) fn len(&self) -> usize {
        self.in_force
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.in_force == 0
    }

    /// The earliest deadline.
    pub(crate) fn next_due(&mut self) -> Option<Instant> {
        if self.in_force == 0 {
            return None;
        }
        while let Some(&first) = self.heap.first() {
            if self.is_right(first) {
                return Some(first.due);
            }
            self.put_right(first);
        }
        None
    }

    /// Sets the deadline of a slot that has none.
    #[inline]
    pub(crate) fn set(&mut self, slot: u32, deadline: Instant) {
        let entry = Entry {
            due: deadline,
            sequence: self.sequence,
            slot,
        };
        self.sequence = self.sequence.wrapping_add(1);
        self.in_force += 1;
        let Some(target) = self.targets.get_mut(slot as usize) else {
            return self.add(entry);
        };
        debug_assert!(target.due.is_none());
        target.due = Some(deadline);
        target.sequence = entry.sequence;
        let position = target.position as usize;
        match self.heap.get(position) {
            Some(there) if there.due <= deadline => {}
            Some(_) => self.sift_up(position, entry),
            None => self.add(entry),
        }
    }

    /// Clears the deadline of a slot, if it has one.
    #[inline]
    pub(crate) fn clear(&mut self, slot: u32) {
        if let Some(target) = self.targets.get_mut(slot as usize)
            && target.due.take().is_some()
        {
            self.in_force -= 1;
        }
    }

    /// Clears the earliest deadline that is not after `now`.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<u32> {
        loop {
            let first = *self.heap.first()?;
            if first.due > now {
                return None;
            }
            if self.is_right(first) {
                self.remove_first();
                self.clear(first.slot);
                return Some(first.slot);
            }
            self.put_right(first);
        }
    }

    /// Whether the deadline that `entry` stands for is in force as it is.
    fn is_right(&self, entry: Entry) -> bool {
        let target = self.targets[entry.slot as usize];
        target.due == Some(entry.due) && target.sequence == entry.sequence
    }

    /// Moves the entry at the top to where its slot's deadline belongs, or takes
    /// it away if that has none.
    fn put_right(&mut self, first: Entry) {
        let target = self.targets[first.slot as usize];
        let Some(due) = target.due else {
            return self.remove_first();
        };
        let entry = Entry {
            due,
            sequence: target.sequence,
            slot: first.slot,
        };
        self.sift_down(entry);
    }

    /// The first entry of a slot, or the first after it was taken away.
    #[cold]
    fn add(&mut self, entry: Entry) {
        let index = entry.slot as usize;
        if index >= self.targets.len() {
            let none = Target {
                due: None,
                sequence: 0,
                position: NOWHERE,
            };
            self.targets.resize(index + 1, none);
        }
        let target = &mut self.targets[index];
        target.due = Some(entry.due);
        target.sequence = entry.sequence;
        self.heap.push(entry);
        self.sift_up(self.heap.len() - 1, entry);
    }

    fn remove_first(&mut self) {
        let first = self.heap[0];
        self.targets[first.slot as usize].position = NOWHERE;
        let last = self.heap.pop().expect("it holds the removed entry");
        if !self.heap.is_empty() {
            self.sift_down(last);
        }
    }

    fn place(&mut self, position: usize, entry: Entry) {
        self.heap[position] = entry;
        self.targets[entry.slot as usize].position = position as u32;
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

    /// Puts `entry` in place of the first one.
    fn sift_down(&mut self, entry: Entry) {
        let mut position = 0;
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
    use std::time::Duration;

    fn at(base: Instant, millis: u64) -> Instant {
        base + Duration::from_millis(millis)
    }

    #[test]
    fn expires_in_order_and_ties_in_order_of_setting() {
        let base = Instant::now();
        let mut timers = Timers::new();
        for (slot, due) in [(5, 30), (1, 10), (2, 10), (9, 20), (3, 10)] {
            timers.set(slot, at(base, due));
        }
        assert_eq!(timers.next_due(), Some(at(base, 10)));
        assert_eq!(timers.pop_due(at(base, 9)), None);
        let order: Vec<_> = std::iter::from_fn(|| timers.pop_due(at(base, 99))).collect();
        assert_eq!(order, [1, 2, 3, 9, 5]);
        assert!(timers.is_empty());
    }

    #[test]
    fn a_deadline_that_is_gone_is_no_deadline() {
        let base = Instant::now();
        let mut timers = Timers::new();
        timers.set(1, at(base, 10));
        timers.set(2, at(base, 20));
        timers.clear(1);
        assert_eq!(timers.len(), 1);
        assert_eq!(timers.next_due(), Some(at(base, 20)));
        timers.clear(2);
        assert!(timers.is_empty());
        assert_eq!(timers.next_due(), None);
        assert_eq!(timers.pop_due(at(base, 99)), None);
    }

    #[test]
    fn an_entry_stands_for_later_deadlines_of_its_slot_until_it_is_first() {
        let base = Instant::now();
        let mut timers = Timers::new();
        timers.set(1, at(base, 10));
        timers.set(2, at(base, 20));
        for due in [30, 40, 20] {
            timers.clear(1);
            timers.set(1, at(base, due));
            assert_eq!(timers.heap[0].due, at(base, 10));
        }
        // Its time has come, but not that of the deadline it stands for.
        assert_eq!(timers.pop_due(at(base, 15)), None);
        // 1 was set after 2.
        assert_eq!(timers.pop_due(at(base, 20)), Some(2));
        // An earlier one does not wait for the top.
        timers.clear(1);
        timers.set(1, at(base, 5));
        assert_eq!(timers.pop_due(at(base, 5)), Some(1));
        assert!(timers.heap.is_empty());
    }

    #[test]
    fn agrees_with_a_sorted_map_under_random_use() {
        let base = Instant::now();
        let mut timers = Timers::new();
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
                    // Not always, since to ask puts the top right.
                    if random.is_multiple_of(5) {
                        let first = model.first_key_value();
                        let due = first.map(|(&(due, _), _)| at(base, due));
                        assert_eq!(timers.next_due(), due);
                    }
                    assert_eq!(timers.len(), model.len());
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
                    timers.clear(slot);
                    model.remove(&due_of.remove(&slot).unwrap());
                }
                (_, false) => {
                    let due = random >> 8 & 0xfff;
                    timers.set(slot, at(base, due));
                    model.insert((due, step), slot);
                    due_of.insert(slot, (due, step));
                }
                _ => {}
            }
        }
    }
}
