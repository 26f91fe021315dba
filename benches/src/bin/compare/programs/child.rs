//! One measurement in a process of its own.
//!
//! Both kinds of child, this binary and the Go program, take the name of a
//! program and a count, and answer with lines of `FIGURE VALUE`.

use std::fmt::Display;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use benches::go::Go;
use benches::machine::{self, Footprint};
use benches::who::Who;

/// The hidden argument that makes this binary a child.
pub(crate) const FLAG: &str = "--child";

/// The figure that `baseline` adds to `parked`: what the kernel alone charges.
pub(crate) const YARDSTICK: &str = "yardstick";

/// What a child measured: names and values.
pub(crate) type Figures = Vec<(String, f64)>;

/// Runs the program `name` for `who` in a new process that inherits this one's
/// core. `flag` is the hidden argument that makes this binary such a process.
pub(crate) fn run(
    go: Option<&Go>,
    who: Who,
    flag: &str,
    name: &str,
    count: u64,
) -> Result<Figures, String> {
    let mut command = match (who, go) {
        (Who::Go, Some(go)) => Command::new(go.path()),
        (Who::Go, None) => return Err("no Go program was built".into()),
        _ => {
            let this = std::env::current_exe().map_err(|error| error.to_string())?;
            let mut command = Command::new(this);
            command.arg(flag).arg(who.name());
            command
        }
    };
    command.arg(name).arg(count.to_string());
    let output = machine::tethered(&command)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!("the child ended with {}", output.status));
    }
    let figures = parse(&String::from_utf8_lossy(&output.stdout))?;
    if figures.is_empty() {
        Err("the child reported nothing".into())
    } else {
        Ok(figures)
    }
}

fn parse(answer: &str) -> Result<Figures, String> {
    answer
        .lines()
        .map(|line| {
            let (name, value) = line
                .split_once(' ')
                .ok_or_else(|| format!("bad line {line:?}"))?;
            let value = value
                .parse()
                .map_err(|_| format!("bad value in {line:?}"))?;
            Ok((name.to_string(), value))
        })
        .collect()
}

/// The child's side: if this process was started with `flag`, runs one program,
/// with the contender, the program's name and the count, and prints its figures.
pub(crate) fn answer<E: Display>(
    flag: &str,
    run: impl FnOnce(&str, &str, u64) -> Result<Figures, E>,
) -> Option<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (first, arguments) = arguments.split_first()?;
    if first != flag {
        return None;
    }
    let [who, name, count] = arguments else {
        eprintln!("{flag} takes a contender, a program and a count");
        return Some(ExitCode::from(2));
    };
    let Ok(count) = count.parse() else {
        eprintln!("{count:?} is no count");
        return Some(ExitCode::from(2));
    };
    match run(who, name, count) {
        Ok(figures) => {
            for (name, value) in figures {
                println!("{name} {value}");
            }
            Some(ExitCode::SUCCESS)
        }
        Err(reason) => {
            eprintln!("{who} {name}: {reason}");
            Some(ExitCode::FAILURE)
        }
    }
}

/// The single figure of a program: `elapsed` over `operations`.
pub(crate) fn each(elapsed: Duration, operations: u64) -> Figures {
    cost("each", elapsed, operations)
}

/// One of several figures of a program: `elapsed` over `operations`.
pub(crate) fn cost(figure: &str, elapsed: Duration, operations: u64) -> Figures {
    let each = elapsed.as_secs_f64() * 1e9 / operations as f64;
    vec![(figure.into(), each)]
}

/// The figures of `count` tasklets that took `elapsed` to start and park.
pub(crate) fn parked(
    before: Footprint,
    after: Footprint,
    elapsed: Duration,
    count: u64,
) -> Figures {
    let bytes = after.bytes().saturating_sub(before.bytes()) as f64 / count as f64;
    vec![
        ("bytes".into(), bytes),
        ("start".into(), elapsed.as_secs_f64() * 1e9 / count as f64),
        // Of the whole process: that is what the kernel limits.
        ("vmas".into(), after.mappings as f64),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_lines_of_name_and_value() {
        assert_eq!(
            parse("each 8.5\n").unwrap(),
            vec![("each".to_string(), 8.5)]
        );
        assert!(parse("each").is_err());
        assert!(parse("each fast").is_err());
    }
}
