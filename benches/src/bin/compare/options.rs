//! The command line: what is measured, for whom, how often and how long.

use std::path::PathBuf;

use benches::who::Who;
use clap::{Parser, ValueEnum};

/// Measures Greenling and its rivals, each case in turns.
#[derive(Debug, Parser)]
pub(crate) struct Options {
    /// What to measure.
    #[arg(value_name = "CASE", required = true)]
    cases: Vec<Case>,
    /// A short smoke test; its figures mean little.
    #[arg(long)]
    pub(crate) quick: bool,
    /// How often each contender runs [default: 5, with --quick 1].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    runs: Option<u32>,
    /// How long a run under load takes [default: 2, with --quick 1].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    seconds: Option<u32>,
    /// Only this contender; may be repeated.
    #[arg(long, value_name = "NAME")]
    who: Vec<Who>,
    /// Appends the value of each run to this file, see `record`.
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
}

/// A group of cases, as named on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Case {
    /// Everything below.
    All,
    /// From one tasklet to another.
    Switch,
    /// A value there and back over two channels.
    Channel,
    /// A tasklet started and joined.
    Spawn,
    /// A million tasklets that wait.
    Parked,
    /// Ten thousand tasklets that wake or end at once.
    Crowds,
    /// The waits of the toolkit.
    Waits,
    /// Deadlines that come, and those that do not.
    Timer,
    /// TLS in memory: records and handshakes without sockets.
    TlsEngine,
    /// A small request over kept connections, plain.
    Http,
    /// The same over TLS.
    Https,
    /// A connection for one request, with a full handshake.
    Handshake,
    /// The same with a resumed session.
    Resume,
    /// Bodies of 1 MiB.
    Bulk,
    /// Idle HTTPS connections: what each one holds.
    Idle,
    /// Active connections without and with 8,000 idle ones.
    Latency,
    /// Few active connections among 10,000.
    Crowd,
    /// One worker and two, each with the same to do.
    Scaling,
    /// One worker and two under a client that takes all it can get.
    Workers,
    /// Cost as the work grows: all of the following.
    Growth,
    /// More and more active connections.
    GrowthConnections,
    /// More and more tasklets.
    GrowthTasklets,
    /// More and more live timers.
    GrowthTimers,
    /// More and more tasklets that wait at one channel.
    GrowthChannelWaiters,
    /// Longer and longer bodies.
    GrowthBodies,
}

impl Options {
    /// Whether `case` was asked for.
    pub(crate) fn wants(&self, case: Case) -> bool {
        self.cases.contains(&case) || self.cases.contains(&Case::All)
    }

    /// The contenders of `all` that were asked for.
    pub(crate) fn chosen(&self, all: &[Who]) -> Vec<Who> {
        let wanted = |who: &Who| self.who.is_empty() || self.who.contains(who);
        all.iter().copied().filter(wanted).collect()
    }

    /// The contenders of `all` that were asked for; when nobody was, the `usual`.
    pub(crate) fn chosen_or(&self, usual: &[Who], all: &[Who]) -> Vec<Who> {
        if self.who.is_empty() {
            usual.to_vec()
        } else {
            self.chosen(all)
        }
    }

    /// How often each contender runs.
    pub(crate) fn runs(&self) -> usize {
        self.runs_or(5)
    }

    /// How often each contender runs, where `usual` is enough.
    pub(crate) fn runs_or(&self, usual: u32) -> usize {
        self.runs.unwrap_or(if self.quick { 1 } else { usual }) as usize
    }

    /// How many seconds a run under load takes.
    pub(crate) fn seconds(&self) -> u32 {
        self.seconds.unwrap_or(if self.quick { 1 } else { 2 })
    }
}

/// The places of `count` contenders in the order of run `run`, which is another
/// one each time.
pub(crate) fn rotated(count: usize, run: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |turn| (turn + run) % count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_wants_everything_and_a_case_itself() {
        let all = Options::parse_from(["compare", "all"]);
        let one = Options::parse_from(["compare", "http", "--quick"]);
        assert!(all.wants(Case::Switch) && all.wants(Case::Crowd));
        assert!(one.wants(Case::Http) && !one.wants(Case::Https));
        assert_eq!((all.runs(), one.runs()), (5, 1));
    }

    #[test]
    fn only_the_named_contenders_are_chosen() {
        let two = Options::parse_from(["compare", "http", "--who", "go", "--who", "nginx"]);
        let all = [Who::Greenling, Who::Nginx, Who::Go];
        assert_eq!(two.chosen(&all), [Who::Nginx, Who::Go]);
        let everybody = Options::parse_from(["compare", "http"]);
        assert_eq!(everybody.chosen(&all), all);
        assert_eq!(everybody.chosen_or(&all[..1], &all), [Who::Greenling]);
        assert_eq!(two.chosen_or(&all[..1], &all), [Who::Nginx, Who::Go]);
    }

    #[test]
    fn the_order_rotates() {
        assert_eq!(rotated(3, 0).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(rotated(3, 1).collect::<Vec<_>>(), [1, 2, 0]);
        assert_eq!(rotated(3, 3).collect::<Vec<_>>(), [0, 1, 2]);
    }
}
