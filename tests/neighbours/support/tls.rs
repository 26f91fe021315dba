//! Certificates for one test.

use greenling_tls::crypto::TestCa;
use greenling_tls::{Context, ContextBuilder, Identity};

/// A server's identity for `localhost`, and what its clients trust.
#[derive(Clone)]
pub struct Certified {
    identity: Identity,
    root: Vec<u8>,
}

impl std::fmt::Debug for Certified {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certified").finish_non_exhaustive()
    }
}

impl Certified {
    /// Issues one.
    ///
    /// # Panics
    ///
    /// When OpenSSL fails.
    pub fn new() -> Certified {
        let authority = TestCa::new("neighbours").expect("an authority");
        Certified {
            identity: authority.issue(&["localhost"]).expect("a certificate"),
            root: authority.root_pem().expect("PEM"),
        }
    }

    /// For servers.
    ///
    /// # Panics
    ///
    /// When OpenSSL fails.
    pub fn server(&self) -> Context {
        let builder = ContextBuilder::server().identity(self.identity.clone());
        builder.build().expect("a context")
    }

    /// For clients.
    ///
    /// # Panics
    ///
    /// When OpenSSL fails.
    pub fn client(&self) -> Context {
        let builder = ContextBuilder::client().trust_pem(self.root.clone());
        builder.build().expect("a context")
    }

    /// The server's chain, its key, and the root that clients trust, as PEM.
    ///
    /// # Panics
    ///
    /// When OpenSSL fails.
    pub fn pem(&self) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
        let chain = self.identity.chain_pem().expect("PEM");
        let key = self.identity.export_private_key_pem().expect("PEM");
        (chain, key.to_vec(), self.root.clone())
    }
}

impl Default for Certified {
    fn default() -> Certified {
        Certified::new()
    }
}
