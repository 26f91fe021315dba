//! Copies from files to sockets that are ended while the disk is waited for.

use greenling::io::copy;
use greenling::time::CancelToken;
use greenling::{ParkAction, Tasklet, schedule, set_park_hook, spawn};
use rustix::fs::{Advice, fadvise};
use std::cell::Cell;
use std::io::{self, Seek, Write};
use std::rc::Rc;
use tests::isolated;
use tests::sockets::half_pair;

/// A copy from a file that its disk has to bring, and what `end` does to the copier as
/// soon as it waits for that; `None` if it never has to.
fn cut_at_the_disk(
    copying: impl FnOnce(&mut dyn FnMut() -> io::Result<u64>) -> io::Result<u64> + 'static,
    end: impl FnOnce(&Tasklet),
) -> Option<(io::Result<u64>, u64)> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&[1; 50_000]).unwrap();
    file.rewind().unwrap();
    file.sync_all().unwrap();
    fadvise(&file, 0, None, Advice::DontNeed).unwrap();
    let (mut reader, (to, _from)) = (file.try_clone().unwrap(), half_pair());
    let victim = spawn(move || copying(&mut || copy(&mut reader, &mut &to)));
    let (id, parks) = (victim.tasklet().id(), Rc::new(Cell::new(None)));
    let seen = parks.clone();
    set_park_hook(Some(Rc::new(move |tasklet, reason| {
        if tasklet.id() == id && seen.get().is_none() {
            seen.set(Some(reason.name()));
        }
        ParkAction::Continue
    })));
    // It runs until it waits or has ended.
    schedule();
    set_park_hook(None);
    if parks.get() != Some("offload") {
        return None;
    }
    end(&victim.tasklet());
    let outcome = victim.join().unwrap();
    Some((outcome, (&file).stream_position().unwrap()))
}

#[test]
fn what_ends_the_wait_for_the_disk_ends_the_copy() {
    isolated(|| {
        let thrown = cut_at_the_disk(|copy| copy(), |victim| victim.throw("thrown").unwrap());
        if let Some((outcome, position)) = thrown {
            assert!(outcome.unwrap_err().to_string().contains("thrown"));
            assert_eq!(position, 0);
        }
        let token = CancelToken::new();
        let scope = token.clone();
        let cancelled = cut_at_the_disk(
            move |copy| scope.run(copy).unwrap_err().into_inner(),
            |_| token.cancel(),
        );
        if let Some((outcome, position)) = cancelled {
            assert!(outcome.unwrap_err().to_string().contains("cancelled"));
            assert_eq!(position, 0);
        }
    });
}
