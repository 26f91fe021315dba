//! The `redis` crate on our streams, by way of `support/redis.rs`, against
//! `redis-server`.

use crate::daemon::{Daemon, on_a_free_port};
use greenling::net::{TcpStream, UnixStream};
use greenling::spawn;
use greenling::time::timeout;
use neighbours::redis::Connection;
use neighbours::{Midway, crowd};
use redis::{ConnectionLike, FromRedisValue, Value, cmd, pipe};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;
use tests::{isolated, tools};

const COUNT: usize = 100;

/// A server of this test's own, without anything kept on disk.
struct Redis {
    _daemon: Daemon,
    directory: TempDir,
    port: u16,
}

impl Redis {
    /// `None` when it is not installed.
    fn start(test: &str) -> Option<Redis> {
        let program = tools::find(test, "redis-server")?;
        let directory = TempDir::new().unwrap();
        let (daemon, port) = on_a_free_port(|port| {
            let mut command = Command::new(&program);
            command
                .current_dir(directory.path())
                .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
                .args(["--unixsocket", "redis.sock", "--save", ""])
                .args(["--maxclients", "1000"]);
            Daemon::start(&mut command, false, "eady to accept").map(|daemon| (daemon, port))
        });
        Some(Redis {
            _daemon: daemon,
            directory,
            port,
        })
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("redis.sock")
    }
}

fn over_tcp(port: u16) -> Connection<TcpStream> {
    Connection::new(TcpStream::connect(("127.0.0.1", port)).unwrap())
}

/// Commands, a pipeline and a transaction. Midway all clients wait for the same
/// thing, and the last of them provides it.
fn converse<S: Read + Write>(number: usize, mut connection: Connection<S>, midway: &Midway) {
    let con = &mut connection;
    let key = format!("key {number}");
    let value: Vec<u8> = (0..10_000).map(|at| (at * (number + 1)) as u8).collect();
    cmd("SET").arg(&key).arg(&value).exec(con).unwrap();
    let _: i64 = cmd("INCR").arg("present").query(con).unwrap();

    midway.meet();
    let present: usize = cmd("GET").arg("present").query(con).unwrap();
    assert_eq!(present, COUNT);

    let got: Vec<u8> = cmd("GET").arg(&key).query(con).unwrap();
    assert!(got == value, "{number}");

    let mut pipeline = pipe();
    for at in 0..50 {
        pipeline
            .cmd("RPUSH")
            .arg(format!("list {number}"))
            .arg(at)
            .ignore();
    }
    pipeline
        .cmd("LRANGE")
        .arg(format!("list {number}"))
        .arg(0)
        .arg(-1);
    let (list,): (Vec<usize>,) = pipeline.query(con).unwrap();
    assert_eq!(list, (0..50).collect::<Vec<_>>());

    let mut transaction = pipe();
    transaction.atomic().cmd("INCR").arg("sum").ignore();
    transaction.cmd("DEL").arg(&key);
    let (deleted,): (usize,) = transaction.query(con).unwrap();
    assert_eq!(deleted, 1);

    // An error of the server is one of the command, not of the connection.
    assert!(
        cmd("INCR")
            .arg(format!("list {number}"))
            .query::<i64>(con)
            .is_err()
    );
    assert!(con.is_open() && con.check_connection());
}

#[test]
fn a_hundred_clients_over_tcp() {
    let Some(redis) = Redis::start("a_hundred_clients_over_tcp") else {
        return;
    };
    isolated(move || {
        let port = redis.port;
        crowd(COUNT, move |number, midway| {
            converse(number, over_tcp(port), midway)
        });
        let sum: usize = cmd("GET").arg("sum").query(&mut over_tcp(port)).unwrap();
        assert_eq!(sum, COUNT);
    });
}

#[test]
fn a_hundred_clients_over_a_unix_socket() {
    let Some(redis) = Redis::start("a_hundred_clients_over_a_unix_socket") else {
        return;
    };
    isolated(move || {
        let socket = redis.socket();
        crowd(COUNT, move |number, midway| {
            let stream = UnixStream::connect(&socket).unwrap();
            converse(number, Connection::new(stream), midway);
        });
        let sum: usize = cmd("GET")
            .arg("sum")
            .query(&mut over_tcp(redis.port))
            .unwrap();
        assert_eq!(sum, COUNT);
    });
}

