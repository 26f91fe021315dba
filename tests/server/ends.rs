//! The shutdown: idle, busy and never-started connections, and those that refuse.

use crate::support::{EVER, answered_clients, echo, rest, start, until};
use greenling::net::{TcpListener, TcpStream};
use greenling::server::{Balance, Connection, Limits, serve};
use greenling::sync::Event;
use greenling::time::sleep;
use greenling::{Shutdown, TaskletExit, defer_kill, offload, spawn};
use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use tests::isolated;
use tests::process::alone;

const BALANCES: [Balance; 2] = [Balance::ReusePort, Balance::Acceptor];

#[test]
fn idle_connections_end_at_once() {
    for balance in BALANCES {
        let server = start(
            |server| server.workers(2).balance(balance),
            |stream, _, connection| echo(stream, connection),
        );
        let mut clients = answered_clients(&server, 50);
        // One has never sent anything.
        clients.push(server.connect());
        server.until_accepted(51);
        let report = server.stop();
        assert_eq!((report.total.finished, report.total.killed), (51, 0));
        for client in &mut clients {
            assert_eq!(rest(client), "");
        }
    }
}

#[test]
fn what_has_arrived_for_one_who_waits_for_more_is_not_lost() {
    let (begin, begun) = mpsc::channel();
    let begin = Mutex::new(begin);
    let server = start(
        |server| server,
        move |mut stream: TcpStream, _, connection: &Connection| {
            let mut request = [0; 2];
            // One byte comes; the wait for the second is ended by the stop.
            let got = connection.idle(|| {
                let first = stream.read(&mut request[..1])?;
                begin.lock().unwrap().send(()).unwrap();
                let second = stream.read(&mut request[1..]);
                Ok(first + second.unwrap_or(0))
            })?;
            writeln!(stream, "{got:?}")
        },
    );
    let mut client = server.connect();
    client.write_all(b"x").unwrap();
    begun.recv().unwrap();
    assert_eq!(server.stop().total.finished, 1);
    assert_eq!(rest(&mut client), "Some(1)\n");
}

#[test]
fn busy_connections_finish_what_they_do_and_see_that_it_is_the_last() {
    for balance in BALANCES {
        let (begin, begun) = mpsc::channel();
        let begin = Mutex::new(begin);
        let (finish, gate) = mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let server = start(
            |server| server.balance(balance),
            move |mut stream: TcpStream, _, connection: &Connection| {
                let mut request = [0; 1];
                let mut served = 0;
                while let Some(1) = connection.idle(|| stream.read(&mut request))? {
                    begin.lock().unwrap().send(()).unwrap();
                    let gate = gate.clone();
                    offload(move || gate.lock().unwrap().recv().unwrap()).unwrap();
                    let last = connection.is_draining();
                    stream.write_all(if last { b"last" } else { b"more" })?;
                    served += 1;
                }
                assert_eq!(served, 2);
                Ok::<(), io::Error>(())
            },
        );
        let mut client = server.connect();
        client.write_all(b"?").unwrap();
        begun.recv().unwrap();
        finish.send(()).unwrap();
        let mut answer = [0; 4];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"more");
        client.write_all(b"?").unwrap();
        begun.recv().unwrap();
        server.handle.stop();
        finish.send(()).unwrap();
        assert_eq!(rest(&mut client), "last");
        let report = server.end();
        assert_eq!((report.total.finished, report.total.killed), (1, 0));
    }
}

