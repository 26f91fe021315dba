//! TLS between two buffers in memory, as Python's `ssl` has it: for ported
//! programs, and for protocols that are written without I/O.
//!
//! ```text
//!                    MemoryBio          SslObject          MemoryBio
//!   network  -- write --> [incoming] --> OpenSSL --> [outgoing] -- read --> network
//!                                        ^    |
//!                                    write    read
//!                                        plaintext
//! ```
//!
//! Nothing here waits or knows a transport. An [`SslObject`] is an
//! [`Engine`](crate::Engine), which has bounded rings of its own, between two
//! buffers that grow. It differs from the engine in two points that programs see:
//!
//! * It takes from `incoming` what OpenSSL asks for and no byte more, as if OpenSSL
//!   read the buffer itself. So what follows the peer's `close_notify` is still in
//!   `incoming` after the connection has ended.
//! * Everything a call produced is in `outgoing` when it returns, also an alert
//!   when it fails.
//!
//! The methods have the names they have in Python and, case by case, its results
//! and errors; where they differ, their documentation says so. An [`SslPipe`] is
//! the state machine that Python's `asyncio` and `gruvi` put around it.

mod bio;
mod cert;
mod error;
mod object;
mod pipe;
mod queries;

pub use bio::MemoryBio;
pub use cert::{AltName, PeerCert, RelativeName};
pub use error::{SslError, SslErrorKind};
pub use object::SslObject;
pub use pipe::{Pieces, PipeState, SslPipe};
