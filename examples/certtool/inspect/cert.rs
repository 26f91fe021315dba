//! Certificates and requests.

use greenling_tls::Error;
use greenling_tls::crypto::{Cert, Csr, Ext, ExtKind, GeneralName, KeyPurpose, Timestamp};

use super::report::Report;
use super::{Question, key};

const DAY: i64 = 24 * 3600;
/// Time to think of a new one.
const SOON: i64 = 30 * DAY;
/// What browsers take from servers (CA/Browser Forum, Baseline Requirements 6.3.2).
const SERVER_DAYS_MAX: i64 = 398;

/// A certificate.
pub(super) fn show(cert: &Cert, report: &mut Report, question: &Question) -> Result<(), Error> {
    report.heading("certificate");
    report.line("subject", cert.subject());
    // A certificate of a server that signs itself is no authority's, and counts here.
    let is_signed_by_itself = cert.verify_signature(&cert.public_key()?).is_ok();
    if is_signed_by_itself && cert.issuer() == cert.subject() {
        report.line("issuer", "itself");
    } else {
        report.line("issuer", cert.issuer());
    }
    let serial = cert.serial();
    report.line("serial", format_args!("{serial} ({})", serial.to_decimal()));
    show_validity(cert, report, question.at);
    report.line("version", cert.version() + 1);
    key::describe(&cert.public_key()?, report)?;
    show_signature(&cert.signature_algorithm(), report);
    for digest in &question.digests {
        report.line(digest.name(), cert.fingerprint_hex(*digest)?);
    }
    let (hash, old) = (cert.subject_hash(), cert.subject_hash_old());
    report.line(
        "hash",
        format_args!("{hash:08x}, before OpenSSL 1.0 {old:08x}"),
    );
    if let Some(alias) = cert.alias() {
        report.line("called", alias);
    }
    let exts = cert.extensions()?;
    show_extensions(&exts, report)?;
    warn_of_extensions(cert, &exts, report);
    if question.text {
        report.block(&cert.to_text()?);
    }
    Ok(())
}

fn show_validity(cert: &Cert, report: &mut Report, at: Timestamp) {
    let (from, until) = (cert.not_before(), cert.not_after());
    report.line("valid from", from);
    let left = until.as_unix() - at.as_unix();
    let days = left.abs() / DAY;
    if left < 0 {
        report.line("until", format_args!("{until} ({days} days ago)"));
        report.warn(format_args!("expired since {until}"));
    } else {
        report.line("until", format_args!("{until} ({days} days left)"));
        if left < SOON {
            report.warn(format_args!("expires in {days} days"));
        }
    }
    if from > at {
        report.warn(format_args!("not valid before {from}"));
    }
}

/// Digests that others can forge signatures over.
fn show_signature(algorithm: &str, report: &mut Report) {
    report.line("signature", algorithm);
    let lower = algorithm.to_ascii_lowercase();
    if ["md2", "md4", "md5", "sha1"]
        .iter()
        .any(|weak| lower.contains(weak))
    {
        report.warn(format_args!("the signature is weak: {algorithm}"));
    }
}

/// Every extension, in its own order.
pub(super) fn show_extensions(exts: &[Ext], report: &mut Report) -> Result<(), Error> {
    for ext in exts {
        let critical = if ext.is_critical() { " (critical)" } else { "" };
        report.line("extension", format_args!("{}{critical}", ext.short_name()));
        match ext.kind() {
            ExtKind::SubjectAltName(names) => {
                for name in names {
                    report.line("", format_args!("  {}", in_words(&name)));
                }
            }
            _ => {
                for line in ext.to_text()?.lines() {
                    report.line("", format_args!("  {line}"));
                }
            }
        }
    }
    Ok(())
}

fn in_words(name: &GeneralName) -> String {
    match name {
        GeneralName::Dns(text) | GeneralName::Email(text) | GeneralName::Uri(text) => text.clone(),
        GeneralName::Ip(ip) => ip.to_string(),
        other => other.to_string(),
    }
}

/// What others will stumble over.
fn warn_of_extensions(cert: &Cert, exts: &[Ext], report: &mut Report) {
    let kinds: Vec<_> = exts.iter().map(Ext::kind).collect();
    let is_server = kinds.iter().any(|kind| {
        matches!(kind, ExtKind::ExtendedKeyUsage(uses) if uses.contains(&KeyPurpose::ServerAuth))
    });
    let has_names = kinds
        .iter()
        .any(|kind| matches!(kind, ExtKind::SubjectAltName(_)));
    let days = (cert.not_after().as_unix() - cert.not_before().as_unix()) / DAY;
    if is_server && !has_names {
        report.warn("no subjectAltName: clients find no name of the server in it");
    }
    if is_server && days > SERVER_DAYS_MAX {
        report.warn(format_args!(
            "lasts {days} days; browsers take {SERVER_DAYS_MAX} at most"
        ));
    }
    if cert.version() < 2 {
        report.warn("not of version 3: nothing says whether it is an authority");
    }
    let serial = cert.serial();
    if serial.is_negative() || serial.as_bytes().iter().all(|octet| *octet == 0) {
        report.warn("the serial number is not positive");
    }
    let has_damaged = exts.iter().zip(&kinds).any(|(ext, kind)| {
        let is_usual = [
            "subjectAltName",
            "basicConstraints",
            "keyUsage",
            "extendedKeyUsage",
        ];
        is_usual.contains(&&*ext.short_name()) && *kind == ExtKind::Raw
    });
    if has_damaged {
        report.warn("an extension is damaged");
    }
}

/// A request.
pub(super) fn show_csr(csr: &Csr, report: &mut Report, question: &Question) -> Result<(), Error> {
    report.heading("certificate request");
    report.line("subject", csr.subject());
    key::describe(&csr.public_key()?, report)?;
    match csr.verify() {
        Ok(()) => report.line("signature", "by the key that it is about"),
        Err(error) => {
            report.line("signature", "bad");
            report.warn(format_args!("the signature is not by its key: {error}"));
        }
    }
    if csr.challenge_password()?.is_some() {
        report.line("password", "there is one, which everybody can read");
    }
    show_extensions(&csr.extensions()?, report)?;
    if question.text {
        report.block(&csr.to_text()?);
    }
    Ok(())
}
