//! The programs: their names, sizes, and who has one.

use benches::machine;
use benches::who::Who;

use super::{Failure, may, tasklets, timers, waiters};
use crate::options::Case;
use crate::programs::child::Figures;

/// A program whose operations have more and more around them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    Tasklets,
    Timers,
    Waiters,
}

/// A million tasklets take less than this each, goroutines too.
const BYTES_MAX: u64 = 6 * 1024;

/// As many coroutines of may as `vm.max_map_count` has room for.
const MAY_MAX: u64 = 30_000;

const SIZES: [u64; 6] = [10, 100, 1000, 10_000, 100_000, 1_000_000];
const SIZES_OF_WAITERS: [u64; 6] = [1, 10, 100, 1000, 10_000, 100_000];

impl Program {
    pub(super) const ALL: [Program; 3] = [Program::Tasklets, Program::Timers, Program::Waiters];

    pub(super) fn name(self) -> &'static str {
        match self {
            Program::Tasklets => "growth-tasklets",
            Program::Timers => "growth-timers",
            Program::Waiters => "growth-channel-waiters",
        }
    }

    pub(super) fn by_name(name: &str) -> Option<Program> {
        Program::ALL
            .into_iter()
            .find(|program| program.name() == name)
    }

    pub(super) fn case(self) -> Case {
        match self {
            Program::Tasklets => Case::GrowthTasklets,
            Program::Timers => Case::GrowthTimers,
            Program::Waiters => Case::GrowthChannelWaiters,
        }
    }

    pub(super) fn contenders(self) -> &'static [Who] {
        match self {
            Program::Tasklets => &[Who::Greenling, Who::May, Who::Go],
            Program::Timers | Program::Waiters => &[Who::Greenling],
        }
    }

    pub(super) fn sizes(self) -> &'static [u64] {
        match self {
            Program::Tasklets | Program::Timers => &SIZES,
            Program::Waiters => &SIZES_OF_WAITERS,
        }
    }

    /// Whether this machine has room for `size`; an error says what is missing.
    pub(super) fn fits(self, who: Who, size: u64) -> Result<(), String> {
        if who == Who::May && size > MAY_MAX {
            return Err("two mappings each, and the kernel allows vm.max_map_count".into());
        }
        let available = machine::available_memory().map_err(|error| error.to_string())?;
        let needed = size * BYTES_MAX;
        if available < needed {
            let (free, needed) = (available >> 20, needed >> 20);
            return Err(format!("{free} MB are free and {needed} are needed"));
        }
        Ok(())
    }

    /// Runs it in this process, once.
    pub(super) fn run(self, who: &str, size: u64) -> Result<Figures, Failure> {
        if who == Who::May.name() {
            return may::tasklets(size);
        }
        greenling::enter(|| match self {
            Program::Tasklets => tasklets::run(size),
            Program::Timers => timers::run(size),
            Program::Waiters => waiters::run(size),
        })
    }
}

/// How many rounds over `size` make about `operations`, so that few are measured as
/// exactly as many.
pub(super) fn rounds(size: u64, operations: u64) -> u64 {
    (operations / size).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_by_its_name() {
        for program in Program::ALL {
            assert_eq!(Program::by_name(program.name()), Some(program));
        }
    }

    #[test]
    fn may_is_not_asked_for_more_than_it_can() {
        assert!(Program::Tasklets.fits(Who::May, 10_000).is_ok());
        assert!(Program::Tasklets.fits(Who::May, 100_000).is_err());
    }
}
