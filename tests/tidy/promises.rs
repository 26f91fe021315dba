//! What the documentation of every public function must say: whether it
//! switches, and what is lost when it is cancelled while it waits.
//!
//! A function has its own section `# Scheduling`, or is a method of a type whose
//! documentation has one that speaks for all methods without. Errors and panics
//! are clippy's to ask for.

use std::collections::BTreeSet;

use crate::Finding;
use crate::tree::File;

/// What a type says for its methods.
const FOR_ALL: &str = "except where a method says so";

/// What a function says of itself if it never switches.
const NEVER: [&str; 3] = ["Never switches", "never switches", "does not switch"];

/// Every function of the package that leaves something unsaid.
pub(crate) fn check(files: &[&File]) -> Vec<Finding> {
    let spoken_for: BTreeSet<String> = files.iter().flat_map(|file| speakers(file)).collect();
    files
        .iter()
        .flat_map(|file| silences(file, &spoken_for))
        .collect()
}

/// Types whose documentation speaks for their methods.
fn speakers(file: &File) -> Vec<String> {
    let mut found = Vec::new();
    for (docs, _, item) in documented(file) {
        let words: Vec<&str> = item.split(|c: char| !is_part(c)).collect();
        if let ["pub", "struct" | "enum" | "trait", name, ..] = words[..]
            && section(&docs, "# Scheduling").is_some_and(|text| text.contains(FOR_ALL))
        {
            found.push(name.to_owned());
        }
    }
    found
}

fn silences(file: &File, spoken_for: &BTreeSet<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let impls: Vec<(usize, String)> = file
        .lines()
        .filter(|(_, line)| line.starts_with("impl"))
        .filter_map(|(number, line)| Some((number, type_of(line)?)))
        .collect();
    for (docs, number, item) in documented(file) {
        let Some(name) = function(&item) else {
            continue;
        };
        let mut complain = |rule: String| findings.push(Finding::new(&file.path, number, rule));
        match section(&docs, "# Scheduling") {
            Some(text) => {
                let never = NEVER.iter().any(|words| text.contains(words));
                if !never && section(&docs, "# Cancellation").is_none() {
                    complain(format!(
                        "{name} may switch: what does a kill or timeout lose?"
                    ));
                }
            }
            None => {
                let owner = impls.iter().rev().find(|(at, _)| *at < number);
                let is_method = item.starts_with(' ');
                if !is_method || !owner.is_some_and(|(_, owner)| spoken_for.contains(owner)) {
                    complain(format!("does {name} switch? neither it nor its type says"));
                }
            }
        }
    }
    findings
}

/// Items with documentation: that, the line of the item, and the line itself.
/// The rest of a file that begins its unit tests is left out.
fn documented(file: &File) -> Vec<(String, usize, String)> {
    let mut items = Vec::new();
    let mut docs = String::new();
    let mut attribute = false;
    for (number, line) in file.lines() {
        let text = line.trim();
        if text.starts_with("#[cfg(test)]") {
            break;
        } else if let Some(words) = text.strip_prefix("///") {
            docs.push_str(words.trim());
            docs.push('\n');
        } else if attribute || text.starts_with("#[") {
            attribute = !text.ends_with(']');
        } else {
            if !docs.is_empty() {
                items.push((std::mem::take(&mut docs), number, line.to_owned()));
            }
            attribute = false;
        }
    }
    items
}

/// The text of a section, if there is one.
fn section<'a>(docs: &'a str, heading: &str) -> Option<&'a str> {
    let (_, text) = docs.split_once(heading)?;
    Some(text.split("\n# ").next().unwrap_or(text))
}

/// The name of a public function.
fn function(item: &str) -> Option<&str> {
    let rest = item.trim().strip_prefix("pub ")?;
    let rest = rest.strip_prefix("const ").unwrap_or(rest);
    let rest = rest.strip_prefix("unsafe ").unwrap_or(rest);
    rest.strip_prefix("fn ")?.split(|c| !is_part(c)).next()
}

/// The type that a block of methods is for.
fn type_of(line: &str) -> Option<String> {
    let rest = line.strip_prefix("impl")?;
    let rest = match rest.strip_prefix('<') {
        Some(rest) => {
            let mut depth = 1;
            let end = rest.char_indices().find(|&(at, c)| {
                match c {
                    '<' => depth += 1,
                    '>' if !rest[..at].ends_with('-') => depth -= 1,
                    _ => {}
                }
                depth == 0
            })?;
            &rest[end.0 + 1..]
        }
        None => rest,
    };
    let name = rest.trim().split(|c| !is_part(c)).next()?;
    (!name.is_empty() && !line.contains(" for ")).then(|| name.to_owned())
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<String> {
        let file = File::new("a.rs", text);
        let findings = check(&[&file]);
        findings.into_iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn a_function_that_says_nothing_is_found() {
        assert_eq!(rules("/// Waits.\npub fn f() {}").len(), 1);
        let says = "/// Counts.\n///\n/// # Scheduling\n///\n/// Never switches.\npub fn f() {}";
        assert_eq!(rules(says), [""; 0]);
    }

    #[test]
    fn who_may_switch_says_what_is_lost() {
        let half = "/// A.\n/// # Scheduling\n/// May switch.\n#[inline]\npub fn f() {}";
        assert_eq!(rules(half).len(), 1);
        let whole = half.replace("#[inline]", "/// # Cancellation\n/// Nothing.");
        assert_eq!(rules(&whole), [""; 0]);
    }

    #[test]
    fn a_type_speaks_for_its_methods_and_not_for_others() {
        let file = "/// T.\n/// # Scheduling\n/// Never switches, except where a method says so.\n\
                    pub struct T<A>(A);\nimpl<A: Fn() -> B> T<A> {\n\
                    \x20   /// A.\n    pub fn a() {}\n}\n\
                    impl U {\n    /// B.\n    pub fn b() {}\n}\n/// C.\npub const fn c() {}";
        let rules = rules(file);
        assert_eq!(rules.len(), 2, "{rules:?}");
        assert!(rules[0].contains(" b ") && rules[1].contains(" c "));
    }
}
