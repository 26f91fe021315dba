//! gnutls-cli: an implementation that shares no code with OpenSSL.

use std::process::Command;

use super::{HELLO, Site};
use tests::tools;

const REQUEST: &[u8] = b"GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

#[test]
fn both_versions_verify_serve_and_resume() {
    let test = "gnutls-cli";
    let Some(gnutls) = tools::find(test, "gnutls-cli") else {
        return;
    };
    let site = Site::start();
    for version in ["TLS1.2", "TLS1.3"] {
        let done = tools::run(
            Command::new(&gnutls)
                .args(["--port", &site.server.port().to_string()])
                .args(["--priority", &format!("NORMAL:-VERS-ALL:+VERS-{version}")])
                .args([
                    "--sni-hostname",
                    "localhost",
                    "--verify-hostname",
                    "localhost",
                ])
                .args([
                    "--alpn",
                    "http/1.1",
                    "--resume",
                    "--waitresumption",
                    "--x509cafile",
                ])
                .arg(site.file("ca.pem"))
                .arg("127.0.0.1"),
            REQUEST,
        )
        .success();
        let text = done.text();
        assert!(text.contains(&format!("Description: ({version}")), "{text}");
        assert!(text.contains("The certificate is trusted"), "{text}");
        assert!(text.contains("Application protocol: http/1.1"), "{text}");
        assert!(
            text.contains("This is a resumed session"),
            "{version}: {text}"
        );
        assert!(text.contains(HELLO), "{text}");
    }
}
