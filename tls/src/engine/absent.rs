//! What is not offered. Each answers [`Error::Unsupported`], so that a program
//! which is being ported finds the reason here instead of a missing name.

use super::{Engine, EngineError};
use crate::error::Error;

impl Engine {
    /// Data before the handshake is done (RFC 8446, section 2.3) is not offered: an
    /// attacker can send it again as often as he likes, and no library can tell
    /// which requests bear that.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`], always.
    #[doc(alias = "SSL_write_early_data")]
    #[doc(alias = "SSL_set_max_early_data")]
    pub fn write_early_data(&mut self, _data: &[u8]) -> Result<usize, EngineError> {
        Err(Error::unsupported("early data can be replayed by anybody").into())
    }

    /// As [`Engine::write_early_data`]: contexts never accept any, so there is none
    /// to read.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`], always.
    #[doc(alias = "SSL_read_early_data")]
    #[doc(alias = "SSL_get_early_data_status")]
    pub fn read_early_data(&mut self, _buf: &mut [u8]) -> Result<usize, EngineError> {
        Err(Error::unsupported("early data can be replayed by anybody").into())
    }

    /// DTLS is not offered: it runs over datagrams, and everything here is made for
    /// a stream of bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`], always.
    #[doc(alias = "DTLSv1_listen")]
    #[doc(alias = "DTLSv1_get_timeout")]
    #[doc(alias = "DTLSv1_handle_timeout")]
    #[doc(alias = "set_ciphertext_mtu")]
    #[doc(alias = "get_cleartext_mtu")]
    #[doc(alias = "DTLS_METHOD")]
    pub fn dtls(&self) -> Result<(), Error> {
        Err(Error::unsupported("DTLS needs datagrams"))
    }

    /// Keys for SRTP (RFC 5764) are negotiated within DTLS, which is not offered.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`], always.
    #[doc(alias = "SSL_set_tlsext_use_srtp")]
    #[doc(alias = "set_tlsext_use_srtp")]
    #[doc(alias = "get_selected_srtp_profile")]
    #[doc(alias = "SSL_get_selected_srtp_profile")]
    pub fn srtp_profile(&self) -> Result<&'static str, Error> {
        Err(Error::unsupported("SRTP needs DTLS"))
    }
}
