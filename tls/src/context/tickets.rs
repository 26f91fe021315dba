//! Keys that seal session tickets: pure data, `now` is passed in.
//!
//! OpenSSL's own default is one random key per `SSL_CTX` for as long as it
//! lives, so one leaked key opens every recorded TLS 1.2 session resumed with
//! it. Here a key seals tickets until it is retired, by [`ROTATION`] or by hand,
//! and afterwards only opens them for one session lifetime, after which no ticket
//! sealed with it is valid anyway; then it is dropped and zeroised.
//!
//! ```text
//!   born            retired            retired + lifetime
//!    |  seals and opens |     opens only      |  gone
//! ```
//!
//! Both limits follow from ages alone. So a ring that nobody used for a day
//! behaves like one that was used all day, and no timer is needed: keys are made
//! and dropped by the calls that look at them.

use std::fmt;
use std::time::{Duration, Instant};

use openssl::error::ErrorStack;
use openssl::rand::rand_bytes;
#[cfg(feature = "aws-lc")]
use openssl::rand::rand_bytes as rand_priv_bytes;
#[cfg(not(feature = "aws-lc"))]
use openssl::rand::rand_priv_bytes;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// How long one key seals new tickets, unless keys are exchanged by hand.
pub(super) const ROTATION: Duration = Duration::from_secs(3600);

/// Length of the public label by which a ticket names its key (RFC 5077, section 4).
pub(super) const NAME_LEN: usize = 16;

/// The most keys of a ring: hourly exchange and a lifetime of seven days need 169.
const KEYS_MAX: usize = 200;

/// What an exported ring begins with: the format and its version.
const MAGIC: &[u8] = b"greenling ticket keys 1\n";

/// Name, both keys, age, and time since retirement, each in whole seconds.
const EXPORTED_KEY_LEN: usize = NAME_LEN + 32 + 32 + 8 + 8;

/// The time since retirement of a key that is in use.
const IN_USE: u64 = u64::MAX;

/// A moment that may lie further back than this machine has been up.
#[derive(Clone, Copy)]
struct Past {
    at: Instant,
    before: Duration,
}

impl Past {
    fn now(now: Instant) -> Past {
        Past {
            at: now,
            before: Duration::ZERO,
        }
    }

    fn elapsed(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.at)
            .saturating_add(self.before)
    }
}

/// One AES-256 and HMAC-SHA256 pair, as RFC 5077 recommends.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct TicketKey {
    /// Public: travels at the front of each ticket.
    pub(super) name: [u8; NAME_LEN],
    pub(super) aes: [u8; 32],
    pub(super) hmac: [u8; 32],
    #[zeroize(skip)]
    born: Past,
    /// By hand, before its time.
    #[zeroize(skip)]
    retired: Option<Past>,
}

impl TicketKey {
    /// Boxed before it is filled, so that no copy of the secrets stays on a stack.
    fn blank(now: Instant) -> Box<TicketKey> {
        Box::new(TicketKey {
            name: [0; NAME_LEN],
            aes: [0; 32],
            hmac: [0; 32],
            born: Past::now(now),
            retired: None,
        })
    }

    fn generate(now: Instant) -> Result<Box<TicketKey>, ErrorStack> {
        let mut key = TicketKey::blank(now);
        rand_bytes(&mut key.name)?;
        rand_priv_bytes(&mut key.aes)?;
        rand_priv_bytes(&mut key.hmac)?;
        Ok(key)
    }

    /// For how long it has only opened tickets.
    fn retired_for(&self, rotation: Option<Duration>, now: Instant) -> Option<Duration> {
        let by_hand = self.retired.map(|moment| moment.elapsed(now));
        let by_age = rotation.and_then(|rotation| self.born.elapsed(now).checked_sub(rotation));
        by_hand.max(by_age)
    }
}

/// Hides all of it: the name is public, but says nothing.
impl fmt::Debug for TicketKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketKey").finish_non_exhaustive()
    }
}

