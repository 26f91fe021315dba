//! Tasklets of other threads: what can be asked of them, and who goes on.

use crate::{Told, queued};
use greenling::thread::{Remote, RemoteTasklet, Sender, channel, remote, threads};
use greenling::{Channel, Tasklet, run, run_count, schedule, schedule_remove, turn};
use std::cell::RefCell;
use std::sync::mpsc;
use std::thread::{JoinHandle, ThreadId};
use std::time::Duration;
use tests::{Trace, isolated};

thread_local! {
    /// Handles that a thread keeps, to tell what has become of its tasklets.
    static KEPT: RefCell<Vec<Tasklet>> = const { RefCell::new(Vec::new()) };
}

fn keep(tasklet: Tasklet) -> RemoteTasklet {
    let remote = tasklet.remote().unwrap();
    KEPT.with_borrow_mut(|kept| kept.push(tasklet));
    remote
}

fn kept() -> Tasklet {
    KEPT.with_borrow(|kept| kept[0].clone())
}

/// Another thread, whose scheduler serves until it is told to end.
pub(crate) struct Home {
    pub(crate) remote: Remote,
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Home {
    pub(crate) fn new() -> Home {
        let (stop, stopped) = channel::<()>(0);
        let (tell, told) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            greenling::enter(|| {
                tell.send(remote().unwrap()).unwrap();
                stopped.receive().unwrap_err();
            });
        });
        Home {
            remote: told.recv().unwrap(),
            stop,
            thread,
        }
    }

    pub(crate) fn id(&self) -> ThreadId {
        self.thread.thread().id()
    }

    /// What `f` returns there. It comes after all that was asked before, and
    /// its tasklet runs after those that this has queued.
    pub(crate) fn ask<T: Send + 'static>(&self, f: impl FnOnce() -> T + Send + 'static) -> T {
        self.remote.spawn(f).join().unwrap()
    }

    /// Has what `f` asks for arrive there all at once: its thread is inside a
    /// tasklet meanwhile, and looks at nothing.
    fn hold_up(&self, f: impl FnOnce()) {
        let (entered, wait) = mpsc::channel();
        let (go, going) = mpsc::channel();
        let holder = self.remote.spawn(move || {
            entered.send(()).unwrap();
            going.recv().unwrap();
        });
        wait.recv().unwrap();
        f();
        go.send(()).unwrap();
        holder.join().unwrap();
    }

    pub(crate) fn end(self) {
        drop(self.stop);
        self.thread.join().unwrap();
    }
}

#[test]
fn a_foreign_tasklet_that_is_run_or_inserted_runs_on_its_own_thread() {
    isolated(|| {
        let home = Home::new();
        for insert in [true, false] {
            let (tell, told) = mpsc::channel();
            let report = move || tell.send(std::thread::current().id()).unwrap();
            let tasklet = home.ask(|| keep(Tasklet::new(report)));
            assert_eq!(tasklet.thread_id(), Some(home.id()));
            if insert {
                tasklet.insert().unwrap();
            } else {
                tasklet.run().unwrap();
            }
            assert_eq!(told.recv().unwrap(), home.id());
        }
        home.end();
    });
}

#[test]
fn foreign_inserts_append_and_a_foreign_run_goes_first() {
    isolated(|| {
        let home = Home::new();
        let told = Told::default();
        let paused = ["A", "B", "C"].map(|name| {
            let told = told.clone();
            home.ask(move || keep(Tasklet::new(move || told.note(name))))
        });
        home.hold_up(|| {
            paused[0].insert().unwrap();
            paused[1].insert().unwrap();
            paused[2].run().unwrap();
        });
        home.ask(|| ());
        assert_eq!(told.take(), ["C", "A", "B"]);
        home.end();
    });
}

#[test]
fn a_foreign_insert_or_remove_leaves_the_count_of_this_thread_alone() {
    isolated(|| {
        let home = Home::new();
        let told = Told::default();
        let notes = told.clone();
        let paused = home.ask(move || keep(Tasklet::new(move || notes.note("ran"))));
        let mine = queued(|| ());
        home.hold_up(|| {
            paused.insert().unwrap();
            paused.remove().unwrap();
            assert_eq!(run_count(), 2);
        });
        assert!(home.ask(|| kept().is_paused()));
        assert!(told.take().is_empty());
        paused.insert().unwrap();
        assert!(home.ask(|| !kept().is_alive()));
        assert_eq!(told.take(), ["ran"]);
        run().unwrap();
        assert!(!mine.is_alive());
        home.end();
    });
}

#[test]
fn a_foreign_kill_or_throw_is_a_pending_one() {
    isolated(|| {
        let home = Home::new();
        for kill in [true, false] {
            let told = Told::default();
            let (notes, here) = (told.clone(), Trace::new());
            let target = home.ask(move || {
                let channel = Channel::<()>::new();
                keep(queued(move || {
                    let received = channel.receive();
                    notes.note(received.unwrap_err());
                }))
            });
            assert!(home.ask(|| KEPT.with_borrow(|kept| kept.last().unwrap().is_blocked())));
            queued(here.noting("others here"));
            if kill {
                target.kill().unwrap();
            } else {
                target.throw("boom").unwrap();
            }
            here.note("caller");
            assert!(home.ask(|| KEPT.with_borrow(|kept| !kept.last().unwrap().is_alive())));
            let expected: &[&str] = match kill {
                true => &[],
                false => &["an error was thrown at the tasklet: boom"],
            };
            assert_eq!(told.take(), expected);
            run().unwrap();
            assert_eq!(here.take(), "caller others here");
        }
        home.end();
    });
}

