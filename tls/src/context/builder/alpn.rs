//! Application protocols (RFC 7301).

use std::sync::Arc;

use openssl::ssl::{AlpnError, SslContextBuilder, SslRef};

use super::ContextBuilder;
use crate::callbacks::ConnectionView;
use crate::config_error::{ConfigError, ConfigErrorKind};
use crate::engine::Role;
use crate::error::Error;
use crate::panics::{FreedByC, guard_callback};

/// A server's answer to what a client offers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AlpnChoice {
    /// This protocol, which must be one of those offered.
    Select(Vec<u8>),
    /// None, and go on as if ALPN were not in use.
    #[doc(alias = "NO_OVERLAPPING_PROTOCOLS")]
    #[doc(alias = "SSL_TLSEXT_ERR_NOACK")]
    NoOverlap,
    /// None, and end the connection with the alert `no_application_protocol`.
    #[doc(alias = "SSL_TLSEXT_ERR_ALERT_FATAL")]
    Refuse,
}

type Chooser = dyn Fn(ConnectionView<'_>, &[&[u8]]) -> AlpnChoice + Send + Sync;

#[derive(Default)]
pub(super) struct Alpn {
    protocols: Vec<Vec<u8>>,
    lenient: bool,
    chooser: Option<Arc<Chooser>>,
}

impl ContextBuilder {
    /// Application protocols in order of preference (RFC 7301).
    ///
    /// A server picks the first that the client offers too, and refuses a client
    /// that offers only others with the alert `no_application_protocol`. A client
    /// that does not use ALPN is served.
    #[doc(alias = "set_alpn_protos")]
    #[doc(alias = "set_alpn_protocols")]
    #[doc(alias = "SSL_CTX_set_alpn_protos")]
    pub fn alpn<P: AsRef<[u8]>>(
        mut self,
        protocols: impl IntoIterator<Item = P>,
    ) -> ContextBuilder {
        self.alpn.protocols = protocols.into_iter().map(|p| p.as_ref().to_vec()).collect();
        self
    }

    /// Servers: `choose` picks among the protocols that a client offers, in the
    /// client's order, instead of the list given to [`alpn`](ContextBuilder::alpn).
    ///
    /// It runs inside OpenSSL: it must not wait, and a panic in it refuses the
    /// client and goes on in the call that led there.
    #[doc(alias = "set_alpn_select_callback")]
    #[doc(alias = "SSL_CTX_set_alpn_select_cb")]
    pub fn alpn_select(
        mut self,
        choose: impl Fn(ConnectionView<'_>, &[&[u8]]) -> AlpnChoice + Send + Sync + 'static,
    ) -> ContextBuilder {
        self.alpn.chooser = Some(Arc::new(choose));
        self
    }

    /// Servers: goes on without a protocol when none is common, instead of
    /// refusing the client.
    #[doc(alias = "NO_OVERLAPPING_PROTOCOLS")]
    pub fn alpn_lenient(mut self) -> ContextBuilder {
        self.alpn.lenient = true;
        self
    }
}

impl Alpn {
    pub(super) fn apply(&self, role: Role, context: &mut SslContextBuilder) -> Result<(), Error> {
        if let Some(chooser) = &self.chooser {
            if role == Role::Client {
                let detail = "is for servers; a client offers a list";
                let kind = ConfigErrorKind::BadValue;
                return Err(ConfigError::new(kind, "alpn_select", detail).into());
            }
            let chooser = FreedByC::new(Arc::clone(chooser));
            context.set_alpn_select_callback(move |ssl, theirs| {
                guard_callback(Err(AlpnError::ALERT_FATAL), || ask(&**chooser, ssl, theirs))
            });
            return Ok(());
        }
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

/// Lets the application choose, and finds its choice in the client's list.
fn ask<'a>(chooser: &Chooser, ssl: &SslRef, theirs: &'a [u8]) -> Result<&'a [u8], AlpnError> {
    let offered: Vec<&'a [u8]> = entries(theirs).collect();
    match chooser(ConnectionView::new(ssl), &offered) {
        AlpnChoice::Select(chosen) => {
            let found = offered.into_iter().find(|protocol| *protocol == chosen);
            if found.is_none() {
                log::error!("alpn_select chose what the client had not offered");
            }
            found.ok_or(AlpnError::ALERT_FATAL)
        }
        AlpnChoice::NoOverlap => Err(AlpnError::NOACK),
        AlpnChoice::Refuse => Err(AlpnError::ALERT_FATAL),
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
