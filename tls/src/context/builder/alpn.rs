//! Application protocols (RFC 7301).

use openssl::ssl::{AlpnError, SslContextBuilder};

use super::ContextBuilder;
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::engine::Role;
use crate::error::Error;
use crate::panics::guard_callback;

#[derive(Default)]
pub(super) struct Alpn {
    protocols: Vec<Vec<u8>>,
    lenient: bool,
}

impl ContextBuilder {
    /// Application protocols in order of preference (RFC 7301).
    ///
    /// A server picks the first that the client offers too, and refuses a client
    /// that offers only others with the alert `no_application_protocol`. A client
    /// that does not use ALPN is served.
    #[doc(alias = "set_alpn_protos")]
    #[doc(alias = "set_alpn_select_callback")]
    #[doc(alias = "SSL_CTX_set_alpn_protos")]
    #[doc(alias = "SSL_CTX_set_alpn_select_cb")]
    pub fn alpn<P: AsRef<[u8]>>(
        mut self,
        protocols: impl IntoIterator<Item = P>,
    ) -> ContextBuilder {
        self.alpn.protocols = protocols.into_iter().map(|p| p.as_ref().to_vec()).collect();
        self
    }

    /// Servers: goes on without a protocol when none is common, instead of
    /// refusing the client.
    pub fn alpn_lenient(mut self) -> ContextBuilder {
        self.alpn.lenient = true;
        self
    }
}

impl Alpn {
    pub(super) fn apply(&self, role: Role, context: &mut SslContextBuilder) -> Result<(), Error> {
        let ours = wire_format(&self.protocols)?;
        if ours.is_empty() {
            return Ok(());
        }
        match role {
            Role::Client => context.set_alpn_protos(&ours)?,
            Role::Server => {
                let mismatch = if self.lenient {
                    AlpnError::NOACK
                } else {
                    AlpnError::ALERT_FATAL
                };
                context.set_alpn_select_callback(move |_, theirs| {
                    guard_callback(Err(AlpnError::ALERT_FATAL), || {
                        select(&ours, theirs).ok_or(mismatch)
                    })
                });
            }
        }
        Ok(())
    }
}

/// Joins `protocols`, in order of preference, into the length-prefixed list
/// that OpenSSL takes. An empty list means that ALPN is not used.
pub(crate) fn wire_format(protocols: &[Vec<u8>]) -> Result<Vec<u8>, ConfigError> {
    let bad = |detail| ConfigError::new(ConfigErrorKind::BadValue, "alpn", detail);
    let mut wire = Vec::new();
    for protocol in protocols {
        let length = u8::try_from(protocol.len())
            .ok()
            .filter(|n| *n > 0)
            .ok_or_else(|| {
                bad(format!(
                    "{:?} has not 1 to 255 bytes",
                    String::from_utf8_lossy(protocol)
                ))
            })?;
        wire.push(length);
        wire.extend_from_slice(protocol);
    }
    if wire.len() > usize::from(u16::MAX) - 2 {
        return Err(bad("the list exceeds 64 KiB".to_owned()));
    }
    Ok(wire)
}

/// The first of the server's protocols that the client offers, as a part of
/// the client's list.
fn select<'a>(server: &[u8], client: &'a [u8]) -> Option<&'a [u8]> {
    entries(server).find_map(|ours| entries(client).find(|theirs| *theirs == ours))
}

/// The entries of a list in wire form, up to the first that is cut short.
fn entries(mut wire: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (&length, rest) = wire.split_first()?;
        let (entry, rest) = rest.split_at_checked(usize::from(length))?;
        wire = rest;
        Some(entry)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(protocols: &[&str]) -> Vec<u8> {
        let protocols: Vec<_> = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
        wire_format(&protocols).unwrap()
    }

    #[test]
    fn the_servers_order_decides() {
        let server = wire(&["h2", "http/1.1"]);
        assert_eq!(
            select(&server, &wire(&["http/1.1", "h2"])),
            Some(&b"h2"[..])
        );
        assert_eq!(
            select(&server, &wire(&["http/1.1"])),
            Some(&b"http/1.1"[..])
        );
        assert_eq!(select(&server, &wire(&["h3"])), None);
        assert_eq!(
            select(&server, b"\x05h2"),
            None,
            "a torn list ends the search"
        );
    }

    #[test]
    fn lengths_that_do_not_fit_are_refused() {
        assert_eq!(wire(&["h2"]), b"\x02h2");
        assert!(wire_format(&[Vec::new()]).is_err());
        assert!(wire_format(&[vec![b'x'; 256]]).is_err());
        assert!(wire_format(&vec![vec![b'x'; 255]; 256]).is_err());
    }
}
