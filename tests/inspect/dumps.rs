//! Dumps of one thread.

use greenling::inspect::{self, DumpOptions};
use greenling::{Channel, schedule};
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use tests::{child, isolated};

fn dump(options: &DumpOptions) -> String {
    let mut text = Vec::new();
    inspect::dump_with(&mut text, options).unwrap();
    String::from_utf8(text).unwrap()
}

#[inline(never)]
fn waits_on(channel: &Channel<()>) {
    let _ = std::hint::black_box(channel.receive());
}

#[test]
fn ten_thousand_tasklets_are_dumped() {
    isolated(|| {
        let channel = Channel::<()>::new();
        for _ in 0..10_000 {
            let channel = channel.clone();
            greenling::spawn(move || waits_on(&channel));
        }
        schedule();
        let text = dump(&DumpOptions::new().backtraces(true));
        let waiting = text.matches("waits for channel receive").count();
        assert_eq!(waiting, 10_000);
        assert_eq!(text.matches("waits_on at").count(), 10_000);
        let text = dump(&DumpOptions::new());
        assert_eq!(text.lines().count(), 10_001);
    });
}

#[test]
fn main_was_made_where_the_thread_came_to_tasklets() {
    let [entered, waited] = [
        || greenling::enter(|| dump(&DumpOptions::new())),
        || {
            let channel = Channel::<()>::new();
            channel.close();
            channel.receive().unwrap_err();
            dump(&DumpOptions::new())
        },
    ]
    .map(|test| tests::on_bare_thread(test));
    for text in [entered, waited] {
        let place = format!("\"main\", made at {}:", file!());
        assert!(text.contains(&place), "{text}");
    }
}

#[inline(never)]
fn waits_for_ever() {
    let _ = Channel::<()>::new().receive();
}

#[test]
fn a_deadlock_report_has_backtraces_if_the_environment_asks() {
    if child::is("deadlock") {
        tests::logs::keep();
        let task = greenling::spawn(waits_for_ever);
        let _ = greenling::Channel::<()>::new().receive();
        drop(task);
        let lines = tests::logs::take();
        println!("{}", lines.join("\n"));
        std::process::exit(0);
    }
    let path = "dumps::a_deadlock_report_has_backtraces_if_the_environment_asks";
    for (value, wanted) in [("1", true), ("0", false)] {
        let environment = [("GREENLING_BACKTRACE", value)];
        let text = child::run(path, "deadlock", &environment).success().text();
        assert!(text.contains("deadlock: nothing can wake"), "{text}");
        assert_eq!(text.contains("waits_for_ever"), wanted, "{text}");
    }
}

#[test]
fn a_signal_dumps_all_threads() {
    if child::is("signal") {
        inspect::dump_on(greenling::signal::SIGUSR1).unwrap();
        inspect::dump_on(greenling::signal::SIGUSR1).unwrap();
        let task = greenling::spawn(waits_for_ever);
        nix::sys::signal::raise(nix::sys::signal::Signal::SIGUSR1).unwrap();
        // Until the parent has seen enough.
        let end = greenling::offload(|| std::io::stdin().lines().next().is_none());
        assert!(end.unwrap());
        drop(task);
        std::process::exit(0);
    }
    let path = "dumps::a_signal_dumps_all_threads";
    let mut command = child::command(path, "signal");
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::null());
    let piped = piped.stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut seen = String::new();
    while !seen.contains("waits_for_ever at ") {
        let line = lines.next().expect("the dump goes on").unwrap();
        seen = format!("{seen}{line}\n");
    }
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    seen.extend(lines.map(|line| line.unwrap() + "\n"));
    assert_eq!(
        seen.matches("waits for channel receive").count(),
        1,
        "{seen}"
    );
    assert_eq!(seen.matches("waits for offload").count(), 1, "{seen}");
    // Its own thread is of no interest.
    assert!(!seen.contains("greenling-dump"), "{seen}");
}
