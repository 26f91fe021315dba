//! Descriptors.

use futures_util::future::{join_all, select};
use futures_util::{AsyncReadExt, AsyncWriteExt};
use greenling::future::{Io, PollReady, PollStream, block_on, ready};
use greenling::io::Interest;
use greenling::net::TcpListener;
use greenling::{WaitError, schedule, spawn};
use std::future::{pending, poll_fn};
use std::io::{ErrorKind, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake};
use std::time::Duration;
use tests::isolated;
use tests::sockets::{half_pair, pair};

#[test]
fn a_reader_is_woken_by_data() {
    isolated(|| {
        let (ours, mut theirs) = half_pair();
        let ours = Rc::new(ours);
        let reading = ours.clone();
        let task = spawn(move || {
            let mut byte = [0];
            let read = poll_fn(|context| reading.poll_read(context, &mut byte));
            assert_eq!(block_on(read).unwrap().unwrap(), 1);
            byte
        });
        schedule();
        assert!(task.tasklet().is_blocked());
        theirs.write_all(b"x").unwrap();
        assert_eq!(task.join().unwrap(), *b"x");
    });
}

#[test]
fn all_futures_with_a_place_of_their_own_are_woken() {
    isolated(|| {
        let (ours, mut theirs) = half_pair();
        ours.try_read(&mut [0]).unwrap_err();
        let waiting = (0..5).map(|_| ready(&ours, Interest::READ));
        let thread = std::thread::spawn(move || theirs.write_all(b"x").map(|()| theirs));
        let all = block_on(join_all(waiting)).unwrap();
        assert!(all.into_iter().all(|ready| ready.unwrap().readable));
        thread.join().unwrap().unwrap();
    });
}

#[test]
fn a_waker_that_panics_does_not_keep_the_others_from_being_called() {
    struct Called(AtomicUsize, bool);

    impl Wake for Called {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
            assert!(!self.1, "as it likes");
        }
    }

    isolated(|| {
        let (ours, _theirs) = half_pair();
        ours.try_read(&mut [0]).unwrap_err();
        let calls = [false, true, true, false].map(|panics| Arc::new(Called(0.into(), panics)));
        let mut waiting = calls.each_ref().map(|called| {
            let mut future = Box::pin(ready(&ours, Interest::READ));
            let waker = called.clone().into();
            assert!(
                future
                    .as_mut()
                    .poll(&mut Context::from_waker(&waker))
                    .is_pending()
            );
            future
        });
        let closing = catch_unwind(AssertUnwindSafe(|| ours.close()));
        assert!(closing.is_err());
        let counts = calls.map(|called| called.0.load(Ordering::Relaxed));
        assert_eq!(counts, [1; 4]);
        for future in &mut waiting {
            let error = block_on(future.as_mut()).unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
        }
    });
}

#[test]
fn a_future_that_is_dropped_gives_its_place_up() {
    isolated(|| {
        let (ours, _theirs) = half_pair();
        ours.try_read(&mut [0]).unwrap_err();
        for _ in 0..3 {
            let first = select(ready(&ours, Interest::READ), std::future::ready(()));
            drop(block_on(first).unwrap());
        }
        // If a waker had stayed behind, this would wait for the peer.
        let result = block_on(pending::<()>());
        assert!(matches!(result, Err(WaitError::Deadlock)), "{result:?}");
    });
}

#[test]
fn reading_and_writing_do_not_wait_for_each_other() {
    isolated(|| {
        let (ours, mut theirs) = half_pair();
        let piece = vec![b'w'; 1 << 16];
        while ours.try_write(&piece).is_ok() {}
        let reader = std::thread::spawn(move || {
            theirs.write_all(b"r").unwrap();
            // Until the writer below is through.
            let mut rest = vec![0; 1 << 16];
            while theirs.read(&mut rest).unwrap() > 0 {}
        });
        block_on(async {
            let mut byte = [0];
            let mut read = false;
            let both = poll_fn(|context| {
                let written = ours.poll_write(context, &piece);
                if !read {
                    read = ours.poll_read(context, &mut byte).is_ready();
                }
                match written {
                    Poll::Ready(count) if read => Poll::Ready(count),
                    _ => Poll::Pending,
                }
            });
            assert!(both.await.unwrap() > 0);
        })
        .unwrap();
        drop(ours);
        reader.join().unwrap();
    });
}

#[test]
fn close_wakes_whoever_waits_with_an_error() {
    isolated(|| {
        let (ours, _theirs) = half_pair();
        let ours = Rc::new(ours);
        let reading = ours.clone();
        let task = spawn(move || {
            let read = block_on(poll_fn(|context| reading.poll_read(context, &mut [0])));
            let wait = block_on(ready(&*reading, Interest::BOTH));
            (read.unwrap().unwrap_err(), wait.unwrap().unwrap_err())
        });
        schedule();
        ours.close();
        let (read, wait) = task.join().unwrap();
        assert_eq!(read.kind(), ErrorKind::ConnectionAborted);
        assert_eq!(wait.kind(), ErrorKind::ConnectionAborted);
    });
}

