//! What a window knows is plain data: no toolkit, clock, file or socket. Adapters stand at the edge.

use crate::assert_complains;
use crate::assert_none;
use crate::text::{code, find_word, line_of, with_full_paths};
use crate::tree::{self, Source};

/// What decides in each window, by its state and a message.
const PURE: &[&str] = &[
    "ui-slint/src/operator/update.rs",
    "ui-slint/src/operator/model.rs",
    "ui-slint/src/operator/tab.rs",
    "ui-slint/src/operator/session.rs",
    "ui-slint/src/operator/hearing.rs",
    "ui-slint/src/operator/entrance.rs",
    "ui-slint/src/operator/ending.rs",
    "ui-slint/src/agent/model.rs",
    "ui-slint/src/agent/news.rs",
    "ui-slint/src/agent/live.rs",
    "ui-slint/src/agent/asking.rs",
    "ui-slint/src/agent/entry.rs",
    "ui-slint/src/agent/ended.rs",
    "ui-slint/src/agent/talk.rs",
    "ui-slint/src/agent/protection.rs",
];

const EDGE: &[&str] = &[
    "slint",
    "crate::windows",
    "tokio",
    "async",
    "std::fs",
    "std::env",
    "std::thread",
    "std::net",
    "Instant::now",
    "SystemTime",
];

#[test]
fn what_a_window_knows_has_no_type_of_the_toolkit() {
    let sources = tree::rust();
    for path in PURE {
        assert!(sources.iter().any(|source| source.path == *path), "{path} is not there");
    }
    assert_none(&impure(&sources));
}

fn impure(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|source| PURE.contains(&source.path.as_str())) {
        let text = source.text.split("\n#[cfg(test)]\n").next().unwrap_or_default();
        let written = code(text);
        let all = with_full_paths(&written);
        for word in EDGE {
            if let Some(at) = find_word(&all, word) {
                let line = if at < written.len() { line_of(&written, at) } else { 1 };
                complaints.push(format!(
                    "{}:{line}: a window's model must not say `{word}`; it is handed in, or an effect",
                    source.path
                ));
            }
        }
    }
    complaints
}

#[test]
fn a_model_that_knows_its_window_is_noticed() {
    let model = |text| impure(&[Source::made_up("ui-slint/src/agent/live.rs", text)]);
    assert_complains(&model("//! x\nuse slint::SharedString;"), "live.rs:2");
    assert_complains(&model("use crate::{look::Shade, windows::Agent};"), "crate::windows");
    assert_none(&model("use std::time::Instant; // no slint\n#[cfg(test)]\nuse slint::Image;"));
}
