//! Random programs, run by the scheduler and by a model of the rules: what is
//! seen of both must be equal, step by step.
//!
//! ```text
//!   seed -> program --+-> world: the real scheduler --+-> traces, compared
//!                     +-> model: plain data ----------+
//! ```
//!
//! `GREENLING_TEST_PROGRAMS` is how many, and `GREENLING_TEST_SEED` the first
//! seed. Where the process dies, so that no seed can be told, set
//! `GREENLING_TEST_TELL`: each seed is printed before its program runs.
//!
//! A program that fails is made smaller for as long as it fails, and printed
//! with both traces.

mod coverage;
mod generate;
mod minimise;
mod model;
mod outcome;
mod program;
mod trace;
mod world;

use model::Model;
use program::Program;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tests::isolated;
use trace::Note;
use world::World;

/// Programs that a plain `cargo test` runs.
const PROGRAMS: u64 = 200_000;

/// Programs that one thread, and so one scheduler, runs one after the other.
const CHUNK: u64 = 1_000;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Both traces, if they differ.
fn difference(program: &Program) -> Option<(Vec<Note>, Vec<Note>)> {
    let real = World::trace(program);
    let expected = Model::trace(program);
    (real != expected).then_some((real, expected))
}

/// What is wrong with a program, on a scheduler of its own.
fn failure(program: &Program) -> Option<String> {
    let copy = program.clone();
    let attempt = catch_unwind(AssertUnwindSafe(|| isolated(move || difference(&copy))));
    match attempt {
        Ok(None) => None,
        Ok(Some((real, expected))) => Some(explain(&real, &expected)),
        Err(payload) => Some(match payload.downcast_ref::<String>() {
            Some(text) => format!("it panics: {text}"),
            None => format!("it panics: {:?}", payload.downcast_ref::<&str>()),
        }),
    }
}

fn explain(real: &[Note], expected: &[Note]) -> String {
    let mut text = String::from("both:\n");
    let same = real.iter().zip(expected).take_while(|(a, b)| a == b);
    let same = same.count();
    let rests = [
        ("", &real[..same]),
        ("the scheduler:\n", &real[same..]),
        ("the model:\n", &expected[same..]),
    ];
    for (title, notes) in rests {
        text.push_str(title);
        for note in notes {
            writeln!(text, "  {note}").expect("a string takes all");
        }
    }
    text
}

/// Runs the programs of `seeds`; the first that fails is made smaller.
fn check(seeds: std::ops::Range<u64>) {
    let tell = std::env::var_os("GREENLING_TEST_TELL").is_some();
    let at = Arc::new(AtomicU64::new(seeds.start));
    let inner = at.clone();
    let run = move || {
        for seed in seeds {
            inner.store(seed, Ordering::Relaxed);
            if tell {
                eprintln!("seed {seed}");
            }
            if difference(&Program::random(seed)).is_some() {
                // Told below, with a smaller program.
                resume_unwind(Box::new("traces differ"));
            }
        }
    };
    if catch_unwind(AssertUnwindSafe(|| isolated(run))).is_ok() {
        return;
    }
    let seed = at.load(Ordering::Relaxed);
    eprintln!("GREENLING_TEST_SEED={seed} GREENLING_TEST_PROGRAMS=1 fails");
    let (program, why) = minimise::smallest(Program::random(seed), &failure);
    panic!("GREENLING_TEST_SEED={seed} GREENLING_TEST_PROGRAMS=1\n{program}{why}");
}

#[test]
fn random_programs_do_what_the_model_of_the_rules_does() {
    let first = number("GREENLING_TEST_SEED").unwrap_or(1);
    let end = first + number("GREENLING_TEST_PROGRAMS").unwrap_or(PROGRAMS);
    let mut seed = first;
    while seed < end {
        let next = end.min(seed + CHUNK);
        check(seed..next);
        seed = next;
    }
}
