//! Keys and digests that are too weak, by security level, and what only the strict
//! mode refuses.

use openssl::hash::MessageDigest;

use greenling_tls::crypto::VerifyFlags;

use super::codes::Code::*;
use super::made::{Plan, authority, leaf};
use super::row::{Chain, Elsewhere, Row, chain, row};

fn with(root: Plan, middle: Plan, leaf: Plan) -> Chain {
    let root = root.root();
    let middle = middle.by(&root);
    chain(&leaf.by(&middle), &[&middle, &root])
}

fn with_leaf(leaf: Plan) -> Chain {
    with(authority("root"), authority("middle"), leaf)
}

fn with_middle(middle: Plan) -> Chain {
    with(authority("root"), middle, leaf())
}

fn with_root(root: Plan) -> Chain {
    with(root, authority("middle"), leaf())
}

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("RSA of 1024 bits", "RFC 9325, 4.5", || {
            with_leaf(leaf().rsa_1024())
        })
        .fails(EeKeyTooSmall, 0),
        row("RSA of 1024 bits at level 1", "RFC 9325, 4.5", || {
            with_leaf(leaf().rsa_1024())
        })
        .level(1),
        row(
            "an authority with RSA of 1024 bits",
            "RFC 9325, 4.5",
            || with_middle(authority("middle").rsa_1024()),
        )
        .fails(CaKeyTooSmall, 1),
        row("a root with RSA of 1024 bits", "RFC 9325, 4.5", || {
            with_root(authority("root").rsa_1024())
        })
        .fails(CaKeyTooSmall, 2),
        row("RSA of 2048 bits", "RFC 9325, 4.5", || {
            with_leaf(leaf().rsa_2048())
        }),
        row("RSA of 2048 bits at level 3", "RFC 9325, 4.5", || {
            with_leaf(leaf().rsa_2048())
        })
        .level(3)
        .fails(EeKeyTooSmall, 0),
        row("P-256 at level 4", "RFC 9325, 4.5", || with_leaf(leaf()))
            .level(4)
            .fails(EeKeyTooSmall, 0)
            // A handshake at that level has no signature that the key could make.
            .handshake(Elsewhere::NotThere),
        row("a signature with SHA-1", "RFC 9155, 1", || {
            with_leaf(leaf().digest(MessageDigest::sha1()))
        })
        .fails(CaMdTooWeak, 0),
        row("a signature with SHA-1 at level 0", "RFC 9155, 1", || {
            with_leaf(leaf().digest(MessageDigest::sha1()))
        })
        .level(0),
        row("a signature with MD5", "RFC 6151, 2", || {
            let middle = authority("middle").rsa_2048();
            with(
                authority("root"),
                middle,
                leaf().digest(MessageDigest::md5()),
            )
        })
        .level(1)
        .fails(CaMdTooWeak, 0),
        row("an intermediate signed with SHA-1", "RFC 9155, 1", || {
            with_middle(authority("middle").digest(MessageDigest::sha1()))
        })
        .fails(CaMdTooWeak, 1),
        row(
            "a root signed with SHA-1 by itself",
            "RFC 5280, 6.1.1 (d)",
            || with_root(authority("root").digest(MessageDigest::sha1())),
        ),
        row(
            "constraints that are not critical",
            "RFC 5280, 4.2.1.9",
            || with_middle(authority("middle").with("basicConstraints", "CA:TRUE")),
        ),
        row(
            "constraints that are not critical, strictly",
            "RFC 5280, 4.2.1.9",
            || with_middle(authority("middle").with("basicConstraints", "CA:TRUE")),
        )
        .flags(VerifyFlags::X509_STRICT)
        .fails(CaBconsNotCritical, 1),
        row(
            "an authority without keyUsage, strictly",
            "RFC 5280, 4.2.1.3",
            || with_middle(authority("middle").without("keyUsage")),
        )
        .flags(VerifyFlags::X509_STRICT)
        .fails(CaCertMissingKeyUsage, 1),
    ]
}
