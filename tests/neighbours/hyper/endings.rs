//! Cuts, kills, time limits, shutdowns.

use crate::pair::{KINDS, Kind, collect, connect, echo, serve_plain, whole};
use greenling::future::{self, Executor, Io, Timer};
use greenling::sync::Event;
use greenling::{block_on, schedule, spawn};
use hyper::Response;
use hyper::service::service_fn;
use std::cell::Cell;
use std::convert::Infallible;
use std::io::{Read, Write};
use std::rc::Rc;
use std::time::Duration;
use tests::isolated;
use tests::sockets::half_pair;

/// What an HTTP/2 client sends first: the preface, and empty SETTINGS.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// Lets others run until `main` is the only tasklet.
fn until_all_have_ended() {
    while greenling::inspect::tasklets().len() > 1 {
        greenling::time::sleep(Duration::from_micros(100));
    }
}

#[test]
fn a_connection_that_is_cut_in_the_middle_of_a_body() {
    isolated(|| {
        let (ours, mut theirs) = half_pair();
        let server = serve_plain(ours, false);
        theirs
            .write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
            .unwrap();
        let mut head = [0; 12];
        let reader = std::thread::spawn(move || {
            theirs.read_exact(&mut head).unwrap();
            drop(theirs);
            head
        });
        assert!(server.join().unwrap().is_err());
        assert_eq!(&reader.join().unwrap(), b"HTTP/1.1 200");
        until_all_have_ended();
    });
}

#[test]
fn a_connection_that_is_cut_under_many_streams() {
    for tls in [false, true] {
        isolated(move || {
            let begun = Rc::new(Cell::new(0));
            let counting = begun.clone();
            let connection = connect(Kind { tls, h2: true }, move |request: hyper::Request<_>| {
                counting.set(counting.get() + 1);
                async move {
                    let _held = request;
                    std::future::pending().await
                }
            });
            let tasks: Vec<_> = (0..20)
                .map(|_| {
                    let mut sender = connection.sender.another();
                    spawn(move || block_on(sender.send("/", Vec::new())).unwrap())
                })
                .collect();
            while begun.get() < 20 {
                schedule();
            }
            connection.socket.close();
            for task in tasks {
                assert!(task.join().unwrap().is_err());
            }
            // What hyper thinks of the end is its own affair; both do end.
            let _ = (
                connection.server.join().unwrap(),
                connection.client.join().unwrap(),
            );
            until_all_have_ended();
        });
    }
}

#[test]
fn a_killed_connection_takes_its_streams_along() {
    for kind in KINDS {
        isolated(move || {
            let event = Rc::new(Event::new());
            let begun = Rc::new(Cell::new(false));
            let (waiting, beginning) = (event.clone(), begun.clone());
            let connection = connect(kind, move |_request| {
                let waiting = waiting.clone();
                beginning.set(true);
                async move {
                    let work = future::spawn(move || waiting.wait()).unwrap();
                    let _ = work.kill_on_drop().await;
                    Response::new(whole("late"))
                }
            });
            let mut sender = connection.sender;
            let request = spawn(move || block_on(sender.send("/", Vec::new())).unwrap());
            while !begun.get() {
                schedule();
            }
            connection.server.tasklet().kill().unwrap();
            assert!(request.join().unwrap().is_err(), "{kind:?}");
            drop((connection.server, connection.client));
            until_all_have_ended();
            assert!(!event.is_set());
        });
    }
}

#[test]
fn a_client_that_says_nothing_runs_into_the_time_limit() {
    isolated(|| {
        let (ours, mut theirs) = half_pair();
        let server = spawn(move || {
            let service = service_fn(|request| async { Ok::<_, Infallible>(echo(request).await) });
            let mut builder = hyper::server::conn::http1::Builder::new();
            builder
                .timer(Timer)
                .header_read_timeout(Duration::from_millis(5));
            block_on(builder.serve_connection(Io::new(ours), service)).unwrap()
        });
        theirs.write_all(b"GET / HT").unwrap();
        assert!(server.join().unwrap().unwrap_err().is_timeout());
        drop(theirs);
    });
}

