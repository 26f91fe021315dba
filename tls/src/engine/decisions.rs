//! Questions of a handshake to the application, and what becomes of the answers.
//!
//! A server whose context has a resolver does not know its context yet. So what
//! it is fed is recorded until the resolver has answered; then a connection of
//! the chosen context takes the place of the first one, which has sent nothing,
//! and is fed the same bytes. `SSL_set_SSL_CTX` would be less work, but it keeps
//! the verify mode and the versions of the first context: a client without a
//! certificate could finish its handshake with a server that demands one.
//!
//! ```text
//!   None --- server's context has a resolver ---> Recording
//!    ^                                              | answer
//!    +------ all of it fed again ------ Feeding <---+
//! ```

use std::collections::VecDeque;

use super::{Engine, EngineError, Role, Want};
use crate::callbacks::{
    Answer, AnswerKind, Attached, Hooks, PeerChain, Question, Rejection, Stage, attached,
    attached_mut, watch,
};
use crate::context::Context;
use crate::error::{Alert, Error};
#[cfg(feature = "aws-lc")]
use crate::ssl::missing::SslRefExt;
use crate::ssl::{Connection, Deferral};

/// More ciphertext than this before the ClientHello is complete is an attack:
/// OpenSSL takes hellos of 128 KiB, but nobody sends them byte by byte.
const RECORDED_MAX: usize = 256 * 1024;

/// What was fed to a connection that may be replaced.
#[derive(Debug, Default)]
pub(super) enum Replay {
    #[default]
    None,
    Recording(Vec<u8>),
    Feeding(VecDeque<u8>),
}

/// Whether a server's application still has to approve of the client.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Approval {
    /// Not needed, or given.
    #[default]
    Given,
    /// To be asked when the handshake is done; then so many tickets follow.
    Pending { tickets: usize },
}

impl Engine {
    /// The question that the last [`Want::App`] is about.
    ///
    /// It stays the same until it is answered.
    pub fn question(&mut self) -> Option<Question> {
        Question::of(self.ssl(), self.state.deferral?)
    }

    /// Answers the question of this connection. The next call goes on from there.
    ///
    /// A refusal makes the next call fail with [`Error::Rejected`], after which the
    /// alert is to be sent. OpenSSL chooses alerts by itself in two places: a refused
    /// certificate request is an `internal_error`, and a chain refused with an alert
    /// that is not about certificates is a `certificate_unknown`. A client that its
    /// server refuses after the handshake gets none.
    ///
    /// # Errors
    ///
    /// [`Error::Local`] when that was not the question, or raw pointers of this
    /// connection were handed out and a resolver chose another context; the errors of
    /// making a connection of the chosen context.
    pub fn answer(&mut self, answer: Answer) -> Result<(), Error> {
        let unasked = || Err(Error::local("the connection has not asked that"));
        let asked_after_handshake = self.role == Role::Server || cfg!(feature = "aws-lc");
        match answer.kind {
            AnswerKind::Context(answer) => {
                if !matches!(self.attached(|a| &a.hello), Some(Stage::Open(_))) {
                    return unasked();
                }
                match answer {
                    Ok(context) => self.change_context(&context)?,
                    Err(rejection) => {
                        attached_mut(self.connection.get_mut())?.hello =
                            Stage::Answered(Err(rejection));
                    }
                }
            }
            AnswerKind::Identity(answer) => {
                if !matches!(self.attached(|a| &a.identity), Some(Stage::Open(_))) {
                    return unasked();
                }
                attached_mut(self.connection.get_mut())?.identity = Stage::Answered(answer);
            }
            AnswerKind::Peer(answer) => {
                if !matches!(self.attached(|a| &a.peer), Some(Stage::Open(_))) {
                    return unasked();
                }
                if asked_after_handshake {
                    self.admit(answer)?;
                } else {
                    attached_mut(self.connection.get_mut())?.peer = Stage::Answered(answer);
                }
            }
        }
        self.state.deferral = None;
        Ok(())
    }

    fn attached<R>(&self, f: impl FnOnce(&Attached) -> &R) -> Option<&R> {
        attached(self.ssl()).map(f)
    }

