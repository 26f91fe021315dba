//! What the offload pool finds, without the pool.

use super::*;
use std::fs;
use std::os::unix::fs::symlink;
use tempfile::TempDir;

/// A root with a file next to it that must never be served.
struct Tree {
    outside: TempDir,
    root: Root,
}

impl Tree {
    fn new() -> Self {
        let outside = tempfile::tempdir().unwrap();
        let top = outside.path().join("root");
        fs::create_dir_all(top.join("dir/empty")).unwrap();
        fs::write(outside.path().join("secret"), "secret").unwrap();
        fs::write(top.join("a.txt"), "0123456789").unwrap();
        fs::write(top.join("dir/index.html"), "<p>index").unwrap();
        fs::write(top.join("dir/.hidden"), "hidden").unwrap();
        fs::write(top.join("big"), vec![b'x'; PIECE + 1]).unwrap();
        symlink("a.txt", top.join("inside")).unwrap();
        symlink("../a.txt", top.join("dir/inside")).unwrap();
        symlink("../secret", top.join("out")).unwrap();
        symlink(outside.path().join("secret"), top.join("absolute")).unwrap();
        symlink(top.join("a.txt"), top.join("absolute-inside")).unwrap();
        symlink("..", top.join("up")).unwrap();
        symlink("loop", top.join("loop")).unwrap();
        let root = Root::open(&top).unwrap();
        Self { outside, root }
    }

    fn job(&self, path: &str) -> Job {
        Job {
            root: self.root.clone(),
            asked: Asked::parse(path).unwrap(),
            wants_body: true,
            unless_newer_than: None,
            range: None,
            if_range: None,
        }
    }

    /// What a GET would begin with, or the status of the failure.
    fn get(&self, path: &str) -> Result<Vec<u8>, u16> {
        match self.job(path).run() {
            Ok(Found::File(opened)) => Ok(opened.piece),
            Ok(Found::Directory) => Err(301),
            Ok(_) => panic!("neither a range nor a date was asked for"),
            Err(error) => Err(status_of(&error).0),
        }
    }
}

#[test]
fn only_what_is_inside_is_found() {
    let tree = Tree::new();
    assert_eq!(tree.get("a.txt").unwrap(), b"0123456789");
    assert_eq!(tree.get("dir").unwrap_err(), 301);
    assert_eq!(tree.get("dir/").unwrap(), b"<p>index");
    assert_eq!(tree.get("dir/empty/").unwrap_err(), 404);
    assert_eq!(tree.get("").unwrap_err(), 404);
    assert_eq!(tree.get("inside").unwrap(), b"0123456789");
    assert_eq!(tree.get("dir/inside").unwrap(), b"0123456789");
    for outside in [
        "out",
        "absolute",
        "absolute-inside",
        "up/secret",
        "up/root/a.txt",
        "loop",
    ] {
        assert_eq!(tree.get(outside).unwrap_err(), 404, "{outside}");
    }
    assert_eq!(tree.get("a.txt/").unwrap_err(), 404);
    assert_eq!(tree.get("missing").unwrap_err(), 404);
}

/// Opening a FIFO waits for a writer, and no one would ever come.
#[test]
fn a_fifo_is_neither_served_nor_waited_for() {
    let tree = Tree::new();
    let path = tree.outside.path().join("root/fifo");
    let made = std::process::Command::new("mkfifo")
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success());
    assert_eq!(tree.get("fifo").unwrap_err(), 404);
}

#[test]
fn a_date_that_is_not_older_needs_no_body() {
    let tree = Tree::new();
    let Ok(Found::File(opened)) = tree.job("a.txt").run() else {
        panic!("a file")
    };
    let dated = |date| {
        Job {
            unless_newer_than: Some(date),
            ..tree.job("a.txt")
        }
        .run()
        .unwrap()
    };
    assert!(matches!(dated(opened.modified), Found::NotModified(_)));
    assert!(matches!(
        dated(opened.modified + Duration::from_secs(1)),
        Found::NotModified(_)
    ));
    assert!(matches!(
        dated(opened.modified - Duration::from_secs(1)),
        Found::File(_)
    ));
}

#[test]
fn parts() {
    let tree = Tree::new();
    let part = |field: &str, if_range| {
        let job = Job {
            range: Range::parse(field),
            if_range,
            ..tree.job("a.txt")
        };
        match job.run().unwrap() {
            Found::File(opened) => Some((opened.piece, opened.part)),
            Found::OutOfRange(10) => None,
            _ => panic!("a file or not in range"),
        }
    };
    assert_eq!(
        part("bytes=2-4", None),
        Some((b"234".to_vec(), Some((2, 4))))
    );
    assert_eq!(part("bytes=-2", None), Some((b"89".to_vec(), Some((8, 9)))));
    assert_eq!(part("bytes=10-", None), None);
    let Ok(Found::File(opened)) = tree.job("a.txt").run() else {
        panic!("a file")
    };
    let whole = Some((b"0123456789".to_vec(), None));
    assert_eq!(
        part("bytes=2-4", Some(Some(opened.modified))).unwrap().1,
        Some((2, 4))
    );
    assert_eq!(part("bytes=2-4", Some(Some(UNIX_EPOCH))), whole);
    assert_eq!(part("bytes=2-4", Some(None)), whole);
}

#[test]
fn a_large_file_comes_in_pieces() {
    let tree = Tree::new();
    let Ok(Found::File(mut opened)) = tree.job("big").run() else {
        panic!("a file")
    };
    assert_eq!(
        (opened.piece.len(), opened.length),
        (PIECE, PIECE as u64 + 1)
    );
    fill(&mut opened.file, &mut opened.piece, 1).unwrap();
    assert_eq!(opened.piece, b"x");
    fill(&mut opened.file, &mut opened.piece, 1).unwrap();
    assert!(opened.piece.is_empty());
}
