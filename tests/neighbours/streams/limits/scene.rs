//! The scene in which each crate is tested: victims, and others who must not
//! notice. All have stacks of the usual size.

use greenling::net::TcpStream;
use greenling::time::timeout;
use greenling::{schedule, spawn};
use neighbours::Server;
use std::cell::Cell;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tests::isolated;
use tests::process::{alone, open_descriptors};

pub(super) const SHORT: Duration = Duration::from_millis(10);

/// Victims of each kind, and those who are to be left alone.
const COUNT: usize = 10;

/// The second half of a conversation.
pub(super) type Rest = Box<dyn FnOnce() -> Result<(), ErrorKind>>;

/// What a server has to do after the first half.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Then {
    GoOn,
    FallSilent,
}

/// Reads until the client has gone, however it goes.
pub(super) fn fall_silent(mut stream: &TcpStream) {
    // A reset counts as well.
    let _ = io::copy(&mut stream, &mut io::sink());
}

/// Runs the test `name` in a process of its own: `start` connects and talks half
/// of a conversation, `serve` is the other side.
pub(super) fn check<C, S>(name: &str, case: impl FnOnce() -> (C, S) + Send + 'static)
where
    C: Fn(SocketAddr) -> Rest + 'static,
    S: Fn(TcpStream, Then) + 'static,
{
    alone(name, || {
        isolated(|| {
            let (start, serve) = case();
            let (start, serve) = (Rc::new(start), Rc::new(serve));
            // What a crate makes once per thread is no leak.
            scene(&start, &serve);
            let before = (open_descriptors(), tasklets());
            scene(&start, &serve);
            assert_eq!((open_descriptors(), tasklets()), before);
        });
    });
}

fn tasklets() -> usize {
    greenling::inspect::tasklets().len()
}

fn scene<C, S>(start: &Rc<C>, serve: &Rc<S>)
where
    C: Fn(SocketAddr) -> Rest + 'static,
    S: Fn(TcpStream, Then) + 'static,
{
    let server = |then| {
        let serve = serve.clone();
        Server::start(move |stream| serve(stream, then))
    };
    let (talking, silent) = (server(Then::GoOn), server(Then::FallSilent));

    let (stop, rounds) = (Rc::new(Cell::new(false)), Rc::new(Cell::new([0; COUNT])));
    let others: Vec<_> = (0..COUNT)
        .map(|number| {
            let (start, address) = (start.clone(), talking.address());
            let (stop, rounds) = (stop.clone(), rounds.clone());
            spawn(move || {
                while !stop.get() {
                    start(address)().unwrap();
                    let mut counts = rounds.get();
                    counts[number] += 1;
                    rounds.set(counts);
                }
            })
        })
        .collect();

    let victims = |limited: bool, stuck: &Rc<Cell<usize>>| -> Vec<_> {
        let victim = |_| {
            let (start, address, stuck) = (start.clone(), silent.address(), stuck.clone());
            spawn(move || {
                let rest = start(address);
                stuck.set(stuck.get() + 1);
                match limited {
                    true => timeout(SHORT, rest).expect_err("the limit").into_inner(),
                    false => rest(),
                }
            })
        };
        (0..COUNT).map(victim).collect()
    };
    let stuck = Rc::new(Cell::new(0));
    let (timed, killed) = (victims(true, &stuck), victims(false, &stuck));
    for victim in timed {
        assert_eq!(victim.join().unwrap(), Err(ErrorKind::TimedOut));
    }
    while stuck.get() < 2 * COUNT {
        schedule();
    }
    for victim in killed {
        // From here to the next wait nobody else runs: it is where it waits.
        victim.tasklet().kill().unwrap();
        assert!(victim.join().unwrap_err().is_killed());
    }
    // Every socket is closed: the silent ones see the end of all of them.
    assert_eq!(silent.finish(), 2 * COUNT);

    let by_now = rounds.get();
    while (0..COUNT).any(|number| rounds.get()[number] == by_now[number]) {
        greenling::time::sleep(Duration::from_millis(1));
    }
    stop.set(true);
    others.into_iter().for_each(|other| other.join().unwrap());
    talking.finish();
}