    /// What a connection of a context with callbacks begins with.
    pub(super) fn prepare_decisions(&mut self) {
        let Some(hooks) = Hooks::of(self.ssl()) else {
            return;
        };
        if self.role != Role::Server {
            if cfg!(feature = "aws-lc") && hooks.approve.is_some() {
                self.state.approval = Approval::Pending { tickets: 0 };
            }
            return;
        }
        if hooks.resolve.is_some() {
            self.replay = Replay::Recording(Vec::new());
        }
        if hooks.approve.is_some() {
            let ssl = self.connection.get_mut();
            let tickets = ssl.num_tickets();
            // A client that has not been approved of gets nothing to resume with. With
            // AWS-LC its context has none to give.
            if cfg!(feature = "aws-lc") || ssl.set_num_tickets(0).is_ok() {
                self.state.approval = Approval::Pending { tickets };
            }
        }
    }

    /// What a connection that comes from foreign hands begins with. Whether its client
    /// has been approved of before nobody knows, so it is asked about again.
    pub(super) fn resume_decisions(&mut self) {
        if !self.state.established {
            self.prepare_decisions();
            return;
        }
        let asks = Hooks::of(self.ssl()).is_some_and(|hooks| hooks.approve.is_some());
        if asks && (self.role == Role::Server || cfg!(feature = "aws-lc")) {
            self.state.approval = Approval::Pending { tickets: 0 };
        }
    }

    /// Lets OpenSSL send again what would have followed on the approval, before foreign
    /// hands take over.
    pub(super) fn give_tickets_back(&mut self) {
        if !self.state.established
            && let Approval::Pending { tickets } = self.state.approval
        {
            // It accepts any number.
            let _ = self.connection.get_mut().set_num_tickets(tickets);
        }
    }

    /// Replaces the connection by one of `context`, which will see the same bytes.
    fn change_context(&mut self, context: &Context) -> Result<(), Error> {
        if context.role() != Role::Server {
            return Err(Error::local("a resolver chose a client's context"));
        }
        if self.state.pinned {
            return Err(Error::local(
                "raw pointers were handed out, so the connection cannot be exchanged",
            ));
        }
        let mut ssl = context.new_ssl(None)?;
        ssl.set_accept_state();
        let Replay::Recording(recorded) = std::mem::take(&mut self.replay) else {
            return Err(Error::local("the handshake has gone on already"));
        };
        let old = attached_mut(self.connection.get_mut())?;
        let (app_data, on_event) = (old.app_data.take(), old.on_event.take());
        if on_event.is_some() {
            watch(&mut ssl);
        }
        let new = attached_mut(&mut ssl)?;
        new.app_data = app_data;
        new.on_event = on_event;
        // The chosen context may have a resolver too. It has been chosen, though.
        new.hello = Stage::Answered(Ok(()));
        self.connection = Connection::new(ssl);
        self.context = Some(context.clone());
        if self.state.ignores_truncation {
            self.connection.ignore_unexpected_eof();
        }
        // The rings are half full of what the old connection has left.
        self.rings = None;
        self.state.approval = Approval::Given;
        self.prepare_decisions();
        self.replay = Replay::Feeding(recorded.into());
        Ok(())
    }

    /// Writes down what is fed to a connection that may be replaced.
    pub(super) fn record(&mut self, fed: &[u8]) {
        let Replay::Recording(recorded) = &mut self.replay else {
            return;
        };
        if recorded.len() + fed.len() > RECORDED_MAX {
            self.replay = Replay::None;
            let flood = Rejection::new(Alert::DECODE_ERROR)
                .because("the ClientHello comes in too many pieces");
            self.fail(Error::Rejected(flood));
            return;
        }
        recorded.extend_from_slice(fed);
    }

    /// As `record`, of the first bytes of the space that is about to be committed.
    #[inline]
    pub(super) fn record_space(&mut self, n: usize) {
        if matches!(self.replay, Replay::Recording(_))
            && let Some(rings) = &mut self.rings
        {
            let fed = rings.in_space()[..n].to_vec();
            self.record(&fed);
        }
    }

    /// Feeds what was recorded, as far as it fits; says whether there was anything.
    #[inline]
    pub(super) fn feed_recorded(&mut self) -> bool {
        matches!(self.replay, Replay::Feeding(_)) && self.feed_what_was_recorded()
    }

