//! Bytes from the network, into a server and into a client.
//!
//! The input says how much of a real session goes by unharmed: nothing (a fresh
//! connection), part of the handshake, or all of it. Then its bytes are what the
//! network says, either raw or as changes to what the real peer goes on to say.
//! A peer cannot make an engine panic, spin, leak, answer without end, or return
//! data that nobody has sent.

#![no_main]

use std::collections::VecDeque;

use greenling_fuzz::{Input, NAME, answer, byte_at, check_error_queue, contexts, pattern};
use greenling_tls::{Engine, EngineError, RingSizes, Want};
use libfuzzer_sys::fuzz_target;

/// More rounds than any session takes here.
const ROUNDS_MAX: usize = 20_000;

/// Answers of more than this to a small input are an amplifier.
const ANSWER_MAX: usize = 64 * 1024;

/// What the real peer says before and after the input takes over.
const WORDS: usize = 300;

struct Victim {
    engine: Engine,
    index: usize,
    got: u64,
    answered: usize,
    questions: usize,
    said: bool,
    over: bool,
}

impl Victim {
    /// Does what a server or client does with what has arrived; whether anything
    /// came of it.
    fn act(&mut self) -> bool {
        let mut moved = false;
        let mut buf = [0; 700];
        while !self.over {
            match self.engine.read(&mut buf) {
                Ok(n) => {
                    for (i, byte) in (self.got..).zip(&buf[..n]) {
                        assert_eq!(*byte, byte_at(1 - self.index, i), "byte {i}");
                    }
                    self.got += n as u64;
                    assert!(self.got <= WORDS as u64, "bytes out of nowhere");
                    moved = true;
                }
                Err(EngineError::Want(Want::Read)) => break,
                Err(EngineError::Want(Want::App)) => {
                    self.questions += 1;
                    assert!(self.questions < 10, "asks without end");
                    answer(&mut self.engine);
                }
                Err(EngineError::Want(want)) => panic!("{want}"),
                Err(EngineError::Closed | EngineError::Failed(_)) => self.over = true,
            }
            check_error_queue("read");
        }
        if self.engine.is_established() && self.engine.failure().is_none() && !self.said {
            let words = pattern(self.index, 0, WORDS);
            assert_eq!(self.engine.write(&words).expect("established"), WORDS);
            self.engine.shutdown().expect("established");
            self.said = true;
            moved = true;
        }
        check_error_queue("write");
        moved
    }

    fn answers(&mut self, mut to: impl FnMut(&[u8])) {
        let mut buf = [0; 4096];
        loop {
            let n = self.engine.drain(&mut buf);
            if n == 0 {
                return;
            }
            self.answered += n;
            assert!(self.answered <= ANSWER_MAX, "answers without end");
            to(&buf[..n]);
        }
    }

    /// The end of the input: whatever has happened, there is a result now.
    fn end(mut self) {
        self.engine.close_in();
        self.act();
        assert!(self.over, "waits for more after the end");
        self.answers(|_| {});
        drop(self);
        check_error_queue("drop");
    }
}

/// The real peer of the victim.
struct Peer {
    engine: Engine,
    index: usize,
    said: bool,
}

impl Peer {
    fn act(&mut self) {
        let mut buf = [0; 700];
        loop {
            match self.engine.read(&mut buf) {
                Ok(_) => {}
                Err(EngineError::Want(Want::App)) => answer(&mut self.engine),
                Err(_) => break,
            }
        }
        if self.engine.is_established() && !self.said && self.engine.failure().is_none() {
            self.said = true;
            let _ = self.engine.write(&pattern(self.index, 0, WORDS));
            let _ = self.engine.shutdown();
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let choice = input.byte();
    let pair = contexts(choice);
    let is_client = choice & 4 != 0;
    let edit = choice & 8 != 0;
    let rings = RingSizes {
        incoming: input.capacity(),
        outgoing: input.capacity(),
    };
    let unharmed = usize::from(input.byte()) * if choice & 16 != 0 { 16 } else { 1 };
    let engine = |index, rings| {
        match index {
            0 => Engine::new(&pair.server, None, rings),
            _ => Engine::new(&pair.client, Some(NAME), rings),
        }
        .expect("engine")
    };
    let index = usize::from(is_client);
    let mut victim = Victim {
        engine: engine(index, rings),
        index,
        got: 0,
        answered: 0,
        questions: 0,
        said: false,
        over: false,
    };
    let mut peer = Peer {
        engine: engine(1 - index, RingSizes::default()),
        index: 1 - index,
        said: false,
    };
    if choice & 32 != 0 {
        victim.engine.ignore_truncation();
    }

    // The real session, of which only the beginning arrives as it was sent.
    let mut through = 0;
    let mut next_edit = unharmed;
    for round in 0.. {
        assert!(round < ROUNDS_MAX, "no end");
        let mut moved = victim.act();
        victim.answers(|data| {
            let mut fed = 0;
            while fed < data.len() {
                let n = peer.engine.feed(&data[fed..]);
                peer.act();
                if n == 0 {
                    break;
                }
                fed += n;
            }
        });
        peer.act();
        let mut wire = VecDeque::new();
        let mut buf = [0; 4096];
        loop {
            let n = peer.engine.drain(&mut buf);
            if n == 0 {
                break;
            }
            wire.extend(&buf[..n]);
        }
        while let Some(mut byte) = wire.pop_front() {
            if through >= unharmed && !edit {
                break;
            }
            if through >= next_edit
                && let Some(command) = input.command()
            {
                let argument = input.byte();
                next_edit = through + 1 + usize::from(input.byte());
                match command % 6 {
                    0 => byte ^= argument.max(1),
                    1 => byte = argument,
                    // Lost: this one, or some.
                    2 => {
                        wire.drain(..usize::from(argument).min(wire.len()));
                        continue;
                    }
                    3 => (0..argument % 32).for_each(|_| wire.push_front(byte)),
                    4 => wire.push_front(argument),
                    _ => byte = byte.wrapping_add(1),
                }
            }
            let fed = victim.engine.feed(&[byte]);
            if fed == 0 {
                victim.act();
                victim.engine.feed(&[byte]);
            }
            through += 1;
            moved = true;
        }
        if !moved || (through >= unharmed && !edit) {
            break;
        }
    }
    if !edit {
        let mut raw = input.rest();
        while !raw.is_empty() {
            let n = victim.engine.feed(raw);
            raw = &raw[n..];
            if !victim.act() && n == 0 {
                break;
            }
            victim.answers(|_| {});
        }
    }
    victim.end();
});
