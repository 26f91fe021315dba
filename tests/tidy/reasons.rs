//! Every reason to wait is in the list that users can look at.
//!
//! The crates make their reasons by a macro that also makes the list, so what
//! must not happen is a reason made beside it.

use std::collections::BTreeSet;

use crate::Finding;
use crate::tokens::{self, Token};
use crate::tree::File;

/// Not a reason to wait: the placeholder of a tasklet that does not.
const PLACEHOLDER: &str = "NOTHING";

/// Reasons outside the list `public`, and listed ones for which nobody waits.
pub(crate) fn check(files: &[&File], public: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut mentioned = BTreeSet::new();
    let mut listed: Vec<(String, String, String, usize)> = Vec::new();
    for file in files {
        let code = match tokens::of(file) {
            Ok(code) => code,
            Err(error) => {
                findings.push(Finding::new(&file.path, 1, error));
                continue;
            }
        };
        let mut i = 0;
        while i < code.len() {
            if tokens::starts(&code, i, &["macro_rules", "!"]) {
                i = tokens::after_group(&code, i + 3);
            } else if tokens::starts(&code, i, &["reasons", "!", "{"]) {
                let end = tokens::after_group(&code, i + 2);
                for (name, text, line) in pairs(&code[i + 3..end - 1]) {
                    listed.push((name, text, file.path.clone(), line));
                }
                i = end;
            } else {
                if tokens::starts(&code, i, &["WaitReason", "::", "new"]) {
                    let name = static_before(&code, i);
                    if name != Some(PLACEHOLDER) {
                        let name = name.unwrap_or("a reason");
                        let rule = format!("{name} is not made by `reasons!`, so no list has it");
                        findings.push(Finding::new(&file.path, code[i].line, rule));
                    }
                }
                mentioned.insert(code[i].text.clone());
                i += 1;
            }
        }
    }
    for (name, text, path, line) in &listed {
        if !mentioned.contains(name) {
            let rule = format!("nobody waits for {name}");
            findings.push(Finding::new(path, *line, rule));
        }
        if !public.contains(&text.as_str()) {
            let rule = format!("{name} is not in WAIT_REASONS");
            findings.push(Finding::new(path, *line, rule));
        }
    }
    if listed.len() != public.len() {
        let rule = format!("{} reasons, {} in WAIT_REASONS", listed.len(), public.len());
        findings.push(Finding::new("WAIT_REASONS", 0, rule));
    }
    findings
}

/// `NAME = "text"` pairs.
fn pairs(code: &[Token]) -> impl Iterator<Item = (String, String, usize)> {
    code.windows(3).filter(|w| w[1].text == "=").map(|w| {
        let text = w[2].text.trim_matches('"').to_owned();
        (w[0].text.clone(), text, w[0].line)
    })
}

/// The name of the static that is given its value at `at`.
fn static_before(code: &[Token], at: usize) -> Option<&str> {
    let statement = code[..at].iter().rposition(|t| t.text == ";").unwrap_or(0);
    let keyword = code[statement..at]
        .iter()
        .position(|t| t.text == "static")?;
    code.get(statement + keyword + 1).map(|t| t.text.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "macro_rules! reasons { () => { static A: WaitReason = WaitReason::new(\"\"); } }\n\
        static NOTHING: WaitReason = WaitReason::new(\"nothing\");\n\
        reasons! { READ = \"read\", WRITE = \"write\", }\n";

    fn findings(code: &str, public: &[&str]) -> Vec<String> {
        let files = [File::new("list.rs", LIST), File::new("a.rs", code)];
        let found = check(&files.iter().collect::<Vec<_>>(), public);
        found
            .iter()
            .map(|f| format!("{}:{}: {}", f.path, f.line, f.rule))
            .collect()
    }

    #[test]
    fn a_complete_list_passes() {
        assert_eq!(
            findings("park(&READ); park(&WRITE);", &["read", "write"]),
            [""; 0]
        );
    }

    #[test]
    fn a_reason_beside_the_list_is_found() {
        let code = "park(&READ);\npark(&WRITE);\nstatic MINE: WaitReason = WaitReason::new(\"m\");";
        assert_eq!(
            findings(code, &["read", "write"]),
            ["a.rs:3: MINE is not made by `reasons!`, so no list has it"]
        );
        let code = "park(&READ);\npark(&WRITE);\npark(&WaitReason::new(\"m\"));";
        assert_eq!(findings(code, &["read", "write"]).len(), 1);
    }

    #[test]
    fn a_reason_for_nothing_is_found() {
        let found = findings("park(&READ);", &["read", "write"]);
        assert_eq!(found, ["list.rs:3: nobody waits for WRITE"]);
    }

    #[test]
    fn a_list_that_is_not_the_public_one_is_found() {
        let found = findings("park(&READ); park(&WRITE);", &["read"]);
        assert_eq!(
            found,
            [
                "list.rs:3: WRITE is not in WAIT_REASONS",
                "WAIT_REASONS:0: 2 reasons, 1 in WAIT_REASONS",
            ]
        );
    }
}
