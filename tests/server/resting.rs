//! Connections that wait for their peers without a tasklet.

use greenling::inspect::{self, DumpOptions, metrics};
use greenling::net::TcpStream;
use greenling::server::{Resting, Roused};
use greenling::{schedule, time};
use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::{self, TcpListener};
use std::os::fd::AsRawFd;
use std::rc::Rc;
use std::time::Duration;
use tests::isolated;

const LONG: Duration = Duration::from_secs(1000);

type Log = Rc<RefCell<Vec<(char, Roused)>>>;

/// A socket and its peer, which is no tasklet's.
fn pair() -> (Rc<TcpStream>, net::TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let stream = TcpStream::from_std(listener.accept().unwrap().0).unwrap();
    (Rc::new(stream), client)
}

/// Has a connection rest, which is drained before as one is that was read.
fn rest(resting: &Resting, name: char, stream: &Rc<TcpStream>, log: &Log) {
    assert!(stream.try_read(&mut [0]).is_err());
    let (owned, log) = (stream.clone(), log.clone());
    let rests = resting.until_readable(&**stream, move |roused| {
        log.borrow_mut().push((name, roused));
        drop(owned);
    });
    rests.unwrap();
}

fn run_until(done: impl Fn() -> bool) {
    while !done() {
        time::sleep(Duration::from_millis(1));
    }
}

#[test]
fn goes_on_by_what_arrives_and_holds_no_tasklet_before() {
    isolated(|| {
        let (resting, log) = (Resting::new(LONG), Log::default());
        let (first, mut client) = pair();
        let (second, other) = pair();
        let before = metrics().live;
        rest(&resting, 'a', &first, &log);
        rest(&resting, 'b', &second, &log);
        schedule();
        assert_eq!(resting.len(), 2);
        assert_eq!(metrics().live, before + 1, "who watches");

        client.write_all(b"x").unwrap();
        run_until(|| resting.len() == 1);
        schedule();
        assert_eq!(*log.borrow(), [('a', Roused::Readable)]);
        (&*first).read_exact(&mut [0]).unwrap();

        // It may rest again, and an end is something to read.
        rest(&resting, 'a', &first, &log);
        drop((client, other));
        run_until(|| log.borrow().len() == 3);
        assert!(resting.is_empty());
        run_until(|| metrics().live == before);
        assert_eq!(Rc::strong_count(&first), 1);
    });
}

#[test]
fn what_has_arrived_already_is_not_missed() {
    isolated(|| {
        let (resting, log) = (Resting::new(LONG), Log::default());
        let (stream, mut client) = pair();
        client.write_all(b"x").unwrap();
        let logged = log.clone();
        let rests = resting.until_readable(&*stream, move |roused| {
            logged.borrow_mut().push(('a', roused));
        });
        rests.unwrap();
        run_until(|| !log.borrow().is_empty());
        assert_eq!(*log.borrow(), [('a', Roused::Readable)]);
    });
}

#[test]
fn nobody_rests_for_longer_than_allowed() {
    isolated(|| {
        let (resting, log) = (Resting::new(Duration::from_millis(5)), Log::default());
        let (first, _silent) = pair();
        let (second, _too) = pair();
        rest(&resting, 'a', &first, &log);
        rest(&resting, 'b', &second, &log);
        run_until(|| log.borrow().len() == 2);
        assert_eq!(
            *log.borrow(),
            [('a', Roused::TimedOut), ('b', Roused::TimedOut)]
        );
    });
}

#[test]
fn all_can_be_called() {
    isolated(|| {
        let (resting, log) = (Resting::new(LONG), Log::default());
        let before = metrics().live;
        let (first, _silent) = pair();
        let (second, _too) = pair();
        rest(&resting, 'a', &first, &log);
        rest(&resting, 'b', &second, &log);
        resting.rouse_all();
        assert!(log.borrow().is_empty(), "calling switches to nobody");
        run_until(|| log.borrow().len() == 2);
        assert_eq!(
            *log.borrow(),
            [('a', Roused::Called), ('b', Roused::Called)]
        );
        // Nobody watches over nobody.
        run_until(|| metrics().live == before);
    });
}

#[test]
fn the_end_of_the_thread_drops_those_who_rest() {
    let (resting, mut client) = isolated(|| {
        let (stream, client) = pair();
        let resting = Resting::new(LONG);
        assert!(stream.try_read(&mut [0]).is_err());
        let (owned, place) = (stream.clone(), resting.clone());
        let rests = resting.until_readable(&*stream, move |_| drop((owned, place)));
        rests.unwrap();
        schedule();
        drop(stream);
        (resting.len(), client)
    });
    assert_eq!(resting, 1);
    assert_eq!(client.read(&mut [0]).unwrap(), 0, "the socket is closed");
}

fn dump(options: &DumpOptions) -> String {
    let mut text = Vec::new();
    inspect::dump_with(&mut text, options).unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn dumps_and_metrics_tell_who_rests() {
    isolated(|| {
        let plain = DumpOptions::new();
        let (resting, elsewhere) = (Resting::new(LONG), Resting::new(Duration::MAX));
        assert!(!dump(&plain).contains("at rest"));
        let log = Log::default();
        let pairs: Vec<_> = (0..3).map(|_| pair()).collect();
        for (place, (stream, _)) in [&resting, &elsewhere, &resting].into_iter().zip(&pairs) {
            rest(place, 'a', stream, &log);
        }
        assert_eq!(metrics().resting, 3);
        let sample = "greenling_connections_resting{scheduler=";
        assert!(metrics().to_string().contains(sample));

        let text = dump(&plain);
        let (_, text) = text
            .split_once("connections at rest, without a tasklet: 3\n")
            .unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        for (line, (stream, client)) in lines.iter().zip(&pairs) {
            let (descriptor, peer) = (stream.as_raw_fd(), client.local_addr().unwrap());
            let wanted = format!("  descriptor {descriptor}, peer {peer}, for ");
            assert!(line.starts_with(&wanted), "{wanted:?} in {text}");
        }
        // Those who have rested longest come first, wherever they lie.
        let text = dump(&plain.clone().resting_max(2));
        assert!(text.contains(&format!(
            "{}\n  and 1 that came later\n",
            dump_line(&text, 1)
        )));
        let first = format!("descriptor {},", pairs[0].0.as_raw_fd());
        assert!(dump_line(&text, 0).contains(&first), "{text}");
        assert!(dump(&plain.resting_max(0)).ends_with(": 3\n  and 3 that came later\n"));

        drop((resting, elsewhere));
        drop(pairs);
        run_until(|| metrics().resting == 0);
    });
}

/// One of the lines about those who rest.
fn dump_line(text: &str, index: usize) -> &str {
    let line = text.lines().filter(|line| line.contains("descriptor "));
    line.clone().nth(index).unwrap()
}
