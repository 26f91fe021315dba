//! Serial numbers: what new certificates may have, and what those of others do have.

use std::time::Duration;

use greenling_tls::crypto::{
    Cert, CertBuilder, Curve, Digest, Encoding, KeyAlg, PrivateKey, Serial, Timestamp,
};
use greenling_tls::{ConfigErrorKind, Error};

use crate::support::{openssl_text, unhex};

fn builder() -> CertBuilder {
    let subject = "/CN=x".parse().unwrap();
    let day = Duration::from_secs(24 * 3600);
    Cert::builder()
        .subject(subject)
        .valid_for(Timestamp::now(), day)
}

fn key() -> PrivateKey {
    PrivateKey::generate(KeyAlg::Ec(Curve::P256)).unwrap()
}

#[test]
fn numbers_of_one_to_twenty_octets_arrive_at_openssl() {
    let key = key();
    let most = "7F".to_owned() + &"FF".repeat(19);
    let numbers = ["01", "7F", "80", "FF00", "0123456789ABCDEF00", &most];
    let mut certs = Vec::new();
    for number in numbers {
        let serial = Serial::from_hex(number).unwrap();
        let cert = builder()
            .serial(serial.clone())
            .sign(&key, Digest::Sha256)
            .unwrap();
        assert_eq!(cert.serial(), serial);
        certs.extend(cert.encode(Encoding::Der).unwrap());
    }
    let parts = openssl_text(&["asn1parse", "-inform", "DER"], &certs);
    let integers: Vec<&str> = parts
        .lines()
        .filter_map(|line| line.split_once("INTEGER           :"))
        .map(|(_, number)| number)
        .collect();
    // The version of each precedes its serial number.
    let found: Vec<&str> = integers.iter().skip(1).step_by(2).copied().collect();
    assert_eq!(found, numbers);
}

#[test]
fn new_numbers_are_random_positive_and_fit() {
    let key = key();
    let one = builder().sign(&key, Digest::Sha256).unwrap().serial();
    let cert = builder().sign(&key, Digest::Sha256).unwrap();
    let other = cert.serial();
    assert_ne!(one, other);
    assert!(one.as_bytes().len() <= 20 && !one.is_negative());
    let pem = cert.encode(Encoding::Pem).unwrap();
    let theirs = openssl_text(&["x509", "-noout", "-serial"], &pem);
    assert_eq!(theirs, format!("serial={other}\n"));
}

#[test]
fn numbers_that_must_not_be_are_refused() {
    let key = key();
    let long = "80".to_owned() + &"00".repeat(19);
    for (number, reason) in [
        ("0", "zero"),
        ("-1", "negative"),
        (&*long, "longer"),
        (&*"1".repeat(100_000), "longer"),
    ] {
        let serial = Serial::from_hex(number).unwrap();
        match builder().serial(serial).sign(&key, Digest::Sha256) {
            Err(Error::Config(error)) => {
                assert_eq!(error.kind(), ConfigErrorKind::BadValue);
                let message = error.to_string();
                assert!(message.contains(reason) && message.len() < 200, "{message}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn numbers_that_must_not_be_are_read() {
    let pem = key().encode(Encoding::Pem, None).unwrap();
    let long = "0x8F".to_owned() + &"00".repeat(19) + "01";
    for (given, shown, decimal) in [
        ("0", "00", "0"),
        ("-5", "-05", "-5"),
        ("-129", "-81", "-129"),
        (
            &long,
            &long[2..],
            "208994734138319117303126931078428471810798353645569",
        ),
    ] {
        let mut arguments = vec!["req", "-x509", "-key", "/dev/stdin", "-subj", "/CN=x"];
        arguments.extend(["-set_serial", given]);
        let cert = openssl_text(&arguments, &pem);
        let cert = Cert::decode(Encoding::Pem, cert.as_bytes()).unwrap();
        let serial = cert.serial();
        assert_eq!(serial.to_string(), shown);
        assert_eq!(serial, Serial::from_hex(shown).unwrap());
        assert_eq!(serial.is_negative(), given.starts_with('-'));
        assert_eq!(serial.to_decimal(), decimal);
    }
}

#[test]
fn the_forms_of_a_number_agree() {
    let serial = Serial::from_bytes(&[0, 0, 1, 0]);
    assert_eq!(serial, Serial::from(256));
    assert_eq!(serial.as_bytes(), [1, 0]);
    assert_eq!(Serial::from_bytes(&[]), Serial::from(0));
    assert_eq!(Serial::from(0).as_bytes(), [0]);
    assert_eq!(Serial::from_hex("100").unwrap(), serial);
    assert_eq!(Serial::from_hex("01:00").unwrap(), serial);
    assert!(!Serial::from_hex("-0").unwrap().is_negative());
    let big = unhex("0102030405060708090a0b0c0d0e0f1011121314");
    let theirs = openssl::bn::BigNum::from_slice(&big).unwrap();
    let theirs = theirs.to_dec_str().unwrap().to_string();
    assert_eq!(Serial::from_bytes(&big).to_decimal(), theirs);
    assert_eq!(Serial::from(1_000_000_000).to_decimal(), "1000000000");
    let mut sorted = ["-0100", "-01", "00", "7F", "0080"].map(|hex| Serial::from_hex(hex).unwrap());
    let expected = sorted.clone();
    sorted.reverse();
    sorted.sort();
    assert_eq!(sorted, expected);
}

#[test]
fn what_is_not_hexadecimal_is_refused() {
    for text in [
        "", "-", "0x1", "g", "1:2:345", "12:", ":12", "1 2", "--1", "+1", "１",
    ] {
        match Serial::from_hex(text) {
            Err(Error::Config(error)) => assert_eq!(error.kind(), ConfigErrorKind::BadValue),
            other => panic!("{text:?}: {other:?}"),
        }
    }
}
