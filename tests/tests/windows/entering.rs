//! Through the sign-in page: a new computer, a second proof, a locked account.

use std::{
    fs,
    path::Path,
    thread::sleep,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tasuki_peer::shell::{fault::Fault, texts::Lang};
use tasuki_tests::{
    desktop::{Desktop, Reader, role},
    running::until,
    stack::{House, OperatorWindow},
};
use totp_rs::{Builder, Secret};

pub(super) const NAME: &str = "hanako";
const BETTER: &str = "better horse, worse battery";
const LOCKED: &str = "This account is locked after three failed sign-ins. It opens again in ";
/// In which the same digits count once.
const STEP_S: u64 = 30;

/// Of the organisation: everybody shows a second proof, and says why he opens a session.
pub(super) fn be_strict(house: &mut House) {
    house.set(&["second_factor=required"]).unwrap();
    let file = house.folder().join("policy.toml");
    fs::write(&file, "[default]\nreason = \"required\"\n").unwrap();
    house.administrate(&["policy", "set", &file.display().to_string(), "--yes"]).unwrap();
}

/// S62, S63: the organisation's server is named; the computer is new, needs its code and then an administrator; the
/// authenticator is set up. Gives its key.
pub(super) fn at_a_new_computer(house: &House, window: &OperatorWindow<'_>, reader: &Reader) -> String {
    let says = |words: &str| reader.wait_for(role::LABEL, words).unwrap().name;
    let [_, password, _] = house.secrets();
    says(&format!("Server 127.0.0.1:{}", house.port()));
    says("Example Help");
    for line in [NAME, password] {
        enter(window, line);
    }
    says("This computer is new here. Enter the code");
    let code = house.administrate(&["operator", "code", NAME]).unwrap();
    enter(window, code["enrolment"].as_str().unwrap());
    says("This computer is new here. Read these words to your administrator");
    let words = find(reader, "the words", |name| {
        name.split(' ').count() > 2 && name.chars().all(|c| c.is_ascii_lowercase() || " -".contains(c))
    });
    reader.press(role::BUTTON, "Sign in").unwrap();
    says("This computer is new here. Read these words to your administrator");
    house.administrate(&["device", "approve", NAME, "--words", &words]).unwrap();
    reader.press(role::BUTTON, "Sign in").unwrap();

    says("Your organisation asks for a second proof.");
    let key = find(reader, "the key", |name| {
        name.len() > 18 && name.split(' ').all(|group| group.len() <= 4 && is_base32(group))
    });
    enter(window, &digits(&key, 0));
    says("Choose what you need");
    key
}

/// S64: the sentence is of the server, which tells a known computer how long it lasts; whom an administrator lets in
/// earlier gets in by the same page, with his second proof.
pub(super) fn after_three_wrong_passwords(
    house: &House,
    window: &OperatorWindow<'_>,
    reader: &Reader,
    key: &str,
) {
    let says = |words: &str| reader.wait_for(role::LABEL, words).unwrap().name;
    reader.press(role::TAB, "Sign out").unwrap();
    says("Remote support: sign in as an operator");
    // His name stands there from before, and the password has the keys.
    enter(window, "not the password of anybody");
    says("Name and password do not fit.");
    // It is empty, and has the keys again.
    enter(window, "nor is this");
    says(&Fault::WrongPassword.sentence(Lang::En));
    reader.wait_for(role::ENTRY, "One-time code for this device").unwrap();
    // By his own hand until it is locked: what he typed while the field was being emptied may be gone from it.
    let is_locked = |_| {
        reader.focus(role::PASSWORD, "Password").unwrap();
        window.key("ctrl+a").unwrap();
        enter(window, "nor is that");
        (0..50).any(|_| {
            sleep(Duration::from_millis(200));
            reader.find(role::LABEL, LOCKED).unwrap().is_some()
        })
    };
    assert!((0..4).any(is_locked), "locked: {:?}", reader.names(role::LABEL));
    let until_when = says(LOCKED);
    let minutes = until_when.trim_start_matches(LOCKED).split(':').next().map(str::parse::<u64>);
    assert!(matches!(minutes, Some(Ok(13..=15))), "{until_when}");
    until("the time to run down", || {
        let now = reader.find(role::LABEL, LOCKED)?;
        Ok(now.is_some_and(|now| now.name != until_when).then_some(()))
    })
    .unwrap();

    house.administrate(&["operator", "unlock", NAME]).unwrap();
    reader.focus(role::PASSWORD, "Password").unwrap();
    window.key("ctrl+a").unwrap();
    let [_, password, _] = house.secrets();
    enter(window, password);
    reader.wait_for(role::ENTRY, "Six digits of your authenticator").unwrap();
    enter(window, &digits(key, STEP_S));
    says("Choose what you need");
}

/// S62: in the settings, by keys; what is wrong is told there.
pub(super) fn another_password(house: &House, window: &OperatorWindow<'_>, reader: &Reader) {
    let [_, password, _] = house.secrets();
    let change = |old: &str, says: &str| {
        reader.press(role::TAB, "Settings").unwrap();
        reader.press(role::BUTTON, "Change the password").unwrap();
        reader.wait_for(role::PASSWORD, "The new password once more").unwrap();
        for line in [old, BETTER, BETTER] {
            enter(window, line);
        }
        reader.wait_for(role::LABEL, says).unwrap();
    };
    change(password, "Your password is changed.");
    change(password, "It does not fit.");
    window.key("Escape").unwrap();
}

/// S62: of who signed out the program remembers the name and the server, and no more.
pub(super) fn is_known_by_name_when_it_starts_again(
    house: &House,
    window: OperatorWindow<'_>,
    (operator, profile): (&Desktop, &Path),
    reader: &Reader,
) {
    reader.press(role::TAB, "Sign out").unwrap();
    reader.wait_for(role::LABEL, "Remote support: sign in as an operator").unwrap();
    drop(window);
    let window = OperatorWindow::open_anew(house, operator, profile, reader).unwrap();
    reader.wait_for(role::LABEL, &format!("Server 127.0.0.1:{}", house.port())).unwrap();
    assert_eq!(reader.text(role::ENTRY).unwrap(), NAME);
    assert_eq!(reader.text(role::PASSWORD).unwrap(), "");
    // So the keys are at what is still to be typed.
    enter(&window, BETTER);
    reader.wait_for(role::ENTRY, "Six digits of your authenticator").unwrap();
}

pub(super) fn enter(window: &OperatorWindow<'_>, line: &str) {
    window.type_text(line).unwrap();
    window.key("Return").unwrap();
}

fn find(reader: &Reader, what: &str, is_it: impl Fn(&str) -> bool) -> String {
    until(what, || Ok(reader.names(role::LABEL).into_iter().find(|name| is_it(name)))).unwrap()
}

fn is_base32(group: &str) -> bool {
    group.chars().all(|c| matches!(c, 'A'..='Z' | '2'..='7'))
}

/// What an authenticator shows so many seconds from now.
fn digits(key: &str, later: u64) -> String {
    let secret = Secret::try_from_base32(key.replace(' ', "")).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    Builder::new().with_secret(secret).build_noncompliant().generate(now + later).to_string()
}
