//! Before mode Manage the window asks once more who sits at it: by the keyboard alone, and by label and role.

use slint::platform::Key;

use super::*;
use tasuki_ui_slint::operator::wire;

fn press(window: &OperatorWindow, key: slint::SharedString) {
    window.window().dispatch_event(WindowEvent::KeyPressed { text: key.clone() });
    window.window().dispatch_event(WindowEvent::KeyReleased { text: key });
    let _ = window.window().take_snapshot().unwrap();
    i_slint_backend_testing::mock_elapsed_time(std::time::Duration::from_millis(20));
}

fn said(name: &str, keys: &[slint::SharedString]) -> Vec<String> {
    let window = open(&scene(name));
    let heard = Rc::new(RefCell::new(Vec::new()));
    let told = Rc::clone(&heard);
    wire::wire(&window, move |msg: Msg| told.borrow_mut().push(format!("{msg:?}")));
    window.window().dispatch_event(WindowEvent::WindowActiveChanged(true));
    let _ = window.window().take_snapshot().unwrap();
    keys.iter().for_each(|key| press(&window, key.clone()));
    heard.take()
}

pub(crate) fn s1_the_second_look_before_manage_is_asked_and_answered_in_the_window() {
    let enter = || slint::SharedString::from(Key::Return);
    assert_eq!(
        said("operator-dialog-second-look", &["q".into(), enter()]),
        ["Wish(TabId(1), SecondLook(This(Secret(..))))"],
        "the keys are at the field from the first"
    );
    assert!(said("operator-dialog-second-look", &[enter()]).is_empty(), "nothing was typed");
    assert_eq!(
        said("operator-dialog-second-look", &[Key::Escape.into()]),
        ["Wish(TabId(1), Dialog(None))"]
    );
    for (name, switch, to) in [
        ("operator-dialog-second-look", "digits of an authenticator", "Digits"),
        ("operator-dialog-second-look-digits", "Use the password", "Password"),
    ] {
        let window = open(&scene(name));
        let heard = Rc::new(RefCell::new(Vec::new()));
        let told = Rc::clone(&heard);
        wire::wire(&window, move |msg: Msg| told.borrow_mut().push(format!("{msg:?}")));
        let confirm = find(&window, R::Button, "Confirm").unwrap();
        assert_eq!(confirm.accessible_enabled(), Some(false), "{name}: nothing was typed");
        find(&window, R::Button, switch).unwrap().mock_single_click(PointerEventButton::Left);
        assert_eq!(heard.take(), [format!("Wish(TabId(1), SecondLook(By({to})))")]);
        let field = if to == "Digits" { "Password" } else { "Six digits" };
        find(&window, R::TextInput, field).unwrap().set_accessible_value("123456");
        confirm.invoke_accessible_default_action();
        assert_eq!(heard.take(), ["Wish(TabId(1), SecondLook(This(Secret(..))))"]);
    }
    for lang in [Lang::En, Lang::Ja] {
        let all = scenes::all(lang, Shade::Light);
        let told = |name: &str, en: &str, ja: &str| {
            let scene = all.iter().find(|scene| scene.name == name).unwrap();
            let words = if lang == Lang::En { en } else { ja };
            assert!(find(&open(scene), R::Text, words).is_some(), "{name} lacks {words}");
        };
        told("operator-dialog-second-look-wrong", "password does not fit", "パスワードが違います");
        told("operator-dialog-second-look-digits", "were used already", "使用済み");
        told("operator-not-confirmed", "No number was given out", "番号は出していません");
    }
    let put_off = open(&scene("operator-not-confirmed"));
    assert!(find(&put_off, R::Text, "tasuki confirm").is_none(), "no terminal is needed");
    assert!(find(&put_off, R::Button, "New number").is_some());
}
