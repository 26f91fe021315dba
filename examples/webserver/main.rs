//! An HTTPS server: one tasklet for each connection, one scheduler for each core.
//!
//! ```text
//! cargo run --release --example webserver
//! curl --insecure https://127.0.0.1:8443/hello
//! ```
//!
//! `--help` lists the options. Read it in this order: `routes` (what is served), `serving` (a
//! connection from handshake to close), `conversation` (one request after the other, and silence),
//! `doors`, `certificates`, `signals`. Accepting, limits and the end are `greenling::server`'s. The
//! HTTP itself is in `http/`, which knows nothing of tasklets.
//!
//! ```text
//!  main thread    options, files, certificate, listening sockets; then it waits for the workers
//!                        |
//!  worker 0..N    a Door for each address --accept--> connection tasklet: handshake, requests
//!                        |                                   |  ^
//!                  --max-connections              silence: v  |  a byte, or the end of all
//!                                                      no tasklet
//! ```

mod certificates;
mod conversation;
mod doors;
mod link;
mod options;
mod peer;
mod routes;
mod serving;
mod signals;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use examples::http;
use greenling::server::{Connection, Server};
use greenling_tls::ProxyProtocol;

use certificates::Certificates;
use doors::{Arrival, Door};
use options::Options;
use serving::{Service, Stopping};

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
    let proxies = match &options.proxy[..] {
        [] => None,
        networks => Some(ProxyProtocol::from_trusted(networks)?.take_others()),
    };
    let mut server = Server::new()
        .workers(workers)
        .max_connections(most)
        .drain_limit(options.drain)
        .rest_limit(options.idle_timeout.saturating_sub(options.rest_after))
        .bind(&*options.listen)
        .map_err(naming(&options.listen))?;
    if let Some(address) = &options.plain {
        server = server.bind(&**address).map_err(naming(address))?;
    }
    let handle = server.handle();
    let service = Arc::new(Service {
        site: routes::Site {
            root,
            insight: routes::Insight::new(handle.clone(), workers),
        },
        settings: Arc::new(http::Settings {
            draining: Box::new(Stopping(handle.shutdown().clone())),
            ..http::Settings::default()
        }),
        proxies,
        header_timeout: options.header_timeout,
        idle_timeout: options.idle_timeout,
        rest_after: options.rest_after,
    });
    signals::obey(handle.shutdown(), certificates.clone())?;
    announce(handle.addresses())?;
    let secure = handle.addresses()[0];
    let report = server.run_with(
        move |listener| {
            let is_secure = listener.local_addr()? == secure;
            Ok(Door {
                listener,
                certificates: is_secure.then(|| certificates.clone()),
            })
        },
        move |arrival: Arrival, peer, connection: &Connection| {
            serving::serve(arrival, peer, connection, &service)
        },
    )?;
    if report.total.killed > 0 {
        let cut = report.total.killed;
        log::warn!("{cut} connections cut at the end of --drain");
    }
    Ok(())
}

/// Says on standard output where the server can be reached: first with TLS, then without.
fn announce(addresses: &[SocketAddr]) -> io::Result<()> {
    let mut output = io::stdout().lock();
    for (scheme, address) in ["https", "http"].iter().zip(addresses) {
        writeln!(output, "listening {scheme}://{address}")?;
    }
    output.flush()
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
