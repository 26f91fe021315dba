//! How each contender is started.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Ground, free_port};
use crate::who::Who;

/// Those that serve plain HTTP.
pub const PLAIN: [Who; 6] = [
    Who::Greenling,
    Who::May,
    Who::Hyper,
    Who::Nginx,
    Who::Go,
    Who::Epoll,
];

/// Those that serve HTTPS.
pub const TLS: [Who; 8] = [
    Who::Greenling,
    Who::GreenlingAwsLc,
    Who::MayOpenssl,
    Who::MayGreenlingTls,
    Who::HyperRustls,
    Who::HyperOpenssl,
    Who::Nginx,
    Who::Go,
];

/// The command that serves as `who` at `port`, with so many `workers`; for nginx it is
/// to be run for each worker, which is a process.
pub(super) fn command(
    who: Who,
    tls: bool,
    port: u16,
    workers: u16,
    ground: &Ground,
) -> io::Result<Command> {
    let mut command = match who {
        Who::Greenling => {
            let program = built("examples/webserver", "-p examples --example webserver")?;
            return greenling(program, tls, port, workers, ground);
        }
        Who::GreenlingAwsLc => {
            let how =
                "-p examples --example webserver --features aws-lc --target-dir target/aws-lc";
            let program = built("../aws-lc/release/examples/webserver", how)?;
            return greenling(program, tls, port, workers, ground);
        }
        Who::Nginx => {
            let asked = Command::new(nginx())
                .arg("-v")
                .stderr(Stdio::null())
                .status();
            asked.map_err(|error| io::Error::new(error.kind(), format!("nginx: {error}")))?;
            return nginx_command(tls, port, workers, ground);
        }
        Who::May => rival("rival_may")?,
        Who::MayOpenssl | Who::MayGreenlingTls => rival("rival_may_tls")?,
        Who::Epoll => rival("rival_epoll")?,
        Who::Hyper | Who::HyperRustls | Who::HyperOpenssl => rival("rival_hyper")?,
        Who::Go => Command::new(ground.go_server()?),
        Who::RawOpenssl | Who::OpensslCrate | Who::Rustls => {
            return Err(io::Error::other("this contender is no server"));
        }
    };
    command.arg(port.to_string()).arg(workers.to_string());
    match who {
        Who::Hyper => command.arg("plain"),
        Who::HyperRustls => command.arg("rustls"),
        Who::HyperOpenssl => command.arg("openssl"),
        _ => &mut command,
    };
    if tls {
        command.arg(ground.certificate()).arg(ground.key());
    }
    if who == Who::MayGreenlingTls {
        command.arg("greenling");
    }
    Ok(command)
}

fn greenling(
    mut command: Command,
    tls: bool,
    port: u16,
    workers: u16,
    ground: &Ground,
) -> io::Result<Command> {
    let (https, plain) = if tls {
        (port, free_port()?)
    } else {
        (free_port()?, port)
    };
    command
        .args(["--workers", &workers.to_string()])
        .args(["--idle-timeout", "600"])
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

/// A process without a master, which would not take its workers along when it is
/// killed; no log, a connection lives as long as its client wants.
fn nginx_command(tls: bool, port: u16, workers: u16, ground: &Ground) -> io::Result<Command> {
    let folder = ground.folder().join(format!("nginx-{port}"));
    fs::create_dir_all(&folder)?;
    let place = folder.display();
    let files = ground.bodies()?;
    let files = files.display();
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
    let shared = if workers > 1 { "reuseport" } else { "" };
    let configuration = format!(
        r#"daemon off;
master_process off;
pid {place}/pid;
error_log stderr crit;
worker_rlimit_nofile 20000;
events {{ worker_connections 19000; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    open_file_cache max=100 inactive=600s;
    keepalive_timeout 600s;
    keepalive_requests 1000000000;
    client_body_temp_path {place};
    proxy_temp_path {place};
    fastcgi_temp_path {place};
    uwsgi_temp_path {place};
    scgi_temp_path {place};
    server {{
        listen 127.0.0.1:{port} {listen} {shared} backlog=4096;
        {security}
        location /bytes/ {{ alias {files}/; default_type application/octet-stream; }}
        location = /hello {{ default_type text/plain; return 200 "Hello, world!"; }}
    }}
}}
"#
    );
    let file = folder.join("nginx.conf");
    fs::write(&file, configuration)?;
    let mut command = Command::new(nginx());
    command.arg("-p").arg(&folder).arg("-c").arg(&file);
    Ok(command)
}

/// nginx, which is not on the PATH of ordinary users in Debian.
pub fn nginx() -> &'static str {
    let usual = "/usr/sbin/nginx";
    if Path::new(usual).exists() {
        usual
    } else {
        "nginx"
    }
}

fn rival(name: &str) -> io::Result<Command> {
    built(name, "-p benches --features rivals")
}

/// A program of this workspace, which lies beside this one; `how` it is built.
fn built(name: &str, how: &str) -> io::Result<Command> {
    let here = std::env::current_exe()?;
    let path: PathBuf = here.parent().unwrap_or(Path::new(".")).join(name);
    if path.exists() {
        return Ok(Command::new(path));
    }
    Err(io::Error::new(
        io::ErrorKind::NotFound,
        format!("not built; cargo build --release {how}"),
    ))
}
