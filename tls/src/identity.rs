//! A certificate chain with its private key, as a server or client presents it.
//!
//! Everything that can be wrong is found when the identity is made, with the
//! file's name in the message, and not in the first handshake. Encrypted keys
//! are decrypted here: OpenSSL, left to itself, asks for the passphrase on the
//! terminal and blocks the OS thread, so its prompt is never reached.

mod files;
mod pkcs12;
mod source;
mod staple;

use std::fmt;

use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use zeroize::Zeroizing;

pub use files::PemFiles;
pub(crate) use files::read;
pub use staple::OcspStaple;

use crate::crypto::{self, Cert, Encoding, Passphrase, PrivateKey};
use crate::error::Error;
use source::Source;

/// A certificate, the intermediates that lead to its root, and its private key.
///
/// Cheap to clone: the parts are counted references. A context may hold several,
/// one per key type, and a handshake uses the one that the peer can check.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```no_run
/// use greenling_tls::{ContextBuilder, Identity};
///
/// let identity = Identity::from_pem_files("server.pem", "server.key")?;
/// let context = ContextBuilder::server().identity(identity).build()?;
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[doc(alias = "use_certificate")]
#[doc(alias = "use_privatekey")]
#[derive(Clone)]
pub struct Identity {
    leaf: X509,
    intermediates: Vec<X509>,
    key: PKey<Private>,
    /// Where it came from, for messages.
    label: String,
    staple: Option<OcspStaple>,
}

impl Identity {
    /// Reads a chain file and a key file in PEM form.
    ///
    /// The two may be the same file. The certificate must come first in the
    /// chain; intermediates are put in order. [`PemFiles`] has the variants:
    /// passphrases and strict permission checks.
    ///
    /// # Scheduling
    ///
    /// Never switches: it reads with blocking system calls. A FIFO blocks the
    /// whole OS thread until it has a writer.
    ///
    /// # Errors
    ///
    /// [`Error::Config`], naming the file: it cannot be read, is larger than
    /// 1 MiB, holds no certificate or key, the key is encrypted, is writable by
    /// everyone, or does not belong to the certificate.
    #[doc(alias = "use_certificate_chain_file")]
    #[doc(alias = "use_certificate_file")]
    #[doc(alias = "use_privatekey_file")]
    #[doc(alias = "SSL_CTX_use_certificate_chain_file")]
    #[doc(alias = "SSL_CTX_use_PrivateKey_file")]
    pub fn from_pem_files(
        chain: impl AsRef<std::path::Path>,
        key: impl AsRef<std::path::Path>,
    ) -> Result<Identity, Error> {
        PemFiles::new(chain, key).load()
    }

    /// Reads a chain and a key in PEM form from memory.
    ///
    /// # Errors
    ///
    /// As [`Identity::from_pem_files`], without those that concern files.
    #[doc(alias = "load_certificate")]
    #[doc(alias = "load_privatekey")]
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Identity, Error> {
        Source::in_memory(Encoding::Pem).parse(chain, key, Passphrase::None)
    }

    /// As [`Identity::from_pem`], for a key that is encrypted with `passphrase`, in
    /// the form of PKCS #8 or in the traditional one.
    ///
    /// A key that is not encrypted is accepted as it is.
    ///
    /// # Errors
    ///
    /// Also [`WrongPassphrase`], and [`BadPassphrase`] when it contains a NUL byte or
    /// is longer than 1024 bytes.
    ///
    /// [`WrongPassphrase`]: crate::ConfigErrorKind::WrongPassphrase
    /// [`BadPassphrase`]: crate::ConfigErrorKind::BadPassphrase
    pub fn from_pem_with_passphrase(
        chain: &[u8],
        key: &[u8],
        passphrase: &[u8],
    ) -> Result<Identity, Error> {
        Source::in_memory(Encoding::Pem).parse(chain, key, passphrase.into())
    }

