//! Sockets that a service manager passes on; the manager is a shell.

use greenling::net::activation::{self, Activated, Kind};
use greenling::net::{TcpListener, TcpStream, UnixStream};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use tests::{child, forks, isolated};

/// A service that is killed if its test fails.
struct Service(Child);

impl Service {
    /// Runs this test binary's `test` again, by way of a shell that executes it
    /// after `preparation`. Standard output goes where standard error goes, for
    /// the shell has a socket there.
    fn start(test: &str, preparation: &str, stdin: Stdio, stdout: Stdio) -> Service {
        let service = child::command(test, test);
        let script = format!("export LISTEN_PID LISTEN_FDS LISTEN_FDNAMES; {preparation}");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).arg(service.get_program());
        shell.args(service.get_args());
        for (name, value) in service.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        Service(forks::start(shell.stdin(stdin).stdout(stdout)).unwrap())
    }

    fn end(mut self) {
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn is_closed_on_exec(descriptor: i32) -> bool {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{descriptor}")).unwrap();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    u32::from_str_radix(flags.unwrap().trim(), 8).unwrap() & 0o2000000 != 0
}

#[test]
fn passed_on_sockets_are_taken_once_by_name_and_kind() {
    let name = "activation::passed_on_sockets_are_taken_once_by_name_and_kind";
    if child::is(name) {
        return isolated(serve);
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let web = OwnedFd::from(listener.try_clone().unwrap());
    let service = Service::start(
        name,
        r#"LISTEN_PID=$$ LISTEN_FDS=3 LISTEN_FDNAMES=web:admin:log
        exec "$0" "$@" 3<&0 4<&1 5</dev/null 0</dev/null 1>&2"#,
        web.into(),
        OwnedFd::from(theirs).into(),
    );
    isolated(move || {
        let mut text = String::new();
        let mut client = TcpStream::connect(address).unwrap();
        client.read_to_string(&mut text).unwrap();
        assert_eq!(text, "served");
        let mut admin = UnixStream::from_std(ours).unwrap();
        text.clear();
        admin.read_to_string(&mut text).unwrap();
        assert_eq!(text, "done");
        // The service has closed its listener, but ours still listens.
        let listener = TcpListener::from_std(listener).unwrap();
        let _again = TcpStream::connect(address).unwrap();
        listener.accept().unwrap();
    });
    service.end();
}

fn serve() {
    let passed = activation::sockets().unwrap();
    let about = |one: &Activated| (one.name().to_owned(), one.kind());
    let expected = [
        ("web".to_owned(), Kind::TcpListener),
        ("admin".to_owned(), Kind::UnixStream),
        ("log".to_owned(), Kind::Other),
    ];
    assert_eq!(passed.iter().map(about).collect::<Vec<_>>(), expected);
    assert!((3..6).all(is_closed_on_exec));
    let error = activation::sockets().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);

    let mut passed = passed.into_iter();
    let web = passed.next().unwrap().into_tcp_listener().unwrap();
    let mut admin = passed.next().unwrap().into_unix_stream().unwrap();
    let error = passed.next().unwrap().into_udp_socket().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);

    let (mut client, _) = web.accept().unwrap();
    client.write_all(b"served").unwrap();
    web.close();
    let error = web.accept().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
    admin.write_all(b"done").unwrap();
}

#[test]
fn variables_for_another_process_mean_nothing() {
    let name = "activation::variables_for_another_process_mean_nothing";
    if child::is(name) {
        assert!(activation::sockets().unwrap().is_empty());
        return;
    }
    let script = r#"LISTEN_PID=1 LISTEN_FDS=1; exec "$0" "$@" 3</dev/null"#;
    Service::start(name, script, Stdio::null(), Stdio::null()).end();
    // This process has no such variables.
    assert!(activation::sockets().unwrap().is_empty());
}

#[test]
fn descriptors_of_the_process_itself_are_not_taken() {
    let name = "activation::descriptors_of_the_process_itself_are_not_taken";
    if child::is(name) {
        // Whatever has number 3 was opened here.
        let files: Vec<_> = (0..4).map(|_| File::open("/dev/null").unwrap()).collect();
        assert!(files.iter().any(|file| file.as_raw_fd() >= 3));
        let error = activation::sockets().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        // Nor has anything been closed.
        assert!(files.iter().all(|file| file.metadata().is_ok()));
        return;
    }
    let script = r#"LISTEN_PID=$$ LISTEN_FDS=1; exec "$0" "$@" 3<&-"#;
    Service::start(name, script, Stdio::null(), Stdio::null()).end();
}

#[test]
fn more_descriptors_than_there_are_is_an_error() {
    let name = "activation::more_descriptors_than_there_are_is_an_error";
    if child::is(name) {
        let error = activation::sockets().unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EBADF), "{error}");
        return;
    }
    let script = r#"LISTEN_PID=$$ LISTEN_FDS=99999999999;
        exec "$0" "$@" 3</dev/null 4<&-"#;
    Service::start(name, script, Stdio::null(), Stdio::null()).end();
}
