//! Two streams that do everything in any order over a transport that blocks,
//! fails and ends wherever the input says.
//!
//! Waits are forbidden to both or end at once by a deadline, so all calls
//! return. What was written arrives in order; unless something was broken on
//! purpose, all of it does.

#![no_main]

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::rc::Rc;
use std::time::Instant;

use greenling_fuzz::{Input, NAME, byte_at, check_error_queue, contexts, pattern};
use greenling_tls::{Error, Interest, Ready, RingSizes, TlsStream, Transport};
use libfuzzer_sys::fuzz_target;

const STEPS_MAX: usize = 100_000;

/// What the next calls of one direction do instead of their work.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Fault {
    #[default]
    None,
    Blocked,
    Interrupted,
    /// Claims more than it was given.
    Lies,
    /// For ever.
    Broken,
    Ended,
}

#[derive(Debug, Default)]
struct Direction {
    data: RefCell<VecDeque<u8>>,
    fault: Cell<Fault>,
    /// How many calls the fault lasts.
    calls: Cell<u8>,
    chunk: Cell<usize>,
    ended: Cell<bool>,
}

impl Direction {
    fn fault(&self) -> Fault {
        let fault = self.fault.get();
        if matches!(fault, Fault::Broken | Fault::Ended) {
            return fault;
        }
        match self.calls.get().checked_sub(1) {
            Some(calls) => self.calls.set(calls),
            None => self.fault.set(Fault::None),
        }
        self.fault.get()
    }

    /// What the fault is as a result, if there is one.
    fn strike(&self, len: usize) -> Option<io::Result<usize>> {
        match self.fault() {
            Fault::None => None,
            Fault::Blocked => Some(Err(ErrorKind::WouldBlock.into())),
            Fault::Interrupted => Some(Err(ErrorKind::Interrupted.into())),
            Fault::Lies => Some(Ok(len + 1)),
            Fault::Broken => Some(Err(ErrorKind::ConnectionReset.into())),
            Fault::Ended => Some(Ok(0)),
        }
    }

    fn room(&self) -> usize {
        self.chunk.get().max(1)
    }
}

/// One end. The other end has the same two directions the other way round.
struct End {
    incoming: Rc<Direction>,
    outgoing: Rc<Direction>,
    /// How many waits return without reason before one ends by a deadline.
    patience: Cell<u8>,
}

impl Transport for End {
    const MAY_SUSPEND: bool = false;

    fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        assert!(!buf.is_empty());
        if let Some(result) = self.incoming.strike(buf.len()) {
            return result;
        }
        let mut data = self.incoming.data.borrow_mut();
        let n = data.len().min(buf.len()).min(self.incoming.room());
        if n == 0 && !self.incoming.ended.get() {
            return Err(ErrorKind::WouldBlock.into());
        }
        for (slot, byte) in buf.iter_mut().zip(data.drain(..n)) {
            *slot = byte;
        }
        Ok(n)
    }

    fn try_send(&self, data: &[u8]) -> io::Result<usize> {
        assert!(!data.is_empty());
        if self.outgoing.ended.get() {
            return Err(ErrorKind::BrokenPipe.into());
        }
        if let Some(result) = self.outgoing.strike(data.len()) {
            return result;
        }
        let n = data.len().min(self.outgoing.room());
        self.outgoing.data.borrow_mut().extend(&data[..n]);
        Ok(n)
    }

    fn wait(&self, _: Interest, _: Option<Instant>) -> io::Result<Ready> {
        match self.patience.get().checked_sub(1) {
            Some(left) => {
                self.patience.set(left);
                Ok(Ready::default())
            }
            None => Err(ErrorKind::TimedOut.into()),
        }
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        if how != Shutdown::Read {
            self.outgoing.ended.set(true);
        }
        if how != Shutdown::Write {
            self.incoming.ended.set(true);
        }
        Ok(())
    }
}

struct Side {
    index: usize,
    stream: TlsStream<End>,
    /// What was certainly written, and what may have been.
    sent: u64,
    sent_at_most: u64,
    got: u64,
    /// Something was broken here on purpose, or by giving up in the middle.
    broken: bool,
    ended: bool,
    said: bool,
}

impl Side {
    /// Judges an outcome; the value if there is one.
    fn judge<T>(&mut self, call: &str, result: Result<T, Error>) -> Option<T> {
        check_error_queue(call);
        match result {
            Ok(value) => Some(value),
            Err(error) if error.is_transient() => None,
            Err(Error::Local(_) | Error::Unsupported(_)) => None,
            Err(error) => {
                assert!(self.broken, "{call} of {}: {error}", self.index);
                None
            }
        }
    }

