//! Children whose objects were dropped before they ended.
//!
//! Somebody has to reap them, or they stay as zombies. They are handed to one
//! thread, made when the first is there, which waits for the pidfds of all. A
//! tasklet would not do: its thread may end, and `run` would wait for it.
//! Without a pidfd each has a thread of its own.

use super::exit;
use rustix::process::Pid;
use std::process::Child;
use std::thread::Builder;

/// Reaps `child` when it ends.
pub(super) fn adopt(child: Child) {
    let pid = Pid::from_child(&child);
    let child = match exit::pidfd(pid) {
        Ok(pidfd) => match reaper::watch(pidfd, child) {
            Ok(()) => return,
            Err(child) => child,
        },
        Err(_) => child,
    };
    wait_by_thread(child);
}

fn wait_by_thread(mut child: Child) {
    let id = child.id();
    let thread = Builder::new().name("greenling-child".into());
    let waiting = thread.spawn(move || {
        // Nobody is left who wants to know.
        let _ = child.wait();
    });
    if let Err(error) = waiting {
        log::warn!("greenling: process {id} becomes a zombie, no thread to reap it: {error}");
    }
}

/// The thread for all of them.
#[cfg(target_os = "linux")]
mod reaper {
    use rustix::event::epoll;
    use rustix::io::Errno;
    use std::collections::HashMap;
    use std::os::fd::OwnedFd;
    use std::process::Child;
    use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
    use std::thread::Builder;

    /// By process number, which is not used again before the child is reaped.
    type Orphans = HashMap<u64, (OwnedFd, Child)>;

    static ORPHANS: LazyLock<Mutex<Orphans>> = LazyLock::new(Mutex::default);

    /// Watches the pidfds; none if it or the thread could not be made.
    static WATCH: LazyLock<Option<OwnedFd>> = LazyLock::new(|| {
        let watch = epoll::create(epoll::CreateFlags::CLOEXEC).ok()?;
        let thread = Builder::new().name("greenling-reaper".into());
        thread.spawn(reap_for_ever).ok()?;
        Some(watch)
    });

    fn orphans() -> MutexGuard<'static, Orphans> {
        ORPHANS.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reaps `child` when its pidfd says that it has ended.
    pub(super) fn watch(pidfd: OwnedFd, child: Child) -> Result<(), Child> {
        let Some(watch) = &*WATCH else {
            return Err(child);
        };
        let id = u64::from(child.id());
        let mut orphans = orphans();
        let data = epoll::EventData::new_u64(id);
        // Under the lock: its end may be heard of at once.
        if epoll::add(watch, &pidfd, data, epoll::EventFlags::IN).is_err() {
            return Err(child);
        }
        orphans.insert(id, (pidfd, child));
        Ok(())
    }

    fn reap_for_ever() {
        let Some(watch) = &*WATCH else {
            return;
        };
        let mut ended = Vec::with_capacity(64);
        loop {
            ended.clear();
            let into = rustix::buffer::spare_capacity(&mut ended);
            match epoll::wait(watch, into, None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => {
                    log::error!("greenling: children are not reaped any more: {error}");
                    return;
                }
            }
            for event in &ended {
                let orphan = orphans().remove(&event.data.u64());
                if let Some((pidfd, mut child)) = orphan {
                    // Closing it is not enough while a forked process has it,
                    // too.
                    let _ = epoll::delete(watch, &pidfd);
                    drop(pidfd);
                    let _ = child.wait();
                }
            }
        }
    }
}

/// Without pidfds there is nothing to watch.
#[cfg(not(target_os = "linux"))]
mod reaper {
    use std::os::fd::OwnedFd;
    use std::process::Child;

    pub(super) fn watch(_: OwnedFd, child: Child) -> Result<(), Child> {
        Err(child)
    }
}
