//! An HTTPS server: one tasklet for each connection, one scheduler for each core.
//!
//! ```text
//! cargo run --release --example webserver
//! curl --insecure https://127.0.0.1:8443/hello
//! ```
//!
//! `--help` lists the options. Read it in this order: `routes` (what is served), `serving` (a
//! connection from accept to close), `connections` (who is being served, and hanging up),
//! `certificates`, `listeners`, `shutdown`. The HTTP itself is in `http/`, which knows nothing of
//! tasklets.
//!
//! ```text
//!  main thread    options, files, certificate, listening sockets        (nothing blocks it later)
//!                        |
//!  worker 0..N    accept loop per listener --spawn--> connection tasklet: handshake, requests
//!                        |                                   |
//!                  --max-connections               registered in `Connections`
//!                        |
//!  worker 0       signal tasklet: SIGTERM and SIGINT trigger the shutdown of all workers,
//!                 SIGHUP reads the certificates again
//! ```

mod certificates;
mod connections;
mod conversation;
mod link;
mod listeners;
mod options;
mod peer;
mod routes;
mod serving;
mod shutdown;

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use examples::http;
use greenling_tls::ProxyProtocol;

use certificates::Certificates;
use listeners::Listeners;
use options::Options;
use serving::Server;

fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn")).init();
    match serve(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("webserver: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(options: &Options) -> io::Result<()> {
    let files = raise_open_files();
    let most = options.max_connections.map_or(files, |n| n as usize);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    // Each worker has its own listening socket, so that each must be able to take a connection.
    let workers = options.workers.map_or(cores, usize::from).min(most);
    let root = match &options.root {
        Some(path) => Some(routes::Root::open(path).map_err(naming(path.display()))?),
        None => None,
    };
    let certificates = Arc::new(Certificates::load(options)?);
    let listeners = Listeners::bind(options, &certificates, workers)?;
    let proxies = match &options.proxy[..] {
        [] => None,
        networks => Some(ProxyProtocol::from_trusted(networks)?.take_others()),
    };
    let server = Arc::new(Server {
        site: routes::Site {
            root,
            ..routes::Site::default()
        },
        settings: Arc::new(http::Settings::default()),
        certificates,
        proxies,
        header_timeout: options.header_timeout,
        idle_timeout: options.idle_timeout,
        rest_after: options.rest_after,
        drain: options.drain,
        max_connections: most,
        workers,
        drained: shutdown::Drained::new(workers),
    });
    let ended = greenling::workers(workers, move |worker| {
        shutdown::run_worker(&worker, &listeners, &server)
    });
    for outcome in ended {
        outcome.map_err(|_| io::Error::other("a worker panicked"))??;
    }
    Ok(())
}

/// Puts the subject in front of an error's text.
fn naming(subject: impl std::fmt::Display) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{subject}: {error}"))
}

/// Descriptors that are not connections: listeners, pollers, files being served, standard streams.
const OTHER_FILES: u64 = 128;

/// Raises the limit of open files to what the system allows, and returns how many connections fit.
fn raise_open_files() -> usize {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = rustix::process::Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        };
        if setrlimit(Resource::Nofile, raised).is_ok() {
            limit = raised;
        }
    }
    let files = limit.current.unwrap_or(1 << 20);
    usize::try_from(files.saturating_sub(OTHER_FILES).max(16)).unwrap_or(usize::MAX)
}