#[test]
fn a_listener_accepts_as_a_future() {
    isolated(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let client = std::thread::spawn(move || std::net::TcpStream::connect(address).unwrap());
        // Ready at first, for nobody has looked yet: only a hint.
        block_on(ready(&listener, Interest::READ)).unwrap().unwrap();
        let (_, peer) = listener.accept().unwrap();
        assert_eq!(peer, client.join().unwrap().local_addr().unwrap());
    });
}

#[test]
fn a_killed_reader_loses_nothing() {
    isolated(|| {
        let (ours, mut theirs) = half_pair();
        let ours = Rc::new(ours);
        let reading = ours.clone();
        let task = spawn(move || {
            let mut buffer = [0; 8];
            block_on(poll_fn(|context| reading.poll_read(context, &mut buffer)))
        });
        schedule();
        task.tasklet().kill().unwrap();
        theirs.write_all(b"kept").unwrap();
        drop(theirs);
        let mut rest = String::new();
        (&*ours).read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "kept");
    });
}

/// Wakers are foreign code: here one that uses the reactor it is called by.
#[test]
fn a_waker_may_open_and_close_sockets() {
    struct Meddler(std::sync::Mutex<Option<std::net::TcpStream>>);
    impl Wake for Meddler {
        fn wake(self: std::sync::Arc<Self>) {
            let (one, other) = pair();
            drop((one, self.0.lock().unwrap().take(), other));
        }
    }
    isolated(|| {
        let (ours, mut theirs) = half_pair();
        ours.try_read(&mut [0]).unwrap_err();
        let (_held, extra) = half_pair();
        let meddler = std::sync::Arc::new(Meddler(Some(extra).into()));
        let waker = meddler.clone().into();
        let polled = ours.poll_ready(&mut Context::from_waker(&waker), Interest::READ);
        assert!(polled.is_pending());
        theirs.write_all(b"x").unwrap();
        while meddler.0.lock().unwrap().is_some() {
            greenling::time::sleep(Duration::from_micros(100));
        }
    });
}

#[test]
fn a_waker_that_panics_harms_nobody() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: std::sync::Arc<Self>) {
            std::panic::resume_unwind(Box::new("quietly"));
        }
    }
    isolated(|| {
        let (ours, mut theirs) = half_pair();
        ours.try_read(&mut [0]).unwrap_err();
        let waker = std::sync::Arc::new(Panics).into();
        let polled = ours.poll_ready(&mut Context::from_waker(&waker), Interest::READ);
        assert!(polled.is_pending());
        theirs.write_all(b"x").unwrap();
        ours.wait(Interest::READ, None).unwrap();
        assert_eq!(ours.try_read(&mut [0; 8]).unwrap(), 1);
    });
}

#[test]
fn ten_megabytes_both_ways_through_the_traits_of_futures_io() {
    const SIZE: usize = 10 << 20;
    isolated(|| {
        let (one, other) = pair();
        let sides = [one, other].map(|side| {
            spawn(move || {
                let (mut reader, mut writer) = Io::new(side).split();
                let piece: Vec<u8> = (0..SIZE).map(|index| index as u8).collect();
                let write = async {
                    writer.write_all(&piece).await.unwrap();
                    writer.close().await.unwrap();
                };
                let read = async {
                    let mut all = Vec::new();
                    reader.read_to_end(&mut all).await.unwrap();
                    all
                };
                let (all, ()) = block_on(futures_util::future::join(read, write)).unwrap();
                assert!(all == piece, "bytes are lost or changed");
            })
        });
        for side in sides {
            side.join().unwrap();
        }
    });
}

#[test]
fn a_peer_that_floods_a_stream_does_not_keep_the_thread() {
    isolated(|| {
        let (ours, mut theirs) = half_pair();
        theirs.set_nonblocking(true).unwrap();
        let task = spawn(move || {
            let mut stream = Io::new(ours);
            let mut count = 0usize;
            let mut byte = [0];
            while block_on(stream.read(&mut byte)).unwrap().unwrap() > 0 {
                count += 1;
            }
            count
        });
        // Single bytes, thousands of them: each read finds one.
        theirs.write_all(&[0; 4000]).unwrap();
        let mut turns = 0;
        while !task.is_finished() {
            turns += 1;
            if turns == 50 {
                theirs.shutdown(std::net::Shutdown::Write).unwrap();
            }
            schedule();
        }
        assert!(turns > 100, "others had {turns} turns");
        assert_eq!(task.join().unwrap(), 4000);
    });
}
