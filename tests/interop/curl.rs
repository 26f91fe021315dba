//! curl.

use std::process::Command;

use super::{HELLO, Site, telling_body};
use tests::tools::{self, Finished};
use tests::webserver::WebServer;

/// The versions of TLS, as curl's options.
const VERSIONS: [&[&str]; 2] = [&["--tlsv1.2", "--tls-max", "1.2"], &["--tlsv1.3"]];

/// curl, verifying the site's certificate; `None` when it is not installed.
fn curl(test: &str, site: &Site) -> Option<Command> {
    let mut command = Command::new(tools::find(test, "curl")?);
    command
        .args([
            "--silent",
            "--show-error",
            "--fail",
            "--http1.1",
            "--noproxy",
            "*",
        ])
        .arg("--cacert")
        .arg(site.file("ca.pem"))
        .args([
            "--resolve",
            &format!("localhost:{}:127.0.0.1", site.server.port()),
        ]);
    Some(command)
}

fn run(command: &mut Command) -> Finished {
    tools::run(command, b"").success()
}

#[test]
fn accepts_the_self_signed_certificate_when_told_to() {
    let Some(curl) = tools::find("curl self-signed", "curl") else {
        return;
    };
    let server = WebServer::start([""; 0]);
    let url = format!("https://127.0.0.1:{}/hello", server.port());
    let insecure = Command::new(&curl)
        .args(["-k", "--silent", "--show-error", "--noproxy", "*", &url])
        .output()
        .expect("curl runs");
    assert_eq!(
        String::from_utf8_lossy(&insecure.stdout),
        HELLO,
        "{insecure:?}"
    );
    let secure = Command::new(&curl)
        .args(["--silent", "--show-error", "--noproxy", "*", &url])
        .output()
        .expect("curl runs");
    assert_eq!(
        secure.status.code(),
        Some(60),
        "peer certificate cannot be authenticated"
    );
}

#[test]
fn verifies_and_fetches_with_both_versions() {
    let site = Site::start();
    for version in VERSIONS {
        let Some(mut curl) = curl("curl versions", &site) else {
            return;
        };
        let done = run(curl.args(version).arg(site.server.url("/hello")));
        assert_eq!(String::from_utf8_lossy(&done.stdout), HELLO);
    }
}

#[test]
fn keeps_the_connection_for_the_next_request() {
    let site = Site::start();
    let Some(mut curl) = curl("curl keep-alive", &site) else {
        return;
    };
    let report = "|%{num_connects}|";
    let done = run(curl.args(["--write-out", report]).args([
        site.server.url("/hello"),
        site.server.url("/hello"),
        site.server.url("/bytes/3"),
    ]));
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    assert_eq!(text, "Hello, world!|1|Hello, world!|0|abc|0|");
}

#[test]
fn large_downloads_arrive_whole() {
    let site = Site::start();
    // One byte around the sizes of a record and of the rings, and many records.
    for length in [0, 1, 16_383, 16_384, 16_385, 17_408, 17_409, 3_000_001] {
        let Some(mut curl) = curl("curl download", &site) else {
            return;
        };
        let done = run(curl.arg(site.server.url(&format!("/bytes/{length}"))));
        assert_eq!(done.stdout.len(), length);
        let line = b"abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 01234567.\n";
        let damaged = done
            .stdout
            .iter()
            .zip(line.iter().cycle())
            .position(|(a, b)| a != b);
        assert_eq!(damaged, None, "the first damaged byte of {length}");
    }
}

#[test]
fn uploads_come_back_with_a_length_and_in_chunks() {
    let site = Site::start();
    for length in [0, 1, 16_384, 1_000_003] {
        let body = telling_body(length);
        std::fs::write(site.file("body"), &body).expect("written");
        for options in [&[][..], &["--header", "Transfer-Encoding: chunked"]] {
            for version in VERSIONS {
                let Some(mut curl) = curl("curl upload", &site) else {
                    return;
                };
                let done = run(curl
                    .args(version)
                    .args(options)
                    .arg("--data-binary")
                    .arg(format!("@{}", site.file("body").display()))
                    .arg(site.server.url("/echo")));
                assert!(
                    done.stdout == body,
                    "{length} bytes with {options:?}, {version:?}"
                );
            }
        }
    }
}
