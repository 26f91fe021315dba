//! Descriptors and tasklets run out. Each test has a process of its own.

use crate::support::{ask, echo, start, until};
use greenling::net::UnixStream;
use greenling::server::{Balance, Limits, Listener, WorkerReport, serve};
use greenling::time::sleep;
use greenling::{
    Builder, Channel, Shutdown, Tasklet, max_tasklets, schedule, set_max_tasklets, spawn,
};
use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};
use std::cell::{Cell, RefCell};
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::panic::catch_unwind;
use std::rc::Rc;
use std::time::Duration;
use tests::isolated;
use tests::process::{alone, open_descriptors};

fn limit_descriptors(more: usize) {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    let soft = (open_descriptors() + more) as u64;
    setrlimit(Resource::RLIMIT_NOFILE, soft, hard).unwrap();
}

#[test]
fn a_thread_has_no_more_tasklets_than_it_may() {
    isolated(|| {
        assert_eq!(max_tasklets(), None);
        assert_eq!(set_max_tasklets(Some(2)), None);
        let is_refused = || {
            let refused = Builder::new().spawn(|| ()).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::QuotaExceeded);
        };
        let running = spawn(|| 1);
        let paused = Tasklet::new(|| ());
        is_refused();
        assert!(catch_unwind(|| spawn(|| ())).is_err());
        assert!(Builder::new().tasklet(|| ()).is_err());
        assert!(Tasklet::unbound().bind(|| ()).is_err());
        running.join().unwrap();
        let another = spawn(|| 2);
        is_refused();
        // Those that are there stay when the limit sinks, and end one by one.
        assert_eq!(set_max_tasklets(Some(0)), Some(2));
        another.join().unwrap();
        is_refused();
        paused.kill().unwrap();
        is_refused();
        assert_eq!(set_max_tasklets(None), Some(0));
        spawn(|| ()).join().unwrap();
    });
}

#[test]
fn connections_beyond_the_tasklets_there_may_be_are_closed() {
    // One of them accepts.
    let server = start(
        |server| server.max_tasklets(3),
        |stream, _, connection| echo(stream, connection),
    );
    let mut served = [server.connect(), server.connect()];
    for client in &mut served {
        assert_eq!(ask(client, b"here").unwrap(), b"here");
    }
    let mut closed = server.connect();
    assert_eq!(closed.read(&mut [0]).unwrap(), 0);
    drop(served);
    until(|| server.handle.report().total.finished == 2);
    let mut later = server.connect();
    assert_eq!(ask(&mut later, b"here").unwrap(), b"here");
    drop(later);
    let report = server.stop().total;
    assert_eq!(
        (report.accepted, report.finished, report.refused),
        (4, 3, 1)
    );
}

#[test]
fn without_descriptors_it_pauses_and_serves_all_in_the_end() {
    alone(
        "shortage::without_descriptors_it_pauses_and_serves_all_in_the_end",
        || {
            for balance in [Balance::ReusePort, Balance::Acceptor] {
                let server = start(
                    |server| server.workers(2).balance(balance),
                    |stream, _, connection| echo(stream, connection),
                );
                // Until each worker has served one, and so has what it needs.
                let mut first = Vec::new();
                let idle = |worker: &WorkerReport| worker.accepted == 0;
                let all_serve =
                    |workers: &[WorkerReport]| workers.len() == 2 && !workers.iter().any(idle);
                while !all_serve(&server.handle.report().workers) {
                    let mut client = server.connect();
                    assert_eq!(ask(&mut client, b"warm").unwrap(), b"warm");
                    first.push(client);
                }
                let warm = first.len();
                // Client sockets count, too: made before the limit is set.
                let sockets: Vec<_> = (0..30)
                    .map(|_| {
                        socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)
                            .unwrap()
                    })
                    .collect();
                limit_descriptors(5);
                let mut clients: Vec<TcpStream> = Vec::new();
                for socket in sockets {
                    socket.connect(&server.address().into()).unwrap();
                    clients.push(socket.into());
                }
                for client in &mut clients {
                    client.write_all(b"late").unwrap();
                }
                server.until_accepted(warm + 5);
                let before = getrusage(UsageWho::RUSAGE_SELF).unwrap();
                greenling::enter(|| sleep(Duration::from_millis(300)));
                let after = getrusage(UsageWho::RUSAGE_SELF).unwrap();
                // Pauses of 10 to 200 ms on three threads, where one that spins is
                // interrupted by nothing but its turn's end.
                let waits =
                    after.voluntary_context_switches() - before.voluntary_context_switches();
                assert!(waits < 1000, "{waits} wake-ups");
                assert!(server.handle.report().total.accepted < warm + 30);
                // Each that ends makes room for one more, in an order of its own.
                let clients = clients.into_iter().map(|mut client| {
                    std::thread::spawn(move || {
                        let mut answer = [0; 4];
                        client.read_exact(&mut answer).unwrap();
                        answer == *b"late"
                    })
                });
                for client in clients.collect::<Vec<_>>() {
                    assert!(client.join().unwrap());
                }
                limit_descriptors(1000);
                drop(first);
                until(|| server.handle.report().total.finished == warm + 30);
                assert_eq!(server.stop().total.accepted, warm + 30);
            }
        },
    );
}

/// Says by turns that it has a connection, and that it can't have any.
struct Moody {
    /// What it says next is the last of them.
    moods: RefCell<Vec<bool>>,
    /// Turns that another tasklet has had, now and at each call.
    turns: Rc<Cell<usize>>,
    calls: Rc<RefCell<Vec<usize>>>,
}

impl Listener for Moody {
    type Stream = UnixStream;
    type Address = &'static str;

    fn accept(&self) -> io::Result<(UnixStream, &'static str)> {
        self.calls.borrow_mut().push(self.turns.get());
        match self.moods.borrow_mut().pop() {
            Some(true) => Ok((UnixStream::pair()?.0, "nowhere")),
            Some(false) => Err(io::Error::other("not now")),
            None => Err(Channel::<()>::new().receive().unwrap_err().into()),
        }
    }
}

#[test]
fn a_listener_that_fails_is_left_alone_for_ever_longer_until_it_does_not() {
    isolated(|| {
        tests::logs::keep();
        let (turns, calls) = (Rc::new(Cell::new(0)), Rc::default());
        let listener = Moody {
            moods: RefCell::new(vec![true, false, false, true, false, false, false]),
            turns: turns.clone(),
            calls: Rc::clone(&calls),
        };
        let others = spawn(move || {
            loop {
                turns.set(turns.get() + 1);
                schedule();
            }
        });
        let shutdown = Shutdown::new();
        let (stop, served) = (shutdown.clone(), Cell::new(0));
        let report = serve(listener, &Limits::new(), &shutdown, move |_, _, _| {
            served.set(served.get() + 1);
            if served.get() == 2 {
                stop.trigger();
            }
        });
        others.tasklet().kill().unwrap();
        assert_eq!(report.unwrap().total.finished, 2);
        let lines = tests::logs::take();
        let pauses = lines
            .iter()
            .filter_map(|line| line.split("pausing for ").nth(1));
        let pauses: Vec<_> = pauses.take(5).collect();
        assert_eq!(pauses, ["10ms", "20ms", "40ms", "10ms", "20ms"]);
        // Others have run between any two calls: it did not go round and round.
        let calls = calls.take();
        assert!(
            calls.is_sorted_by(|before, after| before < after),
            "{calls:?}"
        );
    });
}
