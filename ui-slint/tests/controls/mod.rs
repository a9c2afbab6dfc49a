//! Each control of the operator's window, and what it says when it is pressed: by a pointer, and by a screen reader.

use std::cell::RefCell;
use std::rc::Rc;

use i_slint_backend_testing::{AccessibleRole, AccessibleRole as R, ElementQuery};
use slint::platform::PointerEventButton;
use tasuki_peer::shell::texts::Lang;
use tasuki_ui_slint::look::Shade;
use tasuki_ui_slint::operator::update::Msg;
use tasuki_ui_slint::operator::{scenes, wire};

use crate::{find, open};

pub(crate) fn every_control_has_a_role_and_a_label() {
    for lang in [Lang::En, Lang::Ja] {
        for scene in scenes::all(lang, Shade::Light) {
            let window = open(&scene);
            let nameless = ElementQuery::from_root(&window)
                .match_descendants()
                .match_predicate(|element| {
                    let label = element.accessible_label().unwrap_or_default();
                    element.accessible_role().is_some_and(is_control) && label.is_empty()
                })
                .find_all();
            let ids: Vec<_> = nameless.iter().map(|e| (e.id(), e.type_name())).collect();
            assert!(ids.is_empty(), "{} has controls without a label: {ids:?}", scene.name);
        }
    }
}

fn is_control(role: AccessibleRole) -> bool {
    matches!(role, R::Button | R::TextInput | R::RadioButton | R::Switch | R::Tab | R::ListItem)
}

const CASES: [(&str, R, &str, &str); 49] = [
    ("operator-not-set-up", R::Button, "Try again", "TryAgain"),
    ("operator-sign-in", R::Button, "Sign in", "SubmitSignIn"),
    ("operator-home", R::RadioButton, "View", "Choose(View)"),
    ("operator-home", R::Button, "New session", "OpenChosen"),
    ("operator-waiting", R::Button, "Copy number", "CopyNumber"),
    ("operator-waiting", R::Button, "Cancel", "Cancel"),
    ("operator-viewer", R::Button, "End", "Wish(TabId(1), End)"),
    ("operator-viewer", R::Button, "Full screen", "FullScreen(true)"),
    ("operator-viewer", R::Button, "1:1", "Zoom(OneToOne)"),
    ("operator-viewer", R::Button, "Keep a picture", "Screenshot"),
    ("operator-viewer", R::RadioButton, "Monitor 2", "Monitor(MonitorId(1))"),
    ("operator-viewer", R::Tab, "Kenta", "Go(Session(TabId(2)))"),
    ("operator-viewer", R::Button, "Send Ctrl+Alt+Del", "CtrlAltDel"),
    ("operator-viewer", R::Button, "Type a text", "Dialog(TypeText)"),
    ("operator-share", R::RadioButton, "2", "Monitor(MonitorId(1))"),
    ("operator-show-paused", R::RadioButton, "2", "Monitor(MonitorId(1))"),
    ("operator-show-paused", R::Button, "Go on", "Resume"),
    ("operator-settings", R::RadioButton, "Dark", "ChooseShade(Dark)"),
    ("operator-settings", R::RadioButton, "As the desktop has it", "ChooseShade(Desktop)"),
    ("operator-settings", R::Switch, "Send letters", "Change("),
    ("operator-settings", R::Switch, "Send desktop shortcuts", "Change("),
    ("operator-dialog-end", R::Button, "End now", "EndNow"),
    ("operator-share", R::Button, "Pause", "Pause"),
    ("operator-ended", R::Button, "Open the receipt", "OpenReceipt"),
    ("operator-ended", R::Button, "Save it", "SaveReceipt"),
    ("operator-settings", R::RadioButton, "日本語", "ChooseLanguage(Japanese)"),
    ("operator-settings", R::Button, "Check the connection", "Checkup(Begun)"),
    ("operator-settings", R::Button, "Change the password", "Password(Open(true))"),
    ("operator-dialog-password", R::Button, "Cancel", "Password(Open(false))"),
    ("operator-failed", R::Button, "Check the connection", "Checkup(Begun)"),
    ("operator-checkup", R::Button, "Close", "Checkup(Closed)"),
    ("operator-not-set-up", R::Button, "日本語", "SwitchLanguage"),
    ("operator-settings", R::Tab, "New", "Go(Home)"),
    ("operator-home", R::Tab, "History", "Go(History)"),
    ("operator-home", R::Tab, "Settings", "Go(Settings)"),
    ("operator-home", R::Tab, "About", "Go(About)"),
    ("operator-home", R::Tab, "日本語", "SwitchLanguage"),
    ("operator-home", R::Tab, "Dark", "ChooseShade(Dark)"),
    ("operator-home", R::Tab, "Sign out", "SignOut"),
    ("operator-viewer", R::Button, "Close the tab Kenta", "Wish(TabId(2), Close)"),
    ("operator-waiting", R::Button, "Copy link", "CopyLink"),
    ("operator-viewer", R::Button, "Details of the connection", "Dialog(Details)"),
    ("operator-viewer-control-over", R::Button, "Ask for more rights", "Dialog(MoreRights)"),
    ("operator-dialog-more-rights", R::Button, "Control for 15 minutes", "Ask { minutes: 15 }"),
    ("operator-dialog-more-rights", R::Button, "Control for one hour", "Ask { minutes: 60 }"),
    ("operator-dialog-end", R::Button, "Go on", "Dialog(None)"),
    ("operator-ended", R::Button, "Close tab", "Wish(TabId(1), Close)"),
    ("operator-ended", R::Button, "New number", "Again"),
    ("operator-viewer-chat", R::Button, "End", "Wish(TabId(1), End)"),
];

pub(crate) fn controls_do_what_they_say() {
    let all = scenes::all(Lang::En, Shade::Light);
    for (name, role, label, expected) in CASES {
        let scene = all.iter().find(|scene| scene.name == name).unwrap();
        for by_pointer in [true, false] {
            let window = open(scene);
            let heard = Rc::new(RefCell::new(Vec::new()));
            let told = Rc::clone(&heard);
            wire::wire(&window, move |msg: Msg| told.borrow_mut().push(format!("{msg:?}")));
            let control = find(&window, role, label).unwrap_or_else(|| panic!("{name} lacks {label}"));
            if by_pointer {
                control.mock_single_click(PointerEventButton::Left);
            } else {
                control.invoke_accessible_default_action();
            }
            let heard = heard.borrow();
            assert!(
                heard.len() == 1 && heard[0].contains(expected),
                "{name}: {label} said {heard:?}, {expected} was due"
            );
        }
    }
}
