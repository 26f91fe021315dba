//! Certificates and lists as rows describe them, made with the crate `openssl` alone:
//! what is tested here has no part in them.

use std::ops::Range;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use openssl::asn1::{Asn1Integer, Asn1Object, Asn1OctetString, Asn1Time};
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::{X509, X509Builder, X509Crl, X509CrlBuilder, X509Extension, X509Name};
use openssl::x509::{X509RevokedBuilder, X509v3Context};

/// The time at which rows are judged, unless they say otherwise.
pub(crate) const NOW: i64 = 1_800_000_000;

pub(crate) const DAY: i64 = 24 * 3600;

/// RSA keys take a moment, so there is one of each size.
static RSA_2048: LazyLock<PKey<Private>> = LazyLock::new(|| rsa(2048));
static RSA_1024: LazyLock<PKey<Private>> = LazyLock::new(|| rsa(1024));

fn rsa(bits: u32) -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(bits).unwrap()).unwrap()
}

/// A certificate with its key.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) certificate: X509,
    pub(crate) key: PKey<Private>,
}

/// A certificate to be made.
#[derive(Clone)]
pub(crate) struct Plan {
    subject: Vec<(&'static str, &'static str)>,
    days: Range<i64>,
    extensions: Vec<(&'static str, String)>,
    names_keys: bool,
    issued_as: Option<&'static str>,
    key: Option<PKey<Private>>,
    digest: MessageDigest,
}

/// An authority.
pub(crate) fn authority(name: &'static str) -> Plan {
    Plan {
        days: -1000..1000,
        ..Plan::new(name)
    }
    .with("basicConstraints", "critical,CA:TRUE")
    .with("keyUsage", "critical,keyCertSign,cRLSign")
}

/// A server's certificate for `host.test`.
pub(crate) fn leaf() -> Plan {
    Plan::new("leaf")
        .with("basicConstraints", "critical,CA:FALSE")
        .with("keyUsage", "critical,digitalSignature")
        .with("extendedKeyUsage", "serverAuth")
        .with("subjectAltName", "DNS:host.test")
}

impl Plan {
    fn new(name: &'static str) -> Plan {
        Plan {
            subject: vec![("CN", name)],
            days: -100..100,
            extensions: Vec::new(),
            names_keys: true,
            issued_as: None,
            key: None,
            digest: MessageDigest::sha256(),
        }
    }

    /// Replaces an extension, in the text form of OpenSSL's configuration files.
    pub(crate) fn with(self, name: &'static str, value: &str) -> Plan {
        let mut plan = self.without(name);
        plan.extensions.push((name, value.to_owned()));
        plan
    }

    /// The names, as in a configuration file.
    pub(crate) fn names(self, names: &str) -> Plan {
        self.with("subjectAltName", names)
    }

    pub(crate) fn without(mut self, name: &str) -> Plan {
        self.extensions.retain(|(other, _)| *other != name);
        self
    }

    /// In days from now.
    pub(crate) fn days(mut self, days: Range<i64>) -> Plan {
        self.days = days;
        self
    }

    pub(crate) fn subject(mut self, subject: &[(&'static str, &'static str)]) -> Plan {
        self.subject = subject.to_vec();
        self
    }

    /// Has neither identifier of a key, so that authorities are found by name alone.
    pub(crate) fn unnamed_keys(mut self) -> Plan {
        self.names_keys = false;
        self
    }

    /// Writes the issuer's name in its own way.
    pub(crate) fn issued_as(mut self, name: &'static str) -> Plan {
        self.issued_as = Some(name);
        self
    }

    pub(crate) fn key(mut self, key: &PKey<Private>) -> Plan {
        self.key = Some(key.clone());
        self
    }

    pub(crate) fn rsa_2048(self) -> Plan {
        self.key(&RSA_2048)
    }

    pub(crate) fn rsa_1024(self) -> Plan {
        self.key(&RSA_1024)
    }

    pub(crate) fn digest(mut self, digest: MessageDigest) -> Plan {
        self.digest = digest;
        self
    }

    /// Signed by itself.
    pub(crate) fn root(self) -> Made {
        self.make(None)
    }

    pub(crate) fn by(self, issuer: &Made) -> Made {
        self.make(Some(issuer))
    }

