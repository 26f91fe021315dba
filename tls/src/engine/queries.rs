//! What a connection can tell about itself.

use std::fmt;

use openssl::nid::Nid;
use openssl::ssl::NameType;

use super::Engine;
use super::cipher::Cipher;
use crate::context::{Context, Version};
use crate::crypto::Cert;
#[cfg(feature = "aws-lc")]
use crate::ssl::missing::SslRefExt;

/// Which sides have said that they send no more (`close_notify`).
#[doc(alias = "SSL_SENT_SHUTDOWN")]
#[doc(alias = "SSL_RECEIVED_SHUTDOWN")]
#[doc(alias = "SENT_SHUTDOWN")]
#[doc(alias = "RECEIVED_SHUTDOWN")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ShutdownState {
    /// We have.
    pub sent: bool,
    /// The peer has, and it was read.
    pub received: bool,
}

/// How one side signed the handshake to prove that it has its key.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "SSL_get0_peer_signature_name")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignatureAlgorithm {
    kind: &'static str,
    digest: Option<&'static str>,
}

impl SignatureAlgorithm {
    fn of((kind, digest): (Nid, Option<Nid>)) -> Option<SignatureAlgorithm> {
        Some(SignatureAlgorithm {
            kind: kind.short_name().ok()?,
            digest: match digest {
                Some(digest) => Some(digest.short_name().ok()?),
                None => None,
            },
        })
    }

    /// The scheme, in OpenSSL's short names: `id-ecPublicKey` for ECDSA,
    /// `RSA-PSS`, `rsaEncryption` for PKCS #1, `ED25519`.
    #[doc(alias = "SSL_get_peer_signature_type_nid")]
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The digest, such as `SHA256`; `None` where the scheme has one built in.
    #[doc(alias = "SSL_get_peer_signature_nid")]
    pub fn digest(&self) -> Option<&'static str> {
        self.digest
    }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.digest {
            Some(digest) => write!(f, "{}+{digest}", self.kind),
            None => f.write_str(self.kind),
        }
    }
}

impl Engine {
    /// The context of the connection; `None` if its `SSL` was made by hand.
    #[doc(alias = "SSL_get_SSL_CTX")]
    #[doc(alias = "get_context")]
    pub fn context(&self) -> Option<&Context> {
        self.context.as_ref()
    }

    /// The protocol version in use.
    #[doc(alias = "SSL_get_version")]
    #[doc(alias = "SSL_version")]
    #[doc(alias = "get_protocol_version")]
    #[doc(alias = "get_protocol_version_name")]
    pub fn version(&self) -> Option<Version> {
        Version::from_openssl(self.ssl().version2()?)
    }

    /// The cipher suite in use.
    #[doc(alias = "SSL_get_current_cipher")]
    #[doc(alias = "get_cipher_name")]
    #[doc(alias = "get_cipher_bits")]
    #[doc(alias = "get_cipher_version")]
    pub fn cipher(&self) -> Option<Cipher> {
        self.ssl().current_cipher().map(Cipher::of)
    }

    /// The cipher suites that this connection may use, in order of preference;
    /// also those for versions that it does not allow.
    #[doc(alias = "SSL_get_ciphers")]
    #[doc(alias = "SSL_get_cipher_list")]
    #[doc(alias = "get_cipher_list")]
    pub fn ciphers(&self) -> Vec<Cipher> {
        self.connection
            .ciphers()
            .map_or_else(Vec::new, |list| list.iter().map(Cipher::of).collect())
    }

    /// Those of [`Engine::ciphers`] that the versions and the security level
    /// leave: what a client puts into its ClientHello.
    #[doc(alias = "SSL_get1_supported_ciphers")]
    pub fn supported_ciphers(&self) -> Vec<Cipher> {
        self.connection
            .supported_ciphers()
            .map_or_else(Vec::new, |list| list.iter().map(Cipher::of).collect())
    }

    /// Servers: the cipher suites that the client offered, in its order, as far as
    /// OpenSSL knows them. Empty on a client, and before the ClientHello.
    #[doc(alias = "SSL_get_client_ciphers")]
    pub fn client_ciphers(&self) -> Vec<Cipher> {
        self.connection
            .client_ciphers()
            .map_or_else(Vec::new, |list| list.iter().map(Cipher::of).collect())
    }

    /// Servers: those of [`Engine::client_ciphers`] that this connection may use,
    /// in the client's order. Empty on a client, and before the ClientHello.
    #[doc(alias = "SSL_get_shared_ciphers")]
    pub fn shared_ciphers(&self) -> Vec<Cipher> {
        let ours = self.ciphers();
        let mut shared = self.client_ciphers();
        shared.retain(|cipher| ours.contains(cipher));
        shared
    }

    /// The group of the key exchange, such as `x25519` or `secp256r1`.
    #[doc(alias = "SSL_get0_group_name")]
    #[doc(alias = "SSL_get_negotiated_group")]
    #[doc(alias = "SSL_group_to_name")]
    #[doc(alias = "get_group_name")]
    pub fn group(&self) -> Option<String> {
        if !self.state.established {
            return None;
        }
        self.connection.group()
    }

    /// How the peer signed the handshake. `None` if it did not: a client without
    /// certificate, or a session that was resumed.
    #[doc(alias = "SSL_get_peer_signature_type_nid")]
    #[doc(alias = "SSL_get_peer_signature_nid")]
    pub fn peer_signature(&self) -> Option<SignatureAlgorithm> {
        SignatureAlgorithm::of(self.connection.peer_signature()?)
    }

