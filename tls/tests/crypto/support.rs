//! Other programs that read what we write, and write what we read.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use greenling_tls::{ConfigErrorKind, Error};

/// Runs `openssl` with these arguments and `input`; what it printed, or its messages.
pub(crate) fn openssl(arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
    run(Command::new("openssl").args(arguments), input)
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
    let output = run(Command::new("/usr/bin/python3").args(["-c", script]), input);
    match output {
        Ok(output) => Some(String::from_utf8(output).expect("text")),
        Err(messages) => {
            let lacks = run(Command::new("/usr/bin/python3").args(probe), b"").is_err();
            let insists = std::env::var_os("GREENLING_REQUIRE_INTEROP").is_some();
            assert!(lacks && !insists, "python: {messages}");
            eprintln!("skipped: there is no {module} for python3");
            None
        }
    }
}

/// The kind of an error of the configuration.
pub(crate) fn kind<T>(result: Result<T, Error>) -> ConfigErrorKind {
    match result {
        Err(Error::Config(error)) => error.kind(),
        Err(other) => panic!("not an error of the configuration: {other}"),
        Ok(_) => panic!("no error"),
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

fn run(command: &mut Command, input: &[u8]) -> Result<Vec<u8>, String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program is installed");
    let mut stdin = child.stdin.take().expect("a pipe");
    let Output {
        status,
        stdout,
        stderr,
    } = std::thread::scope(|threads| {
        threads.spawn(move || {
            // A program may end before it has read everything.
            let _ = stdin.write_all(input);
        });
        child.wait_with_output().expect("a child to wait for")
    });
    if status.success() {
        Ok(stdout)
    } else {
        Err(String::from_utf8_lossy(&stderr).into_owned())
    }
}
