//! OpenSSL's own configuration file: read once in a process, so each case has a
//! process of its own.

use std::path::Path;

use greenling_tls::{Alert, Error, Version, no_config};

use super::support::*;

/// What an administrator can say there, for every context of the process.
fn with_file(commands: &str, test: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("openssl.cnf");
    let text = format!(
        "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = ours\n[ours]\n{commands}\n"
    );
    std::fs::write(&path, text).unwrap();
    run_alone(test, &[("OPENSSL_CONF", path.as_path() as &Path)]);
}

/// Run by [`what_is_not_set_here_follows_the_file`].
#[test]
#[ignore = "the other half of a test"]
fn a_file_that_knows_rsa_only_is_followed() {
    let (told, _) = Pair::results(client(), server());
    assert_eq!(alert(told), Alert::HANDSHAKE_FAILURE);
    Pair::connected(client(), rsa_server());
    assert!(matches!(no_config(), Err(Error::Local(_))), "too late");
}

/// Run by [`what_is_not_set_here_follows_the_file`].
#[test]
#[ignore = "the other half of a test"]
fn a_file_that_knows_rsa_only_is_not_read() {
    no_config().unwrap();
    Pair::connected(client(), server());
}

#[test]
fn what_is_not_set_here_follows_the_file_unless_it_is_not_read() {
    let rsa_only = "SignatureAlgorithms = RSA-PSS+SHA256:RSA+SHA256";
    with_file(
        rsa_only,
        "config_file::a_file_that_knows_rsa_only_is_followed",
    );
    with_file(
        rsa_only,
        "config_file::a_file_that_knows_rsa_only_is_not_read",
    );
}

/// Run by [`a_file_cannot_weaken_what_is_set_here`].
#[test]
#[ignore = "the other half of a test"]
fn the_defaults_withstand_a_file() {
    let weak = client()
        .versions(Version::Tls12..=Version::Tls12)
        .ciphers12("ECDHE-ECDSA-AES128-SHA");
    let (told, _) = Pair::results(weak, server());
    assert_eq!(alert(told), Alert::HANDSHAKE_FAILURE);
    // Level 3, to which RSA with 2048 bits is too weak, is not in the file.
    let (_, told) = Pair::results(client().security_level(3), rsa_server());
    alert(told);
    let pair = Pair::connected(client(), server());
    assert_eq!(pair.server.version(), Some(Version::Tls13));
    let mut pair = Pair::connected(
        client().versions(Version::Tls12..=Version::Tls12),
        server().versions(Version::Tls12..=Version::Tls13),
    );
    // A cut is an error, whatever the file says.
    pair.server.close_in();
    assert!(pair.server.read(&mut [0; 16]).is_err());
    assert!(matches!(pair.server.failure(), Some(Error::Truncated)));
}

#[test]
fn a_file_cannot_weaken_what_is_set_here() {
    with_file(
        "MinProtocol = TLSv1\nMaxProtocol = TLSv1.2\nCipherString = ALL:@SECLEVEL=0\n\
         Ciphersuites = TLS_AES_128_CCM_8_SHA256\nGroups = P-521\n\
         Options = UnsafeLegacyRenegotiation,UnsafeLegacyServerConnect,IgnoreUnexpectedEOF",
        "config_file::the_defaults_withstand_a_file",
    );
}
