//! The code map of ARCHITECTURE.md against the paths in the code.
//!
//! The map has one table a package: names of modules, and the modules and
//! dependencies that each may use. Below it stands a list of the arrows that
//! point up. All others must point down: without the listed ones there is no
//! cycle. Both lists must be exact, so an arrow that went away leaves them, too.

use std::collections::{BTreeMap, BTreeSet};

use crate::Finding;
use crate::tokens::{self, Token};
use crate::tree::{File, Tree};

/// What every module may use; ARCHITECTURE.md says so above the tables.
const EVERYWHERE: [&str; 2] = ["error", "log"];

/// The code map of one package.
#[derive(Debug, Default)]
struct Map {
    /// By module: the line of its row, and what it may use.
    rows: BTreeMap<String, (usize, BTreeSet<String>)>,
    /// Arrows that point up, with their lines.
    up: BTreeMap<(String, String), usize>,
}

/// One use of a module or dependency by a module.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Use {
    from: String,
    to: String,
    path: String,
    line: usize,
}

/// Everything in which the package and its map disagree.
pub(crate) fn check(package: &str, map: &File, tree: &Tree) -> Vec<Finding> {
    let files: Vec<&File> = tree.sources(package).collect();
    let manifest = tree.file(&format!("{package}/Cargo.toml"));
    compare(package, map, &files, &dependencies(manifest))
}

fn compare(package: &str, map: &File, files: &[&File], crates: &[String]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let modules: BTreeSet<String> = files
        .iter()
        .map(|file| module_path(package, &file.path))
        .filter_map(|path| path.first().cloned())
        .collect();
    let parsed = parse_map(package, map);
    let mut known = modules.clone();
    known.extend(crates.iter().cloned());
    let uses = match uses(package, files, &modules, crates) {
        Ok(uses) => uses,
        Err(finding) => return vec![finding],
    };

    for module in &modules {
        if !parsed.rows.contains_key(module) && !EVERYWHERE.contains(&module.as_str()) {
            let rule = format!("the module {package}/{module} is not in the code map");
            findings.push(Finding::new(&map.path, 1, rule));
        }
    }
    for (module, (line, allowed)) in &parsed.rows {
        if !modules.contains(module) {
            let rule = format!("there is no module {package}/{module}");
            findings.push(Finding::new(&map.path, *line, rule));
        }
        for name in allowed {
            let used = uses.iter().any(|u| u.from == *module && u.to == *name);
            if !known.contains(name) {
                let rule = format!("{name} is neither a module of {package} nor a dependency");
                findings.push(Finding::new(&map.path, *line, rule));
            } else if !used {
                let rule = format!("{module} does not use {name}");
                findings.push(Finding::new(&map.path, *line, rule));
            }
        }
    }
    for found in &uses {
        let allowed = parsed
            .rows
            .get(&found.from)
            .is_some_and(|(_, names)| names.contains(&found.to));
        let special = EVERYWHERE.contains(&found.from.as_str()) && crates.contains(&found.to);
        if !allowed && !special && !EVERYWHERE.contains(&found.to.as_str()) {
            let rule = format!(
                "{} may not use {} by the code map of {}",
                found.from, found.to, map.path
            );
            // The first place of each file is enough.
            if !findings
                .iter()
                .any(|f| f.path == found.path && f.rule == rule)
            {
                findings.push(Finding::new(&found.path, found.line, rule));
            }
        }
    }
    findings.extend(check_arrows(&parsed, map, &uses, &modules));
    findings
}

/// The arrows that point up are listed, and no others do.
fn check_arrows(
    parsed: &Map,
    map: &File,
    uses: &[Use],
    modules: &BTreeSet<String>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let all: BTreeSet<(String, String)> = uses
        .iter()
        .filter(|u| modules.contains(&u.to))
        .map(|u| (u.from.clone(), u.to.clone()))
        .collect();
    for (arrow, line) in &parsed.up {
        let back = (arrow.1.as_str(), arrow.0.as_str());
        if !all.contains(arrow) {
            let rule = format!("there is no arrow from {} to {}", arrow.0, arrow.1);
            findings.push(Finding::new(&map.path, *line, rule));
        } else if !reaches(&all, back.0, back.1) {
            let rule = format!("{} to {} is part of no cycle", arrow.0, arrow.1);
            findings.push(Finding::new(&map.path, *line, rule));
        }
    }
    let down: BTreeSet<(String, String)> = all
        .into_iter()
        .filter(|arrow| !parsed.up.contains_key(arrow))
        .collect();
    for (from, to) in &down {
        if reaches(&down, to, from) {
            let found = uses.iter().find(|u| u.from == *from && u.to == *to);
            let (path, line) = found.map_or((map.path.as_str(), 1), |u| (&u.path, u.line));
            let rule = format!("{from} uses {to}, which leads back to {from}");
            findings.push(Finding::new(path, line, rule));
        }
    }
    findings
}

/// Whether arrows lead from one module to another.
fn reaches(arrows: &BTreeSet<(String, String)>, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        if at == to {
            return true;
        }
        if seen.insert(at) {
            open.extend(arrows.iter().filter(|a| a.0 == at).map(|a| a.1.as_str()));
        }
    }
    false
}

