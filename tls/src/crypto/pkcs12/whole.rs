//! AWS-LC opens archives in one call only, and bounds by itself how often a key is
//! derived. It has no legacy provider either.

use std::ptr;

use foreign_types::ForeignType;
use openssl::error::ErrorStack;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::PKey;
use openssl::stack::Stack;
use openssl::x509::X509;

use super::secret::Text;
use super::{Fault, Parts};

/// AWS-LC's `ERR_LIB_PKCS8`.
const LIB_PKCS8: i32 = 19;
/// AWS-LC's `PKCS8_R_INCORRECT_PASSWORD`.
const INCORRECT_PASSWORD: i32 = 108;

/// AWS-LC does not tell before it has tried.
pub(super) fn is_protected(bytes: &[u8]) -> Result<bool, Fault> {
    Pkcs12::from_der(bytes).map_err(Fault::NoArchive)?;
    Ok(true)
}

/// Opens an archive with the first of these passphrases that fits.
pub(super) fn open(bytes: &[u8], passphrases: &[Option<&Text>]) -> Result<Parts, Fault> {
    let archive = Pkcs12::from_der(bytes).map_err(Fault::NoArchive)?;
    let mut last = Fault::Passphrase;
    for passphrase in passphrases {
        match parse(&archive, *passphrase) {
            Ok(parts) => return Ok(parts),
            Err(stack) => last = reason(stack),
        }
    }
    Err(last)
}

fn reason(stack: ErrorStack) -> Fault {
    let is_passphrase = |e: &openssl::error::Error| {
        e.library_code() == LIB_PKCS8 && e.reason_code() == INCORRECT_PASSWORD
    };
    if stack.errors().iter().any(is_passphrase) {
        Fault::Passphrase
    } else {
        Fault::Damaged("is damaged", stack)
    }
}

fn parse(archive: &Pkcs12, passphrase: Option<&Text>) -> Result<Parts, ErrorStack> {
    let (mut key, mut leaf, mut others) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    let (text, _) = Text::parts(passphrase);
    // SAFETY: the archive and the string are alive for the call; the others are out
    // parameters, and null where it finds nothing.
    let done = unsafe {
        openssl_sys::PKCS12_parse(archive.as_ptr(), text, &mut key, &mut leaf, &mut others)
    };
    if done <= 0 {
        return Err(ErrorStack::get());
    }
    // SAFETY: a list that is ours to free, with its members.
    let others: Option<Stack<X509>> =
        (!others.is_null()).then(|| unsafe { Stack::from_ptr(others) });
    Ok(Parts {
        // SAFETY: a certificate that is ours to free.
        leaf: (!leaf.is_null()).then(|| unsafe { X509::from_ptr(leaf) }),
        // SAFETY: a key that is ours to free.
        key: (!key.is_null()).then(|| unsafe { PKey::from_ptr(key) }),
        key_name: None,
        others: others.into_iter().flatten().collect(),
    })
}
