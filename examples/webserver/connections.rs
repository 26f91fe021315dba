//! The connections of one worker: how many there may be, and who may be hung up on.
//!
//! ```text
//!   Idle --first byte of a request--> Busy --response complete--> Idle
//!    | |                                |
//!    | +-- shutdown: hang up at once    +---- shutdown: may finish, within the drain time
//!    +-- silent for a while: rests without a tasklet, until a byte comes or the server stops
//! ```
//!
//! Hanging up makes the read that the connection's tasklet waits in fail as if its time were over.
//! The tasklet then looks a last time for a request, and ends in its own way, TLS goodbye included.
//! Killing it would spare none of that, and shutting the socket down would cut the goodbye off.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use greenling::server::Resting;
use greenling::sync::WaitQueue;
use greenling::{Tasklet, WaitError, WaitReason};

use crate::routes::Traffic;

static FREE_SLOT: WaitReason = WaitReason::new("a connection to end, at --max-connections");
static ALL_ENDED: WaitReason = WaitReason::new("the last connection to end");

/// Whether a connection is in the middle of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Handshaking, or waiting for a request.
    Idle,
    /// A request has begun to arrive and its response is not complete.
    Busy,
}

/// All connections of a worker.
#[derive(Debug)]
pub(crate) struct Connections {
    most: usize,
    next_id: Cell<u64>,
    present: RefCell<BTreeMap<u64, Present>>,
    /// Somebody waits for a place, or for the end of all.
    changed: WaitQueue,
    hung_up: Cell<bool>,
    resting: Resting,
    traffic: Arc<Traffic>,
}

#[derive(Debug)]
struct Present {
    /// Who serves it; nobody before the first turn of its tasklet, and while it rests.
    tasklet: Option<Tasklet>,
    phase: Rc<Cell<Phase>>,
}

/// A connection's place; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Place {
    connections: Rc<Connections>,
    id: u64,
    phase: Rc<Cell<Phase>>,
}

impl Connections {
    /// Room for `most` connections, of which none rests for longer than `rest_max`.
    pub(crate) fn new(most: usize, rest_max: Duration, traffic: Arc<Traffic>) -> Rc<Self> {
        Rc::new(Self {
            most,
            next_id: Cell::new(0),
            present: RefCell::default(),
            changed: WaitQueue::new(),
            hung_up: Cell::new(false),
            resting: Resting::new(rest_max),
            traffic,
        })
    }

    fn count(&self) -> usize {
        self.present.borrow().len()
    }

    /// Waits until there is room for another connection. Returns `false` when none is wanted any
    /// more.
    ///
    /// With several accept loops the room may be gone again after `accept`; then the new connection
    /// waits here, accepted but not served.
    pub(crate) fn wait_for_room(&self) -> Result<bool, WaitError> {
        while self.count() >= self.most && !self.hung_up.get() {
            self.changed.wait(&FREE_SLOT, None)?;
        }
        Ok(!self.hung_up.get())
    }

    /// Waits until there is no connection.
    pub(crate) fn wait_for_none(&self) -> Result<(), WaitError> {
        while self.count() > 0 {
            self.changed.wait(&ALL_ENDED, None)?;
        }
        Ok(())
    }

    /// Takes a place for a connection that was accepted.
    pub(crate) fn enter(self: &Rc<Self>) -> Place {
        let id = self.next_id.get();
        self.next_id.set(id + 1);
        let phase = Rc::new(Cell::new(Phase::Idle));
        let present = Present {
            tasklet: None,
            phase: phase.clone(),
        };
        self.present.borrow_mut().insert(id, present);
        self.traffic.count_accepted();
        Place {
            connections: self.clone(),
            id,
            phase,
        }
    }

    /// Ends every connection that is idle. Those that become idle later see
    /// [`is_hung_up`](Place::is_hung_up).
    pub(crate) fn hang_up_idle(&self) {
        self.hung_up.set(true);
        for present in self.present.borrow().values() {
            // One that does not wait any more has something to read, and sees for itself.
            let blocked = present
                .tasklet
                .as_ref()
                .filter(|tasklet| tasklet.is_blocked());
            if let Some(tasklet) = blocked
                && present.phase.get() == Phase::Idle
            {
                let over = io::Error::new(io::ErrorKind::TimedOut, "the server is stopping");
                if let Err(error) = tasklet.throw_pending(over) {
                    log::debug!("hanging up: {error}");
                }
            }
        }
        self.resting.rouse_all();
        self.changed.notify_all();
    }
}

impl Place {
    /// Tells that the calling tasklet serves the connection.
    pub(crate) fn serve_here(&self) {
        if let Some(present) = self.connections.present.borrow_mut().get_mut(&self.id) {
            present.tasklet = Some(greenling::current());
        }
    }

    /// Where the connection can rest; tells that no tasklet serves it meanwhile.
    pub(crate) fn leave(&self) -> Resting {
        if let Some(present) = self.connections.present.borrow_mut().get_mut(&self.id) {
            present.tasklet = None;
        }
        self.connections.resting.clone()
    }

    /// Tells what the connection is doing: `Idle` only right before it waits for the peer.
    pub(crate) fn set(&self, phase: Phase) {
        self.phase.set(phase);
    }

    /// Counts a request.
    pub(crate) fn count_request(&self) {
        self.connections.traffic.count_request();
    }

    /// Whether the connection is to end as soon as it is idle.
    pub(crate) fn is_hung_up(&self) -> bool {
        self.connections.hung_up.get()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let left = self.connections.present.borrow_mut().remove(&self.id);
        self.connections.traffic.count_ended();
        // All: accept loops and the shutdown wait for different things in one queue.
        self.connections.changed.notify_all();
        drop(left);
    }
}
