//! nginx in front of our hosts, as a reverse proxy that speaks TLS to them.

use super::*;
use crate::nginx::{self, Nginx};
use std::fs;

struct Proxy(PathBuf);

/// The locations of an ask: one for each visit, all with one pool of sessions.
fn locations(hosts: &Hosts, number: usize, ask: &Ask) -> (String, String) {
    let upstream = format!("upstream u{number} {{ server {}; }}\n", hosts.address());
    let mut locations = String::new();
    for (i, visit) in ask.visits.iter().enumerate() {
        let ca = hosts.papers.path("ca.pem");
        let mut options = format!(
            "proxy_pass https://u{number};\nproxy_ssl_protocols {};\nproxy_ssl_verify on;\n\
             proxy_ssl_trusted_certificate {ca};\nerror_log visit-{number}.log info;\n",
            ask.version
        );
        if visit.name.is_empty() {
            // It verifies names only, and the first host has this one.
            options += "proxy_ssl_name a.test;\n";
        } else {
            options += &format!(
                "proxy_ssl_name {};\nproxy_ssl_server_name on;\n",
                visit.name
            );
        }
        if !visit.certificate.is_empty() {
            let file = |ending| hosts.papers.path(&format!("{}{ending}", visit.certificate));
            options += &format!("proxy_ssl_certificate {};\n", file(".pem"));
            options += &format!("proxy_ssl_certificate_key {};\n", file(".key"));
        }
        locations += &format!("location = /{number}/{i} {{\n{options}}}\n");
    }
    (upstream, locations)
}

impl Client for Proxy {
    fn able(&self, ask: &Ask) -> bool {
        // It offers no protocols to those behind it.
        !ask.alpn
    }

    fn visit(&self, hosts: &Hosts, asks: &[Ask]) -> Vec<Printed> {
        let directory = hosts.papers.directory();
        let socket = hosts.papers.file("nginx.sock");
        let (upstreams, locations): (String, String) = asks
            .iter()
            .enumerate()
            .map(|(number, ask)| locations(hosts, number, ask))
            .unzip();
        let listen = format!("listen unix:{};", socket.display());
        let http = format!("{upstreams}server {{\n{listen}\n{locations}}}\n");
        let _nginx = Nginx::start(&self.0, directory, &http, &socket);
        let visit = |(number, ask): (usize, &Ask)| {
            let mut answer = String::new();
            for i in 0..ask.visits.len() {
                answer = nginx::get(&socket, &format!("/{number}/{i}"));
            }
            let log = fs::read_to_string(directory.join(format!("visit-{number}.log")));
            answer + &log.unwrap_or_default()
        };
        asks.iter().enumerate().map(visit).collect()
    }
}

#[test]
fn nginx_finds_two_hosts_and_no_way_in_between() {
    if let Some(nginx) = tools::find("nginx's table", "nginx") {
        check(&Proxy(nginx), 15);
    }
}
