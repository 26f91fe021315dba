//! Serving: many connections, limits, panics, listeners of other kinds.

use crate::support::{EVER, ask, echo, rest, run, start, until};
use greenling::net::{TcpListener, TcpStream, UnixListener};
use greenling::server::{Balance, Connection, Limits, Listener, Server, serve};
use greenling::time::sleep;
use greenling::{Shutdown, TaskletExit, schedule, spawn};
use greenling_tls::{ContextBuilder, TlsListener, TlsStream, crypto};
use std::cell::{Cell, RefCell};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{self, Shutdown as HalfClose, SocketAddr};
use std::os::unix::net as unix;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tests::{isolated, logs};

/// How many connections there are at a time, and were at most.
#[derive(Default)]
struct Crowd(AtomicUsize, AtomicUsize);

impl Crowd {
    fn enter(&self) {
        let now = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        self.1.fetch_max(now, Ordering::SeqCst);
    }

    fn leave(&self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }

    fn most(&self) -> usize {
        self.1.load(Ordering::SeqCst)
    }
}

/// So many clients, 1000 at a time; returns how many were answered.
fn clients(address: SocketAddr, count: usize) -> usize {
    greenling::enter(|| {
        let mut answered = 0;
        for _ in 0..count.div_ceil(1000) {
            let client = move || {
                let mut stream = TcpStream::connect(address).unwrap();
                let mut answer = String::new();
                stream.read_to_string(&mut answer).unwrap();
                answer == "served"
            };
            let clients: Vec<_> = (0..count.min(1000)).map(|_| spawn(client)).collect();
            let answers = clients.into_iter().map(|client| client.join().unwrap());
            answered += answers.filter(|&answered| answered).count();
        }
        answered
    })
}

fn ten_at_a_time(balance: Balance, workers: usize) {
    let crowd = Arc::new(Crowd::default());
    let inside = crowd.clone();
    let server = start(
        |server| server.workers(workers).balance(balance).max_connections(10),
        move |mut stream, _, _| {
            inside.enter();
            // Time for others to come in, if they may.
            (0..30).for_each(|_| schedule());
            let written = stream.write_all(b"served");
            inside.leave();
            written
        },
    );
    assert_eq!(clients(server.address(), 10_000), 10_000);
    let report = server.stop();
    assert_eq!(report.total.finished, 10_000);
    assert!(crowd.most() <= 10, "{} at a time", crowd.most());
}

#[test]
fn ten_thousand_are_served_ten_at_a_time() {
    ten_at_a_time(Balance::ReusePort, 2);
}

#[test]
fn ten_thousand_are_dealt_out_ten_at_a_time() {
    ten_at_a_time(Balance::Acceptor, 2);
}

#[test]
fn workers_with_one_queue_and_several_listeners_lose_no_places() {
    // Not sharing their ports, so that all workers accept from the same queue.
    let listeners = [(); 2].map(|()| net::TcpListener::bind("127.0.0.1:0").unwrap());
    let server = start(
        |server| {
            let server = server.workers(2).max_connections(2);
            let [first, second] = listeners;
            server.listener(first).unwrap().listener(second).unwrap()
        },
        |stream, _, connection| echo(stream, connection),
    );
    let [_, first, second] = server.handle.addresses() else {
        panic!("three addresses");
    };
    let connect = |address: &SocketAddr| net::TcpStream::connect(address).unwrap();
    for _ in 0..200 {
        let (mut one, mut other) = (connect(first), connect(second));
        assert_eq!(ask(&mut one, b"one").unwrap(), b"one");
        assert_eq!(ask(&mut other, b"other").unwrap(), b"other");
    }
    assert_eq!(server.stop().total.panicked, 0);
}

/// A listener that can't tell whether somebody connects.
struct Blunt(TcpListener);

impl Listener for Blunt {
    type Stream = TcpStream;
    type Address = SocketAddr;

    fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        self.0.accept()
    }
}

