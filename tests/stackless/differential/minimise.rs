//! Makes a failing program smaller for as long as it fails.

use super::program::{Birth, Program};

/// The smallest program found that fails, and how it does.
pub(crate) fn smallest(
    program: Program,
    failure: &dyn Fn(&Program) -> Option<String>,
) -> (Program, String) {
    let Some(mut why) = failure(&program) else {
        let why = "it fails only after the programs before it".to_owned();
        return (program, why);
    };
    let mut best = program;
    // Taking something away may make it possible to take more.
    while let Some((smaller, reason)) = smaller_ones(&best)
        .into_iter()
        .find_map(|candidate| failure(&candidate).map(|reason| (candidate, reason)))
    {
        (best, why) = (smaller, reason);
    }
    (best, why)
}

/// Every program with one thing less, the largest things first.
fn smaller_ones(program: &Program) -> Vec<Program> {
    let mut found = Vec::new();
    let mut keep = |change: &dyn Fn(&mut Program)| {
        let mut candidate = program.clone();
        change(&mut candidate);
        if candidate != *program {
            found.push(candidate);
        }
    };
    let tasks = program.tasks();
    if tasks > 1 {
        keep(&|p| {
            p.births.pop();
            p.steps.pop();
        });
    }
    for task in 0..tasks {
        keep(&|p| p.steps[task].clear());
    }
    for task in 0..tasks {
        for number in 0..program.steps[task].len() {
            keep(&|p| {
                p.steps[task].remove(number);
            });
        }
    }
    keep(&|p| p.flat = false);
    keep(&|p| p.watched = false);
    for task in 0..tasks {
        keep(&|p| p.births[task] = Birth::Queued);
        for number in 0..program.steps[task].len() {
            keep(&|p| p.steps[task][number].catches = false);
            keep(&|p| p.steps[task][number].trapped = false);
            keep(&|p| p.steps[task][number].cleanup = None);
        }
    }
    found
}
