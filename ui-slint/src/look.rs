//! Language and colours, for both programs.
//!
//! Decides how a choice is named in settings and told to Slint. Words themselves stand in the
//! `.slint` files and `lang/`.

use serde::{Deserialize, Serialize};
use slint::{ComponentHandle, Global};
use tasuki_peer::shell::texts::Lang;

use crate::windows;

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

impl From<Shade> for windows::Shade {
    fn from(shade: Shade) -> Self {
        match shade {
            Shade::Desktop => Self::Desktop,
            Shade::Light => Self::Light,
            Shade::Dark => Self::Dark,
        }
    }
}

impl From<windows::Shade> for Shade {
    fn from(shade: windows::Shade) -> Self {
        match shade {
            windows::Shade::Desktop => Self::Desktop,
            windows::Shade::Light => Self::Light,
            windows::Shade::Dark => Self::Dark,
        }
    }
}

/// The other one of the two.
pub fn other(lang: Lang) -> Lang {
    match lang {
        Lang::En => Lang::Ja,
        Lang::Ja => Lang::En,
    }
}

/// Tells one window its language and colours. Every window has its own globals; the choice of
/// translation is the process's, and what stands on the screen follows at once.
pub fn dress<W: ComponentHandle>(window: &W, lang: Lang, shade: Shade)
where
    for<'a> windows::Theme<'a>: Global<'a, W>,
{
    // English is the source and needs no bundle, so that only a missing ja could fail.
    if let Err(why) = slint::select_bundled_translation(lang.name()) {
        tracing::warn!(%why, "a language is missing from this build");
    }
    let theme = window.global::<windows::Theme<'_>>();
    theme.set_language(lang.name().into());
    theme.set_version(env!("CARGO_PKG_VERSION").into());
    theme.invoke_choose(shade.into());
}
