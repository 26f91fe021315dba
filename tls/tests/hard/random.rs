//! Everything that an engine can be asked for, in random order, through rings of
//! 64 bytes to 4 KB and a way between them that is blocked half of the time.
//!
//! The fuzz target `engine` does this without end and with bytes harmed; here is
//! what fits into a test run, from fixed seeds.

use greenling_tls::{ClientAuth, Engine, EngineError, RingSizes, Version, Want};

use crate::support::{NAME, Random, VERSIONS, ca, carry, client_builder, server_builder};

const SEEDS: u64 = 5;
const CALLS: usize = 400;

struct Side {
    engine: Engine,
    role: usize,
    sent: usize,
    got: usize,
    ended: bool,
    /// How often it was given new keys, issued tickets, asked for certificates.
    done: [u32; 3],
}

/// The byte at `index` of what a side sends.
fn byte_at(role: usize, index: usize) -> u8 {
    (index.wrapping_mul(2_654_435_761) >> 13) as u8 ^ (role as u8)
}

fn rings(random: &mut Random) -> RingSizes {
    let mut size = || 64 + random.below(4033);
    let (incoming, outgoing) = (size(), size());
    RingSizes { incoming, outgoing }
}

impl Side {
    /// The value, unless it has to wait or was refused. Nothing may fail.
    fn check<T>(&self, result: Result<T, EngineError>) -> Option<T> {
        assert!(
            self.engine.failure().is_none(),
            "{:?}",
            self.engine.failure()
        );
        match result {
            Ok(value) => Some(value),
            Err(EngineError::Want(want)) => {
                assert_eq!(want, Want::Read);
                None
            }
            Err(EngineError::Closed | EngineError::Failed(_)) => None,
        }
    }

    fn read(&mut self, len: usize) -> bool {
        let mut buf = vec![0; len];
        let result = self.engine.read(&mut buf);
        self.ended |= matches!(result, Err(EngineError::Closed));
        let Some(n) = self.check(result) else {
            return false;
        };
        let expected = (self.got..).map(|i| byte_at(1 - self.role, i));
        assert!(expected.zip(&buf[..n]).all(|(a, b)| a == *b));
        self.got += n;
        true
    }

    fn write(&mut self, len: usize) {
        let data: Vec<u8> = (self.sent..)
            .take(len)
            .map(|i| byte_at(self.role, i))
            .collect();
        let result = self.engine.write(&data);
        self.sent += self.check(result).unwrap_or(0);
    }

    fn act(&mut self, random: &mut Random) {
        match random.below(16) {
            0..4 => drop(self.read(1 + random.below(3000))),
            4..8 => self.write(1 + random.below(6000)),
            8 => {
                let result = self.engine.handshake();
                self.check(result);
            }
            9 => {
                let mut buf = [0; 100];
                let result = self.engine.peek(&mut buf);
                if let Some(n) = self.check(result) {
                    let expected = (self.got..).map(|i| byte_at(1 - self.role, i));
                    assert!(expected.zip(&buf[..n]).all(|(a, b)| a == *b));
                }
            }
            10 => {
                let result = self.engine.key_update(random.below(2) == 0);
                self.done[0] += u32::from(self.check(result).is_some());
            }
            11 => {
                let result = self.engine.new_session_ticket();
                self.done[1] += u32::from(self.check(result).is_some());
            }
            12 => {
                let result = self.engine.verify_client_post_handshake();
                self.done[2] += u32::from(self.check(result).is_some());
            }
            13 => {
                let _ = self.engine.renegotiate();
            }
            14 => {
                self.engine.park();
            }
            _ => {
                self.engine.set_rings(rings(random));
            }
        }
    }
}

/// A session of `CALLS` calls on each side, and its end; what was done in it.
fn play(seed: u64, version: Version) -> [u32; 3] {
    let mut random = Random::new(seed);
    let server = server_builder(version)
        .client_auth(ClientAuth::Optional)
        .trust_pem(ca().root_pem().expect("PEM"))
        .build()
        .expect("context");
    let client = client_builder(version)
        .identity(ca().issue_client("me").expect("certificate"))
        .build()
        .expect("context");
    let server = Engine::new(&server, None, rings(&mut random)).expect("engine");
    let mut client = Engine::new(&client, Some(NAME), rings(&mut random)).expect("engine");
    client.offer_post_handshake_auth();
    let mut sides = [server, client].map(|engine| Side {
        role: usize::from(engine.role() == greenling_tls::Role::Client),
        engine,
        sent: 0,
        got: 0,
        ended: false,
        done: [0; 3],
    });
    let [server, client] = &mut sides;
    for _ in 0..CALLS {
        client.act(&mut random);
        server.act(&mut random);
        // Half of the time nothing moves.
        if random.below(2) == 0 {
            carry(&mut client.engine, &mut server.engine, random.below(2000));
        }
        if random.below(2) == 0 {
            carry(&mut server.engine, &mut client.engine, random.below(2000));
        }
    }
    let mut said = false;
    for round in 0.. {
        assert!(round < 100_000, "seed {seed}: no end");
        let mut moved = carry(&mut client.engine, &mut server.engine, usize::MAX)
            + carry(&mut server.engine, &mut client.engine, usize::MAX);
        for side in [&mut *server, &mut *client] {
            if !side.engine.is_established() {
                let result = side.engine.handshake();
                side.check(result);
            }
            while side.read(3000) {
                moved += 1;
            }
        }
        if moved > 0 {
            continue;
        }
        if said {
            break;
        }
        for side in [&mut *server, &mut *client] {
            side.engine.shutdown().expect("goodbye");
        }
        said = true;
    }
    assert!(server.ended && client.ended, "seed {seed}: no goodbye");
    assert_eq!((server.got, client.got), (client.sent, server.sent));
    assert!(
        server.got > 10_000 && client.got > 10_000,
        "seed {seed}: too quiet"
    );
    [0, 1, 2].map(|i| server.done[i] + client.done[i])
}

#[test]
fn every_operation_in_any_order_through_tiny_rings() {
    for version in VERSIONS {
        let mut done = [0; 3];
        for seed in 0..SEEDS {
            let more = play(seed, version);
            done = [0, 1, 2].map(|i| done[i] + more[i]);
        }
        // All three are of TLS 1.3.
        let possible = version == Version::Tls13;
        assert!(
            // AWS-LC has only the first of them.
            done.iter()
                .take(if cfg!(feature = "aws-lc") { 1 } else { 3 })
                .all(|count| (*count > 0) == possible),
            "{done:?}"
        );
    }
}
