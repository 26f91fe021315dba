//! Several cores: a scheduler per OS thread, and channels between them.
//!
//! ```sh
//! cargo run --release --example workers
//! ```
//!
//! Shows workers that share a port, each with a listener of its own, so that the
//! kernel deals the connections out; and `thread::channel`, which carries values
//! between threads and parks tasklets only.

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::rc::Rc;

use greenling::net::{TcpListener, TcpStream};
use greenling::thread::{Receiver, Sender, channel};
use greenling::{Worker, Workers, enter, spawn};

fn main() -> io::Result<()> {
    for (worker, served) in demo(2, 100)?.iter().enumerate() {
        println!("worker {worker} served {served} connections");
    }
    Ok(())
}

/// How many of `visits` connections each of `count` workers has served.
fn demo(count: usize, visits: usize) -> io::Result<Vec<usize>> {
    let workers = Workers::new(count);
    let shutdown = workers.shutdown();
    // Chooses the port, and holds it until the workers have bound it, too.
    let first = enter(|| TcpListener::bind_reuseport("127.0.0.1:0")?.into_std())?;
    let address = first.local_addr()?;
    let (tell, listening) = channel(1);
    let visitors = std::thread::spawn(move || {
        let result = enter(|| {
            wait_for_all(&listening, count)?;
            drop(first);
            let visits: Vec<_> = (0..visits).map(|_| spawn(move || visit(address))).collect();
            visits.into_iter().try_for_each(|visit| visit.join()?)
        });
        shutdown.trigger();
        result
    });
    let served = workers.run(|worker| serve(&worker, address, &tell));
    visitors.join().expect("visitors do not panic")?;
    Ok(served
        .into_iter()
        .map(|worker| worker.expect("workers do not panic"))
        .collect())
}

/// Waits until all workers listen, or one of them cannot.
fn wait_for_all(listening: &Receiver<io::Result<()>>, count: usize) -> io::Result<()> {
    listening.iter().take(count).collect()
}

/// Accepts connections until the workers are to stop, and counts them.
fn serve(worker: &Worker, address: SocketAddr, tell: &Sender<io::Result<()>>) -> usize {
    let bound = TcpListener::bind_reuseport(address);
    let (listener, result) = match bound {
        Ok(listener) => (Some(Rc::new(listener)), Ok(())),
        Err(error) => (None, Err(error)),
    };
    // Parks this tasklet while the channel is full.
    let told = tell.send(result);
    let (Some(listener), Ok(())) = (listener, told) else {
        return 0;
    };
    let served = Rc::new(Cell::new(0));
    let (accepting, counter) = (listener.clone(), served.clone());
    spawn(move || {
        while let Ok((mut stream, _)) = accepting.accept() {
            counter.set(counter.get() + 1);
            spawn(move || stream.write_all(b"welcome"));
        }
    });
    // Ends with the shutdown, and early only if there is no more to wait for.
    let _ = worker.shutdown().wait();
    listener.close();
    served.get()
}

fn visit(address: SocketAddr) -> io::Result<()> {
    let mut answer = String::new();
    TcpStream::connect(address)?.read_to_string(&mut answer)?;
    if answer == "welcome" {
        Ok(())
    } else {
        Err(io::ErrorKind::InvalidData.into())
    }
}

#[cfg(test)]
#[test]
fn every_connection_is_served_by_one_of_the_workers() {
    let served = demo(3, 60).expect("sockets");
    assert_eq!(served.len(), 3);
    assert_eq!(served.iter().sum::<usize>(), 60);
}
