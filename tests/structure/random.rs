//! Random programs that select, run by the scheduler and by a model: what is
//! seen of both must be equal, note by note.
//!
//! `GREENLING_TEST_PROGRAMS` is how many, and `GREENLING_TEST_SEED` the first
//! seed. Beside the notes: every value is received, dropped or still in its
//! operation, nobody is lost, and no list has the dead in it.

mod model;
mod program;
mod world;

use program::Program;
use tests::isolated;

/// Programs that a plain `cargo test` runs.
const PROGRAMS: u64 = if cfg!(debug_assertions) {
    40_000
} else {
    200_000
};

/// Programs that one thread runs one after the other: the seeds from a multiple
/// of this on.
const CHUNK: u64 = 1_000;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Runs the chunk that begins with `first`; panics where the two differ.
fn run_chunk(first: u64) {
    let mut chance = model::Chance::of_a_new_thread();
    for seed in first..first + CHUNK {
        let program = Program::generate(seed);
        let expected = model::trace(&program, &mut chance);
        let real = world::trace(&program);
        if real == expected {
            continue;
        }
        let pairs = real.notes.iter().zip(&expected.notes);
        let same = pairs.take_while(|(a, b)| a == b).count();
        let lines = |tasks: &[Vec<program::Step>]| {
            let tasks = tasks.iter().map(|steps| format!("  {steps:?}\n"));
            tasks.collect::<String>()
        };
        panic!(
            "seed {seed}, run from {first} on: {:?}\n{}both: {:?}\nseen: {:?} {:?}\n\
             expected: {:?} {:?}",
            program.channels,
            lines(&program.tasks),
            &real.notes[..same],
            real.notes.get(same),
            real.balances,
            expected.notes.get(same),
            expected.balances,
        );
    }
}

#[test]
fn random_programs_that_select_do_what_the_model_does() {
    let first = number("GREENLING_TEST_SEED").unwrap_or(0) / CHUNK * CHUNK;
    let count = number("GREENLING_TEST_PROGRAMS").unwrap_or(PROGRAMS);
    println!("seeds {first} to {}", first + count);
    for chunk in (first..first + count).step_by(CHUNK as usize) {
        isolated(move || run_chunk(chunk));
    }
}
