//! Go's `crypto/tls`, by `peer.go`.

use super::*;
use crate::go;

struct Go(Printing);

impl Server for Go {
    type Socket = TcpStream;

    fn connect(&self) -> TcpStream {
        self.0.connect()
    }

    fn told(&self, page: &str) -> Told {
        Told::from_line(page)
    }

    fn printed(&self) -> String {
        self.0.printed()
    }

    fn is_unknown(&self, version: Version, printed: &str) -> bool {
        // As for GnuTLS: the alert of TLS 1.3 is not encrypted yet.
        printed.contains(match version {
            Version::Tls12 => "unknown certificate authority",
            _ => "bad record MAC",
        })
    }
}

#[test]
#[ignore = "the first build of a Go program takes minutes; optional.sh runs it"]
fn a_go_server_sees_what_we_offer() {
    if let Some(peer) = go::peer("a Go server") {
        check(|papers, terms| {
            let mut command = Command::new(peer);
            command
                .arg("server")
                .arg(papers.directory())
                .arg(terms.certificate)
                .args(terms.demand.then_some("demand"));
            Go(Printing::start(&mut command, "port "))
        });
    }
}
