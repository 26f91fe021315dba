//! Many tasklets, deep nesting.

use greenling::{Builder, Channel, Tasklet, run, schedule};
use std::cell::Cell;
use std::rc::Rc;
use tests::isolated;

#[test]
fn a_hundred_thousand_tasklets_wait_and_are_woken_in_order() {
    isolated(|| {
        const COUNT: usize = 100_000;
        let channel = Channel::new();
        let next = Rc::new(Cell::new(0));
        for _ in 0..COUNT {
            let (channel, next) = (channel.clone(), next.clone());
            greenling::spawn(move || {
                let n: usize = channel.receive().unwrap();
                assert_eq!(next.replace(n + 1), n);
            });
        }
        schedule();
        assert_eq!(channel.balance(), -(COUNT as isize));
        for n in 0..COUNT {
            channel.send(n).unwrap();
        }
        assert_eq!(next.get(), COUNT);
        assert_eq!(greenling::inspect::tasklets().len(), 1);
    });
}

#[test]
fn tasklets_spawn_tasklets_a_thousand_deep() {
    isolated(|| {
        fn nest(depth: u32) -> u32 {
            if depth == 0 {
                return 0;
            }
            greenling::spawn(move || nest(depth - 1)).join().unwrap() + 1
        }
        assert_eq!(nest(1000), 1000);
    });
}

#[test]
fn calls_of_run_nest_a_thousand_deep() {
    isolated(|| {
        fn nest(depth: u32, done: Rc<Cell<u32>>) {
            if depth > 0 {
                let inner = done.clone();
                Tasklet::new(move || nest(depth - 1, inner))
                    .setup()
                    .unwrap();
            }
            run().unwrap();
            // The innermost returns first.
            assert_eq!(done.replace(done.get() + 1), depth);
        }
        let done = Rc::new(Cell::new(0));
        nest(1000, done.clone());
        assert_eq!(done.get(), 1001);
    });
}

#[test]
fn a_tasklet_may_recurse_as_deep_as_its_stack_allows() {
    isolated(|| {
        fn recurse(depth: u32) -> u64 {
            let frame = std::hint::black_box([u64::from(depth); 32]);
            if depth == 0 {
                return 0;
            }
            recurse(depth - 1) + frame[31] / u64::from(depth)
        }
        // The sanitizer's frames are larger.
        let size = if cfg!(greenling_asan) { 32 } else { 8 };
        let handle = Builder::new()
            .stack_size(size << 20)
            .spawn(|| recurse(10_000))
            .unwrap();
        assert_eq!(handle.join().unwrap(), 10_000);
    });
}

#[test]
fn stacks_of_several_sizes_live_side_by_side() {
    isolated(|| {
        let sizes = [0, 96 << 10, 100_000, 256 << 10, 1 << 20, 64 << 20];
        for round in 0..3 {
            let handles = sizes.map(|size| {
                Builder::new()
                    .stack_size(size)
                    .spawn(move || {
                        schedule();
                        size + round
                    })
                    .unwrap()
            });
            for (handle, size) in handles.into_iter().zip(sizes) {
                assert_eq!(handle.join().unwrap(), size + round);
            }
        }
        let refused = Builder::new().stack_size(2 << 30).spawn(|| ());
        let kind = refused.unwrap_err().kind();
        assert_eq!(kind, std::io::ErrorKind::InvalidInput);
    });
}
