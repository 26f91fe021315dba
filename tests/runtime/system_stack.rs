//! Calls on the thread's own stack.

use greenling::{
    Channel, ReceiveError, TaskletError, WaitError, on_system_stack, run, schedule, schedule_remove,
};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use tests::{Trace, isolated};

/// The address of something in the caller's frame.
#[inline(never)]
fn here() -> usize {
    let local = std::hint::black_box(0_u8);
    std::ptr::from_ref(&local) as usize
}

/// True if `address` lies less than a mebibyte below `native`.
fn is_below(address: usize, native: usize) -> bool {
    (native - (1 << 20)..native).contains(&address)
}

#[test]
#[cfg_attr(greenling_asan, ignore = "locals lie on the sanitizer's fake stack")]
fn the_closure_runs_on_the_native_stack_below_mains_frames() {
    isolated(|| {
        let native = here();
        let [inside, outside, after] = greenling::spawn(|| {
            let outside = here();
            let inside = on_system_stack(here);
            [inside, outside, here()]
        })
        .join()
        .unwrap();
        assert!(is_below(inside, native));
        assert!(!is_below(outside, native));
        assert_eq!(outside, after);
        // From main it is a plain call.
        assert!(is_below(on_system_stack(here), native + (1 << 16)));
    });
}

#[test]
fn it_needs_no_scheduler() {
    let value = std::thread::spawn(|| on_system_stack(|| 3)).join().unwrap();
    assert_eq!(value, 3);
}

#[test]
fn large_frames_and_mains_own_frames_survive() {
    isolated(|| {
        let mains = std::hint::black_box([0x5a_u8; 4096]);
        let sum = greenling::Builder::new()
            .stack_size(0)
            .spawn(|| {
                on_system_stack(|| {
                    let large = std::hint::black_box([1_u8; 512 * 1024]);
                    large.iter().map(|&byte| u64::from(byte)).sum::<u64>()
                })
            })
            .unwrap();
        assert_eq!(sum.join().unwrap(), 512 * 1024);
        assert!(mains.iter().all(|&byte| byte == 0x5a));
    });
}

#[test]
fn values_go_in_and_come_out() {
    isolated(|| {
        greenling::spawn(|| {
            let text = String::from("moved in");
            let text = on_system_stack(move || text + " and out");
            assert_eq!(text, "moved in and out");
            let mut borrowed = [1, 2, 3];
            on_system_stack(|| borrowed[1] = 7);
            assert_eq!(borrowed, [1, 7, 3]);
            let large = on_system_stack(|| [9_u8; 10_000]);
            assert!(large.iter().all(|&byte| byte == 9));
            // Nested: the inner one is a plain call.
            assert_eq!(on_system_stack(|| on_system_stack(|| 4)), 4);
        })
        .join()
        .unwrap();
    });
}

#[test]
fn a_panic_passes_through_and_switching_works_again() {
    isolated(|| {
        let trace = Trace::new();
        let inner = trace.clone();
        let handle = greenling::spawn(move || {
            let caught = catch_unwind(AssertUnwindSafe(|| {
                on_system_stack(|| {
                    let _note = inner.on_drop("unwound below");
                    panic_any("through");
                })
            }));
            inner.note(caught.unwrap_err().downcast::<&str>().unwrap());
            schedule();
            on_system_stack(|| panic_any("uncaught"));
        });
        greenling::spawn(trace.noting("other"));
        let error = handle.join().unwrap_err();
        let payload = error.into_panic().downcast::<&str>().unwrap();
        assert_eq!(*payload, "uncaught");
        assert_eq!(trace.take(), "unwound below through other");
    });
}

#[test]
fn a_kill_of_itself_passes_through() {
    isolated(|| {
        let handle = greenling::spawn(|| {
            on_system_stack(|| {
                let _ = greenling::current().kill();
            });
        });
        assert!(handle.join().unwrap_err().is_killed());
        // The trap is gone with it.
        greenling::spawn(schedule).join().unwrap();
    });
}

#[test]
fn a_panic_passes_through_where_nothing_follows_the_call() {
    isolated(|| {
        // The return address is the end of the function, or beyond.
        #[inline(never)]
        fn never_returns() -> std::convert::Infallible {
            on_system_stack(|| panic_any("never"))
        }
        let payload = greenling::spawn(|| {
            let caught = catch_unwind(never_returns);
            *caught.unwrap_err().downcast::<&str>().unwrap()
        });
        assert_eq!(payload.join().unwrap(), "never");
    });
}

#[test]
fn a_backtrace_passes_through_and_ends_at_the_root_of_the_tasklet() {
    isolated(|| {
        #[inline(never)]
        fn on_the_native_stack() -> String {
            std::backtrace::Backtrace::force_capture().to_string()
        }
        #[inline(never)]
        fn on_the_tasklets_stack() -> String {
            on_system_stack(on_the_native_stack)
        }
        let text = greenling::spawn(on_the_tasklets_stack).join().unwrap();
        let below = text
            .find("on_the_native_stack")
            .expect("where it was taken");
        let above = text.find("on_the_tasklets_stack").expect("the caller");
        let root = text.find("main_of").expect("the root");
        assert!(below < above && above < root, "{text}");
        assert!(text[root..].lines().count() < 8, "{text}");
    });
}

#[test]
fn blocking_inside_fails_with_a_switch_trap() {
    isolated(|| {
        for in_tasklet in [false, true] {
            let test = || {
                let trace = Trace::new();
                let other = greenling::spawn(trace.noting("other"));
                on_system_stack(|| {
                    let channel = Channel::<()>::new();
                    assert!(matches!(
                        channel.receive(),
                        Err(ReceiveError::Wait(WaitError::SwitchTrap))
                    ));
                    assert!(matches!(other.wait(), Err(WaitError::SwitchTrap)));
                    assert!(matches!(run(), Err(TaskletError::SwitchTrap)));
                    assert!(matches!(
                        greenling::offload(|| ()),
                        Err(WaitError::SwitchTrap)
                    ));
                    let tasklet = other.tasklet();
                    assert!(matches!(tasklet.run(), Err(TaskletError::SwitchTrap)));
                    assert!(matches!(tasklet.kill(), Err(TaskletError::SwitchTrap)));
                    schedule();
                    schedule_remove();
                    greenling::time::sleep(std::time::Duration::from_secs(3600));
                });
                assert_eq!(trace.take(), "");
                other.join().unwrap();
                assert_eq!(trace.take(), "other");
            };
            if in_tasklet {
                greenling::spawn(test).join().unwrap();
            } else {
                test();
            }
        }
    });
}

#[test]
fn a_nested_switch_trap_does_not_end_with_the_call() {
    isolated(|| {
        let trace = Trace::new();
        greenling::spawn(trace.noting("other"));
        let trap = greenling::switch_trap();
        on_system_stack(|| ());
        schedule();
        assert_eq!(trace.take(), "");
        drop(trap);
        schedule();
        assert_eq!(trace.take(), "other");
    });
}
