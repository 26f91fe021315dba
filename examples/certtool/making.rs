//! How certificates are made: what they are for decides on their extensions.

use std::time::Duration;

use clap::{Args, ValueEnum};
use greenling_tls::crypto::{
    BasicConstraints, Cert, Digest, Encoding, Ext, ExtContext, GeneralName, KeyAlg, KeyPurpose,
    KeyUsage, Name, PrivateKey, PublicKey, Serial, Timestamp,
};

use crate::authority::Authority;
use crate::failure::{Failure, Outcome, plain};
use crate::files::{self, Target};
use crate::keys;
use crate::values::{self, ExtText};

/// Browsers refuse certificates of servers that last longer than 398 days.
const LEAF: Duration = Duration::from_secs(365 * 24 * 3600);
/// For an authority.
const AUTHORITY: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    /// To sign other certificates
    Ca,
    /// TLS servers
    Server,
    /// TLS clients
    Client,
    /// Nothing is said of it
    Plain,
}

/// Options of all certificates.
#[derive(Debug, Args)]
pub(crate) struct CertOptions {
    /// When validity begins: now, -1h, 20300131235959Z, 20300131235959+0100
    #[arg(long, value_name = "TIME", default_value = "now", value_parser = values::time,
        allow_hyphen_values = true)]
    from: Timestamp,

    /// How long it lasts: 90d, 36h, 2y [default: 365d; 10y for an authority]
    #[arg(long = "for", value_name = "SPAN", value_parser = values::span, conflicts_with = "until")]
    span: Option<Duration>,

    /// When it ends, in place of --for
    #[arg(long, value_name = "TIME", value_parser = values::time, allow_hyphen_values = true)]
    until: Option<Timestamp>,

    /// Serial number, as 4711, 0x1f2e or 1F:2E [default: random]
    #[arg(long, value_name = "NUMBER", value_parser = values::serial)]
    serial: Option<Serial>,

    #[command(flatten)]
    pub(crate) signature: SignatureOptions,
}

/// For what is made without being asked how.
impl Default for CertOptions {
    fn default() -> CertOptions {
        CertOptions {
            from: Timestamp::now(),
            span: None,
            until: None,
            serial: None,
            signature: SignatureOptions {
                digest: Digest::default(),
                ext: Vec::new(),
            },
        }
    }
}

/// How something is signed.
#[derive(Debug, Args)]
pub(crate) struct SignatureOptions {
    /// Digest of the signature; Ed25519 keys have their own
    #[arg(long, value_name = "NAME", default_value = "sha256", value_parser = values::digest)]
    pub(crate) digest: Digest,

    /// One more extension, as keyUsage=critical,digitalSignature (repeatable). It takes the place
    /// of one that would be made otherwise
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) ext: Vec<ExtText>,
}

impl CertOptions {
    fn validity(&self, profile: Profile) -> Outcome<(Timestamp, Timestamp)> {
        let span = self.span.unwrap_or(match profile {
            Profile::Ca => AUTHORITY,
            _ => LEAF,
        });
        let until = self.until.unwrap_or(self.from + span);
        if until <= self.from {
            let what = format!("valid from {} until {until}, which is never", self.from);
            return Err(Failure::Usage(what));
        }
        Ok((self.from, until))
    }
}

/// A certificate to be made.
pub(crate) struct Making<'a> {
    pub(crate) profile: Profile,
    pub(crate) path_len: Option<u32>,
    pub(crate) subject: Name,
    pub(crate) names: Vec<GeneralName>,
    /// What a request asks for, as far as it is granted.
    pub(crate) granted: Vec<Ext>,
    pub(crate) options: &'a CertOptions,
}

