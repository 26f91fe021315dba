//! Relative links of the Markdown files lead to files that are tracked, and
//! their fragments to headings.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::Finding;
use crate::tree::{File, Tree};

/// The links of all documents that lead nowhere.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let documents = tree.files().filter(|file| file.path.ends_with(".md"));
    documents
        .flat_map(|file| dead(file, |path| tree.exists(path), |path| tree.get(path)))
        .collect()
}

fn dead<'a>(
    file: &'a File,
    exists: impl Fn(&str) -> bool,
    get: impl Fn(&str) -> Option<&'a File>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, target) in links(file) {
        if target.contains("://") || target.starts_with("mailto:") {
            continue;
        }
        let (path, fragment) = target.split_once('#').unwrap_or((&target, ""));
        let resolved = match path {
            "" => Some(file.path.clone()),
            path => resolve(&file.path, path),
        };
        let Some(resolved) = resolved.filter(|path| exists(path)) else {
            let rule = format!("the link to {target} leads to no tracked file");
            findings.push(Finding::new(&file.path, line, rule));
            continue;
        };
        let document = if path.is_empty() {
            Some(file)
        } else {
            get(&resolved)
        };
        let headings = document.map(headings).unwrap_or_default();
        if !fragment.is_empty() && !headings.iter().any(|heading| heading == fragment) {
            let rule = format!("{resolved} has no heading #{fragment}");
            findings.push(Finding::new(&file.path, line, rule));
        }
    }
    findings
}

/// The targets of links and images, with their lines.
fn links(file: &File) -> Vec<(usize, String)> {
    // A reference that nothing defines is a broken link, too.
    let broken = |link: pulldown_cmark::BrokenLink<'_>| {
        let named = link.link_type != pulldown_cmark::LinkType::Shortcut;
        named.then(|| (link.reference.into_string().into(), "".into()))
    };
    Parser::new_with_broken_link_callback(&file.text, Options::ENABLE_TABLES, Some(broken))
        .into_offset_iter()
        .filter_map(|(event, range)| match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                let line = file.text[..range.start].matches('\n').count() + 1;
                Some((line, dest_url.into_string()))
            }
            _ => None,
        })
        .collect()
}

/// The fragments by which the headings of a document can be reached.
fn headings(file: &File) -> Vec<String> {
    let mut found = Vec::new();
    let mut current: Option<String> = None;
    for event in Parser::new(&file.text) {
        match event {
            Event::Start(Tag::Heading { .. }) => current = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => found.extend(current.take().map(|t| slug(&t))),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut current {
                    heading.push_str(&text);
                }
            }
            _ => {}
        }
    }
    found
}

fn slug(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    heading
        .to_lowercase()
        .chars()
        .filter(kept)
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// A path beside `from`; `None` if it leads out of the repository.
fn resolve(from: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Vec<String> {
        let file = File::new("docs/a.md", text);
        let other = File::new("b.md", "# The `b` of it\n");
        let exists = |path: &str| ["b.md", "docs/a.md", "docs"].contains(&path);
        let found = dead(&file, exists, |path| (path == "b.md").then_some(&other));
        found
            .into_iter()
            .map(|f| format!("{}: {}", f.line, f.rule))
            .collect()
    }

    #[test]
    fn links_that_lead_somewhere_pass() {
        let text = "# Here\n\n[1](../b.md) [2](../b.md#the-b-of-it) [3](#here) [4](https://a.b/c)\n\
                    [5](./a.md) [x] `[6](none.md)`\n\n```text\n[7](none.md)\n```\n";
        assert_eq!(findings(text), [""; 0]);
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        for (text, rule) in [
            (
                "\n[1](none.md)",
                "2: the link to none.md leads to no tracked file",
            ),
            (
                "[1](../../b.md)",
                "1: the link to ../../b.md leads to no tracked file",
            ),
            ("[1](../b.md#c)", "1: b.md has no heading #c"),
            ("[1](#c)", "1: docs/a.md has no heading #c"),
            (
                "![1](c.png)",
                "1: the link to c.png leads to no tracked file",
            ),
            (
                "[1][c]\n\n[c]: c.md",
                "1: the link to c.md leads to no tracked file",
            ),
            ("[1][c]", "1: the link to c leads to no tracked file"),
        ] {
            assert_eq!(findings(text), [rule], "{text}");
        }
    }
}
