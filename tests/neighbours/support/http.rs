//! Has `ureq` connect by Greenling's sockets, with its TLS for `https`.
//!
//! ```text
//! let agent = Agent::with_parts(config, Green::new(tls_context), Green::new(..));
//! ```

use greenling::net::{TcpStream, lookup_host};
use greenling::time::timeout;
use greenling_tls::{Context, TlsStream};
use send_wrapper::SendWrapper;
use socket2::SockRef;
use std::io::{self, ErrorKind, Read, Write};
use std::mem::MaybeUninit;
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

/// Looks names up and connects for [`ureq::Agent::with_parts`].
///
/// The agent is for one thread: a connection that another thread uses, or drops
/// with the agent, panics there.
#[derive(Clone, Debug)]
pub struct Green {
    tls: Option<Context>,
}

impl Green {
    /// With `tls` for `https`; without, only `http` works.
    pub fn new(tls: Option<Context>) -> Green {
        Green { tls }
    }
}

impl Resolver for Green {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        limit: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let port = match uri.scheme_str() {
            Some("https") => 443,
            _ => 80,
        };
        let host = uri.host().ok_or(Error::HostNotFound)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = (host, uri.port_u16().unwrap_or(port));
        // Another thread asks the system's resolver; only this tasklet waits.
        let found = within(limit, || lookup_host(name))?;
        let mut addresses = self.empty();
        for address in config.ip_family().keep_wanted(found) {
            if addresses.try_push(address).is_err() {
                break;
            }
        }
        match addresses.is_empty() {
            true => Err(Error::HostNotFound),
            false => Ok(addresses),
        }
    }
}

impl Connector for Green {
    type Out = GreenTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _chained: Option<()>,
    ) -> Result<Option<GreenTransport>, Error> {
        let config = details.config;
        let stream = within(details.timeout, || {
            let socket = TcpStream::connect(&details.addrs[..])?;
            socket.set_nodelay(config.no_delay())?;
            match (&self.tls, details.needs_tls()) {
                (Some(context), true) => {
                    let name = details.uri.host().unwrap_or_default();
                    let stream = TlsStream::connect(context, name, socket);
                    let stream = stream.map_err(|failed| io::Error::from(failed.into_error()))?;
                    Ok(Stream::Tls(Box::new(stream)))
                }
                _ => Ok(Stream::Plain(socket)),
            }
        })?;
        let (input, output) = (config.input_buffer_size(), config.output_buffer_size());
        Ok(Some(GreenTransport {
            stream: SendWrapper::new(stream),
            buffers: LazyBuffers::new(input, output),
        }))
    }
}

/// Runs `operation` within the time that `ureq` gives it. The deadline of a scope
/// around the whole request comes back as an I/O error instead.
fn within<T>(limit: NextTimeout, operation: impl FnOnce() -> io::Result<T>) -> Result<T, Error> {
    match timeout(*limit.after, operation) {
        Ok(result) => Ok(result?),
        // What was read or written just in time counts.
        Err(late) => late.into_inner().map_err(|_| Error::Timeout(limit.reason)),
    }
}

/// What [`Green`] makes.
#[derive(Debug)]
pub struct GreenTransport {
    /// `ureq` asks for `Send + Sync`, which no socket of a scheduler can be.
    stream: SendWrapper<Stream>,
    buffers: LazyBuffers,
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

impl Stream {
    fn carrier(&mut self) -> &mut dyn ReadWrite {
        match self {
            Stream::Plain(socket) => socket,
            Stream::Tls(stream) => stream,
        }
    }

    fn socket(&self) -> &TcpStream {
        match self {
            Stream::Plain(socket) => socket,
            Stream::Tls(stream) => stream.get_ref(),
        }
    }
}

impl Transport for GreenTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, limit: NextTimeout) -> Result<(), Error> {
        let output = &self.buffers.output()[..amount];
        let carrier = self.stream.carrier();
        within(limit.for_write(), || carrier.write_all(output))
    }

    fn await_input(&mut self, limit: NextTimeout) -> Result<bool, Error> {
        let input = self.buffers.input_append_buf();
        let carrier = self.stream.carrier();
        let count = within(limit.for_read(), || carrier.read(input))?;
        self.buffers.input_appended(count);
        Ok(count > 0)
    }

    fn is_open(&mut self) -> bool {
        // Past what the reactor knows: a peer may have closed since it looked.
        let peeked = SockRef::from(self.stream.socket()).peek(&mut [MaybeUninit::uninit()]);
        matches!(peeked, Err(error) if error.kind() == ErrorKind::WouldBlock)
    }

    fn is_tls(&self) -> bool {
        matches!(*self.stream, Stream::Tls(_))
    }
}