/// Reads the section of one package: rows of a table with three columns, and
/// items such as "* `a` to `b`: why".
fn parse_map(package: &str, file: &File) -> Map {
    let mut map = Map::default();
    let heading = format!("## Code map: `{package}/`");
    let lines = file
        .lines()
        .skip_while(|(_, line)| *line != heading)
        .skip(1);
    for (number, line) in lines.take_while(|(_, line)| !line.starts_with("## ")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let ["", names, _, may_use, ""] = cells[..] {
            let allowed: BTreeSet<String> = without_notes(may_use)
                .split(',')
                .map(|name| name.trim().replace('-', "_"))
                .filter(|name| !matches!(name.as_str(), "nothing" | "std" | ""))
                .collect();
            for name in code_spans(names) {
                let name = name
                    .trim_end_matches('/')
                    .trim_end_matches(".rs")
                    .to_owned();
                map.rows.insert(name, (number, allowed.clone()));
            }
        } else if line.starts_with("* ") && line.contains("` to `") {
            let names = code_spans(line);
            let arrow = (names[0].to_owned(), names[1].to_owned());
            map.up.insert(arrow, number);
        }
    }
    map
}

fn without_notes(cell: &str) -> String {
    let mut depth = 0;
    let mut text = String::new();
    for c in cell.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ if depth == 0 => text.push(c),
            _ => {}
        }
    }
    text
}

fn code_spans(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The dependencies that a manifest names, spelt as in code.
fn dependencies(manifest: &File) -> Vec<String> {
    let mut names = Vec::new();
    let mut inside = false;
    for (_, line) in manifest.lines() {
        if line.starts_with('[') {
            inside = line == "[dependencies]";
        } else if let (true, Some((name, _))) = (inside, line.split_once('='))
            && tokens::is_name(name)
        {
            names.push(name.trim().replace('-', "_"));
        }
    }
    names
}

/// The module that a file is, from the crate's root.
fn module_path(package: &str, path: &str) -> Vec<String> {
    let inside = path
        .strip_prefix(&format!("{package}/src/"))
        .unwrap_or(path)
        .trim_end_matches(".rs");
    let mut parts: Vec<String> = inside.split('/').map(str::to_owned).collect();
    if matches!(parts.last().map(String::as_str), Some("mod" | "lib")) {
        parts.pop();
    }
    parts
}

fn uses(
    package: &str,
    files: &[&File],
    modules: &BTreeSet<String>,
    crates: &[String],
) -> Result<Vec<Use>, Finding> {
    let mut parsed = Vec::new();
    for file in files {
        let code = tokens::of(file).map_err(|error| Finding::new(&file.path, 1, error))?;
        parsed.push((module_path(package, &file.path), *file, code));
    }
    let root = parsed.iter().find(|(module, ..)| module.is_empty());
    let exports = root.map_or_else(BTreeMap::new, |(.., code)| exports(code, modules));
    let mut uses = Vec::new();
    for (module, file, code) in &parsed {
        let Some(from) = module.first() else { continue };
        for (name, line) in mentions(code, module, crates) {
            let to = exports.get(&name).unwrap_or(&name).clone();
            if to != *from && (modules.contains(&to) || crates.contains(&to)) {
                let (from, path) = (from.clone(), file.path.clone());
                uses.push(Use {
                    from,
                    to,
                    path,
                    line,
                });
            }
        }
    }
    Ok(uses)
}

/// What `lib.rs` passes on: by name, the module it comes from.
fn exports(root: &[Token], modules: &BTreeSet<String>) -> BTreeMap<String, String> {
    let mut exports = BTreeMap::new();
    let mut i = 0;
    while i < root.len() {
        if root[i].text != "use" {
            i += 1;
            continue;
        }
        let module = root[i + 1].text.clone();
        i += 2;
        while i < root.len() && root[i].text != ";" {
            let name = &root[i].text;
            if tokens::is_name(name) && !modules.contains(name) {
                exports.insert(name.clone(), module.clone());
            }
            i += 1;
        }
    }
    exports
}

/// The first name below the crate's root of every path that leaves a module,
/// and the names of dependencies.
fn mentions(code: &[Token], file: &[String], crates: &[String]) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    // The brackets in which inline modules end.
    let mut inline = Vec::new();
    let mut i = 0;
    while i < code.len() {
        inline.retain(|end| *end > i);
        let text = code[i].text.as_str();
        let in_path = i > 0 && code[i - 1].text == "::";
        if text == "mod" && tokens::starts(code, i + 2, &["{"]) {
            inline.push(tokens::after_group(code, i + 2));
        } else if text == "crate" && tokens::starts(code, i + 1, &["::"]) {
            found.extend(heads(code, i + 2));
        } else if text == "super" && !in_path {
            let mut levels = 1;
            while tokens::starts(code, i + 1, &["::", "super"]) {
                levels += 1;
                i += 2;
            }
            if levels == file.len() + inline.len() {
                found.extend(heads(code, i + 2));
            }
        } else if !in_path
            && tokens::starts(code, i + 1, &["::"])
            && crates.iter().any(|name| name == text)
        {
            found.push((text.to_owned(), code[i].line));
        }
        i += 1;
    }
    found
}

