//! Answers of `verify`, beside those of `openssl verify`.

use crate::{Folder, assert_has};

#[test]
fn the_same_answers_as_openssl() {
    let Some(folder) = Folder::with_ca("the_same_answers_as_openssl") else {
        return;
    };
    folder.certtool("ca --subject /CN=Below --ca ca.pem --out below.pem");
    folder.certtool("ca --subject /CN=Stranger --out stranger.pem");
    folder.certtool("server www.test 10.0.0.1 --ca below.pem --out www.pem");
    folder.certtool("server self.test --self-signed --out self.pem");
    folder.certtool("client alice@test.example --ca ca.pem --out alice.pem");
    folder.certtool("server old.test --ca ca.pem --from 20200101000000Z --for 30d --out old.pem");
    let chained = [folder.read("www.pem"), folder.read("below.pem")].concat();
    folder.write("chained.pem", chained);
    for (is_good, ours, theirs) in [
        (true, "--ca self.pem self.pem", "-CAfile self.pem self.pem"),
        (
            true,
            "--ca ca.pem --chain below.pem www.pem",
            "-CAfile ca.pem -untrusted below.pem www.pem",
        ),
        (false, "--ca ca.pem www.pem", "-CAfile ca.pem www.pem"),
        (
            false,
            "--ca stranger.pem alice.pem",
            "-CAfile stranger.pem alice.pem",
        ),
        (
            true,
            "--ca below.pem --partial www.pem",
            "-partial_chain -CAfile below.pem www.pem",
        ),
        (false, "--ca below.pem www.pem", "-CAfile below.pem www.pem"),
        (
            true,
            "--ca ca.pem --purpose client alice.pem",
            "-CAfile ca.pem -purpose sslclient alice.pem",
        ),
        (
            false,
            "--ca ca.pem --purpose server alice.pem",
            "-CAfile ca.pem -purpose sslserver alice.pem",
        ),
        (
            true,
            "--ca ca.pem --email alice@test.example alice.pem",
            "-CAfile ca.pem -verify_email alice@test.example alice.pem",
        ),
        (false, "--ca ca.pem old.pem", "-CAfile ca.pem old.pem"),
        (
            true,
            "--ca old.pem --partial --at 20200115000000Z old.pem",
            "-partial_chain -CAfile old.pem -attime 1579046400 old.pem",
        ),
        (
            true,
            "--ca ca.pem --chain below.pem --host 10.0.0.1 www.pem",
            "-CAfile ca.pem -untrusted below.pem -verify_ip 10.0.0.1 www.pem",
        ),
        (
            true,
            "--ca ca.pem --host www.test chained.pem",
            "-CAfile ca.pem -untrusted chained.pem -verify_hostname www.test chained.pem",
        ),
        (
            false,
            "--ca ca.pem --host other.test chained.pem",
            "-CAfile ca.pem -untrusted chained.pem -verify_hostname other.test chained.pem",
        ),
        (
            false,
            "--ca ca.pem --depth 0 chained.pem",
            "-CAfile ca.pem -untrusted chained.pem -verify_depth 0 chained.pem",
        ),
    ] {
        let finished = folder.run(&format!("verify {ours}"));
        let code = if is_good { 0 } else { 1 };
        assert_eq!(
            finished.status.code(),
            Some(code),
            "{ours}: {}",
            finished.text()
        );
        let theirs = folder.run_openssl(&format!("verify {theirs}"));
        assert_eq!(
            theirs.status.success(),
            is_good,
            "{ours}: {}",
            theirs.text()
        );
    }
}

#[test]
fn answers_tell_the_path_or_the_fault() {
    let Some(folder) = Folder::with_ca("answers_tell_the_path_or_the_fault") else {
        return;
    };
    folder.certtool("server www.test --ca ca.pem --out www.pem");
    folder.certtool("server self.test --self-signed --out self.pem");
    let answer = folder.certtool("verify --ca ca.pem www.pem");
    assert_has(
        &answer,
        &["www.pem: good\n", "  0 CN=www.test, until 2", "  1 "],
    );
    // All that is wrong is told.
    let complaint = folder.refused(1, "verify --ca ca.pem self.pem www.pem self.pem");
    assert_has(
        &complaint,
        &["self.pem: bad: self", "at depth 0", "2 of 3 certificates"],
    );
    assert_eq!(folder.certtool("verify --quiet --ca ca.pem www.pem"), "");
    folder.refused(2, "verify www.pem");
    assert_has(
        &folder.refused(3, "verify --ca ca.key www.pem"),
        &["ca.key", "private key"],
    );
    assert_has(
        &folder.refused(3, "verify --ca ca.pem nothing.pem"),
        &["nothing.pem"],
    );
}
