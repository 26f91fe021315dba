//! curl, which keeps sessions for as long as it runs.

use super::*;
use greenling_tls::Version;

struct Curl(PathBuf);

impl Curl {
    fn ask(&self, hosts: &Hosts, ask: &Ask) -> Printed {
        let visit = ask.last();
        let mut command = Command::new(&self.0);
        // The connection is made anew for each request, since ours is HTTP/1.0.
        command
            .args(["--silent", "--show-error", "--noproxy", "*", "--cacert"])
            .arg(hosts.papers.file("ca.pem"))
            .args(["--connect-to", &format!("::{}", hosts.address())])
            .args(match ask.version {
                Version::Tls12 => &["--tlsv1.2", "--tls-max", "1.2"][..],
                _ => &["--tlsv1.3"],
            });
        if !ask.alpn {
            command.arg("--no-alpn");
        }
        if !visit.certificate.is_empty() {
            let file = |ending| hosts.papers.file(&format!("{}{ending}", visit.certificate));
            command.arg("--cert").arg(file(".pem"));
            command.arg("--key").arg(file(".key"));
        }
        for visit in &ask.visits {
            let name = match visit.name {
                "" => "127.0.0.1",
                name => name,
            };
            command.arg(format!("https://{name}:{}/", hosts.port()));
        }
        let printed = tools::run(&mut command, b"").text();
        // The last answer and the errors after it.
        let last = printed.rfind("told host=").unwrap_or_default();
        printed[last..].to_owned()
    }
}

impl Client for Curl {
    fn able(&self, ask: &Ask) -> bool {
        // It knows which host a session is of.
        !ask.carries()
    }

    fn visit(&self, hosts: &Hosts, asks: &[Ask]) -> Vec<Printed> {
        asks.iter().map(|ask| self.ask(hosts, ask)).collect()
    }
}

#[test]
fn curl_finds_two_hosts_and_no_way_in_between() {
    if let Some(curl) = tools::find("curl's table", "curl") {
        check(&Curl(curl), 18);
    }
}
