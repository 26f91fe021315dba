//! Which case belongs to which page, and what it is called there.

use crate::number::{amount, size};

/// A page of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Area {
    Programs,
    Servers,
    Tls,
    Growth,
}

impl Area {
    pub(crate) const ALL: [Area; 4] = [Area::Programs, Area::Servers, Area::Tls, Area::Growth];

    /// The page of `case`; what is not known by its name is a program.
    pub(crate) fn of(case: &str) -> Area {
        let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| case.starts_with(prefix));
        if begins(&["growth-"]) {
            Area::Growth
        } else if case.contains("https") || begins(&["handshake", "resume", "tls-"]) {
            Area::Tls
        } else if case.contains("http") || begins(&["crowd-"]) {
            Area::Servers
        } else if begins(&["bulk"]) {
            Area::Tls
        } else {
            Area::Programs
        }
    }

    /// The name of its file, without the ending.
    pub(crate) fn file(self) -> &'static str {
        match self {
            Area::Programs => "programs",
            Area::Servers => "servers",
            Area::Tls => "tls",
            Area::Growth => "growth",
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Area::Programs => "Tasklets, channels, timers",
            Area::Servers => "HTTP servers",
            Area::Tls => "TLS",
            Area::Growth => "Cost as the work grows",
        }
    }
}

/// What is counted along the axis of a growth case, and in which words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Axis {
    pub(crate) name: &'static str,
    bytes: bool,
}

impl Axis {
    pub(crate) fn of(case: &str) -> Axis {
        let bytes = case.starts_with("growth-bodies");
        let name = match case {
            _ if bytes => "size of the body",
            _ if case.starts_with("growth-connections") => "connections, all of them active",
            _ if case.starts_with("growth-timers") => "live timers",
            _ if case.starts_with("growth-channel-waiters") => "tasklets that wait at one channel",
            _ => "tasklets",
        };
        Axis { name, bytes }
    }

    pub(crate) fn counts_bytes(self) -> bool {
        self.bytes
    }

    /// The label of one place on the axis.
    pub(crate) fn label(self, x: u64) -> String {
        if self.bytes { size(x) } else { amount(x) }
    }
}

/// Whether a growth case shows what grows with the size by its nature, as a response
/// does with its body; nothing but the cost of each KiB could be constant there.
pub(crate) fn is_proportional(case: &str) -> bool {
    case.starts_with("growth-bodies") && !case.ends_with("-kib")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_find_their_pages() {
        for (case, area) in [
            ("switch-pair", Area::Programs),
            ("sleepers-10k", Area::Programs),
            ("http-hello", Area::Servers),
            ("workers-http-ratio", Area::Servers),
            ("workers-https-ratio", Area::Tls),
            ("bulk-http-rate", Area::Servers),
            ("bulk-rate", Area::Tls),
            ("https-hello", Area::Tls),
            ("idle-https-bytes", Area::Tls),
            ("tls-engine-bulk", Area::Tls),
            ("growth-bodies-https", Area::Growth),
        ] {
            assert_eq!(Area::of(case), area, "{case}");
        }
    }

    #[test]
    fn an_axis_of_bodies_counts_bytes() {
        assert_eq!(Axis::of("growth-bodies-http").label(16384), "16 KiB");
        assert_eq!(Axis::of("growth-timers-fire").label(100_000), "100k");
    }
}
