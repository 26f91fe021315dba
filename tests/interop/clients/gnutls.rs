//! gnutls-cli, which visits twice by itself when it is to resume.

use super::*;
use greenling_tls::Version;

const REQUEST: &[u8] = b"GET / HTTP/1.0\r\n\r\n";

struct GnutlsCli(PathBuf);

impl GnutlsCli {
    fn ask(&self, hosts: &Hosts, ask: &Ask) -> Printed {
        let visit = ask.last();
        let mut command = Command::new(&self.0);
        let version = match ask.version {
            Version::Tls12 => "TLS1.2",
            _ => "TLS1.3",
        };
        command
            .args(["--port", &hosts.port().to_string()])
            .args(["--priority", &format!("NORMAL:-VERS-ALL:+VERS-{version}")])
            .args(["--x509cafile", &hosts.papers.path("ca.pem")]);
        if !visit.name.is_empty() {
            command.args([
                "--sni-hostname",
                visit.name,
                "--verify-hostname",
                visit.name,
            ]);
        }
        if ask.alpn {
            command.args(["--alpn", "pop3", "--alpn", "http/1.1"]);
        }
        if !visit.certificate.is_empty() {
            let file = |ending| hosts.papers.path(&format!("{}{ending}", visit.certificate));
            command.args([
                "--x509certfile",
                &file(".pem"),
                "--x509keyfile",
                &file(".key"),
            ]);
        }
        let again = ask.visits.len() > 1;
        if again {
            command.args(["--resume", "--waitresumption"]);
        }
        command.arg("127.0.0.1");
        let printed = tools::run(&mut command, REQUEST).text();
        if printed.contains("told host=") {
            assert!(
                printed.contains(&format!("Description: ({version}")),
                "{printed}"
            );
            assert!(printed.contains("The certificate is trusted"), "{printed}");
            let resumed = printed.contains("This is a resumed session");
            assert_eq!(resumed, again, "{printed}");
        }
        printed
    }
}

impl Client for GnutlsCli {
    fn able(&self, ask: &Ask) -> bool {
        // Its sessions do not outlive it.
        !ask.carries()
    }

    fn visit(&self, hosts: &Hosts, asks: &[Ask]) -> Vec<Printed> {
        asks.iter().map(|ask| self.ask(hosts, ask)).collect()
    }
}

#[test]
fn gnutls_cli_finds_two_hosts_and_no_way_in_between() {
    if let Some(gnutls) = tools::find("gnutls-cli's table", "gnutls-cli") {
        check(&GnutlsCli(gnutls), 18);
    }
}
