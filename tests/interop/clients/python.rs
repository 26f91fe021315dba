//! Python's `ssl`: one process does it all, by `peer.py`.

use super::*;
use std::process::Command;
use tests::tools;

struct Python(PathBuf);

impl Client for Python {
    fn visit(&self, hosts: &Hosts, asks: &[Ask]) -> Vec<Printed> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/interop/peer.py");
        let mut command = Command::new(&self.0);
        command
            .args([script, "client", &hosts.port().to_string()])
            .arg(hosts.papers.directory());
        let asks: String = asks.iter().map(|ask| ask.to_line() + "\n").collect();
        let done = tools::run(&mut command, asks.as_bytes()).success();
        let printed = String::from_utf8(done.stdout).expect("UTF-8");
        printed.lines().map(str::to_owned).collect()
    }
}

#[test]
fn python_finds_two_hosts_and_no_way_in_between() {
    if let Some(python) = tools::find("Python's table", "python3") {
        check(&Python(python), 21);
    }
}
