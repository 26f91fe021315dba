//! A client's and a server's engine that do everything in any order, with the
//! ciphertext between them in pieces of any size.
//!
//! While the bytes between them are left alone neither may fail, and in the end
//! each has got what the other has written. With bytes changed, lost or cut off
//! each gets a beginning of it and then an error. In neither case is there a
//! panic, a call without end, an entry in OpenSSL's error queue, or a leak.

#![no_main]

use std::collections::VecDeque;

use greenling_fuzz::{Input, NAME, answer, byte_at, check_error_queue, contexts, pattern};
use greenling_fuzz::{Pair, poison_error_queue};
use greenling_tls::{Engine, EngineError, Error, RingSizes, Want};
use libfuzzer_sys::fuzz_target;

/// More than any session needs that the inputs can describe.
const STEPS_MAX: usize = 200_000;

struct Side {
    index: usize,
    engine: Engine,
    /// Ciphertext on its way to this side.
    wire: VecDeque<u8>,
    sent: u64,
    got: u64,
    peeked: Vec<u8>,
    /// What has reached this side is not what was sent to it, or might break off.
    harmed: bool,
    /// Its permanent error, in words.
    failed: Option<String>,
    /// The peer's goodbye was read.
    ended: bool,
}

impl Side {
    fn new(index: usize, pair: &Pair, rings: RingSizes) -> Side {
        let engine = match index {
            0 => Engine::new(&pair.server, None, rings),
            _ => Engine::new(&pair.client, Some(NAME), rings),
        };
        Side {
            index,
            engine: engine.expect("engine"),
            wire: VecDeque::new(),
            sent: 0,
            got: 0,
            peeked: Vec::new(),
            harmed: false,
            failed: None,
            ended: false,
        }
    }

    /// Judges the outcome of an engine's call.
    fn judge<T>(&mut self, call: &str, result: Result<T, EngineError>) -> Option<T> {
        check_error_queue(call);
        let kept = self.engine.failure().map(ToString::to_string);
        let before = self.failed.is_some();
        if let Some(failed) = &self.failed {
            assert_eq!(Some(failed), kept.as_ref(), "an error is for ever");
        }
        self.failed = kept;
        match result {
            Ok(value) => {
                // A read that met an error behind some bytes has returned those.
                assert!(!before, "{call} succeeds after a failure");
                Some(value)
            }
            Err(EngineError::Want(Want::Read)) => None,
            Err(EngineError::Want(Want::App)) => {
                answer(&mut self.engine);
                None
            }
            Err(EngineError::Want(want)) => panic!("{call} of {} {want}", self.index),
            Err(EngineError::Closed) => {
                assert!(self.engine.is_peer_closed());
                None
            }
            // Refused, which harms nothing.
            Err(EngineError::Failed(_)) if self.failed.is_none() => None,
            Err(EngineError::Failed(error)) => {
                assert_eq!(Some(error.to_string()), self.failed);
                None
            }
        }
    }

    fn read(&mut self, len: usize, sent_by_peer: u64) -> bool {
        if len == 0 {
            assert_eq!(self.engine.read(&mut []).expect("nothing to read"), 0);
            return false;
        }
        let mut buf = vec![0; len];
        let result = self.engine.read(&mut buf);
        if let Err(EngineError::Closed) = result {
            self.ended = true;
        }
        let Some(n) = self.judge("read", result) else {
            return false;
        };
        self.check_bytes(&buf[..n]);
        let same = self.peeked.len().min(n);
        assert_eq!(self.peeked[..same], buf[..same], "peeked and read");
        self.peeked.clear();
        self.got += n as u64;
        assert!(self.got <= sent_by_peer, "bytes out of nowhere");
        assert!(n > 0, "an empty read is no end");
        true
    }

    fn peek(&mut self, len: usize) {
        if len == 0 {
            assert_eq!(self.engine.peek(&mut []).expect("nothing to read"), 0);
            return;
        }
        let mut buf = vec![0; len];
        let result = self.engine.peek(&mut buf);
        if let Some(n) = self.judge("peek", result) {
            self.check_bytes(&buf[..n]);
            self.peeked = buf[..n].to_vec();
        }
    }

