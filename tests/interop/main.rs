//! The example web server against clients that we did not write.
//!
//! Each module is one client: curl and `openssl s_client` and Python's `ssl` use
//! the same OpenSSL as we do, in their own ways; gnutls-cli is another
//! implementation altogether. Traffic stays on 127.0.0.1.
//!
//! A client that is not installed skips its tests with a line that says so;
//! `GREENLING_REQUIRE_INTEROP=1` turns that into a failure.

mod curl;
mod gnutls;
mod python;
mod s_client;

use std::path::PathBuf;

use greenling_tls::crypto::LocalCa;
use tempfile::TempDir;
use tests::webserver::WebServer;

/// The body of `/hello`.
const HELLO: &str = "Hello, world!";

/// A web server with a certificate that clients can verify.
struct Site {
    server: WebServer,
    directory: TempDir,
}

impl Site {
    fn start() -> Site {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        let ca = LocalCa::new("interop").expect("an authority");
        let identity = ca
            .issue(&["localhost", "127.0.0.1"])
            .expect("a certificate");
        std::fs::write(path("ca.pem"), ca.root_pem().expect("PEM")).expect("written");
        std::fs::write(path("cert.pem"), identity.chain_pem().expect("PEM")).expect("written");
        let key = identity.export_private_key_pem().expect("PEM");
        write_private(&path("key.pem"), &key);
        let server = WebServer::start([
            "--cert".into(),
            path("cert.pem").into_os_string(),
            "--key".into(),
            path("key.pem").into_os_string(),
        ]);
        Site { server, directory }
    }

    /// A file in the site's scratch directory.
    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// `127.0.0.1:PORT`.
    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.server.port())
    }
}

fn write_private(path: &std::path::Path, content: &[u8]) {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(content))
        .expect("written");
}

/// A body that shows any byte that is lost, doubled or moved.
fn telling_body(length: usize) -> Vec<u8> {
    (0..length)
        .map(|i| (i.wrapping_mul(31) >> 3) as u8 ^ i as u8)
        .collect()
}
