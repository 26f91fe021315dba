//! Descriptors and tasklets run out. Each test has a process of its own.

use crate::support::{ask, echo, start, until};
use greenling::server::Balance;
use greenling::time::sleep;
use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use tests::process::{alone, open_descriptors};

fn limit_descriptors(more: usize) {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    let soft = (open_descriptors() + more) as u64;
    setrlimit(Resource::RLIMIT_NOFILE, soft, hard).unwrap();
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
                let mut first = server.connect();
                assert_eq!(ask(&mut first, b"warm").unwrap(), b"warm");
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
                server.until_accepted(1 + 5);
                let before = getrusage(UsageWho::RUSAGE_SELF).unwrap();
                greenling::enter(|| sleep(Duration::from_millis(300)));
                let after = getrusage(UsageWho::RUSAGE_SELF).unwrap();
                // Pauses of 10 to 200 ms on three threads, where one that spins is
                // interrupted by nothing but its turn's end.
                let waits =
                    after.voluntary_context_switches() - before.voluntary_context_switches();
                assert!(waits < 1000, "{waits} wake-ups");
                assert!(server.handle.report().total.accepted < 1 + 30);
                // Each that ends makes room for one more.
                for mut client in clients {
                    let mut answer = [0; 4];
                    client.read_exact(&mut answer).unwrap();
                    assert_eq!(&answer, b"late");
                }
                limit_descriptors(1000);
                drop(first);
                until(|| server.handle.report().total.finished == 31);
                assert_eq!(server.stop().total.accepted, 31);
            }
        },
    );
}
