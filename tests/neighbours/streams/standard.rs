//! Code that knows no more than std's traits, and `flate2` in between.

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use greenling::net::TcpStream;
use greenling::{Builder, schedule, spawn};
use neighbours::{Server, crowd};
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, BufWriter, LineWriter, Read, Write};
use std::net::Shutdown;
use std::rc::Rc;
use tests::isolated;
use tests::sockets::pair;

/// Counts words; as written for files.
fn count_words(input: Box<dyn Read>) -> io::Result<BTreeMap<String, usize>> {
    let mut counts = BTreeMap::new();
    for line in BufReader::new(input).lines() {
        for word in line?.split_whitespace() {
            *counts.entry(word.to_owned()).or_default() += 1;
        }
    }
    Ok(counts)
}

#[test]
fn words_are_counted_in_three_hundred_streams() {
    isolated(|| {
        crowd(300, |number, midway| {
            let (ours, theirs) = pair();
            let counted = spawn(move || count_words(Box::new(theirs)).unwrap());
            let mut lines = LineWriter::new(ours);
            for round in 0..10 {
                writeln!(lines, "word{number} word{round} and").unwrap();
                write!(lines, "half ").unwrap();
                if round == 5 {
                    midway.meet();
                }
            }
            drop(lines);
            let counts = counted.join().unwrap();
            assert_eq!(counts["and"], 10);
            assert_eq!(counts["half"], 10);
            let own = format!("word{number}");
            assert_eq!(counts[&own], if number < 10 { 11 } else { 10 });
            assert_eq!(counts.len(), 12 + usize::from(number >= 10));
        });
    });
}

/// Two `io::copy` make a relay; what goes through it is changed by nobody.
#[test]
fn copies_relay_both_directions() {
    const SIZE: usize = 300_000;
    isolated(|| {
        let echo = Server::start(|stream| {
            let (mut reader, mut writer) = (&stream, &stream);
            assert_eq!(io::copy(&mut reader, &mut writer).unwrap(), SIZE as u64);
        });
        let target = echo.address();
        let relay = Server::start(move |client: TcpStream| {
            let client = Rc::new(client);
            let server = Rc::new(TcpStream::connect(target).unwrap());
            let (from, to) = (client.clone(), server.clone());
            let up = spawn(move || {
                io::copy(&mut &*from, &mut &*to).unwrap();
                to.shutdown(Shutdown::Write).unwrap();
            });
            io::copy(&mut &*server, &mut &*client).unwrap();
            client.shutdown(Shutdown::Write).unwrap();
            up.join().unwrap();
        });
        let address = relay.address();
        crowd(30, move |number, midway| {
            let stream = Rc::new(TcpStream::connect(address).unwrap());
            let sent: Vec<u8> = (0..SIZE)
                .map(|at| ((at * (number + 1)) >> 3) as u8)
                .collect();
            let (sending, bytes, midway) = (stream.clone(), sent.clone(), midway.clone());
            let sender = spawn(move || {
                let (first, second) = bytes.split_at(SIZE / 2);
                let mut buffered = BufWriter::new(&*sending);
                buffered.write_all(first).unwrap();
                midway.meet();
                buffered.write_all(second).unwrap();
                buffered.flush().unwrap();
                sending.shutdown(Shutdown::Write).unwrap();
            });
            let mut back = Vec::new();
            (&*stream).read_to_end(&mut back).unwrap();
            assert!(back == sent, "{number}");
            sender.join().unwrap();
        });
        assert_eq!(relay.finish(), 30);
        assert_eq!(echo.finish(), 30);
    });
}

/// Gzip while it is written and while it is read, at the same time, over one
/// socket in both directions.
#[test]
fn gzip_both_ways() {
    const LINES: usize = 400;
    isolated(|| {
        crowd(40, |number, midway| {
            let (ours, theirs) = pair();
            let tasks = [(ours, 1), (theirs, 2)].map(|(stream, way)| {
                let stream = Rc::new(stream);
                let (sending, midway) = (stream.clone(), midway.clone());
                // In debug builds `flate2` makes its 300 KB of state on the stack,
                // before they go into a box.
                let roomy = Builder::new().stack_size(1 << 20);
                let sender = roomy.spawn(move || {
                    let mut gzip = GzEncoder::new(&*sending, Compression::fast());
                    for line in 0..LINES {
                        if (line, way) == (LINES / 2, 1) {
                            gzip.flush().unwrap();
                            midway.meet();
                        }
                        writeln!(gzip, "{number} {way} {line}").unwrap();
                        if line % 50 == 0 {
                            schedule();
                        }
                    }
                    gzip.finish().unwrap();
                    sending.shutdown(Shutdown::Write).unwrap();
                });
                let sender = sender.unwrap();
                let receiver = spawn(move || {
                    let lines = BufReader::new(GzDecoder::new(&*stream)).lines();
                    for (at, line) in lines.enumerate() {
                        assert_eq!(line.unwrap(), format!("{number} {} {at}", 3 - way));
                    }
                });
                (sender, receiver)
            });
            for (sender, receiver) in tasks {
                sender.join().unwrap();
                receiver.join().unwrap();
            }
        });
    });
}
