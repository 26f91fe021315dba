//! Chains of certificates and the names in them: what RFC 5280 (paths), RFC 6125 and
//! RFC 9525 (names) say of each, and what OpenSSL makes of it.
//!
//! Every row is judged by a `TrustStore`, by the program `openssl verify` and by a
//! handshake in memory, which must agree with the row and so with each other. Where
//! one of them is known to differ, the row says so.

#![cfg(not(feature = "aws-lc"))]

mod building;
mod codes;
mod constraints;
mod hosts;
mod judges;
mod made;
mod purposes;
mod revocation;
mod row;
mod strength;
mod validity;

use row::{Row, Verdict};

/// Judges all rows, and tells of all that went wrong at once.
fn judge(rows: Vec<Row>) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut wrong = Vec::new();
    for row in &rows {
        let chain = (row.chain)();
        let mut compare =
            |who: &str, expected: Option<Verdict>, judge: &dyn Fn() -> judges::Seen| {
                let Some(expected) = expected else { return };
                let expected = match expected {
                    Verdict::Valid => None,
                    Verdict::Fault(code, depth) => Some((code.number(), depth)),
                };
                let seen = judge();
                if seen != expected {
                    wrong.push(format!(
                        "{} ({}): {who} says {seen:?}, not {expected:?}",
                        row.name, row.section
                    ));
                }
            };
        compare("a store", Some(row.expected), &|| {
            judges::store(row, &chain)
        });
        compare(
            "openssl verify",
            row.command.expected(row.expected),
            &|| judges::command(row, &chain, folder.path()),
        );
        compare("a handshake", row.handshake.expected(row.expected), &|| {
            judges::handshake(row, &chain)
        });
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn validity() {
    judge(validity::rows());
}

#[test]
fn purposes() {
    judge(purposes::rows());
}

#[test]
fn building() {
    judge(building::rows());
}

#[test]
fn constraints() {
    judge(constraints::rows());
}

#[test]
fn hosts() {
    judge(hosts::rows());
}

#[test]
fn revocation() {
    judge(revocation::rows());
}

#[test]
fn strength() {
    judge(strength::rows());
}

#[test]
fn the_table_has_rows_enough_and_each_once() {
    let all = [
        validity::rows(),
        purposes::rows(),
        building::rows(),
        constraints::rows(),
        hosts::rows(),
        revocation::rows(),
        strength::rows(),
    ];
    let mut names: Vec<&str> = all.iter().flatten().map(|row| row.name).collect();
    let count = names.len();
    assert!(count >= 60, "{count} rows");
    assert!(
        all.iter()
            .flatten()
            .all(|row| row.section.contains(|c: char| c.is_ascii_digit()))
    );
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "a name stands for one row");
}
