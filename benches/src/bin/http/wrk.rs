//! The load generator of `hello` and `idle`: wrk, one thread, kept connections.

use std::io;
use std::process::{Command, Stdio};

/// What one run of wrk did.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Load {
    pub(crate) requests: u64,
    /// Socket errors and answers other than 2xx and 3xx.
    pub(crate) errors: u64,
    /// 99 in 100 answers came within this many microseconds.
    pub(crate) p99_us: f64,
}

/// Loads `url` for `seconds` over `connections`.
pub(crate) fn run(url: &str, connections: u32, seconds: u32) -> io::Result<Load> {
    let output = Command::new("wrk")
        .args(["--threads", "1", "--latency", "--timeout", "10s"])
        .args(["--connections", &connections.to_string()])
        .args(["--duration", &format!("{seconds}s")])
        .arg(url)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| io::Error::new(error.kind(), format!("wrk: {error}")))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        return Err(io::Error::other(format!(
            "wrk ended with {}: {text}",
            output.status
        )));
    }
    parse(&text).ok_or_else(|| io::Error::other(format!("unexpected answer of wrk: {text}")))
}

fn parse(text: &str) -> Option<Load> {
    let mut load = Load::default();
    let mut complete = (false, false);
    for line in text.lines().map(str::trim) {
        if let Some((count, _)) = line.split_once(" requests in ") {
            load.requests = count.parse().ok()?;
            complete.0 = true;
        } else if let Some(value) = line.strip_prefix("99%") {
            load.p99_us = microseconds(value.trim())?;
            complete.1 = true;
        } else if let Some(kinds) = line.strip_prefix("Socket errors: ") {
            for kind in kinds.split(", ") {
                load.errors += kind.split_once(' ')?.1.parse::<u64>().ok()?;
            }
        } else if let Some(count) = line.strip_prefix("Non-2xx or 3xx responses: ") {
            load.errors += count.parse::<u64>().ok()?;
        }
    }
    (complete == (true, true)).then_some(load)
}

/// "1.20ms" is 1200.
fn microseconds(text: &str) -> Option<f64> {
    let split = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(split);
    let factor = match unit {
        "us" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        "m" => 6e7,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "Running 1s test @ http://127.0.0.1:8080/hello
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   470.84us   80.00us   2.03ms   87.62%
  Latency Distribution
     50%  466.00us
     99%    1.20ms
  135207 requests in 1.00s, 16.25MB read
  Socket errors: connect 1, read 2, write 3, timeout 4
  Non-2xx or 3xx responses: 5
Requests/sec: 134998.02
";

    #[test]
    fn an_answer_gives_requests_errors_and_latency() {
        let load = Load {
            requests: 135_207,
            errors: 15,
            p99_us: 1200.0,
        };
        assert_eq!(parse(ANSWER), Some(load));
    }

    #[test]
    fn an_answer_without_requests_is_none() {
        assert_eq!(parse("unable to connect"), None);
    }
}
