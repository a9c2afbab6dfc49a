//! Every state of the window as a made-up model: for `--mock`, the pictures and the tests.

use tasuki_peer::shell::texts::Lang;

use super::model::{Model, Msg, Page};
use crate::look::Shade;

/// A state and its name, which is the picture's file name too.
#[derive(Debug, Clone)]
pub struct Scene {
    pub name: &'static str,
    pub model: Model,
}

/// In the order in which a session passes through them.
pub fn all(lang: Lang, shade: Shade) -> Vec<Scene> {
    let start = || Model::new(lang, shade, "みなと信用サービス");
    let typed = |text: &str| {
        let mut model = start();
        let _ = model.update(Msg::NumberEdited(text.to_owned()));
        model
    };
    let mut refused = start();
    if let Page::Number(page) = &mut refused.page {
        page.entry.refused();
    }
    vec![
        Scene { name: "agent-number", model: start() },
        Scene { name: "agent-number-mistyped", model: typed("４８２９ 1530-6712") },
        Scene { name: "agent-number-refused", model: refused },
        Scene { name: "agent-about", model: Model { about: true, ..start() } },
    ]
}
