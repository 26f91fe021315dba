//! Keys that seal session tickets: pure data, `now` is passed in.
//!
//! OpenSSL's own default is one random key per `SSL_CTX` for as long as it
//! lives, so one leaked key opens every recorded TLS 1.2 session resumed with
//! it. Here a key seals tickets for [`ROTATION`] and afterwards only opens them
//! for one session lifetime, after which no ticket sealed with it is valid
//! anyway; then it is dropped and zeroised.
//!
//! ```text
//!   born            born + ROTATION            born + ROTATION + lifetime
//!    |  seals and opens    |        opens only           |  gone
//! ```
//!
//! Both limits follow from the moment of birth alone. So a ring that nobody
//! used for a day behaves like one that was used all day, and no timer is
//! needed: keys are made and dropped by the calls that look at them.

use std::fmt;
use std::time::{Duration, Instant};

use openssl::error::ErrorStack;
use openssl::rand::{rand_bytes, rand_priv_bytes};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// How long one key seals new tickets.
pub(super) const ROTATION: Duration = Duration::from_secs(3600);

/// Length of the public label by which a ticket names its key (RFC 5077, section 4).
pub(super) const NAME_LEN: usize = 16;

/// One AES-256 and HMAC-SHA256 pair, as RFC 5077 recommends.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct TicketKey {
    /// Public: travels at the front of each ticket.
    pub(super) name: [u8; NAME_LEN],
    pub(super) aes: [u8; 32],
    pub(super) hmac: [u8; 32],
    #[zeroize(skip)]
    born: Instant,
}

impl TicketKey {
    /// Boxed before it is filled, so that no copy of the secrets stays on a stack.
    fn generate(now: Instant) -> Result<Box<TicketKey>, ErrorStack> {
        let mut key = Box::new(TicketKey {
            name: [0; NAME_LEN],
            aes: [0; 32],
            hmac: [0; 32],
            born: now,
        });
        rand_bytes(&mut key.name)?;
        rand_priv_bytes(&mut key.aes)?;
        rand_priv_bytes(&mut key.hmac)?;
        Ok(key)
    }

    fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.born)
    }

    fn seals(&self, now: Instant) -> bool {
        self.age(now) < ROTATION
    }
}

/// Names the key's public label only.
impl fmt::Debug for TicketKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketKey").finish_non_exhaustive()
    }
}

/// The keys of one context, newest first.
#[derive(Debug)]
pub(super) struct KeyRing {
    // Boxed so that a growing vector moves pointers, not secrets.
    #[expect(
        clippy::vec_box,
        reason = "a move of the keys would leave copies behind"
    )]
    keys: Vec<Box<TicketKey>>,
    lifetime: Duration,
}

impl KeyRing {
    /// An empty ring for tickets that are valid for `lifetime`.
    pub(super) fn new(lifetime: Duration) -> KeyRing {
        KeyRing {
            keys: Vec::new(),
            lifetime,
        }
    }

    /// The key that seals a ticket made at `now`, made on demand.
    pub(super) fn sealing(&mut self, now: Instant) -> Result<&TicketKey, ErrorStack> {
        self.retire(now);
        if !self.keys.first().is_some_and(|key| key.seals(now)) {
            self.keys.insert(0, TicketKey::generate(now)?);
        }
        Ok(&self.keys[0])
    }

    /// The key called `name`, and whether the ticket should be replaced by one
    /// that a younger key sealed.
    pub(super) fn opening(&mut self, name: &[u8], now: Instant) -> Option<(&TicketKey, bool)> {
        self.retire(now);
        let key = self.keys.iter().find(|key| key.name == name)?;
        Some((key, !key.seals(now)))
    }

    fn retire(&mut self, now: Instant) {
        let limit = ROTATION + self.lifetime;
        self.keys.retain(|key| key.age(now) < limit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_secs(300);
    const SECOND: Duration = Duration::from_secs(1);

    fn name(ring: &mut KeyRing, now: Instant) -> [u8; NAME_LEN] {
        ring.sealing(now).unwrap().name
    }

    #[test]
    fn a_key_seals_for_one_rotation_and_opens_for_a_lifetime_more() {
        let start = Instant::now();
        let mut ring = KeyRing::new(LIFETIME);
        let first = name(&mut ring, start);
        assert_eq!(name(&mut ring, start + ROTATION - SECOND), first);

        let second = name(&mut ring, start + ROTATION);
        assert_ne!(second, first);
        let last_use = start + ROTATION + LIFETIME - SECOND;
        assert!(
            ring.opening(&first, last_use)
                .is_some_and(|(_, renew)| renew)
        );
        assert!(
            ring.opening(&second, last_use)
                .is_some_and(|(_, renew)| !renew)
        );
        assert!(ring.opening(&first, last_use + SECOND).is_none());
        assert_eq!(ring.keys.len(), 1, "the retired key is dropped, not kept");
    }

    #[test]
    fn a_long_pause_retires_every_key() {
        let start = Instant::now();
        let mut ring = KeyRing::new(LIFETIME);
        let first = name(&mut ring, start);
        let later = start + ROTATION * 24;
        assert!(ring.opening(&first, later).is_none());
        assert_ne!(name(&mut ring, later), first);
        assert_eq!(ring.keys.len(), 1);
    }

    #[test]
    fn the_ring_stays_short_however_long_it_is_used() {
        let start = Instant::now();
        let mut ring = KeyRing::new(LIFETIME);
        for minute in 0..10_000 {
            ring.sealing(start + SECOND * 60 * minute).unwrap();
            assert!(ring.keys.len() <= 2);
        }
    }

    #[test]
    fn debug_shows_no_key_material() {
        let mut ring = KeyRing::new(LIFETIME);
        ring.sealing(Instant::now()).unwrap();
        assert_eq!(
            format!("{ring:?}"),
            "KeyRing { keys: [TicketKey { .. }], lifetime: 300s }"
        );
    }
}
