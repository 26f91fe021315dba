//! What keys and certificates may be used for: RFC 5280, sections 4.2.1.3, 4.2.1.9
//! and 4.2.1.12, and extensions that nobody knows.

use greenling_tls::Purpose;
use greenling_tls::crypto::VerifyFlags;

use super::codes::Code::*;
use super::made::{Plan, authority, leaf};
use super::row::{Chain, Elsewhere, Row, chain, row};

/// A leaf directly below the root.
fn two(leaf: Plan) -> Chain {
    let root = authority("root").root();
    chain(&leaf.by(&root), &[&root])
}

/// With an intermediate in between.
fn below(middle: Plan) -> Chain {
    let root = authority("root").root();
    let middle = middle.by(&root);
    chain(&leaf().by(&middle), &[&middle, &root])
}

/// As many intermediates as there are limits, the upper first.
fn below_all(limits: &[&str]) -> Chain {
    let root = authority("root").root();
    let mut above = vec![root];
    for limit in limits {
        let plan = authority(["a", "b", "c"][above.len() - 1]);
        let value = format!("critical,CA:TRUE{limit}");
        let made = plan.with("basicConstraints", &value).by(&above[0]);
        above.insert(0, made);
    }
    let leaf = leaf().by(&above[0]);
    chain(&leaf, &above.iter().collect::<Vec<_>>())
}

fn for_clients() -> Chain {
    two(leaf().with("extendedKeyUsage", "clientAuth"))
}

