//! The bare switch, without a scheduler.

use super::*;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

/// A heap block used as a stack; big enough for a panic's formatting.
struct HeapStack(Vec<u128>);

impl HeapStack {
    fn new() -> Self {
        let block = vec![0u128; 16 * 1024];
        #[cfg(greenling_asan)]
        sanitizer::stack_handed_out(block.as_ptr().cast(), size_of_val(&*block));
        HeapStack(block)
    }

    fn top(&mut self) -> *mut u8 {
        self.0.as_mut_ptr_range().end.cast()
    }
}

#[cfg(greenling_asan)]
impl Drop for HeapStack {
    fn drop(&mut self) {
        sanitizer::stacks_unmapped(self.0.as_ptr().cast(), size_of_val(&*self.0));
    }
}

struct PingPong {
    main: Cell<*mut u8>,
    other: Cell<*mut u8>,
    rounds: Cell<u64>,
}

unsafe extern "C" fn bounce(arg: *mut u8) -> ! {
    // SAFETY: the test passes a `PingPong` that outlives this context.
    let shared = unsafe { &*arg.cast::<PingPong>() };
    // Live values of several kinds across the switch.
    let (mut a, mut b) = (1u64, 0.5f64);
    loop {
        a = a.wrapping_mul(3);
        b += 1.0;
        shared.rounds.set(shared.rounds.get() + 1);
        // SAFETY: main is suspended in `switch` below.
        unsafe { switch(shared.other.as_ptr(), shared.main.get()) };
        assert_eq!(b, 0.5 + shared.rounds.get() as f64);
        assert_ne!(a, 0);
    }
}

#[test]
fn values_survive_a_million_switches() {
    let mut stack = HeapStack::new();
    let shared = PingPong {
        main: Cell::new(ptr::null_mut()),
        other: Cell::new(ptr::null_mut()),
        rounds: Cell::new(0),
    };
    // SAFETY: the heap block is unused and its end is aligned for u128.
    let fresh = unsafe { prepare(stack.top(), bounce, (&raw const shared).cast_mut().cast()) };
    shared.other.set(fresh);
    let (mut x, mut y) = (7u64, 1.25f64);
    for i in 0..1_000_000u64 {
        x = x.rotate_left(5) ^ i;
        y += 0.5;
        // SAFETY: `other` is fresh or suspended in `bounce`.
        unsafe { switch(shared.main.as_ptr(), shared.other.get()) };
    }
    assert_eq!(shared.rounds.get(), 1_000_000);
    assert_eq!(y, 1.25 + 500_000.0);
    assert_ne!(x, 7);
}

unsafe extern "C-unwind" fn note_address(arg: *mut u8) {
    let here = 0u8;
    // SAFETY: the test passes a `Cell<usize>`.
    let cell = unsafe { &*arg.cast::<Cell<usize>>() };
    cell.set((&raw const here) as usize);
}

#[test]
#[cfg_attr(greenling_asan, ignore = "locals lie on the sanitizer's fake stack")]
fn call_on_runs_on_the_given_stack() {
    let mut stack = HeapStack::new();
    let address = Cell::new(0usize);
    let (top, bottom) = (stack.top(), stack.0.as_ptr() as usize);
    // SAFETY: the block is unused; the callee reads a `Cell<usize>`.
    unsafe { call_on(top, note_address, address.as_ptr().cast()) };
    assert!(address.get() > bottom && address.get() < top as usize);
}

unsafe extern "C-unwind" fn fail(_: *mut u8) {
    std::panic::resume_unwind(Box::new("through"));
}

#[test]
fn a_panic_passes_through_call_on() {
    let mut stack = HeapStack::new();
    let top = stack.top();
    // SAFETY: the block is unused until the unwind has left it.
    let caught = catch_unwind(AssertUnwindSafe(|| unsafe {
        call_on(top, fail, ptr::null_mut())
    }));
    assert_eq!(*caught.unwrap_err().downcast::<&str>().unwrap(), "through");
}
