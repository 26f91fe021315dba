//! Stacks without a scheduler.

use super::slab::GuardMethod;
use super::*;

fn touch(stack: &Stack, below_top: usize) {
    let at = stack.top().wrapping_sub(below_top);
    // SAFETY: the tests stay inside the usable part of their own stack.
    unsafe { at.write_volatile(7) };
}

fn read(stack: &Stack, below_top: usize) -> u8 {
    let at = stack.top().wrapping_sub(below_top);
    // SAFETY: as above.
    unsafe { at.read_volatile() }
}

#[test]
fn a_freed_stack_is_the_next_one_handed_out() {
    let mut pool = StackPool::new(|| ());
    let first = pool.take_default().unwrap();
    let second = pool.take_default().unwrap();
    let (base_of_first, base_of_second) = (first.base(), second.base());
    pool.give_back(second);
    pool.give_back(first);
    assert_eq!(pool.take_default().unwrap().base(), base_of_first);
    assert_eq!(pool.take_default().unwrap().base(), base_of_second);
    assert_eq!(pool.live(), 2);
}

#[test]
fn the_whole_usable_part_can_be_written() {
    for guard in [GuardMethod::Install, GuardMethod::Protect] {
        let mut pool = StackPool::with_guard(guard);
        let stack = pool.take_default().unwrap();
        let depth = stack.top() as usize - (stack.base() as usize + GUARD_SIZE);
        touch(&stack, 1);
        touch(&stack, depth);
        assert_eq!(read(&stack, depth), 7);
    }
}

#[test]
fn tops_of_neighbours_are_coloured_and_aligned() {
    let mut pool = StackPool::new(|| ());
    let stacks: Vec<_> = (0..16).map(|_| pool.take_default().unwrap()).collect();
    let offsets: std::collections::BTreeSet<_> =
        stacks.iter().map(|s| s.top() as usize % s.size()).collect();
    assert_eq!(offsets.len(), 16);
    assert!(stacks.iter().all(|s| (s.top() as usize).is_multiple_of(16)));
}

#[test]
fn the_forced_fallback_guards_by_mprotect() {
    let mut pool = StackPool::with_guard(GuardMethod::Protect);
    let _stack = pool.take_default().unwrap();
    assert_eq!(pool.guard_methods(), [GuardMethod::Protect]);
}

#[test]
fn trimming_discards_cold_stacks_and_deep_pages_only() {
    let mut pool = StackPool::new(|| ());
    let stacks: Vec<_> = (0..100).map(|_| pool.take_default().unwrap()).collect();
    for stack in &stacks {
        touch(stack, 64);
        touch(stack, 100_000);
    }
    for stack in stacks {
        pool.give_back(stack);
    }
    while pool.trim() {}
    // Last in, first out: the first 64 handed out are hot, the others cold.
    let again: Vec<_> = (0..100).map(|_| pool.take_default().unwrap()).collect();
    assert!(again.iter().all(|stack| read(stack, 100_000) == 0));
    assert!(again[..64].iter().all(|stack| read(stack, 64) == 7));
    assert!(again[64..].iter().all(|stack| read(stack, 64) == 0));
}

#[test]
fn sizes_are_rounded_and_bounded() {
    assert_eq!(slot_size(0), Some(MIN_USABLE + GUARD_SIZE));
    assert_eq!(slot_size(100_001), Some(102_400));
    assert_eq!(slot_size(MAX_STACK_SIZE), Some(MAX_STACK_SIZE));
    assert_eq!(slot_size(MAX_STACK_SIZE + 1), None);
    assert_eq!(parse_size("512K"), Some(512 << 10));
    assert_eq!(parse_size(" 2m "), Some(2 << 20));
    for bad in ["", "k", "12q", "-1", "99999999M"] {
        assert_eq!(parse_size(bad), None, "{bad:?}");
    }
}
