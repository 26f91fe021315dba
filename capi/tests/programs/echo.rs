//! A megabyte each way, through the table and by OpenSSL's own functions.

use std::process::Command;

use greenling_tls::Version;
use greenling_tls::crypto::{Cert, Encoding};
use tests::tools;

use crate::build::{AMOUNT, SYSTEM_OPENSSL, echo, fixture, has, words};

/// One run of the program against an echo; what it says of the connection is what
/// the peer sees.
fn run(case: &str, role: &str, version: Version) {
    let Some(fixture) = fixture() else { return };
    let (server, client) = fixture.builders();
    let builder = if role == "client" { server } else { client };
    let builder = builder.versions(version..=version);
    let (finished, seen) = fixture.against(case, role, builder, |mut stream| {
        let sum = echo(&mut stream).expect("orderly end");
        let cipher = stream.cipher().expect("cipher").name();
        let alpn = stream.alpn_protocol().expect("protocol");
        let certificate = fixture.path("server.pem");
        (sum, cipher, alpn, stream.peer_certificate(), certificate)
    });
    let finished = finished.success();
    let (sum, cipher, alpn, peer_certificate, own) = seen;
    assert_eq!(sum, AMOUNT);
    let words = words(&finished);
    let number = match version {
        Version::Tls12 => "303",
        _ => "304",
    };
    assert_eq!(words[0], number);
    assert_eq!(words[1], cipher);
    assert_eq!(words[2].as_bytes(), alpn);
    if role == "server" {
        // We see the one that it has read from a file.
        let pem = std::fs::read(own).expect("file");
        let file = Cert::decode(Encoding::Pem, &pem).expect("certificate");
        assert_eq!(peer_certificate, Some(file));
        assert_eq!(words[3], "0");
    } else {
        assert!(peer_certificate.is_none());
        assert_ne!(words[3], "0");
    }
}

#[test]
fn through_the_table() {
    for role in ["client", "server"] {
        for version in [Version::Tls12, Version::Tls13] {
            run("table", role, version);
        }
    }
}

#[test]
fn by_openssls_own_functions() {
    if !SYSTEM_OPENSSL {
        return;
    }
    for role in ["client", "server"] {
        for version in [Version::Tls12, Version::Tls13] {
            run("openssl", role, version);
        }
    }
}

#[test]
fn the_certificate_is_the_peers() {
    let Some(fixture) = fixture() else { return };
    let identity = fixture.ca.issue(&["localhost"]).expect("certificate");
    let der = identity.chain_pem().expect("PEM");
    let der = openssl::x509::X509::from_pem(&der).expect("PEM");
    let der = der.to_der().expect("DER");
    let other = greenling_tls::ContextBuilder::server()
        .identity(identity)
        .alpn(["echo"]);
    let (finished, sum) = fixture.against("table", "client", other, |mut stream| {
        echo(&mut stream).expect("orderly end")
    });
    assert_eq!(sum, AMOUNT);
    let words = words(&finished.success());
    let sum = der.iter().fold(0u64, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u64::from(*byte))
    });
    assert_eq!(words[3], der.len().to_string());
    assert_eq!(words[4], format!("{sum:x}"));
}

#[test]
fn the_installation_is_found_and_the_header_is_cpp_too() {
    let test = "the_installation_is_found_and_the_header_is_cpp_too";
    let Some(fixture) = fixture() else { return };
    let (Some(pkg_config), Some(compiler)) = (has(test, "pkg-config"), has(test, "c++")) else {
        return;
    };
    let mut command = Command::new(pkg_config);
    command
        .args(["--cflags", "--libs", "--print-errors", "greenling-tls"])
        .env("PKG_CONFIG_PATH", fixture.path("prefix/lib/pkgconfig"));
    let flags = words(&tools::run(&mut command, b"").success());
    let program = fixture.path("version.cpp");
    let text = "#include <greenling_tls.h>\n\
        int main() { return greenling_tls_api(1)->api_version == 1 ? 0 : 1; }\n";
    std::fs::write(&program, text).expect("file");
    let output = fixture.path("version");
    let mut command = fixture.compiler(&compiler);
    command
        .arg("-pedantic")
        .arg(&program)
        .arg("-o")
        .arg(&output);
    tools::run(command.args(flags), b"").success();
    let mut command = Command::new(output);
    command.env("LD_LIBRARY_PATH", fixture.path("prefix/lib"));
    tools::run(&mut command, b"").success();
}
