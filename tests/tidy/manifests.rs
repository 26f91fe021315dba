//! A dependency is a decision, and its reason stands above it.

use crate::Finding;
use crate::tree::File;

/// The dependency lines without a comment above them.
pub(crate) fn check(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (mut in_dependencies, mut in_value) = (false, false);
    let mut above = "";
    for (number, line) in file.lines() {
        let trimmed = line.trim();
        if in_value {
            in_value = !trimmed.ends_with(']') && !trimmed.ends_with('}');
        } else if let Some(section) = trimmed.strip_prefix('[') {
            let section = section.trim_end_matches(']');
            in_dependencies = section.ends_with("dependencies");
            // `[dependencies.name]` is a dependency by itself.
            let (table, name) = section.rsplit_once('.').unwrap_or(("", section));
            if table.ends_with("dependencies") && !is_comment(above) {
                findings.push(unexplained(file, number, name));
            }
        } else if in_dependencies && !trimmed.is_empty() && !trimmed.starts_with('#') {
            let (name, value) = trimmed.split_once('=').unwrap_or((trimmed, ""));
            if !is_comment(above) {
                findings.push(unexplained(file, number, name.trim()));
            }
            let value = value.trim();
            in_value = value.matches(['[', '{']).count() > value.matches([']', '}']).count();
        }
        above = trimmed;
    }
    findings
}

fn is_comment(line: &str) -> bool {
    line.trim_start_matches('#').trim() != "" && line.starts_with('#')
}

fn unexplained(file: &File, line: usize, name: &str) -> Finding {
    let rule = format!("the dependency `{name}` has no comment above it that says what for");
    Finding::new(&file.path, line, rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<usize> {
        let file = File::new("Cargo.toml", text);
        check(&file).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn dependencies_without_a_reason_are_found() {
        let text =
            "[dependencies]\n# Why.\na = \"1\"\nb = \"1\"\n\n# Why.\n\nc = \"1\"\n#\nd = \"1\"\n";
        assert_eq!(names(text), [4, 8, 10]);
        assert_eq!(names("[dev-dependencies]\na = \"1\"\n"), [2]);
        assert_eq!(names("[workspace.dependencies]\na = \"1\"\n"), [2]);
        assert_eq!(names("[dependencies.a]\nversion = \"1\"\n"), [1]);
        assert_eq!(
            names("[target.'cfg(unix)'.build-dependencies]\na = \"1\"\n"),
            [2]
        );
    }

    #[test]
    fn other_lines_need_none() {
        let text = "[package]\nname = \"a\"\n[dependencies]\n# Why.\n\
                    a = { version = \"1\", features = [\n\
                    \"b\",\n] }\n[features]\nc = [\"dep:a\"]\n";
        assert_eq!(names(text), [0; 0]);
    }
}
