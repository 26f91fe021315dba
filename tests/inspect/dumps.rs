//! Dumps of one thread.

use greenling::inspect::{self, DumpOptions};
use greenling::{Channel, schedule};
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
