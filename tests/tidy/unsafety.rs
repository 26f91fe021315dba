//! The modules that may be unsafe: in libraries those whose `mod` line says so,
//! in programs also files with a permission in them; no others. docs/unsafe.md
//! has a row for each that is not part of tests.
//!
//! The lint `unsafe_code` finds unsafe code elsewhere. What it does not find is
//! a permission on something else than a module, one that nobody needs any
//! more, and a crate that does not take part in the workspace's lints.

use std::collections::BTreeMap;

use crate::Finding;
use crate::tokens::{self, Token};
use crate::tree::File;

/// Compiled by themselves, outside the workspace's lints: no attribute names them.
const OUTSIDE: [&str; 1] = ["tests/aarch64/shim.rs"];

/// Everything in which the sources and the inventory disagree.
pub(crate) fn check(inventory: &File, files: &[&File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut allowed: BTreeMap<String, (String, usize)> = BTreeMap::new();
    let mut used: BTreeMap<&str, usize> = BTreeMap::new();
    for file in files {
        let code = match tokens::with_tests(file) {
            Ok(code) => code,
            Err(error) => {
                findings.push(Finding::new(&file.path, 1, error));
                continue;
            }
        };
        let (modules, others) = permissions(&code);
        for (name, line) in modules {
            let place = (file.path.clone(), line);
            allowed.insert(format!("{}{name}", folder_of(&file.path)), place);
        }
        for line in others {
            if is_of_a_library(&file.path) {
                let rule = "`unsafe_code` may be allowed on a `mod` line only";
                findings.push(Finding::new(&file.path, line, rule));
            } else {
                let module = file.path.trim_end_matches(".rs").to_owned();
                allowed.insert(module, (file.path.clone(), line));
            }
        }
        if let Some(token) = code.iter().find(|token| token.text == "unsafe") {
            used.insert(&file.path, token.line);
        }
    }
    for path in OUTSIDE {
        if used.contains_key(path) {
            let module = path.trim_end_matches(".rs").to_owned();
            allowed.insert(module, (path.to_owned(), 1));
        }
    }
    for (path, line) in &used {
        if !allowed.keys().any(|module| contains(module, path)) {
            let rule = "unsafe code outside the modules that are allowed it";
            findings.push(Finding::new(path, *line, rule));
        }
    }
    let rows = rows(inventory);
    for (module, (path, line)) in &allowed {
        if !used.keys().any(|path| contains(module, path)) {
            let rule = format!("{module} is allowed to be unsafe and is not");
            findings.push(Finding::new(path, *line, rule));
        }
        if !is_of_a_test(module) && !rows.contains_key(module.as_str()) {
            let rule = format!("{module} is not in {}", inventory.path);
            findings.push(Finding::new(path, *line, rule));
        }
    }
    for (module, line) in rows {
        if is_of_a_test(module) || !allowed.contains_key(module) {
            let rule = format!("no `mod` line allows {module} to be unsafe");
            findings.push(Finding::new(&inventory.path, line, rule));
        }
    }
    findings
}

/// The inventory is of what runs elsewhere than in tests.
fn is_of_a_test(module: &str) -> bool {
    module.split('/').any(|part| part == "tests")
}

/// Programs are small, and a program of one file has no `mod` line.
fn is_of_a_library(path: &str) -> bool {
    path.contains("/src/") && !path.contains("/src/bin/")
}

/// The modules that are allowed unsafe code by name, and the lines of other
/// such permissions.
fn permissions(code: &[Token]) -> (Vec<(String, usize)>, Vec<usize>) {
    let (mut modules, mut others) = (Vec::new(), Vec::new());
    for i in 0..code.len() {
        let inner = tokens::starts(code, i, &["#", "!", "["]);
        let open = if inner { i + 2 } else { i + 1 };
        if !inner && !tokens::starts(code, i, &["#", "["]) {
            continue;
        }
        let end = tokens::after_group(code, open);
        let words = &code[open..end];
        let permits = words
            .iter()
            .any(|t| matches!(t.text.as_str(), "allow" | "expect" | "warn"))
            && words.iter().any(|t| t.text == "unsafe_code");
        if !permits {
            continue;
        }
        match module_after(code, end) {
            Some(name) if !inner => modules.push((name, code[i].line)),
            _ => others.push(code[i].line),
        }
    }
    (modules, others)
}

/// The name of the module that the attributes before `at` belong to.
fn module_after(code: &[Token], mut at: usize) -> Option<String> {
    while tokens::starts(code, at, &["#", "["]) {
        at = tokens::after_group(code, at + 1);
    }
    if tokens::starts(code, at, &["pub"]) {
        at += 1;
        if tokens::starts(code, at, &["("]) {
            at = tokens::after_group(code, at);
        }
    }
    let is_file = tokens::starts(code, at, &["mod"]) && tokens::starts(code, at + 2, &[";"]);
    is_file.then(|| code[at + 1].text.clone())
}

/// Where the modules that a file declares are.
fn folder_of(path: &str) -> String {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    match file {
        "mod.rs" | "lib.rs" | "main.rs" => format!("{folder}/"),
        _ => format!("{folder}/{}/", file.trim_end_matches(".rs")),
    }
}

/// Whether the file is the module or one below it.
fn contains(module: &str, path: &str) -> bool {
    let rest = path.strip_prefix(module);
    rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

/// The modules with a row, which begins with the path in backticks.
fn rows(inventory: &File) -> BTreeMap<&str, usize> {
    let mut rows = BTreeMap::new();
    for (number, line) in inventory.lines() {
        if let Some((path, _)) = line.strip_prefix("| `").and_then(|l| l.split_once('`')) {
            let module = path.trim_end_matches('/').trim_end_matches(".rs");
            rows.insert(module, number);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(inventory: &str, files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<File> = files.iter().map(|(p, t)| File::new(p, t)).collect();
        let files: Vec<&File> = files.iter().collect();
        let found = check(&File::new("U.md", inventory), &files);
        found
            .iter()
            .map(|f| format!("{}:{}: {}", f.path, f.line, f.rule))
            .collect()
    }

    const LIB: (&str, &str) = (
        "a/src/lib.rs",
        "#[allow(unsafe_code, reason = \"why\")]\n#[cfg(unix)]\npub(crate) mod b;\nmod c;",
    );
    const B: (&str, &str) = ("a/src/b/d.rs", "fn f() { unsafe { g() } }");
    const ROW: &str = "| `a/src/b/` | does | holds |\n";

    #[test]
    fn a_true_inventory_passes() {
        assert_eq!(findings(ROW, &[LIB, B]), [""; 0]);
    }

    #[test]
    fn unsafe_code_elsewhere_is_found() {
        let c = ("a/src/c.rs", "\nunsafe fn f() {}");
        assert_eq!(
            findings(ROW, &[LIB, B, c]),
            ["a/src/c.rs:2: unsafe code outside the modules that are allowed it"]
        );
    }

    #[test]
    fn permissions_on_other_items_are_found() {
        for text in [
            "#![allow(unsafe_code)]",
            "#[allow(unsafe_code)] fn f() {}",
            "#[expect(unsafe_code)] mod e { }",
        ] {
            let c = ("a/src/c.rs", text);
            assert_eq!(
                findings(ROW, &[LIB, B, c]),
                ["a/src/c.rs:1: `unsafe_code` may be allowed on a `mod` line only"]
            );
        }
    }

    #[test]
    fn a_program_is_listed_by_its_file() {
        let program = ("e/a.rs", "#[allow(unsafe_code)] fn f() { unsafe { g() } }");
        let found = findings(ROW, &[LIB, B, program]);
        assert_eq!(found, ["e/a.rs:1: e/a is not in U.md"]);
        let rows = format!("{ROW}| `e/a.rs` | does | holds |\n");
        assert_eq!(findings(&rows, &[LIB, B, program]), [""; 0]);
    }

    #[test]
    fn tests_need_permission_but_no_row() {
        let test = (
            "tests/a/b.rs",
            "#[allow(unsafe_code)] mod c { unsafe fn d() {} }",
        );
        assert_eq!(findings(ROW, &[LIB, B, test]), [""; 0]);
        let test = ("tests/a/b.rs", "unsafe fn d() {}");
        assert_eq!(findings(ROW, &[LIB, B, test]).len(), 1);
    }

    #[test]
    fn a_permission_that_nobody_needs_is_found() {
        let b = ("a/src/b.rs", "// unsafe\nfn f() {}");
        assert_eq!(
            findings(ROW, &[LIB, b]),
            ["a/src/lib.rs:1: a/src/b is allowed to be unsafe and is not"]
        );
    }

    #[test]
    fn a_wrong_inventory_is_found() {
        assert_eq!(
            findings("", &[LIB, B]),
            ["a/src/lib.rs:1: a/src/b is not in U.md"]
        );
        let rows = format!("{ROW}| `a/src/c.rs` | does | holds |\n");
        assert_eq!(
            findings(&rows, &[LIB, B]),
            ["U.md:2: no `mod` line allows a/src/c to be unsafe"]
        );
    }
}
