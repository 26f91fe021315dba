//! What can be set on a channel: the preference, and whether it is closing.

use super::Channel;

/// Who runs first after a hand-over.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preference {
    /// The receiver (-1 in Stackless): the default.
    #[default]
    Receiver,
    /// The sender (+1).
    Sender,
    /// Whoever acts goes on (0).
    Neither,
}

impl Preference {
    /// Stackless' number: -1, +1 or 0.
    pub fn as_i32(self) -> i32 {
        match self {
            Preference::Receiver => -1,
            Preference::Sender => 1,
            Preference::Neither => 0,
        }
    }

    /// From Stackless' number, of which only the sign counts.
    pub fn from_i32(number: i32) -> Preference {
        match number.signum() {
            -1 => Preference::Receiver,
            1 => Preference::Sender,
            _ => Preference::Neither,
        }
    }
}

impl<T> Channel<T> {
    /// Who runs first after a hand-over.
    pub fn preference(&self) -> Preference {
        self.shared.preference.get()
    }

    /// Chooses who runs first after a hand-over.
    pub fn set_preference(&self, preference: Preference) {
        self.shared.preference.set(preference);
    }

    /// Whether a hand-over queues both sides, whatever the preference.
    pub fn schedule_all(&self) -> bool {
        self.shared.schedule_all.get()
    }

    /// Makes a hand-over queue both sides, whatever the preference.
    pub fn set_schedule_all(&self, on: bool) {
        self.shared.schedule_all.set(on);
    }

    /// Marks the channel as closing. Wakes nobody: partners that wait already
    /// can still be served, but nobody waits anew.
    pub fn close(&self) {
        self.shared.closing.set(true);
    }

    /// Undoes [`close`](Channel::close).
    pub fn open(&self) {
        self.shared.closing.set(false);
    }

    /// Whether [`close`](Channel::close) was called.
    pub fn is_closing(&self) -> bool {
        self.shared.closing.get()
    }

    /// Whether the channel is closing and nobody waits in it.
    pub fn is_closed(&self) -> bool {
        self.shared.closing.get() && self.shared.waiters.is_empty()
    }
}
