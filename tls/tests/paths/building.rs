//! How a path is found: RFC 5280, section 6, and RFC 4158.

use greenling_tls::crypto::VerifyFlags;

use super::codes::Code::*;
use super::made::{Made, authority, leaf};
use super::row::{Chain, Row, chain, row};

/// A root, an intermediate and a leaf.
fn three() -> [Made; 3] {
    let root = authority("root").root();
    let middle = authority("middle").by(&root);
    let leaf = leaf().by(&middle);
    [root, middle, leaf]
}

/// Below the root: so many intermediates, the lowest first.
fn deep(count: usize) -> Chain {
    let names = ["a", "b", "c", "d"];
    let mut above = vec![authority("root").root()];
    for name in &names[..count] {
        let made = authority(name).by(&above[0]);
        above.insert(0, made);
    }
    chain(&leaf().by(&above[0]), &above.iter().collect::<Vec<_>>())
}

/// An intermediate certified by two roots: by one that expires in 50 days or, with
/// `cross`, by itself for that long, and by a new one.
struct Crossed {
    old: Made,
    new: Made,
    by_old: Made,
    by_new: Made,
    leaf: Made,
}

fn crossed(old_root: i64, by_old: i64) -> Crossed {
    let old = authority("old root").days(-1000..old_root).root();
    let new = authority("new root").root();
    let by_new = authority("middle").by(&new);
    let by_old = authority("middle")
        .key(&by_new.key)
        .days(-1000..by_old)
        .by(&old);
    Crossed {
        leaf: leaf().by(&by_new),
        old,
        new,
        by_old,
        by_new,
    }
}