#[test]
fn connections_that_were_not_started_or_not_even_accepted_are_served() {
    for balance in BALANCES {
        let (tell, told) = mpsc::channel();
        let tell = Mutex::new(tell);
        let (go, gate) = mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        let first = AtomicUsize::new(0);
        let server = start(
            |server| server.balance(balance),
            move |stream, _, connection| {
                if first.fetch_add(1, Ordering::SeqCst) == 0 {
                    tell.lock().unwrap().send(()).unwrap();
                    // Holds the whole thread.
                    gate.lock().unwrap().recv().unwrap();
                }
                echo(stream, connection)
            },
        );
        let holding = server.connect();
        told.recv().unwrap();
        let mut clients: Vec<_> = (0..20).map(|_| server.connect()).collect();
        for client in &mut clients {
            client.write_all(b"in time").unwrap();
        }
        server.handle.stop();
        go.send(()).unwrap();
        for client in &mut clients {
            assert_eq!(rest(client), "in time");
        }
        drop(holding);
        let report = server.end();
        assert_eq!((report.total.accepted, report.total.finished), (21, 21));
    }
}

/// Ends by kills only, and notes its number.
struct Noted(u64, Arc<Mutex<Vec<u64>>>);

impl Drop for Noted {
    fn drop(&mut self) {
        self.1.lock().unwrap().push(self.0);
    }
}

#[test]
fn what_is_left_at_the_drain_deadline_is_killed_in_the_order_in_which_it_came() {
    for balance in BALANCES {
        let ends = Arc::new(Mutex::new(Vec::new()));
        let noting = ends.clone();
        let server = start(
            |server| {
                server
                    .balance(balance)
                    .drain_limit(Duration::from_millis(20))
            },
            move |mut stream, _, connection| {
                let _noted = Noted(connection.number(), noting.clone());
                stream.write_all(b"!")?;
                sleep(EVER);
                Ok::<(), io::Error>(())
            },
        );
        let mut clients = Vec::new();
        for _ in 0..10 {
            let mut client = server.connect();
            client.read_exact(&mut [0]).unwrap();
            clients.push(client);
        }
        let report = server.stop();
        assert_eq!((report.total.finished, report.total.killed), (0, 10));
        let ends = ends.lock().unwrap();
        assert!(ends.iter().copied().eq(0..10), "{ends:?}");
    }
}

#[test]
fn a_killed_handler_may_clean_up_and_its_destructors_may_not_wait() {
    let said = Arc::new(Mutex::new(Vec::new()));
    let saying = said.clone();
    let server = start(
        |server| server.drain_limit(Duration::ZERO),
        move |mut stream: TcpStream, _, _: &Connection| {
            struct Farewell(TcpStream, Arc<Mutex<Vec<String>>>);
            impl Drop for Farewell {
                fn drop(&mut self) {
                    // Writing need not wait, so it works; a read would have to.
                    self.0.write_all(b"farewell").unwrap();
                    let error = self.0.read(&mut [0]).unwrap_err();
                    self.1.lock().unwrap().push(error.to_string());
                }
            }
            stream.write_all(b"!").unwrap();
            let farewell = Farewell(stream, saying.clone());
            let killed = catch_unwind(AssertUnwindSafe(|| sleep(EVER))).unwrap_err();
            assert!(killed.is::<TaskletExit>());
            // Caught: there is time until the kill deadline.
            sleep(Duration::from_millis(20));
            saying.lock().unwrap().push("cleaned up".into());
            let _last = farewell;
            std::panic::resume_unwind(killed);
        },
    );
    let mut client = server.connect();
    client.read_exact(&mut [0]).unwrap();
    let report = server.stop();
    assert_eq!((report.total.killed, report.total.active), (1, 0));
    assert_eq!(rest(&mut client), "farewell");
    let said = said.lock().unwrap();
    assert_eq!(said[0], "cleaned up");
    assert!(said[1].contains("unwinding"), "{said:?}");
}

