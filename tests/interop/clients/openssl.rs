//! `openssl s_client`, a process for each visit.

use super::*;
use greenling_tls::Version;

const REQUEST: &[u8] = b"GET / HTTP/1.0\r\n\r\n";

struct SClient(PathBuf);

impl SClient {
    fn ask(&self, hosts: &Hosts, ask: &Ask, session: &str) -> Printed {
        let mut printed = String::new();
        for (i, visit) in ask.visits.iter().enumerate() {
            let mut command = Command::new(&self.0);
            command
                .args(["s_client", "-ign_eof", "-connect", &hosts.address()])
                .args([
                    "-verify_return_error",
                    "-CAfile",
                    &hosts.papers.path("ca.pem"),
                ])
                .args(["-sess_out", session])
                .arg(match ask.version {
                    Version::Tls12 => "-tls1_2",
                    _ => "-tls1_3",
                });
            if visit.name.is_empty() {
                command.args(["-noservername", "-verify_ip", "127.0.0.1"]);
            } else {
                command.args(["-servername", visit.name, "-verify_hostname", visit.name]);
            }
            if ask.alpn {
                command.args(["-alpn", "pop3,http/1.1"]);
            }
            if !visit.certificate.is_empty() {
                let file = |ending| hosts.papers.path(&format!("{}{ending}", visit.certificate));
                command.args(["-cert", &file(".pem"), "-key", &file(".key")]);
            }
            if i > 0 {
                command.args(["-sess_in", session]);
            }
            printed = tools::run(&mut command, REQUEST).text();
            let resumed = printed.contains("resumed=yes");
            if printed.contains("told host=") {
                let says = if resumed { "\nReused, " } else { "\nNew, " };
                let says = format!("{says}{}, Cipher is ", ask.version);
                assert!(printed.contains(&says), "not {says:?} but\n{printed}");
            }
        }
        printed
    }
}

impl Client for SClient {
    fn visit(&self, hosts: &Hosts, asks: &[Ask]) -> Vec<Printed> {
        let session = |i| hosts.papers.path(&format!("session-{i}"));
        let asks = asks.iter().enumerate();
        asks.map(|(i, ask)| self.ask(hosts, ask, &session(i)))
            .collect()
    }
}

#[test]
fn s_client_finds_two_hosts_and_no_way_in_between() {
    if let Some(openssl) = tools::find("s_client's table", "openssl") {
        check(&SClient(openssl), 21);
    }
}
