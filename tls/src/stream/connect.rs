//! From a context and a transport to a stream.

use super::TlsStream;
use crate::bio::RingSizes;
use crate::context::Context;
use crate::engine::Engine;
use crate::error::{Error, HandshakeError};
use crate::transport::Transport;

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
