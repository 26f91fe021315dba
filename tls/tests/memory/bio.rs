//! The buffer alone.

use greenling_tls::{Error, MemoryBio, SslErrorKind};

/// MemoryBIOTests.test_read_write
#[test]
fn what_was_written_is_read_once_and_in_order() {
    let bio = MemoryBio::new();
    assert_eq!(bio.write(b"foo").expect("open"), 3);
    assert_eq!(bio.read(None), b"foo");
    assert_eq!(bio.read(None), b"");
    bio.write(b"foo").expect("open");
    bio.write(b"bar").expect("open");
    assert_eq!(bio.read(None), b"foobar");
    assert_eq!(bio.read(None), b"");
    bio.write(b"baz").expect("open");
    assert_eq!(bio.read(2), b"ba");
    assert_eq!(bio.read(0), b"");
    assert_eq!(bio.read(1), b"z");
    assert_eq!(bio.read(1), b"");
}

/// MemoryBIOTests.test_eof
#[test]
fn the_end_is_there_when_it_was_marked_and_the_rest_was_read() {
    let bio = MemoryBio::new();
    assert!(!bio.eof());
    assert_eq!(bio.read(None), b"");
    assert!(!bio.eof());
    bio.write(b"foo").expect("open");
    bio.write_eof();
    assert!(!bio.eof());
    assert_eq!(bio.read(2), b"fo");
    assert!(!bio.eof());
    assert_eq!(bio.read(1), b"o");
    assert!(bio.eof());
    assert_eq!(bio.read(None), b"");
    assert!(bio.eof());
    bio.write_eof();
    assert!(bio.eof());
}

#[test]
fn nothing_is_written_behind_the_end() {
    let bio = MemoryBio::new();
    bio.write_eof();
    let error = bio.write(b"more").expect_err("ended");
    assert_eq!(error.kind(), SslErrorKind::Ssl);
    assert!(matches!(Error::from(error), Error::Local(_)));
    assert_eq!(bio.pending(), 0);
}

/// MemoryBIOTests.test_pending
#[test]
fn what_is_pending_is_counted_byte_by_byte() {
    let bio = MemoryBio::new();
    assert_eq!(bio.pending(), 0);
    bio.write(b"foo").expect("open");
    for left in (0..3).rev() {
        bio.read(1);
        assert_eq!(bio.pending(), left);
    }
    for there in 1..=3 {
        bio.write(b"x").expect("open");
        assert_eq!(bio.pending(), there);
    }
    assert_eq!(bio.read_into(&mut [0; 2]), 2);
    assert_eq!(bio.pending(), 1);
    bio.read(None);
    assert_eq!(bio.pending(), 0);
}

/// MemoryBIOTests.test_buffer_types; test_error_types is the compiler's.
#[test]
fn anything_that_lends_bytes_is_written() {
    let bio = MemoryBio::new();
    bio.write(b"foo").expect("open");
    bio.write(&Vec::from(*b"bar")).expect("open");
    bio.write("baz".as_bytes()).expect("open");
    bio.write(&Box::<[u8]>::from(*b"qux")).expect("open");
    assert_eq!(bio.read(None), b"foobarbazqux");
}

#[test]
fn clones_share_one_buffer_also_across_threads() {
    let bio = MemoryBio::new();
    let other = bio.clone();
    std::thread::spawn(move || {
        other.write(b"from there").expect("open");
        other.write_eof();
    })
    .join()
    .expect("no panic");
    assert_eq!(bio.read(None), b"from there");
    assert!(bio.eof());
}
