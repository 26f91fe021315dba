//! The atomic flag: who has it, and what it does not do.

use crate::queued;
use greenling::{current, run, schedule};
use tests::{Trace, isolated};

#[test]
fn a_guard_restores_what_the_flag_was_and_guards_nest() {
    isolated(|| {
        let me = current();
        assert!(!me.is_atomic());
        {
            let _outer = me.atomic();
            assert!(me.is_atomic());
            {
                let _inner = me.atomic();
                assert!(me.is_atomic());
            }
            assert!(me.is_atomic(), "what it was before the inner one");
        }
        assert!(!me.is_atomic());
    });
}

#[test]
fn setting_the_flag_returns_what_it_was() {
    isolated(|| {
        let me = current();
        assert!(!me.set_atomic(true));
        assert!(me.set_atomic(true));
        {
            let _guard = me.atomic();
        }
        assert!(me.is_atomic());
        assert!(me.set_atomic(false));
        assert!(!me.set_atomic(false));
        assert!(!me.is_atomic());
    });
}

#[test]
fn a_guard_restores_the_flag_while_its_tasklet_unwinds() {
    isolated(|| {
        let me = current();
        let unwound = std::panic::catch_unwind(|| {
            let _guard = current().atomic();
            std::panic::resume_unwind(Box::new("out"));
        });
        assert!(unwound.is_err());
        assert!(!me.is_atomic());
    });
}

#[test]
fn new_tasklets_do_not_inherit_the_flag() {
    isolated(|| {
        let _guard = current().atomic();
        let trace = Trace::new();
        let inner = trace.clone();
        let worker = queued(move || inner.note(current().is_atomic()));
        assert!(!worker.is_atomic());
        run().unwrap();
        assert_eq!(trace.take(), "false");
    });
}

#[test]
fn an_atomic_tasklet_switches_when_it_wants_to() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        queued(move || {
            let _guard = current().atomic();
            inner.note("A1");
            schedule();
            inner.note("A2");
        });
        queued(trace.noting("B"));
        let _guard = current().atomic();
        run().unwrap();
        assert_eq!(trace.take(), "A1 B A2");
    });
}
