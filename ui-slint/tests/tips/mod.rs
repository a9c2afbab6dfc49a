//! What an icon is for is told in words beside it: to whoever points at it, and to whoever comes to it by keys.

use slint::{Global, LogicalPosition};
use tasuki_ui_slint::windows::{Session, Tips};

use super::*;

/// As long as it takes until the words come.
const A_MOMENT: Duration = Duration::from_millis(600);

/// Every icon of both windows, in every state.
pub(crate) fn s100_every_icon_is_told_in_words(lang: Lang) {
    let mut met = BTreeSet::new();
    for scene in agent::scenes::all(lang, Shade::Light, Instant::now()) {
        if !is_covered(scene.name) {
            each(scene.name, || agents(&scene).0, lang, &mut met);
        }
    }
    for scene in scenes::all(lang, Shade::Light) {
        if !is_covered(scene.name) {
            each(scene.name, || operators(&scene).0, lang, &mut met);
        }
    }
    assert!(met.len() > 15, "{met:?}");
}

/// The icon goes with its page, and cannot say that it goes.
pub(crate) fn what_is_told_of_an_icon_that_is_gone_goes() {
    let all = scenes::all(Lang::En, Shade::Light);
    let chat = all.iter().find(|scene| scene.name == "operator-viewer-chat").unwrap();
    let (window, _) = operators(chat);
    let is_it = |icon: &ElementHandle| icon.accessible_label().unwrap() == "Hide the chat";
    point(&window, &icons(&window).into_iter().find(is_it).unwrap());
    assert_eq!(window.global::<Tips<'_>>().get_text(), "Hide the chat");
    assert_eq!(window.global::<Tips<'_>>().get_key(), "Esc");
    window.global::<Session<'_>>().set_chat_shown(false);
    let _ = picture(&window);
    (0..4).for_each(|_| mock_elapsed_time(Duration::from_secs(1)));
    assert_eq!(window.global::<Tips<'_>>().get_text(), "");
}

fn each<W: ComponentHandle + 'static>(
    state: &str,
    open: impl Fn() -> W,
    lang: Lang,
    met: &mut BTreeSet<String>,
) where
    for<'a> Tips<'a>: Global<'a, W>,
{
    let window = open();
    for icon in icons(&window) {
        let label = icon.accessible_label().unwrap_or_default().to_string();
        assert!(!label.is_empty(), "{state}: an icon has no words");
        if !met.insert(label.clone()) {
            continue;
        }
        let is_japanese = label.chars().any(|letter| letter > '\u{3000}');
        assert_eq!(is_japanese, lang == Lang::Ja, "{state}: {label}");
        let told = || window.global::<Tips<'_>>().get_text().to_string();
        point(&window, &icon);
        assert_eq!(told(), label, "{state}: who points at it");
        is_whole(state, &window, &label);
        window.window().dispatch_event(WindowEvent::PointerExited);
        let _ = picture(&window);
        mock_elapsed_time(A_MOMENT);
        assert_eq!(told(), "", "{state}: {label} stays");
        let by_keys = open();
        tab_to(&by_keys, &label);
        let _ = picture(&by_keys);
        mock_elapsed_time(Duration::from_millis(10));
        mock_elapsed_time(A_MOMENT);
        assert_eq!(by_keys.global::<Tips<'_>>().get_text().as_str(), label, "{state}: by keys");
    }
}

fn is_covered(state: &str) -> bool {
    COVERED.iter().any(|name| state.contains(name))
}

fn icons(window: &(impl ComponentHandle + 'static)) -> Vec<ElementHandle> {
    let all =
        ElementQuery::from_root(window).match_descendants().match_inherits("IconButton").find_all();
    all.into_iter().filter(|icon| icon.size().width > 0.0).collect()
}

fn point(window: &impl ComponentHandle, icon: &ElementHandle) {
    let (at, size) = (icon.absolute_position(), icon.size());
    let position = LogicalPosition::new(at.x + size.width / 2.0, at.y + size.height / 2.0);
    window.window().dispatch_event(WindowEvent::PointerMoved { position });
    // What changed is told, then the time begins.
    let _ = picture(window);
    mock_elapsed_time(Duration::from_millis(10));
    mock_elapsed_time(A_MOMENT);
}

/// Inside the window, and as wide as its words.
fn is_whole(state: &str, window: &(impl ComponentHandle + 'static), words: &str) {
    let (all, words) = (picture(window), words.to_owned());
    let texts = ElementQuery::from_root(window).match_accessible_role(AccessibleRole::Text);
    let is_it = move |element: &ElementHandle| element.accessible_label().is_some_and(|it| it == words);
    let tip = texts.match_predicate(is_it).find_first();
    let tip = Control::of(0, &tip.unwrap_or_else(|| panic!("{state}: nothing is seen")));
    let (right, foot) = (tip.at.0 + tip.size.0, tip.at.1 + tip.size.1);
    let is_inside = tip.at.0 >= 0.0 && tip.at.1 >= 0.0;
    let is_inside = is_inside && right <= all.width() as f32 && foot <= all.height() as f32;
    assert!(is_inside && tip.size.0 > 20.0, "{state}: {tip:?}");
}
