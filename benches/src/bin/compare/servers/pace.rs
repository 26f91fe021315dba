//! Requests that come when they come, whether those before are answered or not, and
//! how long each of them takes.
//!
//! The client never sleeps, so that nobody needs to wake it: what it sees is the
//! server's time, and the kernel's on the way there. A request that finds all
//! connections taken waits, and its time counts from when it was due: a server that
//! stalls is not spared the requests that would have come meanwhile.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use super::{Connection, is_hello};

/// How long answers may be outstanding when no more requests are due.
const SILENCE_MAX: Duration = Duration::from_secs(20);

/// Connections for requests that do not wait for each other.
pub(super) struct Pace {
    lines: Vec<Line>,
    /// Those without a request; the one that has been so for longest is the next.
    free: VecDeque<usize>,
    /// Those that wait for an answer.
    asked: Vec<usize>,
    random: fastrand::Rng,
}

struct Line {
    connection: Connection,
    /// When its request was due.
    due: Instant,
    /// What has come of the answer.
    answer: Vec<u8>,
}

impl Pace {
    pub(super) fn new(connections: Vec<Connection>) -> io::Result<Pace> {
        let now = Instant::now();
        let lines = connections.into_iter().map(|connection| {
            connection.set_nonblocking()?;
            Ok(Line {
                connection,
                due: now,
                answer: Vec::new(),
            })
        });
        let lines: Vec<Line> = lines.collect::<io::Result<_>>()?;
        Ok(Pace {
            free: (0..lines.len()).collect(),
            asked: Vec::new(),
            lines,
            random: fastrand::Rng::with_seed(1),
        })
    }

    /// Sends so many requests a second for so long, at times that know nothing of each
    /// other; returns how long each answer took, the quickest first.
    pub(super) fn play(&mut self, rate: f64, length: Duration) -> io::Result<Vec<Duration>> {
        let mut times = Vec::with_capacity((rate * length.as_secs_f64() * 1.5) as usize);
        let mut next = Instant::now();
        let end = next + length;
        while next < end || !self.asked.is_empty() {
            let now = Instant::now();
            if now > end + SILENCE_MAX {
                return Err(io::ErrorKind::TimedOut.into());
            }
            if next < end
                && next <= now
                && let Some(index) = self.free.pop_front()
            {
                self.lines[index].ask(next)?;
                self.asked.push(index);
                next += self.pause(rate);
            }
            let mut place = 0;
            while let Some(&index) = self.asked.get(place) {
                match self.lines[index].answered()? {
                    Some(time) => {
                        times.push(time);
                        self.free.push_back(index);
                        self.asked.swap_remove(place);
                    }
                    None => place += 1,
                }
            }
        }
        times.sort();
        Ok(times)
    }

    /// The time between two requests: what is left of it never depends on what has
    /// passed.
    fn pause(&mut self, rate: f64) -> Duration {
        Duration::from_secs_f64(-(1.0 - self.random.f64()).ln() / rate)
    }
}

impl Line {
    fn ask(&mut self, due: Instant) -> io::Result<()> {
        self.due = due;
        self.answer.clear();
        self.connection.send()
    }

    /// How long the answer took, once it is there.
    fn answered(&mut self) -> io::Result<Option<Duration>> {
        let mut buffer = [0; 1024];
        match self.connection.read(&mut buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                self.answer.extend_from_slice(&buffer[..count]);
                Ok(is_hello(&self.answer)?.then(|| self.due.elapsed()))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }
}
