//! `postgres-protocol` on our streams against PostgreSQL.

use crate::daemon::{Daemon, on_a_free_port};
use crate::postgres_client::Client;
use greenling::net::TcpStream;
use greenling::spawn;
use greenling::time::timeout;
use neighbours::crowd;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;
use tests::{isolated, tools};

/// Each is a process of the server's.
const COUNT: usize = 40;

const PASSWORD: &str = "not a secret";

/// Whom the server runs as when the tests run as root, which it refuses.
const NOBODY: u32 = 65534;

/// A cluster of this test's own.
struct Postgres {
    _daemon: Daemon,
    _directory: TempDir,
    port: u16,
}

impl Postgres {
    /// `None` when it is not installed.
    fn start(test: &str) -> Option<Postgres> {
        let Some(programs) = programs() else {
            tools::skip(test, "initdb missing");
            return None;
        };
        let directory = TempDir::new().unwrap();
        let as_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
        if as_root {
            chown(directory.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let command = |program: &str| {
            let mut command = Command::new(programs.join(program));
            command.current_dir(directory.path());
            if as_root {
                command.uid(NOBODY).gid(NOBODY);
            }
            command
        };
        let password_file = directory.path().join("password");
        std::fs::write(&password_file, PASSWORD).unwrap();
        if as_root {
            chown(&password_file, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let mut initdb = command("initdb");
        initdb
            .args(["--pgdata", "data", "--username", "tester"])
            .args(["--auth", "scram-sha-256", "--pwfile", "password"])
            .args(["--no-sync", "--encoding", "UTF8", "--locale", "C"]);
        tools::run(&mut initdb, b"").success();
        let (daemon, port) = on_a_free_port(|port| {
            let mut postgres = command("postgres");
            postgres
                .args(["-D", "data", "-p", &port.to_string(), "-k", "."])
                .args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"])
                .args(["-c", "max_connections=100", "-c", "lc_messages=C"]);
            let ready = "ready to accept connections";
            Daemon::start(&mut postgres, true, ready).map(|daemon| (daemon, port))
        });
        Some(Postgres {
            _daemon: daemon,
            _directory: directory,
            port,
        })
    }
}

/// Where the server's programs are: Debian keeps them out of the path.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    let holds_both = |folder: &PathBuf| {
        let mut programs = ["initdb", "postgres"].into_iter();
        programs.all(|program| folder.join(program).is_file())
    };
    folders.into_iter().find(holds_both)
}

fn client(port: u16) -> Client<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    Client::start(stream, "tester", PASSWORD).unwrap()
}

#[test]
fn forty_clients_of_a_database() {
    let Some(postgres) = Postgres::start("forty_clients_of_a_database") else {
        return;
    };
    isolated(move || {
        let port = postgres.port;
        let mut setup = client(port);
        setup
            .query("CREATE TABLE numbers (client int, value int)")
            .unwrap();
        crowd(COUNT, move |number, midway| {
            let mut client = client(port);
            client.query("BEGIN").unwrap();
            let insert = "INSERT INTO numbers SELECT $1::int, generate_series(1, 100)";
            client.execute(insert, &[&number.to_string()]).unwrap();
            // In the middle of a transaction.
            midway.meet();
            client.query("COMMIT").unwrap();

            let sum = "SELECT client, sum(value) FROM numbers WHERE client = $1::int GROUP BY 1";
            let rows = client.execute(sum, &[&number.to_string()]).unwrap();
            assert_eq!(rows, [[number.to_string(), "5050".to_owned()]]);

            let many = format!("SELECT repeat('{number},', 1000) FROM generate_series(1, 100)");
            let rows = client.query(&many).unwrap();
            assert_eq!(rows.len(), 100);
            let expected = format!("{number},").repeat(1000);
            assert!(rows.iter().flatten().all(|text| *text == expected));

            // The connection goes on after an error of the server.
            let failed = client.query("SELECT 1 / 0").unwrap_err();
            assert!(failed.to_string().contains("division by zero"), "{failed}");
            assert_eq!(client.query("SELECT 1").unwrap(), [["1"]]);
        });
        let rows = setup
            .query("SELECT count(*), count(DISTINCT client) FROM numbers")
            .unwrap();
        assert_eq!(rows, [[(COUNT * 100).to_string(), COUNT.to_string()]]);
    });
}

/// The server itself says that all of them wait inside a query.
#[test]
fn forty_clients_that_wait_for_a_lock() {
    let Some(postgres) = Postgres::start("forty_clients_that_wait_for_a_lock") else {
        return;
    };
    isolated(move || {
        let port = postgres.port;
        let mut owner = client(port);
        owner.query("SELECT pg_advisory_lock(7)").unwrap();
        let waiters: Vec<_> = (0..COUNT)
            .map(|number| {
                spawn(move || {
                    let mut client = client(port);
                    let query = format!("SELECT {number} FROM pg_advisory_lock_shared(7)");
                    assert_eq!(client.query(&query).unwrap(), [[number.to_string()]]);
                })
            })
            .collect();
        let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
        while owner.query(waiting).unwrap() != [[COUNT.to_string()]] {
            greenling::time::sleep(Duration::from_millis(1));
        }
        owner.query("SELECT pg_advisory_unlock(7)").unwrap();
        waiters
            .into_iter()
            .for_each(|waiter| waiter.join().unwrap());
    });
}

#[test]
fn a_wrong_password_is_refused() {
    let Some(postgres) = Postgres::start("a_wrong_password_is_refused") else {
        return;
    };
    isolated(move || {
        let stream = TcpStream::connect(("127.0.0.1", postgres.port)).unwrap();
        let refused = Client::start(stream, "tester", "a guess").err().unwrap();
        assert!(
            refused.to_string().contains("password authentication"),
            "{refused}"
        );
    });
}

/// A time limit and a kill, each inside a query.
#[test]
fn queries_that_are_cut_off_leave_nothing_in_the_server() {
    let Some(postgres) = Postgres::start("queries_that_are_cut_off_leave_nothing_in_the_server")
    else {
        return;
    };
    isolated(move || {
        let port = postgres.port;
        let mut owner = client(port);
        owner.query("SELECT pg_advisory_lock(7)").unwrap();
        let waiters = |limited: bool| -> Vec<_> {
            let waiter = |_| {
                spawn(move || {
                    let mut client = client(port);
                    let mut wait = || client.query("SELECT pg_advisory_lock_shared(7)");
                    match limited {
                        true => timeout(Duration::from_millis(20), wait)
                            .unwrap_err()
                            .into_inner(),
                        false => wait(),
                    }
                })
            };
            (0..COUNT / 4).map(waiter).collect()
        };
        let (limited, killed) = (waiters(true), waiters(false));
        for task in limited {
            let error = task.join().unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
        }
        let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
        // The limited ones have gone from our side: only the lock's end tells
        // the server so.
        while owner.query(waiting).unwrap() != [[(COUNT / 2).to_string()]] {
            greenling::time::sleep(Duration::from_millis(1));
        }
        for task in killed {
            task.tasklet().kill().unwrap();
            assert!(task.join().unwrap_err().is_killed());
        }
        owner.query("SELECT pg_advisory_unlock(7)").unwrap();
        let others = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'";
        while owner.query(others).unwrap() != [["1"]] {
            greenling::time::sleep(Duration::from_millis(1));
        }
    });
}
