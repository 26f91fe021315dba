//! What every foreign client must see of our two hosts, in one table.
//!
//! A client is told what to visit and answers with what it printed, so each row is
//! checked by both ends: the line comes from our server, through the other program.

use greenling_tls::Version;

use super::hosts::{Hosts, line};

/// One connection of a client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visit {
    /// The host that it names; empty to name none.
    pub(crate) name: &'static str,
    /// Whose certificate it has; empty for none.
    pub(crate) certificate: &'static str,
}

/// What a client is to do: visits one after the other, each of which offers the
/// session of the one before.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) version: Version,
    /// Whether it offers protocols, `http/1.1` among them.
    pub(crate) alpn: bool,
    pub(crate) visits: Vec<Visit>,
}

impl Ask {
    /// The ask as `peer.py` and `peer.go` read it: `VERSION ALPN NAME:CERTIFICATE ..`.
    pub(crate) fn to_line(&self) -> String {
        let protocols = if self.alpn { "pop3,http/1.1" } else { "" };
        let mut line = format!("{} [{protocols}]", self.version);
        for Visit { name, certificate } in &self.visits {
            line.push_str(&format!(" {name}:{certificate}"));
        }
        line
    }

    /// Whether a session of one host is offered to another.
    pub(crate) fn carries(&self) -> bool {
        self.visits
            .iter()
            .any(|visit| visit.name != self.last().name)
    }

    pub(crate) fn last(&self) -> Visit {
        *self.visits.last().expect("there is a visit")
    }
}

/// All that a program printed about the last of an ask's visits.
pub(crate) type Printed = String;

/// A client that we did not write.
pub(crate) trait Client {
    /// Whether it can be made to do this at all.
    fn able(&self, _ask: &Ask) -> bool {
        true
    }

    /// Does all of it, in order.
    fn visit(&self, hosts: &Hosts, asks: &[Ask]) -> Vec<Printed>;
}

enum Expect {
    /// The line of our server.
    Told(String),
    /// Words for the alert, among letters only.
    Refused(&'static [&'static str]),
}

const A: Visit = Visit {
    name: "a.test",
    certificate: "",
};

const B: Visit = Visit {
    name: "b.test",
    certificate: "alice",
};

fn table() -> Vec<(Ask, Expect)> {
    use Expect::{Refused, Told};
    let (old, new) = (Version::Tls12, Version::Tls13);
    let mut rows = Vec::new();
    let mut row = |version, alpn, visits: &[Visit], expect| {
        let visits = visits.to_vec();
        rows.push((
            Ask {
                version,
                alpn,
                visits,
            },
            expect,
        ));
    };
    for alpn in [false, true] {
        let agreed = if alpn { "http/1.1" } else { "" };
        for version in [old, new] {
            let a = |resumed| Told(line("a.test", version, agreed, "a.test", resumed, ""));
            row(version, alpn, &[A], a(false));
            row(version, alpn, &[A, A], a(true));
        }
        let b = |resumed| Told(line("b.test", new, agreed, "b.test", resumed, "alice"));
        row(new, alpn, &[B], b(false));
        row(new, alpn, &[B, B], b(true));
    }
    let host = |name, certificate| Visit { name, certificate };
    // The first host does not ask for a certificate, whoever has one.
    let a = line("a.test", new, "", "a.test", false, "");
    row(new, false, &[host("a.test", "alice")], Told(a));
    // No way into the second by the terms of the first.
    row(old, false, &[B], Refused(&["protocol", "version"]));
    row(old, false, &[A, B], Refused(&["protocol", "version"]));
    let nobody = host("b.test", "");
    row(new, false, &[nobody], Refused(&["certificate", "required"]));
    row(
        new,
        false,
        &[A, nobody],
        Refused(&["certificate", "required"]),
    );
    let mallory = host("b.test", "mallory");
    row(new, false, &[mallory], Refused(&["unknown", "ca"]));
    let b = line("b.test", new, "", "b.test", false, "alice");
    row(new, false, &[A, B], Told(b));
    // Nor by naming none, nor a third.
    let a = line("a.test", new, "", "", false, "");
    row(new, false, &[host("", "alice")], Told(a));
    let third = host("c.test", "alice");
    row(new, false, &[third], Refused(&["recogni", "name"]));
    rows
}

/// Has `client` do all it can of the table, and at least `least` rows of it.
#[track_caller]
pub(crate) fn check(client: &dyn Client, least: usize) {
    let hosts = Hosts::start();
    let (asks, expected): (Vec<Ask>, Vec<Expect>) = table()
        .into_iter()
        .filter(|(ask, _)| client.able(ask))
        .unzip();
    assert_eq!(asks.len(), least, "rows that the client can do");
    let printed = client.visit(&hosts, &asks);
    assert_eq!(printed.len(), asks.len(), "{printed:?}");
    for ((ask, expected), printed) in asks.iter().zip(expected).zip(printed) {
        match expected {
            Expect::Told(line) => assert!(
                printed.contains(&line),
                "{ask:?}: not {line:?} but\n{printed}"
            ),
            Expect::Refused(words) => {
                let letters = letters(&printed);
                assert!(
                    words.iter().all(|word| letters.contains(word)),
                    "{ask:?}: not {words:?} but\n{printed}"
                );
                assert!(!printed.contains("told host="), "{ask:?}: {printed}");
            }
        }
    }
}

/// The letters of `text`, which is all that programs have in common when they name
/// an alert: `certificate_required`, `CertificateRequired`, `certificate required`.
pub(crate) fn letters(text: &str) -> String {
    let letters = text.chars().filter(char::is_ascii_alphabetic);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}
