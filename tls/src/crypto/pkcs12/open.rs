//! What is in an archive: which of its parts are opened, in which order, and what
//! it means when one does not.

use openssl::error::ErrorStack;
use openssl::lib_ctx::LibCtxRef;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;

use super::archive::{Archive, Bag, Content, Protection};
use super::secret::Text;
use super::{Fault, Parts};
use crate::crypto::library;
use crate::crypto::pbe::{Work, is_unsupported};

/// Bags within bags; OpenSSL's parser gives up at a similar depth.
const DEPTH_MAX: usize = 16;

/// More than any list of trusted certificates has. The one that belongs to the key is
/// looked for among them.
const CERTIFICATES_MAX: usize = 10_000;

/// Whether the archive cannot be opened without a passphrase. `None` if that is
/// not an archive. On the system stack, with an empty error queue.
pub(super) fn is_protected(bytes: &[u8]) -> Result<bool, Fault> {
    let (archive, _) = decode(bytes, None)?;
    let damaged = |stack| Fault::Damaged("is damaged", stack);
    if archive.mac().map_err(damaged)?.is_some() {
        return Ok(true);
    }
    for safe in archive.safes().map_err(damaged)?.iter() {
        match safe.protection().map_err(damaged)? {
            Protection::Passphrase(_) => return Ok(true),
            Protection::Other => {}
            Protection::None => {
                let bags = safe.bags().map_err(damaged)?;
                for bag in bags.iter() {
                    if is_shrouded(&bag, 0) {
                        return Ok(true);
                    }
                }
            }
        }
    }
    Ok(false)
}

fn is_shrouded(bag: &Bag<'_>, depth: usize) -> bool {
    match bag.content() {
        Ok(Content::ShroudedKey(_)) => true,
        Ok(Content::Bags) if depth < DEPTH_MAX => {
            bag.bags().any(|bag| is_shrouded(&bag, depth + 1))
        }
        _ => false,
    }
}

/// Opens an archive with the first of these passphrases that fits. On the system
/// stack, with an empty error queue.
pub(super) fn open(bytes: &[u8], passphrases: &[Option<&Text>]) -> Result<Parts, Fault> {
    let unsupported = match try_all(bytes, passphrases, None) {
        Err(Fault::Unsupported(stack)) => stack,
        other => return other,
    };
    let Ok(library) = library::with_legacy() else {
        return Err(Fault::Unsupported(unsupported));
    };
    try_all(bytes, passphrases, Some(library))
}

fn try_all(
    bytes: &[u8],
    passphrases: &[Option<&Text>],
    library: Option<&'static LibCtxRef>,
) -> Result<Parts, Fault> {
    let (archive, rest) = decode(bytes, library)?;
    if rest > 0 {
        return Err(Fault::Trailing(rest));
    }
    let mut work = Work::default();
    for passphrase in passphrases {
        match Opening::new(&archive, *passphrase, &mut work).run() {
            Err(Fault::Passphrase) => {}
            other => return other,
        }
    }
    Err(Fault::Passphrase)
}

fn decode(bytes: &[u8], library: Option<&'static LibCtxRef>) -> Result<(Archive, usize), Fault> {
    Archive::decode(bytes, library).map_err(Fault::NoArchive)
}

/// One attempt with one passphrase.
struct Opening<'a> {
    archive: &'a Archive,
    passphrase: Option<&'a Text>,
    work: &'a mut Work,
    /// A MAC says that the passphrase is right.
    is_right: bool,
    parts: Found,
}

#[derive(Default)]
struct Found {
    key: Option<PKey<Private>>,
    key_name: Option<String>,
    certificates: Vec<X509>,
}

impl<'a> Opening<'a> {
    fn new(archive: &'a Archive, passphrase: Option<&'a Text>, work: &'a mut Work) -> Opening<'a> {
        Opening {
            archive,
            passphrase,
            work,
            is_right: false,
            parts: Found::default(),
        }
    }

    fn run(mut self) -> Result<Parts, Fault> {
        let damaged = |stack| Fault::Damaged("is damaged", stack);
        if let Some(mac) = self.archive.mac().map_err(damaged)? {
            self.work.add(mac.iterations)?;
            self.work.add_algorithm(&mac.algorithm)?;
            let verified = self.archive.verify_mac(self.passphrase);
            self.is_right = verified.map_err(Fault::UnknownMac)?;
            if !self.is_right {
                return Err(Fault::Passphrase);
            }
        }
        for safe in self.archive.safes().map_err(damaged)?.iter() {
            let bags = match safe.protection().map_err(damaged)? {
                Protection::None => safe.bags().map_err(damaged)?,
                Protection::Passphrase(algorithm) => {
                    self.work.add_algorithm(&algorithm)?;
                    let bags = safe.decrypt(self.passphrase);
                    bags.map_err(|stack| self.reason(stack))?
                }
                // OpenSSL leaves out what a key protects, and so do others.
                Protection::Other => continue,
            };
            for bag in bags.iter() {
                self.take(&bag, 0)?;
            }
        }
        Ok(self.parts.sort())
    }

    fn take(&mut self, bag: &Bag<'_>, depth: usize) -> Result<(), Fault> {
        let damaged = |stack| Fault::Damaged("holds a damaged part", stack);
        let bad_key = |stack| Fault::Damaged("holds a damaged private key", stack);
        match bag.content().map_err(damaged)? {
            Content::Key if self.parts.key.is_none() => {
                self.parts.key = Some(bag.key().map_err(bad_key)?);
                self.parts.key_name = bag.friendly_name();
            }
            Content::ShroudedKey(algorithm) if self.parts.key.is_none() => {
                self.work.add_algorithm(&algorithm)?;
                let key = bag.decrypt_key(self.passphrase, self.archive);
                self.parts.key = Some(key.map_err(|stack| self.reason(stack))?);
                self.parts.key_name = bag.friendly_name();
            }
            Content::Certificate => {
                if self.parts.certificates.len() == CERTIFICATES_MAX {
                    return Err(Fault::TooMany);
                }
                let bad = |stack| Fault::Damaged("holds a damaged certificate", stack);
                self.parts
                    .certificates
                    .push(bag.certificate().map_err(bad)?);
            }
            Content::Bags if depth < DEPTH_MAX => {
                for inner in bag.bags() {
                    self.take(&inner, depth + 1)?;
                }
            }
            Content::Bags => {
                return Err(Fault::Damaged(
                    "has bags within bags without end",
                    ErrorStack::get(),
                ));
            }
            Content::Key | Content::ShroudedKey(_) | Content::Other => {}
        }
        Ok(())
    }

    /// Why something did not decrypt.
    fn reason(&self, stack: ErrorStack) -> Fault {
        if is_unsupported(&stack) {
            Fault::Unsupported(stack)
        } else if self.is_right {
            Fault::Damaged("is damaged", stack)
        } else {
            Fault::Passphrase
        }
    }
}

impl Found {
    /// The certificate of the key apart from the others.
    fn sort(self) -> Parts {
        let mut certificates = self.certificates;
        let leaf = self.key.as_ref().and_then(|key| {
            let owns = |certificate: &X509| {
                let of_certificate = certificate.public_key();
                // A certificate with a key of an unknown kind is not its own.
                let belongs = of_certificate.is_ok_and(|public| public.public_eq(key));
                drop(ErrorStack::get());
                belongs
            };
            let index = certificates.iter().position(owns)?;
            Some(certificates.remove(index))
        });
        Parts {
            leaf,
            key: self.key,
            key_name: self.key_name,
            others: certificates,
        }
    }
}
