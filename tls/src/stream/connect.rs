//! From a context and a transport to a stream.

use super::TlsStream;
use crate::bio::RingSizes;
use crate::context::Context;
use crate::engine::Engine;
use crate::error::{Error, HandshakeError};
use crate::transport::{Plain, Transport};

impl<T: Transport> TlsStream<T> {
    /// Connects as a client to the server `name`, a host name or an IP address,
    /// and makes the handshake.
    ///
    /// # Scheduling
    ///
    /// May switch.
    ///
    /// # Cancellation
    ///
    /// A kill drops the transport.
    ///
    /// # Errors
    ///
    /// Why the handshake failed, with the transport. With TLS 1.3 it is over before
    /// the server has judged the client's certificate: a refusal arrives at the
    /// first read.
    #[doc(alias = "SSL_connect")]
    #[doc(alias = "connect_ex")]
    #[doc(alias = "set_tlsext_host_name")]
    pub fn connect(
        context: &Context,
        name: &str,
        transport: T,
    ) -> Result<TlsStream<T>, HandshakeError<T>> {
        TlsStream::start_connect(context, name, transport).finish()
    }

    /// Takes a client's connection as a server and makes the handshake.
    ///
    /// # Scheduling
    ///
    /// May switch.
    ///
    /// # Cancellation
    ///
    /// A kill drops the transport.
    ///
    /// # Errors
    ///
    /// Why the handshake failed, with the transport.
    #[doc(alias = "SSL_accept")]
    pub fn accept(context: &Context, transport: T) -> Result<TlsStream<T>, HandshakeError<T>> {
        TlsStream::start_accept(context, transport).finish()
    }

    /// Goes over to TLS as a client, on a connection that has spoken plain text:
    /// STARTTLS and its like.
    ///
    /// `plain` is a [`BufReader`](std::io::BufReader) around the transport, what
    /// [`TlsStream::unwrap`] returned, or a [`Plain`]. Bytes that have been read from
    /// the transport beyond the server's consent are refused: they came in plain,
    /// perhaps from somebody in between, and would be taken for the server's words
    /// under the protection of TLS (CVE-2011-0411). Bytes that nobody has read yet
    /// meet the handshake, which fails by them.
    ///
    /// # Scheduling
    ///
    /// May switch.
    ///
    /// # Cancellation
    ///
    /// A kill drops the transport.
    ///
    /// # Errors
    ///
    /// [`Error::Injected`] for bytes that were read ahead; as
    /// [`connect`](TlsStream::connect). The transport comes back, to be dropped: who
    /// goes on in plain does what the attacker wants.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use greenling_tls::{Context, TlsStream};
    /// use std::io::{BufRead, BufReader, Write};
    /// use std::net::TcpStream;
    ///
    /// fn submit(context: &Context, tcp: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
    ///     let mut mail = BufReader::new(tcp);
    ///     let mut line = String::new();
    ///     mail.read_line(&mut line)?; // 220 mail.example ESMTP
    ///     mail.get_mut().write_all(b"STARTTLS\r\n")?;
    ///     line.clear();
    ///     mail.read_line(&mut line)?;
    ///     if !line.starts_with("220 ") {
    ///         return Err(std::io::Error::other("the server does not offer TLS"));
    ///     }
    ///     Ok(TlsStream::upgrade_connect(context, "mail.example", mail)?)
    /// }
    /// ```
    #[doc(alias = "STARTTLS")]
    #[doc(alias = "start_tls")]
    pub fn upgrade_connect(
        context: &Context,
        name: &str,
        plain: impl Into<Plain<T>>,
    ) -> Result<TlsStream<T>, HandshakeError<T>> {
        TlsStream::connect(context, name, without_injected(plain.into())?)
    }

    /// Goes over to TLS as a server, on a connection that has spoken plain text: call
    /// it after the line that tells the client to begin.
    ///
    /// As [`upgrade_connect`](TlsStream::upgrade_connect), with the roles exchanged:
    /// commands that were sent ahead in plain must not be obeyed as if they had come
    /// encrypted, from the client whose certificate is shown next.
    ///
    /// # Scheduling
    ///
    /// May switch.
    ///
    /// # Cancellation
    ///
    /// A kill drops the transport.
    ///
    /// # Errors
    ///
    /// [`Error::Injected`] for bytes that were read ahead; as
    /// [`accept`](TlsStream::accept).
    pub fn upgrade_accept(
        context: &Context,
        plain: impl Into<Plain<T>>,
    ) -> Result<TlsStream<T>, HandshakeError<T>> {
        TlsStream::accept(context, without_injected(plain.into())?)
    }

    /// Prepares a client's connection. The handshake happens on first use, or by
    /// [`TlsStream::handshake`]; a `name` that is no name is reported there.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    #[doc(alias = "set_connect_state")]
    pub fn start_connect(context: &Context, name: &str, transport: T) -> TlsStream<T> {
        TlsStream::start(context, Some(name), transport)
    }

    /// Prepares a server's connection. The handshake happens on first use, or by
    /// [`TlsStream::handshake`].
    ///
    /// # Scheduling
    ///
    /// Never switches.
    #[doc(alias = "set_accept_state")]
    pub fn start_accept(context: &Context, transport: T) -> TlsStream<T> {
        TlsStream::start(context, None, transport)
    }

    fn start(context: &Context, name: Option<&str>, transport: T) -> TlsStream<T> {
        let engine = Engine::new(context, name, RingSizes::default());
        let stream = TlsStream::with_parts(engine, transport);
        stream.set_handshake_timeout(Some(context.handshake_timeout()));
        stream
    }

    /// Makes the handshake, for the functions that return a finished stream.
    fn finish(self) -> Result<TlsStream<T>, HandshakeError<T>> {
        match self.handshake() {
            Ok(()) => Ok(self),
            Err(error) => Err(self.give_up(error)),
        }
    }

    fn give_up(self, error: Error) -> HandshakeError<T> {
        HandshakeError::new(error, self.into_transport())
    }
}

/// The transport, if nothing was read from it that it would owe.
fn without_injected<T>(plain: Plain<T>) -> Result<T, HandshakeError<T>> {
    let (transport, unread) = plain.into_parts();
    if unread.is_empty() {
        Ok(transport)
    } else {
        let error = Error::Injected(unread.len());
        Err(HandshakeError::new(error, transport))
    }
}
