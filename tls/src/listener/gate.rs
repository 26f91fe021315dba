//! How many handshakes run at once.
//!
//! ```text
//!   first step of a handshake --- a place is free ---------------> inside --+
//!            |                                                      ^       |
//!            +-- none is free --> in line -- admitted by one who leaves <---+
//! ```
//!
//! A place goes straight to the next in line. Who was admitted and is killed
//! before it runs passes the place on.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::rc::{Rc, Weak};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use greenling::sync::WaitQueue;

use crate::error::Error;
use crate::waits;

thread_local! {
    /// The gates of this thread's listeners. A stream is `Send`, so it holds no
    /// pointer to its gate but the number; on another thread it finds none.
    static GATES: RefCell<HashMap<u64, Weak<Gate>>> = RefCell::default();
}

/// Lets a limited number of handshakes through.
pub(super) struct Gate {
    pub(super) id: u64,
    pub(super) max: Cell<usize>,
    inside: Cell<usize>,
    /// Those who were let in and have not run yet count as inside.
    waiting: WaitQueue,
    admitted: Cell<usize>,
    in_line: Cell<usize>,
}

impl Gate {
    pub(super) fn open() -> Rc<Gate> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let gate = Rc::new(Gate {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            max: Cell::new(usize::MAX),
            inside: Cell::new(0),
            waiting: WaitQueue::new(),
            admitted: Cell::new(0),
            in_line: Cell::new(0),
        });
        // A thread that is ending has no gates: its listener has no limit.
        let _ = GATES.try_with(|gates| gates.borrow_mut().insert(gate.id, Rc::downgrade(&gate)));
        gate
    }

    fn leave(&self) {
        // The place goes straight to the next in line, if there is one.
        if self.waiting.notify_one() {
            self.admitted.set(self.admitted.get() + 1);
        } else {
            self.inside.set(self.inside.get() - 1);
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = GATES.try_with(|gates| gates.borrow_mut().remove(&self.id));
    }
}

/// A place inside the gate, for the time of a handshake.
pub(crate) struct Permit(Rc<Gate>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// Waits for a place inside the gate `id`; `None` if there is no such gate on
/// this thread.
pub(crate) fn enter_gate(id: u64, deadline: Option<Instant>) -> Result<Option<Permit>, Error> {
    let find = |gates: &RefCell<HashMap<u64, Weak<Gate>>>| gates.borrow().get(&id)?.upgrade();
    let Some(gate) = GATES.try_with(find).ok().flatten() else {
        return Ok(None);
    };
    if gate.inside.get() < gate.max.get() {
        gate.inside.set(gate.inside.get() + 1);
        return Ok(Some(Permit(gate)));
    }
    gate.in_line.set(gate.in_line.get() + 1);
    let mut place = Place {
        gate: &gate,
        served: false,
    };
    gate.waiting
        .wait(&waits::HANDSHAKE_PERMIT, deadline)
        .map_err(|error| Error::from(io::Error::from(error)))?;
    place.served = true;
    drop(place);
    Ok(Some(Permit(gate)))
}

/// A tasklet in line. If it was admitted and then killed before it ran, its place
/// passes on.
struct Place<'a> {
    gate: &'a Gate,
    served: bool,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let gate = self.gate;
        gate.in_line.set(gate.in_line.get() - 1);
        if self.served {
            gate.admitted.set(gate.admitted.get() - 1);
            return;
        }
        // Those in line who are no longer in the queue were admitted. If that is
        // fewer than were admitted, this one was.
        let gone = gate.in_line.get() - gate.waiting.len();
        if gone < gate.admitted.get() {
            gate.admitted.set(gate.admitted.get() - 1);
            gate.leave();
        }
    }
}
