//! The programs, who runs them, how often, and what their figures are called.

use benches::machine;
use benches::who::Who;

use crate::options::Case;

/// A small program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    SwitchPair,
    SwitchSame,
    SwitchRing,
    ChannelRoundTrip,
    SpawnJoin,
    Parked,
    Sleepers,
    CancelStorm,
    Select2,
    Select8,
    Select64,
    ScopeJoin,
    BlockOnReady,
    Semaphore,
    MutexHandover,
    EventWake,
    Timer,
    TimerCrowd,
    TimerFire,
    TimeoutUnused,
    ReadTimeout,
    TlsSmall128,
    TlsSmall256,
    TlsWrite128,
    TlsWrite256,
    TlsRead128,
    TlsRead256,
    TlsHandshake,
}

/// Tasklets that wake or end at once in the crowd programs.
pub(crate) const CROWD: u64 = 10_000;

/// Timers that are set and cleared in a run.
pub(crate) const TIMERS: u64 = 4_000_000;

/// Tasklets in the ring of `switch-ring-1000`.
pub(crate) const RING: u64 = 1000;

/// A parked tasklet or goroutine costs less than this; with less memory free
/// the full `parked` would only measure the swap.
const PARKED_BYTES_MAX: u64 = 6 * 1024;

/// `may` protects one page of each stack, which makes two mappings of it;
/// `vm.max_map_count` is 65530 by default.
const MAY_PARKED_MAX: u64 = 30_000;

