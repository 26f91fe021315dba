//! The load generator of requests over kept connections: wrk, one thread.

use std::io;
use std::process::{Command, Stdio};

use super::Ground;
use crate::machine;

/// What one run of wrk did.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub struct Load {
    /// Answers.
    pub requests: u64,
    /// Bytes read, heads included.
    pub bytes: u64,
    /// Socket errors and answers other than 2xx and 3xx.
    pub errors: u64,
    /// How long it took.
    pub seconds: f64,
    /// Half of the answers came within this many microseconds.
    pub p50_us: f64,
    /// 99 in 100 answers came within this many microseconds.
    pub p99_us: f64,
}

/// Run at the end; what wrk prints by itself is rounded to three digits.
const SCRIPT: &str = r#"
function done(summary, latency)
    local errors = summary.errors
    io.write(string.format("LOAD %d %d %d %d %d %d\n", summary.requests, summary.bytes,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout,
        summary.duration, latency:percentile(50), latency:percentile(99)))
end
"#;

/// Loads `url` for `seconds` over `connections`.
///
/// # Errors
///
/// When wrk is not installed, or fails.
pub fn run(ground: &Ground, url: &str, connections: u32, seconds: u32) -> io::Result<Load> {
    let script = ground.file("wrk.lua", SCRIPT)?;
    let mut command = Command::new("wrk");
    command
        .args(["--threads", "1", "--timeout", "10s"])
        .args(["--connections", &connections.to_string()])
        .args(["--duration", &format!("{seconds}s")])
        .arg("--script")
        .arg(script)
        .arg(url);
    let output = machine::tethered(&command)
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
    let load = parse(&text)
        .ok_or_else(|| io::Error::other(format!("unexpected answer of wrk: {text}")))?;
    if load.errors > 0 {
        return Err(io::Error::other(format!(
            "{} errors in {} requests",
            load.errors, load.requests
        )));
    }
    if load.requests == 0 {
        return Err(io::Error::other("not one request was answered"));
    }
    Ok(load)
}

fn parse(text: &str) -> Option<Load> {
    let line = text.lines().find_map(|line| line.strip_prefix("LOAD "))?;
    let numbers: Option<Vec<u64>> = line.split(' ').map(|number| number.parse().ok()).collect();
    let [requests, bytes, errors, micros, p50, p99] = numbers?[..] else {
        return None;
    };
    Some(Load {
        requests,
        bytes,
        errors,
        seconds: micros as f64 / 1e6,
        p50_us: p50 as f64,
        p99_us: p99 as f64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "Running 1s test @ http://127.0.0.1:8080/hello
  1 threads and 64 connections
Requests/sec: 134998.02
LOAD 135207 17036082 15 1001000 466 1200
";

    #[test]
    fn an_answer_gives_requests_errors_and_latency() {
        let load = Load {
            requests: 135_207,
            bytes: 17_036_082,
            errors: 15,
            seconds: 1.001,
            p50_us: 466.0,
            p99_us: 1200.0,
        };
        assert_eq!(parse(ANSWER), Some(load));
    }

    #[test]
    fn an_answer_without_requests_is_none() {
        assert_eq!(parse("unable to connect"), None);
        assert_eq!(parse("LOAD 1 2 3"), None);
    }
}
