//! Where figures come from: the machine and the versions of all that takes part.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};

use crate::{machine, server};

/// The versions that this program, its rivals and the servers were built with.
const LOCK: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock"));

/// The packages whose versions are told.
const PACKAGES: [&str; 10] = [
    "aws-lc-sys",
    "hyper",
    "may",
    "may_minihttp",
    "mio",
    "openssl",
    "rustls",
    "tokio",
    "tokio-openssl",
    "tokio-rustls",
];

/// Names and values; what cannot be found out is left out.
pub fn describe() -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            all.insert(name.to_string(), value);
        }
    };
    put("date", said("date", &["-u", "+%Y-%m-%dT%H:%M:%SZ"]));
    put("commit", commit());
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    put("cpu", field(&cpus, "model name"));
    put("cores", Some(machine::cores().to_string()));
    let memory = machine::total_memory().ok();
    put("memory", memory.map(|bytes| format!("{} MiB", bytes >> 20)));
    put("kernel", said("uname", &["-sr"]));
    put("rustc", said("rustc", &["--version"]));
    put("openssl library", Some(openssl::version::version().into()));
    put("nginx", said(server::nginx(), &["-v"]));
    put("go", said("go", &["version"]));
    put("wrk", said("wrk", &["-v"]));
    for package in PACKAGES {
        put(package, version(LOCK, package));
    }
    all
}

/// The commit that is measured, with a mark when files differ from it that matter: not
/// the recording that is being made, nor the pages from earlier ones.
fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let here = ["-C", env!("CARGO_MANIFEST_DIR")];
        said("git", &[&here, arguments].concat())
    };
    let commit = git(&["describe", "--always", "--abbrev=12"])?;
    let status = ["status", "--porcelain", "--untracked-files=no", "--"];
    let paths = [":(top)", ":(top,exclude)docs/performance"];
    match git(&[&status[..], &paths[..]].concat()) {
        Some(_changed) => Some(commit + "-dirty"),
        None => Some(commit),
    }
}

/// The first line that `program` says, on whichever stream; `None` when it is not
/// installed. Some end with an error although they say their version.
fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        // The compiler that is there, not one that Go would download.
        .env("GOTOOLCHAIN", "local")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = if output.stdout.is_empty() {
        output.stderr
    } else {
        output.stdout
    };
    let text = String::from_utf8_lossy(&text).into_owned();
    Some(text.lines().next()?.trim().to_string())
}

/// The value of the first `name : value` line.
fn field(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_string())
    })
}

/// The version of `package` in the text of a `Cargo.lock`; of several the last,
/// which is the newest.
fn version(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let lines: Vec<&str> = lock.lines().collect();
    let pair = lines.windows(2).rev().find(|pair| pair[0] == name)?;
    let version = pair[1].strip_prefix("version = \"")?.strip_suffix('"')?;
    Some(version.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_by_whole_names() {
        let lock = "[[package]]\nname = \"may_queue\"\nversion = \"0.1.1\"\n\n\
                    [[package]]\nname = \"may\"\nversion = \"0.3.51\"\nsource = \"x\"\n";
        assert_eq!(version(lock, "may").as_deref(), Some("0.3.51"));
        assert_eq!(version(lock, "ma"), None);
        assert!(version(LOCK, "may").is_some());
    }

    #[test]
    fn a_field_is_found_by_its_name() {
        let cpus = "processor\t: 0\nmodel name\t: A CPU @ 2 GHz\n";
        assert_eq!(field(cpus, "model name").as_deref(), Some("A CPU @ 2 GHz"));
        assert_eq!(field(cpus, "model"), None);
    }

    #[test]
    fn this_machine_can_be_described() {
        let all = describe();
        assert!(all["openssl library"].starts_with("OpenSSL"));
        assert!(all.contains_key("kernel") && all.contains_key("cores"));
    }
}
