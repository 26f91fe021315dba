//! Files: read as a whole, written whole or not at all.
//!
//! A new file is made beside its place, synced, and moved there, so that nobody ever
//! sees half of one, and neither does a machine that lost its power. Keys are for their
//! owner only from the first moment on.

use std::fs::Permissions;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Outcome};

/// As much as the library looks at.
const SIZE_MAX: u64 = 64 << 20;

/// Stands for standard input and output.
const STANDARD: &str = "-";

fn is_standard(path: &Path) -> bool {
    path.as_os_str() == STANDARD
}

/// All that is in a file, or on standard input.
pub(crate) fn read(path: &Path) -> Outcome<Vec<u8>> {
    let source: std::io::Result<Box<dyn Read>> = match is_standard(path) {
        true => Ok(Box::new(std::io::stdin())),
        false => std::fs::File::open(path).map(|file| Box::new(file) as Box<dyn Read>),
    };
    let mut content = Vec::new();
    let size = source.and_then(|source| source.take(SIZE_MAX + 1).read_to_end(&mut content));
    match size {
        Ok(size) if size as u64 > SIZE_MAX => Err(Failure::file(path, "is larger than 64 MiB")),
        Ok(_) => Ok(content),
        Err(error) => Err(Failure::file(path, error)),
    }
}

/// A place where a file will be, looked at before there is anything to write.
#[derive(Debug)]
pub(crate) struct Target {
    path: PathBuf,
    force: bool,
}

impl Target {
    /// Refuses places that are taken, unless `force` is given.
    pub(crate) fn new(path: &Path, force: bool) -> Outcome<Target> {
        if !is_standard(path) {
            match std::fs::metadata(path) {
                // Replacing what only looks like a file would be a disaster: /dev/null.
                Ok(found) if !found.is_file() => {
                    return Err(Failure::file(path, "is there, and is not a file"));
                }
                Ok(_) if !force => return Err(exists(path)),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(Failure::file(path, error)),
            }
        }
        Ok(Target {
            path: path.to_owned(),
            force,
        })
    }

    /// A place for a key, which is never standard output.
    pub(crate) fn for_key(path: &Path, force: bool) -> Outcome<Target> {
        if is_standard(path) {
            let what = "a key is written to a file of its own, and `-` is none";
            return Err(Failure::Usage(what.to_owned()));
        }
        Target::new(path, force)
    }

    /// Says that two files would have the same place.
    pub(crate) fn apart(targets: &[&Target]) -> Outcome<()> {
        for (index, target) in targets.iter().enumerate() {
            if targets[..index]
                .iter()
                .any(|other| other.path == target.path)
            {
                let path = target.path.display();
                return Err(Failure::Usage(format!("{path}: is named for two files")));
            }
        }
        Ok(())
    }

    /// Whether it is standard output.
    pub(crate) fn is_standard(&self) -> bool {
        is_standard(&self.path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes what everybody may read.
    pub(crate) fn write(&self, content: &[u8]) -> Outcome<()> {
        if self.is_standard() {
            return print(content);
        }
        self.put(content, 0o644)
    }

    /// Writes what is for the owner only.
    pub(crate) fn write_secret(&self, content: &[u8]) -> Outcome<()> {
        self.put(content, 0o600)
    }

    fn put(&self, content: &[u8], mode: u32) -> Outcome<()> {
        let place = || -> std::io::Result<()> {
            let mut file = tempfile::Builder::new()
                .prefix(".certtool-")
                .permissions(Permissions::from_mode(mode))
                .tempfile_in(folder(&self.path))?;
            file.write_all(content)?;
            file.as_file().sync_all()?;
            // Who has made a file there in the meantime keeps it.
            let placed = match self.force {
                true => file.persist(&self.path),
                false => file.persist_noclobber(&self.path),
            };
            placed.map(drop).map_err(|fault| fault.error)
        };
        place().map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => exists(&self.path),
            _ => Failure::file(&self.path, error),
        })
    }
}

fn exists(path: &Path) -> Failure {
    Failure::file(path, "is there already; --force replaces it")
}

/// The folder that a file is in.
pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Writes to standard output.
pub(crate) fn print(content: &[u8]) -> Outcome<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(content).and_then(|()| stdout.flush()) {
        // Who reads has seen enough, as `head`.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| Failure::file(Path::new("standard output"), error)),
    }
}

/// Tells the user something that is not what was asked for.
pub(crate) fn note(text: impl std::fmt::Display) {
    // Without a place for notes there are none.
    let _ = writeln!(std::io::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn keys_are_for_their_owner_and_never_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        let first = Target::for_key(&path, false).unwrap();
        let late = Target::for_key(&path, false).unwrap();
        first.write_secret(b"one").unwrap();
        assert_eq!(mode(&path), 0o600);
        // The second comes too late, and finds out at the last moment.
        let error = late.write_secret(b"two").unwrap_err();
        assert!(error.to_string().contains("--force"), "{error}");
        assert!(Target::for_key(&path, false).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"one");

        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let forced = Target::for_key(&path, true).unwrap();
        forced.write_secret(b"three").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"three");
        assert_eq!(mode(&path), 0o600);
        // Nothing is left beside them.
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_file_is_not_replaced() {
        for path in ["/dev/null", "/"] {
            let error = Target::new(Path::new(path), true).unwrap_err();
            assert_eq!(error.exit_code(), 3, "{error}");
        }
        let error = Target::for_key(Path::new("-"), true).unwrap_err();
        assert_eq!(error.exit_code(), 2);
    }
}
