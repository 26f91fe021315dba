//! How much memory OpenSSL holds for connections that wait.
//!
//! OpenSSL takes allocation functions of our own, which count what it asks for,
//! if it gets them before its first allocation. So this is a program of its own,
//! with one test.
//!
//! `GREENLING_IDLE_CONNECTIONS` says how many connections wait at once; ten
//! thousand are for release builds.
//!
//! ```sh
//! GREENLING_IDLE_CONNECTIONS=10000 cargo test --release -p greenling-tls --test footprint \
//!     -- --nocapture
//! ```

#![cfg(not(feature = "aws-lc"))]
#![allow(unsafe_code, reason = "gives OpenSSL other allocation functions")]

use std::ffi::{c_char, c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicIsize, Ordering};

use greenling_tls::crypto::TestCa;
use greenling_tls::{Context, ContextBuilder, Engine, EngineError, RingSizes, Version, Want};

static HELD: AtomicIsize = AtomicIsize::new(0);

/// Stands in front of each block and holds its size; as large as any alignment
/// that `malloc` guarantees.
const HEADER: usize = 16;

type Malloc = extern "C" fn(usize, *const c_char, c_int) -> *mut c_void;
type Realloc = extern "C" fn(*mut c_void, usize, *const c_char, c_int) -> *mut c_void;
type Free = extern "C" fn(*mut c_void, *const c_char, c_int);

unsafe extern "C" {
    fn CRYPTO_set_mem_functions(malloc: Malloc, realloc: Realloc, free: Free) -> c_int;
}

fn count(change: usize, sign: isize) {
    let change = isize::try_from(change).expect("sizes are small");
    HELD.fetch_add(sign * change, Ordering::Relaxed);
}

extern "C" fn counting_malloc(size: usize, _: *const c_char, _: c_int) -> *mut c_void {
    if size == 0 {
        return ptr::null_mut();
    }
    // SAFETY: any size is allowed.
    let block = unsafe { libc::malloc(size + HEADER) };
    label(block, size)
}

/// Writes the size into the block's header; the part behind it.
fn label(block: *mut c_void, size: usize) -> *mut c_void {
    if block.is_null() {
        return block;
    }
    count(size, 1);
    // SAFETY: the block is larger than its header, and aligned for any number.
    unsafe { block.cast::<usize>().write(size) };
    // SAFETY: inside the block.
    unsafe { block.byte_add(HEADER) }
}

/// The block that `label` made `data` of, and its size.
fn unlabel(data: *mut c_void) -> (*mut c_void, usize) {
    // SAFETY: OpenSSL gives back only what it got from us.
    let block = unsafe { data.byte_sub(HEADER) };
    // SAFETY: written by `label`.
    let size = unsafe { block.cast::<usize>().read() };
    (block, size)
}

extern "C" fn counting_realloc(
    data: *mut c_void,
    size: usize,
    file: *const c_char,
    line: c_int,
) -> *mut c_void {
    if data.is_null() {
        return counting_malloc(size, file, line);
    }
    if size == 0 {
        counting_free(data, file, line);
        return ptr::null_mut();
    }
    let (block, old) = unlabel(data);
    // SAFETY: the block came from `malloc`.
    let moved = unsafe { libc::realloc(block, size + HEADER) };
    if !moved.is_null() {
        count(old, -1);
    }
    label(moved, size)
}

extern "C" fn counting_free(data: *mut c_void, _: *const c_char, _: c_int) {
    if data.is_null() {
        return;
    }
    let (block, size) = unlabel(data);
    count(size, -1);
    // SAFETY: the block came from `malloc` and OpenSSL gives it back once.
    unsafe { libc::free(block) };
}

/// Bytes that OpenSSL holds now.
fn held() -> usize {
    usize::try_from(HELD.load(Ordering::Relaxed)).expect("no more is freed than was taken")
}

const NAME: &str = "localhost";

fn contexts(ca: &TestCa, group: &str) -> Option<(Context, Context)> {
    let server = ContextBuilder::server()
        .versions(Version::Tls12..=Version::Tls13)
        .groups(group)
        .identity(ca.issue(&[NAME]).expect("certificate"));
    let client = ContextBuilder::client()
        .groups(group)
        .trust_pem(ca.root_pem().expect("PEM"));
    // Older libraries do not know every group.
    Some((server.build().ok()?, client.build().ok()?))
}

/// Moves everything one way.
fn carry(from: &mut Engine, to: &mut Engine) {
    loop {
        let n = to.feed(from.out_data());
        from.consume_out(n);
        if n == 0 {
            break;
        }
    }
}

/// An established connection that has carried 16 KiB each way, with nothing under
/// way: the server's side. The client is gone.
fn waiting_server((server, client): &(Context, Context)) -> Engine {
    let mut server = Engine::new(server, None, RingSizes::default()).expect("engine");
    let mut client = Engine::new(client, Some(NAME), RingSizes::default()).expect("engine");
    while !(server.is_established() && client.is_established()) {
        for engine in [&mut client, &mut server] {
            let result = engine.handshake();
            assert!(matches!(
                result,
                Ok(()) | Err(EngineError::Want(Want::Read))
            ));
        }
        carry(&mut client, &mut server);
        carry(&mut server, &mut client);
    }
    let mut buf = vec![0; 16 * 1024];
    for _ in 0..2 {
        server.write(&buf).expect("write");
        client.write(&buf).expect("write");
        carry(&mut client, &mut server);
        carry(&mut server, &mut client);
        for engine in [&mut server, &mut client] {
            assert_eq!(engine.read(&mut buf).expect("a record"), buf.len());
        }
    }
    assert!(server.read(&mut buf).is_err());
    server
}

