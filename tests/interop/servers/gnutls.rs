//! `gnutls-serv`, which prints a block about each connection.

use super::*;
use std::net::TcpListener;
use std::path::Path;
use tests::tools;

struct GnutlsServ(Printing);

impl GnutlsServ {
    fn start(gnutls: &Path, papers: &Papers, terms: &Terms) -> GnutlsServ {
        let file = |ending| papers.path(&format!("{}{ending}", terms.certificate));
        let mut command = Command::new(gnutls);
        command
            .args(["--http", "--port", &free_port().to_string()])
            .args([
                "--x509certfile",
                &file(".pem"),
                "--x509keyfile",
                &file(".key"),
            ])
            .args(["--x509cafile", &papers.path("ca.pem")])
            .args(["--alpn", "http/1.1", "--alpn", "pop3"])
            .args(if terms.demand {
                &["--require-client-cert", "--verify-client-cert"][..]
            } else {
                &["--disable-client-cert"]
            });
        let listening = "HTTP Server listening on IPv4 0.0.0.0 port ";
        GnutlsServ(Printing::start(&mut command, listening))
    }
}

/// A port that nobody has now: `gnutls-serv` cannot choose one by itself.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("bound");
    listener.local_addr().expect("an address").port()
}

impl Server for GnutlsServ {
    type Socket = TcpStream;

    fn connect(&self) -> TcpStream {
        self.0.connect()
    }

    fn told(&self, _page: &str) -> Told {
        let block = self.0.wait_for("what it saw", |printed| {
            let block = printed.rsplit("* Accepted connection").next()?;
            block
                .contains("- Channel bindings")
                .then(|| block.to_owned())
        });
        let after = |start: &str| {
            let line = block
                .lines()
                .find_map(|line| line.trim().strip_prefix(start));
            line.unwrap_or_default().trim().to_owned()
        };
        Told {
            version: after("- Version: ").replace("TLS", "TLSv"),
            alpn: Some(after("- Application protocol: ")),
            sni: Some(after("- Given server name[1]: ")),
            resumed: block.contains("*** This is a resumed session"),
            client: after("DNSname: "),
        }
    }

    fn printed(&self) -> String {
        self.0.printed()
    }

    fn is_unknown(&self, version: Version, printed: &str) -> bool {
        // It does not say which alert. OpenSSL's is not encrypted when it refuses the
        // server of TLS 1.3, since its own keys begin later, and GnuTLS expects that.
        printed.contains(match version {
            Version::Tls12 => "A TLS fatal alert has been received",
            _ => "Decryption has failed",
        })
    }
}

#[test]
fn gnutls_serv_sees_what_we_offer() {
    if let Some(gnutls) = tools::find("gnutls-serv's table", "gnutls-serv") {
        check(|papers, terms| GnutlsServ::start(&gnutls, papers, terms));
    }
}
