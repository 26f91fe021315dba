//! Damage to bytes and text: cut off, changed, added to.

use crate::random::Random;
use crate::value::{Value, tuple};

/// Mostly none.
pub(crate) fn draw(random: &mut Random) -> Value {
    match random.one_in(2) {
        true => Value::Nothing,
        false => tuple![random.below(4), random.below(1 << 16), random.below(256)],
    }
}

/// The bytes with that damage.
pub(crate) fn bytes(whole: &[u8], damage: &Value) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    let [how, place, what] = damage.parts() else {
        return bytes;
    };
    if bytes.is_empty() {
        return bytes;
    }
    let place = place.index(bytes.len());
    match how.number() {
        0 => bytes.truncate(place),
        1 => bytes[place] ^= 1 << what.index(8),
        2 => bytes[place] = what.number() as u8,
        _ => bytes.push(what.number() as u8),
    }
    bytes
}

/// The text with that damage; what is ASCII stays so.
pub(crate) fn text(whole: &str, damage: &Value) -> String {
    let ascii = |byte: u8| (byte & 0x7f) as char;
    bytes(whole.as_bytes(), damage)
        .into_iter()
        .map(ascii)
        .collect()
}
