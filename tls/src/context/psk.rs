//! Keys that both sides have shared beforehand, in place of certificates.

use std::ffi::CString;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::ContextBuilder;
use crate::callbacks::{ConnectionView, Psk, PskTable, Rejection};

impl ContextBuilder {
    /// Clients: shows a key that was shared beforehand. `choose` gets the server's
    /// hint, which only TLS 1.2 has.
    ///
    /// With TLS 1.3 a server that does not know the key may answer with a
    /// certificate instead, which is verified as always, name and all; so can it when
    /// `choose` finds none. With TLS 1.2 the suites decide; one with a shared key and
    /// forward secrecy is added to the default. A server that proves to have the key
    /// shows no certificate: the key must be known to nobody else.
    ///
    /// `choose` must not wait; see [`on_event`](ContextBuilder::on_event). A rejection
    /// or a panic ends the connection with `handshake_failure`. TLS 1.3 needs a suite
    /// with SHA-256 for it, such as the default's first.
    #[doc(alias = "set_psk_client_callback")]
    #[doc(alias = "SSL_CTX_set_psk_client_callback")]
    pub fn psk_client(
        mut self,
        choose: impl Fn(&ConnectionView<'_>, Option<&[u8]>) -> Result<Option<Psk>, Rejection>
        + Send
        + Sync
        + 'static,
    ) -> ContextBuilder {
        self.hooks.psk.client = Some(Arc::new(choose));
        self
    }

    /// Servers: finds the key that was shared with a client beforehand, by the
    /// client's identity. With `None` the table of
    /// [`psk_table`](ContextBuilder::psk_table) is asked, if there is one.
    ///
    /// A server with keys may have no [`identity`](ContextBuilder::identity). With
    /// TLS 1.3 a client whose key is unknown goes on to certificates, if it and the
    /// server have any; and `find` is asked about session tickets too, which it will
    /// not know. With TLS 1.2 the client gets the alert `unknown_psk_identity`.
    ///
    /// `find` must not wait; see [`on_event`](ContextBuilder::on_event). A rejection
    /// or a panic ends the connection with `internal_error`.
    #[doc(alias = "set_psk_server_callback")]
    #[doc(alias = "SSL_CTX_set_psk_server_callback")]
    pub fn psk_server(
        mut self,
        find: impl Fn(&ConnectionView<'_>, &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, Rejection>
        + Send
        + Sync
        + 'static,
    ) -> ContextBuilder {
        self.hooks.psk.server = Some(Arc::new(find));
        self
    }

    /// Servers: the keys of clients by their identities; see
    /// [`psk_server`](ContextBuilder::psk_server).
    pub fn psk_table(mut self, table: &PskTable) -> ContextBuilder {
        self.hooks.psk.table = Some(table.clone());
        self
    }

    /// Servers with TLS 1.2: what helps clients to choose an identity. At most 256
    /// bytes without a NUL; building fails otherwise.
    #[doc(alias = "SSL_CTX_use_psk_identity_hint")]
    pub fn psk_identity_hint(mut self, hint: &str) -> ContextBuilder {
        match CString::new(hint) {
            Ok(hint) => self.hooks.psk.hint = Some(hint),
            // Longer than any: refused when the context is built.
            Err(_) => self.hooks.psk.hint = CString::new(vec![b' '; 1024]).ok(),
        }
        self
    }
}
