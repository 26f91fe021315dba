//! A process that exits while its other threads are in the middle of TLS.
//!
//! OpenSSL frees what it has when a process exits, unless whoever calls it first
//! asks it not to; a thread that still uses it then crashes. So that must be asked
//! for, whatever is called first. What is registered before OpenSSL is runs after
//! OpenSSL has freed itself, and sees whether it has.

use std::process::Command;

use greenling_tls::{ContextBuilder, Identity, rand};
use openssl::hash::{MessageDigest, hash};

const FIRST_CALL: &str = "GREENLING_TEST_FIRST_CALL";
const TEST: &str = "exit::openssl_works_until_the_process_is_gone";
const WORKS: i32 = 70;
const FREED: i32 = 71;

extern "C" fn after_openssl() {
    let works = hash(MessageDigest::sha256(), b"anything").is_ok();
    // SAFETY: ends the process, which no thread minds.
    unsafe { libc::_exit(if works { WORKS } else { FREED }) };
}

#[test]
fn openssl_works_until_the_process_is_gone() {
    if let Ok(first_call) = std::env::var(FIRST_CALL) {
        // SAFETY: the function unwinds nowhere, and lives as long as the process.
        assert_eq!(unsafe { libc::atexit(after_openssl) }, 0);
        match first_call.as_str() {
            "identity" => drop(Identity::self_signed(&["localhost"]).unwrap()),
            "context" => drop(ContextBuilder::client().build().unwrap()),
            "random" => rand::fill(&mut [0; 8]).unwrap(),
            other => panic!("no first call {other}"),
        }
        std::process::exit(0);
    }
    for first_call in ["identity", "context", "random"] {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", TEST, "--nocapture"])
            .env(FIRST_CALL, first_call)
            .output()
            .unwrap();
        assert_eq!(
            output.status.code(),
            Some(WORKS),
            "{first_call}: {output:?}"
        );
    }
}
