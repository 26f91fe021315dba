//! Go rivals: single source files, compiled when a `go` is on the PATH.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::Command;

/// A compiled Go program; its folder is removed on drop.
#[derive(Debug)]
pub struct Go {
    folder: PathBuf,
}

impl Go {
    /// Compiles `source` into a temporary folder called after `name`.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is no compiler; else what it said.
    pub fn build(name: &str, source: &str) -> io::Result<Go> {
        let folder = format!("greenling-{name}-{}", std::process::id());
        let go = Go {
            folder: std::env::temp_dir().join(folder),
        };
        fs::create_dir_all(&go.folder)?;
        let file = go.folder.join("main.go");
        fs::write(&file, source)?;
        let output = Command::new("go")
            .arg("build")
            .arg("-o")
            .arg(go.path())
            .arg(&file)
            // The compiler that is there, not one it would download.
            .env("GOTOOLCHAIN", "local")
            .output()
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => io::Error::new(error.kind(), "no go on the PATH"),
                _ => error,
            })?;
        if output.status.success() {
            Ok(go)
        } else {
            Err(io::Error::other(
                String::from_utf8_lossy(&output.stderr).into_owned(),
            ))
        }
    }

    /// The executable.
    pub fn path(&self) -> PathBuf {
        self.folder.join("rival")
    }
}

impl Drop for Go {
    fn drop(&mut self) {
        // Nothing depends on the folder being gone: it lies under the system's
        // temporary folder.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
