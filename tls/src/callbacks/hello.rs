//! The ClientHello, as a resolver sees it (RFC 8446, section 4.1.2).
//!
//! Everything is a copy, since the resolver runs outside of OpenSSL. The contents
//! come from the network and nothing in them has been checked by OpenSSL yet, so
//! each reader here answers nothing where the bytes make no sense.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use openssl::ssl::SslRef;

use super::AppData;
use super::attached::attached;
use crate::ssl::{HelloFixed, hello_extension, hello_extension_types};

const SERVER_NAME: u16 = 0;
const SUPPORTED_GROUPS: u16 = 10;
const SIGNATURE_ALGORITHMS: u16 = 13;
const ALPN: u16 = 16;
const SUPPORTED_VERSIONS: u16 = 43;

/// What a client asks for, before anything is decided.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "SSL_CTX_set_client_hello_cb")]
pub struct ClientHello {
    legacy_version: u16,
    random: Vec<u8>,
    session_id: Vec<u8>,
    ciphers: Vec<u8>,
    /// In the client's order.
    extensions: Vec<(u16, Vec<u8>)>,
    app_data: Option<AppData>,
}

impl ClientHello {
    /// Copies the ClientHello that `ssl` is processing, whose fixed part this is.
    pub(crate) fn of(ssl: &SslRef, fixed: HelloFixed<'_>) -> ClientHello {
        let extensions = hello_extension_types(ssl)
            .into_iter()
            .filter_map(|kind| Some((kind, hello_extension(ssl, kind)?.to_vec())))
            .collect();
        ClientHello {
            legacy_version: fixed.legacy_version,
            random: fixed.random.to_vec(),
            session_id: fixed.session_id.to_vec(),
            ciphers: fixed.ciphers.to_vec(),
            extensions,
            app_data: attached(ssl).and_then(|attached| attached.app_data.clone()),
        }
    }

    /// The host that the client wants to reach (RFC 6066, section 3), as it wrote
    /// it; `None` also when it is not readable as ASCII.
    #[doc(alias = "get_servername")]
    #[doc(alias = "SSL_get_servername")]
    pub fn server_name(&self) -> Option<&str> {
        let name = host_name(self.extension(SERVER_NAME)?)?;
        std::str::from_utf8(name)
            .ok()
            .filter(|name| name.is_ascii())
    }

    /// The application protocols that the client offers (RFC 7301), in its order.
    pub fn alpn(&self) -> impl Iterator<Item = &[u8]> {
        let mut list = self
            .extension(ALPN)
            .and_then(list_of_16)
            .unwrap_or_default();
        std::iter::from_fn(move || {
            let (&length, rest) = list.split_first()?;
            let (entry, rest) = rest.split_at_checked(usize::from(length))?;
            list = rest;
            Some(entry)
        })
    }

    /// The protocol versions that the client offers, by their numbers on the wire:
    /// 0x0304 is TLS 1.3.
    pub fn versions(&self) -> Vec<u16> {
        match self.extension(SUPPORTED_VERSIONS) {
            Some(extension) => match extension.split_first() {
                Some((&length, list)) if usize::from(length) == list.len() => numbers(list),
                _ => Vec::new(),
            },
            None => vec![self.legacy_version],
        }
    }

    /// The cipher suites that the client offers, by their numbers on the wire.
    #[doc(alias = "SSL_client_hello_get0_ciphers")]
    pub fn cipher_suites(&self) -> Vec<u16> {
        numbers(&self.ciphers)
    }

    /// The key exchange groups that the client offers, by their numbers on the wire.
    pub fn groups(&self) -> Vec<u16> {
        self.numbers_of(SUPPORTED_GROUPS)
    }

    /// The signature algorithms that the client accepts, by their numbers on the
    /// wire: whether it can check an ECDSA certificate, say.
    pub fn signature_algorithms(&self) -> Vec<u16> {
        self.numbers_of(SIGNATURE_ALGORITHMS)
    }

    fn numbers_of(&self, kind: u16) -> Vec<u16> {
        let list = self.extension(kind).and_then(list_of_16);
        list.map(numbers).unwrap_or_default()
    }