    fn check_bytes(&self, bytes: &[u8]) {
        for (i, byte) in (self.got..).zip(bytes) {
            assert_eq!(*byte, byte_at(1 - self.index, i), "byte {i}");
        }
    }

    fn write(&mut self, len: usize) {
        if len == 0 {
            assert_eq!(self.engine.write(&[]).expect("nothing to write"), 0);
            return;
        }
        let data = pattern(self.index, self.sent, len);
        let result = self.engine.write(&data);
        if let Some(n) = self.judge("write", result) {
            assert!(0 < n && n <= len);
            self.sent += n as u64;
        }
    }

    /// Takes up to `limit` bytes from the wire.
    fn receive(&mut self, limit: usize) -> usize {
        let mut taken = 0;
        while taken < limit && !self.wire.is_empty() {
            let space = self.engine.in_space();
            let n = space.len().min(limit - taken).min(self.wire.len());
            if n == 0 {
                break;
            }
            for (slot, byte) in space.iter_mut().zip(self.wire.drain(..n)) {
                *slot = byte;
            }
            self.engine.commit_in(n);
            taken += n;
        }
        check_error_queue("in_space and commit_in");
        taken
    }

    /// Puts up to `limit` bytes on the wire to `peer`.
    fn send(&mut self, peer: &mut Side, limit: usize) -> usize {
        let mut moved = 0;
        while moved < limit {
            let data = self.engine.out_data();
            let n = data.len().min(limit - moved);
            if n == 0 {
                break;
            }
            peer.wire.extend(&data[..n]);
            self.engine.consume_out(n);
            moved += n;
        }
        check_error_queue("out_data and consume_out");
        moved
    }
}

/// One command of the input.
fn act(command: u8, input: &mut Input<'_>, me: &mut Side, peer: &mut Side) {
    match command % 32 {
        0 | 1 => {
            let result = me.engine.handshake();
            me.judge("handshake", result);
        }
        2..=4 => {
            me.read(input.size(), peer.sent);
        }
        5 => me.peek(input.size()),
        6..=8 => me.write(input.size()),
        9 => {
            let result = me.engine.shutdown();
            me.judge("shutdown", result);
        }
        10 => {
            let result = me.engine.key_update(input.flag());
            me.judge("key_update", result);
        }
        11 => {
            let result = me.engine.new_session_ticket();
            me.judge("new_session_ticket", result);
        }
        12 => {
            let result = me.engine.renegotiate();
            // Data and goodbyes that cross a new handshake of TLS 1.2 may end it.
            me.harmed |= me.judge("renegotiate", result).is_some();
        }
        13 => {
            let result = me.engine.verify_client_post_handshake();
            me.judge("verify_client_post_handshake", result);
        }
        14 => {
            me.engine.park();
            check_error_queue("park");
        }
        15 | 16 => {
            let (incoming, outgoing) = (input.capacity(), input.capacity());
            let rings = RingSizes { incoming, outgoing };
            if me.engine.set_rings(rings) {
                assert_eq!(me.engine.rings(), rings);
            }
            check_error_queue("set_rings");
        }
        17..=19 => {
            me.send(peer, input.size());
        }
        20..=22 => {
            me.receive(input.size());
        }
        23 => poison_error_queue(),
        24 => {
            // Asks for everything, which changes nothing.
            let engine = &me.engine;
            let _ = (engine.pending(), engine.in_pending(), engine.out_pending());
            let _ = (engine.out_free(), engine.read_request(), engine.rings());
            let _ = (engine.has_room_for(input.size()), engine.is_parked());
            let _ = (engine.session(), engine.is_session_reused());
            check_error_queue("queries");
        }
        25 => {
            // A copying transport.
            let mut buf = vec![0; input.size()];
            let n = me.engine.drain(&mut buf);
            peer.wire.extend(&buf[..n]);
            let n = me.engine.feed(me.wire.make_contiguous());
            me.wire.drain(..n);
            check_error_queue("drain and feed");
        }
        26 => {
            // Everything that is under way arrives.
            me.send(peer, usize::MAX);
            peer.receive(usize::MAX);
        }
        27 => {
            // The end, in order if nothing is under way.
            me.harmed = true;
            me.engine.close_in();
            check_error_queue("close_in");
        }
        28 => {
            me.harmed = true;
            let at = input.size();
            if let Some(byte) = me.wire.get_mut(at) {
                *byte ^= input.byte().max(1);
            }
        }
        29 => {
            me.harmed = true;
            let n = input.size().min(me.wire.len());
            me.wire.drain(..n);
        }
        30 => {
            me.harmed = true;
            let copy: Vec<u8> = me.wire.iter().take(input.size()).copied().collect();
            me.wire.extend(copy);
        }
        _ => {
            me.harmed = true;
            for _ in 0..input.byte() % 16 {
                let byte = input.byte();
                me.wire.push_front(byte);
            }
        }
    }
}

