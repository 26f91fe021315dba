//! Keys on tasklets: what takes long is done elsewhere, and who is asked may wait.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use greenling_tls::crypto::{Digest, KeyAlg, Passphrase, PrivateKey, Protect, legacy};
use greenling_tls::{Encoding, Error};
use zeroize::Zeroizing;

use crate::keys::{RSA, read};
use crate::support::openssl_text;

/// What happened, in order.
#[derive(Clone, Default)]
struct Trace(Rc<RefCell<Vec<&'static str>>>);

impl Trace {
    fn note(&self, what: &'static str) {
        self.0.borrow_mut().push(what);
    }
}

/// Runs `slow` on a tasklet, while another notes that it runs too.
fn beside<T: 'static>(slow: impl FnOnce() -> T + 'static) -> (T, Vec<&'static str>) {
    let trace = Trace::default();
    let (worker, other) = (trace.clone(), trace.clone());
    let slow = greenling::spawn(move || {
        worker.note("begun");
        let result = slow();
        worker.note("done");
        result
    });
    let other = greenling::spawn(move || {
        for _ in 0..2 {
            other.note("another runs");
            greenling::schedule();
        }
    });
    let result = slow.join().unwrap();
    other.join().unwrap();
    (result, trace.0.take())
}

const BETWEEN: [&str; 2] = ["begun", "another runs"];

#[test]
fn other_tasklets_run_while_a_key_is_made() {
    let (key, trace) = beside(|| PrivateKey::generate(KeyAlg::Rsa(2048)).unwrap());
    assert_eq!(trace[..2], BETWEEN);
    let pem = key.encode(Encoding::Pem, None).unwrap();
    let text = openssl_text(&["pkey", "-noout", "-text", "-check"], &pem);
    assert!(text.contains("Private-Key: (2048 bit, 2 primes)"), "{text}");
    assert!(text.contains("Key is valid"), "{text}");

    let (_, trace) = beside(|| legacy::generate_dsa(1024).unwrap());
    assert_eq!(trace[..2], BETWEEN);
}

#[test]
fn other_tasklets_run_while_rsa_signs() {
    let key = read(Encoding::Pem, RSA);
    let signer = key.clone();
    let (signature, trace) = beside(move || signer.sign(Digest::Sha256, b"message").unwrap());
    assert_eq!(trace[..2], BETWEEN);
    let public = key.public_key();
    public
        .verify(Digest::Sha256, b"message", &signature)
        .unwrap();
}

#[test]
fn a_wait_that_is_ended_says_why_and_a_kill_ends_it() {
    let signer = || {
        let key = read(Encoding::Pem, RSA);
        let signer = greenling::spawn(move || key.sign(Digest::Sha256, b"message"));
        greenling::schedule();
        assert!(signer.tasklet().is_blocked(), "it waits for the signature");
        signer
    };
    let thrown_at = signer();
    thrown_at
        .tasklet()
        .throw(io::Error::other("enough"))
        .unwrap();
    let error = thrown_at.join().unwrap().unwrap_err();
    assert!(matches!(&error, Error::Io(_)), "{error:?}");
    assert!(error.to_string().contains("enough"), "{error}");
    let killed = signer();
    killed.tasklet().kill().unwrap();
    assert!(killed.join().unwrap_err().is_killed());
}

#[test]
fn where_nothing_may_switch_it_is_done_on_the_spot() {
    let key = read(Encoding::Pem, RSA);
    let tasklet = greenling::spawn(move || {
        let sign = || key.sign(Digest::Sha256, b"message").unwrap();
        assert_eq!(greenling::on_system_stack(sign), sign());
    });
    tasklet.join().unwrap();
}

#[test]
fn whoever_is_asked_for_a_passphrase_may_wait() {
    let key = PrivateKey::generate(KeyAlg::Ed25519).unwrap();
    let protect = Protect::new("sesame").iterations(1);
    let file = key.encode(Encoding::Pem, Some(&protect)).unwrap();
    let answers = greenling::Channel::new();
    let person = answers.clone();
    let reader = greenling::spawn(move || {
        let ask = Passphrase::ask(|| {
            let answer: &str = person.receive()?;
            Ok(Zeroizing::new(answer.as_bytes().to_vec()))
        });
        PrivateKey::decode(Encoding::Pem, &file, ask)
    });
    let asked = reader.tasklet().clone();
    greenling::schedule();
    assert!(asked.is_blocked(), "it waits for the answer");
    answers.send("sesame").unwrap();
    assert_eq!(reader.join().unwrap().unwrap(), key);
}
