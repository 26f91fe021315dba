//! Recorded counts: their file, and what has changed since.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::process::Command;

/// By how much a count may grow.
const GROWTH_MAX: f64 = 0.05;

/// By how much it may grow where another compiler has made the program.
const GROWTH_MAX_ELSEWHERE: f64 = 0.25;

/// What the counts depend on, apart from the code.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Environment(BTreeMap<String, String>);

/// What own instructions depend on.
const COMPILER: [&str; 2] = ["rustc", "target"];

/// What those of the libraries depend on, too: OpenSSL chooses its code by the
/// processor.
const LIBRARIES: [&str; 2] = ["libcrypto", "processor"];

/// Instructions of one operation each: own and all.
#[derive(Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) environment: Environment,
    pub(crate) counts: BTreeMap<String, [f64; 2]>,
}

/// How this program was built: as the workspace says, or without optimisation
/// across units of code, as in `.ci/run`, which takes less time. One differs from
/// the other by half an operation.
fn profile() -> &'static str {
    match option_env!("CARGO_PROFILE_RELEASE_LTO") {
        Some("off") => "units",
        _ => "release",
    }
}

/// The record of this target and build.
pub(crate) fn path() -> PathBuf {
    let name = format!("{}-{}.txt", target(), profile());
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("instructions")
        .join(name)
}

fn target() -> String {
    format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
}

impl Environment {
    /// That of this process, whose compiler is taken to be the one on the PATH.
    pub(crate) fn here() -> Environment {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let rustc = Command::new(rustc).arg("--version").output();
        let rustc = rustc.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_string());
        let processors = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = processors
            .lines()
            .find_map(|line| line.strip_prefix("model name"));
        let model = model.map(|rest| rest.trim_start_matches([' ', '\t', ':']));
        Environment(BTreeMap::from([
            ("rustc".into(), rustc.unwrap_or_default()),
            ("target".into(), target()),
            ("libcrypto".into(), openssl::version::version().into()),
            ("processor".into(), model.unwrap_or("unknown").into()),
        ]))
    }

    /// How `other` differs in `fields`, one line each.
    fn differences(&self, other: &Environment, fields: &[&str]) -> Vec<String> {
        let value = |of: &Environment, field: &str| of.0.get(field).cloned().unwrap_or_default();
        fields
            .iter()
            .map(|field| (field, value(self, field), value(other, field)))
            .filter(|(_, recorded, here)| recorded != here)
            .map(|(field, recorded, here)| format!("{field}: recorded {recorded}, here {here}"))
            .collect()
    }
}

impl Record {
    /// Reads what `Display` writes.
    pub(crate) fn parse(text: &str) -> Result<Record, String> {
        let mut record = Record {
            environment: Environment::default(),
            counts: BTreeMap::new(),
        };
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let bad = || format!("bad line {line:?}");
            let (name, rest) = line.split_once(' ').ok_or_else(bad)?;
            let rest = rest.trim();
            if COMPILER.contains(&name) || LIBRARIES.contains(&name) {
                record.environment.0.insert(name.into(), rest.into());
                continue;
            }
            let (own, all) = rest.split_once(' ').ok_or_else(bad)?;
            let number = |text: &str| text.trim().parse::<f64>().map_err(|_| bad());
            record
                .counts
                .insert(name.into(), [number(own)?, number(all)?]);
        }
        Ok(record)
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "# Instructions of one operation, in a release build: of the program itself,"
        )?;
        writeln!(
            f,
            "# and with the C libraries. Written by the benches' `instructions record`."
        )?;
        for (name, value) in &self.environment.0 {
            writeln!(f, "{name:<22} {value}")?;
        }
        for (name, [own, all]) in &self.counts {
            writeln!(f, "{name:<22} {own:>10.1} {all:>10.1}")?;
        }
        Ok(())
    }
}

/// What became of each count.
#[derive(Debug, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) grown: usize,
    text: String,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Holds the counts of `now` against the `recorded` ones.
