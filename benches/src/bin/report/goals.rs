//! The goals of the project, and whether recorded results reach them.
//!
//! All values are costs, so all goals are upper limits. "1.1 times the
//! throughput of nginx" is 1 / 1.1 of its cost.

use crate::number::{number, unit};
use crate::results::{Results, Row};

/// One goal: `who` in `case` is held against something.
#[derive(Debug)]
pub(crate) struct Goal {
    what: &'static str,
    case: &'static str,
    who: &'static str,
    limit: Limit,
}

/// What a median is held against.
#[derive(Debug)]
enum Limit {
    /// A value in the unit of the case.
    Value(f64),
    /// So many times the median of a rival in the same case.
    Rival(&'static str, f64),
    /// The own median in another case, and so much more.
    Beyond(&'static str, f64),
    /// Nothing: it helps to understand the goal before it.
    Nothing,
}

const OURS: &str = "greenling";
const OURS_AWS: &str = "greenling-aws-lc";

/// Every goal, in the order of the table.
pub(crate) const GOALS: &[Goal] = &[
    goal(
        "switch, two different closures",
        "switch-pair",
        Limit::Value(9.0),
    ),
    goal(
        "switch, ring of 1000",
        "switch-ring-1000",
        Limit::Value(12.0),
    ),
    goal(
        "channel round trip",
        "channel-round-trip",
        Limit::Value(36.0),
    ),
    goal(
        "spawn and join, recycled stack",
        "spawn-join",
        Limit::Value(40.0),
    ),
    goal(
        "parked tasklet, memory",
        "parked-1m-bytes",
        Limit::Value(4900.0),
    ),
    goal(
        "parked tasklet, start: page fault and guard call, and 500 ns",
        "parked-1m-start",
        Limit::Beyond("parked-1m-yardstick", 500.0),
    ),
    goal(
        "1,000,000 parked tasklets, mappings",
        "parked-1m-vmas",
        Limit::Value(64.0),
    ),
    goal(
        "timer add and cancel, 1,000,000 live",
        "timer-add-cancel-1m",
        Limit::Value(60.0),
    ),
    goal("HTTP request", "http-hello", Limit::Rival("epoll", 1.06)),
    goal("HTTP request", "http-hello", Limit::Rival("hyper", 0.95)),
    goal("HTTP request", "http-hello", Limit::Rival("may", 0.9)),
    goal("HTTP request", "http-hello", Limit::Rival("nginx", 0.9)),
    goal("HTTP request", "http-hello", Limit::Rival("go", 0.4)),
    goal(
        "HTTPS request",
        "https-hello",
        Limit::Rival("hyper-rustls", 0.9),
    ),
    goal("HTTPS request", "https-hello", Limit::Rival("nginx", 0.7)),
    goal(
        "HTTPS request",
        "https-hello",
        Limit::Rival("hyper-openssl", 0.7),
    ),
    goal(
        "full TLS 1.3 handshake",
        "handshake",
        Limit::Rival("nginx", 1.0),
    ),
    Goal {
        what: "full TLS 1.3 handshake on AWS-LC",
        case: "handshake",
        who: OURS_AWS,
        limit: Limit::Rival("hyper-rustls", 1.0),
    },
    goal("1 MiB over HTTPS", "bulk", Limit::Rival("nginx", 1.0 / 1.1)),
    goal(
        "records of 16 KiB in memory",
        "tls-engine-write-aes256",
        Limit::Rival("raw-openssl", 1.0 / 0.9),
    ),
    goal(
        "idle TLS connection, memory",
        "idle-https-bytes",
        Limit::Value(18_500.0),
    ),
    goal(
        "HTTP, 99th percentile beside 8,000 idle connections over that beside none",
        "latency-http-ratio",
        Limit::Value(1.2),
    ),
    goal(
        "HTTPS, 99th percentile beside 8,000 idle connections over that beside none",
        "latency-https-ratio",
        Limit::Value(1.2),
    ),
    goal(
        "HTTP request, two workers over one, each with the same to do",
        "scaling-http-ratio",
        Limit::Value(1.05),
    ),
    goal(
        "the same, two workers over two servers of one",
        "scaling-http-shared-ratio",
        Limit::Nothing,
    ),
    goal(
        "the same, two workers over one, all short of cores",
        "workers-http-ratio",
        Limit::Nothing,
    ),
    goal(
        "HTTPS request, two workers over one, each with the same to do",
        "scaling-https-ratio",
        Limit::Value(1.05),
    ),
    goal(
        "the same, two workers over two servers of one",
        "scaling-https-shared-ratio",
        Limit::Nothing,
    ),
    goal(
        "the same, two workers over one, all short of cores",
        "workers-https-ratio",
        Limit::Nothing,
    ),
];

const fn goal(what: &'static str, case: &'static str, limit: Limit) -> Goal {
    Goal {
        what,
        case,
        who: OURS,
        limit,
    }
}

/// A goal beside what was measured, as cells of a table.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) what: &'static str,
    /// What was to be reached.
    pub(crate) goal: String,
    /// What was measured; empty where something is missing.
    pub(crate) measured: String,
    pub(crate) verdict: &'static str,
}

impl Goal {
    pub(crate) fn case(&self) -> &'static str {
        self.case
    }

