//! Other programs that read what we write, and write what we read.

use std::io::Write;
use std::process::{Command, Output, Stdio};

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
