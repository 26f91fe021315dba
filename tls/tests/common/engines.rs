//! Two engines with nothing in between.

use greenling_tls::{Engine, EngineError, RingSizes, Want};

pub(crate) fn rings(size: usize) -> RingSizes {
    RingSizes {
        incoming: size,
        outgoing: size,
    }
}

/// Moves up to `limit` bytes of ciphertext; how many there were and fitted.
pub(crate) fn carry(from: &mut Engine, to: &mut Engine, limit: usize) -> usize {
    let mut moved = 0;
    while moved < limit {
        let data = from.out_data();
        let piece = data.len().min(limit - moved);
        let n = to.feed(&data[..piece]);
        if n == 0 {
            break;
        }
        from.consume_out(n);
        moved += n;
    }
    moved
}

/// Moves all ciphertext that fits; how much there was.
pub(crate) fn carry_all(from: &mut Engine, to: &mut Engine) -> usize {
    carry(from, to, usize::MAX)
}

/// Makes the handshake of two engines in memory.
pub(crate) fn shake_hands(server: &mut Engine, client: &mut Engine) {
    loop {
        let done = [client.handshake(), server.handshake()].map(|result| match result {
            Ok(()) => true,
            Err(EngineError::Want(Want::Read)) => false,
            Err(other) => panic!("handshake: {other}"),
        });
        let moved = carry_all(client, server) + carry_all(server, client);
        if done == [true, true] && moved == 0 {
            return;
        }
    }
}
