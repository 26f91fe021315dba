//! What a stream can tell about its connection: the engine's answers, as values
//! of their own, for a reference into the engine would keep other tasklets out.
//!
//! From inside one of the stream's own calls, in a callback of OpenSSL, the
//! engine is not to be had. Questions asked there find nothing.

use std::any::Any;
use std::sync::Arc;

use super::TlsStream;
use crate::context::{Context, Version};
use crate::crypto::{Cert, Name};
use crate::engine::{
    ChannelBinding, Cipher, Engine, PeerIdentity, ShutdownState, SignatureAlgorithm,
};
use crate::error::Error;
use crate::secret::Secret;
use crate::session::Session;
use crate::transport::Transport;

impl<T: Transport> TlsStream<T> {
    /// Whether the first handshake is done.
    pub fn is_established(&self) -> bool {
        self.look(Engine::is_established).unwrap_or(false)
    }

    /// Plaintext bytes that can be read at once.
    #[doc(alias = "SSL_pending")]
    pub fn pending(&self) -> usize {
        self.look(Engine::pending).unwrap_or(0)
    }

    /// Plaintext and ciphertext bytes that were received and not yet read.
    #[doc(alias = "SSL_has_pending")]
    pub fn buffered(&self) -> usize {
        self.look(Engine::buffered).unwrap_or(0)
    }

    /// The protocol chosen by ALPN (RFC 7301).
    #[doc(alias = "SSL_get0_alpn_selected")]
    #[doc(alias = "get_alpn_proto_negotiated")]
    pub fn alpn_protocol(&self) -> Option<Vec<u8>> {
        self.look(|engine| engine.alpn_protocol().map(<[u8]>::to_vec))?
    }

    /// The name that the client asked for (RFC 6066, section 3).
    #[doc(alias = "SSL_get_servername")]
    #[doc(alias = "get_servername")]
    pub fn server_name(&self) -> Option<String> {
        self.look(|engine| engine.server_name().map(str::to_owned))?
    }

    /// The protocol version in use.
    #[doc(alias = "SSL_get_version")]
    #[doc(alias = "get_protocol_version")]
    pub fn version(&self) -> Option<Version> {
        self.look(Engine::version)?
    }

    /// The cipher suite in use.
    #[doc(alias = "SSL_get_current_cipher")]
    #[doc(alias = "get_cipher_name")]
    pub fn cipher(&self) -> Option<Cipher> {
        self.look(Engine::cipher)?
    }

    /// The certificate that the peer showed. With a verifying context it has been
    /// checked; with others this may be anything.
    #[doc(alias = "SSL_get1_peer_certificate")]
    #[doc(alias = "get_peer_certificate")]
    pub fn peer_certificate(&self) -> Option<Cert> {
        self.look(Engine::peer_certificate)?
    }

    /// The session, for a later connection to resume; see [`Engine::session`].
    #[doc(alias = "SSL_get1_session")]
    #[doc(alias = "get_session")]
    pub fn session(&self) -> Option<Session> {
        self.look(Engine::session)?
    }

    /// Whether an earlier session was resumed.
    #[doc(alias = "SSL_session_reused")]
    pub fn session_reused(&self) -> bool {
        self.look(Engine::is_session_reused).unwrap_or(false)
    }

