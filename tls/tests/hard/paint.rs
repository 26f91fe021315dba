//! How much stack OpenSSL takes, from wherever it is called.
//!
//! A thread gets a stack that was painted before; where the paint has gone, the
//! thread has been.

use std::ffi::c_void;
use std::ptr;

use greenling_tls::{Context, ContextBuilder, Engine, RingSizes, Version};

use crate::support::{NAME, carry, contexts, rsa};

const SIZE: usize = 512 * 1024;
const PAGE: usize = 4096;
const PAINT: u8 = 0xa5;

/// Bytes of stack that a thread takes for `f`, and for itself.
fn stack_of<F: FnOnce() + Send>(f: F) -> usize {
    extern "C" fn run<F: FnOnce()>(f: *mut c_void) -> *mut c_void {
        // SAFETY: points to the `f` below, which is given to one thread, once.
        let f = unsafe { &mut *f.cast::<Option<F>>() };
        (f.take().expect("run once"))();
        ptr::null_mut()
    }

    let mut memory = vec![PAINT; SIZE + PAGE];
    let start = memory.as_ptr().align_offset(PAGE);
    let stack = memory[start..].as_mut_ptr();
    let mut f = Some(f);
    // SAFETY: plain data, which the next call initialises.
    let mut attributes = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is valid.
    assert_eq!(unsafe { libc::pthread_attr_init(&mut attributes) }, 0);
    // SAFETY: the memory is ours, and stays until the thread has been joined.
    let set = unsafe { libc::pthread_attr_setstack(&mut attributes, stack.cast(), SIZE) };
    assert_eq!(set, 0);
    let mut thread = 0;
    let argument = (&raw mut f).cast();
    // SAFETY: `run` takes a pointer to just this `f`.
    let made = unsafe { libc::pthread_create(&mut thread, &attributes, run::<F>, argument) };
    assert_eq!(made, 0);
    // SAFETY: joined once.
    assert_eq!(unsafe { libc::pthread_join(thread, ptr::null_mut()) }, 0);
    // SAFETY: initialised above and not needed any more.
    unsafe { libc::pthread_attr_destroy(&mut attributes) };
    let painted = memory[start..].iter().take_while(|byte| **byte == PAINT);
    let untouched = painted.count();
    assert!(untouched > 0, "the stack was too small");
    SIZE - untouched
}

/// A handshake, a record of the largest size each way, and the goodbyes.
fn session((server, client): &(Context, Context)) {
    let mut server = Engine::new(server, None, RingSizes::default()).expect("engine");
    let mut client = Engine::new(client, Some(NAME), RingSizes::default()).expect("engine");
    while !(server.is_established() && client.is_established()) {
        for engine in [&mut client, &mut server] {
            let _ = engine.handshake();
            assert!(engine.failure().is_none());
        }
        carry(&mut client, &mut server, usize::MAX);
        carry(&mut server, &mut client, usize::MAX);
    }
    let mut buf = vec![0; 16 * 1024];
    client.write(&buf).expect("write");
    server.write(&buf).expect("write");
    carry(&mut client, &mut server, usize::MAX);
    carry(&mut server, &mut client, usize::MAX);
    for engine in [&mut client, &mut server] {
        assert_eq!(engine.read(&mut buf).expect("read"), 16 * 1024);
        engine.shutdown().expect("goodbye");
    }
}

#[test]
#[cfg_attr(greenling_asan, ignore = "the sanitizer makes frames larger")]
#[cfg_attr(
    feature = "aws-lc",
    ignore = "AWS-LC takes 28 KB, on the stack of the thread"
)]
fn a_session_takes_no_more_than_sixteen_kilobytes_of_stack() {
    // Our own frames between OpenSSL's are larger when they are not optimised.
    let limit = if cfg!(debug_assertions) { 24 } else { 16 } * 1024;
    let identity = rsa();
    let pem = identity.chain_pem().expect("PEM");
    let rsa = |version| {
        let server = ContextBuilder::server().identity(identity.clone());
        let client = ContextBuilder::client().trust_pem(pem.clone());
        (
            server.versions(version..=version).build().expect("context"),
            client.versions(version..=version).build().expect("context"),
        )
    };
    let nothing = stack_of(|| {});
    for (what, contexts) in [
        ("P-256, TLS 1.3", contexts(Version::Tls13)),
        ("P-256, TLS 1.2", contexts(Version::Tls12)),
        ("RSA-2048, TLS 1.3", rsa(Version::Tls13)),
        ("RSA-2048, TLS 1.2", rsa(Version::Tls12)),
    ] {
        // What is loaded and linked once is not of interest.
        session(&contexts);
        let bytes = stack_of(|| session(&contexts)) - nothing;
        println!("{what}: {bytes} bytes of stack");
        assert!(bytes <= limit, "{what}: {bytes}");
    }
}
