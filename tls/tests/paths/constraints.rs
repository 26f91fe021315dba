//! Name constraints: RFC 5280, section 4.2.1.10.

use super::codes::Code::*;
use super::made::{Plan, authority, leaf, name};
use super::row::{Chain, Row, chain, row};

/// A leaf below an authority with these constraints.
fn under(constraints: &str, leaf: Plan) -> Chain {
    let root = authority("root").root();
    let middle = authority("middle")
        .with("nameConstraints", &format!("critical,{constraints}"))
        .by(&root);
    chain(&leaf.by(&middle), &[&middle, &root])
}

/// A constraint on directory names, which have no text form of their own: 0xa0 permits,
/// 0xa1 excludes.
fn directory(kind: u8, entries: &[(&str, &str)]) -> String {
    let mut der = name(entries).to_der().unwrap();
    for tag in [0xa4, 0x30, kind, 0x30] {
        let length = u8::try_from(der.len()).expect("a short name");
        assert!(length < 0x80, "a short name");
        der.splice(0..0, [tag, length]);
    }
    let hex: Vec<String> = der.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("DER:{}", hex.join(":"))
}

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("a permitted host", "4.2.1.10", || {
            under("permitted;DNS:test", leaf())
        })
        .host("host.test"),
        row("a host that is not permitted", "6.1.3 (b)", || {
            under("permitted;DNS:example", leaf())
        })
        .fails(PermittedViolation, 0),
        row("a host whose end is no label", "4.2.1.10", || {
            under("permitted;DNS:ost.test", leaf())
        })
        .fails(PermittedViolation, 0),
        row("a permitted host in other case", "7.2", || {
            under("permitted;DNS:HOST.test", leaf().names("DNS:www.Host.TEST"))
        }),
        row("a host that is excluded", "6.1.3 (c)", || {
            under("excluded;DNS:host.test", leaf())
        })
        .fails(ExcludedViolation, 0),
        row("a host below one that is excluded", "4.2.1.10", || {
            under("excluded;DNS:host.test", leaf().names("DNS:www.host.test"))
        })
        .fails(ExcludedViolation, 0),
        row("a host beside one that is excluded", "4.2.1.10", || {
            under("excluded;DNS:other.test", leaf())
        }),
        row("what is both permitted and excluded", "6.1.3 (c)", || {
            under("permitted;DNS:test,excluded;DNS:host.test", leaf())
        })
        .fails(ExcludedViolation, 0),
        row(
            "one of several hosts that is not permitted",
            "6.1.3 (b)",
            || {
                under(
                    "permitted;DNS:host.test",
                    leaf().names("DNS:host.test,DNS:evil.example"),
                )
            },
        )
        .fails(PermittedViolation, 0),
        row(
            "hosts where only addresses are constrained",
            "4.2.1.10",
            || under("permitted;IP:10.0.0.0/255.0.0.0", leaf()),
        ),
        row("a permitted address", "4.2.1.10", || {
            under(
                "permitted;IP:10.0.0.0/255.0.0.0",
                leaf().names("IP:10.9.8.7"),
            )
        })
        .host("10.9.8.7"),
        row("an address that is not permitted", "6.1.3 (b)", || {
            under(
                "permitted;IP:10.0.0.0/255.0.0.0",
                leaf().names("IP:11.0.0.1"),
            )
        })
        .fails(PermittedViolation, 0),
        row("an address that is excluded", "6.1.3 (c)", || {
            under(
                "excluded;IP:10.0.0.0/255.0.0.0",
                leaf().names("IP:10.0.0.1"),
            )
        })
        .fails(ExcludedViolation, 0),
        row("an address of the other kind", "4.2.1.10", || {
            under(
                "permitted;IP:10.0.0.0/255.0.0.0",
                leaf().names("IP:2001:db8::1"),
            )
        })
        .fails(PermittedViolation, 0),
        row("a permitted address of version 6", "4.2.1.10", || {
            let net = "permitted;IP:2001:db8::/ffff:ffff::";
            under(net, leaf().names("IP:2001:db8::1"))
        }),
        row("a permitted mailbox's host", "4.2.1.10", || {
            under(
                "permitted;email:host.test",
                leaf().names("email:me@host.test"),
            )
        }),
        row("mail of a host below the permitted one", "4.2.1.10", || {
            under(
                "permitted;email:host.test",
                leaf().names("email:me@www.host.test"),
            )
        })
        .fails(PermittedViolation, 0),
        row("mail of hosts below a domain", "4.2.1.10", || {
            under(
                "permitted;email:.host.test",
                leaf().names("email:me@www.host.test"),
            )
        }),
        row("a mailbox that is excluded", "6.1.3 (c)", || {
            under(
                "excluded;email:me@host.test",
                leaf().names("email:me@host.test"),
            )
        })
        .fails(ExcludedViolation, 0),
        row("a mailbox in the subject", "4.2.1.10", || {
            let leaf = leaf().subject(&[("CN", "leaf"), ("emailAddress", "me@evil.test")]);
            under("permitted;email:host.test", leaf)
        })
        .fails(PermittedViolation, 0),
        row("a permitted directory", "4.2.1.10", || {
            let organisation = directory(0xa0, &[("C", "DE"), ("O", "Us")]);
            let subject = [("C", "DE"), ("O", "Us"), ("CN", "leaf")];
            under(&organisation, leaf().subject(&subject))
        }),
        row("a directory that is not permitted", "6.1.3 (b)", || {
            let organisation = directory(0xa0, &[("C", "DE"), ("O", "Us")]);
            let subject = [("C", "DE"), ("O", "Them"), ("CN", "leaf")];
            under(&organisation, leaf().subject(&subject))
        })
        .fails(PermittedViolation, 0),
        row("a directory that is excluded", "6.1.3 (c)", || {
            let organisation = directory(0xa1, &[("C", "DE"), ("O", "Us")]);
            let subject = [("C", "DE"), ("O", "us"), ("CN", "leaf")];
            under(&organisation, leaf().subject(&subject))
        })
        .fails(ExcludedViolation, 0),
        row(
            "a kind of name that OpenSSL cannot compare",
            "4.2.1.10",
            || under("permitted;RID:1.2.3", leaf().names("RID:1.2.3.4")),
        )
        .fails(UnsupportedConstraintType, 0),
        row("a permitted wildcard", "RFC 6125, 7.2", || {
            under("permitted;DNS:host.test", leaf().names("DNS:*.host.test"))
        })
        .host("www.host.test"),
        // The common name is no host here, but OpenSSL constrains it like one.
        row("a common name that is not permitted", "RFC 9525, 2", || {
            let leaf = leaf()
                .subject(&[("CN", "evil.example")])
                .without("subjectAltName");
            under("permitted;DNS:host.test", leaf)
        })
        .fails(PermittedViolation, 0),
        row(
            "an authority between that is not permitted",
            "6.1.4 (g)",
            || {
                let root = authority("root").root();
                let organisation = directory(0xa0, &[("O", "Us")]);
                let upper = authority("upper")
                    .with("nameConstraints", &format!("critical,{organisation}"))
                    .by(&root);
                let lower = authority("lower").subject(&[("O", "Them")]).by(&upper);
                let leaf = leaf().subject(&[("O", "Us"), ("CN", "leaf")]).by(&lower);
                chain(&leaf, &[&lower, &upper, &root])
            },
        )
        .fails(PermittedViolation, 1),
        // Anchors come without constraints in RFC 5280; OpenSSL heeds theirs, too.
        row("constraints of the root", "RFC 5937, 4", || {
            let root = authority("root")
                .with("nameConstraints", "critical,permitted;DNS:example")
                .root();
            chain(&leaf().by(&root), &[&root])
        })
        .fails(PermittedViolation, 0),
    ]
}
