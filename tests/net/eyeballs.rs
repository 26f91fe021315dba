//! Connecting to one of several addresses.

use greenling::net::{TcpListener, TcpStream};
use greenling::time::timeout;
use greenling::{enter, schedule, spawn};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tests::isolated;
use tests::process::{alone, open_descriptors};
use tests::sockets::{Deaf, listener};

fn refusing() -> SocketAddr {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    gone.local_addr().unwrap()
}

#[test]
fn a_silent_address_is_overtaken_and_its_attempt_closed() {
    alone(
        "eyeballs::a_silent_address_is_overtaken_and_its_attempt_closed",
        || {
            enter(|| {
                let (deaf, listener) = (Deaf::new(), listener());
                let address = listener.local_addr().unwrap();
                let before = open_descriptors();
                // No attempt of the kernel's own would end for minutes.
                let stream = TcpStream::connect([deaf.address(), address]).unwrap();
                assert_eq!(stream.peer_addr().unwrap(), address);
                assert_eq!(open_descriptors(), before + 1, "losers are left open");
            });
        },
    );
}

#[test]
fn a_failure_starts_the_next_attempt_at_once() {
    isolated(|| {
        let listener = listener();
        let address = listener.local_addr().unwrap();
        // With the usual pauses, these would take 100 seconds.
        let mut addresses = vec![refusing(); 400];
        addresses.push(address);
        let limit = Instant::now() + Duration::from_secs(60);
        let stream = TcpStream::connect_deadline(addresses, limit).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
    });
}

#[test]
fn all_attempts_that_fail_are_an_error() {
    isolated(|| {
        let six: SocketAddr = "[::1]:1".parse().unwrap();
        let error = TcpStream::connect([refusing(), six, refusing()]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn the_other_family_is_taken_when_the_preferred_one_is_silent() {
    isolated(|| {
        let Ok(six) = TcpListener::bind("[::1]:0") else {
            return tests::tools::skip("eyeballs of two families", "no IPv6");
        };
        let deaf = Deaf::new();
        let address = six.local_addr().unwrap();
        // In turns: the third is tried second.
        let addresses = [deaf.address(), deaf.address(), address];
        let stream = TcpStream::connect(addresses).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
        let waiting = spawn(move || six.accept().map(|(_, peer)| peer));
        assert_eq!(
            waiting.join().unwrap().unwrap(),
            stream.local_addr().unwrap()
        );
    });
}

#[test]
fn a_deadline_holds_for_all_attempts_together() {
    alone(
        "eyeballs::a_deadline_holds_for_all_attempts_together",
        || {
            enter(|| {
                let deaf = Deaf::new();
                let all = [deaf.address(); 3];
                // The reactor has its own descriptors from now on.
                let _watched = listener();
                let before = open_descriptors();
                let deadline = Instant::now() + Duration::from_millis(20);
                let error = TcpStream::connect_deadline(all, deadline).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::TimedOut);
                // While two are in flight.
                let deadline = Instant::now() + Duration::from_millis(300);
                let error = TcpStream::connect_deadline(all, deadline).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::TimedOut);
                let elapsed = timeout(Duration::from_millis(20), || TcpStream::connect(all));
                let error = elapsed.unwrap_err().into_inner().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::TimedOut);
                assert_eq!(open_descriptors(), before);
            });
        },
    );
}

#[test]
fn a_pause_between_attempts_does_not_mark_a_scope_as_expired() {
    isolated(|| {
        let (deaf, listener) = (Deaf::new(), listener());
        let address = listener.local_addr().unwrap();
        let connected = timeout(Duration::from_secs(60), || {
            TcpStream::connect([deaf.address(), address])
        });
        connected.expect("the scope has not expired").unwrap();
    });
}

#[test]
fn a_throw_ends_attempts_in_flight() {
    isolated(|| {
        let deaf = Deaf::new();
        let all = [deaf.address(); 2];
        let connecting = spawn(move || TcpStream::connect(all).unwrap_err());
        schedule();
        connecting.tasklet().throw("enough").unwrap();
        let error = connecting.join().unwrap();
        assert!(error.to_string().contains("enough"), "{error}");
    });
}

#[test]
fn a_shortage_of_descriptors_is_the_error() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    alone("eyeballs::a_shortage_of_descriptors_is_the_error", || {
        enter(|| {
            let listener = listener();
            let address = listener.local_addr().unwrap();
            let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
            let mut files = Vec::new();
            setrlimit(
                Resource::RLIMIT_NOFILE,
                open_descriptors() as u64 + 40,
                hard,
            )
            .unwrap();
            while let Ok(file) = std::fs::File::open("/dev/null") {
                files.push(file);
            }
            // Two for the selector and one for an attempt. Nor is anything left
            // behind, however far it comes.
            for free in 0..5 {
                let connected = TcpStream::connect([refusing_without(&mut files), address]);
                assert_eq!(connected.is_ok(), free >= 3, "{free}: {connected:?}");
                drop(connected);
                files.pop();
            }
        });
    });

    /// An address that refuses, found while one descriptor is free.
    fn refusing_without(files: &mut Vec<std::fs::File>) -> SocketAddr {
        drop(files.pop());
        let address = refusing();
        files.push(std::fs::File::open("/dev/null").unwrap());
        address
    }
}
