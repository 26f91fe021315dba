//! Calls on certificates that the `openssl` crate lacks.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::marker::PhantomData;
use std::net::IpAddr;
use std::ptr;

use foreign_types::{ForeignType, ForeignTypeRef};
use openssl::error::ErrorStack;
use openssl::x509::{X509, X509Ref};
use openssl_sys::BIO;

use crate::ffi;

/// `X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS` and `X509_CHECK_FLAG_NEVER_CHECK_SUBJECT`.
const CHECKS: c_uint = 0x4 | 0x20;

/// The certificates of a text in PEM form, one after the other.
pub(super) struct PemReader<'a> {
    bio: *mut BIO,
    text: PhantomData<&'a [u8]>,
}

impl<'a> PemReader<'a> {
    pub(super) fn new(text: &'a [u8]) -> Result<PemReader<'a>, ErrorStack> {
        // The caller has checked the size; a longer text would be as if empty.
        let length = text.len().try_into().unwrap_or(0);
        // SAFETY: so many bytes, which are borrowed for as long as the BIO reads them.
        let bio = unsafe { openssl_sys::BIO_new_mem_buf(text.as_ptr().cast(), length) };
        if bio.is_null() {
            return Err(ErrorStack::get());
        }
        let text = PhantomData;
        Ok(PemReader { bio, text })
    }

    /// The next one, of any label that certificates have.
    pub(super) fn read(&mut self) -> Result<X509, ErrorStack> {
        let (out, data) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: the BIO is alive; the callback may be called at any time.
        let cert = unsafe { ffi::PEM_read_bio_X509_AUX(self.bio, out, Some(no_passphrase), data) };
        if cert.is_null() {
            return Err(ErrorStack::get());
        }
        // SAFETY: a certificate that is ours to free.
        Ok(unsafe { X509::from_ptr(cert) })
    }
}

impl Drop for PemReader<'_> {
    fn drop(&mut self) {
        // SAFETY: the BIO is ours and used no more.
        unsafe { openssl_sys::BIO_free_all(self.bio) };
    }
}

/// Without a callback OpenSSL would ask on the terminal for the passphrase of a
/// certificate that claims to be encrypted.
extern "C" fn no_passphrase(_: *mut c_char, _: c_int, _: c_int, _: *mut c_void) -> c_int {
    -1
}

/// Whether the certificate is for this DNS name.
pub(super) fn is_for_host(cert: &X509Ref, host: &str) -> bool {
    // SAFETY: the certificate is alive and locks what it caches; so many bytes are read,
    // and who matched is not asked for.
    let answer = unsafe {
        openssl_sys::X509_check_host(
            cert.as_ptr(),
            host.as_ptr().cast(),
            host.len(),
            CHECKS,
            ptr::null_mut(),
        )
    };
    answer == 1
}

/// Whether the certificate is for this IP address.
pub(super) fn is_for_ip(cert: &X509Ref, ip: IpAddr) -> bool {
    let (v4, v6);
    let octets: &[u8] = match ip {
        IpAddr::V4(ip) => {
            v4 = ip.octets();
            &v4
        }
        IpAddr::V6(ip) => {
            v6 = ip.octets();
            &v6
        }
    };
    // SAFETY: the certificate is alive and locks what it caches; so many bytes are read.
    let answer =
        unsafe { openssl_sys::X509_check_ip(cert.as_ptr(), octets.as_ptr(), octets.len(), CHECKS) };
    answer == 1
}

/// Whether the certificate is for this mailbox.
pub(super) fn is_for_email(cert: &X509Ref, mailbox: &str) -> bool {
    // SAFETY: the certificate is alive and locks what it caches; so many bytes are read.
    let answer = unsafe {
        openssl_sys::X509_check_email(
            cert.as_ptr(),
            mailbox.as_ptr().cast(),
            mailbox.len(),
            CHECKS,
        )
    };
    answer == 1
}
