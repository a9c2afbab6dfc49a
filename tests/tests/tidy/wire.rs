//! Every variant of every enum that crosses a wire has its bytes written down in a test of
//! `protocol`, so that a reordering or a renaming is seen before two versions meet.
//!
//! A snapshot is named by a string literal `"Enum::Variant"` in `protocol/tests/` or in a test
//! module of `protocol/src/`; what the bytes are is that test's matter.

use crate::{
    assert_complains, assert_none,
    text::{code, is_word},
    tree::{self, Source},
};

#[test]
fn every_wire_variant_has_a_snapshot() {
    let sources = tree::rust();
    assert!(!variants(&sources).is_empty(), "protocol's enums were read");
    assert_none(&without_snapshot(&sources));
}

fn without_snapshot(sources: &[Source]) -> Vec<String> {
    let tests: Vec<&str> =
        sources.iter().filter(|s| s.is_under("protocol/")).map(|s| s.text.as_str()).collect();
    let is_missing = |name: &String| !tests.iter().any(|text| text.contains(&format!("\"{name}\"")));
    let mend = "add a line with its bytes to protocol/tests/wire.rs";
    variants(sources).into_iter().filter(is_missing).map(|n| format!("{n}: {mend}")).collect()
}

/// `Enum::Variant` of all public enums in `protocol/src` that serde writes or a byte stands for.
pub(crate) fn variants(sources: &[Source]) -> Vec<String> {
    let wire = sources.iter().filter(|s| s.is_under("protocol/src/"));
    wire.flat_map(|source| enums(&code(&source.text))).collect()
}

fn enums(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("pub enum ") {
        if !crosses_wires(attributes_before(&code[..at])) {
            continue;
        }
        let declaration = &code[at + "pub enum ".len()..];
        let name: String = declaration.chars().take_while(|c| is_word(*c)).collect();
        let Some(open) = declaration.find('{') else { continue };
        let names = variant_names(&declaration[open + 1..]);
        found.extend(names.into_iter().map(|variant| format!("{name}::{variant}")));
    }
    found
}

/// Back to the end of the item before.
fn attributes_before(code: &str) -> &str {
    let start = code.rfind(['}', ';']).map_or(0, |at| at + 1);
    &code[start..]
}

fn crosses_wires(attributes: &str) -> bool {
    attributes.contains("Serialize") || attributes.contains("repr(u")
}

/// The words that open a variant: at depth 0 of the body, at its start or after a comma.
fn variant_names(body: &str) -> Vec<String> {
    let (mut names, mut name, mut depth, mut is_open) = (Vec::new(), String::new(), 0_usize, true);
    for c in body.chars() {
        let at_top = depth == 0;
        match c {
            '}' if at_top => break,
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth -= 1,
            ',' if at_top => is_open = true,
            _ if at_top && is_open && is_word(c) => {
                name.push(c);
                continue;
            }
            _ => {}
        }
        if !name.is_empty() {
            names.push(std::mem::take(&mut name));
            is_open = false;
        }
        if c == ',' && at_top {
            is_open = true;
        }
    }
    if !name.is_empty() {
        names.push(name);
    }
    names
}

#[test]
fn variants_are_read_with_their_fields_and_attributes_left_out() {
    let text = "
        #[derive(Debug, Serialize)]
        #[serde(rename_all = \"lowercase\")]
        pub enum Event {
            /// Comment, with comma.
            Move { x: u16, y: (u8, u8) },
            #[serde(rename = \"b\")] Button(Vec<Key>, Press),
            Release = 3, Last
        }
        pub enum Local { Never }
        #[repr(u8)] pub enum Answer { Yes = 1, }";
    let expected = ["Event::Move", "Event::Button", "Event::Release", "Event::Last", "Answer::Yes"];
    assert_eq!(enums(&code(text)), expected);
}

#[test]
fn a_variant_without_snapshot_is_noticed() {
    let wire = "#[derive(Serialize)] pub enum Key { Press, Release }";
    let sources = |tests: &str| {
        [Source::made_up("protocol/src/a.rs", wire), Source::made_up("protocol/tests/wire.rs", tests)]
    };
    assert_complains(&without_snapshot(&sources("snap(\"Key::Press\")")), "Key::Release");
    assert_none(&without_snapshot(&sources("\"Key::Press\" \"Key::Release\"")));
}
