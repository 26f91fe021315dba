//! The contenders: how each server is started, on the first core, with one
//! worker, and stopped.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use benches::go::Go;
use benches::machine::{self, Core};
use clap::ValueEnum;

use crate::ground::Ground;

/// A contender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Who {
    /// The example web server.
    Greenling,
    /// may_minihttp.
    May,
    /// hyper on one tokio thread, plain HTTP.
    Hyper,
    /// hyper over tokio-rustls.
    HyperRustls,
    /// hyper over tokio-openssl.
    HyperOpenssl,
    /// nginx, answering from its configuration.
    Nginx,
    /// Go's net/http.
    Go,
    /// A bare epoll loop that parses nothing.
    Epoll,
}

impl Who {
    /// Those that serve plain HTTP.
    pub(crate) const PLAIN: [Who; 6] = [
        Who::Greenling,
        Who::May,
        Who::Hyper,
        Who::Nginx,
        Who::Go,
        Who::Epoll,
    ];
    /// Those that serve HTTPS.
    pub(crate) const TLS: [Who; 5] = [
        Who::Greenling,
        Who::HyperRustls,
        Who::HyperOpenssl,
        Who::Nginx,
        Who::Go,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Who::Greenling => "greenling",
            Who::May => "may",
            Who::Hyper => "hyper",
            Who::HyperRustls => "hyper-rustls",
            Who::HyperOpenssl => "hyper-openssl",
            Who::Nginx => "nginx",
            Who::Go => "go",
            Who::Epoll => "epoll",
        }
    }
}

/// How long a server may take until it accepts connections.
const START_MAX: Duration = Duration::from_secs(10);

/// A running server; killed on drop.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    port: u16,
    tls: bool,
    /// Holds the executable of a Go server.
    _go: Option<Go>,
}

impl Server {
    /// Starts `who` and waits until it accepts; an error says why it cannot run.
    pub(crate) fn start(who: Who, tls: bool, ground: &Ground) -> io::Result<Server> {
        let port = free_port()?;
        let go = match who {
            Who::Go => Some(Go::build(
                "hello",
                include_str!("../../../rivals/go/hello.go"),
            )?),
            _ => None,
        };
        let mut command = command(who, tls, port, ground, go.as_ref())?;
        command.stdin(Stdio::null()).stdout(Stdio::null());
        // A child inherits the core of the thread that starts it.
        machine::pin(Core::First);
        let child = command.spawn();
        machine::pin(Core::Last);
        let child = child.map_err(|error| {
            let program = command.get_program().to_string_lossy().into_owned();
            io::Error::new(error.kind(), format!("{program}: {error}"))
        })?;
        let mut server = Server {
            child,
            port,
            tls,
            _go: go,
        };
        server.wait_until_ready()?;
        Ok(server)
    }