/// Lets both come to an end, whatever they have been through.
fn finish(server: &mut Side, client: &mut Side) {
    let mut said = [false; 2];
    for step in 0.. {
        assert!(step < STEPS_MAX, "no end");
        let mut moved = 0;
        let sent = [server.sent, client.sent];
        for side in [&mut *server, &mut *client] {
            let result = side.engine.handshake();
            side.judge("handshake", result);
            while side.read(5000, sent[1 - side.index]) {
                moved += 1;
            }
            if side.engine.is_established() && !said[side.index] {
                let result = side.engine.shutdown();
                said[side.index] = side.judge("shutdown", result).is_some();
            }
        }
        moved += server.send(client, usize::MAX) + client.send(server, usize::MAX);
        moved += server.receive(usize::MAX) + client.receive(usize::MAX);
        if moved == 0 {
            break;
        }
    }
    if !server.harmed && !client.harmed {
        for side in [&*server, &*client] {
            assert_eq!(side.failed, None, "side {} unharmed", side.index);
            assert!(side.ended, "side {} has no goodbye", side.index);
        }
        assert_eq!((server.got, client.got), (client.sent, server.sent));
        return;
    }
    // Who is told that nothing follows says so, unless it has all.
    for side in [server, client] {
        side.engine.close_in();
        let mut buf = [0; 1];
        let end = loop {
            match side.engine.read(&mut buf) {
                Ok(n) => side.got += n as u64,
                Err(EngineError::Want(Want::App)) => answer(&mut side.engine),
                Err(end) => break end,
            }
        };
        match end {
            EngineError::Want(want) => panic!("{want} after the end"),
            EngineError::Closed => {}
            EngineError::Failed(Error::Local(what)) => panic!("{what}"),
            EngineError::Failed(_) => {}
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let choice = input.byte();
    let pair = contexts(choice);
    let mut sides = [0, 1].map(|index| {
        let (incoming, outgoing) = (input.capacity(), input.capacity());
        Side::new(index, pair, RingSizes { incoming, outgoing })
    });
    let [server, client] = &mut sides;
    if choice & 4 != 0 {
        client.engine.offer_post_handshake_auth();
    }
    if choice & 8 != 0 {
        // What happens on established connections is reached without finding
        // the way through the handshake first.
        while !(server.engine.is_established() && client.engine.is_established()) {
            for side in [&mut *server, &mut *client] {
                let result = side.engine.handshake();
                side.judge("handshake", result);
            }
            server.send(client, usize::MAX);
            client.send(server, usize::MAX);
            server.receive(usize::MAX);
            client.receive(usize::MAX);
        }
    }
    while let Some(command) = input.command() {
        if command & 32 == 0 {
            act(command, &mut input, server, client);
        } else {
            act(command, &mut input, client, server);
        }
    }
    finish(server, client);
    drop(sides);
    check_error_queue("drop");
});
