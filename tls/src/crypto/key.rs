//! Private keys and public keys.

use openssl::pkey::{PKey, PKeyRef, Private, Public};

/// A private key. It never changes, and clones share it.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "PKey")]
#[derive(Clone, Debug)]
pub struct PrivateKey(PKey<Private>);

impl PrivateKey {
    /// The same as a type of the crate `openssl`.
    pub fn as_pkey(&self) -> &PKeyRef<Private> {
        &self.0
    }
}

impl From<PKey<Private>> for PrivateKey {
    fn from(inner: PKey<Private>) -> PrivateKey {
        PrivateKey(inner)
    }
}

impl From<PrivateKey> for PKey<Private> {
    fn from(outer: PrivateKey) -> PKey<Private> {
        outer.0
    }
}

/// A public key. It never changes, and clones share it.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "PKey")]
#[derive(Clone, Debug)]
pub struct PublicKey(PKey<Public>);

impl PublicKey {
    /// The same as a type of the crate `openssl`.
    pub fn as_pkey(&self) -> &PKeyRef<Public> {
        &self.0
    }
}

impl From<PKey<Public>> for PublicKey {
    fn from(inner: PKey<Public>) -> PublicKey {
        PublicKey(inner)
    }
}

impl From<PublicKey> for PKey<Public> {
    fn from(outer: PublicKey) -> PKey<Public> {
        outer.0
    }
}
