//! Serial numbers, from none to more octets than there may be.

use greenling_tls::Error;
use greenling_tls::crypto::{Cert, Digest, Name, Serial, Timestamp};

use crate::random::Random;
use crate::trial::{Family, Trial};
use crate::value::{Value, hex, tuple};

pub(crate) const FAMILY: Family = Family {
    name: "serials",
    draw,
    check,
};

fn draw(random: &mut Random) -> Value {
    let length = random.below(23);
    let mut octets = random.bytes(length);
    if let Some(first) = octets.first_mut() {
        *first = random.of(&[*first, 0, 0x7f, 0x80, 0xff]);
    }
    tuple![random.one_in(10), octets]
}

fn check(input: &Value, trial: &mut Trial<'_>) {
    let [negative, octets] = input.parts() else {
        unreachable!("{input:?}");
    };
    let ours = || {
        let serial = match negative.is_true() {
            true => Serial::from_hex(&format!("-{}", hex(octets.bytes())))?,
            false => Serial::from_bytes(octets.bytes()),
        };
        let key = &trial.keys().all()[1].private;
        let cert = Cert::builder()
            .subject("/CN=a".parse::<Name>()?)
            .serial(serial)
            .not_before(Timestamp::from_unix(0))
            .not_after(Timestamp::from_unix(1))
            .sign(key, Digest::Sha256)?;
        let serial = cert.serial();
        Ok::<_, Error>(tuple![
            short(&serial),
            serial.to_decimal(),
            serial.to_string(),
        ])
    };
    let ours = ours();
    let theirs = trial.ask("serial", input.clone());
    trial.compare_fields(&["short", "decimal", "hexadecimal"], ours, theirs);
}

/// As Python prints it, which has no octets but numbers.
pub(crate) fn short(serial: &Serial) -> String {
    let digits = serial.to_string();
    match digits.trim_start_matches('0') {
        "" => "0".to_owned(),
        digits => digits.to_owned(),
    }
}