/// Another authority of the same name and another key.
fn namesake(named: bool, both: bool) -> Chain {
    let root = authority("root").root();
    let plan = |name| match named {
        true => authority(name),
        false => authority(name).unnamed_keys(),
    };
    let (right, wrong) = (plan("middle").by(&root), plan("middle").by(&root));
    let leaf = match named {
        true => leaf(),
        false => leaf().unnamed_keys(),
    };
    let made = chain(&leaf.by(&right), &[&root]);
    match both {
        true => made.given(&[&wrong, &right]),
        false => made.given(&[&wrong]),
    }
}

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("no intermediate given", "RFC 4158, 2.2", || {
            let [root, _, leaf] = three();
            chain(&leaf, &[&root])
        })
        .fails(UnableToGetIssuerCertLocally, 0),
        row("nothing is trusted", "6.1.1 (d)", || {
            let [_, middle, leaf] = three();
            chain(&leaf, &[&middle]).given(&[&middle]).trusted(&[])
        })
        .fails(UnableToGetIssuerCertLocally, 1),
        row("a namesake of the intermediate", "6.1.3 (a)(1)", || {
            namesake(false, false)
        })
        .fails(CertSignatureFailure, 0),
        row(
            "a namesake whose key is known to be another",
            "4.2.1.1",
            || namesake(true, false),
        )
        .fails(UnableToGetIssuerCertLocally, 0),
        row("a namesake before the right one", "4.2.1.1", || {
            namesake(true, true)
        }),
        row("two roots of one name", "4.2.1.1", || {
            let [root, other] = [authority("root").root(), authority("root").root()];
            chain(&leaf().by(&root), &[&root]).trusted(&[&other, &root])
        }),
        row("a wrong signature", "6.1.3 (a)(1)", || {
            let [root, middle, leaf] = three();
            chain(&leaf.damaged(), &[&middle, &root])
        })
        .fails(CertSignatureFailure, 0),
        row(
            "a wrong signature of the intermediate",
            "6.1.3 (a)(1)",
            || {
                let [root, middle, leaf] = three();
                chain(&leaf, &[&middle.damaged(), &root])
            },
        )
        .fails(CertSignatureFailure, 1),
        row(
            "a wrong signature of the root by itself",
            "6.1.1 (d)",
            || {
                let [root, middle, leaf] = three();
                chain(&leaf, &[&middle, &root.damaged()])
            },
        ),
        row("the same, looked at", "6.1.1 (d)", || {
            let [root, middle, leaf] = three();
            chain(&leaf, &[&middle, &root.damaged()])
        })
        .flags(VerifyFlags::CHECK_SS_SIGNATURE)
        .fails(CertSignatureFailure, 2),
        row("an issuer's name in other case", "7.1", || {
            let root = authority("root").root();
            chain(&leaf().issued_as("ROOT").by(&root), &[&root])
        }),
        row("an issuer's name with more spaces", "7.1", || {
            let root = authority("the root").root();
            chain(&leaf().issued_as(" the   root ").by(&root), &[&root])
        }),
        row("another issuer's name", "6.1.3 (a)(4)", || {
            let root = authority("root").root();
            chain(&leaf().issued_as("stem").by(&root), &[&root])
        })
        .fails(UnableToGetIssuerCertLocally, 0),
        row("a leaf that signed itself", "6.1", || {
            let leaf = leaf().root();
            chain(&leaf, &[&leaf]).trusted(&[])
        })
        .fails(DepthZeroSelfSignedCert, 0),
        row(
            "a leaf that signed itself and is trusted",
            "6.1.1 (d)",
            || {
                let leaf = leaf().root();
                chain(&leaf, &[&leaf])
            },
        ),
        row("a root that is given and not trusted", "6.1.1 (d)", || {
            let [root, middle, leaf] = three();
            let other = authority("other").root();
            chain(&leaf, &[&other]).given(&[&middle, &root])
        })
        .fails(SelfSignedCertInChain, 2),
        row("a trusted intermediate", "6.1.1 (d)", || {
            let [_, middle, leaf] = three();
            chain(&leaf, &[&middle])
        })
        // OpenSSL wants a root unless it is told otherwise.
        .fails(UnableToGetIssuerCert, 1),
        row("a trusted intermediate as anchor", "6.1.1 (d)", || {
            let [_, middle, leaf] = three();
            chain(&leaf, &[&middle])
        })
        .flags(VerifyFlags::PARTIAL_CHAIN),
        row("a trusted leaf as anchor", "6.1.1 (d)", || {
            let [_, _, leaf] = three();
            chain(&leaf, &[&leaf])
        })
        .flags(VerifyFlags::PARTIAL_CHAIN),
        row("the wrong order", "RFC 8446, 4.4.2", || {
            let [root, middle, leaf] = three();
            let lower = authority("lower").by(&middle);
            let below = super::made::leaf().by(&lower);
            drop(leaf);
            chain(&below, &[&root]).given(&[&middle, &lower])
        }),
        row("duplicates", "RFC 4158, 2.4", || {
            let [root, middle, leaf] = three();
            chain(&leaf, &[&root]).given(&[&middle, &leaf, &middle, &root, &middle])
        }),
        row(
            "certificates that have nothing to do with it",
            "RFC 4158, 2.4",
            || {
                let [root, middle, leaf] = three();
                let [stranger, other, third] = three();
                chain(&leaf, &[&root]).given(&[&third, &other, &middle, &stranger])
            },
        ),
        row("a loop that leads nowhere", "RFC 4158, 2.4.2", || {
            let (one, other) = (authority("one").root(), authority("other").root());
            let one_by_other = authority("one").key(&one.key).by(&other);
            let other_by_one = authority("other").key(&other.key).by(&one);
            let root = authority("root").root();
            chain(&leaf().by(&one), &[&root]).given(&[&one_by_other, &other_by_one])
        })
        .fails(UnableToGetIssuerCertLocally, 2),
        row("a loop with a way out", "RFC 4158, 2.4.2", || {
            let (one, root) = (authority("one").root(), authority("root").root());
            let one_by_root = authority("one").key(&one.key).by(&root);
            let root_by_one = authority("root").key(&root.key).by(&one);
            chain(&leaf().by(&one), &[&root]).given(&[&one_by_root, &root_by_one])
        }),
        row("as many intermediates as allowed", "6.1", || deep(2)).depth(2),
        row("one intermediate too many", "6.1", || deep(3))
            .depth(2)
            .fails(CertChainTooLong, 3),
        row("an intermediate where none is allowed", "6.1", || deep(1))
            .depth(0)
            .fails(CertChainTooLong, 1),
        row(
            "a cross certificate that has expired",
            "RFC 4158, 2.3",
            || {
                let it = crossed(1000, 50);
                chain(&it.leaf, &[&it.new])
                    .given(&[&it.by_old, &it.by_new])
                    .trusted(&[&it.old, &it.new])
            },
        )
        .at(51),
        row(
            "a cross certificate by a root that is gone",
            "RFC 4158, 2.3",
            || {
                let it = crossed(50, 1000);
                chain(&it.leaf, &[&it.new]).given(&[&it.by_new, &it.by_old])
            },
        )
        .at(51),
        row(
            "both paths, with a root that has expired last",
            "RFC 4158, 2.3",
            || {
                let it = crossed(50, 1000);
                chain(&it.leaf, &[&it.new])
                    .given(&[&it.by_new, &it.by_old])
                    .trusted(&[&it.old, &it.new])
            },
        )
        .at(51),
        // OpenSSL takes the first intermediate that fits and never goes back.
        row(
            "both paths, with a root that has expired first",
            "RFC 4158, 2.3",
            || {
                let it = crossed(50, 1000);
                chain(&it.leaf, &[&it.new])
                    .given(&[&it.by_old, &it.by_new])
                    .trusted(&[&it.old, &it.new])
            },
        )
        .at(51)
        .fails(CertHasExpired, 2),
        row("a new key certified by the old one", "6.1.4 (l)", || {
            let old = authority("root")
                .with("basicConstraints", "critical,CA:TRUE,pathlen:0")
                .root();
            let new = authority("root").by(&old);
            chain(&leaf().by(&new), &[&new, &old])
        }),
    ]
}
