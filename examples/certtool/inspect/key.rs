//! Keys: kind, size, fingerprint, and whether they are strong enough.

use greenling_tls::Error;
use greenling_tls::crypto::{Digest, Encoding, PrivateKey, PublicKey};

use super::report::{Report, colons};

/// NIST SP 800-131A: weaker keys are not allowed since 2014.
const SECURITY_BITS_MIN: u32 = 112;

/// A private key, of which nothing secret is shown.
pub(super) fn show(key: &PrivateKey, report: &mut Report) -> Result<(), Error> {
    report.heading("private key");
    describe(&key.public_key(), report)?;
    // Other errors say that such keys have nothing to check.
    if let Err(Error::Config(fault)) = key.check() {
        report.warn(fault);
    }
    Ok(())
}

/// A public key, with the digest by which it is pinned (RFC 7469, section 2.4).
pub(super) fn describe(key: &PublicKey, report: &mut Report) -> Result<(), Error> {
    let (algorithm, strength) = (key.algorithm(), key.security_bits());
    report.line(
        "key",
        format_args!("{algorithm}, {strength} bits of security"),
    );
    let der = key.encode(Encoding::Der)?;
    report.line("key SHA-256", colons(&Digest::Sha256.hash(&der)?));
    if strength < SECURITY_BITS_MIN {
        report.warn("the key is weak");
    }
    Ok(())
}
