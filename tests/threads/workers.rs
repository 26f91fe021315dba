//! One scheduler per OS thread.

use greenling::net::{TcpListener, TcpStream};
use greenling::{Workers, schedule, spawn, workers};
use std::cell::RefCell;
use std::io::{Read, Write};
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tests::on_bare_thread;

#[test]
fn results_come_in_order_and_a_panic_stays_with_its_worker() {
    on_bare_thread(|| {
        let shared = AtomicUsize::new(0);
        let results = workers(4, |worker| {
            shared.fetch_add(1, Ordering::SeqCst);
            let index = worker.index();
            assert!(index != 2, "worker {index} fails");
            spawn(move || index * 10).join().unwrap()
        });
        assert_eq!(shared.load(Ordering::SeqCst), 4);
        for (index, result) in results.into_iter().enumerate() {
            match result {
                Ok(value) => assert_eq!(value, index * 10),
                Err(payload) => {
                    assert_eq!(index, 2);
                    assert_eq!(payload.downcast_ref::<String>().unwrap(), "worker 2 fails");
                }
            }
        }
    });
}

#[test]
fn tasklets_left_behind_are_killed_with_their_destructors() {
    struct Noted<'a>(&'a AtomicUsize);
    impl Drop for Noted<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    static DROPPED: AtomicUsize = AtomicUsize::new(0);
    on_bare_thread(|| {
        workers(2, |_| {
            for _ in 0..5 {
                spawn(|| {
                    let _noted = Noted(&DROPPED);
                    loop {
                        schedule();
                    }
                });
            }
            schedule();
        });
        assert_eq!(DROPPED.load(Ordering::SeqCst), 10);
    });
}

#[test]
fn a_shutdown_from_a_tasklet_or_from_outside_ends_all() {
    on_bare_thread(|| {
        let all = Workers::new(3).pinned(true);
        let outside = all.shutdown();
        let results = all.run(|worker| {
            if worker.index() == 1 {
                let stop = worker.shutdown().clone();
                spawn(move || stop.trigger());
            }
            worker.shutdown().wait().unwrap();
            worker.shutdown().is_triggered()
        });
        assert!(results.into_iter().all(|result| result.unwrap()));
        assert!(outside.is_triggered());
    });
}

#[test]
fn listeners_of_one_port_share_the_connections() {
    const WORKERS: usize = 3;
    const CONNECTIONS: usize = 150;
    on_bare_thread(|| {
        let all = Workers::new(WORKERS);
        let stop = all.shutdown();
        let first = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = first.local_addr().unwrap();
        drop(first);
        let ready = std::sync::Barrier::new(WORKERS);
        let clients = Mutex::new(None);
        let counts = all.run(|worker| {
            let listener = TcpListener::bind_reuseport(address).unwrap();
            // A connection is dealt to one of those that listen by then.
            if ready.wait().is_leader() {
                let stop = stop.clone();
                *clients.lock().unwrap() = Some(std::thread::spawn(move || {
                    for _ in 0..CONNECTIONS {
                        let mut stream = std::net::TcpStream::connect(address).unwrap();
                        let mut byte = [0];
                        stream.read_exact(&mut byte).unwrap();
                    }
                    stop.trigger();
                }));
            }
            let count = Rc::new(RefCell::new(0));
            let counting = count.clone();
            let acceptor = spawn(move || {
                loop {
                    let (mut stream, _): (TcpStream, _) = listener.accept().unwrap();
                    *counting.borrow_mut() += 1;
                    stream.write_all(b"!").unwrap();
                }
            });
            worker.shutdown().wait().unwrap();
            acceptor.tasklet().kill().unwrap();
            *count.borrow()
        });
        let counts: Vec<usize> = counts.into_iter().map(Result::unwrap).collect();
        assert_eq!(counts.iter().sum::<usize>(), CONNECTIONS);
        // The chance that a fair deal leaves one out is below 1e-25.
        assert!(counts.iter().all(|&count| count > 0), "{counts:?}");
        clients.into_inner().unwrap().unwrap().join().unwrap();
    });
}