impl Program {
    pub(crate) const ALL: [Program; 28] = [
        Program::SwitchPair,
        Program::SwitchSame,
        Program::SwitchRing,
        Program::ChannelRoundTrip,
        Program::SpawnJoin,
        Program::Parked,
        Program::Sleepers,
        Program::CancelStorm,
        Program::EventWake,
        Program::Select2,
        Program::Select8,
        Program::Select64,
        Program::ScopeJoin,
        Program::BlockOnReady,
        Program::Semaphore,
        Program::MutexHandover,
        Program::Timer,
        Program::TimerCrowd,
        Program::TimerFire,
        Program::TimeoutUnused,
        Program::ReadTimeout,
        Program::TlsSmall128,
        Program::TlsSmall256,
        Program::TlsWrite128,
        Program::TlsWrite256,
        Program::TlsRead128,
        Program::TlsRead256,
        Program::TlsHandshake,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Program::SwitchPair => "switch-pair",
            Program::SwitchSame => "switch-same",
            Program::SwitchRing => "switch-ring-1000",
            Program::ChannelRoundTrip => "channel-round-trip",
            Program::SpawnJoin => "spawn-join",
            Program::Parked => "parked",
            Program::Sleepers => "sleepers-10k",
            Program::CancelStorm => "cancel-10k",
            Program::EventWake => "event-10k",
            Program::Select2 => "select-2",
            Program::Select8 => "select-8",
            Program::Select64 => "select-64",
            Program::ScopeJoin => "scope-spawn-join",
            Program::BlockOnReady => "block-on-ready",
            Program::Semaphore => "semaphore-round-trip",
            Program::MutexHandover => "mutex-hand-over",
            Program::Timer => "timer-add-cancel-1",
            Program::TimerCrowd => "timer-add-cancel",
            Program::TimerFire => "timer-fire",
            Program::TimeoutUnused => "timeout-unused",
            Program::ReadTimeout => "read-wait",
            Program::TlsSmall128 => "tls-engine-small-aes128",
            Program::TlsSmall256 => "tls-engine-small-aes256",
            Program::TlsWrite128 => "tls-engine-write-aes128",
            Program::TlsWrite256 => "tls-engine-write-aes256",
            Program::TlsRead128 => "tls-engine-read-aes128",
            Program::TlsRead256 => "tls-engine-read-aes256",
            Program::TlsHandshake => "tls-engine-handshake",
        }
    }

    pub(crate) fn by_name(name: &str) -> Option<Program> {
        Program::ALL
            .into_iter()
            .find(|program| program.name() == name)
    }

    pub(crate) fn group(self) -> Case {
        match self {
            Program::SwitchPair | Program::SwitchSame | Program::SwitchRing => Case::Switch,
            Program::ChannelRoundTrip => Case::Channel,
            Program::SpawnJoin => Case::Spawn,
            Program::Parked => Case::Parked,
            Program::Sleepers | Program::CancelStorm | Program::EventWake => Case::Crowds,
            Program::Select2
            | Program::Select8
            | Program::Select64
            | Program::ScopeJoin
            | Program::BlockOnReady
            | Program::Semaphore
            | Program::MutexHandover => Case::Waits,
            Program::Timer
            | Program::TimerCrowd
            | Program::TimerFire
            | Program::TimeoutUnused
            | Program::ReadTimeout => Case::Timer,
            Program::TlsSmall128
            | Program::TlsSmall256
            | Program::TlsWrite128
            | Program::TlsWrite256
            | Program::TlsRead128
            | Program::TlsRead256
            | Program::TlsHandshake => Case::TlsEngine,
        }
    }

    /// Who has a program for it. What has no counterpart elsewhere, or none that
    /// does the same, is measured alone.
    pub(crate) fn contenders(self) -> &'static [Who] {
        match self.group() {
            _ if self == Program::ReadTimeout => &[Who::Greenling],
            Case::Crowds | Case::Waits => &[Who::Greenling],
            Case::Timer => &[Who::Greenling, Who::Go],
            Case::TlsEngine => &[
                Who::Greenling,
                Who::RawOpenssl,
                Who::OpensslCrate,
                Who::Rustls,
            ],
            _ => &[Who::Greenling, Who::May, Who::Go],
        }
    }

    /// Over how many channels a select program waits.
    pub(crate) fn arms(self) -> Option<usize> {
        match self {
            Program::Select2 => Some(2),
            Program::Select8 => Some(8),
            Program::Select64 => Some(64),
            _ => None,
        }
    }

    /// The cipher suite of TLS 1.3 that a TLS program's client insists on.
    pub(crate) fn suite(self) -> Option<&'static str> {
        match self {
            Program::TlsSmall128 | Program::TlsWrite128 | Program::TlsRead128 => {
                Some("TLS_AES_128_GCM_SHA256")
            }
            Program::TlsSmall256
            | Program::TlsWrite256
            | Program::TlsRead256
            | Program::TlsHandshake => Some("TLS_AES_256_GCM_SHA384"),
            _ => None,
        }
    }

    /// How many operations a run does; an error says why `who` cannot run it.
    ///
    /// The rivals do fewer, since each of their operations takes longer: what
    /// is reported is the cost of one.
    pub(crate) fn count(self, who: Who, quick: bool) -> Result<u64, String> {
        if self == Program::Parked {
            return parked_count(who, quick);
        }
        if self == Program::TimerCrowd {
            // Ours are tasklets that sleep, those of rivals need no stack.
            return if who == Who::Greenling {
                parked_count(who, quick)
            } else {
                Ok(if quick { 20_000 } else { 1_000_000 })
            };
        }
        if who == Who::Rustls && !cfg!(feature = "rivals") {
            return Err("built without the feature rivals".into());
        }
        let (full, rival_share) = match self {
            // Rounds of the whole crowd.
            Program::Sleepers | Program::CancelStorm | Program::EventWake => (20, 1),
            Program::Select64 => (100_000, 1),
            // Rounds of a thousand sleepers.
            Program::TimerFire => (2000, 4),
            Program::ReadTimeout => (200_000, 1),
            _ if self.group() == Case::Timer => (TIMERS, 4),
            _ if self.group() == Case::Waits => (1_000_000, 1),
            Program::TlsHandshake => (1_000, 1),
            Program::TlsSmall128 | Program::TlsSmall256 => (150_000, 1),
            _ if self.group() == Case::TlsEngine => (40_000, 1),
            Program::SwitchRing => (20_000, 8),
            Program::ChannelRoundTrip | Program::SpawnJoin => (4_000_000, 10),
            _ => (10_000_000, 8),
        };
        let count = if who == Who::Greenling {
            full
        } else {
            full / rival_share
        };
        Ok(if quick { (count / 100).max(1) } else { count })
    }

    /// The case name and the unit of what a child calls `figure`.
    pub(crate) fn figure(self, figure: &str, count: u64) -> (String, &'static str) {
        match (self, figure) {
            (Program::Parked, _) => {
                let unit = match figure {
                    "bytes" => "bytes",
                    "vmas" => "vmas",
                    _ => "ns",
                };
                (format!("parked-{}-{figure}", amount(count)), unit)
            }
            (Program::TimerCrowd, _) => (format!("{}-{}", self.name(), amount(count)), "ns"),
            (Program::ReadTimeout, _) => (format!("{}-{figure}", self.name()), "ns"),
            _ => (self.name().into(), "ns"),
        }
    }
}

fn parked_count(who: Who, quick: bool) -> Result<u64, String> {
    let full = if quick { 20_000 } else { 1_000_000 };
    if who == Who::May {
        if !quick {
            eprintln!(
                "may cannot hold 1,000,000 coroutines (two mappings each, and the kernel \
                 allows vm.max_map_count of them): it is measured with {MAY_PARKED_MAX}"
            );
        }
        return Ok(full.min(MAY_PARKED_MAX));
    }
    let needed = full * PARKED_BYTES_MAX;
    match machine::available_memory() {
        Ok(available) if available < needed => Err(format!(
            "{} MB are free and {} are needed",
            available >> 20,
            needed >> 20
        )),
        Ok(_) => Ok(full),
        Err(error) => Err(error.to_string()),
    }
}

/// 1000000 is "1m", 20000 is "20k".
fn amount(count: u64) -> String {
    match count {
        count if count.is_multiple_of(1_000_000) => format!("{}m", count / 1_000_000),
        count if count.is_multiple_of(1_000) => format!("{}k", count / 1_000),
        count => count.to_string(),
    }
}
