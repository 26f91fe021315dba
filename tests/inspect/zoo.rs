//! One tasklet in each kind of place, and what is said of it.

use greenling::inspect::{TaskletInfo, tasklets};
use greenling::net::{TcpListener, TcpStream};
use greenling::sync::{Event, Mutex, Semaphore};
use greenling::{Builder, Channel, Tasklet, schedule, schedule_remove, time};
use std::io::Read;
use std::rc::Rc;
use std::time::Duration;
use tests::isolated;

fn named<T: 'static>(name: &str, f: impl FnOnce() -> T + 'static) {
    drop(Builder::new().name(name).spawn(f).unwrap());
}

fn find<'a>(all: &'a [TaskletInfo], name: &str) -> &'a TaskletInfo {
    let found = all.iter().find(|info| info.name.as_deref() == Some(name));
    found.unwrap_or_else(|| panic!("{name} in {all:#?}"))
}

const FOR_EVER: Duration = Duration::from_secs(3600);

#[test]
fn every_kind_of_wait_is_named() {
    isolated(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let channel = Channel::<u32>::new();
        let id = channel.id();
        let (other, mutex) = (Channel::<u32>::new(), Rc::new(Mutex::new(())));
        let locked = mutex.clone();
        let held = mutex.lock().unwrap();

        let theirs = channel.clone();
        named("receives", move || theirs.receive());
        let theirs = other.clone();
        named("sends", move || theirs.send(1));
        named("sleeps", || time::sleep(FOR_EVER));
        named("locks", move || drop(locked.lock()));
        named("event", || Event::new().wait());
        named("semaphore", || Semaphore::new(0).acquire().map(drop));
        named("accepts", move || listener.accept());
        named("reads", move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.read(&mut [0]).unwrap()
        });
        named("joins", || greenling::spawn(schedule_remove).join());
        let (remote, receiver) = greenling::thread::channel::<()>(1);
        named("remote", move || receiver.receive());
        let gate = std::sync::mpsc::channel::<()>();
        named("offloads", move || {
            greenling::offload(move || gate.1.recv().ok())
        });
        let paused = Builder::new().name("paused").tasklet(|| ()).unwrap();
        let removed = Builder::new().name("removed").tasklet(schedule_remove);
        let removed = removed.unwrap();
        removed.insert().unwrap();
        named("runnable", || {
            loop {
                schedule();
            }
        });
        // Until the connection is there, and all the rest long since.
        while find(&tasklets(), "reads").wait_reason != Some("descriptor readable") {
            schedule();
        }

        let all = tasklets();
        for (name, state, reason) in [
            ("main", "running", None),
            ("receives", "blocked", Some("channel receive")),
            ("sends", "blocked", Some("channel send")),
            ("sleeps", "blocked", Some("sleep")),
            ("locks", "blocked", Some("mutex")),
            ("event", "blocked", Some("event")),
            ("semaphore", "blocked", Some("semaphore")),
            ("reads", "blocked", Some("descriptor readable")),
            ("joins", "blocked", Some("join")),
            ("remote", "blocked", Some("thread channel receive")),
            ("offloads", "blocked", Some("offload")),
            ("paused", "paused", None),
            ("removed", "paused", None),
            ("runnable", "runnable", None),
        ] {
            let info = find(&all, name);
            assert_eq!((info.state, info.wait_reason), (state, reason), "{info}");
            assert!(info.spawned_at.file().ends_with(".rs"), "{info}");
            let waits = matches!(info.state, "blocked") || name == "removed";
            assert_eq!(info.waits_at.is_some(), waits, "{info}");
            if name != "main" {
                assert!(info.stack_used >= 4096, "{info}");
                assert!(info.stack_used < info.stack_size, "{info}");
            }
        }
        assert_eq!(find(&all, "receives").waits_in, Some(id));
        assert_eq!(
            (find(&all, "paused").handles, find(&all, "sleeps").handles),
            (1, 0)
        );
        // Sorted, and in one line each.
        assert!(all.is_sorted_by_key(|info| info.id));
        let line = find(&all, "receives").to_string();
        assert!(line.contains("waits for channel receive ("), "{line}");
        assert!(line.contains("KiB"), "{line}");
        drop((held, remote, gate.0, paused, removed));
    });
}

#[inline(never)]
fn touches(bytes: usize) {
    let mut block = [0u8; 4096];
    std::hint::black_box(&mut block);
    if bytes > block.len() {
        touches(bytes - block.len());
    }
    std::hint::black_box(&mut block);
}

#[test]
#[cfg_attr(greenling_asan, ignore = "locals lie elsewhere than on the stack")]
fn the_high_water_mark_is_the_deepest_page() {
    isolated(|| {
        let task = Tasklet::new(|| {
            schedule_remove();
            touches(100_000);
            schedule_remove();
        });
        let used = |task: &Tasklet| {
            let id = task.id();
            tasklets()
                .into_iter()
                .find(|it| it.id == id)
                .unwrap()
                .stack_used
        };
        task.run().unwrap();
        let before = used(&task);
        assert!((4096..40_000).contains(&before), "{before}");
        // Looking touches nothing.
        assert_eq!(used(&task), before);
        task.run().unwrap();
        let after = used(&task);
        assert!((100_000..200_000).contains(&after), "{after}");
        task.kill().unwrap();
    });
}
