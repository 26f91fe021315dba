//! What a debugger sees of a tasklet's stack.

use greenling::{on_system_stack, schedule};
use std::process::Command;
use tests::{child, tools};

/// Where the debugger stops; kept apart so that it has a name and a frame.
#[inline(never)]
fn stop_here(depth: u32) -> u32 {
    std::hint::black_box(depth) + 1
}

/// The line of that body: release builds have line tables and no more.
const STOP_LINE: u32 = line!() - 4;

#[inline(never)]
fn in_the_tasklet() -> u32 {
    stop_here(1) + std::hint::black_box(1)
}

#[inline(never)]
fn below_the_tasklet() -> u32 {
    on_system_stack(in_the_tasklet) + std::hint::black_box(1)
}

/// Runs the child under gdb up to `stop_here` and returns its backtrace.
fn backtrace(test: &str, part: &str) -> Option<String> {
    let gdb = tools::find(test, "gdb")?;
    let child = child::command(&format!("gdb::{test}"), part);
    let mut command = Command::new(gdb);
    command
        .args(["--batch", "--nx", "-iex", "set debuginfod enabled off"])
        .args(["-ex", "set breakpoint pending on"])
        .args(["-ex", "set print thread-events off"])
        .args([
            "-ex",
            &format!("break gdb.rs:{STOP_LINE}"),
            "-ex",
            "run",
            "-ex",
            "bt",
        ])
        .arg("--args")
        .arg(child.get_program())
        .args(child.get_args());
    for (name, value) in child.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    let text = tools::run(&mut command, b"").text();
    if text.contains("ptrace: Operation not permitted") {
        tools::skip(test, "ptrace is not allowed");
        return None;
    }
    Some(text)
}

/// Asserts that the frames with these names come in this order, that the last
/// of them is the root, and that gdb has no complaint.
#[track_caller]
fn assert_clean(text: &str, names: &[&str]) {
    assert!(!text.contains("corrupt stack"), "{text}");
    assert!(!text.contains("Backtrace stopped"), "{text}");
    let frames: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
    let mut rest = frames.iter();
    for name in names {
        assert!(rest.any(|frame| frame.contains(name)), "{name} in:\n{text}");
    }
    assert_eq!(rest.count(), 0, "the root is last:\n{text}");
}

#[test]
fn a_backtrace_inside_a_tasklet_ends_cleanly_at_the_root() {
    if child::is("gdb in a tasklet") {
        greenling::spawn(|| {
            schedule();
            in_the_tasklet()
        })
        .join()
        .unwrap();
        std::process::exit(0);
    }
    let test = "a_backtrace_inside_a_tasklet_ends_cleanly_at_the_root";
    if let Some(text) = backtrace(test, "gdb in a tasklet") {
        assert_clean(
            &text,
            &["stop_here", "in_the_tasklet", "main_of", "trampoline"],
        );
    }
}

#[test]
fn a_backtrace_on_the_system_stack_ends_cleanly_at_the_tasklets_root() {
    if child::is("gdb on the system stack") {
        greenling::spawn(below_the_tasklet).join().unwrap();
        std::process::exit(0);
    }
    let test = "a_backtrace_on_the_system_stack_ends_cleanly_at_the_tasklets_root";
    if let Some(text) = backtrace(test, "gdb on the system stack") {
        assert_clean(
            &text,
            &[
                "stop_here",
                "in_the_tasklet",
                "call_on",
                "below_the_tasklet",
                "main_of",
                "trampoline",
            ],
        );
    }
}
