//! Every scenario killed at every place where it parks.
//!
//! A scenario has a *victim*, a tasklet that waits in some way, and a part that
//! plays its peers and afterwards looks at what they see. It runs once to count
//! the victim's park points; then for each of them with the victim killed
//! there, once while it is parked and once after it was woken but before it has
//! run. After each run no tasklet may be left, and no descriptor.
//!
//! | file | has |
//! |---|---|
//! | `stage` | the machinery |
//! | `channels` | each operation at each switch of its caller, killed and thrown at |
//! | `sockets` | reading, writing, accepting, connecting |
//! | `more_sockets` | the same of UDP and Unix sockets, and one of several addresses |
//! | `children` | child processes, pipes |
//! | `files` | files, copies |
//! | `local` | channels, joins, sleeps, wait queues, time limits |
//! | `port` | the helpers for ported programs |
//! | `sync_locks` | locks and conditions |
//! | `sync_signals` | notifications, events, semaphores, barriers, queues |
//! | `futures` | futures, driven by `block_on` |
//! | `server` | whoever serves, with connections |
//! | `structure` | scopes, `select!`, cancel tokens, intervals |
//! | `threads` | waits that another OS thread ends |
//! | `tls` | handshakes and streams |
//!
//! The reasons for which victims parked are gathered and compared with the
//! lists of the two crates: a new kind of wait without a scenario fails.

mod channels;
mod children;
mod files;
mod futures;
mod local;
mod more_sockets;
mod port;
mod server;
mod sockets;
mod stage;
mod structure;
mod sync_locks;
mod sync_signals;
mod threads;
mod tls;

use stage::Scenario;
use std::collections::BTreeSet;

fn names(reasons: &[&'static greenling::WaitReason]) -> BTreeSet<&'static str> {
    reasons.iter().map(|reason| reason.name()).collect()
}

fn all_scenarios() -> impl Iterator<Item = &'static Scenario> {
    sockets::SCENARIOS
        .iter()
        .chain(channels::SCENARIOS)
        .chain(children::SCENARIOS)
        .chain(files::SCENARIOS)
        .chain(local::SCENARIOS)
        .chain(more_sockets::SCENARIOS)
        .chain(port::SCENARIOS)
        .chain(server::SCENARIOS)
        .chain(sync_locks::SCENARIOS)
        .chain(sync_signals::SCENARIOS)
        .chain(threads::SCENARIOS)
        .chain(futures::SCENARIOS)
        .chain(structure::SCENARIOS)
}

#[test]
fn the_runtimes_reasons_to_wait_are_all_hit() {
    let hit = stage::reasons_hit(all_scenarios());
    let hit = &hit - &names(&[&local::DOOR]);
    assert_eq!(hit, names(greenling::WAIT_REASONS));
}

#[test]
fn the_reasons_of_tls_to_wait_are_all_hit() {
    let hit = stage::reasons_hit(tls::SCENARIOS.iter());
    let missing = &names(greenling_tls::WAIT_REASONS) - &hit;
    assert!(missing.is_empty(), "never waited for: {missing:?}");
}
