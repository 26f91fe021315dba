//! Other programs that read what we write, and write what we read.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use greenling_tls::{ConfigErrorKind, Error};

/// Debian's, which python3-openssl is made for.
const PYTHON: &str = "/usr/bin/python3";

/// Runs `openssl` with these arguments and `input`; what it printed, or its messages.
pub(crate) fn openssl(arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
    output("openssl", arguments, input)
}

/// The same, of which success and text are expected.
pub(crate) fn openssl_text(arguments: &[&str], input: &[u8]) -> String {
    let output = openssl(arguments, input)
        .unwrap_or_else(|messages| panic!("openssl {arguments:?}: {messages}"));
    String::from_utf8(output).expect("text")
}

/// Runs a Python script that has `input` on its standard input, and returns what it
/// printed; nothing where Python lacks `module`, unless the environment insists.
pub(crate) fn python(module: &str, script: &str, input: &[u8]) -> Option<String> {
    let probe = ["-c", &format!("import {module}")];
    let told = output(PYTHON, &["-c", script], input);
    match told {
        Ok(told) => Some(String::from_utf8(told).expect("text")),
        Err(messages) => {
            let lacks = output(PYTHON, &probe, b"").is_err();
            let insists = std::env::var_os("GREENLING_REQUIRE_INTEROP").is_some();
            assert!(lacks && !insists, "python: {messages}");
            eprintln!("skipped: there is no {module} for python3");
            None
        }
    }
}

/// The kind of a fault of the input.
pub(crate) fn kind<T>(result: Result<T, Error>) -> ConfigErrorKind {
    fault(result).0
}

/// The kind of a fault of the input, and what is said of it.
pub(crate) fn fault<T>(result: Result<T, Error>) -> (ConfigErrorKind, String) {
    match result {
        Err(Error::Config(error)) => (error.kind(), error.to_string()),
        Err(other) => panic!("no fault of the input: {other:?}"),
        Ok(_) => panic!("there is no error"),
    }
}

/// Bytes as lines have them.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The other way round.
pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
    (0..text.len()).step_by(2).map(digit).collect()
}

/// What it printed, or its messages.
fn output(program: &str, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
    let output = run(program, arguments, input);
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Runs a program with `input`. What it says on either channel counts.
pub(crate) fn run(program: &str, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program is installed");
    let mut stdin = child.stdin.take().expect("a pipe");
    std::thread::scope(|threads| {
        // A program may end before it has read everything.
        threads.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().expect("a child to wait for")
    })
}
