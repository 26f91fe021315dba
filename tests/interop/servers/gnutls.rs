//! `gnutls-serv`, which prints a block about each connection.

use super::*;
use std::cell::Cell;
use std::net::TcpListener;
use std::path::Path;
use tests::tools;

struct GnutlsServ {
    server: Printing,
    /// The port of the client that has connected last, by which its block is found.
    client: Cell<u16>,
}

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
        GnutlsServ {
            server: Printing::start(&mut command, listening),
            client: Cell::new(0),
        }
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
        let socket = self.server.connect();
        let address = socket.local_addr().expect("an address");
        self.client.set(address.port());
        socket
    }

    fn told(&self, _page: &str) -> Told {
        let client = self.client.get();
        let block = self.server.wait_for("what it saw", |printed| {
            let start = format!("* Accepted connection from IPv4 127.0.0.1 port {client} ");
            let block = printed.split(&start).nth(1)?;
            let (block, _) = block.split_once("- Channel bindings")?;
            Some(block.to_owned())
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
        self.server.printed()
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
