//! Descriptors run out: `accept` pauses and goes on, and does not spin.

use greenling::inspect::polls;
use greenling::net::{TcpListener, TcpStream};
use greenling::time::{sleep, timeout};
use greenling::{enter, schedule, spawn};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use socket2::{Domain, Socket, Type};
use std::cell::Cell;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net;
use std::rc::Rc;
use std::time::Duration;
use tests::logs;
use tests::process::{alone, open_descriptors};

/// Opens files until no descriptor is left.
fn use_up_descriptors() -> Vec<File> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    let soft = open_descriptors() as u64 + 40;
    setrlimit(Resource::RLIMIT_NOFILE, soft, hard).unwrap();
    let mut files = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        files.push(file);
    }
    files
}

/// What of the log concerns the pauses of `accept`.
fn warnings() -> Vec<String> {
    let mut lines = logs::take();
    lines.retain(|line| line.starts_with("WARN") && line.contains("accept"));
    lines
}

/// A listener with a queued connection that can't be accepted: all descriptors
/// are in use.
fn starving_listener() -> (Rc<TcpListener>, net::TcpStream, Vec<File>) {
    let listener = tests::sockets::listener();
    let client = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let files = use_up_descriptors();
    (Rc::new(listener), client, files)
}

#[test]
fn accept_outlives_a_shortage_without_spinning() {
    alone(
        "shortage::accept_outlives_a_shortage_without_spinning",
        || {
            logs::keep();
            enter(|| {
                let (listener, mut client, files) = starving_listener();
                let accepting = listener.clone();
                let acceptor = spawn(move || accepting.accept());
                let before = polls();
                sleep(Duration::from_millis(300));
                assert!(!acceptor.is_finished());
                // Pauses of 10, 20, 40, 80 and 160 ms, and one warning.
                assert_eq!(warnings().len(), 1);
                let polled = polls() - before;
                assert!(polled <= 20, "{polled} polls");
                drop(files);
                let (mut served, _) = acceptor.join().unwrap().unwrap();
                served.write_all(b"late").unwrap();
                drop(served);
                let mut text = String::new();
                client.read_to_string(&mut text).unwrap();
                assert_eq!(text, "late");
            });
        },
    );
}

#[test]
fn a_shortage_that_nobody_meets_wakes_nobody() {
    alone(
        "shortage::a_shortage_that_nobody_meets_wakes_nobody",
        || {
            logs::keep();
            enter(|| {
                let listener = Rc::new(tests::sockets::listener());
                let address = listener.local_addr().unwrap();
                let clients =
                    [(); 2].map(|()| Socket::new(Domain::IPV4, Type::STREAM, None).unwrap());
                let mut files = use_up_descriptors();
                let served = Rc::new(Cell::new(0));
                let (accepting, counting) = (listener.clone(), served.clone());
                let acceptor = spawn(move || {
                    [(); 2].map(|()| {
                        let (stream, _) = accepting.accept().unwrap();
                        counting.set(counting.get() + 1);
                        stream
                    })
                });
                schedule();
                let before = polls();
                sleep(Duration::from_millis(300));
                assert_eq!(warnings(), [""; 0]);
                // Those of this sleep.
                let polled = polls() - before;
                assert!(polled <= 3, "{polled} polls");
                // The first that comes meets it.
                clients[0].connect(&address.into()).unwrap();
                sleep(Duration::from_millis(100));
                assert_eq!(warnings().len(), 1);
                // It gets a descriptor, and the second one meets the next shortage.
                files.pop();
                while served.get() == 0 {
                    sleep(Duration::from_millis(5));
                }
                clients[1].connect(&address.into()).unwrap();
                sleep(Duration::from_millis(100));
                assert_eq!(warnings().len(), 1);
                drop(files);
                drop(acceptor.join().unwrap());
            });
        },
    );
}

#[test]
fn closing_ends_a_pause() {
    alone("shortage::closing_ends_a_pause", || {
        enter(|| {
            let (listener, _client, _files) = starving_listener();
            let acceptors = [listener.clone(), listener.clone()]
                .map(|listener| spawn(move || listener.accept().map(drop)));
            schedule();
            listener.close();
            for acceptor in acceptors {
                let error = acceptor.join().unwrap().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
            }
        });
    });
}

#[test]
fn scopes_and_kills_end_a_pause() {
    alone("shortage::scopes_and_kills_end_a_pause", || {
        enter(|| {
            let (listener, _client, files) = starving_listener();
            let elapsed = timeout(Duration::from_millis(35), || listener.accept().map(drop));
            let error = elapsed.unwrap_err().into_inner().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            let accepting = listener.clone();
            let acceptor = spawn(move || accepting.accept().map(drop));
            schedule();
            acceptor.tasklet().kill().unwrap();
            assert!(acceptor.join().unwrap_err().is_killed());
            // The connection is still there.
            drop(files);
            listener.accept().unwrap();
        });
    });
}

#[test]
fn connecting_and_binding_report_a_shortage_at_once() {
    alone(
        "shortage::connecting_and_binding_report_a_shortage_at_once",
        || {
            enter(|| {
                let (listener, _client, files) = starving_listener();
                let address = listener.local_addr().unwrap();
                let is_shortage = |error: std::io::Error| error.raw_os_error() == Some(24);
                assert!(is_shortage(TcpStream::connect(address).unwrap_err()));
                assert!(is_shortage(TcpListener::bind("127.0.0.1:0").unwrap_err()));
                drop(files);
                drop(TcpStream::connect(address).unwrap());
            });
        },
    );
}

#[test]
fn a_thread_that_can_have_no_poller_says_so() {
    alone("shortage::a_thread_that_can_have_no_poller_says_so", || {
        enter(|| {
            let spare = net::TcpListener::bind("127.0.0.1:0").unwrap();
            let _files = use_up_descriptors();
            // No reactor could be made, so nothing can be watched or woken.
            TcpListener::from_std(spare).unwrap_err();
            greenling::offload(|| ()).unwrap_err();
            greenling::thread::remote().unwrap_err();
            // What needs no descriptor still works.
            assert_eq!(spawn(|| 7).join().unwrap(), 7);
            sleep(Duration::from_millis(1));
        });
    });
}
