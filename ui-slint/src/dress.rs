//! Dresses a window in its language and colours.
//!
//! Words themselves stand in the `.slint` files and `lang/`.

use slint::{ComponentHandle, Global};
use tasuki_peer::shell::texts::Lang;

use crate::look::Shade;
use crate::windows;

/// Tells one window its language and colours. Every window has its own globals; the choice of
/// translation is the process's, and what stands on the screen follows at once.
pub(crate) fn dress<W: ComponentHandle>(window: &W, lang: Lang, shade: Shade)
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
