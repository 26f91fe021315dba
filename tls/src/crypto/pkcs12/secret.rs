//! A passphrase in the form that C wants.

use std::ffi::{c_char, c_int};
use std::ptr;

use openssl::error::ErrorStack;
use zeroize::Zeroizing;

/// A passphrase with a NUL at its end, wiped when it is dropped.
pub(crate) struct Text {
    with_nul: Zeroizing<Vec<u8>>,
    length: c_int,
}

impl Text {
    /// Copies a passphrase that has passed [`check`](crate::crypto::passphrase::check).
    pub(crate) fn new(passphrase: &[u8]) -> Result<Text, ErrorStack> {
        let length = c_int::try_from(passphrase.len()).map_err(|_| ErrorStack::get())?;
        // Made as large as needed: a vector that grows leaves copies behind.
        let mut with_nul = Zeroizing::new(Vec::with_capacity(passphrase.len() + 1));
        with_nul.extend_from_slice(passphrase);
        with_nul.push(0);
        Ok(Text { with_nul, length })
    }

    /// What C gets: the text and its length. Null is no passphrase, which in PKCS #12
    /// is not the same as an empty one (RFC 7292, appendix B.1).
    pub(crate) fn parts(text: Option<&Text>) -> (*const c_char, c_int) {
        match text {
            Some(text) => (text.with_nul.as_ptr().cast(), text.length),
            None => (ptr::null(), 0),
        }
    }
}
