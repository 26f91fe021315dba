//! `openssl s_server`, whose page tells about the session, and which prints the rest
//! when it ends.

use super::*;
use std::path::Path;
use tests::tools;

struct SServer(Printing);

fn command(openssl: &Path, papers: &Papers, terms: &Terms) -> Command {
    let file = |ending| papers.path(&format!("{}{ending}", terms.certificate));
    let mut command = Command::new(openssl);
    command
        .args(["s_server", "-www", "-accept", "127.0.0.1:0"])
        .args(["-cert", &file(".pem"), "-key", &file(".key")])
        .args(["-CAfile", &papers.path("ca.pem"), "-alpn", "http/1.1,pop3"]);
    if terms.demand {
        command.args(["-Verify", "1", "-verify_return_error"]);
    }
    command
}

impl Server for SServer {
    type Socket = TcpStream;

    fn connect(&self) -> TcpStream {
        self.0.connect()
    }

    fn told(&self, page: &str) -> Told {
        let status = page
            .lines()
            .find(|line| line.starts_with("New, ") || line.starts_with("Reused, "))
            .unwrap_or_else(|| panic!("no state in {page}"));
        let words: Vec<&str> = status.split(", ").collect();
        let client = page
            .lines()
            .find_map(|line| line.trim().strip_prefix("DNS:"));
        Told {
            version: words[1].to_owned(),
            alpn: None,
            sni: None,
            resumed: words[0] == "Reused",
            client: client.unwrap_or_default().to_owned(),
        }
    }

    fn printed(&self) -> String {
        self.0.printed()
    }
}

#[test]
fn s_server_sees_what_we_offer() {
    if let Some(openssl) = tools::find("s_server's table", "openssl") {
        check(|papers, terms| {
            let mut command = command(&openssl, papers, terms);
            SServer(Printing::start(&mut command, "ACCEPT 127.0.0.1:"))
        });
    }
}

#[test]
fn s_server_sees_the_name_and_the_protocols() {
    let Some(openssl) = tools::find("s_server's extensions", "openssl") else {
        return;
    };
    let papers = Papers::new();
    for version in [Version::Tls12, Version::Tls13] {
        let terms = Terms {
            certificate: "a.test",
            demand: false,
        };
        let mut command = command(&openssl, &papers, &terms);
        command.args(["-tlsextdebug", "-naccept", "1"]);
        let server = SServer(Printing::start(&mut command, "ACCEPT 127.0.0.1:"));
        let context = client(&papers, version, "").alpn(["pop3", "smtp"]).build();
        let (fetched, _) = visit(&server, &context.expect("a context"));
        fetched.expect("a page");
        for said in [
            "ALPN protocols advertised by the client: pop3, smtp\n",
            "ALPN protocols selected: pop3\n",
            "00 09 00 00 06 61 2e 74-65 73 74                  .....a.test\n",
        ] {
            server
                .0
                .wait_for(said, |printed| printed.contains(said).then_some(()));
        }
    }
}