    fn make(self, issuer: Option<&Made>) -> Made {
        let key = self
            .key
            .clone()
            .unwrap_or_else(|| PKey::ec_gen("P-256").unwrap());
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        builder.set_serial_number(&serial()).unwrap();
        let subject = name(&self.subject);
        builder.set_subject_name(&subject).unwrap();
        match (self.issued_as, issuer) {
            (Some(other), _) => builder.set_issuer_name(&name(&[("CN", other)])),
            (None, Some(above)) => builder.set_issuer_name(above.certificate.subject_name()),
            (None, None) => builder.set_issuer_name(&subject),
        }
        .unwrap();
        builder.set_pubkey(&key).unwrap();
        builder.set_not_before(&day(self.days.start)).unwrap();
        builder.set_not_after(&day(self.days.end)).unwrap();
        for (name, value) in &self.extensions {
            add(&mut builder, issuer, name, value);
        }
        if self.names_keys {
            add(&mut builder, issuer, "subjectKeyIdentifier", "hash");
            if issuer.is_some_and(|issuer| issuer.certificate.subject_key_id().is_some()) {
                add(
                    &mut builder,
                    issuer,
                    "authorityKeyIdentifier",
                    "keyid:always",
                );
            }
        }
        let signer = issuer.map_or(&key, |issuer| &issuer.key);
        builder.sign(signer, self.digest).unwrap();
        Made {
            certificate: builder.build(),
            key,
        }
    }
}

impl Made {
    /// The same with another signature, which is wrong.
    pub(crate) fn damaged(&self) -> Made {
        let mut der = self.certificate.to_der().unwrap();
        *der.last_mut().unwrap() ^= 1;
        Made {
            certificate: X509::from_der(&der).unwrap(),
            key: self.key.clone(),
        }
    }

    /// A list of what this authority has revoked, in force for so many days from now.
    pub(crate) fn list(&self, revoked: &[&Made], days: Range<i64>) -> X509Crl {
        self.list_signed_by(&self.key, revoked, days, None)
    }

    /// The same, with an extension that is critical and that nobody knows.
    pub(crate) fn odd_list(&self, days: Range<i64>) -> X509Crl {
        self.list_signed_by(&self.key, &[], days, Some("1.2.3.4"))
    }

    pub(crate) fn list_signed_by(
        &self,
        key: &PKey<Private>,
        revoked: &[&Made],
        days: Range<i64>,
        critical: Option<&str>,
    ) -> X509Crl {
        let mut builder = X509CrlBuilder::new().unwrap();
        let issuer = self.certificate.subject_name();
        builder.set_issuer_name(issuer).unwrap();
        builder.set_last_update(&day(days.start)).unwrap();
        builder.set_next_update(&day(days.end)).unwrap();
        for made in revoked {
            let mut entry = X509RevokedBuilder::new().unwrap();
            let serial = made.certificate.serial_number();
            entry.set_serial_number(serial).unwrap();
            entry.set_revocation_date(&day(-50)).unwrap();
            builder.add_revoked(entry.build()).unwrap();
        }
        let any = X509::builder().unwrap();
        let context = any.x509v3_context(Some(&self.certificate), None);
        let key_id = extension(&context, "authorityKeyIdentifier", "keyid:always");
        builder.append_extension2(&key_id).unwrap();
        let one = Asn1OctetString::new_from_bytes(&[2, 1, 1]).unwrap();
        let number = [("2.5.29.20", false)];
        let critical = critical.map(|kind| (kind, true));
        for (kind, critical) in number.into_iter().chain(critical) {
            let kind = Asn1Object::from_str(kind).unwrap();
            let made = X509Extension::new_from_der(&kind, critical, &one).unwrap();
            builder.append_extension2(&made).unwrap();
        }
        builder.sign(key, MessageDigest::sha256()).unwrap();
        builder.build().unwrap()
    }
}

fn add(builder: &mut X509Builder, issuer: Option<&Made>, name: &str, value: &str) {
    let extension = {
        let issuer = issuer.map(|issuer| &*issuer.certificate);
        extension(&builder.x509v3_context(issuer, None), name, value)
    };
    builder.append_extension2(&extension).unwrap();
}

#[allow(deprecated, reason = "the text form is what makes rows short")]
fn extension(context: &X509v3Context<'_>, name: &str, value: &str) -> X509Extension {
    X509Extension::new(None, Some(context), name, value)
        .unwrap_or_else(|stack| panic!("{name} = {value}: {stack}"))
}

pub(crate) fn name(entries: &[(&str, &str)]) -> X509Name {
    let mut name = X509Name::builder().unwrap();
    for (key, value) in entries {
        name.append_entry_by_text(key, value).unwrap();
    }
    name.build()
}

fn serial() -> Asn1Integer {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    BigNum::from_u32(next).unwrap().to_asn1_integer().unwrap()
}

fn day(days: i64) -> Asn1Time {
    Asn1Time::from_unix(NOW + days * DAY).unwrap()
}
