//! Tasklet-local storage.

use crate::queued;
use greenling::{Channel, Tasklet, current, run, schedule, schedule_remove};
use std::cell::{Cell, RefCell};
use tests::{Trace, isolated};

greenling::local! {
    /// How often the tasklet has been here.
    static VISITS: Cell<u32> = Cell::new(0);
    /// Dropped with the tasklet.
    static KEPT: RefCell<Option<Box<dyn Leaves>>> = RefCell::new(None);
    static OUTER: u32 = INNER.get() + 1;
    // The last needs no semicolon, as in std.
    static INNER: u32 = 1
}

/// Something that does something when it is dropped.
trait Leaves {}

struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Leaves for OnDrop<F> {}

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        self.0();
    }
}

fn keep(f: impl FnMut() + 'static) {
    KEPT.with(|kept| *kept.borrow_mut() = Some(Box::new(OnDrop(f))));
}

fn visit() -> u32 {
    VISITS.with(|visits| {
        visits.set(visits.get() + 1);
        visits.get()
    })
}

#[test]
fn each_tasklet_has_a_value_of_its_own_that_outlives_its_switches() {
    isolated(|| {
        let trace = Trace::new();
        for name in ["A", "B"] {
            let trace = trace.clone();
            queued(move || {
                for _ in 0..3 {
                    trace.note(format!("{name}{}", visit()));
                    schedule();
                }
            });
        }
        assert_eq!(visit(), 1);
        run().unwrap();
        assert_eq!(visit(), 2);
        assert_eq!(trace.take(), "A1 B1 A2 B2 A3 B3");
    });
}

#[test]
fn a_value_goes_with_its_tasklet_in_whichever_way_that_ends() {
    type End = fn(&Tasklet);
    let ends: [(&str, End); 3] = [
        ("returns", |tasklet| tasklet.run().unwrap()),
        ("is killed", |tasklet| tasklet.kill().unwrap()),
        ("fails", |tasklet| assert!(tasklet.throw("boom").is_err())),
    ];
    for (name, end) in ends {
        isolated(move || {
            let trace = Trace::new();
            let inner = trace.clone();
            let tasklet = queued(move || {
                let (me, note) = (current(), inner.clone());
                keep(move || note.note(format!("dropped, current: {}", me.is_current())));
                schedule_remove();
                inner.note("returned");
            });
            schedule();
            end(&tasklet);
            let notes = trace.take();
            assert!(notes.ends_with("dropped, current: true"), "{name}: {notes}");
            assert!(!tasklet.is_alive());
        });
    }
}

#[test]
fn the_destructor_of_a_value_may_use_others_but_not_wait() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        queued(move || {
            visit();
            keep(move || {
                // Its own value is gone, or still there: it is this tasklet's.
                inner.note(visit() <= 2);
                inner.note(Channel::<()>::new().receive().is_err());
                queued(inner.noting("spawned"));
            });
        });
        run().unwrap();
        assert_eq!(trace.take(), "true true spawned");
    });
}

#[test]
fn a_value_may_be_made_of_another() {
    isolated(|| {
        assert_eq!(OUTER.get(), 2);
        assert_eq!(greenling::spawn(|| OUTER.get()).join().unwrap(), 2);
    });
}

#[test]
fn a_tasklet_that_is_bound_anew_begins_with_new_values() {
    isolated(|| {
        let trace = Trace::new();
        let tasklet = Tasklet::unbound();
        for _ in 0..2 {
            let inner = trace.clone();
            tasklet.bind(move || inner.note(visit())).unwrap();
            tasklet.run().unwrap();
        }
        assert_eq!(trace.take(), "1 1");
    });
}
