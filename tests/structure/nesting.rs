//! Timeouts, tokens and shields, nested at random: who reports the end of a wait.
//!
//! Deadlines lie far ahead or in the past, and tokens are cancelled before a
//! wait or by another tasklet during it, so nothing depends on the clock. The
//! model: a wait ends by the earliest of all ends around it, up to a shield, and all
//! that are not later have ended it.

use greenling::time::{CancelToken, deadline, shield, timeout_at};
use greenling::{Channel, ReceiveError, WaitError, schedule, spawn};
use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};
use tests::isolated;

const NESTINGS: u64 = 3_000;

const TOKENS: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Report {
    /// How a wait has ended.
    TimedOut,
    Cancelled,
    /// Which scope has ended a wait, or none.
    Elapsed(usize),
    Token(usize),
    Unharmed(usize),
}

/// When an end comes: what is past in that order, before tokens in the order
/// in which they were cancelled; `None` never.
type Due = Option<u64>;

#[derive(Clone, Copy)]
enum End {
    Time(Due),
    Token(usize),
    Shield,
}

struct Run {
    random: Cell<u64>,
    /// Before it all past deadlines lie.
    start: Instant,
    tokens: Vec<CancelToken>,
    /// Of the model: when each was cancelled.
    cancelled: RefCell<[Due; TOKENS]>,
    cancels: Cell<u64>,
    /// Of the model: the scopes around, and whether they have ended a wait.
    scopes: RefCell<Vec<(End, bool)>>,
    real: RefCell<Vec<Report>>,
    expected: RefCell<Vec<Report>>,
}

/// Tokens are later than all deadlines in the past.
const TOKEN_TIME: u64 = 1_000_000;

impl Run {
    fn new(seed: u64) -> Run {
        let root = CancelToken::new();
        let child = root.child();
        let tokens = vec![root, child.clone(), child.child(), CancelToken::new()];
        Run {
            random: Cell::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            start: Instant::now(),
            tokens,
            cancelled: RefCell::default(),
            cancels: Cell::new(0),
            scopes: RefCell::default(),
            real: RefCell::default(),
            expected: RefCell::default(),
        }
    }

    fn below(&self, bound: u64) -> u64 {
        let mut x = self.random.get();
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        self.random.set(x);
        (x >> 33) % bound
    }

    /// Runs something random, in `depth` scopes at most.
    fn play(&self, depth: usize) {
        for _ in 0..1 + self.below(3) {
            match self.below(8) {
                0..=3 if depth > 0 => self.scope(depth),
                4 => self.cancel(self.below(TOKENS as u64) as usize),
                _ => self.wait(),
            }
        }
    }

    fn scope(&self, depth: usize) {
        let mark = self.scopes.borrow().len();
        let end = match self.below(7) {
            0 => End::Time(Some(self.below(3) + 10)),
            1 | 2 => End::Time(None),
            3 => End::Shield,
            _ => End::Token(self.below(TOKENS as u64) as usize),
        };
        self.scopes.borrow_mut().push((end, false));
        let (real, ended) = match end {
            End::Time(due) => {
                let ago = |due| self.start - Duration::from_secs(100) + Duration::from_secs(due);
                let at = due.map_or(self.start + Duration::from_secs(3600), ago);
                let result = timeout_at(at, || self.play(depth - 1));
                (result.is_err(), Report::Elapsed(mark))
            }
            End::Token(token) => {
                let result = self.tokens[token].run(|| self.play(depth - 1));
                (result.is_err(), Report::Token(mark))
            }
            End::Shield => {
                shield(|| self.play(depth - 1));
                (false, Report::Unharmed(mark))
            }
        };
        let (_, expected) = self.scopes.borrow_mut().pop().unwrap();
        let report = |ended_it| {
            if ended_it {
                ended
            } else {
                Report::Unharmed(mark)
            }
        };
        self.real.borrow_mut().push(report(real));
        self.expected.borrow_mut().push(report(expected));
    }

    /// Cancels a token, and its children, unless they are.
    fn cancel(&self, token: usize) {
        let now = self.cancels.get();
        self.cancels.set(now + 1);
        // The second is the first's child, and the third the second's.
        let family = if token < 3 { token..3 } else { token..TOKENS };
        for due in &mut self.cancelled.borrow_mut()[family] {
            due.get_or_insert(TOKEN_TIME + now);
        }
        let before = Instant::now();
        while Instant::now() == before {}
        self.tokens[token].cancel();
        assert!(self.tokens[token].is_cancelled());
    }

    fn due(&self, end: End) -> Due {
        match end {
            End::Time(due) => due,
            End::Token(token) => self.cancelled.borrow()[token],
            End::Shield => None,
        }
    }