fn for_mail() -> Chain {
    two(leaf()
        .with("extendedKeyUsage", "emailProtection")
        .names("email:me@host.test"))
}

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row(
            "a client's certificate for a server",
            "4.2.1.12",
            for_clients,
        )
        .fails(InvalidPurpose, 0),
        row(
            "a client's certificate for a client",
            "4.2.1.12",
            for_clients,
        )
        .purpose(Purpose::Client),
        row("a server's certificate for a client", "4.2.1.12", || {
            two(leaf())
        })
        .purpose(Purpose::Client)
        .fails(InvalidPurpose, 0),
        row("a certificate for any purpose", "4.2.1.12", || {
            two(leaf().with("extendedKeyUsage", "anyExtendedKeyUsage"))
        })
        // The section lets applications demand the very purpose, and OpenSSL does.
        .fails(InvalidPurpose, 0),
        row("a certificate without purposes", "4.2.1.12", || {
            two(leaf().without("extendedKeyUsage"))
        }),
        row("a certificate for mail", "4.2.1.12", for_mail)
            .purpose(Purpose::EmailSigning)
            .email("me@host.test")
            .handshake(Elsewhere::NotThere),
        row(
            "a certificate for the mail of another",
            "RFC 8398, 4.2.1.6",
            for_mail,
        )
        .purpose(Purpose::EmailSigning)
        .email("you@host.test")
        .fails(EmailMismatch, 0)
        .handshake(Elsewhere::NotThere),
        row("mail at a host in other case", "RFC 5321, 2.4", for_mail)
            .purpose(Purpose::EmailSigning)
            .email("me@HOST.test")
            .handshake(Elsewhere::NotThere),
        row("mail for a name in other case", "RFC 5321, 2.4", for_mail)
            .purpose(Purpose::EmailSigning)
            .email("ME@host.test")
            .fails(EmailMismatch, 0)
            .handshake(Elsewhere::NotThere),
        row("a key that must not encrypt", "4.2.1.3", for_mail)
            .purpose(Purpose::EmailEncryption)
            .fails(InvalidPurpose, 0)
            .handshake(Elsewhere::NotThere),
        row("a key that may encrypt", "4.2.1.3", || {
            two(leaf()
                .with("extendedKeyUsage", "emailProtection")
                .with("keyUsage", "critical,keyEncipherment"))
        })
        .purpose(Purpose::EmailEncryption)
        .handshake(Elsewhere::NotThere),
        row("a key that must not sign lists", "4.2.1.3", || two(leaf()))
            .purpose(Purpose::CrlSigning)
            .fails(InvalidPurpose, 0)
            .handshake(Elsewhere::NotThere),
        row("a key that may sign lists", "4.2.1.3", || {
            two(leaf().with("keyUsage", "critical,cRLSign"))
        })
        .purpose(Purpose::CrlSigning)
        .handshake(Elsewhere::NotThere),
        row("a certificate for timestamps", "RFC 3161, 2.3", || {
            two(leaf().with("extendedKeyUsage", "critical,timeStamping"))
        })
        .purpose(Purpose::TimeStamping)
        .handshake(Elsewhere::NotThere),
        row("timestamps beside another purpose", "RFC 3161, 2.3", || {
            two(leaf().with("extendedKeyUsage", "critical,timeStamping,serverAuth"))
        })
        .purpose(Purpose::TimeStamping)
        .fails(InvalidPurpose, 0)
        .handshake(Elsewhere::NotThere),
        row(
            "a client's certificate for anything",
            "4.2.1.12",
            for_clients,
        )
        .purpose(Purpose::Any)
        .handshake(Elsewhere::NotThere),
        row("an intermediate for clients only", "4.2.1.12", || {
            below(authority("middle").with("extendedKeyUsage", "clientAuth"))
        })
        .fails(InvalidPurpose, 1),
        row("an intermediate for servers", "4.2.1.12", || {
            below(authority("middle").with("extendedKeyUsage", "serverAuth"))
        }),
        row("an intermediate that is no authority", "6.1.4 (k)", || {
            below(authority("middle").with("basicConstraints", "critical,CA:FALSE"))
        })
        .fails(InvalidCa, 1),
        row(
            "an intermediate without basicConstraints",
            "6.1.4 (k)",
            || {
                below(
                    authority("middle")
                        .without("basicConstraints")
                        .without("keyUsage"),
                )
            },
        )
        .fails(InvalidCa, 1),
        row("a leaf that issues", "6.1.4 (k)", || {
            let root = authority("root").root();
            let issuer = leaf().by(&root);
            chain(&leaf().by(&issuer), &[&issuer, &root])
        })
        .fails(InvalidCa, 1),
        row(
            "an intermediate whose key must not sign",
            "6.1.4 (n)",
            || below(authority("middle").with("keyUsage", "critical,cRLSign")),
        )
        .fails(InvalidCa, 1),
        row(
            "a leaf whose key must not sign handshakes",
            "4.2.1.3",
            || two(leaf().with("keyUsage", "critical,cRLSign")),
        )
        .fails(InvalidPurpose, 0),
        row("no intermediate allowed, and none there", "4.2.1.9", || {
            below_all(&[",pathlen:0"])
        }),
        row(
            "no intermediate allowed, and one there",
            "6.1.4 (l)",
            || below_all(&[",pathlen:0", ""]),
        )
        .fails(PathLengthExceeded, 2),
        row(
            "one intermediate allowed, and two there",
            "6.1.4 (l)",
            || below_all(&[",pathlen:1", "", ""]),
        )
        .fails(PathLengthExceeded, 3),
        row(
            "a lower limit that a lower one exceeds",
            "6.1.4 (m)",
            || below_all(&[",pathlen:2", ",pathlen:0", ""]),
        )
        .fails(PathLengthExceeded, 2),
        row("a limit that is met exactly", "6.1.4 (m)", || {
            below_all(&[",pathlen:2", ",pathlen:1", ",pathlen:0"])
        }),
        row("an unknown critical extension", "6.1.5 (f)", || {
            two(leaf().with("1.2.3.4", "critical,DER:05:00"))
        })
        .fails(UnhandledCriticalExtension, 0),
        row("an unknown extension", "4.2", || {
            two(leaf().with("1.2.3.4", "DER:05:00"))
        }),
        row(
            "an unknown critical extension of an authority",
            "6.1.4 (o)",
            || below(authority("middle").with("1.2.3.4", "critical,DER:05:00")),
        )
        .fails(UnhandledCriticalExtension, 1),
        row("unknown critical extensions, ignored", "6.1.5 (f)", || {
            two(leaf().with("1.2.3.4", "critical,DER:05:00"))
        })
        .flags(VerifyFlags::IGNORE_CRITICAL),
    ]
}
