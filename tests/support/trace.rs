//! What happened, in order.

use std::cell::RefCell;
use std::fmt::Display;
use std::rc::Rc;

/// A list of notes that all tasklets of a test add to. Clones are the same
/// list.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    notes: Rc<RefCell<Vec<String>>>,
}

impl Trace {
    /// An empty list.
    pub fn new() -> Trace {
        Trace::default()
    }

    /// Adds a note.
    pub fn note(&self, what: impl Display) {
        self.notes.borrow_mut().push(what.to_string());
    }

    /// A function that adds `what`: the whole of many a tasklet.
    pub fn noting<W: Display>(&self, what: W) -> impl FnOnce() + use<W> {
        let (trace, what) = (self.clone(), what.to_string());
        move || trace.note(what)
    }

    /// A value that notes when it is dropped.
    pub fn on_drop(&self, what: impl Display) -> NoteOnDrop {
        NoteOnDrop {
            trace: self.clone(),
            what: what.to_string(),
        }
    }

    /// All notes since the last call, with a space between each two.
    pub fn take(&self) -> String {
        std::mem::take(&mut *self.notes.borrow_mut()).join(" ")
    }

    /// All notes since the last call.
    pub fn take_list(&self) -> Vec<String> {
        std::mem::take(&mut *self.notes.borrow_mut())
    }
}

/// Notes when it is dropped; see [`Trace::on_drop`].
#[derive(Debug)]
pub struct NoteOnDrop {
    trace: Trace,
    what: String,
}

impl Drop for NoteOnDrop {
    fn drop(&mut self) {
        self.trace.note(&self.what);
    }
}