#[test]
fn a_client_that_leaves_pings_unanswered_is_left() {
    isolated(|| {
        let (ours, mut theirs) = half_pair();
        let server = spawn(move || {
            let service = service_fn(|request| async { Ok::<_, Infallible>(echo(request).await) });
            let mut builder = hyper::server::conn::http2::Builder::new(Executor);
            builder
                .timer(Timer)
                .keep_alive_interval(Duration::from_millis(5))
                .keep_alive_timeout(Duration::from_millis(20));
            block_on(builder.serve_connection(Io::new(ours), service)).unwrap()
        });
        theirs.write_all(PREFACE).unwrap();
        assert!(server.join().unwrap().unwrap_err().is_timeout());
        drop(theirs);
    });
}

#[test]
fn a_time_limit_around_a_connection() {
    isolated(|| {
        let (ours, theirs) = half_pair();
        let limited = greenling::time::timeout(Duration::from_millis(5), || {
            let service = service_fn(|request| async { Ok::<_, Infallible>(echo(request).await) });
            let builder = hyper::server::conn::http1::Builder::new();
            block_on(builder.serve_connection(Io::new(ours), service))
        });
        let ended = limited.unwrap_err().into_inner();
        assert!(matches!(ended, Err(greenling::WaitError::TimedOut)));
        drop(theirs);
    });
}

#[test]
fn a_graceful_shutdown_finishes_what_is_under_way() {
    for h2 in [false, true] {
        isolated(move || {
            let (ours, theirs) = tests::sockets::pair();
            let (stop, go_on) = (Rc::new(Event::new()), Rc::new(Event::new()));
            let (stopping, going_on) = (stop.clone(), go_on.clone());
            let service = move |_request| {
                let (stop, go_on) = (stopping.clone(), going_on.clone());
                async move {
                    stop.set();
                    let waiting = future::spawn(move || go_on.wait()).unwrap();
                    waiting.await.unwrap().unwrap();
                    Ok::<_, Infallible>(Response::new(whole("finished")))
                }
            };
            let server = spawn(move || serve_until(ours, h2, stop, go_on, service));
            let (mut sender, client) = crate::pair::fetch(theirs, h2);
            let answer = block_on(sender.send("/", Vec::new())).unwrap().unwrap();
            assert_eq!(block_on(collect(answer)).unwrap().unwrap(), "finished");
            server.join().unwrap().unwrap();
            client.join().unwrap().unwrap();
        });
    }
}

/// Serves until `stop` is set, says so to the connection, then sets `go_on`.
fn serve_until<F, A>(
    stream: greenling::net::TcpStream,
    h2: bool,
    stop: Rc<Event>,
    go_on: Rc<Event>,
    service: F,
) -> hyper::Result<()>
where
    F: Fn(hyper::Request<hyper::body::Incoming>) -> A + 'static,
    A: Future<Output = Result<Response<crate::pair::Content>, Infallible>> + 'static,
{
    let service = service_fn(service);
    let stopped = future::spawn(move || stop.wait()).unwrap();
    let mut stopped = Some(stopped);
    macro_rules! drive {
        ($connection:expr) => {{
            let mut connection = std::pin::pin!($connection);
            block_on(std::future::poll_fn(|context| {
                if let Some(waiting) = &mut stopped
                    && std::pin::Pin::new(waiting).poll(context).is_ready()
                {
                    stopped = None;
                    connection.as_mut().graceful_shutdown();
                    go_on.set();
                }
                connection.as_mut().poll(context)
            }))
            .unwrap()
        }};
    }
    let stream = Io::new(stream);
    if h2 {
        let builder = hyper::server::conn::http2::Builder::new(Executor);
        drive!(builder.serve_connection(stream, service))
    } else {
        let builder = hyper::server::conn::http1::Builder::new();
        drive!(builder.serve_connection(stream, service))
    }
}
