//! The TLS policy of the rivals that use the `openssl` crate: TLS 1.2 and 1.3,
//! stateless session tickets, OpenSSL's usual two of them for TLS 1.3.

use openssl::error::ErrorStack;
use openssl::ssl::{SslAcceptor, SslFiletype, SslMethod, SslSessionCacheMode};

/// An acceptor with the identity in these PEM files.
///
/// # Errors
///
/// When the files cannot be read or do not belong together.
pub fn acceptor(certificate: &str, key: &str) -> Result<SslAcceptor, ErrorStack> {
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
    builder.set_certificate_chain_file(certificate)?;
    builder.set_private_key_file(key, SslFiletype::PEM)?;
    // Tickets hold the sessions, so the cache would only cost.
    builder.set_session_cache_mode(SslSessionCacheMode::OFF);
    // One read takes a whole record, instead of one for its header and one for
    // the rest.
    builder.set_read_ahead(true);
    Ok(builder.build())
}
