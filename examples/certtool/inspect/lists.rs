//! Revocation lists, and containers of several objects.

use greenling_tls::Error;
use greenling_tls::crypto::{Crl, Pkcs7, Pkcs12};

use super::report::{Report, colons};
use super::{Question, cert, key};

/// A list of revoked certificates.
pub(super) fn show_crl(crl: &Crl, report: &mut Report, question: &Question) -> Result<(), Error> {
    report.heading("list of revoked certificates");
    report.line("issuer", crl.issuer());
    if let Some(number) = crl.number() {
        report.line("number", number.to_decimal());
    }
    let from = crl.last_update()?;
    report.line("valid from", from);
    if from > question.at {
        report.warn(format_args!("not in force before {from}"));
    }
    if let Some(until) = crl.next_update()? {
        report.line("until", until);
        if until < question.at {
            report.warn(format_args!("out of force since {until}"));
        }
    }
    for digest in &question.digests {
        report.line(digest.name(), colons(&crl.fingerprint(*digest)?));
    }
    cert::show_extensions(&crl.extensions()?, report)?;
    let revoked = crl.revoked()?;
    report.line("revoked", revoked.len());
    for entry in revoked {
        let reason = entry.reason.map_or("", |reason| reason.name());
        report.line(
            "",
            format_args!("{} on {} {reason}", entry.serial, entry.date),
        );
    }
    if question.text {
        report.block(&crl.to_text()?);
    }
    Ok(())
}

/// What PKCS #7 has around its content.
pub(super) fn show_pkcs7(
    pkcs7: &Pkcs7,
    report: &mut Report,
    question: &Question,
) -> Result<(), Error> {
    report.heading("PKCS #7");
    report.line("type", pkcs7.type_name());
    if pkcs7.is_signed() {
        let detached = if pkcs7.is_detached() {
            ", the content is elsewhere"
        } else {
            ""
        };
        report.line(
            "signers",
            format_args!("{}{detached}", pkcs7.signer_count()),
        );
    }
    for inner in pkcs7.certificates() {
        cert::show(&inner, report, question)?;
    }
    for inner in pkcs7.crls()? {
        show_crl(&inner, report, question)?;
    }
    Ok(())
}

/// What PKCS #12 has in it.
pub(super) fn show_pkcs12(
    pkcs12: &Pkcs12,
    report: &mut Report,
    question: &Question,
) -> Result<(), Error> {
    report.heading("PKCS #12 file");
    if let Some(name) = &pkcs12.friendly_name {
        report.line("called", name);
    }
    if let Some(inner) = &pkcs12.key {
        key::show(inner, report)?;
        if let Some(cert) = &pkcs12.cert
            && !inner.matches(cert)
        {
            report.warn("the key is not that of the certificate");
        }
    }
    for inner in pkcs12.cert.iter().chain(&pkcs12.ca) {
        cert::show(inner, report, question)?;
    }
    Ok(())
}
