//! The bars over this screen, where several sessions show it.

use i_slint_backend_testing::{AccessibleRole, ElementHandle, ElementQuery};
use slint::{ComponentHandle, LogicalSize};
use tasuki_peer::shell::texts::Lang;
use tasuki_ui_slint::look::Shade;
use tasuki_ui_slint::operator::scenes;
use tasuki_ui_slint::operator::sharing::{self, Sharings};
use tasuki_ui_slint::windows::SharingBar;

/// Whoever ends one of two sessions ends the one that he means.
pub(crate) fn t33_each_bar_over_a_shown_screen_says_who_sees_it_and_since_when() {
    for (lang, names) in
        [(Lang::En, ["Yuki Tanaka", "Kenta Suzuki"]), (Lang::Ja, ["田中 由紀", "鈴木 健太"])]
    {
        let mut all = scenes::all(lang, Shade::Light);
        let mut scene = |name| {
            let place = all.iter().position(|scene: &scenes::Scene| scene.name == name).unwrap();
            all.swap_remove(place).model
        };
        let (mut model, second) = (scene("operator-share"), scene("operator-show-paused"));
        let other = scene("operator-viewer").tabs.remove(1);
        model.tabs.extend(second.tabs);
        model.tabs[1].note = other.note;
        model.tabs[1].live_since = model.tabs[0].live_since.map(|since| since + 700);
        let shown = Sharings::of(&model).shown;
        let times = ["12:34", "00:54"];
        assert_eq!(shown.len(), 2);
        for ((shown, name), time) in shown.iter().zip(names).zip(times) {
            let bar = SharingBar::new().unwrap();
            bar.window().set_size(LogicalSize::new(640.0, 52.0));
            sharing::say(shown, &bar, (lang, Shade::Light));
            bar.show().unwrap();
            let texts = ElementQuery::from_root(&bar).match_descendants();
            let texts = texts.match_accessible_role(AccessibleRole::Text).find_all();
            let said: Vec<_> = texts.iter().filter_map(ElementHandle::accessible_label).collect();
            assert!(said.iter().any(|said| said.contains(name) && said.contains(time)), "{said:?}");
            assert_eq!(names.iter().filter(|name| said.iter().any(|s| s.contains(**name))).count(), 1);
        }
    }
}
