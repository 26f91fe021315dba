//! The parent's side: runs the child under callgrind and makes counts of dumps.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::dump::{self, Cost};
use crate::meter::{BETWEEN, BOUNDARY, CHILD, LONG, SHORT};
use crate::record::{Environment, Record};

/// Operations whose count is that of a loop with a part and of one without it.
const DIFFERENCES: [(&str, &str, &str); 2] = [
    ("timer-add-cancel-1", "wait-deadline", "wait"),
    ("timer-add-cancel-100k", "wait-deadline-100k", "wait"),
];

/// Each is this many of what it is called after.
const SEVERAL: [(&str, f64); 4] = [
    ("switch-pair", 2.0),
    ("switch-ring-1000", 1000.0),
    ("timer-add-cancel-1", 2.0),
    ("timer-add-cancel-100k", 2.0),
];

/// Counts every operation.
pub(crate) fn count() -> Result<Record, String> {
    let folder = Folder::new()?;
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let dumps = folder.0.join("dump");
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg("--quiet")
        .arg(format!("--callgrind-out-file={}", dumps.display()))
        .arg(format!("--dump-before={BOUNDARY}"))
        // Tasklets have stacks of their own, which is no reason for a warning.
        .arg("--max-stackframe=1000000000000")
        .arg(&this)
        .arg(CHILD)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("valgrind cannot be run: {error}"))?;
    if !output.status.success() {
        return Err(format!("the child ended with {}", output.status));
    }
    let own = this.display().to_string();
    let least = least_of(&String::from_utf8_lossy(&output.stdout), &dumps, &own)?;
    Ok(Record {
        environment: Environment::here(),
        counts: counts(&least)?,
    })
}

type Least = BTreeMap<(String, u32), Cost>;

/// The least cost of each operation and length.
fn least_of(segments: &str, dumps: &Path, own: &str) -> Result<Least, String> {
    let mut least = Least::new();
    for (index, line) in segments.lines().enumerate() {
        let (name, length) = line.split_once(' ').ok_or("a line without a length")?;
        if name == BETWEEN {
            continue;
        }
        let length = length.parse().map_err(|_| format!("bad line {line:?}"))?;
        let path = format!("{}.{}", dumps.display(), index + 1);
        let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        let cost = dump::sum(&text, own)?;
        let entry = least.entry((name.to_string(), length)).or_insert(cost);
        entry.own = entry.own.min(cost.own);
        entry.all = entry.all.min(cost.all);
    }
    Ok(least)
}

/// Instructions of one operation each: own and all.
fn counts(least: &Least) -> Result<BTreeMap<String, [f64; 2]>, String> {
    let mut loops = BTreeMap::new();
    for ((name, _), long) in least.iter().filter(|((_, length), _)| *length == LONG) {
        let short = least.get(&(name.clone(), SHORT));
        let short = short.ok_or_else(|| format!("{name} has no short loop"))?;
        let each = |long: u64, short: u64| (long as f64 - short as f64) / f64::from(LONG - SHORT);
        loops.insert(
            name.clone(),
            [each(long.own, short.own), each(long.all, short.all)],
        );
    }
    for (name, with, without) in DIFFERENCES {
        let (Some(with), Some(without)) = (loops.get(with), loops.get(without)) else {
            return Err(format!("{name} was not counted"));
        };
        let difference = [with[0] - without[0], with[1] - without[1]];
        loops.insert(name.to_string(), difference);
    }
    for (_, with, _) in DIFFERENCES {
        loops.remove(with);
    }
    for (name, several) in SEVERAL {
        let count = loops
            .get_mut(name)
            .ok_or_else(|| format!("{name} was not counted"))?;
        *count = count.map(|all| all / several);
    }
    Ok(loops)
}

/// A temporary folder, removed on drop.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Folder, String> {
        let name = format!("greenling-instructions-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // It lies under the system's temporary folder; nothing depends on it.
        let _ = fs::remove_dir_all(&self.0);
    }
}
