//! The same question to every thread, with a time limit.
//!
//! A scheduler answers for itself, between two of its tasklets. All are asked
//! first; then the answers are waited for, so one thread that is held does not
//! keep the others from being heard.
//!
//! A thread that has tasklets and blocks outside of its scheduler may do so for
//! ever, and questions would pile up there. Who has left one unanswered for as long
//! as is waited now is therefore silent at once, and asked again when it has
//! answered.

use crate::scheduler::{Inbox, local};
use crate::thread::{self, Remote};
use std::io;
use std::sync::Arc;
use std::thread::Thread;
use std::time::{Duration, Instant};

/// What came back.
pub(super) struct Answers<T> {
    /// In the order in which the threads became reachable.
    pub(super) given: Vec<T>,
    /// Who has not answered in time.
    pub(super) silent: Vec<Silent>,
}

/// A thread that has not answered.
#[derive(Clone, Debug)]
pub(super) struct Silent {
    pub(super) thread: Thread,
    /// The kernel's number of it.
    pub(super) number: i64,
}

/// Asks every thread that has tasklets, the calling one included if it has a
/// scheduler.
pub(super) fn all<T: Send + 'static>(
    question: impl Fn() -> T + Clone + Send + 'static,
    patience: Duration,
) -> io::Result<Answers<T>> {
    if let Some(scheduler) = local::get() {
        // It is to wait for the answers.
        scheduler.inbox()?;
        scheduler.comes_back();
    }
    let mut answers = Answers {
        given: Vec::new(),
        silent: Vec::new(),
    };
    let now = Instant::now();
    let mut asked = Vec::new();
    // As far as can be known from here, who is away has no tasklets.
    for inbox in Inbox::all().into_iter().filter(|inbox| !inbox.is_away()) {
        let Some(thread) = inbox.thread().cloned() else {
            continue;
        };
        let is_here = thread.id() == std::thread::current().id();
        let number = inbox.thread_number();
        let silent = Silent { thread, number };
        let lain = inbox
            .is_deaf_since()
            .map(|since| now.saturating_duration_since(since));
        if !is_here && lain.is_some_and(|lain| lain >= patience) {
            answers.silent.push(silent);
            continue;
        }
        let lies_there = Arc::new(());
        let left = Arc::downgrade(&lies_there);
        let question = question.clone();
        let answer = ask(&Remote::of(inbox.clone()), move || {
            drop(lies_there);
            question()
        });
        asked.push((inbox, silent, left, answer));
    }
    let deadline = now.checked_add(patience);
    for (inbox, silent, left, answer) in asked {
        // A thread that has ended meanwhile has nothing to tell.
        match answer.wait_until(deadline) {
            Ok(answer) => answers.given.push(answer),
            Err(thread::ReceiveError::Closed) => {}
            Err(thread::ReceiveError::Wait(_)) => {
                inbox.leave_unanswered(left, now);
                answers.silent.push(silent);
            }
        }
    }
    Ok(answers)
}

/// Asks one thread; the answer may be there at once.
pub(super) fn ask<T: Send + 'static>(
    remote: &Remote,
    question: impl FnOnce() -> T + Send + 'static,
) -> Answer<T> {
    let (sender, receiver) = thread::channel(1);
    let question = move || drop(sender.try_send(question()));
    if remote.thread_id() == Some(std::thread::current().id()) {
        question();
    } else {
        remote.run(question);
    }
    Answer(receiver)
}

/// An answer that is on its way.
pub(super) struct Answer<T>(thread::Receiver<T>);

impl<T: Send> Answer<T> {
    /// Waits for it, as long as the scopes around the caller allow.
    #[track_caller]
    pub(super) fn wait(&self) -> Result<T, thread::ReceiveError> {
        self.0.receive()
    }

    /// Waits for it until then, or without a limit.
    fn wait_until(&self, deadline: Option<Instant>) -> Result<T, thread::ReceiveError> {
        if let Ok(answer) = self.0.try_receive() {
            return Ok(answer);
        }
        let answer = match deadline {
            None => self.wait(),
            Some(deadline) => self.0.receive_deadline(deadline),
        };
        // Who could not wait, or not long enough, looks once more.
        answer.or_else(|error| self.0.try_receive().map_err(|_| error))
    }
}
