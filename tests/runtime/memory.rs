//! When memory is short, or locked.

use greenling::{Builder, schedule};
use std::fs;
use tests::child;

/// Runs this test again for `part`, and demands success.
#[track_caller]
fn in_child(name: &str, part: &str) {
    let path = format!("memory::{name}");
    child::run(&path, part, &[]).success();
}

/// A number of kilobytes from /proc/self/status, in bytes.
fn status(field: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with(field)).unwrap();
    let kilobytes = line.split_whitespace().nth(1).unwrap();
    kilobytes.parse::<u64>().unwrap() * 1024
}

/// Lets the address space grow by `more` bytes and no further.
fn limit_address_space(more: u64) {
    let limit = status("VmSize:") + more;
    nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_AS, limit, limit).unwrap();
}

#[test]
#[cfg_attr(greenling_asan, ignore = "the sanitizer needs address space itself")]
fn a_slab_that_can_not_be_had_is_halved_until_it_can() {
    if child::is("halved") {
        // The first slab asks for gigabytes.
        limit_address_space(64 << 20);
        let handles: Vec<_> = (0..100)
            .map(|n| {
                Builder::new()
                    .spawn(move || {
                        schedule();
                        n
                    })
                    .unwrap()
            })
            .collect();
        for (n, handle) in handles.into_iter().enumerate() {
            assert_eq!(handle.join().unwrap(), n);
        }
        std::process::exit(0);
    }
    in_child(
        "a_slab_that_can_not_be_had_is_halved_until_it_can",
        "halved",
    );
}

#[test]
#[cfg_attr(greenling_asan, ignore = "the sanitizer needs address space itself")]
fn a_builder_returns_the_error_when_no_stack_can_be_had_and_goes_on_when_one_can() {
    if child::is("nothing") {
        limit_address_space(32 << 20);
        let mut parked = Vec::new();
        let error = loop {
            match Builder::new().spawn(greenling::schedule_remove) {
                Ok(handle) => parked.push(handle),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), std::io::ErrorKind::OutOfMemory);
        assert!(parked.len() >= 16, "{}", parked.len());
        // `spawn` panics then.
        assert!(std::panic::catch_unwind(|| greenling::spawn(|| ())).is_err());
        // The closure of a failed spawn is dropped.
        let witness = std::rc::Rc::new(());
        let inside = witness.clone();
        let failed = Builder::new().spawn(move || drop(inside));
        assert!(failed.is_err());
        assert_eq!(std::rc::Rc::strong_count(&witness), 1);
        // Those that live are none the worse, and their stacks are used again.
        schedule();
        for handle in parked.drain(..) {
            handle.tasklet().kill().unwrap();
        }
        assert_eq!(Builder::new().spawn(|| 5).unwrap().join().unwrap(), 5);
        std::process::exit(0);
    }
    in_child(
        "a_builder_returns_the_error_when_no_stack_can_be_had_and_goes_on_when_one_can",
        "nothing",
    );
}

#[test]
#[cfg_attr(greenling_asan, ignore = "the sanitizer needs address space itself")]
fn a_first_stack_that_can_not_be_had_is_an_error_too() {
    if child::is("first") {
        let _ = greenling::current();
        limit_address_space(100 << 10);
        let refused = Builder::new().spawn(|| ()).is_err();
        let refused_large = Builder::new().stack_size(1 << 30).spawn(|| ()).is_err();
        std::process::exit(if refused && refused_large { 0 } else { 1 });
    }
    in_child("a_first_stack_that_can_not_be_had_is_an_error_too", "first");
}

#[test]
fn with_all_memory_locked_stacks_are_guarded_all_the_same() {
    if child::is("locked") {
        if !super::native::lock_everything() {
            // The limit of the environment, not of the code under test.
            println!("can not lock");
            std::process::exit(0);
        }
        let handles: Vec<_> = (0..50)
            .map(|n| {
                Builder::new()
                    .name("locked")
                    .spawn(move || {
                        schedule();
                        n
                    })
                    .unwrap()
            })
            .collect();
        for (n, handle) in handles.into_iter().enumerate() {
            assert_eq!(handle.join().unwrap(), n);
        }
        let deep = Builder::new()
            .name("locked")
            .spawn(|| super::native::descend(1000));
        let _ = deep.unwrap().join();
        std::process::exit(1);
    }
    let finished = child::run(
        "memory::with_all_memory_locked_stacks_are_guarded_all_the_same",
        "locked",
        &[],
    );
    let text = finished.text();
    if text.contains("can not lock") {
        return tests::tools::skip("with_all_memory_locked", "RLIMIT_MEMLOCK is too low");
    }
    assert!(text.contains("(locked) has overflowed its stack"), "{text}");
}
