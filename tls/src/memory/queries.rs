//! What a connection between two buffers can be asked and told.

use openssl::ssl::SslVerifyMode;

use super::{PeerCert, SslError, SslObject};
use crate::context::{Context, Version};
use crate::crypto::{Cert, Encoding};
use crate::engine::{ChannelBinding, Cipher, Role};
use crate::session::Session;

impl SslObject {
    /// The context of the connection: the one that it was made of, or that a
    /// [`resolver`](crate::ContextBuilder::resolver) or
    /// [`set_context`](SslObject::set_context) has put in its place.
    #[doc(alias = "SSL_get_SSL_CTX")]
    pub fn context(&self) -> &Context {
        self.engine.context().unwrap_or(&self.context)
    }

    /// Exchanges the context before the handshake is done, as Python's programs do in a
    /// server name callback. **Not fit to tell hosts with different terms apart**: see
    /// [`Engine::set_context`](crate::Engine::set_context).
    ///
    /// # Errors
    ///
    /// [`SslErrorKind::Value`](super::SslErrorKind::Value) after the handshake, or for a
    /// context of the other role.
    #[doc(alias = "SSL_set_SSL_CTX")]
    pub fn set_context(&mut self, context: &Context) -> Result<(), SslError> {
        Ok(self.engine.set_context(context)?)
    }

    /// The session, for a later connection to resume. With TLS 1.3 there is one only
    /// after the server's tickets were read, that is, after some read.
    #[doc(alias = "SSL_get1_session")]
    pub fn session(&self) -> Option<Session> {
        self.engine.session()
    }

    /// Offers the session of an earlier connection to the same name by the same context.
    ///
    /// # Errors
    ///
    /// [`SslErrorKind::Value`](super::SslErrorKind::Value) when it is of another context
    /// or name, this is a server, or the handshake has begun.
    #[doc(alias = "SSL_set_session")]
    pub fn set_session(&mut self, session: &Session) -> Result<(), SslError> {
        self.engine.set_session(session).map_err(SslError::from)
    }

    /// Whether an earlier session was resumed.
    #[doc(alias = "SSL_session_reused")]
    pub fn session_reused(&self) -> bool {
        self.engine.is_session_reused()
    }

    /// Whether this is the server.
    #[doc(alias = "SSL_is_server")]
    pub fn server_side(&self) -> bool {
        self.engine.role() == Role::Server
    }

    /// The name that was given to [`Context::wrap_bio`]: a server has none.
    pub fn server_hostname(&self) -> Option<&str> {
        self.hostname.as_deref()
    }

    /// The peer's certificate, told field by field; `None` if it showed none. All fields
    /// are empty where it was not verified: what it claims has no meaning then.
    ///
    /// # Errors
    ///
    /// [`SslErrorKind::Value`](super::SslErrorKind::Value) before the handshake is done.
    #[doc(alias = "SSL_get1_peer_certificate")]
    pub fn getpeercert(&self) -> Result<Option<PeerCert>, SslError> {
        self.check_established()?;
        let mode = self.engine.ssl().verify_mode();
        Ok(self.engine.peer_certificate().map(|certificate| {
            if mode.contains(SslVerifyMode::PEER) {
                PeerCert::of(&certificate)
            } else {
                PeerCert::default()
            }
        }))
    }

    /// Python's `getpeercert(binary_form=True)`: the peer's certificate in DER form,
    /// verified or not.
    ///
    /// # Errors
    ///
    /// As [`getpeercert`](SslObject::getpeercert).
    pub fn getpeercert_binary(&self) -> Result<Option<Vec<u8>>, SslError> {
        self.check_established()?;
        Ok(match self.engine.peer_certificate() {
            Some(certificate) => Some(der(&certificate)?),
            None => None,
        })
    }

    /// The certificates by which the peer was verified, in DER form, from its own to the
    /// trusted one. Empty where nothing was verified, and when a session was resumed.
    ///
    /// # Errors
    ///
    /// [`SslErrorKind::Ssl`](super::SslErrorKind::Ssl) when OpenSSL is out of memory.
    #[doc(alias = "SSL_get0_verified_chain")]
    pub fn get_verified_chain(&self) -> Result<Vec<Vec<u8>>, SslError> {
        let chain = self.engine.verified_chain().unwrap_or_default();
        chain.iter().map(der).collect()
    }