/// The first names of a path or of the paths in a group.
fn heads(code: &[Token], at: usize) -> Vec<(String, usize)> {
    let Some(first) = code.get(at) else {
        return Vec::new();
    };
    if first.text != "{" {
        return vec![(first.text.clone(), first.line)];
    }
    let end = tokens::after_group(code, at) - 1;
    let mut names = Vec::new();
    let mut i = at + 1;
    while i < end {
        names.push((code[i].text.clone(), code[i].line));
        while i < end && code[i].text != "," {
            i = match code[i].text.as_str() {
                "{" => tokens::after_group(code, i),
                _ => i + 1,
            };
        }
        i += 1;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = "## Code map: `p/`\n\n| folder or file | what it is | may use |\n|---|---|---|\n\
        | `a/` | top | b, c (its queue), libc |\n| `b.rs`, `c.rs` | below | nothing |\n\n## Next\n\
        | `d` | not ours | a |\n";

    /// Findings for a map and the files of the package `p`.
    fn findings(map: &str, files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<File> = files
            .iter()
            .map(|(path, text)| File::new(&format!("p/src/{path}"), text))
            .collect();
        let files: Vec<&File> = files.iter().collect();
        let crates = ["libc".to_owned(), "mio".to_owned()];
        let found = compare("p", &File::new("M.md", map), &files, &crates);
        found
            .iter()
            .map(|f| format!("{}:{}: {}", f.path, f.line, f.rule))
            .collect()
    }

    const LIB: (&str, &str) = (
        "lib.rs",
        "mod a; mod b; mod c; pub use c::{Item, inner::Other};",
    );
    const A: (&str, &str) = (
        "a/mod.rs",
        "use crate::{b, c::{d, e}};\nlibc::read();\n#[cfg(test)] mod tests { use crate::d; }",
    );

    #[test]
    fn a_true_map_passes() {
        assert_eq!(
            findings(MAP, &[LIB, A, ("b.rs", ""), ("c.rs", "")]),
            [""; 0]
        );
    }

    #[test]
    fn a_use_that_is_not_allowed_is_found() {
        for (text, to) in [
            ("\nuse crate::c::x;", "c"),
            ("\nfn f() { crate::c::x() }", "c"),
            ("\nuse super::c;", "c"),
            ("\nmod i { use super::super::c; }", "c"),
            ("\nfn f() -> crate::Item {}", "c"),
            ("\nuse crate::{Other as O};", "c"),
            ("\nuse mio::Poll;", "mio"),
            ("\nmacro_rules! m { () => { $crate::c::x() } }", "c"),
        ] {
            let found = findings(MAP, &[LIB, A, ("b.rs", text), ("c.rs", "")]);
            let rule = format!("p/src/b.rs:2: b may not use {to} by the code map of M.md");
            assert_eq!(found, [rule], "{text}");
        }
    }

    #[test]
    fn a_map_of_what_is_not_there_is_found() {
        let found = findings(MAP, &[LIB, ("a/mod.rs", "use crate::b;"), ("b.rs", "")]);
        assert_eq!(
            found,
            [
                "M.md:5: c is neither a module of p nor a dependency",
                "M.md:5: a does not use libc",
                "M.md:6: there is no module p/c",
            ]
        );
        let found = findings(MAP, &[LIB, A, ("b.rs", ""), ("c.rs", ""), ("e/f.rs", "")]);
        assert_eq!(found, ["M.md:1: the module p/e is not in the code map"]);
    }

    #[test]
    fn cycles_are_found_unless_listed() {
        let map = MAP.replace("| below | nothing |", "| below | a |");
        let files = [LIB, A, ("b.rs", "use crate::a;"), ("c.rs", "use crate::a;")];
        let found = findings(&map, &files);
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(found[0].ends_with("p/src/a/mod.rs:1: a uses b, which leads back to a"));
        let listed = "* `b` to `a`: why.\n* `c` to `a`: why.\n\n## Next";
        assert_eq!(findings(&map.replace("## Next", listed), &files), [""; 0]);
    }

    #[test]
    fn arrows_that_need_no_excuse_are_found() {
        let files = [LIB, A, ("b.rs", ""), ("c.rs", "")];
        let map = MAP.replace(
            "## Next",
            "* `a` to `b`: why.\n* `b` to `a`: why.\n\n## Next",
        );
        assert_eq!(
            findings(&map, &files),
            [
                "M.md:8: a to b is part of no cycle",
                "M.md:9: there is no arrow from b to a",
            ]
        );
    }

    #[test]
    fn manifests_name_the_dependencies() {
        let text = "[dependencies]\n# a = 1\nfoo-bar = \"1\"\n[dev-dependencies]\nbaz = \"1\"\n";
        assert_eq!(dependencies(&File::new("Cargo.toml", text)), ["foo_bar"]);
    }
}
