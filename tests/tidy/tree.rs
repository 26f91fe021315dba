//! The files that git tracks.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A text file of the repository.
pub(crate) struct File {
    /// From the root, with slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    #[cfg(test)]
    pub(crate) fn new(path: &str, text: &str) -> File {
        let (path, text) = (path.to_owned(), text.to_owned());
        File { path, text }
    }

    /// Its lines, numbered from one.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().zip(1..).map(|(line, n)| (n, line))
    }
}

/// All of them by path.
pub(crate) struct Tree {
    root: PathBuf,
    files: BTreeMap<String, File>,
}

impl Tree {
    /// Reads what git lists. Files that are not UTF-8 are left out, and so are
    /// those that are tracked but deleted.
    pub(crate) fn tracked() -> io::Result<Tree> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .ok_or(io::ErrorKind::NotFound)?
            .to_owned();
        let listing = Command::new("git")
            .args(["ls-files", "-z"])
            .current_dir(&root)
            .output()?;
        if !listing.status.success() {
            let words = String::from_utf8_lossy(&listing.stderr);
            return Err(io::Error::other(words.trim().to_owned()));
        }
        let listing = String::from_utf8_lossy(&listing.stdout).into_owned();
        let mut files = BTreeMap::new();
        for path in listing.split('\0').filter(|path| !path.is_empty()) {
            if let Ok(text) = std::fs::read_to_string(root.join(path)) {
                let path = path.to_owned();
                files.insert(path.clone(), File { path, text });
            }
        }
        Ok(Tree { root, files })
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.values()
    }

    /// All Rust sources.
    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files().filter(|file| file.path.ends_with(".rs"))
    }

    /// The sources of one library, without its unit tests.
    pub(crate) fn sources(&self, package: &str) -> impl Iterator<Item = &File> {
        let folder = format!("{package}/src/");
        self.rust().filter(move |file| {
            file.path
                .strip_prefix(&folder)
                .is_some_and(|inside| !is_test(inside))
        })
    }

    /// A file that must exist.
    pub(crate) fn file(&self, path: &str) -> &File {
        self.files
            .get(path)
            .unwrap_or_else(|| panic!("{path} is not tracked"))
    }

    /// Whether a file or folder is there.
    pub(crate) fn exists(&self, path: &str) -> bool {
        self.files.contains_key(path) || self.root.join(path).is_dir()
    }

    pub(crate) fn get(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }
}

/// Whether a path inside `src/` is one of unit tests.
fn is_test(inside: &str) -> bool {
    inside.ends_with("/tests.rs") || inside.split('/').any(|part| part == "tests")
}
