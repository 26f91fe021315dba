//! What one connection does otherwise than its context says.
//!
//! Almost everything here must be said before the handshake begins, and is lost
//! when the client's name leads to another context: that one brings its own.

use super::{Engine, Role};
use crate::callbacks::set_verify_mode;
use crate::context::{ClientAuth, Context, alpn_wire_format};
use crate::error::Error;
use crate::identity::Identity;

impl Engine {
    /// Servers: whether this client is asked for a certificate, by the context's
    /// trust anchors. Also after the handshake, for
    /// [`verify_client_post_handshake`](Engine::verify_client_post_handshake) or
    /// a renegotiation. Where a certificate is
    /// [required](ClientAuth::Required), neither a session that began without one nor
    /// a shared key stands in for it.
    ///
    /// A client always verifies its server, unless its context was made
    /// [`dangerous`](crate::ContextBuilder::dangerous).
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] on a client.
    #[doc(alias = "SSL_set_verify")]
    #[doc(alias = "set_verify")]
    pub fn set_client_auth(&mut self, mode: ClientAuth) -> Result<(), Error> {
        self.require_server("a client always verifies its server")?;
        let mode = mode.verify_mode();
        set_verify_mode(self.connection.get_mut(), mode);
        Ok(())
    }

    /// The number of intermediate certificates to allow in the peer's chain.
    ///
    /// # Errors
    ///
    /// [`Error::Local`] once the handshake has begun.
    #[doc(alias = "SSL_set_verify_depth")]
    pub fn set_verify_depth(&mut self, depth: u32) -> Result<(), Error> {
        self.ensure_unstarted()?;
        self.connection
            .set_verify_depth(i32::try_from(depth).unwrap_or(i32::MAX));
        Ok(())
    }

    /// Presents `identity` to the peer, in place of the context's of the same type
    /// of key. A client takes no part in the context's
    /// [`session_cache`](crate::ContextBuilder::session_cache) then: who resumes a
    /// session is whoever the session began with.
    ///
    /// A server whose client's choice of name matters should have one context for
    /// each name instead: sessions are bound to contexts.
    ///
    /// # Errors
    ///
    /// [`Error::Local`] once the handshake has begun, and [`Error::Ssl`] when the
    /// key is too weak for the security level.
    #[doc(alias = "SSL_use_certificate")]
    #[doc(alias = "SSL_use_PrivateKey")]
    #[doc(alias = "SSL_use_cert_and_key")]
    #[doc(alias = "use_certificate")]
    #[doc(alias = "use_privatekey")]
    pub fn set_identity(&mut self, identity: &Identity) -> Result<(), Error> {
        self.ensure_unstarted()?;
        self.connection.use_certificate(
            identity.leaf(),
            identity.intermediates(),
            identity.key(),
        )?;
        self.state.has_own_identity = true;
        self.offer_kept_session()
    }

    /// Clients: the server to reach, in place of the one that was named before.
    /// It is what is sent as SNI, what the certificate must be for, and what
    /// sessions are bound to, as far as the context does these.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a name that is none; [`Error::Local`] on a server,
    /// once the handshake has begun, or if the `SSL` was made by hand.
    #[doc(alias = "SSL_set_tlsext_host_name")]
    #[doc(alias = "set_tlsext_host_name")]
    #[doc(alias = "server_hostname")]
    pub fn set_hostname(&mut self, name: &str) -> Result<(), Error> {
        self.ensure_unstarted()?;
        if self.role != Role::Client {
            return Err(Error::local("a server's connection takes no server name"));
        }
        let Some(context) = &self.context else {
            return Err(Error::local("the connection was made without a context"));
        };
        Context::check_server_name(name)?;
        self.connection.forget_name()?;
        context.set_server_name(self.connection.get_mut(), name)?;
        self.name = Some(name.to_owned());
        self.offer_kept_session()
    }

    /// Clients: the application protocols to offer, in place of the context's.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a name of no or more than 255 bytes; [`Error::Local`]
    /// on a server, where the context decides, and once the handshake has begun.
    #[doc(alias = "SSL_set_alpn_protos")]
    #[doc(alias = "set_alpn_protos")]
    pub fn set_alpn<P: AsRef<[u8]>>(
        &mut self,
        protocols: impl IntoIterator<Item = P>,
    ) -> Result<(), Error> {
        self.ensure_unstarted()?;
        if self.role != Role::Client {
            return Err(Error::local("a server chooses by its context"));
        }
        let protocols: Vec<Vec<u8>> = protocols.into_iter().map(|p| p.as_ref().to_vec()).collect();
        let wire = alpn_wire_format(&protocols)?;
        self.connection.tell(|ssl| ssl.set_alpn_protos(&wire))
    }

    /// OpenSSL's options for this connection, as `SSL_OP_*` bits.
    #[doc(alias = "SSL_get_options")]
    pub fn options(&self) -> u64 {
        self.connection.options()
    }

    /// Sets `SSL_OP_*` bits on this connection. It can switch protections off.
    ///
    /// Those that concern what is negotiated, such as the versions, must be set
    /// before the handshake begins.
    #[doc(alias = "SSL_set_options")]
    pub fn set_options(&mut self, bits: u64) {
        self.connection.set_options(bits);
    }

    /// Clears `SSL_OP_*` bits on this connection.
    #[doc(alias = "SSL_clear_options")]
    pub fn clear_options(&mut self, bits: u64) {
        self.connection.clear_options(bits);
    }

    /// Exchanges the context under a connection. For programs that did so from a
    /// server name callback; **not fit to tell hosts with different terms apart**.
    ///
    /// OpenSSL takes over the certificates and little else: the client
    /// authentication, the versions and the options stay those of the first
    /// context. A client without certificate gets to a host that demands one that
    /// way. Contexts chosen by name, which the listener and the resolver offer, do
    /// not have that fault: there the ClientHello begins anew in the context that
    /// was chosen.
    ///
    /// # Errors
    ///
    /// [`Error::Local`] after the handshake, or for a context of the other role.
    #[doc(alias = "SSL_set_SSL_CTX")]
    pub fn set_context(&mut self, context: &Context) -> Result<(), Error> {
        if self.state.established {
            return Err(Error::local("the handshake is done"));
        }
        if context.role() != self.role {
            return Err(Error::local("the context is for the other side"));
        }
        self.connection
            .tell(|ssl| ssl.set_ssl_context(context.ssl_ctx()))?;
        self.context = Some(context.clone());
        Ok(())
    }
}
