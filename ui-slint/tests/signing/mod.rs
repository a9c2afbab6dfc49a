//! Where the keys go, and what is said, while an operator signs in.

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
