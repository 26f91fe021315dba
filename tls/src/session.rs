//! A session that a client may resume.

use std::fmt;
use std::time::{Duration, SystemTime};

use openssl::ssl::{SslContext, SslSession};

#[cfg(feature = "aws-lc")]
use crate::callbacks::attached;
use crate::context::{Context, Version};
use crate::engine::{Cipher, Role};
use crate::error::Error;
use crate::secret::Secret;
#[cfg(feature = "aws-lc")]
use crate::ssl::missing::SslSessionRefExt;
use crate::ssl::{Connection, SessionView, on_system_stack};

/// What a client needs to resume an earlier connection, from
/// [`Engine::session`](crate::Engine::session).
///
/// It is bound to the context and to the server name it was made with. TLS 1.3
/// (RFC 8446, appendix C.4) asks clients to use each one only once.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[doc(alias = "SSL_SESSION")]
#[doc(alias = "SSLSession")]
#[derive(Clone)]
pub struct Session {
    session: SslSession,
    /// OpenSSL requires that a session is used with the context that made it.
    context: SslContext,
    name: Option<String>,
}

impl Session {
    pub(crate) fn of(connection: &Connection, name: Option<&str>) -> Option<Session> {
        let ssl = connection.get();
        #[cfg(feature = "aws-lc")]
        let newest = attached(ssl).and_then(|attached| attached.newest.clone());
        #[cfg(not(feature = "aws-lc"))]
        let newest = None;
        let session = newest.or_else(|| ssl.session().map(ToOwned::to_owned))?;
        Some(Session {
            session,
            context: ssl.ssl_context().to_owned(),
            name: name.map(str::to_owned),
        })
    }

    /// As OpenSSL has it.
    #[cfg(test)]
    pub(crate) fn raw(&self) -> &openssl::ssl::SslSessionRef {
        &self.session
    }

    /// Lets `connection`, whose handshake has not begun, offer this session.
    pub(crate) fn offer(
        &self,
        connection: &mut Connection,
        role: Role,
        name: Option<&str>,
    ) -> Result<(), Error> {
        if role != Role::Client {
            return Err(Error::local("only clients choose the session to resume"));
        }
        if self.name.as_deref() != name {
            return Err(Error::local(
                "session belongs to a connection to another server name",
            ));
        }
        connection.resume(&self.session, &self.context)
    }

    /// The session in OpenSSL's form (`i2d_SSL_SESSION(3)`), as `openssl sess_id`
    /// reads it. It holds the keys: whoever reads it can read what the connections
    /// that use it say.
    ///
    /// # Errors
    ///
    /// [`Error::Ssl`] when it cannot be encoded.
    #[doc(alias = "i2d_SSL_SESSION")]
    pub fn export(&self) -> Result<Secret, Error> {
        on_system_stack(|| Ok(Secret::new(self.session.to_der()?)))
    }

    /// Takes back what [`Session::export`] gave, for connections of `context` to
    /// the server `name`.
    ///
    /// `der` must come from a place that only this program writes to. A server is
    /// not verified again when a session is resumed: the session is the proof.
    ///
    /// # Errors
    ///
    /// [`Error::Local`] for a server's context, and when the session remembers
    /// another name than `name`; [`Error::Ssl`] when `der` is no session.
    #[doc(alias = "d2i_SSL_SESSION")]
    pub fn import(context: &Context, name: Option<&str>, der: &[u8]) -> Result<Session, Error> {
        if context.role() != Role::Client {
            return Err(Error::local("only clients choose the session to resume"));
        }
        let session = on_system_stack(|| SslSession::from_der(der).map_err(Error::from))?;
        let session = Session {
            session,
            context: context.ssl_ctx().to_owned(),
            name: name.map(str::to_owned),
        };
        let remembered = session.view().server_name();
        let same = |remembered: &str| {
            let name = name.unwrap_or_default();
            remembered.eq_ignore_ascii_case(name.strip_suffix('.').unwrap_or(name))
        };
        if remembered.is_none_or(same) {
            Ok(session)
        } else {
            Err(Error::local(
                "session belongs to a connection to another server name",
            ))
        }
    }

    /// The identifier. Of a session of TLS 1.3 it is made up by the client.
    #[doc(alias = "SSL_SESSION_get_id")]
    pub fn id(&self) -> &[u8] {
        self.session.id()
    }

    /// When it was made.
    #[doc(alias = "SSL_SESSION_get_time")]
    pub fn time(&self) -> SystemTime {
        #[allow(clippy::useless_conversion, reason = "a time_t, but not of AWS-LC")]
        let seconds = u64::try_from(self.session.time()).unwrap_or(0);
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// For how long from then on this side would offer it.
    #[doc(alias = "SSL_SESSION_get_timeout")]
    #[doc(alias = "timeout")]
    pub fn lifetime(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.session.timeout()).unwrap_or(0))
    }

    /// For how long the server says that it takes its ticket; `None` without one.
    #[doc(alias = "SSL_SESSION_get_ticket_lifetime_hint")]
    pub fn ticket_lifetime_hint(&self) -> Option<Duration> {
        self.has_ticket()
            .then(|| Duration::from_secs(self.view().ticket_lifetime_hint()))
    }

    /// Whether the server gave a ticket for it.
    #[doc(alias = "SSL_SESSION_has_ticket")]
    pub fn has_ticket(&self) -> bool {
        self.view().has_ticket()
    }

    /// Whether a server could take it at all: with TLS 1.3 that needs a ticket.
    #[doc(alias = "SSL_SESSION_is_resumable")]
    pub fn is_resumable(&self) -> bool {
        self.view().is_resumable()
    }

    /// The protocol version that it belongs to.
    #[doc(alias = "SSL_SESSION_get_protocol_version")]
    pub fn version(&self) -> Option<Version> {
        Version::from_openssl(self.session.protocol_version())
    }

    /// Its cipher suite.
    #[doc(alias = "SSL_SESSION_get0_cipher")]
    pub fn cipher(&self) -> Option<Cipher> {
        self.view().cipher().map(Cipher::of)
    }

    /// The application protocol that was chosen for it.
    #[doc(alias = "SSL_SESSION_get0_alpn_selected")]
    pub fn alpn_protocol(&self) -> Option<&[u8]> {
        self.view().alpn_protocol()
    }

    fn view(&self) -> SessionView<'_> {
        SessionView::new(&self.session)
    }
}

impl fmt::Debug for Session {
    /// Shows no secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
