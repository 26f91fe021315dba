//! Backtraces of suspended tasklets name the functions in which they stand.

use greenling::inspect::{self, backtrace};
use greenling::{Channel, Tasklet, main_tasklet, on_system_stack, schedule, schedule_remove};
use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;
use tests::isolated;

#[inline(never)]
fn innermost_wait(channel: &Channel<u32>) -> u32 {
    black_box(channel.receive().unwrap_or(0))
}

#[inline(never)]
fn middle_of_it(channel: &Channel<u32>) -> u32 {
    black_box(innermost_wait(channel)) + 1
}

#[inline(never)]
fn outermost_call(channel: &Channel<u32>) -> u32 {
    black_box(middle_of_it(channel)) + 1
}

/// Asserts that these names come in this order, each on a line of its own.
#[track_caller]
fn assert_order(text: &str, names: &[&str]) {
    let mut lines = text.lines();
    for name in names {
        assert!(lines.any(|line| line.contains(name)), "{name} in:\n{text}");
    }
}

#[test]
fn a_tasklet_on_a_channel_shows_who_called_whom() {
    isolated(|| {
        let channel = Channel::new();
        let theirs = channel.clone();
        let handle = greenling::spawn(move || outermost_call(&theirs));
        schedule();
        let trace = backtrace(&handle.tasklet()).unwrap();
        let text = trace.to_string();
        assert_order(
            &text,
            &[
                "innermost_wait",
                "middle_of_it",
                "outermost_call",
                "closure",
            ],
        );
        assert!(text.contains("inspect/backtraces.rs:"), "{text}");
        // Neither the scheduler above nor the root below is of interest.
        assert!(!text.contains("src/scheduler/"), "{text}");
        assert!(!text.contains("main_of"), "{text}");
        let all = format!("{trace:#}");
        assert_order(&all, &["innermost_wait", "outermost_call", "main_of"]);
        // It has not run, and nothing has happened to it.
        channel.send(40).unwrap();
        assert_eq!(handle.join().unwrap(), 42);
    });
}

#[test]
fn what_has_not_started_or_has_ended_has_no_backtrace() {
    isolated(|| {
        assert!(backtrace(&Tasklet::unbound()).is_none());
        let paused = Tasklet::new(|| ());
        assert!(backtrace(&paused).is_none());
        paused.insert().unwrap();
        assert!(backtrace(&paused).is_none());
        schedule();
        assert!(backtrace(&paused).is_none(), "it has ended");
    });
}

#[inline(never)]
fn asks_for_itself() -> String {
    black_box(backtrace(&greenling::current()).unwrap().to_string())
}

#[test]
fn the_running_tasklet_shows_where_it_asks() {
    isolated(|| {
        let text = greenling::spawn(asks_for_itself).join().unwrap();
        assert_order(&text, &["asks_for_itself"]);
        let first = text.lines().next().unwrap();
        assert!(first.contains("asks_for_itself"), "{text}");
    });
}

#[inline(never)]
fn asks_below() -> String {
    on_system_stack(|| black_box(backtrace(&greenling::current()).unwrap().to_string()))
}

#[test]
fn one_that_asks_on_the_system_stack_is_seen_through() {
    isolated(|| {
        let text = greenling::spawn(asks_below).join().unwrap();
        assert_order(&text, &["asks_below"]);
    });
}

#[inline(never)]
fn main_waits_here(channel: &Channel<String>) -> String {
    black_box(channel.receive().unwrap())
}

#[test]
fn a_suspended_main_is_seen_from_a_tasklet_and_from_the_system_stack() {
    isolated(|| {
        let channel = Channel::new();
        let theirs = channel.clone();
        greenling::spawn(move || {
            let main = main_tasklet();
            let direct = backtrace(&main).unwrap().to_string();
            let below = on_system_stack(|| backtrace(&main).unwrap().to_string());
            assert_eq!(direct, below);
            theirs.send(direct).unwrap();
        });
        let text = main_waits_here(&channel);
        assert_order(&text, &["main_waits_here", "isolated"]);
    });
}

#[inline(never)]
fn goes_down(depth: u32) -> u32 {
    if depth == 0 {
        schedule_remove();
        return 0;
    }
    black_box(goes_down(depth - 1)) + 1
}

#[test]
fn a_deep_recursion_is_cut_off() {
    isolated(|| {
        let task = greenling::spawn(|| goes_down(300));
        schedule();
        let trace = backtrace(&task.tasklet()).unwrap();
        let length = trace.addresses().len();
        assert!((150..=300).contains(&length), "{length} frames");
        task.tasklet().insert().unwrap();
        assert_eq!(task.join().unwrap(), 300);
    });
}

/// Takes the backtraces of all others when it is dropped.
struct Looks(Rc<RefCell<String>>);

impl Drop for Looks {
    fn drop(&mut self) {
        *self.0.borrow_mut() = looks_around();
    }
}

#[inline(never)]
fn looks_around() -> String {
    let mut text = Vec::new();
    let options = inspect::DumpOptions::new().backtraces(true);
    inspect::dump_with(&mut text, &options).unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn a_dump_from_a_destructor_while_unwinding() {
    isolated(|| {
        let seen = Rc::new(RefCell::new(String::new()));
        let (channel, looks) = (Channel::new(), Looks(seen.clone()));
        let theirs = channel.clone();
        let waiting = greenling::spawn(move || outermost_call(&theirs));
        let dying = greenling::spawn(move || {
            let _looks = looks;
            schedule_remove();
        });
        schedule();
        dying.tasklet().kill().unwrap();
        let text = seen.borrow().clone();
        assert_order(&text, &["innermost_wait", "outermost_call", "looks_around"]);
        channel.send(0).unwrap();
        assert_eq!(waiting.join().unwrap(), 2);
    });
}

/// A callback between two tasklets runs on the stack of the one that is left,
/// while the other counts as current.
#[test]
fn a_schedule_callback_sees_the_tasklet_that_is_left_as_running() {
    isolated(|| {
        let seen = Rc::new(RefCell::new(Vec::new()));
        let theirs = seen.clone();
        greenling::set_schedule_callback(Some(Rc::new(move |left, next| {
            let (left, next) = (backtrace(left), backtrace(next));
            let text = |trace: Option<inspect::Backtrace>| trace.map(|it| it.to_string());
            theirs.borrow_mut().push((text(left), text(next)));
        })));
        let channel = Channel::new();
        let sender = channel.clone();
        greenling::spawn(move || sender.send(1).unwrap());
        assert_eq!(innermost_wait(&channel), 1);
        greenling::set_schedule_callback(None);
        let seen = seen.borrow();
        let (left, next) = &seen[0];
        assert_order(left.as_ref().unwrap(), &["innermost_wait"]);
        assert!(next.is_none(), "it has not started");
        let (left, next) = &seen[1];
        assert_order(left.as_ref().unwrap(), &["closure"]);
        assert_order(next.as_ref().unwrap(), &["innermost_wait"]);
    });
}
