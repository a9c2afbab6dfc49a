//! The end user's window as a screen reader meets it: over the desktop's real accessibility bus (AT-SPI).
//!
//! Any program of the person's own account reaches that bus, so that what it offers may open nothing (T2).

#![allow(clippy::unwrap_used)]

mod bus;
mod hand;
mod signed;
mod wording;

use std::time::{Duration, Instant};

use hand::{Desk, Mock, PATIENCE, quiet};
use tasuki_peer::programs::consent;
use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::texts::Lang;
use tasuki_protocol::rights::{Capability, Mode};
use tasuki_ui_slint::agent::scenes;
use tokio::runtime::Runtime;
use wording::{ENGLISH, JAPANESE, Words};
use zbus::Connection;
use zbus::connection::Builder;
use zbus::zvariant::{DynamicType, OwnedObjectPath, Type, Value};

const AGENT: &str = env!("CARGO_BIN_EXE_tasuki-agent");
const OPERATOR: &str = env!("CARGO_BIN_EXE_tasuki-operator");
const TAB: u32 = 0xff09;
const RETURN: u32 = 0xff0d;
const SPACE: u32 = 0x20;
const SHIFT: u32 = 0xffe1;
/// AT-SPI's numbers of roles and states (atspi-constants.h).
const LABEL: u32 = 29;
const GROUP: u32 = 39;
const BUTTON: u32 = 43;
const ENTRY: u32 = 79;
/// Of a box that is ticked and of a switch that is on.
const ON: u64 = 1 << 4 | 1 << 20;
const FOCUSED: u64 = 1 << 12;
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
            return window.line(ASLEEP).as_deref() == Some("by hand");
        }
        desk.key(TAB);
        // A reader hears of it later than the window: a second Tab too soon goes past Allow.
        until("a Tab", || reader.focused().is_some_and(|now| now.path != focused.path));
        false
    });
}

/// What a screen reader is told of one thing in a window.
#[derive(Debug, Clone)]
struct Node {
    program: String,
    path: OwnedObjectPath,
    name: String,
    description: String,
    role: u32,
    states: u64,
}

impl Node {
    fn is(&self, role: u32, name: &str) -> bool {
        self.role == role && self.name == name
    }
}

/// As AT-SPI sends it: itself, its program, its parent, its place and its children's number, interfaces, name,
/// role, description, states.
type Cached = (Place, Place, Place, i32, i32, Vec<String>, String, u32, String, Vec<u32>);
type Place = (String, OwnedObjectPath);

struct Reader {
    runtime: Runtime,
    bus: Connection,
}

impl Reader {
    /// Says on the session's bus that there is one, as all do; only then do programs describe their windows.
    fn listen(session: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let bus = runtime.block_on(async {
            let session = Builder::address(session).unwrap().build().await.unwrap();
            let (name, path) = (Some("org.a11y.Bus"), "/org/a11y/bus");
            let wanted = ("org.a11y.Status", "IsEnabled", Value::from(true));
            let properties = Some("org.freedesktop.DBus.Properties");
            session.call_method(name, path, properties, "Set", &wanted).await.expect("at-spi2-core");
            let told = session.call_method(name, path, name, "GetAddress", &()).await.unwrap();
            let address: String = told.body().deserialize().unwrap();
            Builder::address(address.as_str()).unwrap().build().await.unwrap()
        });
        Self { runtime, bus }
    }

    fn ask<A, T>(
        &self,
        (program, path): (&str, &str),
        interface: &str,
        method: &str,
        with: &A,
    ) -> zbus::Result<T>
    where
        A: serde::Serialize + DynamicType,
        T: for<'a> serde::Deserialize<'a> + Type,
    {
        let interface = format!("org.a11y.atspi.{interface}");
        self.runtime.block_on(async {
            let interface = Some(interface.as_str());
            let told = self.bus.call_method(Some(program), path, interface, method, with).await?;
            told.body().deserialize()
        })
    }

    /// All of the window that came last; none while there is none.
    fn nodes(&self) -> Vec<Node> {
        let registry = ("org.a11y.atspi.Registry", "/org/a11y/atspi/accessible/root");
        let programs: zbus::Result<Vec<Place>> = self.ask(registry, "Accessible", "GetChildren", &());
        let Some((program, _)) = programs.unwrap().pop() else { return Vec::new() };
        let cache = (program.as_str(), "/org/a11y/atspi/cache");
        let nodes: zbus::Result<Vec<Cached>> = self.ask(cache, "Cache", "GetItems", &());
        let nodes = nodes.unwrap_or_default().into_iter();
        let words = |states: Vec<u32>| {
            states.iter().rev().fold(0, |states, word| states << 32 | u64::from(*word))
        };
        nodes
            .map(|(itself, _, _, _, _, _, name, role, description, states)| Node {
                program: itself.0,
                path: itself.1,
                name,
                description,
                role,
                states: words(states),
            })
            .collect()
    }

    fn focused(&self) -> Option<Node> {
        self.nodes().into_iter().find(|node| node.states & FOCUSED != 0)
    }

    fn wait_for(&self, role: u32, name: &str) -> Node {
        let find = || self.nodes().into_iter().find(|node| node.is(role, name));
        until_some(name, find, || format!("{:#?}", self.nodes()))
    }

    fn wait_for_focus(&self, role: u32, name: &str) -> Node {
        let find = || self.focused().filter(|node| node.is(role, name));
        until_some(&format!("the focus on {name}"), find, || format!("{:?}", self.focused()))
    }

    /// The one action that everything has that can be pressed.
    fn press(&self, node: &Node) {
        let done: zbus::Result<bool> = self.ask(node.place(), "Action", "DoAction", &(0i32));
        assert!(done.unwrap(), "{} takes no action", node.name);
    }

    fn give_focus(&self, node: &Node) {
        let _: zbus::Result<bool> = self.ask(node.place(), "Component", "GrabFocus", &());
    }

    fn text(&self, node: &Node) -> String {
        self.ask(node.place(), "Text", "GetText", &(0i32, -1i32)).unwrap()
    }

    /// On the screen.
    fn place(&self, node: &Node) -> (i32, i32, i32, i32) {
        let ((left, top, width, height),) =
            self.ask(node.place(), "Component", "GetExtents", &(0u32)).unwrap();
        (left, top, width, height)
    }

    fn inject_click(&self, x: i32, y: i32) {
        let path = "/org/a11y/atspi/registry/deviceeventcontroller";
        let with = (x, y, "b1c");
        let registry = ("org.a11y.atspi.Registry", path);
        self.ask::<_, ()>(registry, "DeviceEventController", "GenerateMouseEvent", &with).unwrap();
    }
}

impl Node {
    fn place(&self) -> (&str, &str) {
        (&self.program, self.path.as_str())
    }
}

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    until_some(what, || condition().then_some(()), String::new);
}

fn until_some<T>(what: &str, mut find: impl FnMut() -> Option<T>, say: impl Fn() -> String) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: {}", say());
        std::thread::sleep(Duration::from_millis(50));
    }
}
