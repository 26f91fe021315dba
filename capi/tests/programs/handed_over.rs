//! Contexts and connections that a Rust program hands to C code.

use std::ffi::{CString, c_char, c_int, c_void};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use greenling_tls::capi::{self, RawConnection, RawContext, Table};
use greenling_tls::{Alert, ClientHello, Context, ContextBuilder, Engine, RingSizes, TlsStream};

use crate::build::{AMOUNT, Fixture, echo, fixture};

/// `echo_for_rust` in table.c.
type EchoForRust =
    unsafe extern "C" fn(*const Table, *mut RawContext, *mut RawConnection, c_int) -> c_int;

fn load(fixture: &Fixture) -> EchoForRust {
    let path = fixture.shared_object();
    let path = CString::new(path.as_os_str().as_bytes()).expect("path");
    // SAFETY: the object has no initialisers.
    let object = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW) };
    assert!(!object.is_null(), "{path:?}");
    let name: *const c_char = c"echo_for_rust".as_ptr();
    // SAFETY: the object stays loaded for ever.
    let function = unsafe { libc::dlsym(object, name) };
    assert!(!function.is_null());
    // SAFETY: the function has this type, and is not null.
    unsafe { std::mem::transmute::<*mut c_void, EchoForRust>(function) }
}

/// Lets C code serve `near`; a thread is the client at `far`.
fn serve(fixture: &Fixture, server: Context, make: impl FnOnce(Engine) -> *mut RawConnection) {
    let function = load(fixture);
    let (_, client) = fixture.builders();
    let client = client.build().expect("context");
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let far = TcpStream::connect(listener.local_addr().expect("address")).expect("connect");
    let (near, _) = listener.accept().expect("accept");
    let peer = std::thread::spawn(move || {
        let mut stream = TlsStream::connect(&client, "localhost", far).expect("handshake");
        echo(&mut stream).expect("orderly end")
    });
    let engine = Engine::new(&server, None, RingSizes::default()).expect("engine");
    let connection = make(engine);
    let context = capi::context_into_raw(server);
    let table = capi::greenling_tls_api(capi::VERSION);
    // SAFETY: C code gets one reference to each, and the socket for the call.
    let status = unsafe { function(table, context, connection, near.as_raw_fd()) };
    assert_eq!(status, 0);
    assert_eq!(peer.join().expect("peer"), AMOUNT);
}

#[test]
fn c_code_makes_a_connection_of_a_rust_context() {
    if let Some(fixture) = fixture() {
        let (server, _) = fixture.builders();
        serve(fixture, server.build().expect("context"), |_| {
            ptr::null_mut()
        });
    }
}

#[test]
fn c_code_lets_rust_choose_the_context() {
    let Some(fixture) = fixture() else { return };
    let (chosen, _) = fixture.builders();
    let chosen = chosen.build().expect("context");
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let door = ContextBuilder::server()
        .resolver(move |hello: &ClientHello| {
            assert_eq!(hello.server_name(), Some("localhost"));
            count.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Alert>(chosen.clone())
        })
        .build()
        .expect("context");
    serve(fixture, door, |_| ptr::null_mut());
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[test]
fn c_code_goes_on_with_a_rust_connection() {
    if let Some(fixture) = fixture() {
        let (server, _) = fixture.builders();
        let server = server.build().expect("context");
        serve(fixture, server, capi::connection_into_raw);
    }
}

#[test]
fn what_was_handed_over_comes_back() {
    let Some(fixture) = fixture() else { return };
    let (_, client) = fixture.builders();
    let client = client.build().expect("context");
    let raw = capi::context_into_raw(client.clone());
    // SAFETY: the one reference from above.
    let back = unsafe { capi::context_from_raw(raw) };
    assert_eq!(back.role(), client.role());
    let mut engine = Engine::new(&back, Some("localhost"), RingSizes::default()).expect("engine");
    engine.handshake().expect_err("no peer");
    let hello = engine.out_pending();
    let raw = capi::connection_into_raw(engine);
    // SAFETY: nobody else has it.
    let engine = unsafe { capi::connection_from_raw(raw) };
    assert!(hello > 0);
    assert_eq!(engine.out_pending(), hello);
}
