//! What the operator writes is sent; what he chooses for good holds, is shown, and is kept.

use std::cell::RefCell;
use std::rc::Rc;

use i_slint_backend_testing::AccessibleRole;
use slint::ComponentHandle;
use tasuki_ui_slint::look::Shade;
use tasuki_ui_slint::operator::preferences::{Grab, Keyboard, Language, Preferences};
use tasuki_ui_slint::operator::update::{Effect, Msg, update};
use tasuki_ui_slint::operator::{mock, scenes, wire};
use tasuki_ui_slint::windows::OperatorWindow;

use crate::{find, open, scene};

/// A window and its model, as the program joins them; what is to be done is collected.
type Running = (OperatorWindow, Rc<RefCell<scenes::Scene>>, Rc<RefCell<Vec<Effect>>>);

fn running(name: &str) -> Running {
    let (scene, done) = (Rc::new(RefCell::new(scene(name))), Rc::new(RefCell::new(Vec::new())));
    let window = open(&scene.borrow());
    let (told, effects, shown) = (Rc::clone(&scene), Rc::clone(&done), window.as_weak());
    wire::wire(&window, move |msg: Msg| {
        let mut scene = told.borrow_mut();
        effects.borrow_mut().extend(update(&mut scene.model, msg));
        mock::show(&scene, &shown.upgrade().unwrap());
    });
    (window, scene, done)
}

pub(crate) fn what_is_chosen_in_the_settings_holds_is_shown_and_is_kept() {
    use AccessibleRole as R;
    type Holds = fn(&Preferences) -> bool;
    let choices: [(R, &str, Holds); 6] = [
        (R::RadioButton, "As the desktop", |chosen| chosen.language == Language::System),
        (R::RadioButton, "English", |chosen| chosen.language == Language::English),
        (R::RadioButton, "日本語", |chosen| chosen.language == Language::Japanese),
        (R::RadioButton, "As the desktop has it", |chosen| chosen.shade == Shade::Desktop),
        (R::RadioButton, "Light", |chosen| chosen.shade == Shade::Light),
        (R::RadioButton, "Dark", |chosen| chosen.shade == Shade::Dark),
    ];
    let switches: [(R, &str, Holds); 2] = [
        (R::Switch, "Send letters", |chosen| chosen.keyboard == Keyboard::Letters),
        (R::Switch, "Send desktop shortcuts", |chosen| chosen.grab == Grab::All),
    ];
    for (role, label, holds) in choices.into_iter().chain(switches) {
        let (window, scene, done) = running("operator-settings");
        let control = find(&window, role, label).unwrap();
        for round in 0..2 {
            let before = holds(&scene.borrow().model.preferences);
            control.invoke_accessible_default_action();
            let chosen = scene.borrow().model.preferences.clone();
            // A choice stays, a switch goes to and fro.
            assert_eq!(holds(&chosen), role != R::Switch || !before, "{label} {round}");
            assert_eq!(control.accessible_checked(), Some(holds(&chosen)), "{label} {round}");
            let kept = done.take();
            assert!(matches!(kept.as_slice(), [Effect::Keep(kept)] if *kept == chosen), "{label}");
        }
    }
}

/// With letters no key comes past the window manager: what could not hold is not offered.
pub(crate) fn s2_desktop_shortcuts_are_offered_only_where_they_can_go() {
    let (window, scene, done) = running("operator-settings");
    let switch = |label| find(&window, AccessibleRole::Switch, label).unwrap();
    switch("Send letters").invoke_accessible_default_action();
    let shortcuts = switch("Send desktop shortcuts");
    let stands = (shortcuts.accessible_enabled(), shortcuts.accessible_checked());
    assert_eq!(stands, (Some(false), Some(false)));
    let why = shortcuts.accessible_description().unwrap_or_default();
    assert!(why.contains("Not while letters are sent"), "{why}");
    done.take();
    shortcuts.invoke_accessible_default_action();
    assert!(done.take().is_empty() && scene.borrow().model.preferences.grab == Grab::All);
    switch("Send letters").invoke_accessible_default_action();
    let stands = (shortcuts.accessible_enabled(), shortcuts.accessible_checked());
    assert_eq!(stands, (Some(true), Some(true)), "as it was chosen before");
}

pub(crate) fn the_history_is_forgotten_only_when_that_is_said_twice() {
    let (window, scene, done) = running("operator-history");
    let press = |label| {
        find(&window, AccessibleRole::Button, label).unwrap().invoke_accessible_default_action();
    };
    press("Forget all");
    assert!(done.borrow().is_empty() && scene.borrow().model.history.len() > 3);
    press("Really forget all");
    assert!(matches!(done.borrow().as_slice(), [Effect::KeepHistory(left)] if left.is_empty()));
    assert!(find(&window, AccessibleRole::ListItem, "Reception A").is_none());
    assert!(find(&window, AccessibleRole::Text, "There are no sessions yet").is_some());
    assert!(find(&window, AccessibleRole::Button, "orget all").is_none(), "nothing is left to forget");
}

/// Fills a field, presses a button; what that said.
fn written(name: &str, field: &str, text: &str, button: &str) -> Vec<String> {
    let window = open(&scene(name));
    let heard = Rc::new(RefCell::new(Vec::new()));
    let told = Rc::clone(&heard);
    wire::wire(&window, move |msg: Msg| told.borrow_mut().push(format!("{msg:?}")));
    let press = || {
        let button = find(&window, AccessibleRole::Button, button).unwrap();
        let enabled = button.accessible_enabled();
        button.invoke_accessible_default_action();
        enabled
    };
    assert_eq!(press(), Some(false), "{name}: {button} waits for {field}");
    let written = find(&window, AccessibleRole::TextInput, field).unwrap();
    written.set_accessible_value(text);
    assert_eq!(press(), Some(true), "{name}: {button}");
    heard.take()
}

pub(crate) fn what_is_written_is_sent() {
    let said = written("operator-home-reason", "your organisation asks", " printer ", "New session");
    assert_eq!(said.len(), 1, "once: {said:?}");
    assert!(said[0].contains("OpenChosen") && said[0].contains("reason: \"printer\""), "{said:?}");
    let said = written("operator-dialog-type-text", "Text", "hello", "Type it");
    assert!(said.len() == 1 && said[0].contains("TypeText(\"hello\")"), "{said:?}");
    let said = written("operator-settings", "Pictures of the customer", "/srv/pictures", "Use this");
    assert_eq!(said, ["ChooseFolder(\"/srv/pictures\")"]);
}
