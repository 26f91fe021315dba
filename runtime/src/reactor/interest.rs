//! Directions of I/O, and what a wait for them tells.

/// Which direction of a descriptor somebody waits for.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interest(u8);

impl Interest {
    /// Something to read, or the end of the stream.
    pub const READ: Interest = Interest(1);
    /// Room to write.
    pub const WRITE: Interest = Interest(2);
    /// Either.
    pub const BOTH: Interest = Interest(3);

    /// Neither; only a start for [`and`](Self::and).
    pub(super) const NONE: Interest = Interest(0);

    /// Includes reading.
    pub const fn is_read(self) -> bool {
        self.0 & 1 != 0
    }

    /// Includes writing.
    pub const fn is_write(self) -> bool {
        self.0 & 2 != 0
    }

    /// These directions and those of `other`.
    pub(super) const fn and(self, other: Interest) -> Interest {
        Interest(self.0 | other.0)
    }

    /// Has a direction in common with `other`.
    pub(crate) const fn overlaps(self, other: Interest) -> bool {
        self.0 & other.0 != 0
    }
}

/// What a wait has found. Readiness is a hint: the operation may still say
/// `WouldBlock`.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ready {
    /// Reading may succeed.
    pub readable: bool,
    /// Writing may succeed.
    pub writable: bool,
}

impl Ready {
    /// Either direction is ready.
    pub const fn any(self) -> bool {
        self.readable || self.writable
    }
}
