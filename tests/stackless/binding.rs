//! Giving tasklets functions, and taking them away again.

use crate::queued;
use greenling::{
    Channel, Tasklet, TaskletError, current, main_tasklet, run, schedule, schedule_remove, spawn,
};
use tests::{Trace, isolated};

#[test]
fn a_bound_tasklet_is_paused_and_runs_when_it_is_run() {
    isolated(|| {
        let trace = Trace::new();
        let tasklet = Tasklet::unbound();
        tasklet.bind(trace.noting("ran")).unwrap();
        assert!(tasklet.is_paused() && !tasklet.is_scheduled());
        run().unwrap();
        assert_eq!(trace.take(), "", "it is not queued");
        tasklet.run().unwrap();
        assert_eq!(trace.take(), "ran");
    });
}

#[test]
fn a_tasklet_without_a_function_is_not_alive_and_can_not_be_run() {
    isolated(|| {
        let tasklet = Tasklet::unbound();
        assert!(!tasklet.is_alive());
        for refused in [
            tasklet.run(),
            tasklet.switch(),
            tasklet.insert(),
            tasklet.throw("boom"),
            tasklet.throw_pending("boom"),
        ] {
            assert!(matches!(refused, Err(TaskletError::Dead)));
        }
        tasklet.remove().unwrap();
        tasklet.kill().unwrap();
        tasklet.unbind().unwrap();
    });
}

#[test]
fn a_paused_tasklet_that_never_started_can_be_bound_to_another_function() {
    isolated(|| {
        let trace = Trace::new();
        let dropped = trace.on_drop("first dropped");
        let tasklet = Tasklet::new(move || drop(dropped));
        let id = tasklet.id();
        tasklet.bind(trace.noting("second")).unwrap();
        assert_eq!(trace.take(), "first dropped");
        tasklet.insert().unwrap();
        run().unwrap();
        assert_eq!(trace.take(), "second");
        assert_eq!(tasklet.id(), id);
    });
}

#[test]
fn unbinding_forgets_a_function_that_never_started() {
    isolated(|| {
        let trace = Trace::new();
        let dropped = trace.on_drop("dropped");
        let tasklet = Tasklet::new(move || drop(dropped));
        tasklet.unbind().unwrap();
        assert_eq!(trace.take(), "dropped");
        assert!(!tasklet.is_alive() && !tasklet.is_paused());
        assert!(matches!(tasklet.run(), Err(TaskletError::Dead)));
        tasklet.unbind().unwrap();
        tasklet.bind(trace.noting("bound again")).unwrap();
        tasklet.run().unwrap();
        assert_eq!(trace.take(), "bound again");
        tasklet.unbind().unwrap();
    });
}

#[test]
fn a_stack_with_frames_on_it_can_not_be_unbound_only_killed() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        let started = queued(move || {
            let _note = inner.on_drop("unwound");
            schedule_remove();
        });
        schedule();
        assert!(started.is_paused());
        assert!(matches!(started.unbind(), Err(TaskletError::Bound)));
        assert!(matches!(started.bind(|| ()), Err(TaskletError::Bound)));
        assert_eq!(trace.take(), "");
        started.kill().unwrap();
        assert_eq!(trace.take(), "unwound");
    });
}

#[test]
fn the_current_a_queued_and_a_blocked_tasklet_can_not_be_bound_nor_unbound() {
    isolated(|| {
        let trace = Trace::new();
        let scheduled = queued(trace.noting("scheduled"));
        assert!(matches!(scheduled.unbind(), Err(TaskletError::Scheduled)));
        assert!(matches!(
            scheduled.bind(|| ()),
            Err(TaskletError::Scheduled)
        ));
        let channel = Channel::<()>::new();
        let waiting = channel.clone();
        let blocked = queued(move || waiting.receive().unwrap());
        schedule();
        assert!(matches!(blocked.unbind(), Err(TaskletError::Blocked)));
        assert!(matches!(blocked.bind(|| ()), Err(TaskletError::Blocked)));
        assert!(matches!(current().unbind(), Err(TaskletError::Current)));
        assert!(matches!(current().bind(|| ()), Err(TaskletError::Current)));
        channel.send(()).unwrap();
        assert_eq!(trace.take(), "scheduled");
        let refused = spawn(|| [main_tasklet().unbind(), main_tasklet().bind(|| ())]);
        for refused in refused.join().unwrap() {
            assert!(matches!(refused, Err(TaskletError::Blocked)));
        }
        queued(|| {
            // Paused: it is inside `run`.
            assert!(main_tasklet().is_paused());
            assert!(main_tasklet().unbind().is_err() && main_tasklet().bind(|| ()).is_err());
            assert!(main_tasklet().is_alive());
        });
        run().unwrap();
    });
}

#[test]
fn a_spawned_tasklet_keeps_its_function_for_the_sake_of_its_join_handle() {
    isolated(|| {
        let handle = spawn(|| 5);
        let tasklet = handle.tasklet();
        tasklet.remove().unwrap();
        assert!(tasklet.unbind().is_err());
        assert!(tasklet.bind(|| ()).is_err());
        assert!(tasklet.is_paused());
        tasklet.insert().unwrap();
        assert_eq!(handle.join().unwrap(), 5);
    });
}

#[test]
fn what_was_thrown_at_a_function_that_never_started_goes_with_it() {
    isolated(|| {
        let trace = Trace::new();
        for kill in [true, false] {
            let tasklet = queued(trace.noting("first"));
            if kill {
                tasklet.kill_pending().unwrap();
            } else {
                tasklet.throw_pending("boom").unwrap();
            }
            tasklet.remove().unwrap();
            tasklet.bind(trace.noting("second")).unwrap();
            tasklet.insert().unwrap();
            run().unwrap();
            assert_eq!(trace.take(), "second");
        }
    });
}