#[test]
fn listeners_that_can_not_tell_who_waits_are_served_and_stopped_as_well() {
    let server = Server::new().workers(1).drain_limit(EVER).kill_limit(EVER);
    let server = server.max_connections(2).bind("127.0.0.1:0").unwrap();
    let server = server.bind("127.0.0.1:0").unwrap();
    let server = run(server.handle(), move || {
        let handler = |stream, _, connection: &Connection| echo(stream, connection);
        server.run_with(|listener| Ok(Blunt(listener)), handler)
    });
    for address in server.handle.addresses() {
        let mut client = net::TcpStream::connect(address).unwrap();
        assert_eq!(ask(&mut client, b"in").unwrap(), b"in");
    }
    assert_eq!(server.stop().total.finished, 2);
}

#[test]
fn a_server_that_listens_nowhere_says_so() {
    for balance in [Balance::ReusePort, Balance::Acceptor] {
        let server = Server::new().workers(1).balance(balance);
        let error = server.run(|_, _, _| {}).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("bind"), "{error}");
    }
}

#[test]
fn listeners_share_the_places_whoever_is_connected_to() {
    for balance in [Balance::ReusePort, Balance::Acceptor] {
        let server = start(
            |server| {
                let server = server.balance(balance).max_connections(1);
                let server = server.bind("127.0.0.1:0").unwrap();
                server.bind("[::1]:0").unwrap()
            },
            |stream, _, connection| echo(stream, connection),
        );
        let connect = |address: &SocketAddr| net::TcpStream::connect(address).unwrap();
        for address in server.handle.addresses() {
            let mut inside = connect(address);
            assert_eq!(ask(&mut inside, b"in").unwrap(), b"in");
            let waiting: Vec<_> = server.handle.addresses().iter().map(connect).collect();
            for mut stream in &waiting {
                stream.write_all(b"out").unwrap();
                stream.shutdown(HalfClose::Write).unwrap();
            }
            // The one inside is served all along, and nobody else is even accepted.
            let accepted = server.handle.report().total.accepted;
            for _ in 0..50 {
                assert_eq!(ask(&mut inside, b"in").unwrap(), b"in");
            }
            assert_eq!(server.handle.report().total.accepted, accepted);
            drop(inside);
            for mut stream in waiting {
                let mut answer = [0; 3];
                stream.read_exact(&mut answer).unwrap();
                assert_eq!(&answer, b"out");
            }
        }
        assert_eq!(server.stop().total.finished, 12);
    }
}

#[test]
fn the_excess_waits_in_the_kernel_until_a_place_is_free() {
    for balance in [Balance::ReusePort, Balance::Acceptor] {
        let server = start(
            |server| server.balance(balance).max_connections(2),
            |stream, _, connection| echo(stream, connection),
        );
        let mut inside = [server.connect(), server.connect()];
        for stream in &mut inside {
            assert_eq!(ask(stream, b"in").unwrap(), b"in");
        }
        // Connected, as far as the kernel is concerned.
        let mut third = server.connect();
        third.write_all(b"ok").unwrap();
        assert_eq!(ask(&mut inside[0], b"still").unwrap(), b"still");
        assert_eq!(server.handle.report().total.accepted, 2);
        let [first, second] = inside;
        drop(first);
        let mut answer = [0; 2];
        third.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"ok");
        drop((second, third));
        let report = server.stop();
        assert_eq!((report.total.accepted, report.total.finished), (3, 3));
    }
}

#[test]
fn a_panic_is_logged_and_costs_nobody_else_anything() {
    let server = start(
        |server| server,
        |mut stream, _, connection| {
            let mut request = [0; 1];
            while stream.read(&mut request)? == 1 {
                match &request {
                    b"p" => panic!("asked to"),
                    b"k" => resume_unwind(Box::new(TaskletExit)),
                    _ => stream.write_all(&request)?,
                }
            }
            assert_eq!(connection.worker(), 0);
            Ok::<(), std::io::Error>(())
        },
    );
    let mut good = server.connect();
    assert_eq!(ask(&mut good, b"a").unwrap(), b"a");
    for request in [b"p", b"k"] {
        let mut bad = server.connect();
        bad.write_all(request).unwrap();
        assert_eq!(rest(&mut bad), "");
    }
    assert_eq!(ask(&mut good, b"b").unwrap(), b"b");
    drop(good);
    let report = server.stop().total;
    assert_eq!((report.panicked, report.killed, report.finished), (1, 1, 1));
}

