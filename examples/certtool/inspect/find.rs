//! What a file holds: one object in DER form, or any number in PEM form.

use std::path::Path;

use greenling_tls::crypto::{Cert, Crl, Csr, Encoding, Pkcs7, Pkcs12, PrivateKey, PublicKey};
use greenling_tls::{ConfigErrorKind, Error};

use super::report::Report;
use super::{Question, cert, key, lists};
use crate::failure::{Failure, Outcome};
use crate::input;
use crate::passphrase::{self, Source};

/// One object.
pub(super) enum Object {
    Cert(Cert),
    Csr(Csr),
    Crl(Crl),
    Key(PrivateKey),
    PublicKey(PublicKey),
    Pkcs7(Pkcs7),
    Pkcs12(Box<Pkcs12>),
    /// A key or PKCS #12 file that is encrypted, and nobody has said how to open it.
    Locked(&'static str),
    /// A PEM block with a label that means nothing here.
    Unknown(String),
}

impl Object {
    pub(super) fn show(&self, report: &mut Report, question: &Question) -> Result<(), Error> {
        match self {
            Object::Cert(cert) => cert::show(cert, report, question),
            Object::Csr(csr) => cert::show_csr(csr, report, question),
            Object::Crl(crl) => lists::show_crl(crl, report, question),
            Object::Key(key) => key::show(key, report),
            Object::PublicKey(key) => {
                report.heading("public key");
                key::describe(key, report)
            }
            Object::Pkcs7(pkcs7) => lists::show_pkcs7(pkcs7, report, question),
            Object::Pkcs12(pkcs12) => lists::show_pkcs12(pkcs12, report, question),
            Object::Locked(what) => {
                report.heading(what);
                report.line("encrypted", "--pass says where the passphrase is");
                Ok(())
            }
            Object::Unknown(label) => {
                report.heading(format_args!("{label}, of which nothing is known here"));
                Ok(())
            }
        }
    }
}

/// Every object of a file.
pub(super) fn all(path: &Path, content: &[u8], source: Option<&Source>) -> Outcome<Vec<Object>> {
    let fault = |error| Failure::about(path, &error);
    match input::encoding(content) {
        Encoding::Der => match der(content, source).map_err(fault)? {
            Some(object) => Ok(vec![object]),
            None => Err(Failure::file(path, UNKNOWN)),
        },
        Encoding::Pem => {
            let blocks = blocks(content);
            if blocks.is_empty() {
                return Err(Failure::file(path, "has a damaged BEGIN line"));
            }
            let all = blocks.iter().map(|block| pem(block, source));
            all.collect::<Result<_, _>>().map_err(fault)
        }
    }
}

/// A block of PEM text, with the lines around it.
struct Block<'a> {
    label: String,
    text: &'a [u8],
}

/// All blocks, each up to its END line or, if there is none, to the next BEGIN line.
fn blocks(content: &[u8]) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, usize)> = None;
    let mut at = 0;
    for line in content.split_inclusive(|byte| *byte == b'\n') {
        let text = String::from_utf8_lossy(line.trim_ascii_end());
        let label = |prefix| text.strip_prefix(prefix)?.strip_suffix("-----");
        if let Some(label) = label("-----BEGIN ") {
            if let Some((label, from)) = open.take() {
                let text = &content[from..at];
                blocks.push(Block { label, text });
            }
            open = Some((label.to_owned(), at));
        }
        at += line.len();
        if label("-----END ").is_some()
            && let Some((label, from)) = open.take()
        {
            let text = &content[from..at];
            blocks.push(Block { label, text });
        }
    }
    if let Some((label, from)) = open {
        let text = &content[from..];
        blocks.push(Block { label, text });
    }
    blocks
}