    /// Holds the goal against `results`.
    pub(crate) fn judge(&self, results: &Results) -> Outcome {
        let own = results.find(self.case, self.who);
        let other = match self.limit {
            Limit::Value(_) | Limit::Nothing => None,
            Limit::Rival(rival, _) => results.find(self.case, rival),
            Limit::Beyond(case, _) => results.find(case, self.who),
        };
        let (goal, measured) = match self.limit {
            Limit::Value(limit) => {
                let unit = own.map_or("", |row| unit(&row.unit));
                let goal = format!("at most {} {unit}", number(limit));
                (goal, own.map(|own| (own.median(), limit, text(own))))
            }
            Limit::Rival(rival, limit) => {
                let goal = format!("at most {} x {rival}", number(limit));
                (goal, ratio(own, other, limit))
            }
            Limit::Beyond(case, by) => {
                let unit = own.map_or("", |row| unit(&row.unit));
                let goal = format!("at most `{case}` + {} {unit}", number(by));
                let measured = own.zip(other).map(|(own, other)| {
                    let limit = other.median() + by;
                    let text = format!("{} against {}", text(own), number(limit));
                    (own.median(), limit, text)
                });
                (goal, measured)
            }
            Limit::Nothing => {
                let measured = own.map(|own| (own.median(), f64::INFINITY, text(own)));
                ("none".into(), measured)
            }
        };
        let verdict = match measured {
            None => "not measured",
            Some((_, f64::INFINITY, _)) => "for comparison",
            Some((value, limit, _)) if value <= limit => "reached",
            Some(_) => "**not reached**",
        };
        Outcome {
            what: self.what,
            goal: goal.trim_end().into(),
            measured: measured.map(|(_, _, text)| text).unwrap_or_default(),
            verdict,
        }
    }
}

/// The ratio of two medians, its limit, and both as text.
fn ratio(own: Option<&Row>, other: Option<&Row>, limit: f64) -> Option<(f64, f64, String)> {
    let (own, other) = own.zip(other)?;
    let ratio = own.median() / other.median();
    let text = format!(
        "{} ({} against {})",
        exact(ratio),
        text(own),
        number(other.median())
    );
    Some((ratio, limit, text))
}

fn text(row: &Row) -> String {
    let median = match row.unit.as_str() {
        "x" => exact(row.median()),
        _ => number(row.median()),
    };
    format!("{median} {}", unit(&row.unit))
}

/// A ratio with a digit more than its limit has, or what is a little above it would
/// seem to have reached it.
fn exact(ratio: f64) -> String {
    format!("{ratio:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(values: &[(&str, &str, f64)]) -> Results {
        let mut text = String::from(r#"{"environment":{}}"#);
        for (case, who, value) in values {
            text += &format!(
                "\n{{\"case\":\"{case}\",\"who\":\"{who}\",\"unit\":\"us\",\"value\":{value}}}"
            );
        }
        Results::of(&text).unwrap()
    }

    fn verdict(limit: Limit, values: &[(&str, &str, f64)]) -> (String, &'static str) {
        let outcome = goal("a thing", "case", limit).judge(&results(values));
        (outcome.measured, outcome.verdict)
    }

    #[test]
    fn a_value_is_held_against_its_limit() {
        let ours = [("case", OURS, 9.0)];
        assert_eq!(verdict(Limit::Value(9.0), &ours).1, "reached");
        assert_eq!(verdict(Limit::Value(8.9), &ours).1, "**not reached**");
        assert_eq!(verdict(Limit::Value(9.0), &[]).1, "not measured");
    }

    #[test]
    fn a_rival_is_beaten_by_the_ratio() {
        let both = [("case", OURS, 6.0), ("case", "nginx", 8.0)];
        assert_eq!(
            verdict(Limit::Rival("nginx", 0.75), &both),
            ("0.750 (6.00 µs against 8.00)".into(), "reached")
        );
        assert_eq!(
            verdict(Limit::Rival("nginx", 0.7), &both).1,
            "**not reached**"
        );
        assert_eq!(verdict(Limit::Rival("hyper", 0.7), &both).1, "not measured");
    }

    #[test]
    fn a_ratio_is_shown_as_it_is_judged() {
        let both = [("case", OURS, 1.0652), ("case", "epoll", 1.0)];
        assert_eq!(
            verdict(Limit::Rival("epoll", 1.06), &both),
            ("1.065 (1.07 µs against 1.00)".into(), "**not reached**")
        );
        assert_eq!(verdict(Limit::Nothing, &both).1, "for comparison");
    }

    #[test]
    fn another_case_is_a_limit_too() {
        let both = [("case", OURS, 6.0), ("other", OURS, 5.0)];
        assert_eq!(verdict(Limit::Beyond("other", 1.0), &both).1, "reached");
        assert_eq!(
            verdict(Limit::Beyond("other", 0.5), &both).1,
            "**not reached**"
        );
    }
}
