//! A process in which everybody waits makes no system call, however many they
//! are and whatever they wait for, as long as nothing is due.
//!
//! A child process fills up with tasklets, one for each kind of wait and one
//! for each of a thousand connections, says that it is quiet, and then is
//! watched from outside: by what the kernel counts for each of its threads, and
//! by strace. It hears that the watch is over from its standard input.

use greenling::io::Fd;
use greenling::net::{TcpListener, TcpStream, UdpSocket, UnixListener};
use greenling::process::Command;
use greenling::signal::{SIGUSR1, Signals};
use greenling::time::{CancelToken, interval, sleep};
use greenling::{Channel, Shutdown, inspect, select, spawn, sync, thread};
use greenling_tls::crypto::TestCa;
use greenling_tls::{ContextBuilder, TlsStream};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::pending;
use std::io::{BufRead, BufReader, Read, Write};
use std::net;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};
use std::rc::Rc;
use std::sync::mpsc;
use std::time::Duration;
use tests::child;
use tests::sockets::pair;
use tests::tools;

const CONNECTIONS: usize = 1000;

/// How long the process is watched.
const WATCH: Duration = Duration::from_secs(2);

/// The timed part of the child's life.
const TICKS: u64 = 2;

// ---- the child ----

/// Starts `wait` as a tasklet that never comes to its end.
fn forever<T: 'static>(waiting: &Rc<Cell<usize>>, wait: impl FnOnce() -> T + 'static) {
    waiting.set(waiting.get() + 1);
    let waiting = waiting.clone();
    spawn(move || {
        wait();
        // Reached only when it is killed by its wait's end: never.
        waiting.set(0);
    });
}

/// A tasklet for every kind of wait that has no deadline.
fn wait_in_every_way(waiting: &Rc<Cell<usize>>) {
    let (full, empty) = (Channel::new(), Channel::<()>::new());
    let sending = full.clone();
    forever(waiting, move || sending.send(()));
    let receiving = empty.clone();
    forever(waiting, move || receiving.receive());

    let (to_threads, from_threads) = thread::channel::<()>(1);
    to_threads.try_send(()).unwrap();
    let (other_sender, other_receiver) = thread::channel::<()>(1);
    forever(waiting, move || {
        let both = (to_threads.send(()), other_sender);
        drop(from_threads);
        both
    });
    let (cancel, shutdown) = (CancelToken::new(), Shutdown::new());
    let (token, stop) = (cancel.clone(), shutdown.clone());
    forever(waiting, move || {
        select! {
            _ = empty.receiving() => (),
            _ = other_receiver.receiving() => (),
            _ = token.cancelling() => (),
            _ = stop.triggering() => (),
        }
    });
    forever(waiting, move || cancel.wait());
    forever(waiting, move || shutdown.wait());
    forever(waiting, move || {
        let gate = sync::Event::new();
        greenling::scope(|scope| {
            scope.spawn(|| gate.wait());
        });
    });
    let mutex = Rc::new(sync::Mutex::new(()));
    for _ in 0..2 {
        let mutex = mutex.clone();
        forever(waiting, move || {
            let _guard = mutex.lock();
            sync::Semaphore::new(0).acquire().map(drop)
        });
    }
    forever(waiting, || greenling::block_on(pending::<()>()));
    let joined = spawn(|| Channel::<()>::new().receive());
    forever(waiting, || joined.join());

    let signals = Signals::new(&[SIGUSR1]).unwrap();
    forever(waiting, move || signals.wait());
    forever(waiting, || {
        let mut sleeper = Command::new("sleep");
        sleeper.arg("1000").kill_on_drop(true);
        sleeper.spawn().unwrap().wait()
    });
    forever(waiting, || TcpListener::bind("127.0.0.1:0")?.accept());
    forever(waiting, || {
        UdpSocket::bind("127.0.0.1:0")?.recv_from(&mut [0; 8])
    });
    let folder = tempfile::tempdir().unwrap();
    forever(waiting, move || {
        UnixListener::bind(folder.path().join("s"))?.accept()
    });
    forever(waiting, || {
        let (reader, _writer) = std::io::pipe()?;
        Fd::new(reader)?.read(&mut [0])
    });
    wait_for_tls(waiting);
    other_threads(waiting);
}