    #[cold]
    fn feed_what_was_recorded(&mut self) -> bool {
        let Replay::Feeding(left) = &mut self.replay else {
            return false;
        };
        let Some(rings) = &mut self.rings else {
            return false;
        };
        let fed = rings.write_in(left.make_contiguous());
        left.drain(..fed);
        if left.is_empty() {
            self.replay = Replay::None;
            if self.state.in_closed {
                rings.close_in();
            }
        }
        fed > 0
    }

    /// What waits to be fed again.
    #[inline]
    pub(super) fn recorded(&mut self) -> Option<&mut VecDeque<u8>> {
        match &mut self.replay {
            Replay::Feeding(left) => Some(left),
            Replay::None | Replay::Recording(_) => None,
        }
    }

    /// Asks about the client as soon as the handshake is done. Nothing is read from
    /// it or written to it before.
    #[inline]
    pub(super) fn await_approval(&mut self) -> Result<(), EngineError> {
        if self.is_approved() {
            return Ok(());
        }
        self.ask_for_approval()
    }

    #[cold]
    fn ask_for_approval(&mut self) -> Result<(), EngineError> {
        if self.state.approval == Approval::Given {
            self.state.approval = Approval::Pending { tickets: 0 };
        }
        if !self.state.established {
            self.step_unapproved(Connection::handshake)?;
        }
        if !matches!(self.attached(|a| &a.peer), Some(Stage::Open(_))) {
            let Some(certificate) = self.ssl().peer_certificate() else {
                // There is nobody to approve of.
                return Ok(self.admit(Ok(()))?);
            };
            let chain = match self.ssl().verified_chain() {
                Some(chain) if !chain.is_empty() => chain.iter().map(ToOwned::to_owned).collect(),
                _ => vec![certificate],
            };
            let question = PeerChain::new(self.ssl(), chain);
            let attached = attached_mut(self.connection.get_mut()).map_err(Error::from)?;
            attached.peer = Stage::Open(question.into());
        }
        self.state.deferral = Some(Deferral::Approve);
        Err(EngineError::Want(Want::App))
    }

    /// Whether the application need not be asked about the client: not at all, or not
    /// again since its last handshake. One that was asked for its certificate later,
    /// or renegotiated, is another client.
    pub(super) fn is_approved(&self) -> bool {
        self.state.approval == Approval::Given
            && (self.state.approved_after.is_none()
                || !self.connection.is_init_finished()
                || self.state.approved_after == self.peer_finished())
    }

    /// Whether there is nothing left of the handshake, the approval included.
    pub(crate) fn is_settled(&self) -> bool {
        self.state.established && self.is_approved()
    }

    /// Whether the open question is one of a later handshake than the first.
    pub(crate) fn asks_again(&self) -> bool {
        let first =
            self.state.deferral == Some(Deferral::Approve) && self.state.approved_after.is_none();
        self.state.established && !first
    }

    /// Says how many tickets will follow on the approval; whether there will be one.
    pub(super) fn set_tickets_after_approval(&mut self, count: usize) -> bool {
        match &mut self.state.approval {
            Approval::Pending { tickets } => {
                *tickets = count;
                true
            }
            Approval::Given => false,
        }
    }

    /// Lets an approved client in, with its tickets, or ends the connection.
    fn admit(&mut self, answer: Result<(), Rejection>) -> Result<(), Error> {
        let Approval::Pending { tickets } = self.state.approval else {
            return Ok(());
        };
        if let Some(attached) = attached(self.ssl())
            && matches!(attached.peer, Stage::Open(_))
        {
            attached_mut(self.connection.get_mut())?.peer = Stage::Unasked;
        }
        match answer {
            Ok(()) => {
                self.state.approval = Approval::Given;
                self.state.approved_after = self.peer_finished();
                // Those that the handshake would have sent; a resumed one sends one.
                let tickets = if self.is_session_reused() {
                    tickets.min(1)
                } else {
                    tickets
                };
                for _ in 0..tickets {
                    if self.new_session_ticket().is_err() {
                        // TLS 1.2 has sent its only one.
                        break;
                    }
                }
            }
            Err(rejection) => {
                self.fail(Error::Rejected(rejection));
            }
        }
        Ok(())
    }
}
