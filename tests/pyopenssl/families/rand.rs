//! Randomness: what is added, whether there is enough, files written and loaded.

use greenling_tls::{Error, rand};

use crate::random::Random;
use crate::trial::{Family, Trial};
use crate::value::{Value, tuple};

pub(crate) const FAMILY: Family = Family {
    name: "rand",
    draw,
    check,
};

fn draw(random: &mut Random) -> Value {
    let length = random.of(&[0, 1, 32, 1023, 1024, 5000]);
    // What is added and how much of it is random; how much of a file is loaded.
    let limit = match random.one_in(2) {
        true => Value::Nothing,
        false => random.of(&[0_i64, 1, 100, 1024, 6000]).into(),
    };
    tuple![random.bytes(length), random.below(100), limit]
}

fn check(input: &Value, trial: &mut Trial<'_>) {
    let [data, entropy, limit] = input.parts() else {
        unreachable!("{input:?}");
    };
    rand::add(data.bytes(), entropy.number() as f64);
    rand::seed(data.bytes());
    let theirs = trial.ask("rand_add", tuple![data.clone(), entropy.clone()]);
    trial.expect("status", rand::is_seeded().into(), theirs);

    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| {
        let path = directory.path().join(name).into_os_string();
        path.into_string().expect("a path in UTF-8")
    };
    let (ours, theirs, plain) = (path("ours"), path("theirs"), path("plain"));
    std::fs::write(&plain, data.bytes()).expect("written");
    let written = rand::write_file(&ours).map(Value::from);
    let answer = trial.ask("rand_write_file", Value::from(theirs.as_str()));
    trial.compare("writing", written, answer);
    let read = |path: &str| std::fs::read(path).expect("it is there");
    if read(&ours) == read(&theirs) {
        trial.differ(
            "randomness",
            Ok(read(&ours).into()),
            Ok(read(&theirs).into()),
        );
    }
    for path in [ours, theirs, plain, path("missing")] {
        let most = limit.some().map(|limit| limit.number() as usize);
        let loaded = rand::load_file(&path, most).map(Value::from);
        // There -1 is the whole file.
        let most = limit.some().map_or(-1, Value::number);
        let answer = trial.ask("rand_load_file", tuple![path, most]);
        trial.compare::<Error>("loading", loaded, answer);
    }
}
