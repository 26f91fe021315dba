//! `peer.go`, compiled.
//!
//! The first build compiles Go's own libraries, which takes minutes where nothing is
//! kept between runs. So the tests with Go are run by hand, by `optional.sh`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use tests::tools;

/// The program, or `None` without Go.
pub(crate) fn peer(test: &str) -> Option<&'static Path> {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let go = tools::find(test, "go")?;
    Some(BUILT.get_or_init(|| {
        let peer = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-peer");
        let mut command = Command::new(go);
        command
            .env("GOTOOLCHAIN", "local")
            .args(["build", "-o"])
            .arg(&peer)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/interop/peer.go"));
        tools::run(&mut command, b"").success();
        peer
    }))
}