/// Keys that belong together, newest first.
#[derive(Debug)]
pub(super) struct KeyRing {
    // Boxed so that a growing vector moves pointers, not secrets.
    #[expect(
        clippy::vec_box,
        reason = "a move of the keys would leave copies behind"
    )]
    keys: Vec<Box<TicketKey>>,
    /// None: only by hand.
    rotation: Option<Duration>,
    /// Zero until a context has said how long its tickets are valid: keys that were
    /// imported before that are not to be lost.
    lifetime: Duration,
}

impl KeyRing {
    /// An empty ring for tickets that are valid for `lifetime`.
    pub(super) fn new(rotation: Option<Duration>, lifetime: Duration) -> KeyRing {
        KeyRing {
            keys: Vec::new(),
            rotation,
            lifetime,
        }
    }

    /// Keeps retired keys for at least `lifetime`.
    pub(super) fn keep_for(&mut self, lifetime: Duration) {
        self.lifetime = self.lifetime.max(lifetime);
    }

    /// The key that seals a ticket made at `now`, made on demand.
    pub(super) fn sealing(&mut self, now: Instant) -> Result<&TicketKey, ErrorStack> {
        self.drop_old(now);
        let usable = |key: &TicketKey| key.retired_for(self.rotation, now).is_none();
        if !self.keys.first().is_some_and(|key| usable(key)) {
            self.add(TicketKey::generate(now)?);
        }
        Ok(&self.keys[0])
    }

    /// The key called `name`, and whether the ticket should be replaced by one
    /// that a younger key sealed.
    pub(super) fn opening(&mut self, name: &[u8], now: Instant) -> Option<(&TicketKey, bool)> {
        self.drop_old(now);
        let key = self.keys.iter().find(|key| key.name == name)?;
        Some((key, key.retired_for(self.rotation, now).is_some()))
    }

    /// Retires the key in use and makes another.
    pub(super) fn rotate(&mut self, now: Instant) -> Result<(), ErrorStack> {
        self.drop_old(now);
        let key = TicketKey::generate(now)?;
        if let Some(current) = self.keys.first_mut() {
            current.retired.get_or_insert(Past::now(now));
        }
        self.add(key);
        Ok(())
    }

    pub(super) fn clear(&mut self) {
        self.keys.clear();
    }

    /// All keys, in the clear.
    pub(super) fn export(&mut self, now: Instant) -> Result<Zeroizing<Vec<u8>>, ErrorStack> {
        self.sealing(now)?;
        // Made as large as needed: a vector that grows leaves copies behind.
        let length = MAGIC.len() + self.keys.len() * EXPORTED_KEY_LEN;
        let mut bytes = Zeroizing::new(Vec::with_capacity(length));
        bytes.extend_from_slice(MAGIC);
        for key in &self.keys {
            let retired = key
                .retired
                .map_or(IN_USE, |moment| moment.elapsed(now).as_secs());
            bytes.extend_from_slice(&key.name);
            bytes.extend_from_slice(&key.aes);
            bytes.extend_from_slice(&key.hmac);
            bytes.extend_from_slice(&key.born.elapsed(now).as_secs().to_be_bytes());
            bytes.extend_from_slice(&retired.to_be_bytes());
        }
        Ok(bytes)
    }

    /// Takes exported keys in place of its own. None when they are damaged.
    pub(super) fn import(&mut self, bytes: &[u8], now: Instant) -> Option<()> {
        let (keys, rest) = bytes.strip_prefix(MAGIC)?.as_chunks::<EXPORTED_KEY_LEN>();
        if !rest.is_empty() || keys.is_empty() || keys.len() > KEYS_MAX {
            return None;
        }
        self.keys = keys.iter().map(|bytes| read_key(bytes, now)).collect();
        self.drop_old(now);
        Some(())
    }

    fn add(&mut self, key: Box<TicketKey>) {
        self.keys.truncate(KEYS_MAX - 1);
        self.keys.insert(0, key);
    }

    fn drop_old(&mut self, now: Instant) {
        let (rotation, lifetime) = (self.rotation, self.lifetime);
        if lifetime.is_zero() {
            return;
        }
        self.keys.retain(|key| {
            let retired = key.retired_for(rotation, now);
            retired.is_none_or(|since| since < lifetime)
        });
    }
}

