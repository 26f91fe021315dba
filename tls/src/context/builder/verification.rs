//! Whether and how the peer's certificate is judged.

use std::path::{Path, PathBuf};

use openssl::ssl::{SslContextBuilder, SslVerifyMode};
use openssl::stack::Stack;
use openssl::x509::{X509, X509Name, X509NameRef};

use super::ContextBuilder;
use crate::crypto::{self, Cert, TrustSource, TrustStore};
use crate::engine::Role;
use crate::error::Error;

/// Whether a server asks its clients for certificates.
#[doc(alias = "set_verify")]
#[doc(alias = "VERIFY_NONE")]
#[doc(alias = "VERIFY_PEER")]
#[doc(alias = "VERIFY_FAIL_IF_NO_PEER_CERT")]
#[doc(alias = "SSL_CTX_set_verify")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ClientAuth {
    /// Not asked for.
    #[default]
    None,
    /// Asked for. A client without one is served; one with a certificate that
    /// does not lead to the trust anchors is refused.
    Optional,
    /// A client without a valid certificate is refused.
    Required,
}

impl ClientAuth {
    /// The same in OpenSSL's flags.
    pub(crate) fn verify_mode(self) -> SslVerifyMode {
        match self {
            ClientAuth::None => SslVerifyMode::NONE,
            ClientAuth::Optional => SslVerifyMode::PEER,
            ClientAuth::Required => SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT,
        }
    }
}

pub(super) struct Verification {
    pub(super) trust: Vec<TrustSource>,
    pub(super) client_auth: ClientAuth,
    ask_once: bool,
    /// Instead of the names of the anchors.
    authorities: Option<Vec<Authorities>>,
    depth: u32,
    pub(super) verify: bool,
    pub(super) check_name: bool,
}

/// Authorities to name to clients.
enum Authorities {
    Names(Vec<X509Name>),
    File(PathBuf),
}

impl Default for Verification {
    fn default() -> Verification {
        Verification {
            trust: Vec::new(),
            client_auth: ClientAuth::None,
            ask_once: false,
            authorities: None,
            depth: 10,
            verify: true,
            check_name: true,
        }
    }
}

impl ContextBuilder {
    /// Trusts the certificates of a PEM file.
    ///
    /// The first `trust_` option replaces the system's roots, which are a
    /// client's default; [`trust_system`](ContextBuilder::trust_system) keeps
    /// them. Any certificate may be an anchor, not only a self-signed one.
    #[doc(alias = "load_verify_locations")]
    #[doc(alias = "SSL_CTX_load_verify_file")]
    pub fn trust_file(mut self, path: impl AsRef<Path>) -> ContextBuilder {
        let path = path.as_ref().to_owned();
        self.verification.trust.push(TrustSource::File(path));
        self
    }

    /// Trusts the certificates of a directory that `openssl rehash` has prepared.
    #[doc(alias = "load_verify_locations")]
    #[doc(alias = "SSL_CTX_load_verify_dir")]
    pub fn trust_dir(mut self, path: impl AsRef<Path>) -> ContextBuilder {
        let path = path.as_ref().to_owned();
        self.verification.trust.push(TrustSource::Dir(path));
        self
    }

    /// Trusts certificates in PEM form.
    #[doc(alias = "get_cert_store")]
    #[doc(alias = "X509_STORE_add_cert")]
    pub fn trust_pem(mut self, pem: impl Into<Vec<u8>>) -> ContextBuilder {
        self.verification.trust.push(TrustSource::Pem(pem.into()));
        self
    }

    /// Trusts a certificate.
    #[doc(alias = "X509Store.add_cert")]
    #[doc(alias = "X509_STORE_add_cert")]
    pub fn trust_cert(mut self, certificate: Cert) -> ContextBuilder {
        let certificate = TrustSource::Certificate(certificate.into());
        self.verification.trust.push(certificate);
        self
    }

    /// Trusts what a store trusts, with its directories, its revocation lists and its
    /// flags. The depth and the purpose are the context's own, and so is what
    /// [`partial_chain`](ContextBuilder::partial_chain) says.
    #[doc(alias = "get_cert_store")]
    #[doc(alias = "set_cert_store")]
    #[doc(alias = "SSL_CTX_set1_cert_store")]
    pub fn trust_store(mut self, store: &TrustStore) -> ContextBuilder {
        self.revocation.add_store(store.crls());
        self.chain.add_flags(store.flags().bits());
        let store = TrustSource::Store(store.clone());
        self.verification.trust.push(store);
        self
    }

    /// Trusts the system's roots, for a client that also names others.
    ///
    /// `SSL_CERT_FILE` and `SSL_CERT_DIR` in the environment name other places
    /// for them. A server must not use it: any public CA could then admit clients.
    #[doc(alias = "set_default_verify_paths")]
    #[doc(alias = "SSL_CTX_set_default_verify_paths")]
    pub fn trust_system(mut self) -> ContextBuilder {
        self.verification.trust.push(TrustSource::System);
        self
    }

