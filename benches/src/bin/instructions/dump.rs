//! What a dump of callgrind says: instructions, ours and all.
//!
//! The file has a line for each place in the program, `LINE COST`, where LINE is
//! left out or relative; `ob=` says in which object the lines after it lie. The
//! line after `calls=` is what the callee took, which is told where it lies.

use std::collections::HashMap;

/// Instructions of a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cost {
    /// Of this program: our crates, those they use, and Rust's library.
    pub(crate) own: u64,
    /// Of the C libraries as well.
    pub(crate) all: u64,
}

/// Adds up a dump; `own` is what the path of our object ends with.
pub(crate) fn sum(text: &str, own: &str) -> Result<Cost, String> {
    let mut names: HashMap<&str, bool> = HashMap::new();
    let mut cost = Cost { own: 0, all: 0 };
    let mut in_own = false;
    let mut is_callee = false;
    for line in text.lines() {
        if let Some(object) = line.strip_prefix("ob=") {
            in_own = is_own(&mut names, object, own);
        } else if let Some(object) = line.strip_prefix("cob=") {
            // A number may be given its name here.
            is_own(&mut names, object, own);
        } else if line.starts_with("calls=") {
            is_callee = true;
        } else if is_cost(line) && !std::mem::take(&mut is_callee) {
            let spent = line.split_whitespace().nth(1).map_or(Ok(0), str::parse);
            let spent: u64 = spent.map_err(|_| format!("no cost in {line:?}"))?;
            cost.all += spent;
            cost.own += if in_own { spent } else { 0 };
        }
    }
    Ok(cost)
}

/// Whether a line begins with a place.
fn is_cost(line: &str) -> bool {
    line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first))
}

/// Whether an object, written `(NUMBER) PATH` first and `(NUMBER)` then, is ours.
fn is_own<'t>(names: &mut HashMap<&'t str, bool>, object: &'t str, own: &str) -> bool {
    match object.split_once(' ') {
        Some((number, path)) => {
            let is_own = path == own;
            names.insert(number, is_own);
            is_own
        }
        None => names.get(object).copied().unwrap_or(object == own),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_added_up_by_object_and_callees_are_not_counted_twice() {
        let dump = "version: 1\npositions: line\nevents: Ir\n\n\
            ob=(1) /bin/ours\nfl=(1)\nfn=(1) main\n10 5\n+1 3\n\
            cob=(2) /lib/libc.so\ncfn=(2) malloc\ncalls=1 0\n* 100\n-2 1\n\n\
            ob=(2)\nfn=(2)\n0 100\n\nob=(1)\nfn=(3) other\n* 7\n\ntotals: 116\n";
        let cost = sum(dump, "/bin/ours").unwrap();
        assert_eq!((cost.own, cost.all), (16, 116));
        assert!(sum("ob=(1) /bin/ours\n1 x\n", "/bin/ours").is_err());
    }
}
