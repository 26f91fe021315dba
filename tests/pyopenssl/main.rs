//! `greenling_tls::crypto` and pyOpenSSL 23 are given the same random inputs, and must
//! answer the same; the program `openssl` reads what we write, and we what it writes.
//!
//! ```text
//!   seed -> input --+-> ours: greenling_tls::crypto --+-> bytes or fields, compared
//!                   +-> theirs: driver.py ------------+
//! ```
//!
//! Where they differ for a reason, `known/` has it. `GREENLING_DIFFERENTIAL` is how
//! many inputs, `GREENLING_TEST_SEED` the first seed, and `GREENLING_DIFFERENTIAL_OF`
//! the one family that is to be tried. An input that fails is made smaller for as long
//! as it shows a difference of the same thing, and printed with both results.
//!
//! Debian's package python3-openssl must be installed for `/usr/bin/python3`; without
//! it the tests are skipped with a line that says so.

mod command_line;
mod families;
mod keys;
mod known;
mod python;
mod random;
mod trial;
mod value;

use std::collections::BTreeMap;

use families::FAMILIES;
use keys::Keys;
use python::Python;
use random::Random;
use trial::{Family, Trial};

/// Inputs that a plain `cargo test` tries.
const INPUTS: u64 = 400;

/// Differences of so many sorts are shown, and what comes then is not.
const SORTS: usize = 20;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// The families that are to be tried.
fn families() -> Vec<&'static Family> {
    let wanted = std::env::var("GREENLING_DIFFERENTIAL_OF");
    let is_wanted = |family: &&Family| wanted.as_deref().is_ok_and(|name| name == family.name);
    let found: Vec<&Family> = FAMILIES.iter().filter(is_wanted).collect();
    match wanted {
        Ok(name) => {
            assert!(!found.is_empty(), "there is no family {name}");
            found
        }
        Err(_) => FAMILIES.iter().collect(),
    }
}

#[test]
fn random_inputs_have_the_same_results() {
    let keys = Keys::load();
    let Some(mut python) = Python::start("random inputs", &keys) else {
        return;
    };
    let families = families();
    let first = number("GREENLING_TEST_SEED").unwrap_or(1);
    let count = number("GREENLING_DIFFERENTIAL").unwrap_or(INPUTS);
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for seed in first..first + count {
        let family = families[seed as usize % families.len()];
        let input = (family.draw)(&mut Random::new(seed));
        for difference in trial::unknown(family, &input, &mut python, &keys) {
            let sort = difference.sort();
            if found.len() < SORTS && !found.contains_key(&sort) {
                let smallest = trial::smallest(family, difference, &mut python, &keys);
                found.insert(
                    sort,
                    format!("GREENLING_TEST_SEED={seed} GREENLING_DIFFERENTIAL=1\n{smallest}"),
                );
            }
        }
    }
    let shown: Vec<String> = found.into_values().collect();
    assert!(shown.is_empty(), "{}", shown.join("\n"));
}

#[test]
fn known_differences_are_still_there() {
    let keys = Keys::load();
    let Some(mut python) = Python::start("known differences", &keys) else {
        return;
    };
    for row in known::table() {
        let family = FAMILIES.iter().find(|family| family.name == row.family);
        let family = family.expect("a family of that name");
        let input = (row.example)();
        let found = Trial::of(family, &input, &mut python, &keys);
        let is_there = found
            .iter()
            .any(|one| (row.is_it)(one) && row.what[0] == one.what);
        let shown: String = found.iter().map(ToString::to_string).collect();
        assert!(
            is_there,
            "not so any more: {}\n{input:?}\n{shown}",
            row.because
        );
    }
}
