//! `PKCS12_create(3)` with a passphrase that is wiped: the `openssl` crate makes a copy
//! of it that is not, and cannot tell an empty one from none.

use std::ffi::{CString, c_int};
use std::ptr;

use foreign_types::{ForeignType, ForeignTypeRef};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKeyRef, Private};
use openssl::stack::Stack;
use openssl::x509::{X509, X509Ref};

use super::secret::Text;

/// For `mac_iter`: leave the MAC to [`PKCS12_set_mac`](openssl_sys::PKCS12_set_mac),
/// which can be told the digest.
const NO_MAC: c_int = -1;

/// What an archive is made of.
pub(super) struct Contents<'a> {
    pub(super) cert: Option<&'a X509Ref>,
    pub(super) key: Option<&'a PKeyRef<Private>>,
    pub(super) ca: Vec<&'a X509Ref>,
    /// Without a NUL.
    pub(super) name: Option<&'a str>,
    pub(super) encryption: Nid,
    pub(super) iterations: u32,
    pub(super) mac: MessageDigest,
}

/// Encrypts it and writes it in DER form.
pub(super) fn pack(
    contents: &Contents<'_>,
    passphrase: Option<&Text>,
) -> Result<Vec<u8>, ErrorStack> {
    let iterations = c_int::try_from(contents.iterations).map_err(|_| ErrorStack::get())?;
    let name = contents.name.map(CString::new).transpose();
    let name = name.map_err(|_| ErrorStack::get())?;
    let cert = match contents.cert {
        // Without a name that it may have brought along: the new one replaces it.
        Some(cert) => Some(X509::from_der(&cert.to_der()?)?),
        None => None,
    };
    let mut ca = Stack::new()?;
    for cert in &contents.ca {
        ca.push((*cert).to_owned())?;
    }
    let (text, length) = Text::parts(passphrase);
    let encryption = contents.encryption.as_raw();
    let key = contents.key.map_or(ptr::null_mut(), ForeignTypeRef::as_ptr);
    // SAFETY: everything is alive for the call, or null and left out; it takes its own
    // references and copies.
    let made = unsafe {
        openssl_sys::PKCS12_create(
            text.cast_mut(),
            name.as_ref()
                .map_or(ptr::null(), |name| name.as_ptr())
                .cast_mut(),
            key,
            cert.as_ref().map_or(ptr::null_mut(), ForeignType::as_ptr),
            ca.as_ptr(),
            encryption,
            encryption,
            iterations,
            NO_MAC,
            0,
        )
    };
    if made.is_null() {
        return Err(ErrorStack::get());
    }
    // SAFETY: an archive that is ours to free.
    let archive = unsafe { Pkcs12::from_ptr(made) };
    // SAFETY: the archive is alive, the text has that length or is null, and the salt is
    // left to OpenSSL.
    let done = unsafe {
        openssl_sys::PKCS12_set_mac(
            archive.as_ptr(),
            text,
            length,
            ptr::null_mut(),
            0,
            iterations,
            contents.mac.as_ptr(),
        )
    };
    if done != 1 {
        return Err(ErrorStack::get());
    }
    archive.to_der()
}
