//! What AddressSanitizer shall find on the stacks of tasklets, each in a
//! process of its own. A build that has not told it of the stacks reports
//! nothing, or something else.

use greenling::schedule;
use std::cell::Cell;
use std::hint::black_box;
use std::rc::Rc;
use tests::child;

/// Runs the test `name` again to play `part`, and demands that it dies of a
/// report with these words.
#[track_caller]
fn assert_found(name: &str, part: &str, words: &[&str]) {
    let finished = child::run(&format!("sanitizer::{name}"), part, &[]);
    let text = finished.text();
    assert!(!finished.status.success(), "{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is missing in:\n{text}");
    }
}

#[inline(never)]
fn overrun(length: usize) -> u8 {
    let local = black_box([1_u8; 16]);
    let past = local.as_ptr().wrapping_add(length);
    // SAFETY: none: this is what shall be found.
    unsafe { past.read_volatile() }
}

#[test]
fn an_overrun_of_a_local_of_a_tasklet() {
    if child::is("overrun") {
        greenling::spawn(|| overrun(black_box(16))).join().unwrap();
        std::process::exit(0);
    }
    assert_found(
        "an_overrun_of_a_local_of_a_tasklet",
        "overrun",
        &["stack-buffer-overflow", "overrun", "'local'"],
    );
}

#[test]
fn an_overrun_on_the_native_stack_on_behalf_of_a_tasklet() {
    if child::is("native overrun") {
        let task = greenling::spawn(|| greenling::on_system_stack(|| overrun(black_box(16))));
        task.join().unwrap();
        std::process::exit(0);
    }
    assert_found(
        "an_overrun_on_the_native_stack_on_behalf_of_a_tasklet",
        "native overrun",
        &["stack-buffer-overflow", "overrun", "'local'"],
    );
}

/// Parks with the address of a local in `shared`, and returns.
#[inline(never)]
fn lend(shared: &Cell<*const u8>) {
    let local = black_box([1_u8; 16]);
    shared.set(local.as_ptr());
    schedule();
    black_box(&local);
}

#[test]
fn a_local_of_another_tasklet_whose_frame_has_returned() {
    if child::is("returned") {
        let shared = Rc::new(Cell::new(std::ptr::null()));
        let theirs = shared.clone();
        let lender = greenling::spawn(move || {
            lend(&theirs);
            schedule();
        });
        schedule();
        // SAFETY: the lender is parked inside `lend`.
        assert_eq!(unsafe { shared.get().read_volatile() }, 1);
        println!("lent");
        schedule();
        // SAFETY: none: `lend` has returned, and this shall be found.
        unsafe { shared.get().read_volatile() };
        lender.join().unwrap();
        std::process::exit(0);
    }
    assert_found(
        "a_local_of_another_tasklet_whose_frame_has_returned",
        "returned",
        &["lent", "stack-use-after-return"],
    );
}

#[test]
fn a_block_that_only_a_suspended_tasklet_knows_is_no_leak_and_others_are() {
    if child::is("parked") {
        let parked = greenling::Tasklet::new(|| {
            let block = black_box(vec![1_u8; 1000]);
            greenling::schedule_remove();
            drop(block);
        });
        parked.run().unwrap();
        std::mem::forget(parked);
        return;
    }
    if child::is("leak") {
        greenling::spawn(|| std::mem::forget(black_box(vec![1_u8; 1000])))
            .join()
            .unwrap();
        return;
    }
    let name = "a_block_that_only_a_suspended_tasklet_knows_is_no_leak_and_others_are";
    child::run(&format!("sanitizer::{name}"), "parked", &[]).success();
    assert_found(name, "leak", &["LeakSanitizer", "1000 byte(s)"]);
}
