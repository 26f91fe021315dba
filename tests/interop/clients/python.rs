//! Python's `ssl`: one process does it all, by `peer.py`.

use super::*;

struct Python(PathBuf);

impl Client for Python {
    fn visit(&self, hosts: &Hosts, asks: &[Ask]) -> Vec<Printed> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/interop/peer.py");
        let mut command = Command::new(&self.0);
        command
            .args([script, "client", &hosts.port().to_string()])
            .arg(hosts.papers.directory());
        ask_by_lines(&mut command, asks)
    }
}

#[test]
fn python_finds_two_hosts_and_no_way_in_between() {
    if let Some(python) = tools::find("Python's table", "python3") {
        check(&Python(python), 21);
    }
}