#[test]
fn the_log_says_whose_handler_panicked_and_with_what() {
    isolated(|| {
        logs::keep();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = Shutdown::new();
        let stop = shutdown.clone();
        let client = spawn(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            let local = stream.local_addr().unwrap();
            stream.read_to_end(&mut Vec::new()).unwrap();
            stop.trigger();
            local
        });
        let panics = |_: TcpStream, _, _: &_| -> () { panic!("out of luck") };
        let report = serve(listener, &Limits::new(), &shutdown, panics).unwrap();
        assert_eq!(report.total.panicked, 1);
        let peer = client.join().unwrap();
        let line =
            format!("ERROR greenling: connection from {peer}: its handler panicked: out of luck");
        assert!(logs::take().contains(&line));
    });
}

#[test]
fn a_connection_lasts_no_longer_than_its_limit() {
    let server = start(
        |server| server.connection_timeout(Duration::from_millis(20)),
        |mut stream, _, _| {
            let error = stream.read(&mut [0]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            // There is no time left for other waits either.
            sleep(EVER);
            stream.write_all(b"too late")
        },
    );
    assert_eq!(rest(&mut server.connect()), "too late");
    assert_eq!(server.stop().total.finished, 1);
}

#[test]
fn several_addresses_are_served_by_one_server() {
    for balance in [Balance::ReusePort, Balance::Acceptor] {
        let given = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let server = start(
            |server| {
                let server = server.bind("[::1]:0").unwrap().listener(given).unwrap();
                // Each listener has one place to accept into.
                server.workers(2).balance(balance).max_connections(6)
            },
            |stream, _, connection| echo(stream, connection),
        );
        let addresses = server.handle.addresses().to_vec();
        assert_eq!(addresses.len(), 3);
        for address in addresses {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            assert_eq!(ask(&mut stream, b"hello").unwrap(), b"hello");
        }
        until(|| server.handle.report().total.finished == 3);
        assert_eq!(server.stop().total.accepted, 3);
    }
}

#[test]
fn an_address_in_use_is_an_error_also_if_it_shares_its_port() {
    let server = Server::new().bind("127.0.0.1:0").unwrap();
    let address = server.handle().addresses()[0];
    let error = Server::new().bind(address).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    drop(server);
    drop(Server::new().bind(address).unwrap());
}

#[test]
fn a_listener_that_can_not_be_made_stops_the_whole_server() {
    let server = Server::new().workers(3);
    let handle = server.handle();
    let server = run(handle, move || {
        server.run_on(
            |index| match index {
                1 => Err(std::io::Error::other("not for worker 1")),
                _ => TcpListener::bind("127.0.0.1:0"),
            },
            |_, _, _| (),
        )
    });
    let error = server.result().unwrap_err();
    assert_eq!(error.to_string(), "not for worker 1");
}

#[test]
fn a_worker_that_panics_stops_the_whole_server() {
    let server = Server::new().workers(3);
    let handle = server.handle();
    let server = run(handle, move || {
        server.run_on(
            |index| {
                assert_ne!(index, 2, "worker 2 has had enough");
                TcpListener::bind("127.0.0.1:0")
            },
            |_, _, _| (),
        )
    });
    let error = server.result().unwrap_err();
    assert_eq!(error.to_string(), "worker 2 panicked");
}

#[test]
fn unix_sockets_are_served() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let shared = unix::UnixListener::bind(&path).unwrap();
    let server = Server::new().workers(2);
    let server = run(server.handle(), move || {
        server.run_on(
            move |_| UnixListener::from_std(shared.try_clone()?),
            |mut stream, _, connection| {
                let mut buffer = [0; 16];
                while let Some(count) = connection.idle(|| stream.read(&mut buffer))? {
                    if count == 0 {
                        break;
                    }
                    stream.write_all(&buffer[..count])?;
                }
                Ok::<(), std::io::Error>(())
            },
        )
    });
    for _ in 0..20 {
        let mut stream = unix::UnixStream::connect(&path).unwrap();
        stream.write_all(b"by path").unwrap();
        let mut answer = [0; 7];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"by path");
    }
    until(|| server.handle.report().total.finished == 20);
    assert_eq!(server.stop().total.accepted, 20);
}

