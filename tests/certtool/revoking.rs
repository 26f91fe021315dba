//! Lists of revoked certificates.

use crate::{Folder, assert_has};

#[test]
fn a_list_grows() {
    let Some(folder) = Folder::with_ca("a_list_grows") else {
        return;
    };
    for name in ["a", "b", "c"] {
        folder.certtool(&format!("server {name}.test --ca ca.pem --out {name}.pem"));
    }
    folder.certtool("crl make --ca ca.pem --number 0xff --out ca.crl");
    let text = folder.openssl("crl -in ca.crl -noout -text -CAfile ca.pem");
    assert_has(
        &text,
        &[
            "verify OK",
            "No Revoked Certificates",
            "X509v3 CRL Number",
            "255",
        ],
    );
    let openssl = |name: &str| {
        let line = format!("verify -crl_check -CAfile ca.pem -CRLfile ca.crl {name}.pem");
        folder.run_openssl(&line).status.success()
    };
    let ours = |name: &str| folder.run(&format!("verify --ca ca.pem --crl ca.crl {name}.pem"));
    assert!(openssl("a") && ours("a").status.success());

    let line = "crl revoke ca.crl --ca ca.pem";
    folder.certtool(&format!(
        "{line} a.pem --reason keyCompromise --since 20260101000000Z"
    ));
    folder.certtool(&format!("{line} b.pem --serial 4711 --for 2d"));
    let text = folder.openssl("crl -in ca.crl -noout -text -CAfile ca.pem");
    assert_has(
        &text,
        &[
            "verify OK",
            "257",
            "Key Compromise",
            "Revocation Date: Jan  1 00:00:00 2026 GMT",
            "Serial Number: 1267",
        ],
    );
    assert_eq!(text.matches("Serial Number:").count(), 3);
    for (name, is_good) in [("a", false), ("b", false), ("c", true)] {
        assert_eq!(openssl(name), is_good);
        let finished = ours(name);
        assert_eq!(finished.status.success(), is_good, "{}", finished.text());
    }
    assert_has(&ours("a").text(), &["a.pem: bad: certificate revoked"]);
    let shown = folder.certtool("inspect ca.crl");
    assert_has(&shown, &["revoked       3", "keyCompromise", "1267"]);

    // The same once more changes nothing but the number.
    let finished = folder
        .run(&format!("{line} a.pem --out next.crl --form der"))
        .success();
    assert_has(&finished.text(), &["is revoked already"]);
    let text = folder.openssl("crl -inform DER -in next.crl -noout -text");
    assert_eq!(text.matches("Serial Number:").count(), 3);
    // Others' certificates and lists are not touched.
    folder.certtool("ca --subject /CN=Other --out other.pem");
    folder.certtool("server x.test --ca other.pem --out x.pem");
    assert_has(
        &folder.refused(3, &format!("{line} x.pem")),
        &["x.pem", "not by this authority"],
    );
    let complaint = folder.refused(3, "crl revoke ca.crl --ca other.pem x.pem");
    assert_has(&complaint, &["ca.crl: is not signed by other.pem"]);
    assert_has(
        &folder.refused(3, "crl make --ca ca.pem --out ca.crl"),
        &["--force"],
    );
}
