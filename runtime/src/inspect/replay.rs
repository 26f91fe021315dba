//! Unwinding the copy of a stack.
//!
//! The copy was taken at some instruction, perhaps one for which the unwind
//! tables are wrong (hand-written assembly). So nothing is read but the copy,
//! and what leads out of it ends the backtrace.

use super::modules;
use super::sample::Sample;
use framehop::{CacheNative, FrameAddress, MayAllocateDuringUnwind};
use framehop::{UnwindRegsNative, Unwinder, UnwinderNative};

/// Most frames of a backtrace; a deeper one ends there.
const FRAMES_MAX: usize = 200;

/// The addresses in the frames of what was sampled, innermost first.
pub(super) fn addresses(sample: &Sample) -> Box<[usize]> {
    let mut unwinder = UnwinderNative::<Vec<u8>, MayAllocateDuringUnwind>::new();
    for module in modules::loaded() {
        unwinder.add_module(module);
    }
    let mut cache = CacheNative::<MayAllocateDuringUnwind>::new_in();
    let mut read = |address| {
        let mut words = sample.windows.iter().map(|window| window.word(address));
        words.find_map(|word| word).ok_or(())
    };
    let mut registers = sample.registers;
    let mut address = FrameAddress::from_instruction_pointer(sample.pc);
    // Names are looked up one byte before a return address, which this is not.
    let mut addresses = vec![sample.pc as usize + 1];
    while addresses.len() < FRAMES_MAX {
        let next = unwinder.unwind_frame(address, &mut registers, &mut cache, &mut read);
        let next = match next {
            Ok(Some(next)) => next,
            Ok(None) | Err(_) => match back_to_the_tasklet(sample, &mut registers) {
                Some(next) => next,
                None => break,
            },
        };
        let Some(next) = FrameAddress::from_return_address(next) else {
            break;
        };
        addresses.push(next.address() as usize);
        address = next;
    }
    addresses.into()
}

/// From the native stack to the tasklet's, which lies anywhere, and lower as a
/// rule: unwinders take that for a mistake. The frame that crosses over has its
/// frame pointer there, where the caller's and the return address are.
fn back_to_the_tasklet(sample: &Sample, registers: &mut UnwindRegsNative) -> Option<u64> {
    let tasklets = &sample.windows[1];
    let frame = frame_pointer(registers);
    if !tasklets.contains(frame) || tasklets.contains(registers.sp()) {
        return None;
    }
    let (caller, back) = (tasklets.word(frame)?, tasklets.word(frame + 8)?);
    // The first is the code's address on x86-64, and on aarch64 the link register.
    *registers = UnwindRegsNative::new(back, frame + 16, caller);
    Some(back)
}

#[cfg(target_arch = "x86_64")]
fn frame_pointer(registers: &UnwindRegsNative) -> u64 {
    registers.bp()
}

#[cfg(target_arch = "aarch64")]
fn frame_pointer(registers: &UnwindRegsNative) -> u64 {
    registers.fp()
}
