//! The pipeline, with its own ledger and others.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::{complaint, printed};

fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| tests::example::build("pipeline"))
}

const SUMS: &str = "\
left out: line 4: \"twelve\" is no amount: invalid digit found in string
ada: 25
bob: 12
";

#[test]
fn it_adds_up_whoever_goes_on_after_a_hand_over() {
    assert_eq!(printed(program(), &[], ""), SUMS);
    for prefer in ["receiver", "sender", "neither"] {
        assert_eq!(printed(program(), &["--prefer", prefer], ""), SUMS);
    }
}

/// With Stackless' default a sender that finds a receiver gives way to it.
#[test]
fn the_order_is_that_of_stackless() {
    let traced = printed(program(), &["--trace", "-"], "ada 1\nada 2\n");
    assert_eq!(
        traced,
        "\
source sends to lines, and waits
 parse receives from lines
 parse sends to entries, and waits
 total receives from entries
 total receives from entries, and waits
source sends to lines, and waits
 parse receives from lines
 parse sends to entries
 total receives from entries, and waits
source sends to lines, and waits
 parse receives from lines
 parse sends to entries
ada: 3
"
    );
}

#[test]
fn a_preference_changes_the_order() {
    let traced = printed(
        program(),
        &["--trace", "--prefer", "sender", "-"],
        "ada 1\n",
    );
    assert_eq!(
        traced,
        "\
source sends to lines, and waits
 parse receives from lines
source sends to lines, and waits
 total receives from entries, and waits
 parse sends to entries
 parse receives from lines
 total receives from entries, and waits
 parse sends to entries
ada: 1
"
    );
}

#[test]
fn a_ledger_may_be_empty_or_long() {
    assert_eq!(printed(program(), &["-"], ""), "");
    let long = "ada 9223372036854775807\n".repeat(10_000);
    assert_eq!(
        printed(program(), &["-"], &long),
        "ada: 92233720368547758070000\n"
    );
}

#[test]
fn a_ledger_that_is_not_there_is_named() {
    let complaint = complaint(program(), &["no/such/ledger"], "");
    assert!(
        complaint.starts_with("pipeline: no/such/ledger: "),
        "{complaint}"
    );
}

#[test]
fn the_help_says_what_a_ledger_is() {
    let help = printed(program(), &["--help"], "");
    assert!(help.contains("a name and a whole number"), "{help}");
}
