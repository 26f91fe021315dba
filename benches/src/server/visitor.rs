//! A client that connects for one request each time, with a full TLS 1.3 handshake
//! or with one that resumes the session of the visit before.
//!
//! Every handshake is of the same kind for all servers: X25519, ECDSA with P-256,
//! AES-128-GCM, which is what browsers ask for first.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use openssl::error::ErrorStack;
use openssl::ssl::{SslConnector, SslMethod, SslSession, SslSessionCacheMode, SslVersion};

use super::client::{Client, connect_plain};
use super::ground::Ground;

/// What handshakes a visitor makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visit {
    /// Full ones, with certificate and signature.
    Full,
    /// Resumed ones, after a full first one.
    Resumed,
}

/// The client, with the newest ticket that the server gave it.
pub struct Visitor {
    connector: SslConnector,
    address: SocketAddr,
    kind: Visit,
    ticket: Arc<Mutex<Option<SslSession>>>,
}

impl fmt::Debug for Visitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("Visitor");
        text.field("kind", &self.kind)
            .field("address", &self.address);
        text.finish_non_exhaustive()
    }
}

impl Visitor {
    /// A visitor of the server at `address`; one that resumes has been there once.
    ///
    /// # Errors
    ///
    /// When that first visit failed.
    pub fn new(kind: Visit, address: SocketAddr, ground: &Ground) -> io::Result<Visitor> {
        let ticket = Arc::new(Mutex::new(None));
        let visitor = Visitor {
            connector: connector(ground, ticket.clone())?,
            address,
            kind,
            ticket,
        };
        if kind == Visit::Resumed {
            visitor.connect(None)?;
        }
        Ok(visitor)
    }

    /// Connects, makes one request, says goodbye and closes.
    ///
    /// # Errors
    ///
    /// When anything fails, or the handshake was not of the kind asked for.
    pub fn visit(&self) -> io::Result<()> {
        let ticket = match self.kind {
            Visit::Full => None,
            Visit::Resumed => self.newest().take(),
        };
        if ticket.is_none() && self.kind == Visit::Resumed {
            return Err(io::Error::other("the server gave no ticket"));
        }
        self.connect(ticket)
    }

    fn connect(&self, ticket: Option<SslSession>) -> io::Result<()> {
        let resumes = ticket.is_some();
        let mut ssl = self.connector.configure()?.into_ssl("localhost")?;
        if let Some(ticket) = ticket {
            // SAFETY: the session was made by connections of the same context, that
            // of `self.connector`.
            unsafe { ssl.set_session(&ticket) }?;
        }
        let mut client = Client::over(ssl.connect(connect_plain(self.address)?))?;
        if client.is_resumed() != resumes {
            let text = [
                "the server resumed a session",
                "the server resumed no session",
            ];
            return Err(io::Error::other(text[usize::from(resumes)]));
        }
        client.get("/hello")?.expect_hello()?;
        client.close()
    }

    fn newest(&self) -> MutexGuard<'_, Option<SslSession>> {
        self.ticket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tickets arrive behind the handshake, with the answer; the last one is kept.
fn connector(
    ground: &Ground,
    ticket: Arc<Mutex<Option<SslSession>>>,
) -> Result<SslConnector, ErrorStack> {
    let mut builder = SslConnector::builder(SslMethod::tls_client())?;
    builder.set_ca_file(ground.certificate())?;
    builder.set_min_proto_version(Some(SslVersion::TLS1_3))?;
    builder.set_ciphersuites("TLS_AES_128_GCM_SHA256")?;
    builder.set_groups_list("X25519")?;
    builder.set_session_cache_mode(SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL);
    builder.set_new_session_callback(move |_, session| {
        *ticket.lock().unwrap_or_else(PoisonError::into_inner) = Some(session);
    });
    Ok(builder.build())
}
