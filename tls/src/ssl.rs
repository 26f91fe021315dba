//! One wrapper for every SSL call.

/// OpenSSL's sentence for an `X509_V_ERR_*` code.
pub(crate) fn verify_error_string(code: i32) -> &'static str {
    // SAFETY: any integer is allowed; an unknown one has a string of its own.
    let result = unsafe { openssl::x509::X509VerifyResult::from_raw(code) };
    result.error_string()
}
