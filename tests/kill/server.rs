//! Whoever serves, killed: what it has accepted goes on, and nobody else comes.

use crate::stage::{Stage, kill_tests};
use greenling::net::{TcpListener, TcpStream};
use greenling::server::{Connection, Limits, serve};
use greenling::{Channel, Shutdown, schedule};
use std::net;
use std::time::Duration;

kill_tests! {
    serving,
}

fn serving(stage: &Stage) {
    let limit = Duration::from_secs(1000);
    let stop = Shutdown::with_limits(limit, limit);
    let gate = Channel::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (shutdown, door) = (stop.clone(), gate.clone());
    let handler = move |_: TcpStream, _, _: &Connection| door.receive().unwrap();
    let victim = stage.victim(move || serve(listener, &Limits::new(), &shutdown, handler).unwrap());
    stage.until_parked();
    // Refused if nobody serves any more.
    let _client = net::TcpStream::connect(address);
    while !stage.is_over() && gate.balance() == 0 {
        schedule();
    }
    stop.trigger();
    // It waits for the end of the acceptor, and then for that of the connection.
    while !stage.is_over() && gate.balance() < 0 {
        if !stage.until_parked() || !stage.until_parked() {
            break;
        }
        gate.send(()).unwrap();
    }
    let report = stage.end(victim);
    assert!(report.is_none_or(|report| report.total.finished == 1));
    while greenling::inspect::tasklets().len() > 1 {
        if gate.balance() < 0 {
            gate.send(()).unwrap();
        }
        schedule();
    }
    net::TcpStream::connect(address).unwrap_err();
}