    /// The certificates that the peer sent, in DER form, its own first. They may be
    /// anything.
    ///
    /// # Errors
    ///
    /// [`SslErrorKind::Ssl`](super::SslErrorKind::Ssl) when OpenSSL is out of memory.
    #[doc(alias = "SSL_get_peer_cert_chain")]
    pub fn get_unverified_chain(&self) -> Result<Vec<Vec<u8>>, SslError> {
        let chain = self.engine.peer_certificate_chain();
        chain.iter().map(der).collect()
    }

    /// The protocol chosen by ALPN (RFC 7301). Bytes that are no UTF-8 are replaced.
    #[doc(alias = "SSL_get0_alpn_selected")]
    pub fn selected_alpn_protocol(&self) -> Option<String> {
        let protocol = self.engine.alpn_protocol()?;
        Some(String::from_utf8_lossy(protocol).into_owned())
    }

    /// The cipher suite in use. Python has its name, version and bits in a tuple.
    #[doc(alias = "SSL_get_current_cipher")]
    pub fn cipher(&self) -> Option<Cipher> {
        self.engine.cipher()
    }

    /// A server's: the suites that the client offered and that may be used, in the
    /// client's order. `None` on a client and before the ClientHello.
    #[doc(alias = "SSL_get_client_ciphers")]
    pub fn shared_ciphers(&self) -> Option<Vec<Cipher>> {
        let shared = self.engine.shared_ciphers();
        (!shared.is_empty()).then_some(shared)
    }

    /// Always `None`: compressed TLS leaks secrets and is never used (RFC 9325, section
    /// 3.3).
    #[doc(alias = "SSL_get_current_compression")]
    pub fn compression(&self) -> Option<&'static str> {
        self.engine.compression()
    }

    /// What ties an authentication at a higher level to this connection, by its name in
    /// RFC 5929 or 9266: `tls-unique`, `tls-exporter`, `tls-server-end-point`. Python has
    /// the first only. `None` before the handshake is done.
    ///
    /// # Errors
    ///
    /// [`SslErrorKind::Value`](super::SslErrorKind::Value) for another name;
    /// [`SslErrorKind::Ssl`](super::SslErrorKind::Ssl) where the binding would not bind.
    /// That is `tls-unique` with TLS 1.3, for which Python returns bytes all the same,
    /// and what
    /// [`Engine::channel_binding`](crate::Engine::channel_binding) lists.
    #[doc(alias = "SSL_get_finished")]
    pub fn get_channel_binding(&mut self, name: &str) -> Result<Option<Vec<u8>>, SslError> {
        let kind = match name {
            "tls-unique" => ChannelBinding::TlsUnique,
            "tls-exporter" => ChannelBinding::TlsExporter,
            "tls-server-end-point" => ChannelBinding::TlsServerEndPoint,
            other => {
                return Err(SslError::value(format!(
                    "{other:?} channel binding type not implemented"
                )));
            }
        };
        if !self.engine.is_established() {
            return Ok(None);
        }
        Ok(Some(self.engine.channel_binding(kind)?))
    }

    /// How many bytes of plaintext can be read of a record that was begun.
    #[doc(alias = "SSL_pending")]
    pub fn pending(&self) -> usize {
        self.engine.pending()
    }

    /// The version of the protocol, such as `TLSv1.3`, once the handshake is done.
    #[doc(alias = "SSL_get_version")]
    pub fn version(&self) -> Option<&'static str> {
        if !self.engine.is_established() {
            return None;
        }
        Some(self.engine.ssl().version_str())
    }

    /// Asks the client for a certificate now; it goes out with the next call of
    /// [`write`](SslObject::write).
    ///
    /// # Errors
    ///
    /// [`SslErrorKind::Ssl`](super::SslErrorKind::Ssl) before TLS 1.3
    /// (`WRONG_SSL_VERSION`), on a client (`NOT_SERVER`), and when the client did not
    /// offer it (`EXTENSION_NOT_RECEIVED`).
    #[doc(alias = "SSL_verify_client_post_handshake")]
    pub fn verify_client_post_handshake(&mut self) -> Result<(), SslError> {
        let refused = |reason| SslError::refused(reason, "not possible on this connection");
        if self.engine.version() != Some(Version::Tls13) {
            return Err(refused("WRONG_SSL_VERSION"));
        }
        if !self.server_side() {
            return Err(refused("NOT_SERVER"));
        }
        self.engine
            .verify_client_post_handshake()
            .map_err(SslError::from)
    }

    fn check_established(&self) -> Result<(), SslError> {
        if self.engine.is_established() {
            Ok(())
        } else {
            Err(SslError::value("handshake not done yet"))
        }
    }
}

fn der(certificate: &Cert) -> Result<Vec<u8>, SslError> {
    Ok(certificate.encode(Encoding::Der)?)
}
