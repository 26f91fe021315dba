//! Python's `ssl` and `http.client`; the checks themselves are in `client.py`.

use std::process::Command;

use super::Site;
use tests::tools;

#[test]
fn both_versions_keep_alive_echo_and_resume() {
    let Some(python) = tools::find("Python's ssl", "python3") else {
        return;
    };
    let site = Site::start();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/interop/client.py");
    for version in ["TLSv1_2", "TLSv1_3"] {
        let mut command = Command::new(&python);
        command
            .args([script, &site.server.port().to_string(), version])
            .arg(site.file("ca.pem"));
        let done = tools::run(&mut command, b"").success();
        assert!(done.text().contains("all checks passed"), "{}", done.text());
    }
}
