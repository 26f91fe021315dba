//! Runs scenarios, counts where their victims park, and kills them there.

use greenling::{JoinHandle, ParkAction, WaitReason, schedule, set_park_hook, spawn};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tests::isolated;
use tests::process::open_descriptors;

/// A name for messages, and what plays it.
pub(crate) type Scenario = (&'static str, fn(&Stage));

/// One run of a scenario.
pub(crate) struct Stage {
    state: Rc<State>,
}

struct State {
    /// Where to hit, counted from one, and how.
    hit: Option<(usize, ParkAction)>,
    victim: Cell<Option<u64>>,
    /// Park points of the victim so far.
    parks: Cell<usize>,
    /// Those that `until_parked` has told of.
    seen: Cell<usize>,
    reasons: RefCell<BTreeSet<&'static str>>,
    was_hit: Cell<bool>,
    /// What it was about to wait for may have come from another thread in the
    /// last moment, so that it did not park after all.
    no_park: Cell<bool>,
    is_over: Cell<bool>,
}

/// Set when the victim ends, in whichever way.
struct Over(Rc<State>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.is_over.set(true);
    }
}

impl Stage {
    fn new(hit: Option<(usize, ParkAction)>) -> Stage {
        let state = Rc::new(State {
            hit,
            victim: Cell::new(None),
            parks: Cell::new(0),
            seen: Cell::new(0),
            reasons: RefCell::default(),
            was_hit: Cell::new(false),
            no_park: Cell::new(false),
            is_over: Cell::new(false),
        });
        let hooked = state.clone();
        set_park_hook(Some(Rc::new(move |tasklet, reason| {
            if hooked.victim.get() == Some(tasklet.id()) {
                hooked.at_park(reason)
            } else {
                ParkAction::Continue
            }
        })));
        Stage { state }
    }

    /// Starts the victim.
    pub(crate) fn victim<T: 'static>(&self, f: impl FnOnce() -> T + 'static) -> JoinHandle<T> {
        let over = Over(self.state.clone());
        let handle = spawn(move || {
            let _over = over;
            f()
        });
        self.state.victim.set(Some(handle.tasklet().id()));
        handle
    }

    /// Lets the others run until the victim has parked again since the last
    /// call, and waits, or has ended; false if it has ended.
    pub(crate) fn until_parked(&self) -> bool {
        let state = &*self.state;
        while !self.is_over() && (state.parks.get() == state.seen.get() || self.is_dying()) {
            schedule();
        }
        state.seen.set(state.parks.get());
        !self.is_over()
    }

    /// Sends pieces to a victim that reads them into `got`, one each time that it
    /// has parked, and ends it by closing. What it has kept and what is `left` to
    /// read must be what was sent, wherever it was killed.
    pub(crate) fn feed(
        &self,
        victim: JoinHandle<()>,
        mut to: impl Write,
        got: &RefCell<Vec<u8>>,
        mut left: impl Read,
    ) {
        let mut sent = Vec::new();
        for piece in [&b"ab"[..], b"cdefgh", b"i"] {
            if !self.until_parked() {
                break;
            }
            to.write_all(piece).unwrap();
            sent.extend_from_slice(piece);
        }
        self.until_parked();
        drop(to);
        self.end(victim);
        let mut got = got.take();
        left.read_to_end(&mut got).unwrap();
        assert_eq!(got, sent, "bytes are lost or doubled");
    }

    /// True when the victim will be killed whether it is woken or not.
    fn is_dying(&self) -> bool {
        let at_once = |(_, action)| action == ParkAction::Kill;
        self.state.was_hit.get() && self.state.hit.is_some_and(at_once)
    }

    /// True when the victim has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.state.is_over.get()
    }

    /// Joins the victim. It must have been killed if that was the plan, and
    /// else not.
    pub(crate) fn end<T: 'static>(&self, victim: JoinHandle<T>) -> Option<T> {
        match victim.join() {
            Ok(value) => {
                let was_hit = self.state.was_hit.get();
                assert!(!was_hit || self.state.no_park.get(), "it outlived its kill");
                Some(value)
            }
            Err(error) => {
                assert!(error.is_killed(), "{error:?}");
                assert!(self.state.was_hit.get(), "killed by nobody");
                None
            }
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        set_park_hook(None);
    }
}

