//! Signed public keys as the HTML element `keygen` sent them.
//!
//! OpenSSL reads the base64 form into a buffer whose length is an `int`, takes nothing
//! as "until the NUL", and ignores what follows. So text and structure are read here,
//! and OpenSSL signs and checks the signature.

mod builder;
#[allow(
    unsafe_code,
    reason = "owns OpenSSL's structure while it signs or checks"
)]
mod sys;

use std::fmt;
use std::sync::Arc;

use openssl::base64;
use openssl::pkey::PKey;

use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::crypto::call::{call, check_size};
use crate::crypto::csr::checked;
use crate::crypto::der::{self, Reader};
use crate::crypto::key::PublicKey;
use crate::error::Error;

pub use builder::SpkacBuilder;
use sys::Spki;

const SUBJECT: &str = "SPKAC";
const IA5_STRING: u8 = 0x16;

/// A public key with a challenge, signed by its private key ("Signed Public Key And
/// Challenge"): what browsers sent to have a certificate made, before they dropped
/// `keygen`. A [`Csr`](crate::crypto::Csr) is what is used today.
///
/// Cheap to clone, and never changes.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling_tls::crypto::{Digest, KeyAlg, PrivateKey, legacy::Spkac};
///
/// let key = PrivateKey::generate(KeyAlg::Ed25519)?;
/// let sent = Spkac::builder()
///     .challenge("from the server")
///     .sign(&key, Digest::default())?
///     .to_base64();
/// let read = Spkac::from_base64(&sent)?;
/// read.verify(read.public_key())?;
/// assert_eq!(read.challenge(), "from the server");
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[doc(alias = "NetscapeSPKI")]
#[doc(alias = "NetscapeSPKIType")]
#[doc(alias = "NETSCAPE_SPKI")]
#[derive(Clone, PartialEq, Eq)]
pub struct Spkac {
    der: Arc<[u8]>,
    public_key: PublicKey,
    challenge: String,
}

impl Spkac {
    /// Starts a new one.
    #[doc(alias = "NetscapeSPKI")]
    #[doc(alias = "NETSCAPE_SPKI_new")]
    pub fn builder() -> SpkacBuilder {
        SpkacBuilder::new()
    }

    /// Reads the base64 form, of one line or several.
    ///
    /// The signature is not checked: [`Spkac::verify`] does that.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind `Malformed` or `TooLarge`.
    #[doc(alias = "NetscapeSPKI")]
    #[doc(alias = "NETSCAPE_SPKI_b64_decode")]
    pub fn from_base64(text: &str) -> Result<Spkac, Error> {
        check_size(SUBJECT, text.as_bytes())?;
        let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let der = call(|| base64::decode_block(&text))
            .map_err(|stack| malformed("is not in base64 form").because_ssl(stack))?;
        Spkac::from_der(&der)
    }

    /// Reads the DER form, which nothing may follow.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind `Malformed` or `TooLarge`.
    #[doc(alias = "d2i_NETSCAPE_SPKI")]
    pub fn from_der(der: &[u8]) -> Result<Spkac, Error> {
        check_size(SUBJECT, der)?;
        let parts = Parts::read(der).ok_or_else(|| malformed("is damaged"))?;
        let key = call(|| PKey::public_key_from_der(parts.key)).map_err(|stack| {
            malformed("has a public key that cannot be read").because_ssl(stack)
        })?;
        // What OpenSSL does not take could not be checked later.
        call(|| Spki::from_der(der)).map_err(|stack| malformed("is damaged").because_ssl(stack))?;
        Ok(Spkac {
            der: Arc::from(der),
            public_key: key.into(),
            challenge: parts.challenge,
        })
    }

    /// The base64 form, of one line.
    #[doc(alias = "b64_encode")]
    #[doc(alias = "NETSCAPE_SPKI_b64_encode")]
    pub fn to_base64(&self) -> String {
        base64::encode_block(&self.der)
    }

    /// The DER form.
    #[doc(alias = "i2d_NETSCAPE_SPKI")]
    pub fn to_der(&self) -> &[u8] {
        &self.der
    }

    /// The key that a certificate is to be made for.
    #[doc(alias = "get_pubkey")]
    #[doc(alias = "NETSCAPE_SPKI_get_pubkey")]
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// What the server had asked to be signed, so that nobody sends it twice.
    pub fn challenge(&self) -> &str {
        &self.challenge
    }

    /// Checks that it was signed with the private key of `key`, which is mostly its
    /// [`public_key`](Spkac::public_key).
    ///
    /// Browsers signed with MD5, which is taken here, and proves little.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind [`BadSignature`](ConfigErrorKind::BadSignature) when it
    /// was not.
    #[doc(alias = "NetscapeSPKI.verify")]
    #[doc(alias = "NETSCAPE_SPKI_verify")]
    pub fn verify(&self, key: &PublicKey) -> Result<(), Error> {
        let verified = call(|| Spki::from_der(&self.der)?.verify(key.as_pkey()));
        checked(SUBJECT, verified)
    }
}

/// What is inside, as far as it is looked at.
struct Parts<'a> {
    key: &'a [u8],
    challenge: String,
}

impl<'a> Parts<'a> {
    fn read(bytes: &'a [u8]) -> Option<Parts<'a>> {
        let mut outer = Reader::only(bytes, der::SEQUENCE)?;
        let mut signed = outer.sequence()?;
        let key = signed.next()?.whole;
        let challenge = signed.take(IA5_STRING)?;
        signed.end()?;
        outer.take(der::SEQUENCE)?;
        outer.take(der::BIT_STRING)?;
        outer.end()?;
        let challenge = str::from_utf8(challenge).ok()?.to_owned();
        challenge.is_ascii().then_some(Parts { key, challenge })
    }
}

fn malformed(detail: &str) -> ConfigError {
    ConfigError::new(ConfigErrorKind::Malformed, SUBJECT, detail)
}

impl fmt::Debug for Spkac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spkac")
            .field("public_key", &self.public_key)
            .field("challenge", &self.challenge)
            .finish_non_exhaustive()
    }
}