#[test]
fn one_thread_that_serves_kills_in_order_as_well_and_waits_for_those_that_clean_up() {
    isolated(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = Shutdown::with_limits(Duration::ZERO, EVER);
        let stop = shutdown.clone();
        let clients = spawn(move || {
            let clients: Vec<_> = (0..10)
                .map(|_| {
                    let mut client = TcpStream::connect(address).unwrap();
                    client.read_exact(&mut [0]).unwrap();
                    client
                })
                .collect();
            stop.trigger();
            clients
        });
        let ends = Arc::new(Mutex::new(Vec::new()));
        let noting = ends.clone();
        let handler = move |mut stream: TcpStream, _, connection: &Connection| {
            let _noted = Noted(connection.number(), noting.clone());
            stream.write_all(b"!").unwrap();
            let killed = catch_unwind(AssertUnwindSafe(|| sleep(EVER))).unwrap_err();
            sleep(Duration::from_millis(1));
            std::panic::resume_unwind(killed);
        };
        let report = serve(listener, &Limits::new(), &shutdown, handler).unwrap();
        assert_eq!((report.total.killed, report.total.active), (10, 0));
        assert!(ends.lock().unwrap().iter().copied().eq(0..10), "{ends:?}");
        drop(clients.join().unwrap());
    });
}

#[test]
#[cfg_attr(greenling_asan, ignore = "what refuses every kill is leaked")]
fn a_handler_that_ignores_everything_is_reported_and_abandoned() {
    alone(
        "ends::a_handler_that_ignores_everything_is_reported_and_abandoned",
        || {
            let server = start(
                |server| {
                    server
                        .drain_limit(Duration::ZERO)
                        .kill_limit(Duration::ZERO)
                },
                |mut stream: TcpStream, _, connection: &Connection| {
                    stream.write_all(b"!").unwrap();
                    if connection.number() == 0 {
                        let _held = defer_kill();
                        sleep(EVER);
                    }
                    loop {
                        let _ = catch_unwind(|| sleep(EVER));
                    }
                },
            );
            let clients = [server.connect(), server.connect()];
            for mut client in &clients {
                client.read_exact(&mut [0]).unwrap();
            }
            let report = server.stop();
            assert_eq!((report.total.accepted, report.total.active), (2, 2));
        },
    );
}

#[test]
fn a_tasklet_with_a_clone_of_the_connection_is_waited_for_and_others_are_not() {
    let said = Arc::new(Mutex::new(Vec::new()));
    let saying = said.clone();
    let server = start(
        |server| server,
        move |mut stream: TcpStream, _, connection: &Connection| {
            stream.write_all(b"!").unwrap();
            let (kept, say) = (connection.clone(), saying.clone());
            let begun = Rc::new(Event::new());
            let started = begun.clone();
            spawn(move || {
                started.set();
                kept.stopping().wait().unwrap();
                sleep(Duration::from_millis(20));
                say.lock().unwrap().push("waited for");
                drop(kept);
            });
            // It would run for ever.
            spawn(|| sleep(EVER));
            begun.wait().unwrap();
        },
    );
    let mut client = server.connect();
    assert_eq!(rest(&mut client), "!");
    let report = server.stop();
    assert_eq!(report.total.finished, 1);
    assert_eq!(*said.lock().unwrap(), ["waited for"]);
}

#[test]
fn the_deadlines_can_be_brought_forward_while_it_drains() {
    let server = start(
        |server| server.workers(3),
        |mut stream: TcpStream, _, _: &Connection| {
            stream.write_all(b"!").unwrap();
            sleep(EVER);
        },
    );
    let clients: Vec<_> = (0..10).map(|_| server.connect()).collect();
    for mut client in &clients {
        client.read_exact(&mut [0]).unwrap();
    }
    server.handle.stop();
    let shutdown: &Shutdown = server.handle.shutdown();
    assert!(shutdown.drain_deadline().is_some());
    shutdown.trigger_with(Duration::ZERO, EVER);
    assert_eq!(server.end().total.killed, 10);
}

#[test]
fn a_server_is_stopped_by_one_of_its_handlers() {
    let server = start(
        |server| server.workers(3),
        |stream, _, connection| {
            connection.shutdown().trigger();
            echo(stream, connection)
        },
    );
    let mut client = server.connect();
    until(|| server.handle.shutdown().is_triggered());
    assert_eq!(rest(&mut client), "");
    assert_eq!(server.end().total.finished, 1);
}