    fn wait_until_ready(&mut self) -> io::Result<()> {
        let begin = Instant::now();
        while TcpStream::connect(self.address()).is_err() {
            if let Some(status) = self.child.try_wait()? {
                return Err(io::Error::other(format!("the server ended with {status}")));
            }
            if begin.elapsed() > START_MAX {
                return Err(io::Error::other("the server accepts no connections"));
            }
            machine::pause(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// The address of `path` for wrk.
    pub(crate) fn url(&self, path: &str) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}{path}", self.port)
    }

    /// Its process id, as text for /proc.
    pub(crate) fn pid(&self) -> String {
        self.child.id().to_string()
    }

    /// Asks it to stop (SIGTERM) and waits for `limit`; `None` when it still runs.
    pub(crate) fn terminate(mut self, limit: Duration) -> io::Result<Option<ExitStatus>> {
        machine::terminate(self.child.id())?;
        let begin = Instant::now();
        while begin.elapsed() < limit {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(status));
            }
            machine::pause(Duration::from_millis(20));
        }
        Ok(None)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Either may fail only because the process is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago; nobody else on this machine is in a hurry
/// to take it.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

fn command(
    who: Who,
    tls: bool,
    port: u16,
    ground: &Ground,
    go: Option<&Go>,
) -> io::Result<Command> {
    let number = port.to_string();
    let mut command = match who {
        Who::Greenling => return greenling(tls, port, ground),
        Who::Nginx => return nginx(tls, port, ground),
        Who::May => built("rival_may")?,
        Who::Epoll => built("rival_epoll")?,
        Who::Hyper | Who::HyperRustls | Who::HyperOpenssl => built("rival_hyper")?,
        Who::Go => Command::new(go.map(Go::path).unwrap_or_default()),
    };
    command.arg(number);
    match who {
        Who::Hyper => command.arg("plain"),
        Who::HyperRustls => command.arg("rustls"),
        Who::HyperOpenssl => command.arg("openssl"),
        _ => &mut command,
    };
    if tls {
        command.arg(ground.certificate()).arg(ground.key());
    }
    Ok(command)
}

fn greenling(tls: bool, port: u16, ground: &Ground) -> io::Result<Command> {
    let mut command = built("examples/webserver")?;
    let (https, plain) = if tls {
        (port, free_port()?)
    } else {
        (free_port()?, port)
    };
    command
        .args(["--workers", "1", "--idle-timeout", "600"])
        .arg("--listen")
        .arg(format!("127.0.0.1:{https}"))
        .arg("--plain")
        .arg(format!("127.0.0.1:{plain}"))
        .arg("--cert")
        .arg(ground.certificate())
        .arg("--key")
        .arg(ground.key());
    Ok(command)
}

/// One process, no log, a connection lives as long as its client wants.
fn nginx(tls: bool, port: u16, ground: &Ground) -> io::Result<Command> {
    let folder = ground.folder().join(format!("nginx-{port}"));
    fs::create_dir_all(&folder)?;
    let place = folder.display();
    let (listen, security) = if tls {
        let (certificate, key) = (ground.certificate(), ground.key());
        let security = format!(
            "ssl_certificate {}; ssl_certificate_key {}; ssl_protocols TLSv1.2 TLSv1.3;",
            certificate.display(),
            key.display()
        );
        ("ssl", security)
    } else {
        ("", String::new())
    };
    let configuration = format!(
        r#"daemon off;
master_process off;
pid {place}/pid;
error_log stderr crit;
worker_rlimit_nofile 20000;
events {{ worker_connections 19000; }}
http {{
    access_log off;
    keepalive_timeout 600s;
    keepalive_requests 1000000000;
    client_body_temp_path {place};
    proxy_temp_path {place};
    fastcgi_temp_path {place};
    uwsgi_temp_path {place};
    scgi_temp_path {place};
    server {{
        listen 127.0.0.1:{port} {listen} backlog=4096;
        {security}
        location = /hello {{ default_type text/plain; return 200 "Hello, world!"; }}
    }}
}}
"#
    );
    let file = folder.join("nginx.conf");
    fs::write(&file, configuration)?;
    // Not on the PATH of ordinary users in Debian.
    let usual = Path::new("/usr/sbin/nginx");
    let mut command = Command::new(if usual.exists() {
        usual
    } else {
        Path::new("nginx")
    });
    command.arg("-p").arg(&folder).arg("-c").arg(&file);
    Ok(command)
}

/// A program of this workspace, which lies beside this one.
fn built(name: &str) -> io::Result<Command> {
    let here = std::env::current_exe()?;
    let path: PathBuf = here.parent().unwrap_or(Path::new(".")).join(name);
    if path.exists() {
        return Ok(Command::new(path));
    }
    let how = match name.strip_prefix("examples/") {
        Some(example) => format!("cargo build --release --example {example}"),
        None => "cargo build --release -p benches --features rivals".into(),
    };
    Err(io::Error::new(
        io::ErrorKind::NotFound,
        format!("not built; {how}"),
    ))
}
