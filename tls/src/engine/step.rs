//! One call of OpenSSL, and what it comes to for the engine.
//!
//! ```text
//!   approval awaited --> call --+--> done: its value
//!                         ^     |
//!                         |     +--> wants to write: the out-ring's content spills --+
//!                         |     +--> wants to read, and something was recorded ------+
//!                         +----------------------------------------------------------+
//!                               |
//!                               +--> wants to read, or a decision: Want
//!                               +--> failed: kept, and answered from now on
//! ```

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

#[cfg(feature = "aws-lc")]
use openssl::ssl::SslVersion;

#[cfg(feature = "aws-lc")]
use super::Role;
use super::{Engine, EngineError, Want};
use crate::callbacks::{Rejection, attached, attached_mut};
use crate::error::{Alert, Error, VerifyError};
use crate::session_cache;
use crate::ssl::{Connection, Outcome};

impl Engine {
    /// Whether a read could find something without more input.
    pub(super) fn may_hold_plaintext(&self) -> bool {
        self.in_pending() > 0
            || self.connection.pending() > 0
            // Something else than a read is half done; OpenSSL knows what.
            || !self.connection.is_init_finished()
    }

    pub(super) fn check_usable(&self) -> Result<(), EngineError> {
        match &self.state.failed {
            Some(error) => Err(EngineError::Failed(error.clone())),
            None => Ok(()),
        }
    }

    /// Makes one call, repeating it while only the out-ring's size stops it.
    pub(super) fn step<T>(
        &mut self,
        call: impl FnMut(&mut Connection) -> Outcome<T>,
    ) -> Result<T, EngineError> {
        self.await_approval()?;
        self.step_unapproved(call)
    }

    pub(super) fn step_unapproved<T>(
        &mut self,
        mut call: impl FnMut(&mut Connection) -> Outcome<T>,
    ) -> Result<T, EngineError> {
        self.plug()?;
        self.feed_recorded();
        #[cfg(feature = "aws-lc")]
        let mut tickets_wait = false;
        loop {
            let outcome = self.guarded(&mut call);
            // A read that finds no data may have finished the handshake all the same.
            if !self.state.established && self.connection.is_init_finished() {
                self.state.established = true;
                session_cache::established(self.ssl());
                #[cfg(feature = "aws-lc")]
                {
                    tickets_wait = true;
                }
            }
            // A write that is half done must be repeated first, and takes them along.
            #[cfg(feature = "aws-lc")]
            if tickets_wait && !matches!(outcome, Outcome::WantWrite) {
                tickets_wait = false;
                self.send_tickets()?;
            }
            match outcome {
                Outcome::Done(value) => return Ok(value),
                Outcome::WantRead if self.feed_recorded() => {}
                Outcome::WantRead => match self.take_rejection() {
                    None => return Err(EngineError::Want(Want::Read)),
                    // Of an observer, which OpenSSL cannot be told of.
                    Some(rejection) => {
                        let error = self.fail(Error::Rejected(rejection));
                        // The alert is an event too, whose observer may panic.
                        self.connection.break_off();
                        return Err(error);
                    }
                },
                Outcome::WantWrite => {
                    if !self.spill_out() {
                        return Err(self.fail(Error::Ssl(Vec::new())));
                    }
                }
                Outcome::WantApp(deferral) => {
                    self.state.deferral = Some(deferral);
                    return Err(EngineError::Want(Want::App));
                }
                Outcome::Closed => {
                    self.state.peer_closed = true;
                    return Err(EngineError::Closed);
                }
                Outcome::Failed(error) => {
                    let error = self.fail(error);
                    if cfg!(feature = "aws-lc") && self.forgive_truncation() {
                        return Err(EngineError::Closed);
                    }
                    return Err(error);
                }
            }
        }
    }

    /// Sends the tickets, which AWS-LC keeps back until data is written.
    #[cfg(feature = "aws-lc")]
    pub(super) fn send_tickets(&mut self) -> Result<(), EngineError> {
        if self.role == Role::Client || self.ssl().version2() != Some(SslVersion::TLS1_3) {
            return Ok(());
        }
        loop {
            match self.guarded(Connection::write_nothing) {
                Outcome::Done(()) => return Ok(()),
                Outcome::WantWrite if self.spill_out() => {}
                Outcome::Failed(error) => return Err(self.fail(error)),
                _ => return Err(self.fail(Error::Ssl(Vec::new()))),
            }
        }
    }

    /// Takes the end of input for `close_notify` where that was asked for: AWS-LC has
    /// no option for it.
    pub(super) fn forgive_truncation(&mut self) -> bool {
        let forgiven = self.state.established
            && self.state.ignores_truncation
            && matches!(self.state.failed, Some(Error::Truncated));
        if forgiven {
            self.state.failed = None;
            self.state.peer_closed = true;
        }
        forgiven
    }

    /// Makes one call. If a callback panics, the connection is at its end, whether
    /// that callback could refuse or not, and the panic goes on.
    pub(super) fn guarded<T>(
        &mut self,
        call: impl FnOnce(&mut Connection) -> Outcome<T>,
    ) -> Outcome<T> {
        match catch_unwind(AssertUnwindSafe(|| call(&mut self.connection))) {
            Ok(outcome) => outcome,
            Err(panic) => {
                // The alert is an event too, so observers run once more.
                let _ = catch_unwind(AssertUnwindSafe(|| self.connection.break_off()));
                let rejection =
                    Rejection::new(Alert::INTERNAL_ERROR).because("a callback panicked");
                self.state.failed = Some(Error::Rejected(rejection));
                resume_unwind(panic)
            }
        }
    }

    /// Keeps a permanent error, as what it means here.
    pub(super) fn fail(&mut self, error: Error) -> EngineError {
        let error = match self.take_rejection() {
            // OpenSSL only knows that a callback failed.
            Some(rejection) => Error::Rejected(rejection),
            None => error,
        };
        let error = match error {
            // OpenSSL's answer to the end of input after it had failed before.
            Error::Ssl(entries) if entries.is_empty() && self.state.in_closed => Error::Truncated,
            other => other,
        };
        let error = match error {
            Error::Truncated if !self.state.received_any => Error::ClosedBeforeHello,
            other => other,
        };
        let error = match error {
            Error::Certificate(verify) => Error::Certificate(self.take_fault().unwrap_or(verify)),
            other => other,
        };
        self.state.failed = Some(error.clone());
        EngineError::Failed(error)
    }

    /// What a callback refused with in the call that has just failed.
    pub(super) fn take_rejection(&mut self) -> Option<Rejection> {
        attached(self.ssl())?.rejection.as_ref()?;
        let attached = attached_mut(self.connection.get_mut()).ok()?;
        attached.rejection.take()
    }

    /// Which certificate the call that has just failed was about.
    pub(super) fn take_fault(&mut self) -> Option<VerifyError> {
        attached(self.ssl())?.fault.as_ref()?;
        let attached = attached_mut(self.connection.get_mut()).ok()?;
        attached.fault.take()
    }
}
