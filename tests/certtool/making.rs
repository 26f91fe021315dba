//! Authorities, servers and clients; their keys, and what happens to files.

use crate::{Folder, assert_has};

#[test]
fn an_authority_and_what_it_signs() {
    let Some(folder) = Folder::with_ca("an_authority_and_what_it_signs") else {
        return;
    };
    let text = folder.openssl("x509 -in ca.pem -noout -text");
    assert_has(
        &text,
        &[
            "Version: 3",
            "Subject: O=Tests, CN=Root",
            "Issuer: O=Tests, CN=Root",
            "CA:TRUE",
            "X509v3 Basic Constraints: critical",
            "Certificate Sign, CRL Sign",
            "ecdsa-with-SHA256",
        ],
    );
    folder.certtool("server www.example.com 127.0.0.1 *.example.org --ca ca.pem --out www.pem");
    let text = folder.openssl("x509 -in www.pem -noout -text");
    assert_has(
        &text,
        &[
            "Issuer: O=Tests, CN=Root",
            "Subject: CN=www.example.com",
            "CA:FALSE",
            "TLS Web Server Authentication",
            "DNS:www.example.com, IP Address:127.0.0.1, DNS:*.example.org",
            "Digital Signature",
            "Authority Key Identifier",
        ],
    );
    folder.openssl(
        "verify -x509_strict -CAfile ca.pem -purpose sslserver -verify_hostname a.example.org \
         www.pem",
    );
    folder.certtool("client 'Alice Example' alice@example.com --ca ca.pem --out alice.pem");
    let text = folder.openssl("x509 -in alice.pem -noout -text");
    assert_has(
        &text,
        &[
            "Subject: CN=Alice Example",
            "TLS Web Client Authentication",
            "email:alice@example.com",
        ],
    );
    folder.openssl("verify -x509_strict -CAfile ca.pem -purpose sslclient alice.pem");
    for (cert, key) in [
        ("ca.pem", "ca.key"),
        ("www.pem", "www.key"),
        ("alice.pem", "alice.key"),
    ] {
        let of_cert = folder.openssl(&format!("x509 -in {cert} -noout -pubkey"));
        assert_eq!(of_cert, folder.openssl(&format!("pkey -in {key} -pubout")));
        assert_eq!((folder.mode(key), folder.mode(cert) & 0o133), (0o600, 0));
    }
}

#[test]
fn an_authority_below_another() {
    let Some(folder) = Folder::with_ca("an_authority_below_another") else {
        return;
    };
    folder.certtool("ca --subject /CN=Below --ca ca.pem --path-len 0 --for 2y --out below.pem");
    folder.certtool("server host.test --ca below.pem --alg ed25519 --out host.pem");
    let text = folder.openssl("x509 -in below.pem -noout -text");
    assert_has(&text, &["CA:TRUE, pathlen:0"]);
    folder.openssl("verify -x509_strict -CAfile ca.pem -untrusted below.pem host.pem");
    assert_has(
        &folder.openssl("x509 -in host.pem -noout -text"),
        &["ED25519"],
    );
    // A certificate that is no authority's signs nothing, and neither does another's key.
    let complaint = folder.refused(3, "server x.test --ca host.pem --out x.pem");
    assert_has(
        &complaint,
        &["host.pem: is not the certificate of an authority"],
    );
    let complaint = folder.refused(3, "server x.test --ca ca.pem --ca-key host.key --out x.pem");
    assert_has(&complaint, &["host.key: is not the key of ca.pem"]);
    assert!(!folder.exists("x.pem") && !folder.exists("x.key"));
}

