//! The random generator and its seed files, which `openssl` reads and writes too.

use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::PathBuf;

use greenling_tls::{ConfigErrorKind, Error, rand};
use tempfile::TempDir;

use crate::generator::reseeds;
use crate::support::{kind, openssl};

fn directory() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("seed");
    (dir, path)
}

#[test]
fn buffers_are_filled_and_never_twice_the_same() {
    for fill in [rand::fill, rand::fill_private] {
        let mut buffers = [[0; 64]; 2];
        for buffer in &mut buffers {
            fill(buffer).unwrap();
        }
        assert_ne!(buffers[0], buffers[1]);
        assert!(buffers.iter().all(|buffer| *buffer != [0; 64]));
        fill(&mut []).unwrap();
    }
    assert!(rand::is_seeded());
}

/// Whatever is added makes the generator seed itself again, with that and more.
#[test]
fn what_is_added_reaches_the_generator() {
    let (_dir, path) = directory();
    rand::write_file(&path).unwrap();
    let load = || assert_eq!(rand::load_file(&path, None).unwrap(), 1024);
    let actions: [&dyn Fn(); 4] = [
        &|| rand::add(b"some bytes", 1.5),
        &|| rand::add(b"some bytes", f64::NAN),
        &|| rand::seed(b"some bytes"),
        &load,
    ];
    for action in actions {
        let before = reseeds();
        action();
        assert!(reseeds() > before);
    }
    // Nothing is nothing.
    rand::add(b"", 0.0);
    rand::seed(b"");
}

#[test]
fn a_seed_file_is_what_openssl_makes_and_takes() {
    let (_dir, path) = directory();
    let name = path.to_str().unwrap();
    fs::write(&path, [7; 5000]).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    assert_eq!(rand::write_file(&path).unwrap(), 1024);
    let first = fs::read(&path).unwrap();
    assert_eq!(first.len(), 1024);
    assert!(first.chunks(32).all(|part| part != [7; 32]));
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // `openssl` reads it, and writes it in turn.
    let arguments = ["rand", "-rand", name, "-writerand", name, "-hex", "8"];
    openssl(&arguments, b"").unwrap();
    let theirs = fs::read(&path).unwrap();
    assert_eq!(theirs.len(), 1024);
    assert_ne!(theirs, first);
    assert_eq!(rand::load_file(&path, None).unwrap(), 1024);
    assert_eq!(rand::load_file(&path, Some(100)).unwrap(), 100);
    assert_eq!(rand::load_file(&path, Some(5000)).unwrap(), 1024);
    assert_eq!(rand::load_file(&path, Some(0)).unwrap(), 0);
}

#[test]
fn a_device_is_read_in_part_and_never_written() {
    assert_eq!(rand::load_file("/dev/zero", None).unwrap(), 256);
    assert_eq!(rand::load_file("/dev/zero", Some(10_000)).unwrap(), 10_000);
    assert_eq!(
        kind(rand::write_file("/dev/null")),
        ConfigErrorKind::Unwritable
    );
    let device = fs::metadata("/dev/null").unwrap();
    assert!(device.file_type().is_char_device());
    assert_ne!(
        device.permissions().mode() & 0o777,
        0o600,
        "it was left alone"
    );
}

#[test]
fn files_that_cannot_be_are_named() {
    let (dir, path) = directory();
    let unreadable = ConfigErrorKind::Unreadable;
    assert_eq!(kind(rand::load_file(&path, None)), unreadable);
    assert_eq!(kind(rand::load_file(dir.path(), None)), unreadable);
    assert_eq!(kind(rand::load_file("a\0b", None)), unreadable);
    let unwritable = ConfigErrorKind::Unwritable;
    assert_eq!(kind(rand::write_file(dir.path())), unwritable);
    assert_eq!(kind(rand::write_file("a\0b")), unwritable);
    assert_eq!(
        kind(rand::write_file(dir.path().join("no/seed"))),
        unwritable
    );
    let fifo = CString::new(path.as_os_str().as_bytes()).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, 0o600.into()).unwrap();
    let error = rand::write_file(&path).unwrap_err();
    assert!(error.to_string().contains("seed"), "{error}");
}

#[test]
fn what_is_gone_says_so() {
    for refused in [
        rand::egd("/var/run/egd", Some(16)).map(drop),
        rand::screen(),
    ] {
        assert!(matches!(refused, Err(Error::Unsupported(_))), "{refused:?}");
    }
}