fn wait_for_tls(waiting: &Rc<Cell<usize>>) {
    let ca = TestCa::new("idle").unwrap();
    let server = ContextBuilder::server().identity(ca.issue(&["localhost"]).unwrap());
    let client = ContextBuilder::client().trust_pem(ca.root_pem().unwrap());
    let (server, client) = (server.build().unwrap(), client.build().unwrap());
    let (ours, theirs) = pair();
    forever(waiting, move || {
        let theirs = TlsStream::accept(&server, theirs).unwrap();
        (&theirs).read(&mut [0])
    });
    let ours = TlsStream::connect(&client, "localhost", ours).unwrap();
    forever(waiting, move || (&ours).read(&mut [0]));
}

/// Schedulers on other threads, one idle in a wait and one in `join`.
fn other_threads(waiting: &Rc<Cell<usize>>) {
    let (sender, receiver) = thread::channel::<()>(1);
    std::thread::spawn(move || greenling::enter(|| drop(receiver.receive())));
    forever(waiting, move || {
        let never = Channel::<()>::new().receive();
        drop(sender);
        never
    });
}

/// Accepts, and has a tasklet wait for each connection's first byte.
fn serve(listener: &TcpListener, waiting: &Rc<Cell<usize>>) {
    for _ in 0..CONNECTIONS {
        let (stream, _): (TcpStream, _) = listener.accept().unwrap();
        forever(waiting, move || (&stream).read(&mut [0]));
    }
}

/// Polls of this thread while `f` waits.
fn polls_of(f: impl FnOnce()) -> u64 {
    let before = inspect::polls();
    f();
    inspect::polls() - before
}

fn be_idle() {
    raise_limit();
    greenling::enter(|| {
        let waiting = Rc::new(Cell::new(0));
        // Leaves a thread of the pool behind, which ends when it has had no
        // work for a while.
        assert_eq!(greenling::offload(|| 42).unwrap(), 42);
        wait_in_every_way(&waiting);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        println!("\nlistens {}", listener.local_addr().unwrap().port());
        serve(&listener, &waiting);
        let all = waiting.get();
        while has_pool_thread() {
            sleep(Duration::from_millis(100));
        }
        // What was started goes on until nothing but this sleep needs a poll.
        while polls_of(|| sleep(Duration::from_millis(50))) > 1 {}

        let mut orders = Fd::new(std::io::stdin()).unwrap();
        let mut order = || {
            let mut byte = [0];
            orders.read_exact(&mut byte).unwrap();
        };
        println!("quiet");
        let polls = polls_of(&mut order);
        assert_eq!(polls, 1, "polls, of which one was to wait for the order");

        let mut ticks = interval(Duration::from_secs(1));
        ticks.tick().unwrap();
        let polls = polls_of(|| {
            for _ in 0..TICKS {
                ticks.tick().unwrap();
            }
        });
        // Fewer where the machine was so busy that two fell due at once.
        assert!((1..=TICKS).contains(&polls), "{polls} polls, {TICKS} ticks");
        assert_eq!(waiting.get(), all, "somebody's wait has ended");
        println!("ticked");
        order();
    });
}

/// Whether the offload pool has a thread; the kernel keeps 15 bytes of names.
fn has_pool_thread() -> bool {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let mut names =
        threads.filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("comm")).ok());
    names.any(|name| name.starts_with("greenling-offlo"))
}

fn raise_limit() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
}

// ---- the one that watches ----

/// The child, its standard output, and the peers of its connections.
struct Watched {
    child: Child,
    lines: mpsc::Receiver<String>,
    _peers: Vec<net::TcpStream>,
}

