//! A cipher suite, as it is named and as it is described.

#[cfg(feature = "aws-lc")]
use crate::ssl::missing::SslCipherRefExt;
use openssl::ssl::SslCipherRef;

/// A cipher suite.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "SSL_CIPHER")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cipher {
    name: &'static str,
    standard_name: Option<&'static str>,
    version: &'static str,
    bits: i32,
}

impl Cipher {
    pub(crate) fn of(cipher: &SslCipherRef) -> Cipher {
        Cipher {
            name: cipher.name(),
            standard_name: cipher.standard_name(),
            version: cipher.version(),
            bits: cipher.bits().secret,
        }
    }

    /// OpenSSL's name for it.
    #[doc(alias = "SSL_CIPHER_get_name")]
    #[doc(alias = "get_cipher_name")]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The name in the RFCs.
    #[doc(alias = "SSL_CIPHER_standard_name")]
    pub fn standard_name(&self) -> Option<&'static str> {
        self.standard_name
    }

    /// The first version of the protocol that has it, in OpenSSL's words: not the
    /// version of a connection that uses it.
    #[doc(alias = "SSL_CIPHER_get_version")]
    #[doc(alias = "get_cipher_version")]
    pub fn version(&self) -> &'static str {
        self.version
    }

    /// Strength in bits.
    #[doc(alias = "SSL_CIPHER_get_bits")]
    #[doc(alias = "get_cipher_bits")]
    pub fn bits(&self) -> i32 {
        self.bits
    }
}
