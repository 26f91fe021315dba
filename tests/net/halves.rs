//! Streams taken apart.

use greenling::net::{OwnedReadHalf, OwnedWriteHalf, TcpStream, UnixStream};
use greenling::{schedule, spawn};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use tests::isolated;
use tests::process::open_descriptors;
use tests::sockets::pair;

#[test]
fn halves_read_and_write_at_the_same_time() {
    isolated(|| {
        let (ours, theirs) = pair();
        let (reader, mut writer) = ours.split();
        let (mut echo_reader, mut echo_writer) = theirs.split();
        spawn(move || std::io::copy(&mut echo_reader, &mut echo_writer).unwrap());
        let writing = spawn(move || {
            for number in 0..20_000 {
                writeln!(writer, "line {number}").unwrap();
            }
        });
        let lines = BufReader::new(reader).lines().map(Result::unwrap);
        assert_eq!(lines.count(), 20_000);
        writing.join().unwrap();
    });
}

#[test]
fn dropping_the_write_half_ends_the_stream_for_the_peer_only() {
    isolated(|| {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let (mut reader, mut writer) = ours.split();
        writer.write_all(b"last").unwrap();
        drop(writer);
        let mut text = String::new();
        theirs.read_to_string(&mut text).unwrap();
        assert_eq!(text, "last");
        theirs.write_all(b"answer").unwrap();
        let mut buffer = [0; 9];
        assert_eq!(reader.read(&mut buffer).unwrap(), 6);
        let error = reader.get_ref().write(b"x").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn dropping_the_read_half_or_forgetting_the_other_ends_nothing() {
    isolated(|| {
        let (ours, mut theirs) = pair();
        let (reader, mut writer) = ours.split();
        drop(reader);
        writer.write_all(b"one").unwrap();
        let mut buffer = [0; 9];
        assert_eq!(theirs.read(&mut buffer).unwrap(), 3);

        let (ours, mut theirs) = pair();
        let (mut reader, writer) = ours.split();
        writer.forget();
        let waiting = spawn(move || theirs.read(&mut [0]).map(|size| (size, theirs)));
        schedule();
        assert!(!waiting.is_finished(), "the stream has ended");
        reader.get_ref().write_all(b"!").unwrap();
        let (size, mut theirs) = waiting.join().unwrap().unwrap();
        assert_eq!(size, 1);
        theirs.write_all(b"x").unwrap();
        assert_eq!(reader.read(&mut buffer).unwrap(), 1);
    });
}

#[test]
fn the_descriptor_is_closed_with_the_last_half() {
    tests::process::alone(
        "halves::the_descriptor_is_closed_with_the_last_half",
        || {
            greenling::enter(|| {
                let (ours, theirs) = pair();
                let before = open_descriptors();
                let (reader, writer) = ours.split();
                assert_eq!(open_descriptors(), before);
                drop(reader);
                assert_eq!(open_descriptors(), before);
                drop(writer);
                assert_eq!(open_descriptors(), before - 1);
                drop(theirs);
            });
        },
    );
}

#[test]
fn halves_of_one_stream_come_together_again_and_others_do_not() {
    isolated(|| {
        let (ours, theirs) = pair();
        let (reader, writer) = ours.split();
        let (other_reader, other_writer) = theirs.split();
        let error = reader.reunite(other_writer).unwrap_err();
        assert_eq!(error.to_string(), "the halves are not of one stream");
        let (reader, other_writer): (OwnedReadHalf<TcpStream>, OwnedWriteHalf<TcpStream>) =
            (error.0, error.1);
        let ours = writer.reunite(reader).unwrap();
        let mut theirs = other_reader.reunite(other_writer).unwrap();
        // Neither direction was shut down, and the last handle can be given back.
        (&ours).write_all(b"x").unwrap();
        assert_eq!(theirs.read(&mut [0; 9]).unwrap(), 1);
        theirs.write_all(b"y").unwrap();
        let mut plain = ours.into_std().unwrap();
        assert_eq!(plain.read(&mut [0; 9]).unwrap(), 1);
    });
}
