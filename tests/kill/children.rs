//! Waits for child processes and for descriptors of all kinds.

use crate::stage::{Stage, kill_tests};
use greenling::io::Fd;
use greenling::process::{Command, Stdio};
use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::rc::Rc;

kill_tests! {
    waiting_for_a_child,
    gathering_its_output,
    reading_a_pipe,
    writing_a_pipe,
}

fn waiting_for_a_child(stage: &Stage) {
    let mut command = Command::new("sh");
    command.args(["-c", "read line; exit 5"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let child = Rc::new(child);
    let waiting = child.clone();
    let victim = stage.victim(move || waiting.wait_shared().unwrap().code());
    stage.until_parked();
    stdin.write_all(b"go\n").unwrap();
    let code = stage.end(victim);
    assert!(code.is_none_or(|code| code == Some(5)));
    assert_eq!(child.wait_shared().unwrap().code(), Some(5));
}

fn gathering_its_output(stage: &Stage) {
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "read line; echo $line; echo error >&2; read line; echo $line",
    ]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let (mut stdin, id) = (child.stdin.take().unwrap(), child.id());
    let victim = stage.victim(move || child.wait_with_output().unwrap());
    for line in [b"one\n", b"two\n"] {
        if stage.until_parked() {
            stdin.write_all(line).unwrap();
        }
    }
    drop(stdin);
    if let Some(output) = stage.end(victim) {
        assert_eq!(output.stdout, b"one\ntwo\n");
        assert_eq!(output.stderr, b"error\n");
    }
    // Dropped with the victim, it is reaped by others.
    until_reaped(id);
    // What reaps is made once, so it has to be there before any kill: by a
    // child that lives longer than its object.
    let mut orphan = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
    let (stdin, id) = (orphan.stdin.take(), orphan.id());
    drop(orphan);
    drop(stdin);
    until_reaped(id);
}

fn until_reaped(id: u32) {
    while std::path::Path::new(&format!("/proc/{id}")).exists() {
        greenling::time::sleep(std::time::Duration::from_micros(100));
    }
}

fn reading_a_pipe(stage: &Stage) {
    let (reader, writer) = std::io::pipe().unwrap();
    let reader = Rc::new(Fd::new(reader).unwrap());
    let got = Rc::new(RefCell::new(Vec::new()));
    let (reading, keeping) = (reader.clone(), got.clone());
    let victim = stage.victim(move || {
        let mut buffer = [0; 4];
        loop {
            match (&*reading).read(&mut buffer).unwrap() {
                0 => return,
                count => keeping.borrow_mut().extend_from_slice(&buffer[..count]),
            }
        }
    });
    stage.feed(victim, writer, &got, &*reader);
}

fn writing_a_pipe(stage: &Stage) {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let writer = Fd::new(writer).unwrap();
    let written = Rc::new(Cell::new(0));
    let counting = written.clone();
    let victim = stage.victim(move || {
        for _ in 0..10 {
            let count = (&writer).write(&[b'w'; 50_000]).unwrap();
            counting.set(counting.get() + count);
        }
    });
    let mut received = 0;
    let mut buffer = vec![0; 1 << 16];
    loop {
        // The pipe is full whenever the victim waits, and closed at its end.
        stage.until_parked();
        match reader.read(&mut buffer).unwrap() {
            0 => break,
            count => received += count,
        }
    }
    stage.end(victim);
    assert_eq!(received, written.get());
}