    /// How this side signed the handshake, if it did.
    #[doc(alias = "SSL_get_signature_type_nid")]
    #[doc(alias = "SSL_get_signature_nid")]
    pub fn own_signature(&self) -> Option<SignatureAlgorithm> {
        SignatureAlgorithm::of(self.connection.own_signature()?)
    }

    /// The certificate that this side presents. A server with several chooses
    /// during the handshake.
    #[doc(alias = "SSL_get_certificate")]
    #[doc(alias = "get_certificate")]
    pub fn own_certificate(&self) -> Option<Cert> {
        self.ssl().certificate().map(Cert::from)
    }

    /// The protocol chosen by ALPN (RFC 7301).
    #[doc(alias = "SSL_get0_alpn_selected")]
    #[doc(alias = "get_alpn_proto_negotiated")]
    #[doc(alias = "selected_alpn_protocol")]
    pub fn alpn_protocol(&self) -> Option<&[u8]> {
        self.ssl().selected_alpn_protocol()
    }

    /// The name that the client asked for (RFC 6066, section 3).
    #[doc(alias = "SSL_get_servername")]
    #[doc(alias = "get_servername")]
    #[doc(alias = "server_hostname")]
    pub fn server_name(&self) -> Option<&str> {
        self.ssl().servername(NameType::HOST_NAME)
    }

    /// The compression in use, which is none: OpenSSL may still have it, contexts
    /// here switch it off (the CRIME attack), and TLS 1.3 has none.
    #[doc(alias = "SSL_get_current_compression")]
    #[doc(alias = "SSL_get_current_expansion")]
    pub fn compression(&self) -> Option<&'static str> {
        None
    }

    /// Whether both sides bind the keys of TLS 1.2 to the whole handshake (RFC
    /// 7627). TLS 1.3 always does.
    #[doc(alias = "SSL_get_extms_support")]
    pub fn has_extended_master_secret(&self) -> bool {
        self.state.established
            && (self.version() == Some(Version::Tls13) || self.ssl().extms_support() == Some(true))
    }

    /// Whether the peer knows secure renegotiation (RFC 5746). TLS 1.3 has no
    /// renegotiation, and the answer there is no.
    #[doc(alias = "SSL_get_secure_renegotiation_support")]
    pub fn secure_renegotiation_support(&self) -> bool {
        self.state.established
            && self.version() != Some(Version::Tls13)
            && self.connection.peer_renegotiates_securely()
    }

    /// Whether [`Engine::renegotiate`] was called and the new handshake is not done.
    #[doc(alias = "SSL_renegotiate_pending")]
    #[doc(alias = "renegotiate_pending")]
    pub fn is_renegotiating(&self) -> bool {
        self.connection.is_renegotiating()
    }

    /// How many renegotiations have begun on this connection.
    #[doc(alias = "SSL_total_renegotiations")]
    #[doc(alias = "SSL_num_renegotiations")]
    pub fn total_renegotiations(&self) -> u64 {
        self.connection.total_renegotiations()
    }

    /// What OpenSSL is doing, in its words.
    #[doc(alias = "SSL_state_string_long")]
    #[doc(alias = "get_state_string")]
    pub fn state_string(&self) -> &'static str {
        self.ssl().state_string_long()
    }

    /// The same as a code of up to six characters.
    #[doc(alias = "SSL_state_string")]
    pub fn state_code(&self) -> &'static str {
        self.ssl().state_string()
    }

    /// Which sides have ended their direction.
    #[doc(alias = "SSL_get_shutdown")]
    #[doc(alias = "get_shutdown")]
    pub fn shutdown_state(&self) -> ShutdownState {
        let ends = self.connection.ends();
        ShutdownState {
            sent: ends.sent,
            received: ends.received,
        }
    }

    /// Makes OpenSSL believe that `close_notify` went one way or the other. With
    /// `sent`, nothing more can be written and [`Engine::shutdown`] sends no alert;
    /// with `received`, reads answer that the peer has closed. What was said before
    /// is not taken back.
    ///
    /// For protocols that end in a way of their own. A session whose connection
    /// ended without either may be dropped from a cache.
    #[doc(alias = "SSL_set_shutdown")]
    #[doc(alias = "set_shutdown")]
    pub fn set_shutdown_state(&mut self, state: ShutdownState) {
        self.state.closed |= state.sent;
        self.state.peer_closed |= state.received;
        self.connection.set_ends(state.sent, state.received);
    }

    /// Whether nothing can go on without more ciphertext from the peer.
    #[doc(alias = "SSL_want")]
    #[doc(alias = "SSL_want_read")]
    pub fn want_read(&self) -> bool {
        if self.state.failed.is_some() || self.state.peer_closed || self.state.in_closed {
            return false;
        }
        if self.state.established && self.connection.is_init_finished() {
            !self.may_hold_plaintext()
        } else {
            self.connection.wants_input() && self.in_pending() == 0
        }
    }

    /// Whether there is ciphertext to send. A call never waits for that, but the
    /// peer does.
    #[doc(alias = "SSL_want_write")]
    pub fn want_write(&self) -> bool {
        self.out_pending() > 0
    }
}
