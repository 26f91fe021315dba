//! Functions that change threads until they start, or are dropped unrun.
//!
//! Both threads' movers pick from the same tasklets. What was asked of each is
//! noted under a lock that is held while it is asked, so that the account at
//! the end knows what must have come of it:
//!
//! | asked of it | what comes of it |
//! |---|---|
//! | nothing but to move, insert, remove, run | it has run |
//! | a kill or throw before anything could start it | it has not run |
//! | both | it has run, or not |
//! | and then everybody has let go of it | the same, or dropped unrun |

use super::exchange::{is_ours, some_time};
use super::{Interruption, Side};
use crate::stress::Random;
use greenling::thread::RemoteTasklet;
use greenling::time::{Elapsed, sleep, timeout};
use greenling::{JoinHandle, Tasklet, TaskletError, schedule, schedule_remove};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How many tasklets there are to pick from.
const POOL: usize = 16;

/// How many turns each thread's mover has in a round.
const TURNS: usize = 8_000;

/// The ways in which a function may wait; the last is not at all.
const WAYS: u64 = 4;
const NO_WAIT: u64 = WAYS - 1;

/// What has become of a function.
#[derive(Debug, Default)]
struct Fate {
    ran: AtomicUsize,
    dropped: AtomicUsize,
    asked: Mutex<Asked>,
}

/// What was asked of a tasklet.
#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    to_start: bool,
    to_end: bool,
    /// To end, when nothing could have started it.
    ended_first: bool,
    let_go: bool,
    /// How often it has moved.
    moves: usize,
}

/// What can be asked of it besides moving.
#[derive(Clone, Copy, Debug)]
enum Request {
    Kill,
    Throw,
    Insert,
    Run,
    Remove,
}

impl Fate {
    fn is_over(&self) -> bool {
        self.dropped.load(Ordering::SeqCst) > 0
    }

    fn note(&self, change: impl FnOnce(&mut Asked)) {
        change(&mut self.asked.lock().unwrap());
    }

    /// Checks what has come of it.
    fn account(&self) {
        let asked = *self.asked.lock().unwrap();
        let ran = self.ran.load(Ordering::SeqCst);
        assert_eq!(self.dropped.load(Ordering::SeqCst), 1, "{self:?}");
        let may_run = asked.to_start && !asked.ended_first;
        let must_run = !asked.to_end && !asked.let_go;
        assert!(ran <= usize::from(may_run), "{self:?}");
        assert!(ran >= usize::from(must_run), "{self:?}");
    }
}

/// Lives in the function.
struct Token(Arc<Fate>);

impl Drop for Token {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

/// A tasklet that both threads may reach.
struct Movable {
    remote: RemoteTasklet,
    fate: Arc<Fate>,
}

impl Movable {
    /// A new one of this thread, which waits in one way or another.
    fn new(way: u64) -> Movable {
        let fate = Arc::new(Fate::default());
        let token = Token(fate.clone());
        let tasklet = Tasklet::new_send(move || {
            token.0.ran.fetch_add(1, Ordering::SeqCst);
            match way {
                0 => schedule(),
                1 => schedule_remove(),
                2 => sleep(Duration::from_micros(50)),
                _ => assert_eq!(way, NO_WAIT),
            }
        });
        Movable {
            remote: tasklet.remote().unwrap(),
            fate,
        }
    }

    /// Asks one thing of it; true if it was asked.
    fn ask(&self, side: &Side, request: Request) -> bool {
        let mut asked = self.fate.asked.lock().unwrap();
        let accepted = match request {
            Request::Kill => self.remote.kill(),
            Request::Throw => self.remote.throw(Interruption),
            // What was killed may come back from a pause only in the end.
            _ if asked.to_end => return false,
            Request::Insert => self.remote.insert(),
            Request::Run => self.remote.run(),
            Request::Remove => self.remote.remove(),
        };
        match request {
            Request::Insert | Request::Run => asked.to_start = true,
            Request::Remove => {}
            Request::Kill | Request::Throw => {
                asked.ended_first |= !asked.to_start;
                asked.to_end = true;
            }
        }
        if let Err(error) = accepted {
            // No thread has ended, so whatever has become of it, it has a home.
            side.round
                .fail(format!("{request:?} failed: {error}; {asked:?}"));
        }
        true
    }

    /// Takes it over, and hands it on to the other thread if `on` is set.
    fn bring_here(&self, side: &Side, limit: Option<Duration>, on: bool) {
        let was_here = self.remote.thread_id() == side.round.home(side.me).thread_id();
        let take_over = || self.remote.bind_thread();
        let taken_over = match limit {
            Some(limit) => timeout(limit, take_over).unwrap_or_else(Elapsed::into_inner),
            None => take_over(),
        };
        let handed_on = taken_over.and_then(|tasklet| {
            let moves = usize::from(!was_here);
            self.fate.note(|asked| asked.moves += moves);
            if on {
                tasklet.bind_thread(side.round.home(side.other()))?;
                self.fate.note(|asked| asked.moves += 1);
            }
            Ok(())
        });
        if let Err(error) = handed_on
            && !self.may_refuse(&error)
        {
            let fate = &self.fate;
            side.round.fail(format!("a move failed: {error}; {fate:?}"));
        }
    }

