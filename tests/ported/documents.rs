//! Excerpts in docs/porting.md are what the programs contain.

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

/// The blocks that are not compiled as they stand, each with the program that
/// the text before it names last.
fn excerpts(document: &str) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let mut before = String::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        if line != "```rust,ignore" {
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
                ```rust,ignore\nx\ny\n```\n```rust\nz\n```\n";
    let found = excerpts(text);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].1, "x\ny");
    assert!(found[0].0.contains("be_nice"));
}
