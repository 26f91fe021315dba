//! Making directories with more to choose.

use super::run;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// How to make a directory, as [`std::fs::DirBuilder`].
///
/// # Examples
///
/// ```
/// use greenling::fs::DirBuilder;
/// # fn main() -> std::io::Result<()> {
/// # let folder = std::env::temp_dir().join(format!("greenling-dir-{}", std::process::id()));
/// // For nobody but this user.
/// DirBuilder::new().recursive(true).mode(0o700).create(folder.join("keys"))?;
/// # std::fs::remove_dir_all(folder)
/// # }
/// ```
#[derive(Debug)]
pub struct DirBuilder {
    recursive: bool,
    mode: u32,
}

impl DirBuilder {
    /// One directory, for everybody but for the process' `umask`.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    #[expect(clippy::new_without_default, reason = "std's has no default either")]
    pub fn new() -> DirBuilder {
        DirBuilder {
            recursive: false,
            mode: 0o777,
        }
    }

    /// Whether those that lead to it are made, too, and it is no error if it is
    /// there.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn recursive(&mut self, on: bool) -> &mut DirBuilder {
        self.recursive = on;
        self
    }

    /// The permissions of what is made.
    ///
    /// # Scheduling
    ///
    /// Never switches.
    pub fn mode(&mut self, mode: u32) -> &mut DirBuilder {
        self.mode = mode;
        self
    }

    /// Makes the directory.
    ///
    /// # Scheduling
    ///
    /// Always switches.
    ///
    /// # Cancellation
    ///
    /// It may still be made.
    ///
    /// # Errors
    ///
    /// Those of `mkdir(2)` and of the wait.
    #[track_caller]
    pub fn create(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let (path, recursive, mode) = (path.as_ref().to_owned(), self.recursive, self.mode);
        run(move || {
            let mut builder = fs::DirBuilder::new();
            builder.recursive(recursive).mode(mode).create(path)
        })
    }
}
