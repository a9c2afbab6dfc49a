//! Where the keys go, and what is said, while an operator signs in.

use tasuki_ui_slint::operator::{password, wire};

use super::*;

/// What stands in the field after one letter was typed blindly.
fn typed(window: &OperatorWindow, field: &str) -> String {
    // What appeared is made, and what follows from it is done.
    let _ = window.window().take_snapshot().unwrap();
    i_slint_backend_testing::mock_elapsed_time(std::time::Duration::from_millis(20));
    window.window().dispatch_event(WindowEvent::KeyPressed { text: "q".into() });
    window.window().dispatch_event(WindowEvent::KeyReleased { text: "q".into() });
    let field = find(window, AccessibleRole::TextInput, field).unwrap();
    field.accessible_value().unwrap_or_default().to_string()
}

pub(crate) fn the_keys_go_where_the_next_word_is_due() {
    let active = |scene: &scenes::Scene| {
        let window = open(scene);
        window.window().dispatch_event(WindowEvent::WindowActiveChanged(true));
        window
    };
    let window = active(&scene("operator-viewer"));
    find(&window, AccessibleRole::Button, "Chat").unwrap().invoke_accessible_default_action();
    assert_eq!(typed(&window, "Write a message"), "q");

    let window = active(&scene("operator-not-set-up"));
    let mut entrance = scene("operator-sign-in");
    let Door::Out(page) = &mut entrance.model.door else { panic!("nobody is signed in") };
    page.user.clear();
    mock::show(&entrance, &window);
    assert_eq!(typed(&window, "User name"), "q", "the first that is empty");

    let window = active(&scene("operator-sign-in"));
    for wrong in ["operator-sign-in-busy", "operator-sign-in-wrong"] {
        mock::show(&scene(wrong), &window);
    }
    assert_eq!(typed(&window, "Password").chars().count(), 1, "what is to be mended, and empty");

    let window = active(&scene("operator-sign-in"));
    let code = "Six digits";
    mock::show(&scene("operator-sign-in-totp"), &window);
    assert_eq!(typed(&window, code), "q", "what is asked for now");
}

pub(crate) fn one_sentence_says_that_this_computer_is_new() {
    let mut pending = scene("operator-sign-in-device-pending");
    let Door::Out(page) = &mut pending.model.door else { panic!("nobody is signed in") };
    page.asks = Asks::Enrolment;
    let window = open(&pending);
    let said = ElementQuery::from_root(&window)
        .match_descendants()
        .match_accessible_role(AccessibleRole::Text)
        .match_predicate(|e| e.accessible_label().is_some_and(|label| label.contains("is new here")))
        .find_all();
    let words: std::collections::BTreeSet<_> =
        said.iter().filter_map(ElementHandle::accessible_label).collect();
    assert_eq!(words.len(), 1, "{words:?}");
}

/// A click that was meant for one field lands in no other, whatever the server answers meanwhile.
pub(crate) fn nothing_moves_under_the_pointer_while_one_signs_in() {
    let told = [
        "operator-sign-in",
        "operator-sign-in-missing",
        "operator-sign-in-busy",
        "operator-sign-in-wrong",
        "operator-sign-in-over",
        "operator-sign-in-hours",
        "operator-sign-in-locked",
        "operator-sign-in-device-pending",
    ];
    let labels = [
        (Lang::En, ["User name", "Password", "Sign"]),
        (Lang::Ja, ["ユーザー名", "パスワード", "サインイン"]),
    ];
    let sizes = [(1280.0, 800.0), (760.0, 520.0)];
    for (size, (lang, labels)) in sizes.into_iter().flat_map(|size| labels.map(|of| (size, of))) {
        let mut first = None;
        let all = scenes::all(lang, Shade::Light);
        for name in told {
            let window = open(all.iter().find(|scene| scene.name == name).unwrap());
            window.window().set_size(LogicalSize::new(size.0, size.1));
            let _ = window.window().take_snapshot().unwrap();
            let of = |role, label: &str| {
                let control = find(&window, role, label).unwrap_or_else(|| panic!("{name}: {label}"));
                (control.absolute_position().y, control.absolute_position().y + control.size().height)
            };
            let [user, password, sign] = labels;
            let places = [of(R::TextInput, user), of(R::TextInput, password), of(R::Button, sign)];
            assert!(places[2].1 < size.1, "{name}: the button is seen at {size:?}: {places:?}");
            assert_eq!(*first.get_or_insert(places), places, "{lang:?}: {name} at {size:?}");
        }
    }
}

