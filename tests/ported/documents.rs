//! Excerpts in docs/porting.md are what the programs contain, and names in tables
//! are those of the crate.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const STACKLESS: &str = include_str!("../../docs/stackless.md");
const DOCUMENT: &str = include_str!("../../docs/porting.md");

/// By the path that a link in the document has.
const PROGRAMS: [(&str, &str); 5] = [
    (
        "../examples/pipeline.rs",
        include_str!("../../examples/pipeline.rs"),
    ),
    (
        "../examples/game_loop.rs",
        include_str!("../../examples/game_loop.rs"),
    ),
    (
        "../examples/mud/main.rs",
        include_str!("../../examples/mud/main.rs"),
    ),
    (
        "../examples/mud/house.rs",
        include_str!("../../examples/mud/house.rs"),
    ),
    (
        "../examples/mud/visit.rs",
        include_str!("../../examples/mud/visit.rs"),
    ),
];

/// The blocks that rustdoc leaves alone (`rs`), each with the program that
/// the text before it names last.
fn excerpts(document: &str) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let mut before = String::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        if line != "```rs" {
            before.push_str(line);
            continue;
        }
        let block: Vec<_> = lines.by_ref().take_while(|&line| line != "```").collect();
        let named = PROGRAMS
            .iter()
            .map(|&(path, text)| (before.rfind(path), text));
        let (at, text) = named.max_by_key(|&(at, _)| at).expect("programs");
        assert!(at.is_some(), "the text names no program before {block:?}");
        found.push((text, block.join("\n")));
    }
    found
}

#[test]
fn the_document_shows_the_programs_as_they_are() {
    let excerpts = excerpts(DOCUMENT);
    assert!(excerpts.len() >= 3, "one for each port at least");
    for (program, excerpt) in excerpts {
        assert!(program.contains(&excerpt), "not in the program:\n{excerpt}");
    }
}

#[test]
fn an_excerpt_belongs_to_the_program_named_last() {
    let text = "[a](../examples/pipeline.rs) [b](../examples/game_loop.rs)\n\
                ```rs\nx\ny\n```\n```rust\nz\n```\n";
    let found = excerpts(text);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].1, "x\ny");
    assert!(found[0].0.contains("be_nice"));
}

/// What docs/stackless.md and docs/porting.md call by a name is there under it.
#[test]
fn names_in_the_tables_exist() {
    let sources = sources(Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../runtime/src"
    )));
    assert!(!has(&sources, "be_nasty"));
    for document in [STACKLESS, DOCUMENT] {
        let names = names(document);
        assert!(names.len() > 30, "{names:?}");
        let unknown: Vec<_> = names.iter().filter(|name| !has(&sources, name)).collect();
        assert!(unknown.is_empty(), "not in runtime/src: {unknown:?}");
    }
}

#[test]
fn names_are_taken_from_our_column() {
    let table = "| Stackless | | here | why |\n|---|---|---|---|\n\
                 | `theirs()` | E | `ours()`, `enter(\\|\\| ..)`, `Type::method` | `none` |\n\n\
                 | here | else |\n|---|---|\n| `more` | `nothing` |\n";
    assert_eq!(names(table), ["enter", "method", "more", "ours", "Type"]);
}

/// The identifiers in the columns headed "here", once each.
fn names(document: &str) -> Vec<String> {
    let mut found = BTreeMap::new();
    let mut column = None;
    for line in document.lines() {
        let line = line.replace("\\|", " ");
        if !line.starts_with('|') {
            column = None;
            continue;
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        match column {
            None => column = Some(cells.iter().position(|&cell| cell == "here")),
            Some(Some(ours)) => {
                // Every other piece stands between two backquotes.
                for code in cells.get(ours).unwrap_or(&"").split('`').skip(1).step_by(2) {
                    let words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
                    let words = words.filter(|word| word.len() > 2);
                    found.extend(words.map(|word| (word.to_lowercase(), word.to_owned())));
                }
            }
            Some(None) => {}
        }
    }
    // Those of the crate itself and of its neighbour.
    found.remove("greenling");
    found.remove("greenling_tls");
    found.into_values().collect()
}

/// All Rust sources below a folder, without comments.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            text.push_str(&sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).expect("text");
            for line in source.lines() {
                if !line.trim_start().starts_with("//") {
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
    }
    text
}

/// Whether a name occurs as a word.
fn has(sources: &str, name: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    sources.match_indices(name).any(|(at, _)| {
        !is_part(sources[..at].chars().next_back())
            && !is_part(sources[at + name.len()..].chars().next())
    })
}
