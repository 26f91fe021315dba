//! The programs that docs/porting.md tells of, from outside: what they print, what
//! their clients see, and that the document shows them as they are.

mod documents;
mod game_loop;
mod mud;
mod pipeline;

use std::path::Path;
use std::process::Command;

use tests::tools::{self, Finished};

/// Runs a program to its end.
fn run(program: &Path, arguments: &[&str], input: &str) -> Finished {
    tools::run(Command::new(program).args(arguments), input.as_bytes())
}

/// What a program prints that ends well and complains of nothing.
#[track_caller]
fn printed(program: &Path, arguments: &[&str], input: &str) -> String {
    let finished = run(program, arguments, input).success();
    assert_eq!(String::from_utf8_lossy(&finished.stderr), "");
    String::from_utf8(finished.stdout).expect("text")
}

/// The complaint of a program that can't do what it was asked to.
#[track_caller]
fn complaint(program: &Path, arguments: &[&str], input: &str) -> String {
    let finished = run(program, arguments, input);
    assert!(!finished.status.success(), "{}", finished.text());
    String::from_utf8(finished.stderr).expect("text")
}
