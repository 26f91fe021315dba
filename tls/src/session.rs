//! A session that a client may resume.

use std::fmt;

use openssl::ssl::{SslContext, SslSession};

use crate::engine::Role;
use crate::error::Error;
use crate::ssl::Connection;

/// What a client needs to resume an earlier connection, from
/// [`Engine::session`](crate::Engine::session).
///
/// It is bound to the context and to the server name it was made with. TLS 1.3
/// (RFC 8446, appendix C.4) asks clients to use each one only once.
#[doc(alias = "SSL_SESSION")]
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
        Some(Session {
            session: ssl.session()?.to_owned(),
            context: ssl.ssl_context().to_owned(),
            name: name.map(str::to_owned),
        })
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
}

impl fmt::Debug for Session {
    /// Shows no secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