    /// What OpenSSL is doing, in its words.
    #[doc(alias = "SSL_state_string_long")]
    pub fn state_string(&self) -> &'static str {
        self.look(Engine::state_string).unwrap_or("in use")
    }

    /// The data attached by [`TlsStream::set_app_data`], if it has the type `D`.
    #[doc(alias = "get_app_data")]
    #[doc(alias = "SSL_get_ex_data")]
    pub fn app_data<D: Any + Send + Sync>(&self) -> Option<Arc<D>> {
        self.look(Engine::app_data)?
    }

    /// The context of the connection; see [`Engine::context`].
    #[doc(alias = "SSL_get_SSL_CTX")]
    #[doc(alias = "get_context")]
    pub fn context(&self) -> Option<Context> {
        self.look(|engine| engine.context().cloned())?
    }

    /// The cipher suites that this connection may use; see [`Engine::ciphers`].
    #[doc(alias = "SSL_get_ciphers")]
    #[doc(alias = "SSL_get_cipher_list")]
    #[doc(alias = "get_cipher_list")]
    pub fn ciphers(&self) -> Vec<Cipher> {
        self.look(Engine::ciphers).unwrap_or_default()
    }

    /// Those that the versions and the security level leave; see
    /// [`Engine::supported_ciphers`].
    #[doc(alias = "SSL_get1_supported_ciphers")]
    pub fn supported_ciphers(&self) -> Vec<Cipher> {
        self.look(Engine::supported_ciphers).unwrap_or_default()
    }

    /// Servers: what the client offered; see [`Engine::client_ciphers`].
    #[doc(alias = "SSL_get_client_ciphers")]
    pub fn client_ciphers(&self) -> Vec<Cipher> {
        self.look(Engine::client_ciphers).unwrap_or_default()
    }

    /// Servers: what both sides may use; see [`Engine::shared_ciphers`].
    #[doc(alias = "SSL_get_shared_ciphers")]
    pub fn shared_ciphers(&self) -> Vec<Cipher> {
        self.look(Engine::shared_ciphers).unwrap_or_default()
    }

    /// The group of the key exchange; see [`Engine::group`].
    #[doc(alias = "SSL_get0_group_name")]
    #[doc(alias = "SSL_get_negotiated_group")]
    #[doc(alias = "get_group_name")]
    pub fn group(&self) -> Option<String> {
        self.look(Engine::group)?
    }

    /// How the peer signed the handshake; see [`Engine::peer_signature`].
    #[doc(alias = "SSL_get_peer_signature_nid")]
    #[doc(alias = "SSL_get_peer_signature_type_nid")]
    pub fn peer_signature(&self) -> Option<SignatureAlgorithm> {
        self.look(Engine::peer_signature)?
    }

    /// How this side signed the handshake; see [`Engine::own_signature`].
    #[doc(alias = "SSL_get_signature_nid")]
    pub fn own_signature(&self) -> Option<SignatureAlgorithm> {
        self.look(Engine::own_signature)?
    }

    /// The certificate that this side presents; see [`Engine::own_certificate`].
    #[doc(alias = "SSL_get_certificate")]
    #[doc(alias = "get_certificate")]
    pub fn own_certificate(&self) -> Option<Cert> {
        self.look(Engine::own_certificate)?
    }

    /// The chain that the peer sent; see [`Engine::peer_certificate_chain`].
    #[doc(alias = "SSL_get_peer_cert_chain")]
    #[doc(alias = "get_peer_cert_chain")]
    #[doc(alias = "get_unverified_chain")]
    pub fn peer_certificate_chain(&self) -> Vec<Cert> {
        self.look(Engine::peer_certificate_chain)
            .unwrap_or_default()
    }

    /// The chain by which the peer was verified; see [`Engine::verified_chain`].
    #[doc(alias = "SSL_get0_verified_chain")]
    #[doc(alias = "get_verified_chain")]
    pub fn verified_chain(&self) -> Option<Vec<Cert>> {
        self.look(Engine::verified_chain)?
    }

    /// The chain of a peer that was refused; see [`Engine::refused_chain`]. For a stream
    /// of [`start_connect`](TlsStream::start_connect) or
    /// [`start_accept`](TlsStream::start_accept): the others do not survive that.
    pub fn refused_chain(&self) -> Option<Vec<Cert>> {
        self.look(Engine::refused_chain)?
    }

    /// Who the peer is, if that was verified; see [`Engine::peer_identity`].
    pub fn peer_identity(&self) -> Option<PeerIdentity> {
        self.look(Engine::peer_identity)?
    }

    /// The authorities whose certificates the peer takes; see
    /// [`Engine::peer_ca_names`].
    #[doc(alias = "SSL_get0_peer_CA_list")]
    #[doc(alias = "SSL_get_client_CA_list")]
    #[doc(alias = "get_client_ca_list")]
    pub fn peer_ca_names(&self) -> Vec<Name> {
        self.look(Engine::peer_ca_names).unwrap_or_default()
    }

    /// The compression in use, which is none; see [`Engine::compression`].
    #[doc(alias = "SSL_get_current_compression")]
    #[doc(alias = "SSL_get_current_expansion")]
    pub fn compression(&self) -> Option<&'static str> {
        self.look(Engine::compression)?
    }

    /// Whether the peer knows secure renegotiation; see
    /// [`Engine::secure_renegotiation_support`].
    #[doc(alias = "SSL_get_secure_renegotiation_support")]
    pub fn secure_renegotiation_support(&self) -> bool {
        self.look(Engine::secure_renegotiation_support)
            .unwrap_or_default()
    }

    /// Whether keys are bound to the whole handshake; see
    /// [`Engine::has_extended_master_secret`].
    #[doc(alias = "SSL_get_extms_support")]
    pub fn has_extended_master_secret(&self) -> bool {
        self.look(Engine::has_extended_master_secret)
            .unwrap_or_default()
    }

    /// Whether a renegotiation is under way; see [`Engine::is_renegotiating`].
    #[doc(alias = "SSL_renegotiate_pending")]
    #[doc(alias = "renegotiate_pending")]
    pub fn is_renegotiating(&self) -> bool {
        self.look(Engine::is_renegotiating).unwrap_or_default()
    }

    /// How many renegotiations have begun; see [`Engine::total_renegotiations`].
    #[doc(alias = "SSL_total_renegotiations")]
    #[doc(alias = "SSL_num_renegotiations")]
    pub fn total_renegotiations(&self) -> u64 {
        self.look(Engine::total_renegotiations).unwrap_or_default()
    }

    /// Which sides have ended their direction.
    #[doc(alias = "SSL_get_shutdown")]
    #[doc(alias = "get_shutdown")]
    pub fn shutdown_state(&self) -> ShutdownState {
        self.look(Engine::shutdown_state).unwrap_or_default()
    }

    /// How many tickets the handshake issues; see [`Engine::num_tickets`].
    #[doc(alias = "SSL_get_num_tickets")]
    pub fn num_tickets(&self) -> usize {
        self.look(Engine::num_tickets).unwrap_or_default()
    }

    /// OpenSSL's options for this connection, as `SSL_OP_*` bits.
    #[doc(alias = "SSL_get_options")]
    pub fn options(&self) -> u64 {
        self.look(Engine::options).unwrap_or_default()
    }

    /// The Finished message that this side sent last; see [`Engine::finished`].
    #[doc(alias = "SSL_get_finished")]
    #[doc(alias = "get_finished")]
    pub fn finished(&self) -> Option<Vec<u8>> {
        self.look(Engine::finished)?
    }

    /// The Finished message that the peer sent last.
    #[doc(alias = "SSL_get_peer_finished")]
    #[doc(alias = "get_peer_finished")]
    pub fn peer_finished(&self) -> Option<Vec<u8>> {
        self.look(Engine::peer_finished)?
    }

    /// The random number in the ClientHello.
    #[doc(alias = "SSL_get_client_random")]
    pub fn client_random(&self) -> Option<[u8; 32]> {
        self.look(Engine::client_random)?
    }

    /// The random number in the ServerHello.
    #[doc(alias = "SSL_get_server_random")]
    pub fn server_random(&self) -> Option<[u8; 32]> {
        self.look(Engine::server_random)?
    }

    /// The master secret, with which recorded connections can be read; see
    /// [`Engine::export_master_key`].
    #[doc(alias = "SSL_SESSION_get_master_key")]
    #[doc(alias = "master_key")]
    pub fn export_master_key(&self) -> Option<Secret> {
        self.look(Engine::export_master_key)?
    }

    /// Whether the client was asked for its certificate and the answer has not been
    /// read; see [`Engine::is_post_handshake_auth_pending`].
    pub fn is_post_handshake_auth_pending(&self) -> bool {
        self.look(Engine::is_post_handshake_auth_pending)
            .unwrap_or_default()
    }

    /// What OpenSSL found about the peer's certificate; see
    /// [`Engine::verify_result`].
    ///
    /// # Errors
    ///
    /// [`Error::Certificate`] with the fault, or [`Error::Local`] when called from
    /// inside an operation of this stream.
    #[doc(alias = "SSL_get_verify_result")]
    #[doc(alias = "get_verify_result")]
    pub fn verify_result(&self) -> Result<(), Error> {
        self.with_engine(|engine| engine.verify_result())?
            .map_err(Error::Certificate)
    }

    /// Bytes that both sides can derive and nobody else; see
    /// [`Engine::export_keying_material`].
    ///
    /// # Errors
    ///
    /// As there.
    #[doc(alias = "SSL_export_keying_material")]
    pub fn export_keying_material(
        &self,
        label: &str,
        context: Option<&[u8]>,
        len: usize,
    ) -> Result<Secret, Error> {
        self.with_engine(|engine| engine.export_keying_material(label, context, len))?
    }

    /// A value that names this connection; see [`Engine::channel_binding`].
    ///
    /// # Errors
    ///
    /// As there.
    #[doc(alias = "get_channel_binding")]
    pub fn channel_binding(&self, kind: ChannelBinding) -> Result<Vec<u8>, Error> {
        self.with_engine(|engine| engine.channel_binding(kind))?
    }

    /// OpenSSL's short code for its state.
    #[doc(alias = "SSL_state_string")]
    pub fn state_code(&self) -> &'static str {
        self.look(Engine::state_code).unwrap_or("BUSY")
    }
}
