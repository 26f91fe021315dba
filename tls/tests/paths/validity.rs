//! Times: RFC 5280, sections 4.1.2.5 and 6.1.3 (a)(2).

use greenling_tls::crypto::VerifyFlags;

use super::codes::Code::*;
use super::made::{authority, leaf};
use super::row::{Chain, Row, chain, row};

/// The leaf is valid for 100 days before and after, the others for 1000.
fn three() -> Chain {
    let root = authority("root").root();
    let middle = authority("middle").by(&root);
    chain(&leaf().by(&middle), &[&middle, &root])
}

fn short_middle() -> Chain {
    let root = authority("root").root();
    let middle = authority("middle").days(-50..50).by(&root);
    chain(&leaf().by(&middle), &[&middle, &root])
}

fn short_root() -> Chain {
    let root = authority("root").days(-50..50).root();
    let middle = authority("middle").by(&root);
    chain(&leaf().by(&middle), &[&middle, &root])
}

/// Whatever the clock says that some of the judges look at.
fn long_gone() -> Chain {
    let root = authority("root").days(-5000..1000).root();
    chain(&leaf().days(-5000..-4000).by(&root), &[&root])
}

/// In the year 2050 GeneralizedTime takes the place of UTCTime.
fn beyond_2050() -> Chain {
    let root = authority("root").days(0..20_000).root();
    chain(&leaf().days(9_000..20_000).by(&root), &[&root])
}

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("a good chain of three", "6.1", three),
        row("a leaf that has expired", "6.1.3 (a)(2)", three)
            .at(101)
            .fails(CertHasExpired, 0),
        row("a leaf that is not yet valid", "6.1.3 (a)(2)", three)
            .at(-101)
            .fails(CertNotYetValid, 0),
        row("the day before a leaf expires", "4.1.2.5", three).at(99),
        // The section counts that second in, OpenSSL does not.
        row("the very second at which it expires", "4.1.2.5", three)
            .at(100)
            .fails(CertHasExpired, 0),
        row("the very second at which it begins", "4.1.2.5", three).at(-100),
        row(
            "an intermediate that has expired",
            "6.1.3 (a)(2)",
            short_middle,
        )
        .at(51)
        .fails(CertHasExpired, 1),
        row(
            "an intermediate that is not yet valid",
            "6.1.3 (a)(2)",
            short_middle,
        )
        .at(-51)
        .fails(CertNotYetValid, 1),
        // The section leaves the dates of an anchor to the application; OpenSSL looks.
        row("a root that has expired", "6.1.1 (d)", short_root)
            .at(51)
            .fails(CertHasExpired, 2),
        row("a root that is not yet valid", "6.1.1 (d)", short_root)
            .at(-51)
            .fails(CertNotYetValid, 2),
        row("what expired long ago", "6.1.3 (a)(2)", long_gone).fails(CertHasExpired, 0),
        row(
            "the same, without looking at the time",
            "6.1.3 (a)(2)",
            long_gone,
        )
        .flags(VerifyFlags::NO_CHECK_TIME),
        row("dates after 2050", "4.1.2.5.2", beyond_2050).at(10_000),
        row("before dates after 2050", "4.1.2.5.2", beyond_2050)
            .at(8_000)
            .fails(CertNotYetValid, 0),
    ]
}
