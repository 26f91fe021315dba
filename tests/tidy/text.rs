//! What no file may contain, and how large it may be.

use crate::Finding;
use crate::tree::File;

const WIDTH_MAX: usize = 100;
const LINES_MAX: usize = 1000;
const LINES_WARN: usize = 600;

/// A word this long cannot be broken, so its line may be too long.
const WORD_LONG: usize = 32;

// Spelt in pieces so that this file passes its own rules.
const LEFTOVERS: [&str; 3] = [
    concat!("FIX", "ME"),
    concat!("TO", "DO"),
    concat!("X", "XX"),
];
const CALLS: [&str; 3] = [
    concat!("dbg", "!("),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
];
const PLACES: [&str; 4] = [
    concat!("/work", "/"),
    concat!("/tmp/", "target"),
    concat!("shared", "/design"),
    concat!("/home", "/"),
];

/// Marks of unfinished work.
pub(crate) fn leftovers(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in file.lines() {
        let mut words = line.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        let word = words.find(|word| LEFTOVERS.contains(word));
        let call = CALLS.iter().copied().find(|call| line.contains(call));
        if let Some(mark) = word.or(call) {
            let rule = format!("`{mark}` is a mark of unfinished work");
            findings.push(Finding::new(&file.path, number, rule));
        }
    }
    findings
}

/// Lines that are too wide and could be broken.
pub(crate) fn widths(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in file.lines() {
        let width = line.chars().count();
        if width > WIDTH_MAX && !is_unbreakable(line) {
            let rule = format!("{width} columns, and at most {WIDTH_MAX} are allowed");
            findings.push(Finding::new(&file.path, number, rule));
        }
    }
    findings
}

/// Addresses and string literals stay whole.
fn is_unbreakable(line: &str) -> bool {
    let long = |part: &str| part.chars().count() > WORD_LONG;
    let is_comment = line.trim_start().starts_with("//");
    line.split_whitespace().any(long) || !is_comment && line.split('"').skip(1).step_by(2).any(long)
}

/// Files that should have been two.
pub(crate) fn length(file: &File) -> Vec<Finding> {
    let lines = file.lines().count();
    if lines <= LINES_MAX {
        return Vec::new();
    }
    let rule = format!("{lines} lines, and at most {LINES_MAX} are allowed");
    vec![Finding::new(&file.path, lines, rule)]
}

/// Files that will have to be two before long.
pub(crate) fn long(file: &File) -> Option<String> {
    let lines = file.lines().count();
    (lines > LINES_WARN).then(|| format!("{} has {lines} lines", file.path))
}

/// Paths that exist only where the file was written.
pub(crate) fn foreign_places(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in file.lines() {
        if let Some(place) = PLACES.iter().find(|place| names(line, place)) {
            let rule = format!("`{place}` is a place on somebody's machine");
            findings.push(Finding::new(&file.path, number, rule));
        }
    }
    findings
}

/// Whether the path occurs, and not as the end of another (`./work/` is fine).
fn names(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '}'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> File {
        File::new("a.rs", text)
    }

    fn lines(findings: &[Finding]) -> Vec<usize> {
        findings.iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn unfinished_work_is_found() {
        for mark in LEFTOVERS.iter().chain(&CALLS) {
            let found = leftovers(&file(&format!("fine\n  // {mark} later)\n")));
            assert_eq!(lines(&found), [2], "{mark}");
        }
        assert!(leftovers(&file("let method = TODOS; // XXXL")).is_empty());
    }

    #[test]
    fn wide_lines_are_found() {
        let comment = format!("// {}", "word ".repeat(20));
        let code = format!("let a = {}1;", "1 + ".repeat(24));
        let found = widths(&file(&format!("{comment}\n{code}\n")));
        assert_eq!(lines(&found), [1, 2]);
    }

    #[test]
    fn what_cannot_be_broken_may_be_wide() {
        let address = format!("// see <https://example.org/{}>", "a".repeat(90));
        let string = format!("let a = \"{}\";", "a b ".repeat(25));
        let exact = format!("// {}", "é".repeat(97));
        assert!(widths(&file(&format!("{address}\n{string}\n{exact}\n"))).is_empty());
    }

    #[test]
    fn long_files_are_found() {
        assert_eq!(length(&file(&"\n".repeat(1001))).len(), 1);
        assert!(length(&file(&"\n".repeat(1000))).is_empty());
        assert!(long(&file(&"\n".repeat(601))).is_some());
        assert!(long(&file(&"\n".repeat(600))).is_none());
    }

    #[test]
    fn places_on_a_machine_are_found() {
        for place in PLACES {
            let found = foreign_places(&file(&format!("\nsee {place}/a\n")));
            assert_eq!(lines(&found), [2], "{place}");
        }
        assert!(foreign_places(&file(concat!("target./work", "/a"))).is_empty());
    }
}
