//! The same question to every thread, with a time limit.
//!
//! A scheduler answers for itself, between two of its tasklets. All are asked
//! first; then the answers are waited for, so one thread that is held does not
//! keep the others from being heard.

use crate::scheduler::local;
use crate::thread::{self, Remote};
use std::io;
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
    let asked: Vec<_> = thread::threads_at_work()
        .into_iter()
        .filter_map(|remote| {
            let thread = Silent {
                thread: remote.thread()?.clone(),
                number: remote.thread_number(),
            };
            Some((thread, ask(&remote, question.clone())))
        })
        .collect();
    let deadline = Instant::now().checked_add(patience);
    let mut answers = Answers {
        given: Vec::new(),
        silent: Vec::new(),
    };
    for (thread, answer) in asked {
        // A thread that has ended meanwhile has nothing to tell.
        match answer.wait_until(deadline) {
            Ok(answer) => answers.given.push(answer),
            Err(thread::ReceiveError::Closed) => {}
            Err(thread::ReceiveError::Wait(_)) => answers.silent.push(thread),
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
