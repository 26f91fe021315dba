//! Lines of a report: names at the left, values in a column.

use std::fmt::{Display, Write};

/// Where values begin.
const COLUMN: usize = 14;

/// What is told of one object.
pub(super) struct Report {
    file: String,
    text: String,
    warnings: Vec<String>,
}

impl Report {
    pub(super) fn new(file: &str) -> Report {
        Report {
            file: file.to_owned(),
            text: String::new(),
            warnings: Vec::new(),
        }
    }

    /// What kind of object it is.
    pub(super) fn heading(&mut self, what: impl Display) {
        self.push(&format!("{}: {what}", self.file));
    }

    /// A value with a name; values of several lines stand below each other.
    pub(super) fn line(&mut self, name: &str, value: impl Display) {
        let value = value.to_string();
        let mut name = name;
        for line in value.lines() {
            self.push(&format!("  {name:COLUMN$}{line}"));
            name = "";
        }
    }

    /// Text as it is, indented.
    pub(super) fn block(&mut self, text: &str) {
        for line in text.lines() {
            self.push(&format!("  {line}"));
        }
    }

    /// Something to be careful of. It is shown at the end.
    pub(super) fn warn(&mut self, what: impl Display) {
        self.warnings.push(what.to_string());
    }

    pub(super) fn warnings(&self) -> usize {
        self.warnings.len()
    }

    pub(super) fn finish(mut self) -> String {
        for warning in std::mem::take(&mut self.warnings) {
            self.line("WARNING", warning);
        }
        self.text
    }

    fn push(&mut self, line: &str) {
        self.text.push_str(&clean(line));
        self.text.push('\n');
    }
}

/// Without characters that a terminal acts upon, or that turn the order of text.
fn clean(text: &str) -> String {
    let is_bidi = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.trim_end().chars().fold(String::new(), |mut text, c| {
        if c.is_control() || is_bidi(c) {
            write!(text, "{}", c.escape_unicode()).expect("a String takes everything");
        } else {
            text.push(c);
        }
        text
    })
}

/// Octets in hexadecimal, set off by colons.
pub(super) fn colons(octets: &[u8]) -> String {
    let pairs: Vec<_> = octets.iter().map(|octet| format!("{octet:02X}")).collect();
    pairs.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_are_not_told_what_to_do() {
        let mut report = Report::new("a\u{1b}[2Jb");
        report.heading("x");
        report.line("name", "one\rtwo\nthree\u{202e}");
        report.warn("careful");
        let text = report.finish();
        let expected = "a\\u{1b}[2Jb: x\n  name          one\\u{d}two\n                \
            three\\u{202e}\n  WARNING       careful\n";
        assert_eq!(text, expected);
    }
}
