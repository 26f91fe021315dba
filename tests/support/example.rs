//! Example programs for tests that run them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Builds the example `name` with the profile of the tests, and says where its
/// executable is. With `GREENLING_EXAMPLES_BUILT` it is there already: whoever
/// runs all tests builds all examples faster beforehand, together with the tests.
///
/// # Panics
///
/// When it does not build.
pub fn build(name: &str) -> PathBuf {
    if std::env::var_os("GREENLING_EXAMPLES_BUILT").is_some() {
        let this = std::env::current_exe().expect("a test has an executable");
        let folder = this.parent().and_then(Path::parent).expect("in its folder");
        let example = folder.join("examples").join(name);
        assert!(example.exists(), "{} is not there", example.display());
        return example;
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build
        .args(["build", "--quiet", "-p", "examples", "--example", name])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    let built = build.stderr(Stdio::inherit()).output();
    let built = built.expect("cargo runs");
    assert!(built.status.success(), "the example {name} does not build");
    // The last artifact with an executable is the example itself.
    let messages = String::from_utf8_lossy(&built.stdout).into_owned();
    let (_, rest) = messages
        .rsplit_once("\"executable\":\"")
        .expect("cargo names the executable");
    let (path, _) = rest.split_once('"').expect("a whole JSON string");
    PathBuf::from(path)
}