/// Somebody comes, or mistypes the number, while it is read out or about to be copied; and a mode is chosen.
pub(crate) fn nothing_moves_under_the_pointer_before_a_session() {
    let number = ["operator-waiting", "operator-wrong-number", "operator-at-the-door"];
    let home = ["operator-settings-aside", "operator-home", "operator-home-reason"];
    let copy = [(R::Button, "Copy number"), (R::Button, "Copy link")];
    let begin = [(R::TextInput, "Ticket (optional)"), (R::Button, "New session")];
    let (large, small) = ((1280.0, 800.0), (960.0, 640.0));
    for (size, names, controls) in [(large, number, copy), (small, number, copy), (large, home, begin)]
    {
        let mut first = None;
        for name in names {
            let window = open(&scene(name));
            window.window().set_size(LogicalSize::new(size.0, size.1));
            let _ = window.window().take_snapshot().unwrap();
            let places = controls.map(|(role, label)| {
                let control = find(&window, role, label).unwrap_or_else(|| panic!("{name}: {label}"));
                let (at, size) = (control.absolute_position(), control.size());
                (at.x, at.y, size.width, size.height)
            });
            assert_eq!(*first.get_or_insert(places), places, "{name} at {size:?}");
        }
    }
}

/// What is wrong with a field is told no longer once somebody writes in it.
pub(crate) fn what_is_written_into_a_field_is_told() {
    let heard = Rc::new(RefCell::new(Vec::new()));
    let window = open(&scene("operator-sign-in-missing"));
    let told = Rc::clone(&heard);
    wire::wire(&window, move |msg| told.borrow_mut().push(format!("{msg:?}")));
    window.window().dispatch_event(WindowEvent::WindowActiveChanged(true));
    assert!(!typed(&window, "Password").is_empty());
    assert_eq!(*heard.borrow(), ["Typed(Password)"]);
}

/// And what is to be mended has the keys, and is empty.
pub(crate) fn a_password_is_changed_by_keys_alone() {
    let heard = Rc::new(RefCell::new(Vec::new()));
    let window = open(&scene("operator-dialog-password"));
    let told = Rc::clone(&heard);
    wire::wire(&window, move |msg| {
        if let Msg::Password(password::Msg::Submit { old, new, again }) = msg {
            told.borrow_mut().push([old, new, again].map(|secret| secret.0.to_string()));
        }
    });
    window.window().dispatch_event(WindowEvent::WindowActiveChanged(true));
    let keys = |text: &str| {
        let _ = window.window().take_snapshot().unwrap();
        i_slint_backend_testing::mock_elapsed_time(std::time::Duration::from_millis(20));
        for key in text.chars() {
            window.window().dispatch_event(WindowEvent::KeyPressed { text: key.into() });
            window.window().dispatch_event(WindowEvent::KeyReleased { text: key.into() });
        }
    };
    keys("old\nnew\nnew\n");
    assert_eq!(heard.take(), [["old", "new", "new"]]);
    mock::show(&scene("operator-dialog-password-wrong"), &window);
    keys("now\n\n\n");
    assert_eq!(heard.take(), [["now", "new", "new"]]);
    mock::show(&scene("operator-dialog-password"), &window);
    mock::show(&scene("operator-dialog-password-unusable"), &window);
    keys("longer\nlonger\n");
    assert_eq!(heard.take(), [["now", "longer", "longer"]]);
}

/// In a window of the usual size: nobody learns half of what is wrong.
pub(crate) fn whatever_is_told_while_one_signs_in_is_seen_or_seen_to_go_on() {
    let troubles = [
        Trouble::Failed(Fault::WrongPassword),
        Trouble::Failed(Fault::StrangeVersion),
        Trouble::SignInOver,
        Trouble::Failed(Fault::HoursOver {
            opens: "2026-11-26 09:00".to_owned(),
            zone: "America/Argentina/ComodRivadavia".to_owned(),
        }),
        Trouble::Locked { until: u64::MAX },
        Trouble::DevicePending { words: "canoe amber tiger lemon river stone".to_owned() },
    ];
    for lang in [Lang::En, Lang::Ja] {
        let mut all = scenes::all(lang, Shade::Light).into_iter();
        let mut page = all.find(|scene| scene.name == "operator-sign-in-authenticator").unwrap();
        for asks in [Asks::Password, Asks::Enrolment, Asks::Totp, Asks::TotpSetup] {
            for trouble in &troubles {
                let Door::Out(entrance) = &mut page.model.door else { panic!("somebody is in") };
                (entrance.asks, entrance.trouble) = (asks, Some(trouble.clone()));
                let window = open(&page);
                let _ = window.window().take_snapshot().unwrap();
                let of = |kind: &str| {
                    let all = ElementQuery::from_root(&window).match_descendants();
                    all.match_inherits(kind.to_owned()).find_first()
                };
                let card = of("Card").expect("there is a card");
                let bottom = card.absolute_position().y + card.size().height;
                let what = format!("{lang:?} {asks:?} {trouble:?}: it ends at {bottom}");
                assert_eq!(of("Fade").is_some(), bottom > 788.0, "{what}");
                let needs_more = asks == Asks::TotpSetup;
                assert!(bottom <= 800.0 || needs_more, "{what}");
            }
        }
    }
}
