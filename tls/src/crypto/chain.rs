//! The order of intermediates.
//!
//! TLS 1.2 demands that each certificate certifies the one before it
//! (RFC 5246, section 7.4.2), and some clients insist. Files are often written
//! the other way round, so the path from the leaf is looked up instead of
//! trusting the file.

use openssl::x509::{X509, X509VerifyResult};

/// The longest path that is looked for: more than OpenSSL would follow by default is
/// of no use, and a file may hold thousands of certificates.
const PATH_MAX: usize = 100;

/// `rest` with the path from `leaf` upwards first. Certificates that are not on
/// it, such as cross-signed ones for other clients, follow in the given order.
pub(crate) fn in_order(leaf: &X509, mut rest: Vec<X509>) -> Vec<X509> {
    let mut ordered: Vec<X509> = Vec::with_capacity(rest.len());
    while ordered.len() < PATH_MAX {
        let last = ordered.last().unwrap_or(leaf);
        let next = rest
            .iter()
            .position(|issuer| issuer.issued(last) == X509VerifyResult::OK);
        match next {
            // A root issued itself, but it was taken out of `rest` when it was
            // appended, so this ends.
            Some(index) => ordered.push(rest.remove(index)),
            None => break,
        }
    }
    ordered.append(&mut rest);
    ordered
}
