//! Questions of a handshake, decided on the tasklet that makes it.
//!
//! The engine is not borrowed while the application's callback runs, so other
//! tasklets may use the stream; if they come to the same question they wait for
//! its answer.

use std::time::Instant;

use super::TlsStream;
use super::pump::{after, earlier};
use crate::callbacks::{Answer, Question, Rejection};
use crate::engine::Engine;
use crate::error::{Alert, Error};
use crate::transport::Transport;

impl<T: Transport> TlsStream<T> {
    /// Answers the question that the engine has asked, unless another tasklet has
    /// done so meanwhile.
    #[cold]
    pub(super) fn decide(&self, deadline: Option<Instant>) -> Result<(), Error> {
        let limit = if self.with_engine(|engine| engine.asks_again())? {
            // The time of the first handshake is long over.
            after(self.handshake_timeout.get())
        } else {
            self.handshake_limit()
        };
        let limit = earlier(deadline, limit);
        let contended = self.deciding.is_held();
        let _deciding = self.lock_deciding(limit)?;
        let Some(question) = self.with_engine(Engine::question)? else {
            if contended {
                return Ok(());
            }
            return Err(Error::local("a callback asked to be called again later"));
        };
        let unanswered = RefuseOnUnwind {
            stream: self,
            question: &question,
            nonblocking: self.nonblocking.replace(false),
        };
        let answer = ask(&question, limit)?;
        drop(unanswered);
        self.answer(&question, answer)
    }

    fn answer(&self, question: &Question, answer: Answer) -> Result<(), Error> {
        match self.with_engine(|engine| engine.answer(answer))? {
            Ok(()) => Ok(()),
            Err(error) => {
                // The peer hears of it too.
                let why = Rejection::new(Alert::INTERNAL_ERROR).because(error);
                self.with_engine(|engine| engine.answer(question.refuse(why)))?
            }
        }
    }
}

/// Asks, for no longer than until `deadline`.
#[cfg(feature = "greenling")]
fn ask(question: &Question, deadline: Option<Instant>) -> Result<Answer, Error> {
    match deadline {
        // What a callback answers too late, or because it was late, is no answer.
        Some(deadline) => greenling::time::timeout_at(deadline, || question.decide())
            .map_err(|_elapsed| Error::TimedOut),
        None => Ok(question.decide()),
    }
}

/// Without the scheduler there is no way to end the waits of a callback.
#[cfg(not(feature = "greenling"))]
fn ask(question: &Question, _deadline: Option<Instant>) -> Result<Answer, Error> {
    Ok(question.decide())
}

/// If the callback unwinds, refuses the connection and says so to the peer, as far
/// as that needs no waiting.
struct RefuseOnUnwind<'a, T: Transport> {
    stream: &'a TlsStream<T>,
    question: &'a Question,
    nonblocking: bool,
}

impl<T: Transport> Drop for RefuseOnUnwind<'_, T> {
    fn drop(&mut self) {
        self.stream.nonblocking.set(self.nonblocking);
        if !std::thread::panicking() {
            return;
        }
        let why = Rejection::new(Alert::INTERNAL_ERROR).because("a callback panicked");
        let refused = self.stream.with_engine(|engine| {
            engine.answer(self.question.refuse(why)).is_ok() && engine.handshake().is_err()
        });
        if refused.unwrap_or(false) {
            self.stream.flush_in_drop();
        }
    }
}
