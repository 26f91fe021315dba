//! Stack overflows and other faults, each in a process of its own.

use super::native;
use greenling::{Builder, on_system_stack, schedule};
use std::os::unix::process::ExitStatusExt;
use tests::child;
use tests::tools::Finished;

/// Recurses with frames that Rust probes page by page.
#[expect(unconditional_recursion, reason = "the stack shall overflow")]
fn recurse(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 64]);
    recurse(depth + 1) + frame[0]
}

/// Asserts that the process died of SIGABRT after a report with all of `words`.
#[track_caller]
fn assert_reported(finished: &Finished, words: &[&str]) {
    let text = finished.text();
    assert_eq!(finished.status.signal(), Some(libc::SIGABRT), "{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is missing in:\n{text}");
    }
}

#[test]
fn an_overflow_names_the_tasklet_its_size_and_the_knob() {
    if child::is("overflow") {
        let handle = Builder::new().name("hungry").spawn(|| recurse(0)).unwrap();
        let _ = handle.join();
        std::process::exit(0);
    }
    let name = "faults::an_overflow_names_the_tasklet_its_size_and_the_knob";
    assert_reported(
        &child::run(name, "overflow", &[]),
        &[
            "(hungry) has overflowed its stack of 192 KiB",
            "with its guard 256 KiB",
            "Builder::stack_size or GREENLING_STACK_SIZE",
        ],
    );
    // The knob turns.
    let larger = child::run(name, "overflow", &[("GREENLING_STACK_SIZE", "1M")]);
    assert_reported(&larger, &["has overflowed its stack of 960 KiB"]);
}

#[test]
fn an_overflow_of_an_unnamed_tasklet_on_another_thread_is_reported_too() {
    if child::is("overflow on a thread") {
        let thread = std::thread::spawn(|| {
            let _ = greenling::spawn(|| recurse(0)).join();
        });
        let _ = thread.join();
        std::process::exit(0);
    }
    let finished = child::run(
        "faults::an_overflow_of_an_unnamed_tasklet_on_another_thread_is_reported_too",
        "overflow on a thread",
        &[],
    );
    assert_reported(&finished, &["(unnamed) has overflowed its stack"]);
}

#[test]
fn c_frames_of_12_kilobytes_can_not_jump_over_the_guard() {
    if child::is("c frames") {
        let neighbours: Vec<_> = (0..4).map(|_| greenling::spawn(schedule)).collect();
        let handle = Builder::new()
            .name("c")
            .spawn(|| native::descend(1000))
            .unwrap();
        let _ = handle.join();
        drop(neighbours);
        std::process::exit(0);
    }
    // A depth that fits is no fault.
    greenling::spawn(|| assert_ne!(native::descend(10), 0))
        .join()
        .unwrap();
    let finished = child::run(
        "faults::c_frames_of_12_kilobytes_can_not_jump_over_the_guard",
        "c frames",
        &[],
    );
    assert_reported(&finished, &["(c) has overflowed its stack of 192 KiB"]);
}

#[test]
#[cfg_attr(greenling_asan, ignore = "the sanitizer has a handler of its own")]
fn a_fault_that_is_not_ours_reaches_the_handler_before_us() {
    if child::is("stray fault") {
        greenling::spawn(native::fault).join().unwrap();
    }
    let finished = child::run(
        "faults::a_fault_that_is_not_ours_reaches_the_handler_before_us",
        "stray fault",
        &[],
    );
    // std's handler knows it neither, and lets the kernel end the process.
    assert_eq!(
        finished.status.signal(),
        Some(libc::SIGSEGV),
        "{}",
        finished.text()
    );
    assert!(!finished.text().contains("greenling: tasklet"));
}

#[test]
#[cfg_attr(greenling_asan, ignore = "the sanitizer has a handler of its own")]
fn an_overflow_of_the_native_stack_is_reported_by_std() {
    if child::is("native overflow") {
        let thread = std::thread::Builder::new()
            .name("shallow".into())
            .stack_size(256 * 1024);
        let thread = thread.spawn(|| greenling::spawn(|| on_system_stack(|| recurse(0))).join());
        let _ = thread.unwrap().join();
        std::process::exit(0);
    }
    let finished = child::run(
        "faults::an_overflow_of_the_native_stack_is_reported_by_std",
        "native overflow",
        &[],
    );
    assert_reported(&finished, &["thread 'shallow'", "has overflowed its stack"]);
    assert!(!finished.text().contains("greenling: tasklet"));
}

#[test]
fn an_overflow_on_a_thread_that_was_not_made_by_std_is_reported() {
    if child::is("foreign thread") {
        native::run_on_pthread(|| {
            let _ = Builder::new()
                .name("abroad")
                .spawn(|| recurse(0))
                .unwrap()
                .join();
        });
        std::process::exit(0);
    }
    let finished = child::run(
        "faults::an_overflow_on_a_thread_that_was_not_made_by_std_is_reported",
        "foreign thread",
        &[],
    );
    assert_reported(&finished, &["(abroad) has overflowed its stack"]);
}

#[test]
fn a_kill_below_a_c_frame_aborts_and_a_guard_prevents_it() {
    if child::is("kill below c") {
        let handle = greenling::spawn(|| native::below_c(&mut greenling::schedule_remove));
        schedule();
        let _ = handle.tasklet().kill();
        std::process::exit(0);
    }
    let finished = child::run(
        "faults::a_kill_below_a_c_frame_aborts_and_a_guard_prevents_it",
        "kill below c",
        &[],
    );
    assert_reported(&finished, &["cannot unwind"]);
    let handle = greenling::spawn(|| {
        let guard = greenling::defer_kill();
        native::below_c(&mut schedule);
        drop(guard);
        schedule();
    });
    schedule();
    handle.tasklet().kill_pending().unwrap();
    assert!(handle.join().unwrap_err().is_killed());
}
