//! Times, in the three forms that `set_notBefore` takes, and nonsense.

use greenling_tls::crypto::Timestamp;

use crate::random::Random;
use crate::trial::{Family, Trial};
use crate::value::{Value, tuple};

pub(crate) const FAMILY: Family = Family {
    name: "times",
    draw,
    check,
};

fn draw(random: &mut Random) -> Value {
    let mut field = |from: usize, to: usize, width: usize| {
        let number = match random.one_in(40) {
            true => random.of(&[0, to + 1, 99]) % 10_usize.pow(width as u32),
            false => from + random.below(to - from + 1),
        };
        format!("{number:0width$}")
    };
    let year = field(0, 9999, 4);
    let rest = [(1, 12), (1, 31), (0, 23), (0, 59), (0, 59)].map(|(from, to)| field(from, to, 2));
    let zone = [field(0, 12, 2), field(0, 59, 2)].concat();
    let year = match random.below(4) {
        0 => year,
        _ => random
            .of(&[
                "1949", "1950", "1970", "2000", "2024", "2049", "2050", "2100",
            ])
            .into(),
    };
    let mut text = year + &rest.concat();
    match random.below(8) {
        0 | 1 => text = text + "+" + &zone,
        2 | 3 => text = text + "-" + &zone,
        4 if random.one_in(4) => text += random.of(&["", "z", ".5Z", "ZZ", " Z", "+1", "Z\n"]),
        _ => text.push('Z'),
    }
    if random.one_in(10) {
        // One that UTCTime has, and what else comes of leaving out.
        text = text.split_off(random.of(&[1, 2, 2, 2, 4]).min(text.len()));
    }
    if random.one_in(20) {
        text.replace_range(0..1, random.of(&["x", "", " ", "-", "+", "\0"]));
    }
    text.into()
}

fn check(input: &Value, trial: &mut Trial<'_>) {
    let ours = Timestamp::parse_generalized(input.text());
    let ours = ours.map(|time| tuple![time.to_generalized(), time.as_unix()]);
    let theirs = trial.ask("time", input.clone());
    trial.compare_fields(&["text", "instant"], ours, theirs);
}