    /// Servers: whether to ask clients for certificates. Default: no.
    ///
    /// Asking needs a `trust_` option. The names of the anchors that are known
    /// when the context is built are sent to clients as a hint.
    #[doc(alias = "set_verify")]
    #[doc(alias = "set_client_CA_list")]
    #[doc(alias = "SSL_CTX_set_verify")]
    pub fn client_auth(mut self, mode: ClientAuth) -> ContextBuilder {
        self.verification.client_auth = mode;
        self
    }

    /// Servers: asks a client for its certificate only in the first handshake of a
    /// connection, and not again when it is renegotiated in TLS 1.2.
    #[doc(alias = "VERIFY_CLIENT_ONCE")]
    #[doc(alias = "SSL_VERIFY_CLIENT_ONCE")]
    pub fn client_auth_once(mut self) -> ContextBuilder {
        self.verification.ask_once = true;
        self
    }

    /// Servers: names these authorities to clients, instead of those of the trust
    /// anchors, so that a client with several certificates can choose. The list
    /// may be empty. It is a hint: whom a server accepts is decided by its anchors.
    ///
    /// Further calls, also of [`client_ca_file`](ContextBuilder::client_ca_file),
    /// add to it.
    #[doc(alias = "set_client_ca_list")]
    #[doc(alias = "add_client_ca")]
    #[doc(alias = "SSL_CTX_set_client_CA_list")]
    #[doc(alias = "SSL_CTX_set0_CA_list")]
    pub fn client_ca_names(mut self, names: impl IntoIterator<Item = X509Name>) -> ContextBuilder {
        let names = Authorities::Names(names.into_iter().collect());
        self.verification
            .authorities
            .get_or_insert_default()
            .push(names);
        self
    }

    /// As [`client_ca_names`](ContextBuilder::client_ca_names), with the subjects of
    /// the certificates in a PEM file.
    #[doc(alias = "load_client_ca")]
    #[doc(alias = "SSL_load_client_CA_file")]
    pub fn client_ca_file(mut self, path: impl AsRef<Path>) -> ContextBuilder {
        let file = Authorities::File(path.as_ref().to_owned());
        self.verification
            .authorities
            .get_or_insert_default()
            .push(file);
        self
    }

    /// The number of intermediate certificates to allow in a chain. Default: 10.
    #[doc(alias = "set_verify_depth")]
    #[doc(alias = "get_verify_depth")]
    #[doc(alias = "SSL_CTX_set_verify_depth")]
    pub fn verify_depth(mut self, depth: u32) -> ContextBuilder {
        self.verification.depth = depth;
        self
    }
}

impl Verification {
    /// Returns the trust anchors that are known by now.
    pub(super) fn apply(
        &self,
        role: Role,
        context: &mut SslContextBuilder,
    ) -> Result<Vec<X509>, Error> {
        let mode = match role {
            Role::Client if self.verify => SslVerifyMode::PEER,
            Role::Client => SslVerifyMode::NONE,
            Role::Server => self.client_auth.verify_mode(),
        };
        let once = match self.ask_once {
            #[cfg(not(feature = "aws-lc"))]
            true => SslVerifyMode::CLIENT_ONCE,
            _ => SslVerifyMode::empty(),
        };
        context.set_verify(mode | once);
        context.set_verify_depth(self.depth);
        let system = role == Role::Client && self.verify && self.trust.is_empty();
        let sources = if system {
            &[TrustSource::System]
        } else {
            self.trust.as_slice()
        };
        let anchors = crypto::load_trusted(sources, context.cert_store_mut())?;
        if self.client_auth != ClientAuth::None {
            context.set_client_ca_list(self.authority_names(&anchors)?);
        }
        Ok(anchors)
    }

    pub(super) fn names_authorities(&self) -> bool {
        self.authorities.is_some()
    }

    fn authority_names(&self, anchors: &[X509]) -> Result<Stack<X509Name>, Error> {
        let mut names = Stack::new()?;
        let subject = |certificate: &X509| certificate.subject_name().to_owned();
        let Some(authorities) = &self.authorities else {
            for anchor in anchors {
                names.push(subject(anchor)?)?;
            }
            return Ok(names);
        };
        for source in authorities {
            match source {
                Authorities::Names(given) => {
                    for name in given {
                        names.push(X509NameRef::to_owned(name)?)?;
                    }
                }
                Authorities::File(path) => {
                    for certificate in crypto::read_certificates(path)? {
                        names.push(subject(&certificate)?)?;
                    }
                }
            }
        }
        Ok(names)
    }
}
