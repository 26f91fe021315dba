//! A race drawn frame by frame: a game loop, ported from Stackless Python.
//!
//! ```sh
//! cargo run --release --example game_loop                # a virtual clock: done at once
//! cargo run --release --example game_loop -- --real      # ten frames a second
//! ```
//!
//! Shows a tasklet for each animal, with `sleep` and `be_nice` that end when the
//! loop pumps, and so once a frame at most; what happens to one that fails (the
//! frog); and a watchdog for one that never gives way to the loop (the mole). On
//! the virtual clock everything happens in the same order every time.
//! docs/porting.md has the Stackless program that this was.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use clap::Parser;
use greenling::port::{Clock, MainLoop, Sleeper, YieldChannel};
use greenling::{
    Builder, Channel, RunOptions, RunReport, Tasklet, TaskletResult, enter, schedule,
    set_error_handler, time,
};

/// A hare, a tortoise and some others, in frames of a tenth of a second.
///
/// Ends when the race is decided, or after so many frames.
#[derive(Debug, Parser)]
#[command(name = "game_loop", version)]
struct Options {
    /// Frames at most
    #[arg(long, value_name = "N", default_value_t = 30)]
    frames: u32,

    /// Takes as long as it shows, instead of going by a virtual clock
    #[arg(long)]
    real: bool,
}

const FRAME: Duration = Duration::from_millis(100);

/// Cells from start to finish.
const TRACK: usize = 20;

/// How many tasklets may be resumed in one frame: far more than there are.
const SWITCHES: u64 = 100;

/// Frames that a tasklet may hold up before it is sent home.
const PATIENCE: u32 = 3;

type Failure = Box<dyn Error + Send + Sync>;

/// What the animals know. Nothing in it is borrowed across a wait.
struct Game {
    frames: YieldChannel,
    sleeper: Sleeper,
    finish: Channel<&'static str>,
    hare: Cell<usize>,
    tortoise: Cell<usize>,
    decided: Cell<bool>,
    /// Said since the last frame was drawn.
    said: RefCell<Vec<String>>,
    /// Frames held up, by the tasklet's id.
    held_up: RefCell<BTreeMap<u64, u32>>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match enter(|| play(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("game_loop: {error}");
            ExitCode::FAILURE
        }
    }
}

fn play(options: &Options) -> Result<(), Box<dyn Error>> {
    let clock = if options.real {
        Clock::real()
    } else {
        Clock::virtual_from_zero()
    };
    let main_loop = MainLoop::new(&clock)?;
    let game = Rc::new(Game::new(&main_loop));

    let watched = game.clone();
    main_loop.set_budget(RunOptions::new().max_switches(SWITCHES));
    main_loop.set_budget_hook(Some(Rc::new(move |report| watched.watchdog(report))));
    let told = game.clone();
    set_error_handler(Some(Rc::new(move |tasklet, error| {
        let name = tasklet.name().unwrap_or_default();
        told.say(format!("{name}: {error}"));
    })));

    start("referee", &game, referee)?;
    start("hare", &game, hare)?;
    start("tortoise", &game, tortoise)?;
    start("frog", &game, frog)?;
    start("mole", &game, mole)?;

    let mut next_frame = Instant::now();
    for frame in 1..=options.frames {
        main_loop.turn(Some(Duration::ZERO))?;
        game.draw(frame)?;
        if game.decided.get() {
            return Ok(());
        }
        if options.real {
            next_frame += FRAME;
            time::sleep_until(next_frame);
        } else {
            clock.advance(FRAME);
        }
    }
    writeln!(io::stdout(), "no decision after {} frames", options.frames)?;
    Ok(())
}

fn start<R: TaskletResult>(
    name: &str,
    game: &Rc<Game>,
    animal: impl FnOnce(&Game) -> R + 'static,
) -> Result<(), Box<dyn Error>> {
    let game = game.clone();
    let tasklet = Builder::new().name(name).tasklet(move || animal(&game))?;
    tasklet.insert()?;
    Ok(())
}

fn hare(game: &Game) -> Result<(), Failure> {
    loop {
        for _ in 0..6 {
            if forward(&game.hare, 2) {
                return game.finished("hare");
            }
            game.frames.be_nice()?;
        }
        game.say("hare: time for a nap");
        game.sleeper.sleep(FRAME * 12)?;
        game.say("hare: now where is everybody?");
    }
}

fn tortoise(game: &Game) -> Result<(), Failure> {
    while !forward(&game.tortoise, 1) {
        game.sleeper.sleep(FRAME)?;
    }
    game.finished("tortoise")
}

fn frog(game: &Game) -> Result<(), Failure> {
    game.sleeper.sleep(FRAME * 2)?;
    Err("fell into the pond".into())
}

/// Digs, and lets others run, but never lets the frame come to its end.
fn mole(game: &Game) {
    struct Hole<'a>(&'a Game);
    impl Drop for Hole<'_> {
        fn drop(&mut self) {
            self.0.say("mole: fills its hole");
        }
    }
    let _hole = Hole(game);
    loop {
        schedule();
    }
}

/// Takes down who finishes; the first has won.
fn referee(game: &Game) -> Result<(), Failure> {
    let winner = game.finish.receive()?;
    game.say(format!("the {winner} wins"));
    game.decided.set(true);
    Ok(())
}

/// Moves by some cells; true at the finish.
fn forward(at: &Cell<usize>, cells: usize) -> bool {
    at.set((at.get() + cells).min(TRACK));
    at.get() == TRACK
}

impl Game {
    fn new(main_loop: &MainLoop) -> Game {
        Game {
            frames: main_loop.yields().clone(),
            sleeper: main_loop.sleeper(),
            finish: Channel::new(),
            hare: Cell::new(0),
            tortoise: Cell::new(0),
            decided: Cell::new(false),
            said: RefCell::default(),
            held_up: RefCell::default(),
        }
    }

    fn say(&self, what: impl Into<String>) {
        self.said.borrow_mut().push(what.into());
    }

    fn finished(&self, name: &'static str) -> Result<(), Failure> {
        // The second one waits for ever: nobody wants to know.
        self.finish.send(name)?;
        Ok(())
    }

    /// Warns a tasklet that was still at it when the frame's budget was spent,
    /// and sends it home when that does not help.
    fn watchdog(&self, report: &RunReport) {
        let Some(tasklet) = &report.interrupted else {
            return;
        };
        let name = tasklet.name().unwrap_or_default();
        let mut all = self.held_up.borrow_mut();
        let held_up = all.entry(tasklet.id()).or_default();
        *held_up += 1;
        let patient = *held_up < PATIENCE;
        drop(all);
        if patient {
            return self.say(format!("watchdog: the {name} holds up the frame"));
        }
        self.say(format!("watchdog: the {name} is sent home"));
        self.send_home(tasklet);
    }

    fn send_home(&self, tasklet: &Tasklet) {
        // Its destructors have run when this returns.
        if let Err(error) = tasklet.kill() {
            self.say(format!("watchdog: {error}"));
        }
    }

    fn draw(&self, frame: u32) -> io::Result<()> {
        let mut track = ['.'; TRACK + 1];
        track[self.hare.get()] = 'H';
        track[self.tortoise.get()] = match track[self.tortoise.get()] {
            'H' => '*',
            _ => 'T',
        };
        let track: String = track.iter().collect();
        let mut output = io::stdout().lock();
        let time = (FRAME * (frame - 1)).as_secs_f64();
        writeln!(output, "{time:4.1} |{track}|")?;
        for line in self.said.take() {
            writeln!(output, "     {line}")?;
        }
        output.flush()
    }
}