    fn may_refuse(&self, error: &TaskletError) -> bool {
        let asked = *self.fate.asked.lock().unwrap();
        match error {
            TaskletError::Wait(error) => is_ours(error),
            TaskletError::Blocked => asked.to_start,
            TaskletError::Pinned | TaskletError::Scheduled | TaskletError::Dead => {
                asked.to_start || asked.to_end
            }
            _ => false,
        }
    }

    /// Has it come to its end. The first request may only bring back what was
    /// removed, and the next what has removed itself.
    fn finish(&self, side: &Side) {
        while !self.fate.is_over() {
            if let Err(error) = self.remote.insert() {
                return side.round.fail(format!("it can't be inserted: {error}"));
            }
            self.fate.note(|asked| asked.to_start = true);
            sleep(Duration::from_micros(100));
        }
    }
}

/// The tasklets that move, and all that ever did.
pub(super) struct Movers {
    pool: Mutex<Vec<Arc<Movable>>>,
    kept: Mutex<Vec<Arc<Movable>>>,
    fates: Mutex<Vec<Arc<Fate>>>,
    turns: [AtomicUsize; 2],
}

impl Movers {
    pub(super) fn new() -> Movers {
        Movers {
            pool: Mutex::default(),
            kept: Mutex::default(),
            fates: Mutex::default(),
            turns: Default::default(),
        }
    }

    /// Starts the mover of a thread.
    pub(super) fn start(&self, side: &Side, place: usize) -> JoinHandle<()> {
        let mover = side.clone();
        side.keep_at(place, "mover", move |random| {
            mover.round.movers.move_about(&mover, random);
        })
    }

    fn move_about(&self, side: &Side, mut random: Random) {
        let turns = &self.turns[side.me];
        while turns.fetch_add(1, Ordering::SeqCst) < TURNS {
            let movable = self.pick(&mut random);
            let request = match random.below(24) {
                0 => Request::Kill,
                1 => Request::Throw,
                2 => Request::Insert,
                3 => Request::Run,
                4 | 5 => Request::Remove,
                which => {
                    let limit = (which < 10).then(|| some_time(&mut random));
                    movable.bring_here(side, limit, which % 2 == 0);
                    continue;
                }
            };
            side.round.count(movable.ask(side, request));
        }
    }

    /// One of the pool: a new one if its turn has come or it is over.
    fn pick(&self, random: &mut Random) -> Arc<Movable> {
        let mut pool = self.pool.lock().unwrap();
        let place = random.below(POOL as u64) as usize;
        let found = pool.get(place).cloned();
        if let Some(found) = found
            && !found.fate.is_over()
            && random.below(32) > 0
        {
            return found;
        }
        let movable = Arc::new(Movable::new(random.below(WAYS)));
        self.fates.lock().unwrap().push(movable.fate.clone());
        if place >= pool.len() {
            pool.push(movable.clone());
            return movable;
        }
        let before = std::mem::replace(&mut pool[place], movable.clone());
        drop(pool);
        if random.below(2) == 0 {
            before.fate.note(|asked| asked.let_go = true);
        } else {
            self.kept.lock().unwrap().push(before);
        }
        movable
    }

    /// Has everything come to its end, while both threads live.
    pub(super) fn finish(&self, side: &Side) {
        side.round.settle();
        for list in [&self.pool, &self.kept] {
            let movables = std::mem::take(&mut *list.lock().unwrap());
            movables.iter().for_each(|movable| movable.finish(side));
        }
        // Nobody asks anything of those that were let go.
        let fates = self.fates.lock().unwrap().clone();
        while !fates.iter().all(|fate| fate.is_over()) {
            sleep(Duration::from_micros(100));
        }
    }

    /// Leaves some to the end of the threads, on both and on the way.
    pub(super) fn leave_some(&self, side: &Side) {
        for number in 0..POOL {
            let movable = Arc::new(Movable::new(NO_WAIT));
            if number % 2 == 0 {
                movable.bring_here(side, None, true);
            }
            self.kept.lock().unwrap().push(movable);
        }
    }

    /// What is not over, for reports of failures.
    pub(super) fn unfinished(&self) -> String {
        let fates = self.fates.lock().unwrap();
        let unfinished: Vec<_> = fates.iter().filter(|fate| !fate.is_over()).collect();
        format!("functions that are not over: {unfinished:?}")
    }

    /// Checks what has come of all of them, now that both threads have ended,
    /// and returns how often they have moved.
    pub(super) fn account(&self) -> usize {
        for movable in std::mem::take(&mut *self.kept.lock().unwrap()) {
            // It has ended with its thread, unless it never reached that.
            match movable.remote.bind_thread() {
                Ok(tasklet) => {
                    movable.fate.note(|asked| asked.to_start = true);
                    tasklet.run().unwrap();
                }
                Err(TaskletError::Dead) => movable.fate.note(|asked| asked.let_go = true),
                Err(error) => panic!("{error}"),
            }
            movable.fate.account();
        }
        let fates = self.fates.lock().unwrap();
        fates.iter().for_each(|fate| fate.account());
        let moves = fates.iter().map(|fate| fate.asked.lock().unwrap().moves);
        moves.sum()
    }
}
