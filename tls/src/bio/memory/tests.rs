//! Our BIO as OpenSSL uses it.

use super::*;

fn rings(size: usize) -> MemoryRings {
    let sizes = RingSizes {
        incoming: size,
        outgoing: size,
    };
    MemoryRings::new(sizes).expect("memory")
}

/// What OpenSSL does, by the plain calls.
fn openssl_reads(rings: &MemoryRings, length: usize) -> Result<Vec<u8>, c_int> {
    let mut data = vec![0; length];
    let bio = rings.bio.as_ptr();
    // SAFETY: the BIO is alive and `data` is writable.
    let n = unsafe { openssl_sys::BIO_read(bio, data.as_mut_ptr().cast(), count(length)) };
    data.truncate(usize::try_from(n).map_err(|_| n)?);
    Ok(data)
}

fn openssl_writes(rings: &MemoryRings, data: &[u8]) -> c_int {
    let bio = rings.bio.as_ptr();
    // SAFETY: the BIO is alive and `data` is readable.
    unsafe { openssl_sys::BIO_write(bio, data.as_ptr().cast(), count(data.len())) }
}

fn may_retry(rings: &MemoryRings) -> bool {
    // SAFETY: the BIO is alive.
    unsafe { ffi::BIO_test_flags(rings.bio.as_ptr(), ffi::BIO_FLAGS_SHOULD_RETRY) != 0 }
}

fn is_at_end(rings: &MemoryRings) -> bool {
    let (bio, eof) = (rings.bio.as_ptr(), openssl_sys::BIO_CTRL_EOF);
    // SAFETY: the BIO is alive and the command takes no argument.
    unsafe { openssl_sys::BIO_ctrl(bio, eof, 0, ptr::null_mut()) == 1 }
}

#[test]
fn carries_bytes_both_ways() {
    let mut rings = rings(10);
    assert_eq!(rings.write_in(b"in"), 2);
    assert_eq!(rings.in_pending(), 2);
    assert_eq!(openssl_reads(&rings, 10), Ok(b"in".to_vec()));
    assert_eq!(openssl_writes(&rings, b"out"), 3);
    assert_eq!((rings.out_data(), rings.out_free()), (&b"out"[..], 7));
    rings.consume_out(3);
    assert!(rings.is_reusable());
}

#[test]
fn an_empty_ring_can_be_tried_again_until_it_is_closed() {
    let mut rings = rings(10);
    assert_eq!(openssl_reads(&rings, 5), Err(-1));
    assert!(may_retry(&rings) && !is_at_end(&rings));
    assert_eq!(rings.read_request(), 5);
    rings.in_space()[..1].copy_from_slice(b"x");
    rings.commit_in(1);
    assert_eq!(rings.read_request(), 0);
    rings.close_in();
    assert!(rings.in_space().is_empty());
    assert!(!is_at_end(&rings));
    assert_eq!(openssl_reads(&rings, 5), Ok(b"x".to_vec()));
    assert_eq!(openssl_reads(&rings, 5), Ok(Vec::new()));
    assert!(!may_retry(&rings) && is_at_end(&rings));
    assert!(!rings.is_reusable());
}

#[test]
fn a_full_ring_can_be_tried_again() {
    let mut rings = rings(4);
    assert_eq!(openssl_writes(&rings, b"abcdef"), 4);
    assert_eq!(openssl_writes(&rings, b"ef"), -1);
    assert!(may_retry(&rings));
    rings.consume_out(4);
    assert_eq!(openssl_writes(&rings, b"ef"), 2);
    assert!(!may_retry(&rings));
}

#[test]
fn the_rings_live_as_long_as_either_side() {
    let rings = rings(10);
    let bio = rings.share();
    openssl_writes(&rings, b"out");
    drop(rings);
    // SAFETY: the reference is ours, and there is one readable byte.
    let written = unsafe { openssl_sys::BIO_write(bio, b"b".as_ptr().cast(), 1) };
    assert_eq!(written, 1);
    // SAFETY: it is given back once.
    unsafe { ffi::BIO_free(bio) };
}

#[test]
fn rings_that_saw_end_of_file_are_not_used_again() {
    let mut rings = rings(10);
    openssl_writes(&rings, b"x");
    assert!(!rings.is_reusable());
    rings.consume_out(1);
    assert!(rings.is_reusable());
    rings.write_in(b"x");
    assert!(!rings.is_reusable());
    assert_eq!(rings.take_unread(), b"x");
    assert!(rings.is_reusable());
    rings.close_in();
    assert!(!rings.is_reusable());
}

#[test]
fn a_pair_takes_over_what_is_in_the_rings() {
    let mut rings = rings(4);
    // Both contents go around the end of their rings.
    for _ in 0..3 {
        assert_eq!(rings.write_in(b"abc"), 3);
        assert_eq!(openssl_reads(&rings, 2), Ok(b"ab".to_vec()));
        assert_eq!(openssl_reads(&rings, 2), Ok(b"c".to_vec()));
    }
    assert_eq!(rings.write_in(b"xyz"), 3);
    assert_eq!(openssl_reads(&rings, 2), Ok(b"xy".to_vec()));
    assert_eq!(rings.write_in(b"12"), 2);
    assert_eq!(openssl_writes(&rings, b"abcd"), 4);
    rings.consume_out(3);
    assert_eq!(openssl_writes(&rings, b"ef"), 2);
    rings.close_in();
    let mut pair = super::super::Rings::Memory(rings)
        .into_pair(true)
        .expect("memory");
    assert_eq!(pair.sizes().incoming, 4);
    assert!(pair.is_in_closed());
    assert_eq!(pair.take_unread(), b"z12");
    let mut out = Vec::new();
    while !pair.out_data().is_empty() {
        out.push(pair.out_data()[0]);
        pair.consume_out(1);
    }
    assert_eq!(out, b"def");
}
