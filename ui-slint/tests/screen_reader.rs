//! The end user's window as a screen reader meets it: over the desktop's real accessibility bus (AT-SPI).
//!
//! Any program of the person's own account reaches that bus, so that what it offers may open nothing (T2).

#![allow(clippy::unwrap_used)]

mod bus;
mod hand;
mod reader;
mod signed;
mod wording;

use std::time::Duration;

use hand::{Desk, Mock, PATIENCE, quiet};
use reader::{BUTTON, ENTRY, GROUP, LABEL, ON, Reader, until, until_some};
use tasuki_peer::programs::consent;
use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::texts::Lang;
use tasuki_protocol::rights::{Capability, Mode};
use tasuki_ui_slint::agent::scenes;
use tasuki_ui_slint::operator::preferences::{self, Preferences};
use wording::{ENGLISH, JAPANESE, Words};

const AGENT: &str = env!("CARGO_BIN_EXE_tasuki-agent");
const OPERATOR: &str = env!("CARGO_BIN_EXE_tasuki-operator");
const TAB: u32 = 0xff09;
const RETURN: u32 = 0xff0d;
const SPACE: u32 = 0x20;
const SHIFT: u32 = 0xffe1;
/// Longer than a press that this computer did not make keeps Allow asleep.
const ASLEEP: Duration = Duration::from_millis(1300);

#[test]
fn s100_t2_a_screen_reader_works_the_window_over_the_real_bus_and_nobody_else_consents_there() {
    let mut desk = Desk::start();
    let home = tempfile::tempdir().unwrap();
    let (_daemon, session) = bus::start(home.path(), &desk.display);
    let reader = Reader::listen(&session);
    let display = desk.display.clone();
    let open = |words: &Words, state| {
        let mut program = quiet(AGENT, &display);
        program.env("DBUS_SESSION_BUS_ADDRESS", &session);
        Mock::start_in(words.lang.0, program, state)
    };

    for words in [ENGLISH, JAPANESE] {
        let window = open(&words, "agent-consent-view");
        reader.wait_for_focus(BUTTON, words.refuse);
        let sentence = consent::asks(Mode::View).say(words.lang.1);
        assert!(reader.nodes().iter().any(|node| node.is(LABEL, sentence)), "{sentence}");
        assert!(reader.nodes().iter().all(|node| node.role != BUTTON || !node.name.is_empty()));
        reader.press(&reader.wait_for(BUTTON, words.allow));
        reader.press(&reader.wait_for(BUTTON, words.refuse));
        assert_eq!(window.line(PATIENCE).as_deref(), Some("refuse"), "and not a word of Allow");
    }
    for words in [ENGLISH, JAPANESE] {
        let _window = open(&words, "agent-consent-manage");
        the_whole_question_is_told(&reader, &words);
    }
    types_the_number(&mut desk, &reader, &open(&JAPANESE, "agent-number"), &JAPANESE);
    for state in ["agent-consent-view", "agent-live-more-rights"] {
        let window = open(&ENGLISH, state);
        a_focus_for_allow_is_refuses(&mut desk, &reader, &window);
    }
    let window = open(&ENGLISH, "agent-consent-control");
    a_switch_that_was_brought_the_focus_stays_off(&mut desk, &reader, &window);
    let window = open(&ENGLISH, "agent-consent-view");
    nobody_else_consents(&mut desk, &reader, &window);
    let window = open(&ENGLISH, "agent-live-more-rights");
    reader.wait_for_focus(BUTTON, ENGLISH.refuse);
    reader.press(&reader.wait_for(BUTTON, ENGLISH.allow));
    reader.press(&reader.wait_for(BUTTON, ENGLISH.refuse));
    assert_eq!(window.line(PATIENCE).as_deref(), Some("refuse"), "and not a word of Allow");
    reader.press(&reader.wait_for(BUTTON, ENGLISH.end));
    assert_eq!(window.line(PATIENCE).as_deref(), Some("end"));
}