    /// Whether something came.
    fn read(&mut self, len: usize, sent_by_peer: u64) -> bool {
        let mut buf = vec![0; len];
        let result = (&self.stream).read(&mut buf).map_err(Error::from);
        let Some(n) = self.judge("read", result) else {
            return false;
        };
        for (i, byte) in (self.got..).zip(&buf[..n]) {
            assert_eq!(*byte, byte_at(1 - self.index, i), "byte {i}");
        }
        self.got += n as u64;
        assert!(self.got <= sent_by_peer, "bytes out of nowhere");
        self.ended |= n == 0 && len > 0;
        n > 0
    }

    fn write(&mut self, len: usize) {
        if len == 0 {
            // Succeeds whatever has been before.
            assert_eq!((&self.stream).write(&[]).expect("nothing to write"), 0);
            return;
        }
        let data = pattern(self.index, self.sent_at_most, len);
        let result = (&self.stream).write(&data).map_err(Error::from);
        if let Some(n) = self.judge("write", result) {
            self.sent += n as u64;
            self.sent_at_most = self.sent;
        }
    }

    fn write_all(&mut self, len: usize) {
        let data = pattern(self.index, self.sent_at_most, len);
        // Nobody knows how much goes out if it ends early.
        let before = self.sent_at_most;
        self.sent_at_most += len as u64;
        let result = (&self.stream).write_all(&data).map_err(Error::from);
        match self.judge("write_all", result) {
            Some(()) => self.sent = self.sent_at_most,
            // The next write says whether this one was torn. If not, nothing of it
            // has gone.
            None => {
                let data = pattern(self.index, before, 1);
                let result = (&self.stream).write(&data).map_err(Error::from);
                let torn = |error: &Error| error.to_string().contains("ended in the middle");
                if result.as_ref().is_err_and(torn) {
                    self.broken = true;
                    return;
                }
                self.sent_at_most = before;
                if self.judge("write", result).is_some() {
                    self.sent += 1;
                    self.sent_at_most = self.sent;
                }
            }
        }
    }
}

fn act(command: u8, input: &mut Input<'_>, me: &mut Side, peer: &mut Side) {
    match command % 32 {
        0 | 1 => {
            let result = me.stream.handshake();
            me.judge("handshake", result);
        }
        2..=4 => {
            me.read(input.size(), peer.sent_at_most);
        }
        5 => {
            let mut buf = vec![0; input.size()];
            let result = me.stream.peek(&mut buf);
            if let Some(n) = me.judge("peek", result) {
                for (i, byte) in (me.got..).zip(&buf[..n]) {
                    assert_eq!(*byte, byte_at(1 - me.index, i), "byte {i}");
                }
            }
        }
        6..=9 => me.write(input.size()),
        10 => me.write_all(input.size() * 5),
        11 => {
            let result = (&me.stream).flush().map_err(Error::from);
            me.judge("flush", result);
        }
        12 => {
            let result = me.stream.shutdown_write();
            me.said |= me.judge("shutdown_write", result).is_some();
        }
        13 => {
            let ask = input.flag();
            let _ = me.stream.with_engine(|engine| engine.key_update(ask));
            check_error_queue("key_update");
        }
        14 => {
            let _ = me.stream.with_engine(|engine| engine.new_session_ticket());
            check_error_queue("new_session_ticket");
        }
        15 => {
            let (incoming, outgoing) = (input.capacity(), input.capacity());
            let rings = RingSizes { incoming, outgoing };
            let _ = me.stream.with_engine(|engine| engine.set_rings(rings));
            check_error_queue("set_rings");
        }
        16 => {
            let _ = me.stream.with_engine(|engine| engine.park());
            check_error_queue("park");
        }
        17 => {
            let _ = me
                .stream
                .with_engine(|engine| engine.verify_client_post_handshake());
            check_error_queue("verify_client_post_handshake");
        }
        18 => me.stream.set_nonblocking(input.flag()),
        19 => me.stream.get_ref().patience.set(input.byte() % 16),
        20 | 21 => me.stream.get_ref().outgoing.chunk.set(input.size()),
        22 | 23 => {
            let end = me.stream.get_ref();
            let direction = [&end.incoming, &end.outgoing][usize::from(input.byte() & 1)];
            direction
                .fault
                .set([Fault::Blocked, Fault::Interrupted][usize::from(input.byte() & 1)]);
            direction.calls.set(input.byte() % 8);
        }
        24 => {
            let _ = (
                me.stream.pending(),
                me.stream.buffered(),
                me.stream.version(),
            );
            let _ = (
                me.stream.session(),
                me.stream.cipher(),
                me.stream.peer_certificate(),
            );
            check_error_queue("queries");
        }
        25 => {
            let end = me.stream.get_ref();
            let direction = [&end.incoming, &end.outgoing][usize::from(input.byte() & 1)];
            let fault = [Fault::Lies, Fault::Broken, Fault::Ended][usize::from(input.byte() % 3)];
            direction.fault.set(fault);
            direction.calls.set(1);
            (me.broken, peer.broken) = (true, true);
        }
        26 => {
            (me.broken, peer.broken) = (true, true);
            me.stream.abort();
            check_error_queue("abort");
        }
        27 => {
            (me.broken, peer.broken) = (true, true);
            let _ = me.stream.close();
            check_error_queue("close");
        }
        28 => {
            let wire = &me.stream.get_ref().incoming.data;
            if let Some(byte) = wire.borrow_mut().get_mut(input.size()) {
                *byte ^= input.byte().max(1);
                (me.broken, peer.broken) = (true, true);
            }
        }
        _ => {
            me.read(700, peer.sent_at_most);
            peer.read(700, me.sent_at_most);
        }
    }
}