fn read_key(bytes: &[u8; EXPORTED_KEY_LEN], now: Instant) -> Box<TicketKey> {
    let mut key = TicketKey::blank(now);
    let (secrets, times) = bytes.split_at(NAME_LEN + 64);
    key.name.copy_from_slice(&secrets[..NAME_LEN]);
    key.aes.copy_from_slice(&secrets[NAME_LEN..NAME_LEN + 32]);
    key.hmac.copy_from_slice(&secrets[NAME_LEN + 32..]);
    let seconds = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    };
    let past = |seconds| Past {
        at: now,
        before: Duration::from_secs(seconds),
    };
    key.born = past(seconds(&times[..8]));
    let retired = seconds(&times[8..]);
    key.retired = (retired != IN_USE).then(|| past(retired));
    key
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
        let mut ring = KeyRing::new(Some(ROTATION), LIFETIME);
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
        let mut ring = KeyRing::new(Some(ROTATION), LIFETIME);
        let first = name(&mut ring, start);
        let later = start + ROTATION * 24;
        assert!(ring.opening(&first, later).is_none());
        assert_ne!(name(&mut ring, later), first);
        assert_eq!(ring.keys.len(), 1);
    }

    #[test]
    fn the_ring_stays_short_however_long_it_is_used() {
        let start = Instant::now();
        let mut ring = KeyRing::new(Some(ROTATION), LIFETIME);
        for minute in 0..10_000 {
            ring.sealing(start + SECOND * 60 * minute).unwrap();
            assert!(ring.keys.len() <= 2);
        }
    }

    #[test]
    fn debug_shows_no_key_material() {
        let mut ring = KeyRing::new(Some(ROTATION), LIFETIME);
        ring.sealing(Instant::now()).unwrap();
        assert_eq!(
            format!("{ring:?}"),
            "KeyRing { keys: [TicketKey { .. }], rotation: Some(3600s), lifetime: 300s }"
        );
    }

    #[test]
    fn a_key_retired_by_hand_opens_for_a_lifetime_more() {
        let start = Instant::now();
        let mut ring = KeyRing::new(None, LIFETIME);
        let first = name(&mut ring, start);
        let later = start + ROTATION * 100;
        assert_eq!(name(&mut ring, later), first, "nothing happens by itself");
        ring.rotate(later).unwrap();
        let second = name(&mut ring, later);
        assert_ne!(second, first);
        assert!(ring.opening(&first, later + LIFETIME - SECOND).is_some());
        assert!(ring.opening(&first, later + LIFETIME).is_none());
        assert!(ring.opening(&second, later + LIFETIME).is_some());
        for _ in 0..1000 {
            ring.rotate(later).unwrap();
        }
        assert_eq!(ring.keys.len(), KEYS_MAX);
    }

    #[test]
    fn exported_keys_keep_their_ages() {
        let start = Instant::now();
        let mut ours = KeyRing::new(Some(ROTATION), LIFETIME);
        let first = name(&mut ours, start);
        ours.rotate(start + SECOND * 10).unwrap();
        let second = name(&mut ours, start + SECOND * 10);
        let bytes = ours.export(start + SECOND * 20).unwrap();

        // Another machine, whose clock began long after those ages.
        let there = Instant::now();
        let mut theirs = KeyRing::new(Some(ROTATION), LIFETIME);
        theirs.import(&bytes, there).unwrap();
        assert_eq!(name(&mut theirs, there), second);
        let last_use = there + LIFETIME - SECOND * 11;
        assert!(theirs.opening(&first, last_use).is_some());
        assert!(theirs.opening(&first, last_use + SECOND).is_none());
        assert_eq!(name(&mut theirs, there + ROTATION - SECOND * 11), second);
        assert_ne!(name(&mut theirs, there + ROTATION - SECOND * 10), second);
    }

    #[test]
    fn damaged_exports_are_refused_and_change_nothing() {
        let now = Instant::now();
        let mut ring = KeyRing::new(None, LIFETIME);
        let kept = name(&mut ring, now);
        let bytes = ring.export(now).unwrap();
        for bad in [
            &b""[..],
            b"x",
            MAGIC,
            &bytes[..bytes.len() - 1],
            &bytes[1..],
        ] {
            assert!(ring.import(bad, now).is_none());
            assert_eq!(name(&mut ring, now), kept);
        }
    }
}
