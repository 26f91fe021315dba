//! `PKCS12_parse(3)` with a passphrase that is wiped: the `openssl` crate makes a
//! copy of it that is not.

use std::ffi::CStr;
use std::ptr;

use foreign_types::{ForeignType, ForeignTypeRef};
use openssl::error::ErrorStack;
use openssl::pkcs12::Pkcs12Ref;
use openssl::pkey::{PKey, Private};
use openssl::stack::Stack;
use openssl::x509::X509;

/// What an archive holds.
pub(super) struct Parts {
    pub(super) leaf: Option<X509>,
    pub(super) key: Option<PKey<Private>>,
    pub(super) others: Option<Stack<X509>>,
}

pub(super) fn parse_pkcs12(archive: &Pkcs12Ref, passphrase: &CStr) -> Result<Parts, ErrorStack> {
    let (mut key, mut leaf, mut others) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    // SAFETY: the archive and the string are alive for the call; the others are out
    // parameters, and null where it finds nothing.
    let done = unsafe {
        openssl_sys::PKCS12_parse(
            archive.as_ptr(),
            passphrase.as_ptr(),
            &mut key,
            &mut leaf,
            &mut others,
        )
    };
    if done <= 0 {
        return Err(ErrorStack::get());
    }
    Ok(Parts {
        // SAFETY: a certificate that is ours to free.
        leaf: (!leaf.is_null()).then(|| unsafe { X509::from_ptr(leaf) }),
        // SAFETY: a key that is ours to free.
        key: (!key.is_null()).then(|| unsafe { PKey::from_ptr(key) }),
        // SAFETY: a list that is ours to free, with its members.
        others: (!others.is_null()).then(|| unsafe { Stack::from_ptr(others) }),
    })
}
