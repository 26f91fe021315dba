//! Our servers against clients that we did not write, and our client against servers
//! that we did not write.
//!
//! `clients` and `servers` hold one table each that every program goes through:
//! versions, protocols, names, sessions, client certificates. The other modules go
//! into what is special: the example web server, exported keys, `ssl.MemoryBIO`.
//! curl, openssl, nginx and Python's `ssl` use the same OpenSSL as we do, in their own
//! ways; GnuTLS, and rustls in `rustls.rs`, are other implementations altogether.
//! Traffic stays on 127.0.0.1.
//!
//! A program that is not installed skips its tests with a line that says so;
//! `GREENLING_REQUIRE_INTEROP=1` turns that into a failure.

mod bindings;
mod clients;
mod curl;
mod gnutls;
mod go;
mod hosts;
mod memory_bio;
mod nginx;
mod python;
mod python_names;
mod s_client;
mod s_server;
mod served;
mod servers;
mod table;

use std::path::PathBuf;

use greenling_tls::crypto::TestCa;
use hosts::write_private;
use tempfile::TempDir;
use tests::webserver::WebServer;

/// The body of `/hello`.
const HELLO: &str = "Hello, world!";

/// A certificate authority and one server's certificate and key, as files.
struct Certificates {
    ca: TestCa,
    directory: TempDir,
}

impl Certificates {
    fn new() -> Certificates {
        let directory = tempfile::tempdir().expect("a directory");
        let ca = TestCa::new("interop").expect("an authority");
        let certificates = Certificates { ca, directory };
        let ca = &certificates.ca;
        let identity = ca
            .issue(&["localhost", "127.0.0.1"])
            .expect("a certificate");
        let write = |name, pem: Vec<u8>| {
            std::fs::write(certificates.file(name), pem).expect("written");
        };
        write("ca.pem", ca.root_pem().expect("PEM"));
        write("cert.pem", identity.chain_pem().expect("PEM"));
        let key = identity.export_private_key_pem().expect("PEM");
        write_private(&certificates.file("key.pem"), &key);
        certificates
    }

    /// A file in the scratch directory.
    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

/// A web server with a certificate that clients can verify.
struct Site {
    server: WebServer,
    certificates: Certificates,
}

impl Site {
    fn start() -> Site {
        let certificates = Certificates::new();
        let server = WebServer::start([
            "--cert".into(),
            certificates.file("cert.pem").into_os_string(),
            "--key".into(),
            certificates.file("key.pem").into_os_string(),
        ]);
        Site {
            server,
            certificates,
        }
    }

    /// A file in the site's scratch directory.
    fn file(&self, name: &str) -> PathBuf {
        self.certificates.file(name)
    }

    /// `127.0.0.1:PORT`.
    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.server.port())
    }
}

/// A body that shows any byte that is lost, doubled or moved.
fn telling_body(length: usize) -> Vec<u8> {
    (0..length)
        .map(|i| (i.wrapping_mul(31) >> 3) as u8 ^ i as u8)
        .collect()
}
