//! What the tests of both kinds of containers share.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use greenling_tls::crypto::{Cert, Encoding, PrivateKey, TestCa};
use greenling_tls::{ConfigErrorKind, Error};

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

pub(crate) fn der(cert: &Cert) -> Vec<u8> {
    cert.encode(Encoding::Der).unwrap()
}

pub(crate) fn pem(cert: &Cert) -> Vec<u8> {
    cert.encode(Encoding::Pem).unwrap()
}

pub(crate) fn key_pem(key: &PrivateKey) -> Vec<u8> {
    key.as_pkey().private_key_to_pem_pkcs8().unwrap()
}

/// A leaf that this authority has issued, with its key.
pub(crate) fn issue(ca: &TestCa, name: &str) -> (Cert, PrivateKey) {
    let identity = ca.issue(&[name]).unwrap();
    (identity.certificate(), identity.private_key())
}
