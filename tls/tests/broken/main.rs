//! Damaged files of each kind: none makes a decoder panic, hang, or leave something in
//! OpenSSL's error queue, whatever is then asked of what could be read.
//!
//! What is damaged at random repeats itself; `GREENLING_TEST_SEED` has other damage
//! done, `GREENLING_TEST_ROUNDS` more of it. From 1000 rounds on every file is also cut
//! off at every byte and has every bit changed, and everything that can be read is
//! looked at; with less there are steps between these places, other than for cuts of
//! files in DER form.

#![cfg(not(feature = "aws-lc"))]

mod bombs;
mod damage;
mod files;
#[path = "../common/random.rs"]
mod random;
mod walk;

use greenling_tls::crypto::{Encoding, Ext, ExtContext, Pkcs7};

use damage::{blow_up, change_bytes, change_element, flips, truncations};
use files::{File, Form, files};
use random::Random;
use walk::look;

/// With few rounds, one of this many damaged files that can be read is looked at.
const STRIDE: usize = 20;

/// With few rounds, every thirteenth place is damaged, and prime numbers see to it that
/// it is not the same one in every line of base64.
const STEP: usize = 13;

/// Reads other bytes as what this file is.
fn as_file(file: &File, bytes: &[u8], deep: bool) -> bool {
    let encoding = match file.form {
        Form::Der => Encoding::Der,
        _ => Encoding::Pem,
    };
    look(file.kind, encoding, bytes, deep)
}

/// A number from the environment.
fn setting(name: &str, default: usize) -> usize {
    let value = std::env::var(name);
    value.map_or(default, |text| text.parse().expect("a number"))
}

/// How often each file is changed at random.
fn rounds() -> usize {
    setting("GREENLING_TEST_ROUNDS", 4)
}

/// How many places there are from one that is damaged to the next.
fn step() -> usize {
    if rounds() < 1000 { STEP } else { 1 }
}

fn is_deep(count: usize) -> bool {
    step() == 1 || count.is_multiple_of(STRIDE)
}

#[test]
fn good_files_are_read() {
    for file in files() {
        assert!(as_file(file, &file.bytes, true), "{}", file.name);
        let dressed = file.dress(&file.der);
        let read = file.form == Form::Text || as_file(file, &dressed, false);
        assert!(read, "{}", file.name);
    }
}

#[test]
fn files_cut_off_anywhere() {
    for file in files() {
        let is_der = file.form == Form::Der;
        let step = if is_der { 1 } else { step() };
        for cut in truncations(&file.bytes).step_by(step) {
            let taken = as_file(file, cut, is_deep(cut.len()));
            assert!(!(is_der && taken), "{} at {}", file.name, cut.len());
        }
    }
}

#[test]
fn files_with_a_bit_changed() {
    let few: &[u8] = &[0x81];
    let masks = if step() == 1 {
        &[1, 2, 4, 8, 16, 32, 64, 128, 255]
    } else {
        few
    };
    for file in files() {
        for &mask in masks {
            let flips = flips(&file.bytes, mask).step_by(step() * 2 - 1);
            for (count, changed) in flips.enumerate() {
                as_file(file, &changed, is_deep(count));
            }
        }
    }
}

#[test]
fn files_with_lengths_that_cannot_be() {
    for file in files() {
        for length in [0x7fff_ffff, 0xffff_ffff] {
            for blown in blow_up(&file.der, length) {
                as_file(file, &file.dress(&blown), true);
            }
        }
    }
}

#[test]
fn files_changed_at_random() {
    let seed = setting("GREENLING_TEST_SEED", 1);
    println!("GREENLING_TEST_SEED={seed}");
    let mut random = Random::new(seed as u64);
    for file in files() {
        for _ in 0..rounds() {
            let other = &files()[random.below(files().len())];
            let changed = if file.der.is_empty() || random.below(4) == 0 {
                change_bytes(&file.bytes, &other.bytes, &mut random)
            } else {
                file.dress(&change_element(&file.der, &other.der, &mut random))
            };
            as_file(file, &changed, true);
        }
    }
}

#[test]
fn files_of_other_kinds() {
    let mut kinds: Vec<&File> = Vec::new();
    for file in files() {
        if kinds
            .iter()
            .all(|known| (known.kind, known.form) != (file.kind, file.form))
        {
            kinds.push(file);
        }
    }
    for file in &kinds {
        for other in &kinds {
            let taken = as_file(other, &file.bytes, true);
            let may = other.kind == file.kind || other.form != Form::Der;
            assert!(may || !taken, "{} as {:?}", file.name, other.kind);
        }
    }
}

/// What OpenSSL repeats in its messages may be cut in the middle of a character, or may
/// not be text at all.
#[test]
fn messages_that_are_no_text() {
    let value = format!("DNS:a,{}", "\u{e9}".repeat(1000));
    for start in 0..2 {
        let value = &value[start..];
        let made = Ext::parse_conf("basicConstraints", false, value, &ExtContext::new());
        assert!(made.is_err());
    }
    let kinds = [
        "Content-Type: \u{e9}",
        "content-type : a/\u{80}b",
        "Subject: a\nCONTENT-TYPE: \u{e9}/",
    ];
    for text in kinds {
        let latin: Vec<u8> = text.chars().map(|letter| letter as u8).collect();
        assert!(Pkcs7::from_smime(&[&latin[..], b"\n\nbody\n"].concat()).is_err());
    }
}