pub(crate) fn compare(recorded: &Record, now: &Record) -> Verdict {
    let compilers = recorded
        .environment
        .differences(&now.environment, &COMPILER);
    let libraries = recorded
        .environment
        .differences(&now.environment, &LIBRARIES);
    let limit = if compilers.is_empty() {
        GROWTH_MAX
    } else {
        GROWTH_MAX_ELSEWHERE
    };
    let with_libraries = compilers.is_empty() && libraries.is_empty();
    let mut lines = vec![format!(
        "{:<22} {:>10} {:>10} {:>10} {:>10}",
        "instructions", "own", "recorded", "all", "recorded"
    )];
    let mut grown = 0;
    let mut shrunk = 0;
    for (name, &[own, all]) in &now.counts {
        let Some(&[own_then, all_then]) = recorded.counts.get(name) else {
            lines.push(format!(
                "{name:<22} {own:>10.1} {:>10} {all:>10.1} {:>10}",
                "-", "-"
            ));
            grown += 1;
            lines.push("    NOT RECORDED".into());
            continue;
        };
        lines.push(format!(
            "{name:<22} {own:>10.1} {own_then:>10.1} {all:>10.1} {all_then:>10.1}"
        ));
        let mut change = growth(own_then, own);
        if with_libraries {
            let with = growth(all_then, all);
            change = if with.abs() > change.abs() {
                with
            } else {
                change
            };
        }
        let percent = change * 100.0;
        if change > limit {
            grown += 1;
            lines.push(format!("    GROWN by {percent:.1} %"));
        } else if change < -GROWTH_MAX {
            shrunk += 1;
            lines.push(format!("    shrunk by {:.1} %", -percent));
        }
    }
    let lost = recorded
        .counts
        .keys()
        .filter(|name| !now.counts.contains_key(*name));
    for name in lost {
        grown += 1;
        lines.push(format!("{name:<22} NOT COUNTED ANY MORE"));
    }
    for difference in compilers.iter().chain(&libraries) {
        lines.push(format!("differs: {difference}"));
    }
    if !compilers.is_empty() {
        lines.push(format!(
            "another compiler or target: {:.0} % are allowed",
            limit * 100.0
        ));
    }
    if !with_libraries {
        lines.push("the libraries' instructions are not compared".into());
    }
    if grown > 0 {
        lines.push(format!(
            "{grown} operations take more than recorded; if that is meant, `instructions record`"
        ));
    } else if shrunk > 0 {
        lines.push(format!(
            "{shrunk} operations take less: `instructions record` keeps that"
        ));
    }
    Verdict {
        grown,
        text: lines.join("\n") + "\n",
    }
}

/// By which part `now` is more than `then`. Half an instruction is no growth.
fn growth(then: f64, now: f64) -> f64 {
    if (now - then).abs() <= 0.5 {
        0.0
    } else {
        (now - then) / then.max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(rustc: &str, libcrypto: &str, own: f64, all: f64) -> Record {
        let environment = [("rustc", rustc), ("target", "t"), ("libcrypto", libcrypto)];
        let environment = environment.map(|(name, value)| (name.to_string(), value.to_string()));
        Record {
            environment: Environment(BTreeMap::from(environment)),
            counts: BTreeMap::from([("switch".to_string(), [own, all])]),
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let record = record("rustc 1", "OpenSSL 3", 20.5, 30.0);
        assert_eq!(Record::parse(&record.to_string()), Ok(record));
        assert!(Record::parse("switch 20.5\n").is_err());
    }

    #[test]
    fn growth_above_the_limit_fails_and_what_shrinks_is_told() {
        let then = record("1", "3", 100.0, 200.0);
        assert_eq!(compare(&then, &record("1", "3", 104.0, 209.0)).grown, 0);
        assert_eq!(compare(&then, &record("1", "3", 106.0, 200.0)).grown, 1);
        assert_eq!(compare(&then, &record("1", "3", 100.0, 211.0)).grown, 1);
        let less = compare(&then, &record("1", "3", 90.0, 190.0));
        assert!(less.grown == 0 && less.text.contains("shrunk by 10.0 %"));
    }

    #[test]
    fn what_the_code_does_not_decide_is_allowed_for() {
        let then = record("1", "3", 100.0, 200.0);
        assert_eq!(compare(&then, &record("1", "4", 104.0, 400.0)).grown, 0);
        assert_eq!(compare(&then, &record("1", "4", 106.0, 200.0)).grown, 1);
        assert_eq!(compare(&then, &record("2", "3", 120.0, 200.0)).grown, 0);
        assert_eq!(compare(&then, &record("2", "3", 130.0, 200.0)).grown, 1);
    }

    #[test]
    fn an_operation_without_a_counterpart_fails() {
        let then = record("1", "3", 100.0, 200.0);
        let mut now = record("1", "3", 100.0, 200.0);
        now.counts.insert("new".into(), [1.0, 1.0]);
        assert_eq!(compare(&then, &now).grown, 1);
        assert_eq!(compare(&now, &then).grown, 1);
    }
}
