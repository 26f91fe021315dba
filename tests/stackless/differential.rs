//! Random programs, run by the scheduler and by a model of the rules: what is
//! seen of both must be equal, step by step.
//!
//! ```text
//!   seed -> program --+-> world: the real scheduler --+-> traces, compared
//!                     +-> model: plain data ----------+
//! ```
//!
//! `GREENLING_TEST_PROGRAMS` is how many, and `GREENLING_TEST_SEED` the first
//! seed. A program that fails is made smaller for as long as it fails, and
//! printed with both traces. They run in processes of their own, so that the
//! seed of one that ends the process, or never ends, is known as well.

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
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;
use tests::tools::Finished;
use tests::{child, isolated};
use trace::Note;
use world::World;

/// Programs that a plain `cargo test` runs; a build for speed has the time.
const PROGRAMS: u64 = if cfg!(debug_assertions) {
    50_000
} else {
    200_000
};

/// Programs that one process runs.
const BATCH: u64 = 20_000;

/// Programs that one thread, and so one scheduler, runs one after the other.
const CHUNK: u64 = 1_000;

/// A program that takes longer hangs. A generous limit.
const LIMIT: Duration = Duration::from_secs(40);

/// What a child writes before each program.
const RUNNING: &str = "running seed ";

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

/// Ends the process when `at` stands still, until what is returned is dropped.
fn watch(at: &Arc<AtomicU64>) -> mpsc::Sender<()> {
    let (watching, stop) = mpsc::channel();
    let at = at.clone();
    std::thread::spawn(move || {
        let mut seed = at.load(Ordering::Relaxed);
        while stop.recv_timeout(LIMIT) == Err(mpsc::RecvTimeoutError::Timeout) {
            let before = std::mem::replace(&mut seed, at.load(Ordering::Relaxed));
            if before == seed {
                eprintln!("it does not end");
                std::process::exit(1);
            }
        }
    });
    watching
}

/// Runs the programs of `seeds`; the first that fails is made smaller.
fn check(seeds: Range<u64>) {
    let at = Arc::new(AtomicU64::new(seeds.start));
    let watching = watch(&at);
    let inner = at.clone();
    let run = move || {
        for seed in seeds {
            inner.store(seed, Ordering::Relaxed);
            eprintln!("{RUNNING}{seed}");
            if difference(&Program::random(seed)).is_some() {
                // Told below, with a smaller program.
                resume_unwind(Box::new("traces differ"));
            }
        }
    };
    let result = catch_unwind(AssertUnwindSafe(|| isolated(run)));
    drop(watching);
    if result.is_err() {
        let seed = at.load(Ordering::Relaxed);
        let (program, why) = minimise::smallest(Program::random(seed), &failure);
        panic!("{}{program}{why}", title(seed));
    }
}

fn title(seed: u64) -> String {
    format!("GREENLING_TEST_SEED={seed} GREENLING_TEST_PROGRAMS=1\n")
}

/// What a process that ended badly has to say of its last program.
fn complaint(finished: &Finished) -> String {
    let text = finished.text();
    let (_, last) = text.rsplit_once(RUNNING).unwrap_or(("", &text));
    let mut lines = last.lines();
    let mut complaint = format!("{}\n", finished.status);
    match lines.next().map(str::parse) {
        Some(Ok(seed)) => {
            let program = Program::random(seed);
            write!(complaint, "{}{program}", title(seed)).expect("a string takes all");
        }
        _ => complaint.push_str(last),
    }
    // The runtime says so of every main that does.
    let rest = lines.filter(|line| !line.contains("the main tasklet unwinds"));
    complaint.extend(rest.flat_map(|line| [line, "\n"]));
    complaint
}

#[test]
fn random_programs_do_what_the_model_of_the_rules_does() {
    const PART: &str = "random programs";
    let first = number("GREENLING_TEST_SEED").unwrap_or(1);
    let end = first + number("GREENLING_TEST_PROGRAMS").unwrap_or(PROGRAMS);
    let is_child = child::is(PART);
    let size = if is_child { CHUNK } else { BATCH };
    let mut seed = first;
    while seed < end {
        let next = end.min(seed + size);
        if is_child {
            check(seed..next);
        } else {
            let path = "differential::random_programs_do_what_the_model_of_the_rules_does";
            let [first, count] = [seed, next - seed].map(|number| number.to_string());
            let environment = [
                ("GREENLING_TEST_SEED", first.as_str()),
                ("GREENLING_TEST_PROGRAMS", count.as_str()),
            ];
            let finished = child::run(path, PART, &environment);
            assert!(finished.status.success(), "{}", complaint(&finished));
        }
        seed = next;
    }
}
