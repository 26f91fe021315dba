//! Revocation lists: RFC 5280, sections 5 and 6.3.

use openssl::pkey::PKey;

use greenling_tls::crypto::VerifyFlags;

use super::codes::Code::*;
use super::made::{Made, authority, leaf};
use super::row::{Chain, Row, chain, row};

/// A root, an intermediate and a leaf, and another one.
fn four() -> (Made, Made, Made, Made) {
    let root = authority("root").root();
    let middle = authority("middle").by(&root);
    let (one, other) = (leaf().by(&middle), leaf().by(&middle));
    (root, middle, one, other)
}

/// A list of the intermediate, in force for 10 days each way, with or without the leaf.
fn listed(revoked: bool) -> Chain {
    let (root, middle, leaf, other) = four();
    let revoked = if revoked { &leaf } else { &other };
    chain(&leaf, &[&middle, &root]).lists([middle.list(&[revoked], -10..10)])
}

/// Also a list of the root, with or without the intermediate.
fn all_listed(revoked: bool) -> Chain {
    let (root, middle, leaf, _) = four();
    let revoked = if revoked { &[&middle][..] } else { &[] };
    let lists = [root.list(revoked, -10..10), middle.list(&[], -10..10)];
    chain(&leaf, &[&middle, &root]).lists(lists)
}

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("a list without the leaf", "6.3.3", || listed(false)),
        row("a revoked leaf", "6.3.3 (i)", || listed(true)).fails(CertRevoked, 0),
        row("a revoked intermediate", "6.1.3 (a)(3)", || {
            all_listed(true)
        })
        .flags(VerifyFlags::CRL_CHECK_ALL)
        .fails(CertRevoked, 1),
        row(
            "a revoked intermediate that is not looked up",
            "6.1.3 (a)(3)",
            || all_listed(true),
        ),
        row("lists of all authorities", "6.3.3", || all_listed(false))
            .flags(VerifyFlags::CRL_CHECK_ALL),
        row("no list at all", "6.3.3", || {
            let (root, middle, leaf, _) = four();
            chain(&leaf, &[&middle, &root])
        })
        .flags(VerifyFlags::CRL_CHECK)
        .fails(UnableToGetCrl, 0),
        row("no list of the root", "6.3.3", || listed(false))
            .flags(VerifyFlags::CRL_CHECK_ALL)
            .fails(UnableToGetCrl, 1),
        row("a list that has expired", "6.3.3 (a)", || listed(false))
            .at(11)
            .fails(CrlHasExpired, 0),
        row("a list that is not yet in force", "5.1.2.4", || {
            listed(false)
        })
        .at(-11)
        .fails(CrlNotYetValid, 0),
        row("an old list and a new one", "6.3.3 (a)", || {
            let (root, middle, leaf, _) = four();
            let lists = [middle.list(&[], -20..-10), middle.list(&[], -10..10)];
            chain(&leaf, &[&middle, &root]).lists(lists)
        }),
        row("revoked by the new list only", "6.3.3 (i)", || {
            let (root, middle, leaf, _) = four();
            let lists = [middle.list(&[], -20..-10), middle.list(&[&leaf], -10..10)];
            chain(&leaf, &[&middle, &root]).lists(lists)
        })
        .fails(CertRevoked, 0),
        row("a list signed by another key", "6.3.3 (g)", || {
            let (root, middle, leaf, _) = four();
            let key = PKey::ec_gen("P-256").unwrap();
            let list = middle.list_signed_by(&key, &[], -10..10, None);
            chain(&leaf, &[&middle, &root]).lists([list])
        })
        .fails(CrlSignatureFailure, 0),
        row("a list of another authority", "6.3.3 (b)", || {
            let (root, middle, leaf, _) = four();
            let list = authority("other").by(&root).list(&[&leaf], -10..10);
            chain(&leaf, &[&middle, &root]).lists([list])
        })
        .fails(UnableToGetCrl, 0),
        row("a list of a namesake", "6.3.3 (f)", || {
            let (root, middle, leaf, _) = four();
            let list = authority("middle").by(&root).list(&[], -10..10);
            chain(&leaf, &[&middle, &root]).lists([list])
        })
        .fails(UnableToGetCrl, 0),
        row("an issuer that must not sign lists", "6.3.3 (f)", || {
            let root = authority("root").root();
            let middle = authority("middle")
                .with("keyUsage", "critical,keyCertSign")
                .by(&root);
            let list = middle.list(&[], -10..10);
            chain(&leaf().by(&middle), &[&middle, &root]).lists([list])
        })
        .fails(KeyUsageNoCrlSign, 0),
        row("a list with an unknown critical extension", "5.2", || {
            let (root, middle, leaf, _) = four();
            chain(&leaf, &[&middle, &root]).lists([middle.odd_list(-10..10)])
        })
        .fails(UnhandledCriticalCrlExtension, 0),
        row("the same number of another authority", "5.3", || {
            let (root, middle, leaf, _) = four();
            let lists = [middle.list(&[], -10..10), root.list(&[&leaf], -10..10)];
            chain(&leaf, &[&middle, &root]).lists(lists)
        })
        .flags(VerifyFlags::CRL_CHECK_ALL),
    ]
}
