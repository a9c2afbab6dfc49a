//! Just enough reading of Rust to ask questions of it: code without comments and strings, words,
//! and the paths that a `use` names.
//!
//! A scanner, no parser: it refuses to know types and scopes.

/// The code alone: comments and the insides of literals become spaces, lines stay where they are.
pub(crate) fn code(text: &str) -> String {
    split(text).0
}

/// The comments alone, each line where it was.
pub(crate) fn comments(text: &str) -> String {
    split(text).1
}

fn split(text: &str) -> (String, String) {
    let (mut code, mut comments) = (String::new(), String::new());
    let mut rest = text;
    while !rest.is_empty() {
        let (kind, length) = next_piece(rest, code.chars().next_back());
        let (piece, after) = rest.split_at(length);
        match kind {
            Piece::Code => {
                code.push_str(piece);
                blank(piece, &mut comments);
            }
            Piece::Literal => {
                blank(piece, &mut code);
                blank(piece, &mut comments);
            }
            Piece::Comment => {
                blank(piece, &mut code);
                comments.push_str(piece);
            }
        }
        rest = after;
    }
    (code, comments)
}

fn blank(piece: &str, out: &mut String) {
    out.extend(piece.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
}

enum Piece {
    Code,
    Comment,
    Literal,
}

fn next_piece(rest: &str, before: Option<char>) -> (Piece, usize) {
    if rest.starts_with("//") {
        return (Piece::Comment, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (Piece::Comment, block_comment(rest));
    }
    if rest.starts_with('"') {
        return (Piece::Literal, string(rest));
    }
    let in_word = before.is_some_and(is_word);
    if !in_word && let Some(length) = raw_string(rest) {
        return (Piece::Literal, length);
    }
    if rest.starts_with('\'')
        && let Some(length) = character(rest)
    {
        return (Piece::Literal, length);
    }
    (Piece::Code, rest.chars().next().map_or(0, char::len_utf8))
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        let here = &rest[at..];
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    rest.len()
}

fn raw_string(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let body = after[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let start = rest.len() - body.len();
    Some(body.find(&end).map_or(rest.len(), |at| start + at + end.len()))
}

/// `None` for a lifetime.
fn character(rest: &str) -> Option<usize> {
    let mut chars = rest.char_indices().skip(1);
    let (_, first) = chars.next()?;
    if first == '\\' {
        let (after_escape, _) = chars.nth(1)?;
        return rest[after_escape - 1..].find('\'').map(|at| after_escape + at);
    }
    let (at, quote) = chars.next()?;
    (quote == '\'').then_some(at + 1)
}

pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Where `needle` stands as whole words: `unsafe` is not in `unsafe_op`.
pub(crate) fn find_word(haystack: &str, needle: &str) -> Option<usize> {
    let edge = |c: Option<char>| !c.is_some_and(is_word);
    haystack.match_indices(needle).map(|(at, _)| at).find(|&at| {
        let before = haystack[..at].chars().next_back();
        let after = haystack[at + needle.len()..].chars().next();
        let needs_start = needle.starts_with(is_word);
        let needs_end = needle.ends_with(is_word);
        (!needs_start || edge(before)) && (!needs_end || edge(after))
    })
}

pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Code in which every path of a nested `use` also stands in full, so that `use std::{fs, io}`
/// cannot hide `std::fs`.
pub(crate) fn with_full_paths(code: &str) -> String {
    let mut out = code.to_owned();
    for (at, _) in code.match_indices("use ") {
        let starts_word = code[..at].chars().next_back().is_none_or(|c| !is_word(c));
        if let Some(end) = code[at..].find(';').filter(|_| starts_word) {
            let tree: Vec<&str> = code[at + 4..at + end].split_whitespace().collect();
            expand("", &tree.join(" "), &mut out);
        }
    }
    out
}

fn expand(prefix: &str, tree: &str, out: &mut String) {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        out.push_str(&format!("\n{prefix}{path};"));
        return;
    };
    let prefix = format!("{prefix}{}", &tree[..open]);
    let inner = tree[open + 1..].strip_suffix('}').unwrap_or(&tree[open + 1..]);
    let (mut depth, mut start) = (0_usize, 0);
    for (at, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                expand(&prefix, &inner[start..at], out);
                start = at + 1;
            }
            _ => {}
        }
    }
    expand(&prefix, &inner[start..], out);
}

#[test]
fn comments_and_literals_are_not_code() {
    let text = "let a = \"unsafe\"; // unsafe\nlet b = r#\"x\"unsafe\"#; /* unsafe /* */ unsafe */ c";
    assert_eq!(find_word(&code(text), "unsafe"), None);
    assert!(code(text).ends_with(" c"));
    assert_eq!(code(text).lines().count(), 2);
}

#[test]
fn a_quote_as_a_character_opens_no_string() {
    let text = "match c { '\"' => unsafe_word, '\\'' => x, 'a' => y, '\\u{1f}' => z } &'a str \"x\"";
    let code = code(text);
    assert!(code.contains("unsafe_word") && code.contains("&'a str"));
    assert!(!code.contains('x') || code.contains("=> x"));
    assert!(code.contains("=> z"));
}

#[test]
fn words_end_where_words_end() {
    assert_eq!(find_word("unsafe_op unsafely", "unsafe"), None);
    assert_eq!(find_word("a unsafe {", "unsafe"), Some(2));
    assert_eq!(find_word("Instant::now_utc", "Instant::now"), None);
}

#[test]
fn nested_uses_are_spelled_out() {
    let full = with_full_paths("use std::{fs, net::{IpAddr, TcpStream}};\nuse tokio::time as t;");
    for path in ["std::fs;", "std::net::IpAddr;", "std::net::TcpStream;", "tokio::time;"] {
        assert!(full.contains(path), "{path} in {full}");
    }
}
