//! What OpenSSL knows apart from any connection: texts of errors, parts of names.

use std::ffi::{CStr, c_int};

use foreign_types::ForeignTypeRef;
use openssl::x509::X509NameEntryRef;

use crate::error::Alert;
use crate::ffi;

/// OpenSSL's words for the error "the peer sent this alert".
pub(crate) fn alert_reason(alert: Alert) -> Option<&'static str> {
    let reason = ffi::SSL_AD_REASON_OFFSET + c_int::from(alert.code());
    let code = ffi::ssl_error_code(reason);
    // SAFETY: any code is allowed.
    let text = unsafe { openssl_sys::ERR_reason_error_string(code) };
    if text.is_null() {
        return None;
    }
    // SAFETY: a string of libssl's table of reasons, which lives as long as the program.
    let text = unsafe { CStr::from_ptr::<'static>(text) };
    text.to_str().ok()
}

/// Which relative distinguished name of its name an entry belongs to, from 0.
pub(crate) fn index_of_rdn(entry: &X509NameEntryRef) -> c_int {
    // SAFETY: the entry is alive; this only looks.
    unsafe { ffi::X509_NAME_ENTRY_set(entry.as_ptr()) }
}
