//! Language and colours, for both programs.
//!
//! Decides how a choice is named in settings. `dress.rs` tells it to a window.

use serde::{Deserialize, Serialize};
use tasuki_peer::shell::texts::Lang;

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shade {
    /// As the desktop says; light where it says nothing.
    #[default]
    Desktop,
    Light,
    Dark,
}

/// The other one of the two.
pub fn other(lang: Lang) -> Lang {
    match lang {
        Lang::En => Lang::Ja,
        Lang::Ja => Lang::En,
    }
}