    /// Reads a chain and a key in DER form from memory.
    ///
    /// The chain is one certificate, or several one after the other. The key has
    /// the form of PKCS #8 or the traditional one of its algorithm; an encrypted
    /// one needs `passphrase`.
    ///
    /// # Errors
    ///
    /// As [`Identity::from_pem_with_passphrase`].
    #[doc(alias = "load_certificate")]
    #[doc(alias = "load_privatekey")]
    pub fn from_der(
        chain: &[u8],
        key: &[u8],
        passphrase: Option<&[u8]>,
    ) -> Result<Identity, Error> {
        Source::in_memory(Encoding::Der).parse(chain, key, passphrase.into())
    }

    /// Joins parsed certificates, the peer's own first, and their key.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] when there is no certificate or the key is not its own.
    #[doc(alias = "check_privatekey")]
    #[doc(alias = "add_extra_chain_cert")]
    #[doc(alias = "SSL_CTX_use_cert_and_key")]
    pub fn new(
        chain: impl IntoIterator<Item = impl Into<Cert>>,
        key: impl Into<PrivateKey>,
    ) -> Result<Identity, Error> {
        let chain = chain.into_iter().map(|cert| cert.into().into()).collect();
        Source::in_memory(Encoding::Der).assemble(chain, key.into().into())
    }

    /// A new key and a certificate for `names`, signed by itself, for development and
    /// tests: [`crypto::self_signed`], ready for a context.
    ///
    /// # Errors
    ///
    /// As [`crypto::self_signed`].
    pub fn self_signed(names: &[&str]) -> Result<Identity, Error> {
        let (certificate, key) = crypto::self_signed(names)?;
        Identity::new([certificate], key)
    }

    /// The certificate, without those above it.
    pub fn certificate(&self) -> Cert {
        self.leaf.clone().into()
    }

    /// The certificates above it, from the one that signed it upwards, as far as
    /// they are known.
    pub fn authorities(&self) -> Vec<Cert> {
        self.intermediates.iter().cloned().map(Cert::from).collect()
    }

    /// The private key.
    pub fn private_key(&self) -> PrivateKey {
        self.key.clone().into()
    }

    /// The chain in PEM form, the certificate first.
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when OpenSSL cannot encode it, which means it is out of memory.
    #[doc(alias = "dump_certificate")]
    pub fn chain_pem(&self) -> Result<Vec<u8>, Error> {
        let mut pem = self.leaf.to_pem()?;
        for certificate in &self.intermediates {
            pem.extend_from_slice(&certificate.to_pem()?);
        }
        Ok(pem)
    }

    /// The private key, in the clear, in PEM form (PKCS #8).
    ///
    /// The buffer is zeroised when dropped; what is copied out of it is not.
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when the key cannot be exported, as keys in hardware cannot.
    #[doc(alias = "dump_privatekey")]
    pub fn export_private_key_pem(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        Ok(Zeroizing::new(self.key.private_key_to_pem_pkcs8()?))
    }

    /// The same with an OCSP response, which servers send to clients that ask for it.
    #[doc(alias = "set_ocsp_server_callback")]
    #[doc(alias = "SSL_CTX_set_tlsext_status_cb")]
    #[must_use]
    pub fn with_ocsp_staple(mut self, staple: &OcspStaple) -> Identity {
        self.staple = Some(staple.clone());
        self
    }

    /// The certificate with its OCSP response, if one was given.
    pub(crate) fn staple(&self) -> Option<(X509, OcspStaple)> {
        Some((self.leaf.clone(), self.staple.clone()?))
    }

    pub(crate) fn leaf(&self) -> &X509 {
        &self.leaf
    }

    pub(crate) fn intermediates(&self) -> &[X509] {
        &self.intermediates
    }

    pub(crate) fn key(&self) -> &PKey<Private> {
        &self.key
    }

    /// The file or other source, for messages.
    pub(crate) fn label(&self) -> &str {
        &self.label
    }
}

/// Shows the subject and the source, never the key.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("subject", &self.leaf.subject_name())
            .field("intermediates", &self.intermediates.len())
            .field("source", &self.label)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
