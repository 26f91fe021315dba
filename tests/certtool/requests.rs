//! Requests, and what an authority makes of them.

use crate::{Folder, assert_has};

#[test]
fn a_request_and_its_certificate() {
    let Some(folder) = Folder::with_ca("a_request_and_its_certificate") else {
        return;
    };
    folder.certtool("csr www.test 10.0.0.1 --subject /O=Me/CN=www --for server --out www.csr");
    let text = folder.openssl("req -in www.csr -verify -noout -text");
    assert_has(
        &text,
        &[
            "verify OK",
            "Subject: O=Me, CN=www",
            "DNS:www.test, IP Address:10.0.0.1",
            "TLS Web Server Authentication",
        ],
    );
    // Nothing is granted by itself.
    let finished = folder
        .run("sign www.csr --ca ca.pem --as server --out bare.pem")
        .success();
    assert_has(
        &finished.text(),
        &["www.csr: asks for subjectAltName, which is not taken over"],
    );
    let text = folder.openssl("x509 -in bare.pem -noout -text");
    assert_has(
        &text,
        &["Subject: O=Me, CN=www", "TLS Web Server Authentication"],
    );
    assert!(!text.contains("www.test"), "{text}");

    folder.certtool("sign www.csr --ca ca.pem --as server --take subjectAltName --out www.pem");
    let of_request = folder.openssl("req -in www.csr -noout -pubkey");
    assert_eq!(
        of_request,
        folder.openssl("x509 -in www.pem -noout -pubkey")
    );
    folder.openssl("verify -x509_strict -CAfile ca.pem -verify_ip 10.0.0.1 www.pem");
    let line = "sign www.csr --ca ca.pem --as server --take all --name other.test \
                --subject /CN=other --out other.pem";
    folder.certtool(line);
    let text = folder.openssl("x509 -in other.pem -noout -text");
    assert_has(&text, &["Subject: CN=other", "DNS:other.test"]);
    assert!(!text.contains("www.test"), "{text}");
}

#[test]
fn nobody_becomes_an_authority_by_asking() {
    let Some(folder) = Folder::with_ca("nobody_becomes_an_authority_by_asking") else {
        return;
    };
    folder.certtool("csr --subject /CN=Mallory --for ca --out mallory.csr");
    let text = folder.openssl("req -in mallory.csr -noout -text");
    assert_has(&text, &["CA:TRUE", "Certificate Sign"]);
    let line = "sign mallory.csr --ca ca.pem --out mallory.pem --take";
    assert_has(
        &folder.refused(3, &format!("{line} all")),
        &["mallory.csr", "--as ca"],
    );
    assert_has(
        &folder.refused(2, &format!("{line} basicConstraints")),
        &["--as"],
    );
    assert!(!folder.exists("mallory.pem"));
    folder.certtool("sign mallory.csr --ca ca.pem --out mallory.pem");
    assert_has(
        &folder.openssl("x509 -in mallory.pem -noout -text"),
        &["CA:FALSE"],
    );
    folder.certtool("csr --subject /CN=Eve --ext basicConstraints=CA:TRUE --out eve.csr");
    folder.certtool("sign eve.csr --ca ca.pem --take all --out eve.pem");
    assert_has(
        &folder.openssl("x509 -in eve.pem -noout -text"),
        &["CA:FALSE"],
    );
    folder.certtool("sign mallory.csr --ca ca.pem --as ca --path-len 0 --out known.pem");
    let text = folder.openssl("x509 -in known.pem -noout -text");
    assert_has(&text, &["CA:TRUE, pathlen:0"]);
}

#[test]
fn a_request_of_openssl() {
    let Some(folder) = Folder::with_ca("a_request_of_openssl") else {
        return;
    };
    folder.openssl(
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout o.key -out o.csr \
         -outform DER -subj /CN=o -addext subjectAltName=DNS:o.test",
    );
    folder.certtool("sign o.csr --ca ca.pem --take 2.5.29.17 --as client --out o.pem");
    folder.openssl("verify -CAfile ca.pem -verify_hostname o.test o.pem");
    // One bit of the signature, which is at the end.
    let mut csr = folder.read("o.csr");
    *csr.last_mut().expect("it is not empty") ^= 1;
    folder.write("bad.csr", csr);
    let complaint = folder.refused(1, "sign bad.csr --ca ca.pem --out bad.pem");
    assert_has(
        &complaint,
        &["bad.csr: is not signed by the key that it is about"],
    );
    let complaint = folder.refused(3, "sign ca.pem --ca ca.pem --out bad.pem");
    assert_has(&complaint, &["ca.pem", "is a certificate"]);
    assert!(!folder.exists("bad.pem"));
}
