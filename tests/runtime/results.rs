//! Closures and results of every shape, dropped exactly once.

use std::cell::Cell;
use std::rc::Rc;
use tests::isolated;

/// Counts how many of its kind exist.
#[derive(Debug)]
struct Counted<const N: usize> {
    alive: Rc<Cell<i32>>,
    body: [u8; N],
}

impl<const N: usize> Counted<N> {
    fn new(alive: &Rc<Cell<i32>>) -> Counted<N> {
        alive.set(alive.get() + 1);
        Counted {
            alive: alive.clone(),
            body: [N as u8; N],
        }
    }

    fn check(&self) {
        assert!(self.body.iter().all(|&byte| byte == N as u8));
    }
}

impl<const N: usize> Drop for Counted<N> {
    fn drop(&mut self) {
        self.alive.set(self.alive.get() - 1);
    }
}

/// The ways in which a tasklet's value may find its end.
fn every_way<const N: usize>() {
    let alive = Rc::new(Cell::new(0));
    let make = |alive: &Rc<Cell<i32>>| {
        let captured = Counted::<N>::new(alive);
        move || {
            captured.check();
            captured
        }
    };
    // Joined.
    let value = greenling::spawn(make(&alive)).join().unwrap();
    value.check();
    assert_eq!(alive.get(), 1);
    drop(value);
    assert_eq!(alive.get(), 0, "{N}: joined");
    // Detached before it runs.
    drop(greenling::spawn(make(&alive)));
    greenling::schedule();
    assert_eq!(alive.get(), 0, "{N}: detached");
    // Ended, then the handle is dropped.
    let handle = greenling::spawn(make(&alive));
    greenling::schedule();
    assert_eq!(alive.get(), 1);
    drop(handle);
    assert_eq!(alive.get(), 0, "{N}: dropped in the handle");
    // Waited for, then joined.
    let handle = greenling::spawn(make(&alive));
    handle.wait().unwrap();
    handle.wait().unwrap();
    handle.join().unwrap().check();
    assert_eq!(alive.get(), 0, "{N}: waited for");
    // Killed before it runs.
    let handle = greenling::spawn(make(&alive));
    handle.tasklet().kill().unwrap();
    assert_eq!(alive.get(), 0, "{N}: killed");
    assert!(handle.join().unwrap_err().is_killed());
    // Killed while it holds the value.
    let inner = make(&alive);
    let handle = greenling::spawn(move || {
        let value = inner();
        greenling::schedule_remove();
        value
    });
    greenling::schedule();
    handle.tasklet().kill().unwrap();
    assert_eq!(alive.get(), 0, "{N}: killed with the value");
    drop(handle);
    // As a panic's payload, as far as payloads go: they must be Send.
    let handle = greenling::spawn(|| std::panic::panic_any([N as u8; N]));
    let payload = handle.join().unwrap_err().into_panic();
    assert_eq!(*payload.downcast::<[u8; N]>().unwrap(), [N as u8; N]);
}

#[test]
fn values_of_every_size_are_dropped_exactly_once() {
    isolated(|| {
        every_way::<0>();
        every_way::<1>();
        every_way::<23>();
        every_way::<24>();
        every_way::<25>();
        every_way::<500>();
        every_way::<2000>();
        every_way::<2048>();
        every_way::<3000>();
        every_way::<10_000>();
    });
}

#[test]
fn zero_sized_values_are_dropped_exactly_once() {
    isolated(|| {
        thread_local! {
            static DROPPED: Cell<u32> = const { Cell::new(0) };
        }
        struct Nothing;
        impl Drop for Nothing {
            fn drop(&mut self) {
                DROPPED.set(DROPPED.get() + 1);
            }
        }
        drop(greenling::spawn(|| Nothing).join().unwrap());
        drop(greenling::spawn(|| Nothing));
        greenling::schedule();
        let handle = greenling::spawn(|| Nothing);
        greenling::schedule();
        drop(handle);
        assert_eq!(DROPPED.get(), 3);
        greenling::spawn(|| ()).join().unwrap();
    });
}

#[test]
fn over_aligned_closures_and_results_are_aligned() {
    isolated(|| {
        #[repr(align(64))]
        #[derive(Clone, Copy, PartialEq, Debug)]
        struct Line([u8; 64]);
        #[repr(align(4096))]
        struct Page([u8; 1]);
        #[repr(align(32))]
        struct Empty;
        fn aligned<T>(value: &T) -> bool {
            (std::ptr::from_ref(value) as usize).is_multiple_of(align_of::<T>())
        }
        let (line, page, empty) = (Line([7; 64]), Page([1]), Empty);
        let handle = greenling::spawn(move || {
            assert!(aligned(&line) && aligned(&page) && aligned(&empty));
            assert_eq!(page.0, [1]);
            (line, empty)
        });
        let result = handle.join().unwrap();
        assert!(aligned(&result.0) && aligned(&result.1));
        assert_eq!(result.0, Line([7; 64]));
        assert!(aligned(&greenling::spawn(|| Empty).join().unwrap()));
    });
}

#[test]
fn locals_of_a_tasklet_are_as_aligned_as_any() {
    isolated(|| {
        for _ in 0..32 {
            greenling::spawn(|| {
                #[repr(align(64))]
                struct Line([u8; 64]);
                let line = std::hint::black_box(Line([3; 64]));
                assert!((std::ptr::from_ref(&line) as usize).is_multiple_of(64));
                assert_eq!(line.0[63], 3);
                // Aligned moves of the C library and of formatting would fault.
                assert_eq!(
                    format!("{:.3}", std::hint::black_box(1.0_f64 / 3.0)),
                    "0.333"
                );
            });
        }
        greenling::run().unwrap();
    });
}
