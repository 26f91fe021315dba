//! Tests that need a process of their own run the test binary again.
//!
//! ```text
//!   #[test] fn name() {
//!       if child::is("name") { ..; std::process::exit(0) }   in the child
//!       let finished = child::run("module::name", "name", &[]);
//!   }
//! ```

use crate::tools::{self, Finished};
use std::process::Command;

/// Tells a child which part it has to play.
const PART: &str = "GREENLING_TEST_CHILD";

/// True in a process that [`run`] has started for `part`.
pub fn is(part: &str) -> bool {
    std::env::var(PART).is_ok_and(|value| value == part)
}

/// The command that runs the test `path` again, for it to play `part`.
///
/// # Panics
///
/// When the test binary's own name can't be had.
pub fn command(path: &str, part: &str) -> Command {
    let binary = std::env::current_exe().expect("the test binary has a name");
    let mut command = Command::new(binary);
    command
        .args([path, "--exact", "--nocapture", "--test-threads=1"])
        .env(PART, part)
        .env_remove("RUST_BACKTRACE")
        .env_remove("GREENLING_STACK_SIZE");
    command
}

/// Runs the test `path` again, for it to play `part`, until it ends.
///
/// # Panics
///
/// When it can't be started or does not end.
pub fn run(path: &str, part: &str, environment: &[(&str, &str)]) -> Finished {
    let mut command = command(path, part);
    command.envs(environment.iter().copied());
    tools::run(&mut command, b"")
}
