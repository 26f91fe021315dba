//! PKCS #12 archives (RFC 7292): a certificate with its key and its chain in one
//! file, as browsers, Windows and Java exchange them.

#[cfg(not(feature = "aws-lc"))]
#[allow(unsafe_code, reason = "takes OpenSSL's structures apart")]
mod archive;
mod builder;
#[cfg(not(feature = "aws-lc"))]
mod open;
#[allow(
    unsafe_code,
    reason = "calls a function that the crate `openssl` wraps badly"
)]
mod pack;
mod secret;
#[cfg(feature = "aws-lc")]
#[allow(
    unsafe_code,
    reason = "calls a function that the crate `openssl` wraps badly"
)]
mod whole;

use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;

pub use builder::Pkcs12Builder;

use super::call::{check_size, look};
use super::cert::Cert;
use super::chain::in_order;
use super::der;
use super::encoding::Encoding;
use super::key::PrivateKey;
use super::object::Kind;
use super::passphrase::Passphrase;
use super::pbe::Refused;
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::error::Error;
#[cfg(not(feature = "aws-lc"))]
use open::{is_protected, open};
use secret::Text;
#[cfg(feature = "aws-lc")]
use whole::{is_protected, open};

#[cfg(not(feature = "aws-lc"))]
pub(crate) use secret::Text as PassphraseText;

/// What messages call an archive without a name.
const SUBJECT: &str = "PKCS #12 archive";

/// What an archive holds, decrypted.
///
/// Cheap to clone: its parts are counted references.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
///
/// # Examples
///
/// ```
/// use greenling_tls::crypto::{self, Pkcs12};
///
/// let (certificate, key) = crypto::self_signed(&["localhost"])?;
/// let file = Pkcs12::builder()
///     .identity(&certificate, &key)
///     .friendly_name("development")
///     .build("sesame")?;
/// let opened = Pkcs12::open(&file, "sesame")?;
/// assert_eq!(opened.friendly_name.as_deref(), Some("development"));
/// # Ok::<(), greenling_tls::Error>(())
/// ```
#[doc(alias = "PKCS12")]
#[doc(alias = "PKCS12Type")]
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Pkcs12 {
    /// The certificate of the key.
    #[doc(alias = "get_certificate")]
    pub cert: Option<Cert>,
    /// The private key; if there are several, the first.
    #[doc(alias = "get_privatekey")]
    pub key: Option<PrivateKey>,
    /// The other certificates: those that lead from the key's certificate to its root
    /// first and in that order, then the rest as they stand in the file. Without a
    /// key all certificates are here.
    #[doc(alias = "get_ca_certificates")]
    pub ca: Vec<Cert>,
    /// The name for people that the certificate has or, if it has none, the key. Those
    /// of other certificates are in [`Cert::alias`].
    #[doc(alias = "get_friendlyname")]
    pub friendly_name: Option<String>,
}

impl Pkcs12 {
    /// Opens an archive in its binary form (DER, or the BER that some programs write).
    ///
    /// An empty passphrase and none are different in PKCS #12, and programs take
    /// either for the other, so both open what either has closed. Archives made
    /// before 2020 often use algorithms that OpenSSL 3 has moved to its legacy
    /// provider. They are opened with it, in a library context of their own: what
    /// the rest of the process may use stays as it is.
    ///
    /// # Scheduling
    ///
    /// Never switches, unless [`Passphrase::Ask`] does. Keys are derived on the OS
    /// thread, for as long as the file asks for it and some seconds at most.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] of kind
    /// `EncryptedKey` (there is no passphrase and it needs one), `WrongPassphrase`,
    /// `BadPassphrase`, `Malformed`, `WrongObject` (such as PKCS #7),
    /// `UnsupportedLegacyAlgorithm` (and there is no legacy provider),
    /// `Rejected` (opening it takes more than 10,000,000 rounds of hashing in all, or
    /// its MAC is of a kind that OpenSSL does not know), or `TooLarge` (it has more than
    /// 64 MiB or 10,000 certificates).
    #[doc(alias = "load_pkcs12")]
    #[doc(alias = "PKCS12_parse")]
    #[doc(alias = "d2i_PKCS12")]
    pub fn open<'a>(der: &[u8], passphrase: impl Into<Passphrase<'a>>) -> Result<Pkcs12, Error> {
        Pkcs12::open_named(SUBJECT, der, passphrase.into())
    }

    /// Starts a new archive.
    #[doc(alias = "PKCS12_create")]
    pub fn builder() -> Pkcs12Builder {
        Pkcs12Builder::new()
    }

    /// As [`Pkcs12::open`], for an archive that messages call `subject`.
    pub(crate) fn open_named(
        subject: &str,
        der: &[u8],
        passphrase: Passphrase<'_>,
    ) -> Result<Pkcs12, Error> {
        check_size(subject, der)?;
        if der.is_empty() || der.starts_with(b"-----BEGIN ") {
            let detail = match der {
                [] => "is empty",
                _ => "is in PEM form, where DER is expected",
            };
            return Err(ConfigError::new(ConfigErrorKind::Malformed, subject, detail).into());
        }
        let explain = |fault: Fault| fault.explain(subject, der);
        let protected = look(|| is_protected(der)).map_err(explain)?;
        let given = passphrase.obtain(protected, subject)?;
        let text = given.bytes().map(Text::new).transpose()?;
        let empty = Text::new(b"")?;
        let candidates = match given.bytes() {
            None => &[None, Some(&empty)][..],
            Some(b"") => &[Some(&empty), None],
            Some(_) => &[text.as_ref()],
        };
        let parts = look(|| open(der, candidates)).map_err(|fault| match fault {
            Fault::Passphrase if text.is_none() => ConfigError::new(
                ConfigErrorKind::EncryptedKey,
                subject,
                "needs a passphrase and none was given",
            ),
            fault => explain(fault),
        })?;
        Ok(look(|| parts.assemble()))
    }
}