fn finish(sides: &mut [Side; 2]) {
    for side in sides.iter() {
        side.stream.set_nonblocking(true);
        let end = side.stream.get_ref();
        end.outgoing.chunk.set(usize::MAX);
    }
    for step in 0.. {
        assert!(step < STEPS_MAX, "no end");
        let mut moved = false;
        for me in 0..2 {
            let sent = sides[1 - me].sent_at_most;
            let side = &mut sides[me];
            let before = side.stream.get_ref().outgoing.data.borrow().len();
            let result = side.stream.handshake();
            side.judge("handshake", result);
            while side.read(5000, sent) {
                moved = true;
            }
            if side.stream.is_established() {
                let result = side.stream.shutdown_write();
                side.said |= side.judge("shutdown_write", result).is_some();
            }
            moved |= side.stream.get_ref().outgoing.data.borrow().len() != before;
            let end = side.stream.get_ref();
            for direction in [&end.incoming, &end.outgoing] {
                if matches!(direction.fault.get(), Fault::Blocked | Fault::Interrupted) {
                    direction.fault.set(Fault::None);
                    moved = true;
                }
            }
        }
        if !moved {
            break;
        }
    }
    let [server, client] = sides;
    if !server.broken && !client.broken {
        assert!(server.ended && client.ended, "no goodbye");
        assert_eq!((server.got, client.got), (client.sent, server.sent));
    }
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let choice = input.byte();
    let pair = contexts(choice);
    let ways = [Rc::<Direction>::default(), Rc::<Direction>::default()];
    let mut sides = [0, 1].map(|index| {
        let end = End {
            incoming: ways[1 - index].clone(),
            outgoing: ways[index].clone(),
            patience: Cell::new(0),
        };
        end.outgoing.chunk.set(usize::MAX);
        let stream = match index {
            0 => TlsStream::start_accept(&pair.server, end),
            _ => TlsStream::start_connect(&pair.client, NAME, end),
        };
        stream.set_nonblocking(true);
        // No input should depend on how fast the fuzzer is.
        stream.set_handshake_timeout(None);
        Side {
            index,
            stream,
            sent: 0,
            sent_at_most: 0,
            got: 0,
            broken: false,
            ended: false,
            said: false,
        }
    });
    let [server, client] = &mut sides;
    if choice & 4 != 0 {
        let _ = client
            .stream
            .with_engine(|engine| engine.offer_post_handshake_auth());
    }
    if choice & 8 != 0 {
        while !(server.stream.is_established() && client.stream.is_established()) {
            let _ = client.stream.handshake();
            let _ = server.stream.handshake();
        }
    }
    while let Some(command) = input.command() {
        if command & 32 == 0 {
            act(command, &mut input, server, client);
        } else {
            act(command, &mut input, client, server);
        }
    }
    finish(&mut sides);
    drop(sides);
    check_error_queue("drop");
});
