//! `rehash`: links by which OpenSSL finds the certificates of a directory.
//!
//! It looks for `HASH.0`, `HASH.1` and so on, where HASH is that of the subject, and for
//! `HASH.r0` of the issuer of a revocation list, until there is no next one. So the
//! numbers of one hash must have no gaps, at no time: new links are put in place, each
//! by a rename, before those that are left over go.

use std::collections::{BTreeMap, HashSet};
use std::fs::DirEntry;
use std::path::{Path, PathBuf};

use clap::Args;
use greenling_tls::crypto::{Cert, Crl, Digest, Encoding};

use crate::failure::{Failure, Outcome};
use crate::{files, input};

/// Endings of the files that are looked at, as `openssl rehash` has them.
const ENDINGS: [&str; 4] = ["pem", "crt", "cer", "crl"];

/// Options of `rehash`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Directories with files that end in .pem, .crt, .cer or .crl
    #[arg(required = true, value_name = "DIR")]
    directories: Vec<PathBuf>,

    /// Link by the hash that OpenSSL had before 1.0, too
    #[arg(long)]
    old: bool,

    /// Say what is linked
    #[arg(long, short)]
    verbose: bool,
}

/// Links all.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    for directory in &options.directories {
        rehash(directory, options)?;
    }
    Ok(())
}

/// What a name of a link begins with: the hash, and what stands before the number.
type Prefix = String;

/// Objects that one file holds, as far as links are concerned.
struct Found {
    file: String,
    prefixes: Vec<Prefix>,
    fingerprint: Vec<u8>,
}

fn rehash(directory: &Path, options: &Options) -> Outcome<()> {
    let fault = |error| Failure::file(directory, error);
    let entries = std::fs::read_dir(directory).map_err(fault)?;
    let entries = entries.collect::<Result<Vec<_>, _>>().map_err(fault)?;
    let mut stale = HashSet::new();
    let mut occupied = HashSet::new();
    let mut found = Vec::new();
    for entry in entries {
        let kind = entry.file_type().map_err(fault)?;
        // Names that are no text have no ending that counts, and are no links of ours.
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
            continue;
        };
        if is_hash_link(&name) {
            let set = if kind.is_symlink() {
                &mut stale
            } else {
                &mut occupied
            };
            set.insert(name);
        } else if let Some(object) = look(&entry, name, options.old) {
            found.push(object);
        }
    }
    // The same numbers each time, however the directory is sorted.
    found.sort_by(|a, b| a.file.cmp(&b.file));
    let links = links(&found, &occupied);
    for (name, file) in &links {
        stale.remove(name);
        if options.verbose {
            files::print(format!("{} -> {file}\n", directory.join(name).display()).as_bytes())?;
        }
        place(directory, name, file)?;
    }
    for name in stale {
        let path = directory.join(name);
        std::fs::remove_file(&path).map_err(|error| Failure::file(&path, error))?;
    }
    Ok(())
}

