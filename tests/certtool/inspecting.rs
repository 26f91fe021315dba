//! What `inspect` shows.

use crate::{Folder, assert_has};

#[test]
fn a_certificate_in_words() {
    let Some(folder) = Folder::with_ca("a_certificate_in_words") else {
        return;
    };
    folder.certtool("server www.test ::1 --ca ca.pem --for 2161h --out www.pem");
    let shown = folder.certtool("inspect www.pem");
    let of = |what: &str| {
        let line = folder.openssl(&format!("x509 -in www.pem -noout {what}"));
        line.trim().rsplit('=').next().expect("a value").to_owned()
    };
    assert_has(
        &shown,
        &[
            "www.pem: certificate\n",
            "subject       CN=www.test\n",
            "issuer        CN=Root,O=Tests\n",
            &format!("serial        {} (", of("-serial")),
            &format!("SHA-256       {}\n", of("-fingerprint -sha256")),
            &format!("SHA-1         {}\n", of("-fingerprint -sha1")),
            &format!("hash          {}, ", of("-subject_hash")),
            &of("-subject_hash_old"),
            "(90 days left)",
            "key           P-256, 128 bits of security\n",
            "basicConstraints (critical)",
            "  www.test\n",
            "  ::1\n",
        ],
    );
    assert!(!shown.contains("WARNING"), "{shown}");
    folder.certtool("inspect --check www.pem");
    let shown = folder.certtool("inspect --text --fingerprint md5 www.pem");
    assert_has(&shown, &["Certificate:", &of("-fingerprint -md5")]);
    assert!(!shown.contains("SHA-1 "), "{shown}");
}

#[test]
fn warnings() {
    let Some(folder) = Folder::new("warnings") else {
        return;
    };
    folder.certtool("ca --subject /CN=Root --from 20200101000000Z --for 1y --out old.pem");
    folder.certtool("server a.test --self-signed --for 481h --out soon.pem");
    folder.certtool("server a.test --self-signed --from +2d --for 3y --out later.pem");
    // What is weak here, openssl makes.
    folder.openssl(
        "req -x509 -newkey rsa:1024 -nodes -sha1 -keyout weak.key -out weak.pem -subj /CN=w \
         -days 60 -addext extendedKeyUsage=serverAuth",
    );
    for (file, parts) in [
        ("old.pem", &["expired since 2020-12-31"][..]),
        ("soon.pem", &["expires in 20 days"]),
        ("later.pem", &["not valid before", "lasts 1095 days"]),
        (
            "weak.pem",
            &[
                "the key is weak",
                "the signature is weak",
                "no subjectAltName",
            ],
        ),
    ] {
        let shown = folder.certtool(&format!("inspect {file}"));
        assert_has(&shown, parts);
        assert_eq!(shown.matches("WARNING").count(), parts.len(), "{shown}");
        assert_has(
            &folder.refused(1, &format!("inspect --check {file}")),
            &["warnings"],
        );
    }
    let shown = folder.certtool("inspect old.pem --at 20200601000000Z");
    assert!(!shown.contains("WARNING"), "{shown}");
}

#[test]
fn all_kinds_in_both_forms() {
    let Some(folder) = Folder::with_ca("all_kinds_in_both_forms") else {
        return;
    };
    folder.certtool("csr a.test --out a.csr");
    folder.openssl("x509 -in ca.pem -outform DER -out ca.der");
    folder.openssl("req -in a.csr -outform DER -out csr.der");
    folder.openssl("pkey -in ca.key -outform DER -out key.der");
    folder.openssl("pkey -in ca.key -pubout -out public.pem");
    folder.openssl("pkey -in ca.key -pubout -outform DER -out public.der");
    folder.openssl("pkey -in ca.key -aes128 -passout pass:x -out locked.key");
    folder.openssl("ecparam -name P-256 -out parameters.pem");
    for (file, what) in [
        ("ca.pem", "certificate"),
        ("ca.der", "certificate"),
        ("a.csr", "certificate request"),
        ("csr.der", "certificate request"),
        ("ca.key", "private key"),
        ("key.der", "private key"),
        ("public.pem", "public key"),
        ("public.der", "public key"),
        ("locked.key", "private key\n  encrypted"),
        ("parameters.pem", "EC PARAMETERS"),
    ] {
        assert_has(
            &folder.certtool(&format!("inspect {file}")),
            &[&format!("{file}: {what}")],
        );
    }
    // Nothing secret is shown.
    let secret = folder.openssl("pkey -in ca.key -noout -text");
    let octets: Vec<_> = secret
        .lines()
        .skip_while(|line| !line.starts_with("priv"))
        .collect();
    let shown = folder.certtool("inspect ca.key").to_ascii_lowercase();
    assert!(!shown.contains(octets[1].trim()), "{shown}");

    let both = [folder.read("ca.key"), folder.read("ca.pem")].concat();
    let shown = crate::tools::run(&mut folder.command(crate::executable(), "inspect -"), &both);
    let shown = shown.success().text();
    assert_has(&shown, &["-: private key", "-: certificate"]);
}

#[test]
fn what_cannot_be_read() {
    let Some(folder) = Folder::with_ca("what_cannot_be_read") else {
        return;
    };
    let pem = folder.read("ca.pem");
    folder.write("cut.pem", &pem[..pem.len() / 2]);
    folder.write("noise", b"neither one nor the other");
    folder.write("label", b"-----BEGIN CERTIFICATE\n");
    folder.write("inside", b"\0text-----BEGIN CERTIFICATE-----\n");
    folder.write("empty", b"");
    let bad = [
        "cut.pem", "noise", "label", "inside", "empty", "missing", ".",
    ];
    for file in bad {
        // Others are shown all the same.
        let finished = folder.run(&format!("inspect {file} ca.pem"));
        assert_eq!(finished.status.code(), Some(3), "{file}");
        let stderr = String::from_utf8_lossy(&finished.stderr);
        assert_has(&stderr, &[&format!("certtool: {file}: ")]);
        if ["noise", "inside", "empty"].contains(&file) {
            assert_has(&stderr, &["is neither in PEM form nor a certificate"]);
        }
        let stdout = String::from_utf8_lossy(&finished.stdout);
        assert_has(&stdout, &["ca.pem: certificate"]);
    }
}

#[test]
fn names_do_not_reach_the_terminal_as_they_are() {
    let Some(folder) = Folder::new("names_do_not_reach_the_terminal_as_they_are") else {
        return;
    };
    folder.openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout e.key -out e.pem \
         -utf8 -subj '/CN=a\u{1b}[2Jb\u{202e}c' -addext nsComment=d\u{1b}[2Je",
    );
    let shown = folder.certtool("inspect e.pem");
    assert_has(&shown, &["[2Jb", "d\\u{1b}[2Je"]);
    assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
    let answer = folder.certtool("verify --ca e.pem e.pem");
    assert!(!answer.contains(['\u{1b}', '\u{202e}']), "{answer:?}");
}