/// What was signed may be of long ago, and the server of now says nothing of use; and what lies in the profile may be
/// no settings at all.
#[test]
fn t70_an_expired_bundle_and_damaged_files_are_told_by_both_programs_and_a_good_one_leads_on() {
    let mut desk = Desk::start();
    let home = tempfile::tempdir().unwrap();
    let (_daemon, session) = bus::start(home.path(), &desk.display);
    let reader = Reader::listen(&session);
    for (program, field, again, damaged) in [
        (
            AGENT,
            ENGLISH.number,
            "Try again",
            ["settings.toml", "agent-window.toml", "organisations.toml"],
        ),
        (OPERATOR, "User name", "Sign in", ["settings.toml", "operator-window.json", "settings.toml"]),
    ] {
        let profile = tempfile::tempdir().unwrap();
        damaged.iter().for_each(|file| std::fs::write(profile.path().join(file), "{[").unwrap());
        let file = profile.path().join("tenant.json");
        std::fs::write(&file, signed::bundle_until(1)).unwrap();
        let mut command = quiet(program, &desk.display);
        command.env("DBUS_SESSION_BUS_ADDRESS", &session).args(["--lang", "en", "--profile"]);
        let _window = bus::Running(command.arg(profile.path()).spawn().unwrap());
        let tells = |words: &str| reader.nodes().iter().any(|node| node.name.contains(words));
        damaged.iter().for_each(|file| until(file, || tells(&format!("{file}.damaged-1"))));
        reader.wait_for_focus(ENTRY, field);
        for letter in "482915306126".chars() {
            desk.key(u32::from(letter));
        }
        desk.key(RETURN);
        if program == OPERATOR {
            until("the keys go to the password", || {
                reader.focused().is_some_and(|node| node.name == "Password")
            });
            desk.key(u32::from('x'));
            desk.key(RETURN);
        }
        let expired = Fault::Expired { file: file.clone() }.sentence(Lang::En);
        until(&expired, || tells(&expired));
        std::fs::write(&file, signed::bundle_until(u64::MAX)).unwrap();
        reader.press(&reader.wait_for(BUTTON, again));
        until("the server is asked, which is not there", || tells("localhost:1") && !tells(&expired));
    }
}

/// As on a full disk, or in a folder that is another's by now.
#[test]
fn s97_a_choice_that_cannot_be_kept_is_told_with_its_file_and_holds_meanwhile() {
    let desk = Desk::start();
    let home = tempfile::tempdir().unwrap();
    let (_daemon, session) = bus::start(home.path(), &desk.display);
    let reader = Reader::listen(&session);
    for (program, other, file) in
        [(AGENT, "日本語", "agent-window.toml"), (OPERATOR, "日本語", "operator-window.json")]
    {
        let profile = home.path().join(file).with_extension("profile");
        std::fs::create_dir(&profile).unwrap();
        std::fs::write(profile.join("tenant.json"), signed::bundle_until(u64::MAX)).unwrap();
        let mut command = quiet(program, &desk.display);
        command.env("DBUS_SESSION_BUS_ADDRESS", &session).args(["--lang", "en", "--profile"]);
        let _window = bus::Running(command.arg(&profile).spawn().unwrap());
        let switch = reader.wait_for(BUTTON, other);
        std::fs::rename(&profile, profile.with_extension("elsewhere")).unwrap();
        std::fs::write(&profile, "no folder").unwrap();
        reader.press(&switch);
        let why = "File exists (os error 17)".to_owned();
        let told = Fault::NotKept { file: profile.join(file), why }.sentence(Lang::Ja);
        until(&told, || reader.nodes().iter().any(|node| node.name.contains(&told)));
    }
}

/// By the file that the program itself has written.
#[test]
fn s62_who_signed_in_last_finds_his_name_again_after_a_restart_and_the_keys_at_the_password() {
    let desk = Desk::start();
    let home = tempfile::tempdir().unwrap();
    let (_daemon, session) = bus::start(home.path(), &desk.display);
    let reader = Reader::listen(&session);
    let profile = tempfile::tempdir().unwrap();
    std::fs::write(profile.path().join("tenant.json"), signed::bundle_until(u64::MAX)).unwrap();
    let open = || {
        let mut command = quiet(OPERATOR, &desk.display);
        command.env("DBUS_SESSION_BUS_ADDRESS", &session).env("LANG", "C.UTF-8").arg("--profile");
        bus::Running(command.arg(profile.path()).spawn().unwrap())
    };
    // As a sign-in of `hanako` leaves it.
    let before = Preferences { user: "hanako".to_owned(), ..Preferences::default() };
    let file = profile.path().join(preferences::FILE);
    std::fs::write(&file, serde_json::to_vec(&before).unwrap()).unwrap();
    let window = open();
    reader.press(&reader.wait_for(BUTTON, "日本語"));
    until("it is kept", || std::fs::read_to_string(&file).is_ok_and(|text| text.contains("japanese")));
    drop(window);
    until("the window is gone", || reader.nodes().is_empty());
    let _window = open();
    until("the keys are at the password", || {
        reader.focused().is_some_and(|node| node.name == "パスワード")
    });
    assert_eq!(reader.text(&reader.wait_for(ENTRY, "ユーザー名")), "hanako");
}

fn types_the_number(desk: &mut Desk, reader: &Reader, _window: &Mock, words: &Words) {
    let field = reader.wait_for_focus(ENTRY, words.number);
    for digit in "482915306126".chars() {
        desk.key(u32::from(digit));
    }
    until("the digits are read out in groups", || reader.text(&field) == "4829 1530 6126");
    reader.press(&reader.wait_for(BUTTON, words.connect));
    reader.wait_for(BUTTON, words.cancel);
}

