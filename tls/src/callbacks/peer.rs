//! What the deferred callbacks about certificates are given.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use openssl::ssl::{NameType, SslRef};
use openssl::x509::X509;

use super::AppData;
use super::attached::attached;
use crate::crypto::Cert;
use crate::engine::Role;
#[cfg(feature = "aws-lc")]
use crate::ssl::missing::SslRefExt;
use crate::ssl::peer_authorities;

/// What a certificate is needed for: what the peer said of the one that it wants.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "SSL_CTX_set_cert_cb")]
pub struct IdentityRequest {
    role: Role,
    server_name: Option<String>,
    authorities: Vec<Vec<u8>>,
    app_data: Option<AppData>,
}

impl IdentityRequest {
    pub(crate) fn of(ssl: &SslRef) -> IdentityRequest {
        let role = if ssl.is_server() {
            Role::Server
        } else {
            Role::Client
        };
        IdentityRequest {
            role,
            server_name: ssl.servername(NameType::HOST_NAME).map(str::to_owned),
            authorities: peer_authorities(ssl)
                .into_iter()
                .flatten()
                .filter_map(|name| name.to_der().ok())
                .collect(),
            app_data: attached(ssl).and_then(|attached| attached.app_data.clone()),
        }
    }

    /// Which side needs it: a client was asked for one by its server.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The server name that the client asks for.
    #[doc(alias = "SSL_get_servername")]
    pub fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// The names of the authorities that the peer accepts, in DER form. Often empty,
    /// which means nothing.
    #[doc(alias = "SSL_get0_peer_CA_list")]
    #[doc(alias = "get_client_ca_list")]
    pub fn authorities(&self) -> &[Vec<u8>] {
        &self.authorities
    }

    /// The data of the connection, if it has the type `T`; see
    /// [`Engine::set_app_data`](crate::Engine::set_app_data).
    pub fn app_data<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.app_data.clone()?.downcast().ok()
    }
}

impl fmt::Debug for IdentityRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityRequest")
            .field("role", &self.role)
            .field("server_name", &self.server_name)
            .finish_non_exhaustive()
    }
}

/// The peer's certificate, which OpenSSL has found good, for the application to
/// judge.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
pub struct PeerChain {
    chain: Vec<Cert>,
    server_name: Option<String>,
    ocsp_response: Option<Vec<u8>>,
    app_data: Option<AppData>,
}

impl PeerChain {
    pub(crate) fn new(ssl: &SslRef, chain: Vec<X509>) -> PeerChain {
        PeerChain {
            chain: chain.into_iter().map(Cert::from).collect(),
            server_name: ssl.servername(NameType::HOST_NAME).map(str::to_owned),
            ocsp_response: ssl.ocsp_status().map(<[u8]>::to_vec),
            app_data: attached(ssl).and_then(|attached| attached.app_data.clone()),
        }
    }

    /// The peer's own certificate.
    #[doc(alias = "SSL_get1_peer_certificate")]
    pub fn certificate(&self) -> Option<&Cert> {
        self.chain.first()
    }

    /// The chain from the peer's certificate to the trust anchor. A server sees only
    /// the first of it when the connection resumed a session.
    #[doc(alias = "SSL_get0_verified_chain")]
    pub fn chain(&self) -> &[Cert] {
        &self.chain
    }

    /// The server name that the client asks for.
    #[doc(alias = "SSL_get_servername")]
    pub fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// The OCSP response that a server sent along, in DER form; see RFC 6066,
    /// section 8. Nobody has checked it.
    #[doc(alias = "SSL_get_tlsext_status_ocsp_resp")]
    pub fn ocsp_response(&self) -> Option<&[u8]> {
        self.ocsp_response.as_deref()
    }

    /// The data of the connection, if it has the type `T`; see
    /// [`Engine::set_app_data`](crate::Engine::set_app_data).
    pub fn app_data<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.app_data.clone()?.downcast().ok()
    }
}

impl fmt::Debug for PeerChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerChain")
            .field("length", &self.chain.len())
            .field("server_name", &self.server_name)
            .finish_non_exhaustive()
    }
}
