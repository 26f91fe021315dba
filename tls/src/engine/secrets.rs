//! What both sides know and nobody else: values derived from the handshake.

use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::x509::X509Ref;

use super::{Engine, Role};
use crate::context::Version;
use crate::error::Error;
use crate::secret::Secret;
#[cfg(feature = "aws-lc")]
use crate::ssl::missing::SslRefExt;
use crate::ssl::signature_digest;

/// The longest Finished message: a digest of TLS 1.3.
const FINISHED_MAX: usize = 64;

/// What ties an authentication at a higher level to the TLS connection below it,
/// so that nobody can pass it on to another.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "CHANNEL_BINDING_TYPES")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChannelBinding {
    /// `tls-unique` (RFC 5929, section 3): the first Finished message of the last
    /// handshake. TLS 1.2 only.
    TlsUnique,
    /// `tls-exporter` (RFC 9266): 32 bytes from the exporter.
    TlsExporter,
    /// `tls-server-end-point` (RFC 5929, section 4): a digest of the server's
    /// certificate.
    TlsServerEndPoint,
}

impl ChannelBinding {
    /// The name in the IANA registry, as protocols such as SCRAM use it.
    pub fn name(self) -> &'static str {
        match self {
            ChannelBinding::TlsUnique => "tls-unique",
            ChannelBinding::TlsExporter => "tls-exporter",
            ChannelBinding::TlsServerEndPoint => "tls-server-end-point",
        }
    }
}

impl Engine {
    /// The Finished message that this side sent last: what protocols without
    /// exporters used to bind themselves to a connection. `None` before it was sent.
    #[doc(alias = "SSL_get_finished")]
    #[doc(alias = "get_finished")]
    pub fn finished(&self) -> Option<Vec<u8>> {
        let mut message = vec![0; FINISHED_MAX];
        let len = self.ssl().finished(&mut message);
        message.truncate(len);
        (len > 0).then_some(message)
    }

    /// The Finished message that the peer sent last.
    #[doc(alias = "SSL_get_peer_finished")]
    #[doc(alias = "get_peer_finished")]
    pub fn peer_finished(&self) -> Option<Vec<u8>> {
        let mut message = vec![0; FINISHED_MAX];
        let len = self.ssl().peer_finished(&mut message);
        message.truncate(len);
        (len > 0).then_some(message)
    }

    /// The random number in the ClientHello. `None` before there is one.
    #[doc(alias = "SSL_get_client_random")]
    pub fn client_random(&self) -> Option<[u8; 32]> {
        let mut random = [0; 32];
        let len = self.ssl().client_random(&mut random);
        // Before the handshake OpenSSL answers with zeros.
        (len == random.len() && random != [0; 32]).then_some(random)
    }

    /// The random number in the ServerHello. `None` before there is one.
    #[doc(alias = "SSL_get_server_random")]
    pub fn server_random(&self) -> Option<[u8; 32]> {
        let mut random = [0; 32];
        let len = self.ssl().server_random(&mut random);
        (len == random.len() && random != [0; 32]).then_some(random)
    }

    /// The master secret. Whoever knows it and has recorded a connection of TLS
    /// 1.2 can read all of it. With TLS 1.3 it is the session's resumption secret,
    /// on a client only after a ticket came.
    #[doc(alias = "SSL_SESSION_get_master_key")]
    #[doc(alias = "master_key")]
    pub fn export_master_key(&self) -> Option<Secret> {
        let session = self.ssl().session()?;
        let mut key = vec![0; session.master_key_len()];
        let len = session.master_key(&mut key);
        key.truncate(len);
        (len > 0).then(|| Secret::new(key))
    }