#[test]
fn what_is_asked_for_stands_in_the_certificate() {
    let Some(folder) = Folder::new("what_is_asked_for_stands_in_the_certificate") else {
        return;
    };
    folder.certtool(
        "server localhost --self-signed --subject '/C=DE/O=Ümläut, Ltd./CN=me' \
         --from 20300101120000+0100 --until 20310101000000Z --serial 0x1f2e --digest sha384 \
         --alg p384 --ext extendedKeyUsage=serverAuth,clientAuth --ext nsComment=hello \
         --out me.der --form der",
    );
    let text = folder.openssl("x509 -inform DER -in me.der -noout -text -nameopt utf8");
    assert_has(
        &text,
        &[
            "C=DE, O=Ümläut, Ltd., CN=me",
            "Not Before: Jan  1 11:00:00 2030 GMT",
            "Not After : Jan  1 00:00:00 2031 GMT",
            "Serial Number: 7982 (0x1f2e)",
            "ecdsa-with-SHA384",
            "TLS Web Server Authentication, TLS Web Client Authentication",
            "hello",
        ],
    );
    assert_eq!(text.matches("Extended Key Usage").count(), 1);
    // To standard output, with a key that is there.
    let printed = folder.certtool("client bob --self-signed --key me.key --out -");
    folder.write("bob.pem", printed);
    folder.openssl("x509 -in bob.pem -noout");
    for (line, part) in [
        (
            "server localhost --self-signed --until -1d --out no.pem",
            "never",
        ),
        (
            "server localhost --self-signed --ext nonsense=1 --out no.pem",
            "--ext",
        ),
        (
            "server 'not a name' --self-signed --out no.pem",
            "not a name",
        ),
        ("server localhost --self-signed --out -", "--key-out"),
        (
            "server localhost --self-signed --out no.pem --key-out no.pem",
            "two files",
        ),
    ] {
        assert_has(&folder.refused(2, line), &[part]);
    }
    assert!(!folder.exists("no.pem") && !folder.exists("no.key"));
}

#[test]
fn nothing_is_lost_without_force() {
    let Some(folder) = Folder::new("nothing_is_lost_without_force") else {
        return;
    };
    let line = "server localhost --self-signed --out a.pem";
    folder.certtool(line);
    let (cert, key) = (folder.read("a.pem"), folder.read("a.key"));
    assert_has(&folder.refused(3, line), &["a.pem", "--force"]);
    // Of two files none is written when one is there.
    std::fs::remove_file(folder.path("a.pem")).expect("it is there");
    assert_has(&folder.refused(3, line), &["a.key", "--force"]);
    assert!(!folder.exists("a.pem"));
    assert_eq!(folder.read("a.key"), key);
    folder.certtool(&format!("{line} --force"));
    assert_ne!(folder.read("a.pem"), cert);
    assert_ne!(folder.read("a.key"), key);
    assert_eq!(folder.mode("a.key"), 0o600);
    let entries = std::fs::read_dir(folder.path(".")).expect("a folder");
    assert_eq!(entries.count(), 2, "nothing is left over");
    let nowhere = "server localhost --self-signed --out nowhere/a.pem";
    assert_has(
        &folder.refused(3, nowhere),
        &["nowhere/a.key: ", "No such file"],
    );
}

/// From each of the places a passphrase may come from.
#[test]
fn encrypted_keys() {
    let Some(folder) = Folder::new("encrypted_keys") else {
        return;
    };
    folder.write("pass", "sesame\nnot this line\n");
    folder.certtool("ca --subject /CN=Root --key-pass file:pass --out ca.pem");
    let key = String::from_utf8(folder.read("ca.key")).expect("text");
    assert!(
        key.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"),
        "{key}"
    );
    folder.openssl("pkey -in ca.key -passin pass:sesame -noout");

    let line = "server localhost --ca ca.pem --out www.pem";
    assert_has(
        &folder.refused(3, line),
        &["ca.key: is encrypted", "--ca-pass"],
    );
    let mut command = folder.command(crate::executable(), &format!("{line} --ca-pass fd:0"));
    tests::tools::run(&mut command, b"sesame\n").success();
    let mut command = folder.command(
        crate::executable(),
        "client bob --ca ca.pem --ca-pass env:ROOT_PASS --key-pass env:BOB_PASS --out bob.pem",
    );
    command.env("ROOT_PASS", "sesame").env("BOB_PASS", "other");
    tests::tools::run(&mut command, b"").success();
    folder.openssl("pkey -in bob.key -passin pass:other -noout");
    folder.openssl("verify -CAfile ca.pem www.pem bob.pem");

    folder.write("wrong", "wrong");
    let again = "client eve --ca ca.pem --out eve.pem --ca-pass";
    let complaint = folder.refused(3, &format!("{again} file:wrong"));
    assert_has(&complaint, &["ca.key", "passphrase"]);
    assert_has(
        &folder.refused(3, &format!("{again} env:NOT_THERE")),
        &["env:NOT_THERE"],
    );
    assert_has(&folder.refused(3, &format!("{again} fd:99")), &["fd:99"]);
    // Who tries the passphrase itself does not see it again.
    let complaint = folder.refused(2, &format!("{again} pass:sesame"));
    assert!(!complaint.contains("sesame"), "{complaint}");
}
