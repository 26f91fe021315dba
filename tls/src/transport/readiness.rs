//! Stand-ins for the types of `greenling::io`, for builds without it. They have
//! the same methods and fields.

/// The directions that a wait is about.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interest(u8);

impl Interest {
    /// Until something can be received.
    pub const READ: Interest = Interest(1);
    /// Until something can be sent.
    pub const WRITE: Interest = Interest(2);
    /// Either.
    pub const BOTH: Interest = Interest(3);

    /// Whether receiving is among them.
    pub const fn is_read(self) -> bool {
        self.0 & 1 != 0
    }

    /// Whether sending is among them.
    pub const fn is_write(self) -> bool {
        self.0 & 2 != 0
    }
}

/// What a wait has found. Both false is possible: a wait may end without reason.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ready {
    /// Receiving may work.
    pub readable: bool,
    /// Sending may work.
    pub writable: bool,
}

impl Ready {
    /// Either direction is ready.
    pub const fn any(self) -> bool {
        self.readable || self.writable
    }
}
