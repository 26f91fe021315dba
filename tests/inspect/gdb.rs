//! docs/gdb/greenling.py, on a live process and on its core file.

use greenling::{Builder, Channel, schedule};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tests::{child, tools};

#[inline(never)]
fn waits_in_the_zoo(channel: &Channel<u32>) -> u32 {
    black_box(channel.receive().unwrap_or(0))
}

#[inline(never)]
fn keeps_animals(channel: &Channel<u32>) -> u32 {
    black_box(waits_in_the_zoo(channel)) + 1
}

#[inline(never)]
fn sits_on_the_system_stack() {
    greenling::on_system_stack(|| {
        println!("ready");
        std::io::stdout().flush().unwrap();
        let mut line = String::new();
        // Until the parent goes.
        black_box(std::io::stdin().read_line(&mut line)).unwrap();
    });
}

/// The child: tasklets in several states, on two threads, more than a chunk of
/// blocks holds.
fn zoo() {
    let (_, most) = getrlimit(Resource::RLIMIT_CORE).unwrap();
    setrlimit(Resource::RLIMIT_CORE, most, most).unwrap();
    let channel = Channel::new();
    for number in 0..260 {
        let (theirs, name) = (channel.clone(), format!("animal {number}"));
        let animal = Builder::new()
            .name(name)
            .spawn(move || keeps_animals(&theirs));
        drop(animal.unwrap());
    }
    let (sender, complete) = std::sync::mpsc::channel();
    let other = std::thread::spawn(move || {
        let channel = Channel::new();
        let elsewhere = Builder::new().name("elsewhere");
        let task = elsewhere.spawn(move || keeps_animals(&channel)).unwrap();
        schedule();
        sender.send(()).unwrap();
        let (_never, wait) = greenling::thread::channel::<()>(1);
        let _ = wait.receive();
        drop(task);
    });
    complete.recv().unwrap();
    let fresh = Builder::new().name("fresh").tasklet(|| ()).unwrap();
    schedule();
    let last = Builder::new().name("last").spawn(sits_on_the_system_stack);
    last.unwrap().join().unwrap();
    drop((fresh, other));
}

/// Starts the zoo and waits until it is complete.
fn start(path: &str, in_folder: &Path) -> Child {
    let mut command = child::command(path, "zoo");
    command.current_dir(in_folder);
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    while !lines.next().expect("it says so").unwrap().contains("ready") {}
    child
}

/// What gdb says to these commands.
fn gdb(gdb: &Path, target: &[&str], commands: &[&str]) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/gdb/greenling.py");
    let mut command = Command::new(gdb);
    command.args(["--batch", "--nx", "-iex", "set debuginfod enabled off"]);
    command.args(target).args(["-x", script]);
    for line in commands {
        command.args(["-ex", line]);
    }
    tools::run(&mut command, b"").text()
}

/// The part of a listing that is about the tasklet with this name.
fn about<'a>(text: &'a str, name: &str) -> &'a str {
    let quoted = format!("\"{name}\"");
    let from = text
        .find(&quoted)
        .unwrap_or_else(|| panic!("{name} in:\n{text}"));
    let rest = &text[from..];
    let next = rest
        .match_indices('\n')
        .find(|(at, _)| !rest[at + 1..].starts_with("    #"));
    &rest[..next.map_or(rest.len(), |(at, _)| at)]
}

#[track_caller]
fn assert_order(text: &str, names: &[&str]) {
    let mut lines = text.lines();
    for name in names {
        assert!(lines.any(|line| line.contains(name)), "{name} in:\n{text}");
    }
}

/// Whose backtraces are looked at; those of all would take gdb a while.
const SHOWN: [&str; 6] = [
    "main",
    "animal 0",
    "animal 259",
    "elsewhere",
    "last",
    "fresh",
];

fn id_of<'a>(list: &'a str, name: &str) -> &'a str {
    let line = list
        .lines()
        .find(|line| line.contains(&format!("\"{name}\"")));
    let line = line.unwrap_or_else(|| panic!("{name} in:\n{list}"));
    line.split(' ').next().unwrap()
}

fn check(list: &str, backtraces: &str) {
    assert_eq!(list.matches("blocked \"animal ").count(), 260, "{list}");
    let last = about(list, "animal 259");
    assert!(last.contains("waits for channel receive"), "{last}");
    assert!(about(list, "main").contains("waits for join"), "{list}");
    assert!(list.contains("runnable (on thread LWP "), "{list}");
    for name in ["animal 0", "animal 259", "elsewhere"] {
        let frames = about(backtraces, name);
        assert_order(
            frames,
            &["waits_in_the_zoo", "keeps_animals", "main_of", "trampoline"],
        );
        assert!(frames.contains("inspect/gdb.rs:"), "{frames}");
    }
    assert_order(
        about(backtraces, "main"),
        &["tasklets_of_a_live_process", "thread_start"],
    );
    let last = about(backtraces, "last");
    assert_order(last, &["sits_on_the_system_stack", "main_of"]);
    assert!(
        backtraces.contains("paused \"fresh\"\n    (has not begun)"),
        "{backtraces}"
    );
}

#[test]
#[cfg_attr(
    greenling_asan,
    ignore = "the sanitizer's own frames are not to be told"
)]
fn tasklets_of_a_live_process_and_of_its_core_file() {
    let path = "gdb::tasklets_of_a_live_process_and_of_its_core_file";
    if child::is("zoo") {
        zoo();
        std::process::exit(0);
    }
    let Some(program) = tools::find(path, "gdb") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut process = start(path, folder.path());
    let id = process.id().to_string();
    let list = gdb(&program, &["-p", &id], &["greenling tasklets"]);
    if list.contains("ptrace: Operation not permitted") {
        process.kill().unwrap();
        process.wait().unwrap();
        return tools::skip(path, "ptrace is not allowed");
    }
    let commands: Vec<_> = SHOWN
        .iter()
        .map(|name| format!("greenling backtrace {}", id_of(&list, name)))
        .collect();
    let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
    let backtraces = gdb(&program, &["-p", &id], &commands);
    check(&list, &backtraces);
    assert!(!backtraces.contains("\"animal 1\""), "{backtraces}");

    // The kernel's: gdb's own gives up a mapping at the first guard page in it.
    let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    if pattern.contains(['|', '/']) {
        process.kill().unwrap();
        process.wait().unwrap();
        // Where they go to is not for a test to guess; the live process was seen.
        return eprintln!("{path}: core files go elsewhere");
    }
    // `wait` would close it first, and the process would end of that.
    let input = process.stdin.take();
    kill(Pid::from_raw(process.id() as i32), Signal::SIGABRT).unwrap();
    let status = process.wait().unwrap();
    assert!(status.core_dumped(), "{status}");
    drop(input);
    let mut files = std::fs::read_dir(folder.path()).unwrap();
    let core = files.next().expect("a core file").unwrap().path();
    let binary = std::env::current_exe().unwrap();
    let target = [binary.to_str().unwrap(), core.to_str().unwrap()];
    let list = gdb(&program, &target, &["greenling tasklets"]);
    check(&list, &gdb(&program, &target, &commands));
}