/// Also what has to be scrolled to, of which a screen reader is told nothing by itself.
fn the_whole_question_is_told(reader: &Reader, words: &Words) {
    reader.wait_for_focus(BUTTON, words.refuse);
    let lang = words.lang.1;
    let rights = scenes::question(Mode::Manage, lang).grantable;
    let question = reader.wait_for(GROUP, consent::asks(Mode::Manage).say(lang));
    let can = consent::can(Mode::Manage, rights).into_iter().map(|(_, line)| line);
    let all = can.chain(consent::cannot(Mode::Manage, rights));
    let all: Vec<String> = all.map(|line| sentence(line.say(lang), lang)).collect();
    for line in &all {
        assert!(question.description.contains(line), "{line}: {}", question.description);
    }
    let asked = scenes::question(Mode::Manage, lang);
    let recorded = consent::recording(&asked).say(lang);
    for who in [&asked.manifest.operator_name, &asked.organisation] {
        assert!(reader.nodes().iter().any(|node| node.is(LABEL, who)), "{who} is seen");
        assert!(question.description.contains(who.as_str()), "{who}: {}", question.description);
    }
    assert!(question.description.contains(recorded), "{}", question.description);
    assert!(question.description.ends_with(words.scam), "{}", question.description);
    let is_seen = |line: &str| reader.nodes().iter().any(|node| node.is(LABEL, line));
    assert!(is_seen(words.scam), "the warning stands beside the buttons");
    assert!(!is_seen(all.last().expect("lines")), "the question is longer than the window");
}

/// A line of the catalogue as the window shows it.
fn sentence(line: &str, lang: Lang) -> String {
    let (first, rest) = line.split_at(line.chars().next().map_or(0, char::len_utf8));
    format!("{}{rest}{}", first.to_uppercase(), if lang == Lang::En { "." } else { "。" })
}

/// The person's next key is meant for Refuse, which had the focus.
fn a_focus_for_allow_is_refuses(desk: &mut Desk, reader: &Reader, window: &Mock) {
    reader.wait_for_focus(BUTTON, ENGLISH.refuse);
    reader.give_focus(&reader.wait_for(BUTTON, ENGLISH.allow));
    std::thread::sleep(ASLEEP);
    reader.wait_for_focus(BUTTON, ENGLISH.refuse);
    desk.key(SPACE);
    assert_eq!(window.line(PATIENCE).as_deref(), Some("refuse"));
}

/// Of what was left out nothing is ticked again by a key that was meant for another place.
fn a_switch_that_was_brought_the_focus_stays_off(desk: &mut Desk, reader: &Reader, window: &Mock) {
    reader.wait_for_focus(BUTTON, ENGLISH.refuse);
    let rights = scenes::question(Mode::Control, Lang::En).grantable;
    let all = consent::can(Mode::Control, rights);
    let chosen = all.iter().find(|(right, _)| *right == Capability::Operate);
    let name = sentence(chosen.expect("he asks to operate").1.say(Lang::En), Lang::En);
    let find = || reader.nodes().into_iter().find(|node| node.role != LABEL && node.name == name);
    let switch = until_some(&name, find, String::new);
    let is_on = || find().is_some_and(|switch| switch.states & ON != 0);
    assert!(is_on());
    reader.press(&switch);
    until("it is left out", || !is_on());
    reader.give_focus(&switch);
    until("it has the focus", || reader.focused().is_some_and(|node| node.name == name));
    desk.key(SPACE);
    assert_eq!(window.line(PATIENCE).as_deref(), Some("not by hand"));
    desk.key(TAB);
    until("the focus is elsewhere", || reader.focused().is_some_and(|node| node.name != name));
    desk.keys_together(&[SHIFT, TAB]);
    until("a hand has come back", || reader.focused().is_some_and(|node| node.name == name));
    assert!(!is_on());
    desk.key(SPACE);
    assert_eq!(window.line(PATIENCE).as_deref(), Some("by hand"));
    until("it is ticked again", is_on);
}

/// Whatever the bus offers: an action, the focus, an injected click. A hand's Tab and space do.
fn nobody_else_consents(desk: &mut Desk, reader: &Reader, window: &Mock) {
    reader.wait_for_focus(BUTTON, ENGLISH.refuse);
    let allow = reader.wait_for(BUTTON, ENGLISH.allow);
    let (left, top, width, height) = reader.place(&allow);
    until("the bus's own click is refused", || {
        reader.inject_click(left + width / 2, top + height / 2);
        window.line(Duration::from_secs(1)).as_deref() == Some("not by hand")
    });

    until("a hand's key to press Allow", || {
        let focused = reader.focused().expect("something has the focus");
        if focused.is(BUTTON, ENGLISH.allow) {
            desk.key(SPACE);
            // What is still told of a click from before is no answer to this key.
            return std::iter::from_fn(|| window.line(ASLEEP)).any(|line| line == "by hand");
        }
        desk.key(TAB);
        // A reader hears of it later than the window: a second Tab too soon goes past Allow.
        until("a Tab", || reader.focused().is_some_and(|now| now.path != focused.path));
        false
    });
}