impl State {
    fn at_park(&self, reason: &'static WaitReason) -> ParkAction {
        assert!(!std::thread::panicking());
        let parks = self.parks.get() + 1;
        self.parks.set(parks);
        self.reasons.borrow_mut().insert(reason.name());
        match self.hit {
            Some((place, action)) if place == parks => {
                self.was_hit.set(true);
                self.no_park
                    .set(reason.name().starts_with("thread channel"));
                action
            }
            _ => ParkAction::Continue,
        }
    }
}

/// Kills the scenario's victim at each of its park points.
pub(crate) fn kill_at_every_park((name, play): &'static Scenario) {
    one_at_a_time(move || {
        let places = count(*play).0;
        assert!(places > 0, "{name}: its victim never parks");
        let descriptors = open_descriptors();
        for action in [ParkAction::Kill, ParkAction::KillWhenWoken] {
            for place in 1..=places {
                let stage = Stage::new(Some((place, action)));
                play(&stage);
                let at = format!("{name}: {action:?} at {place} of {places}");
                // How often the kernel makes a victim wait may vary a little.
                let was_hit = stage.state.was_hit.get();
                assert!(was_hit || place > 1, "{at}: never came there");
                assert!(stage.is_over(), "{at}: the victim lives on");
                drop(stage);
                check_for_leftovers(&at, descriptors);
            }
        }
    });
}

/// Why the victims of the scenarios park when nobody kills them.
pub(crate) fn reasons_hit(
    scenarios: impl Iterator<Item = &'static Scenario>,
) -> BTreeSet<&'static str> {
    let plays: Vec<_> = scenarios.map(|&(_, play)| play).collect();
    one_at_a_time(move || {
        let reasons = plays.into_iter().map(|play| count(play).1);
        reasons.reduce(|all, more| &all | &more).unwrap_or_default()
    })
}

/// Plays a scenario to its end: how often the victim parks, and why. The first
/// run makes what is made once, such as the reactor and threads of the pool.
fn count(play: fn(&Stage)) -> (usize, BTreeSet<&'static str>) {
    play(&Stage::new(None));
    let stage = Stage::new(None);
    play(&stage);
    assert!(stage.is_over());
    check_for_leftovers("unharmed", open_descriptors());
    let reasons = stage.state.reasons.take();
    (stage.state.parks.get(), reasons)
}

fn check_for_leftovers(at: &str, descriptors: usize) {
    let left = greenling::inspect::tasklets();
    assert_eq!(left.len(), 1, "{at}: more than main is left: {left:?}");
    // A look-up that nobody waits for any more has files open until it ends.
    for _ in 0..1000 {
        if open_descriptors() > descriptors {
            greenling::time::sleep(Duration::from_millis(1));
        }
    }
    assert_eq!(open_descriptors(), descriptors, "{at}: descriptors leak");
    assert!(
        !std::thread::panicking(),
        "{at}: the thread counts as panicking"
    );
    let mutex = Mutex::new(());
    drop(mutex.lock());
    assert!(!mutex.is_poisoned(), "{at}: the panic count is off");
}

/// The process' descriptors are counted, so no two tests run at a time.
fn one_at_a_time<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    isolated(f)
}

/// A test for each scenario of a table.
macro_rules! kill_tests {
    ($($name:ident),* $(,)?) => {
        pub(crate) const SCENARIOS: &[crate::stage::Scenario] =
            &[$((stringify!($name), $name)),*];

        mod killed {
            $(#[test]
            fn $name() {
                let scenario = super::SCENARIOS.iter().find(|(name, _)| *name == stringify!($name));
                crate::stage::kill_at_every_park(scenario.unwrap());
            })*
        }
    };
}

pub(crate) use kill_tests;