fn pem(block: &Block<'_>, source: Option<&Source>) -> Result<Object, Error> {
    let (pem, text) = (Encoding::Pem, block.text);
    Ok(match &*block.label {
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => {
            Object::Cert(Cert::decode(pem, text)?)
        }
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Object::Csr(Csr::decode(pem, text)?),
        "X509 CRL" => Object::Crl(Crl::decode(pem, text)?),
        "PKCS7" | "CMS" => Object::Pkcs7(Pkcs7::decode(pem, text)?),
        "PUBLIC KEY" | "RSA PUBLIC KEY" => Object::PublicKey(PublicKey::decode(pem, text)?),
        label if label.ends_with("PRIVATE KEY") => private(pem, text, source)?,
        label => Object::Unknown(label.to_owned()),
    })
}

fn private(encoding: Encoding, content: &[u8], source: Option<&Source>) -> Result<Object, Error> {
    let pass = passphrase::asked(source.cloned());
    match PrivateKey::decode(encoding, content, pass) {
        Err(error) if is_locked(&error) => Ok(Object::Locked("private key")),
        key => key.map(Object::Key),
    }
}

fn is_locked(error: &Error) -> bool {
    matches!(error, Error::Config(fault) if fault.kind() == ConfigErrorKind::EncryptedKey)
}

/// What is said of what no parser takes.
const UNKNOWN: &str = "is neither in PEM form nor a certificate, request, revocation list, \
    key, PKCS #7 or PKCS #12 in DER form";

/// DER says nothing of what it is, so each kind is tried.
fn der(content: &[u8], source: Option<&Source>) -> Result<Option<Object>, Error> {
    let der = Encoding::Der;
    let simple = Cert::decode(der, content)
        .map(Object::Cert)
        .or_else(|_| Csr::decode(der, content).map(Object::Csr))
        .or_else(|_| Crl::decode(der, content).map(Object::Crl))
        .or_else(|_| PublicKey::decode(der, content).map(Object::PublicKey))
        .or_else(|_| Pkcs7::decode(der, content).map(Object::Pkcs7));
    if let Ok(found) = simple {
        return Ok(Some(found));
    }
    let archive = match Pkcs12::open(content, passphrase::asked(source.cloned())) {
        Err(error) if is_locked(&error) => Ok(Object::Locked("PKCS #12 file")),
        opened => opened.map(|opened| Object::Pkcs12(Box::new(opened))),
    };
    let found = match archive {
        Err(error) if is_other(&error) => private(der, content, source),
        archive => archive,
    };
    match found {
        Err(error) if is_other(&error) => Ok(None),
        found => found.map(Some),
    }
}

/// Whether it is not such an object at all, as far as one can tell.
fn is_other(error: &Error) -> bool {
    use ConfigErrorKind::{Malformed, WrongObject};
    matches!(error, Error::Config(fault) if matches!(fault.kind(), Malformed | WrongObject))
}

/// The parts of a PEM text that are certificates, or revocation lists (true).
pub(crate) fn certs_and_crls(content: &[u8]) -> Vec<(bool, &[u8])> {
    let wanted = blocks(content)
        .into_iter()
        .filter_map(|block| match &*block.label {
            "X509 CRL" => Some((true, block.text)),
            label if label.ends_with("CERTIFICATE") => Some((false, block.text)),
            _ => None,
        });
    wanted.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_told_apart() {
        let text = b"text\n-----BEGIN A-----\nx\n-----END A-----\r\nmore\n-----BEGIN B B-----\ny\n\
            -----BEGIN C-----\n-----END C-----";
        let found = blocks(text);
        let labels: Vec<_> = found.iter().map(|block| &*block.label).collect();
        assert_eq!(labels, ["A", "B B", "C"]);
        assert_eq!(found[0].text, b"-----BEGIN A-----\nx\n-----END A-----\r\n");
        assert_eq!(found[1].text, b"-----BEGIN B B-----\ny\n");
        assert_eq!(found[2].text, b"-----BEGIN C-----\n-----END C-----");
    }
}