/// Bytes for each connection that has given its rings back.
fn parked(contexts: &(Context, Context)) -> usize {
    const COUNT: usize = 20;
    // What is made once is made now.
    drop(waiting_server(contexts));
    let before = held();
    let mut servers: Vec<_> = (0..COUNT).map(|_| waiting_server(contexts)).collect();
    for server in &mut servers {
        assert!(server.park());
    }
    // Rings that were given back lie in a pool for all, which is full at that
    // size; it is the difference to having no connection that counts.
    let with = held();
    drop(servers);
    let without = held();
    assert!(without >= before);
    (with - without) / COUNT
}

/// The most that a waiting connection may hold, by library and group.
fn limits() -> &'static [(&'static str, usize)] {
    match openssl::version::number() {
        0x3000_0000..0x3010_0000 => &[("X25519", 13_500), ("P-256", 16_200)],
        0x3050_0000..0x4000_0000 => &[
            ("X25519", 22_000),
            ("P-256", 25_500),
            ("X25519MLKEM768", 28_500),
        ],
        _ => &[],
    }
}

#[test]
fn a_waiting_connection_holds_little_memory() {
    // SAFETY: nothing of OpenSSL has run yet in this process, and the functions do
    // what its own do.
    let set = unsafe { CRYPTO_set_mem_functions(counting_malloc, counting_realloc, counting_free) };
    assert_eq!(set, 1, "OpenSSL has allocated something already");
    let ca = TestCa::new("footprint").expect("test CA");
    println!("{}", openssl::version::version());
    for group in ["X25519", "P-256", "X25519MLKEM768"] {
        let Some(contexts) = contexts(&ca, group) else {
            assert!(limits().iter().all(|(name, _)| *name != group), "{group}");
            continue;
        };
        let bytes = parked(&contexts);
        println!("{group}: {bytes} bytes for each connection that waits");
        if let Some((_, limit)) = limits().iter().find(|(name, _)| *name == group) {
            assert!(bytes <= *limit, "{group}: {bytes} bytes, not {limit}");
        }
    }
    #[cfg(feature = "greenling")]
    crowd::waits(&contexts(&ca, "X25519").expect("contexts"));
}

/// Many connections whose tasklets wait for their peers.
#[cfg(feature = "greenling")]
mod crowd {
    use std::io::{self, ErrorKind, Read};
    use std::net::Shutdown;
    use std::rc::Rc;
    use std::time::Instant;

    use greenling::sync::WaitQueue;
    use greenling::{WaitReason, schedule, spawn};
    use greenling_tls::{Context, Interest, Ready, TlsStream, Transport};

    use super::{held, parked, waiting_server};

    /// How many of those that wait for the first time keep their rings, and how many
    /// rings are kept for the next ones (`tls/src/idle.rs`, `tls/src/ring.rs`).
    const PLUGGED: usize = 32;
    const POOLED: usize = 64;

    /// A pair of rings, and the buffers that OpenSSL fills from them.
    const RINGS: usize = 36_000;
    const BUFFERS: usize = 34_000;

    static SILENCE: WaitReason = WaitReason::new("test: a peer that says nothing");

    /// A transport on which nothing ever comes.
    struct Silent(WaitQueue);

    impl Transport for Silent {
        const MAY_SUSPEND: bool = false;

        fn try_recv(&self, _: &mut [u8]) -> io::Result<usize> {
            Err(ErrorKind::WouldBlock.into())
        }

        fn try_send(&self, data: &[u8]) -> io::Result<usize> {
            Ok(data.len())
        }

        fn wait(&self, _: Interest, deadline: Option<Instant>) -> io::Result<Ready> {
            self.0.wait(&SILENCE, deadline)?;
            Ok(Ready::default())
        }

        fn shutdown(&self, _: Shutdown) -> io::Result<()> {
            Ok(())
        }
    }

    pub(super) fn waits(contexts: &(Context, Context)) {
        let count = std::env::var("GREENLING_IDLE_CONNECTIONS");
        let count: usize = count.map_or(300, |n| n.parse().expect("a number"));
        let each = parked(contexts);
        let contexts = Rc::new(contexts.clone());
        greenling::enter(move || {
            let before = held();
            for _ in 0..count {
                let server = waiting_server(&contexts);
                let stream = TlsStream::from_engine(server, Silent(WaitQueue::new()));
                spawn(move || (&stream).read(&mut [0; 1]).map(drop));
                schedule();
            }
            let bytes = held() - before;
            let average = bytes / count;
            println!("{count} that wait at once: {average} bytes each on average");
            let most = count * each + PLUGGED * (RINGS + BUFFERS) + POOLED * RINGS;
            assert!(bytes <= most, "{bytes} bytes, not {most}");
            // Of many, those that keep their rings are few.
            let many = count >= 10_000 && openssl::version::number() < 0x3010_0000;
            assert!(!many || average <= 16 * 1024, "{average}");
        });
    }
}
