//! Tests that change the whole process, and what can be seen of it.

use crate::child;

/// Runs `f` in a process of its own, started with `test`, the calling test's
/// full name.
///
/// # Panics
///
/// When the child fails or does not end, or no test has that name.
#[track_caller]
pub fn alone(test: &str, f: impl FnOnce()) {
    alone_with(test, &[], f);
}

/// As [`alone`], for an `f` that exits with tasklets suspended: to a sanitizer,
/// what only their stacks refer to is leaked.
///
/// # Panics
///
/// As `alone`.
#[track_caller]
pub fn alone_until_exit(test: &str, f: impl FnOnce()) {
    let environment = (
        "ASAN_OPTIONS",
        "detect_stack_use_after_return=1:detect_leaks=0",
    );
    alone_with(test, &[environment], f);
}

#[track_caller]
fn alone_with(test: &str, environment: &[(&str, &str)], f: impl FnOnce()) {
    if child::is(test) {
        return f();
    }
    let finished = child::run(test, test, environment).success();
    let text = finished.text();
    assert!(text.contains("1 passed"), "no test is named {test}: {text}");
}

/// The process' open descriptors.
///
/// # Panics
///
/// When `/proc` is not mounted.
pub fn open_descriptors() -> usize {
    let entries = std::fs::read_dir("/proc/self/fd").expect("/proc is mounted");
    // One of them is the directory itself.
    entries.count() - 1
}