/// The server itself says that all of them wait inside a command.
#[test]
fn a_hundred_clients_blocked_in_the_server() {
    let Some(redis) = Redis::start("a_hundred_clients_blocked_in_the_server") else {
        return;
    };
    isolated(move || {
        let port = redis.port;
        let waiters: Vec<_> = (0..COUNT)
            .map(|number| {
                spawn(move || {
                    let mut command = cmd("BLPOP");
                    command.arg(format!("queue {number}")).arg(0);
                    let (_, item): (String, String) = command.query(&mut over_tcp(port)).unwrap();
                    assert_eq!(item, format!("for {number}"));
                })
            })
            .collect();
        let mut connection = over_tcp(port);
        loop {
            let clients: String = cmd("INFO").arg("clients").query(&mut connection).unwrap();
            if clients.contains(&format!("blocked_clients:{COUNT}\r\n")) {
                break;
            }
            greenling::time::sleep(Duration::from_millis(1));
        }
        for number in 0..COUNT {
            let (queue, item) = (format!("queue {number}"), format!("for {number}"));
            cmd("RPUSH")
                .arg(queue)
                .arg(item)
                .exec(&mut connection)
                .unwrap();
        }
        waiters
            .into_iter()
            .for_each(|waiter| waiter.join().unwrap());
    });
}

/// The next message of a subscription, as kind, channel and payload.
fn message(connection: &mut Connection<TcpStream>) -> (String, String, Value) {
    FromRedisValue::from_redis_value(connection.receive().unwrap()).unwrap()
}

#[test]
fn messages_reach_every_subscriber_once() {
    let Some(redis) = Redis::start("messages_reach_every_subscriber_once") else {
        return;
    };
    isolated(move || {
        let port = redis.port;
        crowd(COUNT, move |number, midway| {
            let mut subscriber = over_tcp(port);
            let (own, all) = (format!("room {number}"), "everybody");
            let mut subscribe = cmd("SUBSCRIBE");
            subscribe.arg(&own).arg(all);
            subscriber.send(&subscribe.get_packed_command()).unwrap();
            for channel in [&own, all] {
                let (kind, name, _) = message(&mut subscriber);
                assert_eq!((kind.as_str(), name.as_str()), ("subscribe", channel));
            }
            midway.meet();
            let mut publisher = over_tcp(port);
            for (channel, heard_by) in [(own.as_str(), 1), (all, COUNT)] {
                let mut publish = cmd("PUBLISH");
                publish.arg(channel).arg(number);
                assert_eq!(publish.query::<usize>(&mut publisher).unwrap(), heard_by);
            }
            let mut seen = vec![0; COUNT];
            for _ in 0..COUNT + 1 {
                let (kind, channel, payload) = message(&mut subscriber);
                assert_eq!(kind, "message");
                let payload: usize = redis::from_redis_value(payload).unwrap();
                if channel == own {
                    assert_eq!(payload, number);
                } else {
                    seen[payload] += 1;
                }
            }
            assert_eq!(seen, [1; COUNT]);
        });
    });
}

/// A time limit and a kill, each inside a command that the server holds back.
#[test]
fn commands_that_are_cut_off_leave_nothing_in_the_server() {
    let Some(redis) = Redis::start("commands_that_are_cut_off_leave_nothing_in_the_server") else {
        return;
    };
    isolated(move || {
        let port = redis.port;
        let blocked = |connection: &mut Connection<TcpStream>, count: usize| {
            let clients: String = cmd("INFO").arg("clients").query(connection).unwrap();
            clients.contains(&format!("blocked_clients:{count}\r\n"))
        };
        let wait = |connection: &mut Connection<TcpStream>| {
            cmd("BLPOP")
                .arg("nobody's queue")
                .arg(0)
                .query::<Value>(connection)
        };
        let limited: Vec<_> = (0..20)
            .map(|_| {
                spawn(move || {
                    let mut connection = over_tcp(port);
                    timeout(Duration::from_millis(20), || wait(&mut connection))
                })
            })
            .collect();
        let killed: Vec<_> = (0..20)
            .map(|_| spawn(move || wait(&mut over_tcp(port))))
            .collect();
        for task in limited {
            let late = task.join().unwrap().unwrap_err();
            assert!(late.into_inner().unwrap_err().is_timeout());
        }
        let mut connection = over_tcp(port);
        while !blocked(&mut connection, 20) {
            greenling::time::sleep(Duration::from_millis(1));
        }
        for task in killed {
            task.tasklet().kill().unwrap();
            assert!(task.join().unwrap_err().is_killed());
        }
        while !blocked(&mut connection, 0) {
            greenling::time::sleep(Duration::from_millis(1));
        }
    });
}
