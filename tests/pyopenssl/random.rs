//! Random numbers, and what is drawn with them.

/// Xorshift: the same numbers for the same seed everywhere.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..4 {
            random.below(2);
        }
        random
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }

    pub(crate) fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    /// One of a non-empty list.
    pub(crate) fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.below(256) as u8).collect()
    }

    /// Up to `most` of what `draw` draws.
    pub(crate) fn up_to<T>(
        &mut self,
        most: usize,
        mut draw: impl FnMut(&mut Random) -> T,
    ) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| draw(self)).collect()
    }

    /// Text of `length` characters of one alphabet: plain, printable, Latin-1, anything.
    pub(crate) fn text(&mut self, length: usize) -> String {
        let alphabet = self.below(4);
        (0..length)
            .map(|_| match alphabet {
                0 => self.of(b"abcXYZ019-. ") as char,
                1 => (0x20 + self.below(0x5f) as u8) as char,
                2 => self.of(&['a', 'Z', 'ä', 'Ü', 'ß', '\u{7f}', '\u{a0}', '\u{ff}']),
                _ => self.of(&['a', 'é', 'Ω', '中', '文', '\u{2028}', '😀', '\u{10ffff}']),
            })
            .collect()
    }
}
