//! `openssl s_client`: versions, ALPN, resumption, and what is refused.

use std::process::Command;

use super::{HELLO, Site};
use tests::tools::{self, Finished};

const VERSIONS: [(&str, &str); 2] = [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")];

const REQUEST: &[u8] = b"GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// Sends one request and reads until the server closes; `None` without openssl.
fn ask(test: &str, site: &Site, options: &[&str]) -> Option<Finished> {
    let mut command = Command::new(tools::find(test, "openssl")?);
    command
        .args(["s_client", "-ign_eof", "-connect", &site.address()])
        .args(["-servername", "localhost", "-verify_hostname", "localhost"])
        .args(["-verify_return_error", "-CAfile"])
        .arg(site.file("ca.pem"))
        .args(options);
    Some(tools::run(&mut command, REQUEST))
}

/// The line of `text` that begins with `start`.
#[track_caller]
fn line<'a>(text: &'a str, start: &str) -> &'a str {
    text.lines()
        .map(str::trim)
        .find(|line| line.starts_with(start))
        .unwrap_or_else(|| panic!("no line begins with {start:?} in\n{text}"))
}

#[test]
fn both_versions_verify_serve_and_end_with_close_notify() {
    let site = Site::start();
    for (option, version) in VERSIONS {
        let Some(done) = ask("s_client versions", &site, &[option, "-msg"]) else {
            return;
        };
        let text = done.success().text();
        assert!(
            text.contains(&format!("New, {version}, Cipher is ")),
            "{text}"
        );
        assert!(text.contains("Verify return code: 0 (ok)"), "{text}");
        assert!(text.contains(HELLO), "{text}");
        assert!(
            text.contains("warning close_notify"),
            "{version}: cut off\n{text}"
        );
    }
}

#[test]
fn the_key_exchange_is_x25519_and_renegotiation_is_secure() {
    let site = Site::start();
    let Some(done) = ask("s_client groups", &site, &["-tls1_2"]) else {
        return;
    };
    let text = done.success().text();
    assert!(line(&text, "Server Temp Key").contains("X25519"), "{text}");
    line(&text, "Secure Renegotiation IS supported");
    line(&text, "Compression: NONE");
}

#[test]
fn sessions_resume_across_connections_and_workers() {
    let site = Site::start();
    for (option, version) in VERSIONS {
        let file = site.file(version);
        let file = file.to_str().expect("UTF-8");
        let Some(first) = ask("s_client resumption", &site, &[option, "-sess_out", file]) else {
            return;
        };
        let text = first.success().text();
        assert!(text.contains(&format!("New, {version}")), "{text}");
        // Several times, so that another worker than the first gets one.
        for _ in 0..6 {
            let options = [option, "-sess_in", file, "-sess_out", file];
            let again = ask("s_client resumption", &site, &options).expect("found before");
            let text = again.success().text();
            assert!(text.contains(&format!("Reused, {version}")), "{text}");
            assert!(text.contains(HELLO), "{text}");
        }
    }
}

#[test]
fn a_session_is_not_resumed_under_another_name() {
    let site = Site::start();
    for (option, version) in VERSIONS {
        let file = site.file(version);
        let file = file.to_str().expect("UTF-8");
        let Some(first) = ask("s_client names", &site, &[option, "-sess_out", file]) else {
            return;
        };
        first.success();
        // The later option wins.
        let options = [option, "-sess_in", file, "-servername", "other.test"];
        let text = ask("s_client names", &site, &options)
            .expect("found before")
            .text();
        assert!(text.contains(&format!("New, {version}")), "{text}");
    }
}

#[test]
fn alpn_agrees_on_http_1_1_or_fails_with_its_own_alert() {
    let site = Site::start();
    for (option, version) in VERSIONS {
        let Some(done) = ask("s_client ALPN", &site, &[option, "-alpn", "h2,http/1.1"]) else {
            return;
        };
        let text = done.success().text();
        assert_eq!(line(&text, "ALPN protocol"), "ALPN protocol: http/1.1");
        let refused = ask("s_client ALPN", &site, &[option, "-alpn", "h2"]).expect("found before");
        assert!(!refused.status.success());
        let text = refused.text();
        assert!(
            text.contains("no application protocol"),
            "{version}: {text}"
        );
    }
}

#[test]
fn old_versions_and_weak_suites_are_refused() {
    let site = Site::start();
    for (options, alert) in [
        (
            &["-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"][..],
            "alert protocol version",
        ),
        (
            &["-tls1", "-cipher", "DEFAULT:@SECLEVEL=0"],
            "alert protocol version",
        ),
        (
            &["-tls1_2", "-cipher", "AES128-GCM-SHA256"],
            "alert handshake failure",
        ),
        (
            &["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"],
            "alert handshake failure",
        ),
    ] {
        let Some(done) = ask("s_client refusals", &site, options) else {
            return;
        };
        assert!(!done.status.success(), "{options:?} succeeded");
        let text = done.text();
        assert!(text.contains(alert), "{options:?}: {text}");
    }
}
