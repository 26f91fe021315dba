//! One ring buffer, which two sides fill and empty.
//!
//! Its memory is the initialised part of a vector that never grows beyond the
//! capacity it was made with: a connection that moves little touches little. A
//! ring that runs empty begins at its start again, so that what is in it is in
//! one piece as a rule.

/// The least part of a fresh ring that is zeroed and lent.
pub(super) const FIRST_LOAN: usize = 4096;

/// A loan shorter than this is extended if the ring has the room.
const LEAST_LOAN: usize = 1024;

/// A ring of fixed capacity.
#[derive(Debug)]
pub(super) struct Ring {
    /// The ring, as far as it has been written to or lent.
    memory: Vec<u8>,
    capacity: usize,
    /// Where the content begins; 0 when there is none.
    first: usize,
    len: usize,
    /// The last loan came back full: the next one may be larger.
    was_filled: bool,
}

impl Ring {
    /// `None` without memory.
    pub(super) fn new(capacity: usize) -> Option<Ring> {
        let mut memory = Vec::new();
        memory.try_reserve_exact(capacity).ok()?;
        Some(Ring {
            memory,
            capacity,
            first: 0,
            len: 0,
            was_filled: false,
        })
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Bytes in it.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn free(&self) -> usize {
        self.capacity - self.len
    }

    /// The first contiguous piece of the content.
    pub(super) fn content(&self) -> &[u8] {
        let end = self.capacity.min(self.first + self.len);
        &self.memory[self.first..end]
    }

    /// Removes the first `n` bytes of [`Ring::content`].
    ///
    /// # Panics
    ///
    /// Panics if there were fewer.
    pub(super) fn consume(&mut self, n: usize) {
        assert!(n <= self.len, "consumed more than the ring had lent");
        self.len -= n;
        self.first = if self.len == 0 {
            0
        } else {
            self.wrapped(self.first + n)
        };
    }

    /// Removes up to `max` bytes, giving them to `put` in one piece or two; says how
    /// many.
    pub(super) fn take(&mut self, max: usize, mut put: impl FnMut(&[u8])) -> usize {
        let mut left = max.min(self.len);
        let taken = left;
        while left > 0 {
            let piece = self.content();
            let n = piece.len().min(left);
            put(&piece[..n]);
            self.consume(n);
            left -= n;
        }
        taken
    }

    /// Copies bytes in; says how many fitted.
    pub(super) fn write(&mut self, source: &[u8]) -> usize {
        let source = &source[..source.len().min(self.free())];
        let mut rest = source;
        while !rest.is_empty() {
            let (at, room) = self.gap();
            let (piece, later) = rest.split_at(rest.len().min(room));
            // The gap begins within the initialised part, or where that ends.
            let known = piece.len().min(self.memory.len() - at);
            self.memory[at..at + known].copy_from_slice(&piece[..known]);
            self.memory.extend_from_slice(&piece[known..]);
            self.len += piece.len();
            rest = later;
        }
        source.len()
    }

    /// Lends a contiguous part of the free space, empty when there is none. There
    /// may be more after this one is committed.
    pub(super) fn space(&mut self) -> &mut [u8] {
        let (at, room) = self.gap();
        let ready = self.memory.len() - at;
        if ready < room && (ready < LEAST_LOAN || self.was_filled) {
            let start = self.memory.len();
            let end = (at + room).min(start + start.max(FIRST_LOAN));
            self.memory.resize(end, 0);
        }
        let end = self.memory.len().min(at + room);
        &mut self.memory[at..end]
    }

    /// Takes the first `n` bytes of [`Ring::space`] as content.
    ///
    /// # Panics
    ///
    /// Panics if [`Ring::space`] did not lend so much.
    pub(super) fn commit(&mut self, n: usize) {
        let (at, room) = self.gap();
        let lent = room.min(self.memory.len() - at);
        assert!(n <= lent, "committed {n} bytes of a window of {lent}");
        self.was_filled = n == lent;
        self.len += n;
    }

    /// Where the first contiguous part of the free space begins, and its length.
    fn gap(&self) -> (usize, usize) {
        let at = self.wrapped(self.first + self.len);
        (at, self.free().min(self.capacity - at))
    }

    fn wrapped(&self, offset: usize) -> usize {
        if offset < self.capacity {
            offset
        } else {
            offset - self.capacity
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(ring: &mut Ring, mut data: &[u8]) {
        while !data.is_empty() {
            let space = ring.space();
            let n = space.len().min(data.len());
            assert!(n > 0, "ring full");
            space[..n].copy_from_slice(&data[..n]);
            ring.commit(n);
            data = &data[n..];
        }
    }

    fn take(ring: &mut Ring, n: usize) -> Vec<u8> {
        let mut data = Vec::new();
        let taken = ring.take(n, |piece| data.extend_from_slice(piece));
        assert_eq!(taken, data.len());
        data
    }

    #[test]
    fn keeps_the_order_around_its_end() {
        for capacity in [1, 2, 17, 64, 4096, 5000] {
            let mut ring = Ring::new(capacity).expect("memory");
            let mut next = 0_u8;
            let mut expected = 0_u8;
            for round in 0..400 {
                let n = (1 + round * 7 % capacity).min(ring.free());
                let data: Vec<u8> = (0..n).map(|i| next.wrapping_add(i as u8)).collect();
                next = next.wrapping_add(n as u8);
                if round % 2 == 0 {
                    fill(&mut ring, &data);
                } else {
                    assert_eq!(ring.write(&data), n);
                }
                let mut wanted = 1 + round * 5 % capacity;
                while wanted > 0 && ring.len() > 0 {
                    // Both ways to empty it.
                    let piece = if round % 3 == 0 {
                        let piece = ring.content()[..1].to_vec();
                        ring.consume(1);
                        piece
                    } else {
                        take(&mut ring, wanted)
                    };
                    wanted -= piece.len();
                    for byte in piece {
                        assert_eq!(byte, expected);
                        expected = expected.wrapping_add(1);
                    }
                }
            }
            assert_eq!(
                ring.memory.capacity(),
                Vec::<u8>::with_capacity(capacity).capacity()
            );
        }
    }

    #[test]
    fn takes_no_more_than_fits() {
        let mut ring = Ring::new(10).expect("memory");
        assert_eq!(ring.write(&[1; 8]), 8);
        assert_eq!(take(&mut ring, 5), [1; 5]);
        assert_eq!(ring.write(&[2; 8]), 7);
        assert_eq!(ring.write(&[3]), 0);
        assert!(ring.space().is_empty());
        assert_eq!(take(&mut ring, 99), [1, 1, 1, 2, 2, 2, 2, 2, 2, 2]);
        assert!(ring.content().is_empty());
    }

    #[test]
    fn lends_a_large_ring_in_growing_parts_of_zeroes() {
        let mut ring = Ring::new(17 * 1024).expect("memory");
        assert!(ring.space().iter().all(|byte| *byte == 0));
        assert_eq!(ring.space().len(), FIRST_LOAN);
        fill(&mut ring, &[1; FIRST_LOAN / 2]);
        assert_eq!(take(&mut ring, FIRST_LOAN).len(), FIRST_LOAN / 2);
        assert_eq!(ring.space().len(), FIRST_LOAN);
        fill(&mut ring, &[1; FIRST_LOAN]);
        assert_eq!(ring.space().len(), FIRST_LOAN);
        fill(&mut ring, &[2; FIRST_LOAN]);
        assert_eq!(ring.space().len(), 2 * FIRST_LOAN);
        fill(&mut ring, &[3; 17 * 1024 - 2 * FIRST_LOAN]);
        assert!(ring.space().is_empty());
        assert_eq!(ring.len(), 17 * 1024);
        assert_eq!(take(&mut ring, 17 * 1024).len(), 17 * 1024);
        assert_eq!(ring.space().len(), 17 * 1024);
    }

    #[test]
    #[should_panic(expected = "committed 2 bytes of a window of 1")]
    fn a_commit_beyond_the_space_is_noticed() {
        let mut ring = Ring::new(1).expect("memory");
        ring.space();
        ring.commit(2);
    }
}
