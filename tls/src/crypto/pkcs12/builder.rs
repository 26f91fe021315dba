//! Putting a new archive together.

use openssl::nid::Nid;

use super::super::call::call;
use super::super::cert::Cert;
use super::super::digest::Digest;
use super::super::key::PrivateKey;
use super::super::passphrase::Passphrase;
use super::super::pbe::ITERATIONS_MAX;
use super::pack::{Contents, pack};
use super::secret::Text;
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::error::Error;
use crate::secret::Secret;

/// As many as for keys in files of their own.
const ITERATIONS: u32 = 100_000;

/// What messages call the archive to be.
const SUBJECT: &str = "PKCS #12 archive";

/// A new PKCS #12 archive: [`Pkcs12::builder`](super::Pkcs12::builder).
///
/// By default everything in it is encrypted with AES-256 in CBC mode, with keys
/// derived by 100,000 iterations of PBKDF2 with HMAC-SHA-256, and the whole is
/// protected by a MAC with SHA-256. OpenSSL 1.1, Windows from version 1709, macOS 13
/// and Java 8u301 read that, and later ones.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "PKCS12")]
#[derive(Clone, Debug)]
#[must_use = "an archive is made by `build`"]
pub struct Pkcs12Builder {
    cert: Option<Cert>,
    key: Option<PrivateKey>,
    ca: Vec<Cert>,
    friendly_name: Option<String>,
    iterations: u32,
    mac: Digest,
    encryption: Nid,
}

impl Pkcs12Builder {
    pub(super) fn new() -> Pkcs12Builder {
        Pkcs12Builder {
            cert: None,
            key: None,
            ca: Vec::new(),
            friendly_name: None,
            iterations: ITERATIONS,
            mac: Digest::Sha256,
            encryption: Nid::AES_256_CBC,
        }
    }

    /// A key and its certificate.
    #[doc(alias = "set_certificate")]
    #[doc(alias = "set_privatekey")]
    pub fn identity(self, cert: &Cert, key: &PrivateKey) -> Pkcs12Builder {
        self.cert(cert).key(key)
    }

    /// The certificate, for an archive without its key.
    #[doc(alias = "set_certificate")]
    pub fn cert(mut self, cert: &Cert) -> Pkcs12Builder {
        self.cert = Some(cert.clone());
        self
    }

    /// The private key, for an archive without its certificate.
    #[doc(alias = "set_privatekey")]
    pub fn key(mut self, key: &PrivateKey) -> Pkcs12Builder {
        self.key = Some(key.clone());
        self
    }

    /// Further certificates: those that lead to the root, or any others. They keep
    /// this order, and the names for people that they have.
    #[doc(alias = "set_ca_certificates")]
    pub fn ca<C: Into<Cert>>(mut self, certs: impl IntoIterator<Item = C>) -> Pkcs12Builder {
        self.ca.extend(certs.into_iter().map(Into::into));
        self
    }

    /// The name for people of the key and its certificate, which programs show in
    /// their lists, and by which Java finds them.
    #[doc(alias = "set_friendlyname")]
    pub fn friendly_name(mut self, name: impl Into<String>) -> Pkcs12Builder {
        self.friendly_name = Some(name.into());
        self
    }

    /// How often keys are hashed, for the encryption and for the MAC. Default: 100,000.
    #[doc(alias = "iter")]
    #[doc(alias = "maciter")]
    pub fn iterations(mut self, iterations: u32) -> Pkcs12Builder {
        self.iterations = iterations;
        self
    }

    /// The digest of the MAC. Default: [`Digest::Sha256`].
    #[doc(alias = "PKCS12_set_mac")]
    pub fn mac_digest(mut self, digest: Digest) -> Pkcs12Builder {
        self.mac = digest;
        self
    }

    /// Encrypts with triple DES and protects with SHA-1, for programs that read nothing
    /// else. Both are weak.
    #[cfg(feature = "legacy")]
    #[doc(alias = "PBE-SHA1-3DES")]
    pub fn legacy_3des(mut self) -> Pkcs12Builder {
        self.encryption = Nid::from_raw(openssl_sys::NID_pbe_WithSHA1And3_Key_TripleDES_CBC);
        self.mac = Digest::Sha1;
        self
    }

    /// Encrypts everything with `passphrase` and writes it in DER form.
    ///
    /// [`Passphrase::None`] makes an archive that anybody can open, as an empty
    /// passphrase does; some programs read the one, some the other.
    ///
    /// # Scheduling
    ///
    /// Never switches, unless [`Passphrase::Ask`] does.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind `Missing` (there is nothing in it), `KeyMismatch`,
    /// `BadPassphrase`, `BadValue` (the name for people has a NUL or characters
    /// beyond U+FFFF, which the format does not know, or the number of iterations is
    /// not within 1 to 10,000,000), or `Rejected` (a MAC with MD5 or, without the
    /// feature `legacy`, SHA-1). [`Error::Ssl`] when OpenSSL cannot export the key.
    #[doc(alias = "PKCS12.export")]
    #[doc(alias = "PKCS12_create")]
    #[doc(alias = "i2d_PKCS12")]
    pub fn build<'a>(&self, passphrase: impl Into<Passphrase<'a>>) -> Result<Secret, Error> {
        self.check()?;
        let given = passphrase.into().obtain(true, SUBJECT)?;
        let text = given.bytes().map(Text::new).transpose()?;
        let contents = Contents {
            cert: self.cert.as_ref().map(Cert::as_x509),
            key: self.key.as_ref().map(PrivateKey::as_pkey),
            ca: self.ca.iter().map(Cert::as_x509).collect(),
            name: self
                .friendly_name
                .as_deref()
                .filter(|name| !name.is_empty()),
            encryption: self.encryption,
            iterations: self.iterations,
            mac: self.mac.openssl(),
        };
        let der = call(|| pack(&contents, text.as_ref()))?;
        Ok(Secret::new(der))
    }

    fn check(&self) -> Result<(), ConfigError> {
        let error = |kind, detail: &str| Err(ConfigError::new(kind, SUBJECT, detail));
        if self.cert.is_none() && self.key.is_none() && self.ca.is_empty() {
            return error(ConfigErrorKind::Missing, "would have nothing in it");
        }
        if let (Some(cert), Some(key)) = (&self.cert, &self.key)
            && !key.matches(cert)
        {
            let detail = "the private key does not belong to the certificate";
            return error(ConfigErrorKind::KeyMismatch, detail);
        }
        let name = self.friendly_name.as_deref().unwrap_or_default();
        if name.contains(|c: char| c == '\0' || c > '\u{ffff}') {
            let detail = "the name for people has a NUL or a character beyond U+FFFF";
            return error(ConfigErrorKind::BadValue, detail);
        }
        if self.iterations == 0 || self.iterations > ITERATIONS_MAX {
            let detail = "the number of iterations is not within 1 to 10,000,000";
            return error(ConfigErrorKind::BadValue, detail);
        }
        let is_weak = match self.mac {
            Digest::Md5 => true,
            Digest::Sha1 => !cfg!(feature = "legacy"),
            _ => false,
        };
        if is_weak {
            let detail = "its MAC would be made with a broken digest";
            return error(ConfigErrorKind::Rejected, detail);
        }
        Ok(())
    }
}
