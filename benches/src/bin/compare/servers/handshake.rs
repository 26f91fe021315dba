//! `handshake`, `resume`: CPU time of the server for a connection that is made for
//! one request: TCP, TLS 1.3 handshake, `GET /hello`, close_notify, close.
//!
//! A few visitors are there at a time, so that the server always has work.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use benches::machine;
use benches::server::{Server, TLS, Visit, Visitor};

use super::{Bench, Failure, Figures};

/// Clients that visit at the same time.
const VISITORS: usize = 8;

pub(super) fn full(bench: &mut Bench) {
    run(bench, "handshake", Visit::Full);
}

pub(super) fn resumed(bench: &mut Bench) {
    run(bench, "resume", Visit::Resumed);
}

fn run(bench: &mut Bench, case: &str, kind: Visit) {
    let servers = bench.start(case, true, &TLS);
    bench.take_turns(case, servers, |bench, _, server, seconds| {
        one(bench, case, kind, server, seconds)
    });
}

fn one(
    bench: &Bench,
    case: &str,
    kind: Visit,
    server: &Server,
    seconds: u32,
) -> Result<Figures, Failure> {
    let visitors: Vec<Visitor> = (0..VISITORS)
        .map(|_| Visitor::new(kind, server.address(), &bench.ground))
        .collect::<io::Result<_>>()?;
    let begin = Instant::now();
    let before = server.cpu_time()?;
    let visits = visit(&visitors, Duration::from_secs(seconds.into()))?;
    let seconds = begin.elapsed().as_secs_f64();
    // The server may not have seen the last goodbyes yet.
    machine::pause(Duration::from_millis(20));
    let spent = server.cpu_time()?.saturating_sub(before);
    Ok(vec![
        (case.into(), "us", spent.as_secs_f64() * 1e6 / visits as f64),
        (format!("{case}-rate"), "/s", visits as f64 / seconds),
    ])
}

/// Lets all `visitors` come again and again for `limit`; how often they came.
fn visit(visitors: &[Visitor], limit: Duration) -> io::Result<u64> {
    let over = AtomicBool::new(false);
    let end = Instant::now() + limit;
    thread::scope(|scope| {
        let over = &over;
        let again = |visitor: &Visitor| {
            let mut visits = 0;
            while !over.load(Ordering::Relaxed) && Instant::now() < end {
                // Whoever fails sends the others home.
                visitor
                    .visit()
                    .inspect_err(|_| over.store(true, Ordering::Relaxed))?;
                visits += 1;
            }
            Ok(visits)
        };
        let threads: Vec<_> = visitors
            .iter()
            .map(|visitor| scope.spawn(move || again(visitor)))
            .collect();
        let mut sum = 0;
        for thread in threads {
            let visits: thread::Result<io::Result<u64>> = thread.join();
            sum += visits.map_err(|_| io::Error::other("a client thread panicked"))??;
        }
        Ok(sum)
    })
}
