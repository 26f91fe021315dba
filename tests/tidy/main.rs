//! Gates that read the sources: what ARCHITECTURE.md and docs/unsafe.md claim
//! about them is compared with what is there.
//!
//! Each gate is a function from text to findings, so that its own tests can feed
//! it text that breaks the rule: a gate that nobody has seen fail is none. What
//! is read is what git tracks, in the state of the working tree.

mod layers;
mod links;
mod manifests;
mod manual;
mod promises;
mod reasons;
mod text;
mod tokens;
mod tree;
mod unsafety;

use std::io::Write;

use tree::{File, Tree};

/// A rule that is broken somewhere.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    line: usize,
    rule: String,
}

impl Finding {
    fn new(path: &str, line: usize, rule: impl Into<String>) -> Finding {
        let (path, rule) = (path.to_owned(), rule.into());
        Finding { path, line, rule }
    }
}

/// Fails with one line per finding, as compilers write them.
fn assert_none(mut findings: Vec<Finding>) {
    findings.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    let lines: Vec<String> = findings
        .iter()
        .map(|f| format!("{}:{}: {}", f.path, f.line, f.rule))
        .collect();
    assert!(
        lines.is_empty(),
        "{} findings\n{}",
        lines.len(),
        lines.join("\n")
    );
}

/// The tracked files, or `None` where there is no git to list them.
fn tree(test: &str) -> Option<Tree> {
    tests::tools::find(test, "git")?;
    match Tree::tracked() {
        Ok(tree) => Some(tree),
        Err(error) => {
            tests::tools::skip(test, &format!("no list of the tracked files: {error}"));
            None
        }
    }
}

#[test]
fn modules_use_only_what_the_code_map_allows() {
    let Some(tree) = tree("modules_use_only_what_the_code_map_allows") else {
        return;
    };
    let map = tree.file("ARCHITECTURE.md");
    let mut findings = Vec::new();
    for package in ["runtime", "tls"] {
        findings.extend(layers::check(package, map, &tree));
    }
    assert_none(findings);
}

#[test]
fn unsafe_code_is_where_the_inventory_says() {
    let Some(tree) = tree("unsafe_code_is_where_the_inventory_says") else {
        return;
    };
    assert_none(unsafety::check(
        tree.file("docs/unsafe.md"),
        &tree.rust().collect::<Vec<_>>(),
    ));
}

#[test]
fn rust_files_hold_no_leftovers_and_no_overlong_lines() {
    let Some(tree) = tree("rust_files_hold_no_leftovers_and_no_overlong_lines") else {
        return;
    };
    let mut findings = Vec::new();
    for file in tree.rust() {
        findings.extend(text::leftovers(file));
        findings.extend(text::widths(file));
        findings.extend(text::length(file));
        if let Some(warning) = text::long(file) {
            // Past the harness's capture, so that it shows when the test passes.
            let _ = std::io::stderr().write_all(format!("warning: {warning}\n").as_bytes());
        }
    }
    assert_none(findings);
}

#[test]
fn no_file_names_a_place_outside_the_repository() {
    let Some(tree) = tree("no_file_names_a_place_outside_the_repository") else {
        return;
    };
    assert_none(tree.files().flat_map(text::foreign_places).collect());
}

#[test]
fn every_public_function_says_whether_it_switches() {
    let Some(tree) = tree("every_public_function_says_whether_it_switches") else {
        return;
    };
    let mut findings = Vec::new();
    for package in ["runtime", "tls"] {
        let files: Vec<&File> = tree.sources(package).collect();
        findings.extend(promises::check(&files));
    }
    assert_none(findings);
}

#[test]
fn every_entry_of_the_manual_of_pyopenssl_has_a_counterpart() {
    let Some(tree) = tree("every_entry_of_the_manual_of_pyopenssl_has_a_counterpart") else {
        return;
    };
    let document = tree.files().find(|file| file.path == manual::DOCUMENT);
    let sources: Vec<&File> = tree.sources("tls").collect();
    assert_none(manual::check(document.expect("the document"), &sources));
}

#[test]
fn links_between_documents_lead_somewhere() {
    let Some(tree) = tree("links_between_documents_lead_somewhere") else {
        return;
    };
    assert_none(links::check(&tree));
}

#[test]
fn every_dependency_has_its_reason_above_it() {
    let Some(tree) = tree("every_dependency_has_its_reason_above_it") else {
        return;
    };
    let manifests = tree.files().filter(|f| f.path.ends_with("Cargo.toml"));
    assert_none(manifests.flat_map(manifests::check).collect());
}

#[test]
fn every_wait_reason_is_listed() {
    let Some(tree) = tree("every_wait_reason_is_listed") else {
        return;
    };
    let mut findings = Vec::new();
    for (package, public) in [
        ("runtime", greenling::WAIT_REASONS),
        ("tls", greenling_tls::WAIT_REASONS),
    ] {
        let files: Vec<&File> = tree.sources(package).collect();
        let public: Vec<&str> = public.iter().map(|reason| reason.name()).collect();
        findings.extend(reasons::check(&files, &public));
    }
    assert_none(findings);
}

#[test]
fn no_two_waits_share_a_name() {
    let reasons = [greenling::WAIT_REASONS, greenling_tls::WAIT_REASONS].concat();
    let mut names: Vec<&str> = reasons.iter().map(|reason| reason.name()).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all, "{names:?}");
}
