//! PKCS #12 both ways, and PKCS #7 of openssl.

use crate::{Folder, assert_has};

#[test]
fn packed_here_opened_by_openssl() {
    let Some(folder) = Folder::with_ca("packed_here_opened_by_openssl") else {
        return;
    };
    folder.certtool("client bob --ca ca.pem --out bob.pem");
    folder.write("pass", "sesame");
    let line = "p12 pack --cert bob.pem --chain ca.pem --name 'Bob here' --pass file:pass \
                --out bob.p12";
    folder.certtool(line);
    assert_eq!(folder.mode("bob.p12"), 0o600);
    let text = folder.openssl("pkcs12 -in bob.p12 -info -passin pass:sesame -nodes");
    assert_has(
        &text,
        &[
            "friendlyName: Bob here",
            "subject=CN=bob",
            "CN=Root",
            "PBES2, PBKDF2, AES-256-CBC",
            "BEGIN PRIVATE KEY",
        ],
    );
    assert_has(&folder.refused(3, line), &["bob.p12", "--force"]);
    let wrong = "p12 pack --cert bob.pem --key ca.key --pass file:pass --out x.p12";
    assert_has(
        &folder.refused(3, wrong),
        &["ca.key: is not the key of bob.pem"],
    );
    assert!(!folder.exists("x.p12"));

    // To see inside takes the passphrase.
    let shown = folder.certtool("inspect bob.p12");
    assert_has(&shown, &["PKCS #12", "encrypted"]);
    let shown = folder.certtool("inspect bob.p12 --pass file:pass");
    assert_has(
        &shown,
        &["called        Bob here", "private key", "CN=bob", "CN=Root"],
    );
    assert!(!shown.contains("WARNING"), "{shown}");
}

#[test]
fn packed_by_openssl_opened_here() {
    let Some(folder) = Folder::with_ca("packed_by_openssl_opened_here") else {
        return;
    };
    folder.certtool("client bob --ca ca.pem --out bob.pem");
    folder.openssl(
        "pkcs12 -export -in bob.pem -inkey bob.key -certfile ca.pem -passout pass:sesame \
         -name bob -out bob.p12",
    );
    folder.write("pass", "sesame");
    let line = "p12 unpack bob.p12 --out new.pem --pass";
    folder.certtool(&format!("{line} file:pass --key-pass file:pass"));
    assert_eq!(
        folder.read("new.pem"),
        [folder.read("bob.pem"), folder.read("ca.pem")].concat()
    );
    assert_eq!(folder.mode("new.key"), 0o600);
    assert!(
        folder
            .read("new.key")
            .starts_with(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    );
    let key = folder.openssl("pkey -in new.key -passin pass:sesame");
    assert_eq!(key, folder.openssl("pkey -in bob.key"));
    folder.certtool(
        "p12 unpack bob.p12 --out b.pem --key-out k.pem --chain-out c.pem --pass file:pass",
    );
    assert_eq!(folder.read("b.pem"), folder.read("bob.pem"));
    assert_eq!(folder.read("c.pem"), folder.read("ca.pem"));
    assert_eq!(folder.read("k.pem"), folder.read("bob.key"));

    folder.write("wrong", "wrong");
    let forced = format!("{line} file:wrong --force");
    assert_has(&folder.refused(3, &forced), &["bob.p12", "passphrase"]);
    let without = "p12 unpack bob.p12 --out n.pem";
    assert_has(
        &folder.refused(3, without),
        &["bob.p12: is encrypted", "--pass"],
    );
    assert_has(
        &folder.refused(3, "p12 unpack ca.pem --out n.pem"),
        &["ca.pem"],
    );
    assert!(!folder.exists("n.pem") && !folder.exists("n.key"));
}

#[test]
fn pkcs7_of_openssl() {
    let Some(folder) = Folder::with_ca("pkcs7_of_openssl") else {
        return;
    };
    folder.certtool("crl make --ca ca.pem --out ca.crl");
    folder.openssl("crl2pkcs7 -in ca.crl -certfile ca.pem -out ca.p7b -outform DER");
    let shown = folder.certtool("inspect ca.p7b");
    assert_has(
        &shown,
        &[
            "PKCS #7",
            "pkcs7-signedData",
            "CN=Root",
            "list of revoked certificates",
        ],
    );
}
