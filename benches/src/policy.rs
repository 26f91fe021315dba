//! The TLS policy of the rivals: TLS 1.2 and 1.3, stateless session tickets, two
//! of them for each connection of TLS 1.3, as all that use OpenSSL send.

#[cfg(feature = "rivals")]
use std::{error::Error, sync::Arc};

use openssl::error::ErrorStack;
use openssl::ssl::{SslAcceptor, SslFiletype, SslMethod, SslSessionCacheMode};
#[cfg(feature = "rivals")]
use tokio_rustls::rustls::{
    ServerConfig,
    crypto::aws_lc_rs::Ticketer,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::NoServerSessionStorage,
};

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

/// The same for rustls, with its default cryptography, AWS-LC.
///
/// # Errors
///
/// When the files cannot be read or do not belong together.
#[cfg(feature = "rivals")]
pub fn rustls(
    certificate: &str,
    key: &str,
) -> Result<Arc<ServerConfig>, Box<dyn Error + Send + Sync>> {
    let chain = CertificateDer::pem_file_iter(certificate)?.collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_file(key)?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.ticketer = Ticketer::new()?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(Arc::new(config))
}
