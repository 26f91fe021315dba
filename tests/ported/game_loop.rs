//! The race, frame by frame.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::{complaint, printed};

fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| tests::example::build("game_loop"))
}

// Begins with a space, which a continued line would lose.
const RACE: &str = " 0.0 |.TH..................|
     watchdog: the mole holds up the frame
 0.1 |..T.H................|
     watchdog: the mole holds up the frame
 0.2 |...T..H..............|
     frog: a tasklet failed: fell into the pond
     watchdog: the mole is sent home
     mole: fills its hole
 0.3 |....T...H............|
 0.4 |.....T....H..........|
 0.5 |......T.....H........|
 0.6 |.......T....H........|
     hare: time for a nap
 0.7 |........T...H........|
 0.8 |.........T..H........|
 0.9 |..........T.H........|
 1.0 |...........TH........|
 1.1 |............*........|
 1.2 |............HT.......|
 1.3 |............H.T......|
 1.4 |............H..T.....|
 1.5 |............H...T....|
 1.6 |............H....T...|
 1.7 |............H.....T..|
 1.8 |..............H....T.|
     hare: now where is everybody?
 1.9 |................H...T|
     the tortoise wins
";

#[test]
fn the_race_is_the_same_every_time() {
    assert_eq!(printed(program(), &[], ""), RACE);
    assert_eq!(printed(program(), &["--frames", "20"], ""), RACE);
}

#[test]
fn it_ends_after_so_many_frames() {
    let first: String = RACE.split_inclusive('\n').take(4).collect();
    let expected = format!("{first}no decision after 2 frames\n");
    assert_eq!(printed(program(), &["--frames", "2"], ""), expected);
    let expected = "no decision after 0 frames\n";
    assert_eq!(printed(program(), &["--frames", "0"], ""), expected);
}

/// By the real clock an animal may miss a frame, but nobody stops the others.
#[test]
fn by_the_real_clock_all_that_is_said_is_said() {
    let shown = printed(program(), &["--real", "--frames", "10"], "");
    let frames = shown.lines().filter(|line| line.ends_with('|')).count();
    assert_eq!(frames, 10, "{shown}");
    for said in ["mole is sent home", "mole: fills its hole", "frog: "] {
        assert_eq!(shown.matches(said).count(), 1, "{shown}");
    }
}

#[test]
fn a_wrong_number_is_named() {
    let complaint = complaint(program(), &["--frames", "many"], "");
    assert!(complaint.contains("'many'"), "{complaint}");
}