/// What was found, in the order of the file.
struct Parts {
    leaf: Option<X509>,
    key: Option<PKey<Private>>,
    key_name: Option<String>,
    others: Vec<X509>,
}

impl Parts {
    fn assemble(self) -> Pkcs12 {
        let name = |certificate: &X509| {
            let name = certificate.alias()?;
            Some(String::from_utf8_lossy(name).into_owned())
        };
        let friendly_name = self.leaf.as_ref().and_then(name).or(self.key_name);
        let ca = match &self.leaf {
            Some(leaf) => in_order(leaf, self.others),
            None => self.others,
        };
        Pkcs12 {
            cert: self.leaf.map(Cert::from),
            key: self.key.map(PrivateKey::from),
            ca: ca.into_iter().map(Cert::from).collect(),
            friendly_name,
        }
    }
}

/// Why an archive does not open.
#[cfg_attr(
    feature = "aws-lc",
    expect(dead_code, reason = "AWS-LC opens it in one go")
)]
enum Fault {
    /// The bytes are something else.
    NoArchive(ErrorStack),
    /// So many bytes follow the archive.
    Trailing(usize),
    Passphrase,
    /// An algorithm is missing.
    Unsupported(ErrorStack),
    /// OpenSSL cannot compute the MAC.
    UnknownMac(ErrorStack),
    Damaged(&'static str, ErrorStack),
    /// There are more certificates than one looks through.
    TooMany,
    Work(Refused),
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Fault {
        Fault::Work(refused)
    }
}

impl Fault {
    fn explain(self, subject: &str, bytes: &[u8]) -> ConfigError {
        let error = |kind, detail: &str| ConfigError::new(kind, subject, detail);
        let malformed = |detail: &str| error(ConfigErrorKind::Malformed, detail);
        match self {
            Fault::NoArchive(_) if der::is_cut_short(bytes) => malformed("is cut short"),
            Fault::NoArchive(stack) => {
                let form = Kind {
                    subject,
                    labels: &[],
                };
                form.damaged(Encoding::Der, bytes, stack)
            }
            Fault::Trailing(count) => malformed(&format!("is followed by {count} more bytes")),
            Fault::Passphrase => error(
                ConfigErrorKind::WrongPassphrase,
                "the passphrase does not open the archive",
            ),
            Fault::Unsupported(stack) => error(
                ConfigErrorKind::UnsupportedLegacyAlgorithm,
                "is encrypted with algorithms that OpenSSL 3 only has in its legacy provider",
            )
            .because_ssl(stack),
            Fault::UnknownMac(stack) => error(
                ConfigErrorKind::Rejected,
                "is protected by a MAC that this version of OpenSSL cannot compute",
            )
            .because_ssl(stack),
            Fault::Damaged(detail, stack) => malformed(detail).because_ssl(stack),
            Fault::TooMany => error(
                ConfigErrorKind::TooLarge,
                "holds more than 10,000 certificates",
            ),
            Fault::Work(refused) => refused.explain(subject),
        }
    }
}
