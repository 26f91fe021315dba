//! Connections that wait without a tasklet, for dumps and metrics of their thread.
//!
//! Whoever keeps such connections announces the place where they lie. What they
//! wait for is asked of the kernel when somebody looks, so that to be seen costs
//! them nothing.

use crate::sys;
use std::cell::RefCell;
use std::fmt::Write as _;
use std::os::fd::RawFd;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

/// Where connections of one thread wait without tasklets.
pub(crate) trait RestingPlace {
    /// How many wait there.
    fn count(&self) -> usize;

    /// Those who have waited longest, up to so many, longest first.
    fn eldest(&self, most: usize) -> Vec<Rest>;
}

/// A connection that waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rest {
    /// The descriptor that it waits for.
    pub(crate) descriptor: RawFd,
    pub(crate) since: Instant,
}

thread_local! {
    static PLACES: RefCell<Vec<Weak<dyn RestingPlace>>> = const { RefCell::new(Vec::new()) };
}

/// From now on the thread's dumps and metrics tell of `place`, as long as it exists.
pub(crate) fn announce_place(place: &Rc<impl RestingPlace + 'static>) {
    let place = Rc::downgrade(place);
    // A thread that is ending is not looked at any more.
    let _ = PLACES.try_with(|places| {
        let mut places = places.borrow_mut();
        places.retain(|place| place.strong_count() > 0);
        places.push(place);
    });
}

fn places() -> Vec<Rc<dyn RestingPlace>> {
    let upgraded = PLACES.try_with(|places| {
        let places = places.borrow();
        places.iter().filter_map(Weak::upgrade).collect()
    });
    upgraded.unwrap_or_default()
}

/// How many connections of this thread wait without a tasklet.
pub(super) fn count() -> usize {
    places().iter().map(|place| place.count()).sum()
}

/// Some of those connections, as they were at the moment of the dump.
#[derive(Debug, Default)]
pub(super) struct Resters {
    all: usize,
    /// Descriptor, peer and time.
    eldest: Vec<(RawFd, Option<String>, Duration)>,
}

/// The connections of this thread that have waited longest, up to so many.
pub(super) fn resters(most: usize) -> Resters {
    let places = places();
    let mut rests: Vec<_> = places.iter().flat_map(|place| place.eldest(most)).collect();
    rests.sort_by_key(|rest| rest.since);
    rests.truncate(most);
    let of = |rest: Rest| {
        let peer = sys::peer_of(rest.descriptor);
        (rest.descriptor, peer, rest.since.elapsed())
    };
    Resters {
        all: places.iter().map(|place| place.count()).sum(),
        eldest: rests.into_iter().map(of).collect(),
    }
}

/// Appends what there is to say of them to `text`: nothing, if there are none.
pub(super) fn print(text: &mut String, resters: &Resters, indent: &str) {
    let Resters { all, eldest } = resters;
    if *all == 0 {
        return;
    }
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "{indent}connections at rest, without a tasklet: {all}"
    );
    for (descriptor, peer, time) in eldest {
        let peer = peer.as_deref().unwrap_or("unknown");
        let _ = writeln!(
            text,
            "{indent}  descriptor {descriptor}, peer {peer}, for {time:.3?}"
        );
    }
    let others = all - eldest.len();
    if others > 0 {
        let _ = writeln!(text, "{indent}  and {others} that came later");
    }
}