impl Watched {
    /// Starts `test` again for its part, and waits until it is quiet.
    fn start(mut command: std::process::Command) -> Watched {
        raise_limit();
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = read_lines(child.stdout.take().unwrap());
        let mut watched = Watched {
            child,
            lines,
            _peers: Vec::new(),
        };
        let port: u16 = watched.await_line("listens ").parse().unwrap();
        let connect = |_| net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        watched._peers = (0..CONNECTIONS).map(connect).collect();
        watched.await_line("quiet");
        watched
    }

    /// What comes after `prefix` in the next line that begins so.
    fn await_line(&self, prefix: &str) -> String {
        let limit = Duration::from_secs(100);
        loop {
            let line = self.lines.recv_timeout(limit).expect("another line");
            if let Some(rest) = line.strip_prefix(prefix) {
                return rest.to_string();
            }
        }
    }

    fn order(&mut self) {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(b"x").unwrap();
    }

    /// Lets it go through its timed part and end.
    fn finish(mut self) {
        self.order();
        self.await_line("ticked");
        self.order();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // Already gone, unless the test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_lines(stdout: ChildStdout) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    receiver
}

/// What the kernel counts for a thread: its state, CPU time, and how often it
/// has left the processor.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Counts {
    state: String,
    cpu_ticks: String,
    voluntary: String,
    involuntary: String,
}

/// Counts by thread.
fn counts(pid: u32) -> BTreeMap<PathBuf, Counts> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let paths = threads.map(|entry| entry.unwrap().path());
    paths
        .filter_map(|path| Some((path.clone(), count(&path)?)))
        .collect()
}

fn count(thread: &Path) -> Option<Counts> {
    let read = |file| std::fs::read_to_string(thread.join(file)).ok();
    let (stat, status) = (read("stat")?, read("status")?);
    let (_name, fields) = stat.split_once(") ")?;
    let fields: Vec<_> = fields.split(' ').collect();
    let line = |name| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.map(|rest: &str| rest.trim().to_string())
    };
    Some(Counts {
        state: fields[0].into(),
        cpu_ticks: format!("{}+{}", fields[11], fields[12]),
        voluntary: line("voluntary_ctxt_switches:")?,
        involuntary: line("nonvoluntary_ctxt_switches:")?,
    })
}

/// Lets other processes run for a while.
#[allow(
    clippy::disallowed_methods,
    reason = "this thread has no tasklets, and watches another process"
)]
fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

#[test]
fn a_process_in_which_all_wait_does_not_run() {
    const NAME: &str = "idle::a_process_in_which_all_wait_does_not_run";
    if child::is(NAME) {
        return be_idle();
    }
    let watched = Watched::start(child::command(NAME, NAME));
    let pid = watched.child.id();
    // It has said so just before it fell asleep.
    let is_asleep = |counts: &Counts| counts.state == "S";
    while !counts(pid).values().all(is_asleep) {
        pause(Duration::from_millis(10));
    }
    let before = counts(pid);
    assert!(before.len() >= 3, "main, another scheduler, signals");
    pause(WATCH);
    assert_eq!(counts(pid), before);
    watched.finish();
}

#[test]
fn strace_sees_no_system_call_of_a_process_in_which_all_wait() {
    const NAME: &str = "idle::strace_sees_no_system_call_of_a_process_in_which_all_wait";
    if child::is(NAME) {
        return be_idle();
    }
    let Some(strace) = tools::find(NAME, "strace") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let inner = child::command(NAME, NAME);
    let mut command = std::process::Command::new(strace);
    command
        .arg("-f")
        .arg("-o")
        .arg(&trace)
        .arg(inner.get_program());
    command.args(inner.get_args());
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let watched = Watched::start(command);
    // strace writes line by line; its last lines come after the child's word.
    let length = || std::fs::metadata(&trace).unwrap().len();
    let mut before = 0;
    while before != length() {
        before = length();
        pause(Duration::from_millis(200));
    }
    assert!(before > 0, "strace has written nothing");
    pause(WATCH);
    let text = std::fs::read_to_string(&trace).unwrap();
    let news = &text[usize::try_from(before).unwrap()..];
    assert_eq!(news, "", "system calls while nothing is due");
    watched.finish();
}