    /// The 32 random bytes of the client.
    #[doc(alias = "SSL_client_hello_get0_random")]
    pub fn random(&self) -> &[u8] {
        &self.random
    }

    /// The session that a client of TLS 1.2 wants to resume; meaningless in TLS 1.3.
    #[doc(alias = "SSL_client_hello_get0_session_id")]
    pub fn session_id(&self) -> &[u8] {
        &self.session_id
    }

    /// The version in the fixed part; since TLS 1.3 always that of TLS 1.2.
    #[doc(alias = "SSL_client_hello_get0_legacy_version")]
    pub fn legacy_version(&self) -> u16 {
        self.legacy_version
    }

    /// The content of the extension of that type.
    #[doc(alias = "SSL_client_hello_get0_ext")]
    pub fn extension(&self, kind: u16) -> Option<&[u8]> {
        let found = self.extensions.iter().find(|(own, _)| *own == kind);
        found.map(|(_, content)| content.as_slice())
    }

    /// The types of the extensions, in the client's order, without those that
    /// OpenSSL does not know.
    #[doc(alias = "SSL_client_hello_get1_extensions_present")]
    pub fn extensions(&self) -> impl Iterator<Item = u16> {
        self.extensions.iter().map(|(kind, _)| *kind)
    }

    /// The data of the connection, if it has the type `T`; see
    /// [`Engine::set_app_data`](crate::Engine::set_app_data).
    pub fn app_data<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.app_data.clone()?.downcast().ok()
    }
}

impl fmt::Debug for ClientHello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHello")
            .field("server_name", &self.server_name())
            .field("versions", &self.versions())
            .finish_non_exhaustive()
    }
}

/// The ClientHello's `server_name` extension cannot be read.
pub(crate) struct Unreadable;

/// The host name in the ClientHello that `ssl` is processing. It is read from the
/// extension itself, which OpenSSL parses only after it has chosen the session.
pub(crate) fn hello_server_name(ssl: &SslRef) -> Result<Option<&[u8]>, Unreadable> {
    match hello_extension(ssl, SERVER_NAME) {
        None => Ok(None),
        Some(extension) => host_name(extension).map(Some).ok_or(Unreadable),
    }
}

/// The one host name of a `server_name` extension (RFC 6066, section 3).
fn host_name(extension: &[u8]) -> Option<&[u8]> {
    let (&kind, entry) = list_of_16(extension)?.split_first()?;
    let name = list_of_16(entry)?;
    (kind == 0).then_some(name)
}

/// The bytes behind a length of 16 bits that says exactly how many they are.
fn list_of_16(bytes: &[u8]) -> Option<&[u8]> {
    let (length, list) = bytes.split_first_chunk()?;
    (usize::from(u16::from_be_bytes(*length)) == list.len()).then_some(list)
}

fn numbers(list: &[u8]) -> Vec<u16> {
    let (pairs, _) = list.as_chunks();
    pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_well_formed_server_name_is_read() {
        assert_eq!(host_name(b"\0\x08\0\0\x05a.com"), Some(&b"a.com"[..]));
        for bad in [
            &b""[..],
            b"\0",
            b"\0\x08",
            b"\0\x08\0\0\x05a.co",
            b"\0\x08\0\0\x05a.comx",
            b"\0\x08\0\0\x04a.com",
            b"\0\x08\x01\0\x05a.com",
        ] {
            assert_eq!(host_name(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_left_out() {
        let hello = ClientHello {
            legacy_version: 0x0303,
            random: Vec::new(),
            session_id: Vec::new(),
            ciphers: vec![0x13, 0x01, 0x13],
            extensions: vec![
                (ALPN, b"\0\x05\x02h2\x05h".to_vec()),
                (SUPPORTED_VERSIONS, b"\x05\x03\x04".to_vec()),
                (SUPPORTED_GROUPS, b"\0\x09\0\x1d".to_vec()),
            ],
            app_data: None,
        };
        assert_eq!(hello.alpn().collect::<Vec<_>>(), [b"h2"]);
        assert_eq!(hello.cipher_suites(), [0x1301]);
        assert!(hello.versions().is_empty());
        assert!(hello.groups().is_empty());
        assert_eq!(hello.server_name(), None);
    }
}
