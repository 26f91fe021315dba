//! Writes inputs for the target `network` to begin from: real sessions as a fresh
//! connection receives them, and sessions that are harmed after their handshake.
//!
//! ```sh
//! cargo +nightly run --manifest-path fuzz/Cargo.toml --bin record -- fuzz/corpus/network
//! ```

use greenling_fuzz::{NAME, answer, contexts};
use greenling_tls::{Engine, EngineError, RingSizes, Want};

/// What each side of a session says: the server's bytes, and the client's.
fn record(choice: u8) -> [Vec<u8>; 2] {
    let pair = contexts(choice);
    let mut server = Engine::new(&pair.server, None, RingSizes::default()).expect("engine");
    let mut client = Engine::new(&pair.client, Some(NAME), RingSizes::default()).expect("engine");
    let mut said = [Vec::new(), Vec::new()];
    for _ in 0..8 {
        for engine in [&mut client, &mut server] {
            while let Err(EngineError::Want(Want::App)) = engine.handshake() {
                answer(engine);
            }
        }
        if server.is_established() && client.is_established() {
            let _ = server.write(b"some words");
            let _ = client.write(b"other words");
        }
        let (from_server, from_client) = (take(&mut server), take(&mut client));
        client.feed(&from_server);
        server.feed(&from_client);
        said[0].extend(from_server);
        said[1].extend(from_client);
    }
    said
}

fn take(engine: &mut Engine) -> Vec<u8> {
    let mut data = vec![0; engine.out_pending()];
    engine.drain(&mut data);
    data
}

fn main() -> std::io::Result<()> {
    let folder = std::env::args().nth(1).expect("a folder");
    std::fs::create_dir_all(&folder)?;
    for choice in (0..4).chain(64..68u8) {
        let said = record(choice);
        for role in 0..2u8 {
            // Raw: what the other side said, to a fresh engine.
            let mut input = vec![choice | role << 2, 255, 255, 0];
            input.extend(&said[usize::from(1 - role)]);
            std::fs::write(format!("{folder}/raw-{choice}-{role}"), input)?;
            // Changes to a live session, one by one.
            let mut input = vec![choice | role << 2 | 8, 255, 255, 0];
            input.extend([0, 1, 200, 4, 7, 90, 2, 1, 30]);
            std::fs::write(format!("{folder}/edit-{choice}-{role}"), input)?;
        }
    }
    Ok(())
}
