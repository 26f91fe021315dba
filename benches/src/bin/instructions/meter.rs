//! The child's side: runs the operations, with a boundary around each loop.

use std::cell::RefCell;
use std::process::ExitCode;

use greenling::{Tasklet, schedule};

use crate::{tasklets, timers, tls};

/// The argument that makes this program a child.
pub(crate) const CHILD: &str = "--child";

/// What `--dump-before` of callgrind is told: the name of `boundary`.
pub(crate) const BOUNDARY: &str = "*meter::boundary*";

/// What lies between two loops; nobody looks at it.
pub(crate) const BETWEEN: &str = "-";

/// Operations in the short and in the long loop: few enough to fit between two
/// looks of the scheduler at the clock, see `look_at_clock`.
pub(crate) const SHORT: u32 = 2;
pub(crate) const LONG: u32 = 8;

/// Looks at the clock before each loop.
const LOOKS: usize = 16;

/// How often both loops run.
const ROUNDS: u32 = 10;

/// Why an operation could not be counted.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// What was measured: a line for each dump.
pub(crate) struct Meter {
    segments: RefCell<Vec<(&'static str, u32)>>,
}

impl Meter {
    /// Counts `f`, which is given how many operations to do.
    pub(crate) fn count(&self, name: &'static str, mut f: impl FnMut(u32)) {
        self.count_in_steps([name], |_, length| f(length));
    }

    /// Counts operations of which each needs what the one before it has made:
    /// `f` is given the number of a step, and how many operations to do.
    pub(crate) fn count_in_steps<const N: usize>(
        &self,
        names: [&'static str; N],
        mut f: impl FnMut(usize, u32),
    ) {
        // What is made on first use is made here.
        (0..N).for_each(|step| f(step, LONG));
        for _ in 0..ROUNDS {
            for length in [SHORT, LONG] {
                for (step, name) in names.into_iter().enumerate() {
                    self.segments.borrow_mut().push((BETWEEN, 0));
                    self.segments.borrow_mut().push((name, length));
                    look_at_clock();
                    boundary();
                    f(step, length);
                    boundary();
                }
            }
        }
    }
}

/// Has the scheduler look at the clock, which it then does not until 64 switches
/// later: it kills abandoned tasklets at such a look. On a thread that runs slowly,
/// as all do under Valgrind, it is sooner; looks in quick succession mend that.
fn look_at_clock() {
    for _ in 0..LOOKS {
        drop(Tasklet::new(|| ()));
        schedule();
    }
}

/// Callgrind dumps what it has counted when this is called.
#[inline(never)]
fn boundary() {
    std::hint::black_box(());
}

/// Runs everything and says what each dump was of.
pub(crate) fn child() -> ExitCode {
    let meter = Meter {
        // All that is needed: to grow would be counted with what comes next.
        segments: RefCell::new(Vec::with_capacity(4096)),
    };
    let result = greenling::enter(|| {
        tasklets::count(&meter)?;
        tls::count(&meter)?;
        timers::count(&meter, |meter| {
            // The last program leaves a crowd behind that nobody need clean up.
            for (name, length) in meter.segments.borrow().iter() {
                println!("{name} {length}");
            }
            std::process::exit(0)
        })
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("instructions: {failure}");
            ExitCode::FAILURE
        }
    }
}