#[test]
fn what_a_foreign_tasklet_is_in_no_state_for_is_not_done() {
    isolated(|| {
        let home = Home::new();
        let blocked = home.ask(|| {
            let channel = Channel::<()>::new();
            keep(queued(move || drop(channel.receive())))
        });
        assert!(home.ask(|| kept().is_blocked()));
        blocked.insert().unwrap();
        blocked.run().unwrap();
        blocked.remove().unwrap();
        assert!(home.ask(|| kept().is_blocked()));
        blocked.kill().unwrap();
        assert!(home.ask(|| !kept().is_alive()));
        blocked.insert().unwrap();
        blocked.throw("too late").unwrap();
        blocked.kill().unwrap();
        assert!(home.ask(|| !kept().is_alive()));
        home.end();
    });
}

#[test]
fn a_hand_over_between_threads_never_switches_and_queues_the_partner_last() {
    isolated(|| {
        let trace = Trace::new();
        let (sender, receiver) = channel::<&str>(1);
        let inner = trace.clone();
        let receiving = queued(move || inner.note(receiver.receive().unwrap()));
        schedule();
        queued(trace.noting("X"));
        sender.send("value").unwrap();
        trace.note("main");
        while receiving.is_alive() {
            schedule();
        }
        assert_eq!(trace.take(), "main X value");
    });
}

#[test]
fn threads_are_listed_in_the_order_of_their_making_and_tell_of_themselves() {
    isolated(|| {
        let here = greenling::thread::remote().unwrap();
        let home = Home::new();
        let all = threads().unwrap();
        let place = |id| all.iter().position(|it| it.thread_id() == Some(id));
        let mine = place(std::thread::current().id()).unwrap();
        assert!(mine < place(home.id()).unwrap());
        assert_eq!(here.thread_id(), Some(std::thread::current().id()));
        let info = home.remote.info().unwrap();
        assert_eq!(info.main.id(), home.ask(|| greenling::main_tasklet().id()));
        assert_eq!(info.main.thread_id(), Some(home.id()));
        assert_eq!(info.run_count, 0, "its main waits");
        queued(|| ());
        let info = here.info().unwrap();
        assert_eq!((info.current.id(), info.run_count), (info.main.id(), 2));
        let (gone, id) = (home.remote.clone(), home.id());
        home.end();
        assert_eq!(gone.thread_id(), None);
        assert!(gone.info().is_err());
        let all = threads().unwrap();
        assert!(all.iter().all(|it| it.thread_id() != Some(id)));
    });
}

#[test]
fn a_switch_trap_does_not_concern_what_other_threads_do_later() {
    isolated(|| {
        let home = Home::new();
        let told = Told::default();
        let notes = told.clone();
        let tasklet = home.ask(move || keep(Tasklet::new(move || notes.note("ran"))));
        {
            let _trap = greenling::switch_trap();
            tasklet.run().unwrap();
        }
        home.ask(|| ());
        assert_eq!(told.take(), ["ran"]);
        home.end();
    });
}

#[test]
fn while_another_thread_knows_a_tasklet_there_is_no_deadlock() {
    isolated(|| {
        let channel = Channel::new();
        let sending = channel.clone();
        let tasklet = Tasklet::new(move || sending.send(5).unwrap());
        let known = tasklet.remote().unwrap();
        let other = std::thread::spawn(move || known.insert().unwrap());
        assert_eq!(channel.receive().unwrap(), 5);
        other.join().unwrap();
        // Nobody is left who could insert anything.
        assert!(channel.receive().is_err());
    });
}

#[test]
fn a_paused_tasklet_lives_as_long_as_another_thread_knows_it() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        let tasklet = Tasklet::new(move || {
            let _note = inner.on_drop("unwound");
            schedule_remove();
            inner.note("resumed");
        });
        tasklet.run().unwrap();
        let known = tasklet.remote().unwrap();
        drop(tasklet);
        run().unwrap();
        assert_eq!(trace.take(), "");
        drop(known);
        while trace.take().is_empty() {
            // The last to know it says so by the inbox.
            run().unwrap();
        }
        assert_eq!(run().unwrap().paused, 0);
    });
}

#[test]
fn a_main_tasklet_can_not_be_killed_from_another_thread_either() {
    isolated(|| {
        let home = Home::new();
        let main = home.ask(|| greenling::main_tasklet().remote().unwrap());
        main.kill().unwrap();
        // It serves as before.
        assert_eq!(home.ask(|| 5), 5);
        home.end();
    });
}

#[test]
fn a_request_for_a_tasklet_that_has_ended_does_not_meet_the_next_in_its_place() {
    isolated(|| {
        let trace = Trace::new();
        let old = Tasklet::new(|| ());
        let late = old.remote().unwrap();
        old.run().unwrap();
        drop(old);
        let next = Tasklet::new(trace.noting("next"));
        late.insert().unwrap();
        late.kill().unwrap();
        turn(Some(Duration::ZERO)).unwrap();
        assert!(next.is_paused());
        next.run().unwrap();
        assert_eq!(trace.take(), "next");
    });
}
