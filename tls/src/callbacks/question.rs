//! Questions that a handshake waits on, and their answers.
//!
//! A question is open from the moment OpenSSL's callback writes it down until
//! [`Engine::answer`](crate::Engine::answer). Who asked may give up meanwhile, at a
//! deadline, and the next one finds it again. A stream whose tasklet unwinds from the
//! callback, by a panic or a kill, answers with a refusal.

use std::fmt;
use std::sync::Arc;

use openssl::ssl::SslRef;

use super::attached::attached;
use super::hooks::{Approve, Hooks, Resolve, Supply};
use super::{ClientHello, IdentityRequest, PeerChain, Rejection};
use crate::context::Context;
use crate::identity::Identity;
use crate::ssl::Deferral;

/// How a question of a connection stands.
#[derive(Default)]
pub(crate) enum Stage<Q, A> {
    #[default]
    Unasked,
    Open(Arc<Q>),
    Answered(Result<A, Rejection>),
}

impl<Q, A> Stage<Q, A> {
    fn question(&self) -> Option<Arc<Q>> {
        match self {
            Stage::Open(question) => Some(Arc::clone(question)),
            Stage::Unasked | Stage::Answered(_) => None,
        }
    }
}

/// Something that the application has to decide before a handshake goes on.
///
/// From [`Engine::question`](crate::Engine::question), for owners of an engine; a
/// [`TlsStream`](crate::TlsStream) does all this by itself.
///
/// # Scheduling
///
/// Never switches, except where a method says so.
#[derive(Clone)]
pub struct Question {
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    ClientHello(Resolve, Arc<ClientHello>),
    Identity(Supply, Arc<IdentityRequest>),
    Peer(Approve, Arc<PeerChain>),
}

/// What was decided; for [`Engine::answer`](crate::Engine::answer).
///
/// # Scheduling
///
/// Never switches, except where a method says so.
pub struct Answer {
    pub(crate) kind: AnswerKind,
}

pub(crate) enum AnswerKind {
    Context(Result<Context, Rejection>),
    Identity(Result<Option<Identity>, Rejection>),
    Peer(Result<(), Rejection>),
}

impl Question {
    /// The question that `deferral` is about, if one of our callbacks asked it.
    pub(crate) fn of(ssl: &SslRef, deferral: Deferral) -> Option<Question> {
        let hooks = Hooks::of(ssl)?;
        let attached = attached(ssl)?;
        let kind = match deferral {
            Deferral::ClientHello => {
                Kind::ClientHello(hooks.resolve.clone()?, attached.hello.question()?)
            }
            Deferral::Certificate => {
                Kind::Identity(hooks.supply.clone()?, attached.identity.question()?)
            }
            Deferral::Verify | Deferral::Approve => {
                Kind::Peer(hooks.approve.clone()?, attached.peer.question()?)
            }
            Deferral::Async => return None,
        };
        Some(Question { kind })
    }

    /// What it is about.
    pub fn about(&self) -> Deferral {
        match &self.kind {
            Kind::ClientHello(..) => Deferral::ClientHello,
            Kind::Identity(..) => Deferral::Certificate,
            Kind::Peer(..) => Deferral::Verify,
        }
    }

    /// Asks the context's callback. No engine is in use meanwhile.
    ///
    /// # Scheduling
    ///
    /// Switches as the callback does.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost: the question stays open.
    ///
    /// # Panics
    ///
    /// With the callback.
    pub fn decide(&self) -> Answer {
        let kind = match &self.kind {
            Kind::ClientHello(resolve, hello) => AnswerKind::Context(resolve(hello)),
            Kind::Identity(supply, request) => AnswerKind::Identity(supply(request)),
            Kind::Peer(approve, chain) => AnswerKind::Peer(approve(chain)),
        };
        Answer { kind }
    }

    /// The answer no, without asking.
    pub fn refuse(&self, rejection: impl Into<Rejection>) -> Answer {
        let rejection = rejection.into();
        let kind = match &self.kind {
            Kind::ClientHello(..) => AnswerKind::Context(Err(rejection)),
            Kind::Identity(..) => AnswerKind::Identity(Err(rejection)),
            Kind::Peer(..) => AnswerKind::Peer(Err(rejection)),
        };
        Answer { kind }
    }
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Question").field(&self.about()).finish()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refused = match &self.kind {
            AnswerKind::Context(answer) => answer.as_ref().err(),
            AnswerKind::Identity(answer) => answer.as_ref().err(),
            AnswerKind::Peer(answer) => answer.as_ref().err(),
        };
        f.debug_struct("Answer")
            .field("refused", &refused)
            .finish_non_exhaustive()
    }
}
