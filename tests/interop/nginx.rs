//! nginx in a folder of its own, listening on Unix sockets there.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::served::wait_for;

/// A running nginx, ended when dropped.
pub(crate) struct Nginx(Child);

impl Nginx {
    /// Starts `nginx` with files in `directory`, and `http` inside its block of that
    /// name, which listens on `socket`.
    pub(crate) fn start(nginx: &Path, directory: &Path, http: &str, socket: &Path) -> Nginx {
        let folders: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|kind| format!("{kind}_temp_path temp-{kind};\n"))
            .collect();
        // One process, which ends with a signal and leaves none behind.
        let config = format!(
            "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log error.log info;\n\
             events {{}}\nhttp {{\naccess_log off;\n{folders}{http}}}\n"
        );
        fs::write(directory.join("nginx.conf"), config).expect("written");
        let child = Command::new(nginx)
            .arg("-p")
            .arg(directory)
            .args(["-c", "nginx.conf", "-e", "error.log"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx starts");
        let mut nginx = Nginx(child);
        let log = || fs::read_to_string(directory.join("error.log")).unwrap_or_default();
        wait_for("that nginx listens", log, |log| {
            let ended = nginx.0.try_wait().expect("a child");
            assert!(ended.is_none(), "nginx has ended: {log}");
            UnixStream::connect(socket).ok()
        });
        nginx
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Both fail only if it has ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What `GET path` in plain text answers.
pub(crate) fn get(socket: &Path, path: &str) -> String {
    let mut stream = UnixStream::connect(socket).expect("nginx listens");
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}
