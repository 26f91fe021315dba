//! Rust source as a flat list of tokens, so that rules need not care about
//! comments, strings or layout. Code for tests is left out.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

use crate::tree::File;

/// An identifier, a literal, a punctuation mark (`::` is one) or a bracket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// The tokens of a file, without the items under `#[cfg(test)]` and `#[test]`.
pub(crate) fn of(file: &File) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    flatten(parse(&file.text)?, true, &mut tokens);
    Ok(tokens)
}

/// All tokens of a file, those of tests included.
pub(crate) fn with_tests(file: &File) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    flatten(parse(&file.text)?, false, &mut tokens);
    Ok(tokens)
}

/// The position after the bracket that closes the one at `open`.
pub(crate) fn after_group(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0;
    for (i, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return i + 1;
        }
    }
    tokens.len()
}

/// Whether the tokens from `at` on are these.
pub(crate) fn starts(tokens: &[Token], at: usize, words: &[&str]) -> bool {
    tokens.len() >= at + words.len()
        && tokens[at..]
            .iter()
            .zip(words)
            .all(|(token, word)| token.text == *word)
}

pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn parse(text: &str) -> Result<TokenStream, String> {
    text.parse()
        .map_err(|error: proc_macro2::LexError| error.to_string())
}

fn flatten(stream: TokenStream, skip_tests: bool, out: &mut Vec<Token>) {
    let trees: Vec<TokenTree> = stream.into_iter().collect();
    let mut i = 0;
    while i < trees.len() {
        if skip_tests && is_test_attribute(&trees[i..]) {
            i = after_item(&trees, i);
            continue;
        }
        let line = trees[i].span().start().line;
        let mut push = |text: String, line| out.push(Token { text, line });
        match &trees[i] {
            TokenTree::Group(group) => {
                let (open, close) = brackets(group.delimiter());
                push(open.to_owned(), line);
                flatten(group.stream(), skip_tests, out);
                let text = close.to_owned();
                let line = group.span_close().start().line;
                out.push(Token { text, line });
            }
            TokenTree::Punct(punct) => {
                let double = punct.as_char() == ':'
                    && punct.spacing() == Spacing::Joint
                    && matches!(trees.get(i + 1), Some(TokenTree::Punct(p)) if p.as_char() == ':');
                if double {
                    i += 1;
                    push("::".to_owned(), line);
                } else {
                    push(punct.to_string(), line);
                }
            }
            other => push(other.to_string(), line),
        }
        i += 1;
    }
}

fn brackets(delimiter: Delimiter) -> (&'static str, &'static str) {
    match delimiter {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    }
}

/// `#[test]`, or a `#[cfg(..)]` that holds for tests only.
fn is_test_attribute(trees: &[TokenTree]) -> bool {
    let [TokenTree::Punct(hash), TokenTree::Group(group), ..] = trees else {
        return false;
    };
    if hash.as_char() != '#' || group.delimiter() != Delimiter::Bracket {
        return false;
    }
    let words = group.stream().to_string();
    let words: Vec<&str> = words
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .collect();
    words == ["test"]
        || words.first() == Some(&"cfg") && words.contains(&"test") && !words.contains(&"not")
}

/// The position after the item whose attributes begin at `i`.
fn after_item(trees: &[TokenTree], mut i: usize) -> usize {
    while i < trees.len() {
        match &trees[i] {
            TokenTree::Punct(punct) if punct.as_char() == '#' => i += 1,
            TokenTree::Punct(punct) if punct.as_char() == ';' => return i + 1,
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return i + 1,
            _ => {}
        }
        i += 1;
    }
    i
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let tokens = of(&File::new("a.rs", text)).unwrap();
        tokens.into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn comments_and_strings_are_no_code() {
        let text = "// unsafe\n/* unsafe */ fn f() { \"unsafe\"; }";
        assert!(!words(text).contains(&"unsafe".to_owned()));
    }

    #[test]
    fn code_for_tests_is_left_out() {
        let text = "a; #[cfg(test)] mod tests { b } #[cfg(all(test, unix))] use c; \
                    #[test] #[ignore] fn d() {} #[cfg(not(test))] e; f::g";
        let words = words(text);
        for gone in ["b", "c", "d"] {
            assert!(!words.contains(&gone.to_owned()), "{gone}");
        }
        assert_eq!(words[..2], ["a", ";"]);
        assert_eq!(words[words.len() - 5..], ["e", ";", "f", "::", "g"]);
    }

    #[test]
    fn lines_are_those_of_the_file() {
        let tokens = of(&File::new("a.rs", "a\n\n  b {\n c\n}")).unwrap();
        let lines: Vec<usize> = tokens.iter().map(|token| token.line).collect();
        assert_eq!(lines, [1, 3, 3, 4, 5]);
    }
}