impl Making<'_> {
    /// Signs it, with its own key or as an authority.
    pub(crate) fn sign(self, key: &PublicKey, signer: Signer<'_>) -> Outcome<Cert> {
        let (from, until) = self.options.validity(self.profile)?;
        let authority = match signer {
            Signer::Itself(_) => None,
            Signer::Authority(authority) => Some(&authority.cert),
        };
        if let Some(above) = authority.filter(|above| until > above.not_after()) {
            files::note(format_args!(
                "warning: valid until {until}, which is after its authority's end on {}",
                above.not_after()
            ));
        }
        let serial = match &self.options.serial {
            Some(serial) => serial.clone(),
            None => Serial::random()?,
        };
        let exts = self.extensions(key, authority)?;
        let mut builder = Cert::builder()
            .subject(self.subject)
            .serial(serial)
            .not_before(from)
            .not_after(until)
            .public_key(key)
            .exts(exts);
        let signing = match signer {
            Signer::Itself(key) => key,
            Signer::Authority(authority) => {
                builder = builder.issued_by(&authority.cert);
                &authority.key
            }
        };
        Ok(builder.sign(signing, self.options.signature.digest)?)
    }

    fn extensions(&self, key: &PublicKey, authority: Option<&Cert>) -> Outcome<Vec<Ext>> {
        let mut exts = Vec::new();
        exts.push(Ext::basic_constraints(match self.profile {
            Profile::Ca => BasicConstraints {
                ca: true,
                path_len: self.path_len,
            },
            _ => BasicConstraints::LEAF,
        })?);
        if let Some(usage) = usage(self.profile, key.algorithm()) {
            exts.push(Ext::key_usage(usage)?);
        }
        let purpose = match self.profile {
            Profile::Server => Some(KeyPurpose::ServerAuth),
            Profile::Client => Some(KeyPurpose::ClientAuth),
            Profile::Ca | Profile::Plain => None,
        };
        if let Some(purpose) = purpose {
            exts.push(Ext::extended_key_usage([purpose])?);
        }
        exts.push(Ext::subject_key_id(key)?);
        if !self.names.is_empty() {
            exts.push(Ext::subject_alt_name(self.names.clone())?);
        }
        for granted in &self.granted {
            put(&mut exts, granted.clone());
        }
        add_texts(&mut exts, &self.options.signature.ext, key, authority)?;
        Ok(exts)
    }
}

/// Who signs a certificate.
pub(crate) enum Signer<'a> {
    Itself(&'a PrivateKey),
    Authority(&'a Authority),
}

/// What the key of such a certificate is used for.
pub(crate) fn usage(profile: Profile, algorithm: KeyAlg) -> Option<KeyUsage> {
    match (profile, algorithm) {
        (Profile::Plain, _) => None,
        (Profile::Ca, _) => Some(KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN),
        // RSA key exchange of TLS 1.2 encrypts to the server's key.
        (Profile::Server, KeyAlg::Rsa(_)) => {
            Some(KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT)
        }
        (Profile::Server | Profile::Client, _) => Some(KeyUsage::DIGITAL_SIGNATURE),
    }
}

/// Adds an extension, or puts it in the place of the one that is there: there may be
/// one of each kind only (RFC 5280, section 4.2).
pub(crate) fn put(exts: &mut Vec<Ext>, ext: Ext) {
    match exts.iter_mut().find(|other| other.oid() == ext.oid()) {
        Some(place) => *place = ext,
        None => exts.push(ext),
    }
}

/// Adds what `--ext` asks for.
pub(crate) fn add_texts(
    exts: &mut Vec<Ext>,
    texts: &[ExtText],
    key: &PublicKey,
    authority: Option<&Cert>,
) -> Outcome<()> {
    let mut context = ExtContext::new().subject_key(key);
    if let Some(authority) = authority {
        context = context.issuer(authority);
    }
    for text in texts {
        let ext = Ext::parse_conf(&text.name, false, &text.value, &context);
        put(
            exts,
            ext.map_err(|error| Failure::Usage(format!("--ext: {}", plain(&error))))?,
        );
    }
    Ok(())
}

/// What the command line asks to be in the subjectAltName.
pub(crate) fn names(texts: &[String]) -> Outcome<Vec<GeneralName>> {
    let parsed = texts.iter().map(|text| GeneralName::parse(text));
    let parsed = parsed.collect::<Result<_, _>>();
    parsed.map_err(|error| Failure::Usage(plain(&error)))
}

/// The form in which certificates, requests and lists are written.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum Form {
    /// Text
    #[default]
    Pem,
    /// Binary
    Der,
}

impl From<Form> for Encoding {
    fn from(form: Form) -> Encoding {
        match form {
            Form::Pem => Encoding::Pem,
            Form::Der => Encoding::Der,
        }
    }
}

/// Where something goes, and in which form.
#[derive(Debug, Args)]
pub(crate) struct OutOptions {
    /// Where it goes
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: std::path::PathBuf,

    /// The form in which it is written
    #[arg(long, value_name = "FORM", default_value = "pem")]
    pub(crate) form: Form,

    /// Replace files that are there, keys as well
    #[arg(long)]
    pub(crate) force: bool,
}

impl OutOptions {
    pub(crate) fn target(&self) -> Outcome<Target> {
        Target::new(&self.out, self.force)
    }
}

/// Writes a certificate and says so.
pub(crate) fn save(cert: &Cert, target: &Target, form: Form) -> Outcome<()> {
    target.write(&cert.encode(form.into())?)?;
    keys::told(
        target.path(),
        format_args!(
            "certificate of {}, until {}",
            cert.subject(),
            cert.not_after()
        ),
    );
    Ok(())
}