/// Whether it is named as links are: eight digits of a hash, and a number.
fn is_hash_link(name: &str) -> bool {
    let Some((hash, number)) = name.split_once('.') else {
        return false;
    };
    let number = number.strip_prefix('r').unwrap_or(number);
    let is_hash = hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// What a file holds. A link can lead to one object only, so files with several are left
/// out, and so is what cannot be read: that is told, and the others are linked.
fn look(entry: &DirEntry, file: String, old: bool) -> Option<Found> {
    let path = entry.path();
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    if !ENDINGS.contains(&&*ending) || !path.is_file() {
        return None;
    }
    match objects(&path, old) {
        Ok(mut objects) if objects.len() == 1 => {
            let (prefixes, fingerprint) = objects.remove(0);
            Some(Found {
                file,
                prefixes,
                fingerprint,
            })
        }
        Ok(_) => {
            let what = "does not hold exactly one certificate or revocation list";
            skipped(&path, what);
            None
        }
        Err(failure) => {
            files::note(format_args!("{failure}; not linked"));
            None
        }
    }
}

fn skipped(path: &Path, what: &str) {
    files::note(format_args!("{}: {what}; not linked", path.display()));
}

/// Prefixes and fingerprint of all objects in a file.
fn objects(path: &Path, old: bool) -> Outcome<Vec<(Vec<Prefix>, Vec<u8>)>> {
    let content = files::read(path)?;
    // OpenSSL reads text through links, and stops at what it cannot read: a link to
    // anything else would hide those after it.
    if input::encoding(&content) != Encoding::Pem {
        return Err(Failure::file(path, "is not in PEM form"));
    }
    let mut objects = Vec::new();
    for (is_crl, content) in crate::inspect::certs_and_crls(&content) {
        let error = |error| Failure::about(path, &error);
        let (hash, hash_old, fingerprint) = if is_crl {
            let crl = Crl::decode(Encoding::Pem, content).map_err(error)?;
            let issuer = crl.issuer();
            let der = crl.encode(Encoding::Der)?;
            (issuer.hash(), issuer.hash_md5(), Digest::Sha256.hash(&der)?)
        } else {
            let cert = Cert::decode(Encoding::Pem, content).map_err(error)?;
            let fingerprint = cert.fingerprint(Digest::Sha256)?;
            (cert.subject_hash(), cert.subject_hash_old(), fingerprint)
        };
        let mark = if is_crl { "r" } else { "" };
        let mut prefixes = vec![format!("{hash:08x}.{mark}")];
        if old && hash_old != hash {
            prefixes.push(format!("{hash_old:08x}.{mark}"));
        }
        objects.push((prefixes, fingerprint));
    }
    Ok(objects)
}

/// The links by their names. What is there twice is linked once.
fn links(found: &[Found], occupied: &HashSet<String>) -> BTreeMap<String, String> {
    let mut links = BTreeMap::new();
    let mut next: BTreeMap<&str, u32> = BTreeMap::new();
    let mut seen = HashSet::new();
    for object in found {
        if !seen.insert(&object.fingerprint) {
            let path = Path::new(&object.file);
            skipped(path, "is the same as another file");
            continue;
        }
        for prefix in &object.prefixes {
            let number = next.entry(prefix).or_default();
            // A file by that name stays, and OpenSSL reads it in its turn.
            while occupied.contains(&format!("{prefix}{number}")) {
                *number += 1;
            }
            links.insert(format!("{prefix}{number}"), object.file.clone());
            *number += 1;
        }
    }
    links
}

/// Makes a link, or lets it be if it is right.
fn place(directory: &Path, name: &str, file: &str) -> Outcome<()> {
    let path = directory.join(name);
    if std::fs::read_link(&path).is_ok_and(|there| there == Path::new(file)) {
        return Ok(());
    }
    let make = || -> std::io::Result<()> {
        let link = tempfile::Builder::new()
            .prefix(".certtool-")
            .make_in(directory, |beside| std::os::unix::fs::symlink(file, beside))?;
        link.persist(&path).map(drop).map_err(|fault| fault.error)
    };
    make().map_err(|error| Failure::file(&path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_told_from_files() {
        for name in ["9d66eef0.0", "9D66EEF0.12", "9d66eef0.r0"] {
            assert!(is_hash_link(name), "{name}");
        }
        for name in [
            "9d66eef0",
            "9d66eef0.",
            "9d66eef0.r",
            "9d66eef.0",
            "9d66eefg.0",
            "a.pem",
            "9d66eef0.0.pem",
            "9d66eef0.pem",
        ] {
            assert!(!is_hash_link(name), "{name}");
        }
    }

    #[test]
    fn numbers_have_no_gaps_and_files_stay() {
        let found = |file: &str, prefix: &str, fingerprint: u8| Found {
            file: file.to_owned(),
            prefixes: vec![prefix.to_owned()],
            fingerprint: vec![fingerprint],
        };
        let all = [
            found("a.pem", "00000000.", 1),
            found("b.pem", "00000000.", 2),
            found("copy.pem", "00000000.", 1),
            found("c.crl", "00000000.r", 3),
        ];
        let occupied = HashSet::from(["00000000.1".to_owned()]);
        let links = links(&all, &occupied);
        let links: Vec<_> = links
            .iter()
            .map(|(name, file)| (&**name, &**file))
            .collect();
        let expected = [
            ("00000000.0", "a.pem"),
            ("00000000.2", "b.pem"),
            ("00000000.r0", "c.crl"),
        ];
        assert_eq!(links, expected);
    }
}
