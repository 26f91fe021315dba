//! TLS by OpenSSL on rings in memory, for Greenling's sockets or any object that
//! reads and writes.
//!
//! OpenSSL never sees a socket here. It works on a pair of rings in memory, and the
//! bytes travel between the rings and a [`Transport`] by our own calls. So a wait parks
//! only the tasklet, one tasklet may read while another writes, and the same code runs
//! over a tasklet's socket, a plain [`std::net::TcpStream`], a pipe, or another TLS
//! stream.
//!
//! `unsafe` is confined to the modules that say so on their `mod` line.

#[cfg(all(feature = "aws-lc", feature = "vendored"))]
compile_error!("`vendored` builds OpenSSL and `aws-lc` builds AWS-LC: a program has one of them");
#[cfg(all(feature = "aws-lc", feature = "capi"))]
compile_error!("C programs are written for OpenSSL's headers: `capi` does not go with `aws-lc`");

#[allow(unsafe_code, reason = "lends parts of OpenSSL's rings")]
mod bio;
mod callbacks;
#[cfg(feature = "capi")]
#[allow(unsafe_code, reason = "is called from C")]
pub mod capi;
mod config_error;
mod context;
pub mod crypto;
mod engine;
mod error;
#[allow(unsafe_code, reason = "declares C functions")]
mod ffi;
mod identity;
mod idle;
#[cfg(feature = "greenling")]
mod listener;
mod memory;
mod panics;
mod peer_name;
#[cfg(feature = "greenling")]
mod proxy;
pub mod rand;
mod ring;
mod secret;
mod session;
mod session_cache;
#[allow(unsafe_code, reason = "calls OpenSSL")]
mod ssl;
mod stream;
pub mod transport;
#[cfg(feature = "greenling")]
mod waits;

pub use bio::RingSizes;
pub use callbacks::{
    AlertLevel, Answer, ClientHello, ConnectionView, ContentType, Direction, Event, HandshakeType,
    IdentityRequest, Message, PeerChain, Psk, PskTable, Question, Rejection, Verdict, VerifyStep,
};
pub use config_error::{ConfigError, ConfigErrorKind};
pub use context::{
    AlpnChoice, ClientAuth, Context, ContextBuilder, Dangerous, Method, SessionCache, SessionStats,
    SessionStore, TicketKeys, Tickets, Version, no_config, options,
};
pub use crypto::{Encoding, Purpose};
pub use engine::{
    ChannelBinding, Cipher, Engine, EngineError, PeerIdentity, Role, ShutdownState,
    SignatureAlgorithm, Want,
};
pub use error::{Alert, Error, HandshakeError, SslErrorEntry, VerifyError};
pub use identity::{Identity, OcspStaple, PemFiles};
#[cfg(feature = "greenling")]
pub use listener::TlsListener;
pub use memory::{
    AltName, MemoryBio, PeerCert, Pieces, PipeState, RelativeName, SslError, SslErrorKind,
    SslObject, SslPipe,
};
#[cfg(feature = "greenling")]
pub use proxy::{ProxyAddresses, ProxyHeader, ProxyProtocol};
pub use secret::Secret;
pub use session::Session;
pub use ssl::Deferral;
#[cfg(feature = "greenling")]
pub use stream::Arrival;
pub use stream::{PostHandshakeAuth, ReadHalf, ReuniteError, TlsStream, WriteHalf};
pub use transport::{Blocking, Interest, Plain, Prefixed, Ready, Split, Transport};
#[cfg(feature = "greenling")]
pub use waits::WAIT_REASONS;