    /// `len` bytes that both sides can derive and nobody else (RFC 5705; RFC 8446,
    /// section 7.5). `label` names the use; IANA keeps a list of them.
    ///
    /// With TLS 1.2, no context and an empty one are different; with TLS 1.3 they
    /// are the same. There, values of connections without
    /// [extended master secret](Engine::has_extended_master_secret) are not unique
    /// to the connection.
    ///
    /// # Errors
    ///
    /// [`Error::Local`] before the handshake is done, for no byte or more than
    /// 65535, and for a context of more than 65535; OpenSSL's error for a label
    /// that TLS itself uses.
    #[doc(alias = "SSL_export_keying_material")]
    pub fn export_keying_material(
        &self,
        label: &str,
        context: Option<&[u8]>,
        len: usize,
    ) -> Result<Secret, Error> {
        self.ensure_keys()?;
        let fits = |len: usize| u16::try_from(len).is_ok();
        if len == 0 || !fits(len) || !fits(label.len()) || !context.is_none_or(|c| fits(c.len())) {
            return Err(Error::local("exporters give 1 to 65535 bytes"));
        }
        self.connection.inquire(|ssl| {
            let mut material = vec![0; len];
            ssl.export_keying_material(&mut material, label, context)?;
            Ok(Secret::new(material))
        })
    }

    /// A value that names this connection, for authentication at a higher level.
    /// The peer finds the same one.
    ///
    /// # Errors
    ///
    /// [`Error::Local`] before the handshake is done, and [`Error::Unsupported`]
    /// where the binding is not defined or would not bind:
    ///
    /// * `tls-unique` with TLS 1.3 (RFC 9266, section 3), or without extended
    ///   master secret (RFC 7627, section 1);
    /// * `tls-exporter` with TLS 1.2 without extended master secret (RFC 9266,
    ///   section 4.2);
    /// * `tls-server-end-point` when the certificate's signature has no digest of
    ///   its own, or on a server with several identities whose client resumed a
    ///   session: OpenSSL does not know then which of them the client has seen.
    #[doc(alias = "get_channel_binding")]
    pub fn channel_binding(&mut self, kind: ChannelBinding) -> Result<Vec<u8>, Error> {
        self.ensure_keys()?;
        match kind {
            ChannelBinding::TlsUnique => self.tls_unique(),
            ChannelBinding::TlsExporter => {
                self.ensure_extended_master_secret()?;
                let label = "EXPORTER-Channel-Binding";
                let material = self.export_keying_material(label, Some(b""), 32)?;
                Ok(material.to_vec())
            }
            ChannelBinding::TlsServerEndPoint => self.tls_server_end_point(),
        }
    }

    /// The first Finished is the client's, or the server's in a resumption.
    fn tls_unique(&self) -> Result<Vec<u8>, Error> {
        if self.version() == Some(Version::Tls13) {
            return Err(Error::unsupported("tls-unique is not defined for TLS 1.3"));
        }
        self.ensure_extended_master_secret()?;
        let first = if self.is_session_reused() {
            Role::Server
        } else {
            Role::Client
        };
        let message = if first == self.role {
            self.finished()
        } else {
            self.peer_finished()
        };
        message.ok_or_else(|| Error::local("no Finished message was exchanged"))
    }

    fn tls_server_end_point(&mut self) -> Result<Vec<u8>, Error> {
        let certificate = match self.role {
            Role::Client => self.peer_certificate(),
            Role::Server => {
                if self.is_session_reused() && self.connection.has_several_identities() {
                    return Err(Error::unsupported(
                        "tls-server-end-point of a resumed session with several identities",
                    ));
                }
                self.own_certificate()
            }
        };
        let certificate =
            certificate.ok_or_else(|| Error::unsupported("the server has no certificate"))?;
        self.connection
            .inquire(|_| end_point_digest(certificate.as_x509()))
    }

    fn ensure_keys(&self) -> Result<(), Error> {
        if self.state.established {
            Ok(())
        } else {
            Err(Error::local("the handshake is not done"))
        }
    }

    fn ensure_extended_master_secret(&self) -> Result<(), Error> {
        if self.has_extended_master_secret() {
            Ok(())
        } else {
            Err(Error::unsupported(
                "channel binding without extended master secret",
            ))
        }
    }
}

/// The digest is that of the certificate's signature, but SHA-256 in place of
/// weaker ones (RFC 5929, section 4.1).
fn end_point_digest(certificate: &X509Ref) -> Result<Vec<u8>, Error> {
    let digest = match signature_digest(certificate) {
        Some(Nid::MD5 | Nid::SHA1) => Some(MessageDigest::sha256()),
        Some(nid) => MessageDigest::from_nid(nid),
        None => None,
    };
    let digest = digest.ok_or_else(|| {
        Error::unsupported("tls-server-end-point of a certificate whose signature has no digest")
    })?;
    Ok(certificate.digest(digest)?.to_vec())
}
