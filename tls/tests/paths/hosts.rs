//! Whether a certificate is for a host: RFC 9525 (which replaces RFC 6125), and the
//! names that RFC 5280 allows.

use greenling_tls::crypto::VerifyFlags;

use super::codes::Code::*;
use super::made::{Plan, authority, leaf};
use super::row::{Chain, Elsewhere, Row, Verdict, chain, row};

/// The program looks at the common name when there is no host in the subjectAltName.
const ACCEPTS: Elsewhere = Elsewhere::Other(Verdict::Valid);

fn of(leaf: Plan) -> Chain {
    let root = authority("root").root();
    chain(&leaf.by(&root), &[&root])
}

/// A certificate with these names.
fn named(names: &str) -> Chain {
    of(leaf().names(names))
}

fn one_level() -> Chain {
    named("DNS:*.host.test")
}

/// Without names but that of the subject.
fn common_name(name: &'static str) -> Plan {
    leaf().subject(&[("CN", name)]).without("subjectAltName")
}

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("the host itself", "RFC 9525, 6.3", || {
            named("DNS:host.test")
        })
        .host("host.test"),
        row("another host", "RFC 9525, 6.3", || named("DNS:host.test"))
            .host("other.test")
            .fails(HostnameMismatch, 0),
        row("the last of several hosts", "RFC 9525, 6.1", || {
            named("DNS:a.test,IP:192.0.2.1,DNS:host.test")
        })
        .host("host.test"),
        row("a host in other case", "RFC 9525, 6.3", || {
            named("DNS:HOST.Test")
        })
        .host("hoST.test"),
        row("a host below the named one", "RFC 9525, 6.3", || {
            named("DNS:host.test")
        })
        .host("www.host.test")
        .fails(HostnameMismatch, 0),
        row("a host above the named one", "RFC 9525, 6.3", || {
            named("DNS:www.host.test")
        })
        .host("host.test")
        .fails(HostnameMismatch, 0),
        // Whoever asks may end a name with a dot, which is left out here. The program
        // compares it.
        row(
            "a dot at the end of what is asked for",
            "RFC 1034, 3.1",
            || named("DNS:host.test"),
        )
        .host("host.test.")
        .command(Elsewhere::Other(Verdict::Fault(HostnameMismatch, 0))),
        row(
            "a dot at the end in the certificate",
            "RFC 5280, 4.2.1.6",
            || named("DNS:host.test."),
        )
        .host("host.test")
        .fails(HostnameMismatch, 0),
        row("a wildcard for one label", "RFC 9525, 6.3", one_level).host("www.host.test"),
        row("a wildcard for two labels", "RFC 9525, 6.3", one_level)
            .host("a.b.host.test")
            .fails(HostnameMismatch, 0),
        row("a wildcard for no label", "RFC 9525, 6.3", one_level)
            .host("host.test")
            .fails(HostnameMismatch, 0),
        row("a wildcard in other case", "RFC 9525, 6.3", one_level).host("WWW.HOST.test"),
        row("a wildcard in the second label", "RFC 9525, 6.3", || {
            named("DNS:www.*.host.test")
        })
        .host("www.a.host.test")
        .fails(HostnameMismatch, 0),
        row("two wildcards", "RFC 9525, 6.3", || named("DNS:*.*.test"))
            .host("www.host.test")
            .fails(HostnameMismatch, 0),
        // The program has no option for what contexts refuse.
        row("a wildcard for the end of a label", "RFC 9525, 6.3", || {
            named("DNS:w*.host.test")
        })
        .host("www.host.test")
        .fails(HostnameMismatch, 0)
        .command(ACCEPTS),
        row(
            "a wildcard for the beginning of a label",
            "RFC 9525, 6.3",
            || named("DNS:*w.host.test"),
        )
        .host("www.host.test")
        .fails(HostnameMismatch, 0)
        .command(ACCEPTS),
        row("a wildcard of a top-level domain", "RFC 9525, 7.1", || {
            named("DNS:*.test")
        })
        .host("host.test")
        .fails(HostnameMismatch, 0),
        // OpenSSL knows no list of public suffixes.
        row("a wildcard of a public suffix", "RFC 9525, 7.1", || {
            named("DNS:*.co.uk")
        })
        .host("example.co.uk"),
        row("nothing but a wildcard", "RFC 9525, 6.3", || named("DNS:*"))
            .host("localhost")
            .fails(HostnameMismatch, 0),
        row("an internationalised host", "RFC 9525, 6.3", || {
            named("DNS:xn--bcher-kva.test")
        })
        .host("xn--bcher-kva.test"),
        row(
            "an internationalised host in other case",
            "RFC 5890, 2.3.2.1",
            || named("DNS:xn--bcher-kva.test"),
        )
        .host("XN--Bcher-KVA.test"),
        row(
            "a wildcard for an internationalised label",
            "RFC 9525, 6.3",
            one_level,
        )
        .host("xn--bcher-kva.host.test"),
        row(
            "a wildcard within an internationalised label",
            "RFC 9525, 6.3",
            || named("DNS:xn--*.host.test"),
        )
        .host("xn--bcher-kva.host.test")
        .fails(HostnameMismatch, 0),
        row("a host that is not in ASCII", "RFC 5280, 7.2", || {
            named("DNS:bücher.test")
        })
        .host("xn--bcher-kva.test")
        .fails(HostnameMismatch, 0),
        row("a NUL within the name", "RFC 5280, 4.2.1.6", || {
            // dNSName "host.test\0.evil.test"
            let name = "68:6f:73:74:2e:74:65:73:74:00:2e:65:76:69:6c:2e:74:65:73:74";
            of(leaf().with("subjectAltName", &format!("DER:30:16:82:14:{name}")))
        })
        .host("host.test")
        .fails(HostnameMismatch, 0),
        row("a host in the common name", "RFC 9525, 2", || {
            of(common_name("host.test"))
        })
        .host("host.test")
        .fails(HostnameMismatch, 0)
        .command(ACCEPTS),
        row(
            "a host in the common name, others beside",
            "RFC 6125, 6.4.4",
            || {
                of(leaf()
                    .subject(&[("CN", "host.test")])
                    .names("DNS:other.test"))
            },
        )
        .host("host.test")
        .fails(HostnameMismatch, 0),
        row(
            "a host in the common name, an address beside",
            "RFC 9525, 2",
            || of(leaf().subject(&[("CN", "host.test")]).names("IP:192.0.2.1")),
        )
        .host("host.test")
        .fails(HostnameMismatch, 0)
        .command(ACCEPTS),
        row("an address", "RFC 9525, 6.5", || named("IP:192.0.2.1")).host("192.0.2.1"),
        row("another address", "RFC 9525, 6.5", || named("IP:192.0.2.1"))
            .host("192.0.2.2")
            .fails(IpAddressMismatch, 0),
        row(
            "an address of version 6 in another form",
            "RFC 9525, 6.5",
            || named("IP:2001:db8::1"),
        )
        .host("2001:DB8:0:0::0:1"),
        row("another address of version 6", "RFC 9525, 6.5", || {
            named("IP:2001:db8::1")
        })
        .host("2001:db8::2")
        .fails(IpAddressMismatch, 0),
        row(
            "an address of version 4 mapped to 6",
            "RFC 9525, 6.5",
            || named("IP:192.0.2.1"),
        )
        .host("::ffff:192.0.2.1")
        .fails(IpAddressMismatch, 0),
        row("an address as the text of a host", "RFC 9525, 6.5", || {
            named("DNS:192.0.2.1")
        })
        .host("192.0.2.1")
        .fails(IpAddressMismatch, 0),
        row("an address in the common name", "RFC 9525, 2", || {
            of(common_name("192.0.2.1"))
        })
        .host("192.0.2.1")
        .fails(IpAddressMismatch, 0),
        row("a wildcard for an address", "RFC 9525, 6.5", || {
            named("DNS:*.0.2.1")
        })
        .host("192.0.2.1")
        .fails(IpAddressMismatch, 0),
        row(
            "an empty subject, and critical names",
            "RFC 5280, 4.2.1.6",
            || of(leaf().subject(&[]).names("critical,DNS:host.test")),
        )
        .host("host.test")
        .flags(VerifyFlags::X509_STRICT),
        row(
            "an empty subject, and names that are not",
            "RFC 5280, 4.2.1.6",
            || of(leaf().subject(&[]).names("DNS:host.test")),
        )
        .host("host.test")
        .flags(VerifyFlags::X509_STRICT)
        .fails(EmptySubjectSanNotCritical, 0),
    ]
}