#[test]
fn tls_listeners_are_served_and_idle_streams_say_goodbye() {
    let ca = crypto::TestCa::new("tests").unwrap();
    let identity = ca.issue(&["localhost"]).unwrap();
    let context = ContextBuilder::server().identity(identity).build().unwrap();
    let server = Server::new()
        .workers(2)
        .drain_limit(EVER)
        .bind("127.0.0.1:0")
        .unwrap();
    let handle = server.handle();
    let server = run(handle, move || {
        server.run_with(
            move |tcp| TlsListener::from_tcp(tcp, &context),
            |mut stream, _, connection| {
                let mut buffer = [0; 16];
                while let Some(count) = connection.idle(|| stream.read(&mut buffer))? {
                    stream.write_all(&buffer[..count])?;
                }
                stream.close()?;
                Ok::<(), std::io::Error>(())
            },
        )
    });
    let address = server.address();
    let root = ca.root_pem().unwrap();
    let stop = server.handle.clone();
    isolated(move || {
        let context = ContextBuilder::client().trust_pem(root).build().unwrap();
        let tcp = TcpStream::connect(address).unwrap();
        let mut stream = TlsStream::connect(&context, "localhost", tcp).unwrap();
        stream.write_all(b"hello").unwrap();
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"hello");
        stop.stop();
        // The end of the stream and not its truncation.
        assert_eq!(stream.read(&mut answer).unwrap(), 0);
    });
    assert_eq!(server.end().total.finished, 1);
}

#[test]
fn a_listeners_errors_are_waited_for() {
    struct Moody(TcpListener, Cell<u32>);
    impl greenling::server::Listener for Moody {
        type Stream = TcpStream;
        type Address = SocketAddr;
        fn accept(&self) -> std::io::Result<(TcpStream, SocketAddr)> {
            self.1.set(self.1.get() + 1);
            if self.1.get() < 3 {
                return Err(std::io::Error::other("not in the mood"));
            }
            self.0.accept()
        }
    }
    isolated(|| {
        logs::keep();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = Shutdown::new();
        let stop = shutdown.clone();
        let text = Rc::new(RefCell::new(String::new()));
        let answer = text.clone();
        spawn(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.read_to_string(&mut answer.borrow_mut()).unwrap();
            stop.trigger();
        });
        let moody = Moody(listener, Cell::new(0));
        let hello = |mut stream: TcpStream, _, _: &_| stream.write_all(b"hello");
        serve(moody, &Limits::new(), &shutdown, hello).unwrap();
        assert_eq!(*text.borrow(), "hello");
        let mut lines = logs::take();
        lines.retain(|line| line.contains("no connection can be accepted"));
        assert_eq!(lines.len(), 2, "{lines:?}");
    });
}

#[test]
fn a_listener_that_panics_stops_the_server() {
    struct Broken;
    impl greenling::server::Listener for Broken {
        type Stream = TcpStream;
        type Address = SocketAddr;
        fn accept(&self) -> std::io::Result<(TcpStream, SocketAddr)> {
            panic!("out of order")
        }
    }
    isolated(|| {
        let shutdown = Shutdown::new();
        let error = serve(Broken, &Limits::new(), &shutdown, |_, _, _| ()).unwrap_err();
        assert!(error.to_string().contains("out of order"), "{error}");
        assert!(shutdown.is_triggered());
    });
}