    /// The first scope that is not behind a shield.
    fn first_open(&self) -> usize {
        let scopes = self.scopes.borrow();
        let shield = scopes
            .iter()
            .rposition(|(end, _)| matches!(end, End::Shield));
        shield.map_or(0, |shield| shield + 1)
    }

    /// Waits for what never comes, if anything may end that.
    fn wait(&self) {
        let first_open = self.first_open();
        let dues = || {
            let scopes = self.scopes.borrow();
            let dues: Vec<_> = scopes[first_open..]
                .iter()
                .filter_map(|&(end, _)| self.due(end))
                .collect();
            dues.into_iter().min()
        };
        let mut canceller = None;
        if dues().is_none() {
            let scopes = self.scopes.borrow();
            let mut tokens = scopes[first_open..]
                .iter()
                .filter_map(|&(end, _)| match end {
                    End::Token(token) => Some(token),
                    End::Time(_) | End::Shield => None,
                });
            let Some(token) = tokens.next() else {
                return;
            };
            drop(scopes);
            canceller = Some(token);
        }
        let error = greenling::scope(|s| {
            let never = Channel::<()>::new();
            if let Some(token) = canceller {
                let before = (self.below(2) == 0).then(|| self.below(TOKENS as u64) as usize);
                s.spawn(move || {
                    // It may stand behind a shield, and must end nothing then.
                    if let Some(before) = before {
                        self.cancel(before);
                        schedule();
                    }
                    self.cancel(token);
                });
            }
            never.receive().unwrap_err()
        });
        let ReceiveError::Wait(error) = error else {
            panic!("{error:?}");
        };
        self.real.borrow_mut().push(match error {
            WaitError::TimedOut => Report::TimedOut,
            WaitError::Cancelled => Report::Cancelled,
            error => panic!("{error:?}"),
        });
        let first = dues().unwrap();
        let mut report = Report::TimedOut;
        let depth = self.scopes.borrow().len();
        for at in first_open..depth {
            let (end, _) = self.scopes.borrow()[at];
            if self.due(end).is_some_and(|due| due <= first) {
                self.scopes.borrow_mut()[at].1 = true;
                if matches!(end, End::Token(_)) {
                    report = Report::Cancelled;
                }
            }
        }
        self.expected.borrow_mut().push(report);
    }
}

#[test]
fn random_nestings_report_as_the_model_does() {
    isolated(|| {
        for seed in 0..NESTINGS {
            let run = Run::new(seed);
            spawn_scoped(|| run.play(5));
            let (real, expected) = (run.real.take(), run.expected.take());
            assert_eq!(real, expected, "seed {seed}");
        }
    });
}

/// Runs it on a tasklet that has no scopes but its own.
fn spawn_scoped(f: impl FnOnce()) {
    greenling::scope(|s| s.spawn(f).join().unwrap());
}

#[test]
fn clean_up_behind_a_shield_takes_its_time_but_not_from_a_kill() {
    isolated(|| {
        let cleaned = timeout_at(Instant::now(), || {
            let never = Channel::<()>::new();
            assert!(never.receive().is_err());
            assert!(deadline().is_some());
            let answer = Channel::new();
            let cleaner = answer.clone();
            spawn(move || cleaner.send("done").unwrap());
            let answered = shield(|| {
                assert_eq!(deadline(), None);
                answer.receive().unwrap()
            });
            // The shield is gone.
            assert!(never.receive().is_err());
            answered
        });
        assert_eq!(cleaned.unwrap_err().into_inner(), "done");

        let token = CancelToken::new();
        token.cancel();
        let tasklet = spawn(move || token.run(|| shield(|| Channel::<()>::new().receive())));
        schedule();
        tasklet.tasklet().kill().unwrap();
        assert!(tasklet.join().unwrap_err().is_killed());
    });
}

#[test]
fn a_token_that_is_cancelled_during_a_shielded_wait_ends_the_next_one() {
    isolated(|| {
        let token = CancelToken::new();
        let answer = Channel::new();
        let (under, from) = (token.clone(), answer.clone());
        let tasklet = spawn(move || {
            under.run(|| {
                let answered = shield(|| from.receive());
                (answered, from.receive())
            })
        });
        schedule();
        token.cancel();
        schedule();
        answer.send("done").unwrap();
        let (answered, later) = tasklet.join().unwrap().unwrap_err().into_inner();
        assert_eq!(answered.unwrap(), "done");
        assert!(matches!(
            later,
            Err(ReceiveError::Wait(WaitError::Cancelled))
        ));
    });
}

#[test]
fn what_is_inherited_by_nobody() {
    isolated(|| {
        let token = CancelToken::new();
        token.cancel();
        let child = token.run(|| spawn(greenling::time::deadline)).unwrap();
        assert_eq!(
            child.join().unwrap(),
            None,
            "scopes are those of their tasklet"
        );
    });
}
