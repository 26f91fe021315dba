//! What an application decides or observes while OpenSSL works.
//!
//! OpenSSL calls back from inside its own calls, on the system stack, where no
//! tasklet can be switched. So there are two kinds of callbacks:
//!
//! * *pure* ones answer there and then. They get a [`ConnectionView`], must not
//!   wait, and a panic in one makes OpenSSL refuse.
//! * *deferred* ones may wait for whatever they like. The C callback only writes
//!   down the question and suspends the handshake; the question is decided on the
//!   tasklet, outside of OpenSSL, and the answer waits for the next call:
//!
//! ```text
//!    OpenSSL's callback            engine                the stream's tasklet
//!      Unasked: write it down  --> Want::App        -->  Question::decide
//!      Open: suspend again                                  may wait, may panic
//!      Answered: act on it     <-- Engine::answer   <--  Answer
//! ```
//!
//! Who owns what: the callbacks of a context are its [`Hooks`], which its
//! `SSL_CTX` owns; what is known about one connection is its [`Attached`], which
//! its `SSL` owns. C callbacks find both through the `SSL` that they are given
//! and hold no pointers of their own.

mod attached;
#[allow(unsafe_code, reason = "callbacks that OpenSSL makes")]
mod deferred;
mod events;
mod hello;
mod hooks;
#[allow(unsafe_code, reason = "callbacks that OpenSSL makes")]
mod keys;
mod limits;
mod messages;
#[allow(unsafe_code, reason = "callbacks that OpenSSL makes")]
mod observers;
mod ocsp;
mod peer;
mod psk;
mod question;
mod rejection;
mod verify;
mod view;

pub(crate) use attached::{AppData, Attached, attached, attached_mut, take_attached};
pub(crate) use events::OnEvent;
pub use events::{AlertLevel, Direction, Event};
pub use hello::ClientHello;
pub(crate) use hello::hello_server_name;
pub(crate) use hooks::Hooks;
pub(crate) use limits::KeyUpdateLimit;
pub(crate) use messages::OnMessage;
pub use messages::{ContentType, HandshakeType, Message};
pub(crate) use observers::{set_verify_mode, watch};
pub(crate) use ocsp::Ocsp;
pub use peer::{IdentityRequest, PeerChain};
pub use psk::{Psk, PskTable};
pub(crate) use psk::{PskHooks, forget as forget_psk};
pub use question::{Answer, Question};
pub(crate) use question::{AnswerKind, Stage};
pub use rejection::Rejection;
pub(crate) use verify::VerifyWith;
pub use verify::{Verdict, VerifyStep};
pub use view::ConnectionView;
