//! Go's `crypto/tls`: one process does it all, by `peer.go`.

use super::*;
use crate::go;

struct Go(&'static std::path::Path);

impl Client for Go {
    fn visit(&self, hosts: &Hosts, asks: &[Ask]) -> Vec<Printed> {
        let mut command = Command::new(self.0);
        command
            .args(["client", &hosts.port().to_string()])
            .arg(hosts.papers.directory());
        ask_by_lines(&mut command, asks)
    }
}

#[test]
#[ignore = "the first build of a Go program takes minutes; optional.sh runs it"]
fn go_finds_two_hosts_and_no_way_in_between() {
    if let Some(peer) = go::peer("Go's table") {
        check(&Go(peer), 21);
    }
}
