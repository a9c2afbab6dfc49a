//! What a viewer's hand does arrives in real programs, and is told from a human's.

mod desktop;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use desktop::{Client, Desktop, until};
use tasuki_media::input::{InjectError, Injector};
use tasuki_media::x11::{Deed, Doer, Echo, LocalInput, Touched, Witness, X11Injector};
use tasuki_protocol::input::{InputEvent, KeyAction, PhysicalKey, PointerButton};
use tasuki_protocol::screen::MonitorId;
use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{ConnectionExt as _, KeyButMask};

const A_WHILE: Duration = Duration::from_millis(500);

fn open(desktop: &Desktop) -> X11Injector {
    X11Injector::open(Some(&desktop.display)).expect("an injector")
}

fn key(usage: u16, action: KeyAction) -> InputEvent {
    InputEvent::Key { key: PhysicalKey(usage), action }
}

fn stroke(injector: &mut X11Injector, usage: u16) {
    injector.inject(&key(usage, KeyAction::Press)).expect("pressed");
    injector.inject(&key(usage, KeyAction::Release)).expect("released");
}

fn text(injector: &mut X11Injector, text: &str) {
    injector.inject(&InputEvent::Text(text.to_owned())).expect("typed");
}

fn file(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("typed")
}

#[test]
fn keys_by_place_and_text_by_character_arrive_in_a_real_terminal() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut desktop = Desktop::start("1024x768x24");
    desktop.xterm_into(&file(&folder));
    let mut injector = open(&desktop);
    for usage in [0x0B, 0x08, 0x0F, 0x0F, 0x12] {
        stroke(&mut injector, usage);
    }
    injector.inject(&key(0xE1, KeyAction::Press)).expect("Shift");
    stroke(&mut injector, 0x1E);
    injector.inject(&key(0xE1, KeyAction::Release)).expect("Shift");
    stroke(&mut injector, 0x28);
    text(&mut injector, "Mixed Case, #{[|\\~\"'`@]}\n");
    let expected = "hello!\nMixed Case, #{[|\\~\"'`@]}\n";
    let typed = || fs::read_to_string(file(&folder)).unwrap_or_default();
    until("the text arrives", || typed().len() >= expected.len());
    assert_eq!(typed(), expected);
}

#[test]
fn japanese_text_longer_than_the_spare_keys_arrives_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut desktop = Desktop::start("1024x768x24");
    desktop.xterm_into(&file(&folder));
    let mut injector = open(&desktop);
    let sentence = "春眠暁を覚えず処処啼鳥を聞く夜来風雨の声花落つること知る多少襷渡駅伝走者遠隔支援画面共有操作承認終了日本語";
    assert!(sentence.chars().count() >= 48);
    let line = format!("{sentence}é€😀ABC\n");
    text(&mut injector, &line);
    let typed = || fs::read_to_string(file(&folder)).unwrap_or_default();
    until("the text arrives", || typed().len() >= line.len());
    assert_eq!(typed(), line);
}

#[test]
fn the_keyboard_map_is_given_back() {
    let desktop = Desktop::start("640x480x24");
    let client = Client::connect(&desktop.display);
    let map = || {
        let (first, last) =
            (client.connection.setup().min_keycode, client.connection.setup().max_keycode);
        let sent = client.connection.get_keyboard_mapping(first, last - first + 1).expect("sent");
        let reply = sent.reply().expect("a map");
        let width = usize::from(reply.keysyms_per_keycode);
        reply.keysyms.chunks(width).map(|row| row.iter().any(|sym| *sym != 0)).collect::<Vec<_>>()
    };
    let before = map();
    let mut injector = open(&desktop);
    text(&mut injector, "襷");
    assert_ne!(map(), before, "a key was lent");
    drop(injector);
    until("the map is as before", || map() == before);
}

#[test]
fn a_long_text_can_be_cut_short_from_another_thread() {
    let desktop = Desktop::start("640x480x24");
    let mut injector = open(&desktop);
    let interrupt = injector.interrupt();
    let all: String = (0x4E00..0x4E00 + 1300).filter_map(char::from_u32).collect();
    let typing = std::thread::spawn(move || injector.inject(&InputEvent::Text(all)));
    until("the typing ends", || {
        interrupt.interrupt();
        typing.is_finished()
    });
    assert_eq!(typing.join().expect("no panic"), Err(InjectError::Interrupted));
}

#[test]
fn t17_t32_an_act_whose_leave_was_taken_back_is_not_done() {
    let desktop = Desktop::start("640x480x24");
    let mut injector = open(&desktop);
    let client = Client::connect(&desktop.display);
    let leave = injector.interrupt().leave();
    injector.interrupt().interrupt();
    let press = key(0xE1, KeyAction::Press);
    assert_eq!(injector.inject_with(&press, &leave), Err(InjectError::Interrupted));
    assert_eq!(held(&client), KeyButMask::from(0u16));
    injector.inject(&press).expect("a later one is done");
    until("Shift is held", || held(&client) == KeyButMask::SHIFT);
}

/// T2, T34: a question that comes while an operator's text is typed hears nothing of the rest of it.
#[test]
fn t2_a_text_stops_where_a_window_of_the_injectors_own_program_takes_the_keys() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut desktop = Desktop::start("1024x768x24");
    desktop.xterm_into(&file(&folder));
    let client = Client::connect(&desktop.display);
    let pressed = |events: &[Event]| events.iter().filter(|e| matches!(e, Event::KeyPress(_))).count();
    for letters in ["x".repeat(4000), (0x4E00..0x4E00 + 300).filter_map(char::from_u32).collect()] {
        let mut injector = open(&desktop);
        let mut local = LocalInput::open(Some(&desktop.display), Echo::default()).expect("a watcher");
        let typing = std::thread::spawn(move || injector.inject(&InputEvent::Text(letters)));
        assert_eq!(local.wait(desktop::PATIENCE), Ok(Some(Touched::Keyboard)), "it types");
        let window = client.window(0, 0, 300, 300);
        let typed = typing.join().expect("no panic");
        client.connection.destroy_window(window).expect("sent");
        let events = client.events_until("what it got", |_| true);
        // What was under way at that very moment.
        assert!(pressed(&events) <= 2 * 16, "{}", pressed(&events));
        assert_eq!(typed, Err(InjectError::Interrupted));
        until("xterm has the focus again", || client.focus_first_window());
    }
}

#[test]
fn buttons_wheel_and_pointer_arrive_where_they_were_meant() {
    let mut desktop = Desktop::start("1000x500x24");
    desktop.call("xrandr", &["--setmonitor", "left", "500/100x500/100+0+0", "screen"]);
    desktop.call("xrandr", &["--setmonitor", "right", "500/100x500/100+500+0", "none"]);
    let folder = tempfile::tempdir().expect("a folder");
    let seen = xev_into(&mut desktop, &file(&folder));
    let mut injector = open(&desktop);
    let point = |monitor, x, y| InputEvent::PointerMove { monitor: MonitorId(monitor), x, y };
    injector.inject(&point(1, 20, 30)).expect("moved");
    for button in [
        PointerButton::Left,
        PointerButton::Middle,
        PointerButton::Right,
        PointerButton::Back,
        PointerButton::Forward,
    ] {
        injector.inject(&InputEvent::Button { button, action: KeyAction::Press }).expect("pressed");
        injector.inject(&InputEvent::Button { button, action: KeyAction::Release }).expect("released");
    }
    injector.inject(&InputEvent::Wheel { dx: 0, dy: 60 }).expect("half a click");
    injector.inject(&InputEvent::Wheel { dx: -120, dy: 60 }).expect("a click down, one left");
    injector.inject(&InputEvent::Wheel { dx: 120, dy: -240 }).expect("two up, one right");
    injector.inject(&point(0, 9999, 9999)).expect("clamped");
    until("the last motion", || {
        seen().iter().any(|(what, _, at)| what == "Motion" && *at == (499, 499))
    });
    let pressed: Vec<(u8, i16, i16)> = seen()
        .into_iter()
        .filter(|(what, ..)| what == "ButtonPress")
        .map(|(_, button, (x, y))| (button, x, y))
        .collect();
    let buttons: Vec<u8> = pressed.iter().map(|press| press.0).collect();
    assert_eq!(buttons, [1, 2, 3, 8, 9, 5, 6, 4, 4, 7]);
    assert!(pressed.iter().all(|press| (press.1, press.2) == (520, 30)));
    let unknown = injector.inject(&point(7, 0, 0));
    assert_eq!(unknown, Err(InjectError::UnknownMonitor(MonitorId(7))));
}

/// What another program received: kind, button, place on the root.
type Received = (String, u8, (i16, i16));

/// A window of another program over the whole screen; no act lands on one of this program.
fn xev_into(desktop: &mut Desktop, file: &std::path::Path) -> impl Fn() -> Vec<Received> + use<> {
    let client = Client::connect(&desktop.display);
    let command = format!(
        "exec stdbuf -oL xev -geometry 1000x500+0+0 -event button -event mouse > {}",
        file.display()
    );
    desktop.run("sh", &["-c", &command]);
    until("xev is there", || client.focus_first_window());
    let file = file.to_owned();
    move || fs::read_to_string(&file).unwrap_or_default().split("\n\n").filter_map(received).collect()
}

fn received(block: &str) -> Option<Received> {
    let what = block.trim_start().split(" event").next()?.trim_end_matches("Notify");
    let (x, y) = block.split("root:(").nth(1)?.split(')').next()?.split_once(',')?;
    let button = block.split("button ").nth(1).and_then(|rest| rest.split(',').next());
    let button = button.and_then(|number| number.parse().ok()).unwrap_or_default();
    Some((what.to_owned(), button, (x.parse().ok()?, y.parse().ok()?)))
}

#[test]
fn t2_no_act_of_a_viewer_lands_on_a_window_of_the_injectors_own_program() {
    let desktop = Desktop::start("640x480x24");
    let client = Client::connect(&desktop.display);
    client.window(0, 0, 300, 300);
    let mut injector = open(&desktop);
    let point = |x, y| InputEvent::PointerMove { monitor: MonitorId(0), x, y };
    injector.inject(&point(100, 100)).expect("moved");
    let button = PointerButton::Left;
    for _ in 0..20 {
        for action in [KeyAction::Press, KeyAction::Release] {
            injector.inject(&InputEvent::Button { button, action }).expect("taken and not done");
        }
        stroke(&mut injector, 0x28);
        stroke(&mut injector, 0x2C);
    }
    injector.inject(&InputEvent::Wheel { dx: 0, dy: 240 }).expect("taken and not done");
    text(&mut injector, "yes\n");
    injector.inject(&point(101, 101)).expect("moved");
    let moved_last = |events: &[Event]| {
        events.iter().any(|e| matches!(e, Event::MotionNotify(m) if (m.root_x, m.root_y) == (101, 101)))
    };
    let events = client.events_until("the last motion", moved_last);
    let acts = events.iter().filter(|e| matches!(e, Event::ButtonPress(_) | Event::KeyPress(_)));
    assert_eq!(acts.count(), 0, "{events:?}");
}

#[test]
fn t2_what_is_injected_or_sent_is_nobodys_deed() {
    let desktop = Desktop::start("640x480x24");
    let client = Client::connect(&desktop.display);
    let window = client.window(0, 0, 100, 100);
    let mut witness = Witness::open(Some(&desktop.display), window).expect("a witness");
    let mut asked = |deed| witness.ask(deed).map(|judged| judged.by);
    assert_eq!(asked(Deed::Click), Ok(Doer::Nobody), "nothing happened");
    desktop.call("xdotool", &["mousemove", "10", "10", "click", "1"]);
    assert_eq!(asked(Deed::Click), Ok(Doer::Nobody));
    desktop.call("xdotool", &["key", "space"]);
    assert_eq!(asked(Deed::Key), Ok(Doer::Nobody));
    desktop.call("xdotool", &["key", "--window", &window.to_string(), "space"]);
    assert_eq!(asked(Deed::Key), Ok(Doer::Nobody));
}

fn held(client: &Client) -> KeyButMask {
    let pointer = client.connection.query_pointer(client.root).expect("sent");
    pointer.reply().expect("a pointer").mask
}

#[test]
fn what_is_held_is_let_go_on_release_all_and_when_the_injector_goes() {
    let desktop = Desktop::start("640x480x24");
    let client = Client::connect(&desktop.display);
    let mut injector = open(&desktop);
    let press = |injector: &mut X11Injector| {
        injector.inject(&key(0xE1, KeyAction::Press)).expect("Shift");
        injector.inject(&key(0xE4, KeyAction::Press)).expect("right Control");
        let button = PointerButton::Right;
        injector.inject(&InputEvent::Button { button, action: KeyAction::Press }).expect("pressed");
    };
    let all = KeyButMask::SHIFT | KeyButMask::CONTROL | KeyButMask::BUTTON3;
    press(&mut injector);
    until("all is held", || held(&client).contains(all));
    injector.inject(&InputEvent::ReleaseAll).expect("released");
    until("nothing is held", || held(&client) == KeyButMask::from(0u16));
    press(&mut injector);
    until("all is held again", || held(&client).contains(all));
    drop(injector);
    until("nothing is held after the drop", || held(&client) == KeyButMask::from(0u16));
}

#[test]
fn release_all_leaves_alone_what_the_human_holds() {
    let desktop = Desktop::start("640x480x24");
    let client = Client::connect(&desktop.display);
    let mut injector = open(&desktop);
    desktop.call("xdotool", &["keydown", "Control_L"]);
    injector.inject(&key(0xE1, KeyAction::Press)).expect("Shift");
    injector.release_all();
    until("only Control is held", || held(&client) == KeyButMask::CONTROL);
}

#[test]
fn what_no_desktop_knows_is_refused_and_the_next_event_is_welcome() {
    let desktop = Desktop::start("640x480x24");
    let mut injector = open(&desktop);
    let unknown = injector.inject(&key(0xA5, KeyAction::Press));
    assert_eq!(unknown, Err(InjectError::UnknownKey(PhysicalKey(0xA5))));
    let escape = injector.inject(&InputEvent::Text("\u{1B}[2J".to_owned()));
    assert_eq!(escape, Err(InjectError::ControlCharacter));
    let long = injector.inject(&InputEvent::Text("x".repeat(4097)));
    assert_eq!(long, Err(InjectError::TextTooLong { bytes: 4097 }));
    stroke(&mut injector, 0x04);
}

/// T32: what the injector does is not taken for the human at the desk, whatever it does.
#[test]
fn injected_input_is_not_local_input() {
    let desktop = Desktop::start("640x480x24");
    let mut injector = open(&desktop);
    let mut local = LocalInput::open(Some(&desktop.display), injector.echo()).expect("a watcher");
    let _ = local.wait(A_WHILE);
    for place in 0..50 {
        let moved = InputEvent::PointerMove { monitor: MonitorId(0), x: place * 3, y: place };
        injector.inject(&moved).expect("moved");
        injector.inject(&moved).expect("moved to where it was");
        stroke(&mut injector, 0x04 + place % 26);
        injector.inject(&InputEvent::Wheel { dx: 0, dy: 120 }).expect("turned");
        assert_eq!(local.wait(Duration::ZERO), Ok(None));
    }
    text(&mut injector, "Text 襷\n");
    injector.inject(&key(0x04, KeyAction::Press)).expect("held until it repeats");
    assert_eq!(local.wait(3 * A_WHILE), Ok(None));
}

/// T32: xdotool stands for the human; it acts through XTEST as the injector does.
#[test]
fn a_human_is_noticed_also_while_the_viewer_acts() {
    let desktop = Desktop::start("640x480x24");
    let mut injector = open(&desktop);
    let mut local = LocalInput::open(Some(&desktop.display), injector.echo()).expect("a watcher");
    let _ = local.wait(A_WHILE);
    desktop.call("xdotool", &["key", "b"]);
    assert_eq!(local.wait(desktop::PATIENCE), Ok(Some(Touched::Keyboard)));
    let _ = local.wait(A_WHILE);
    stroke(&mut injector, 0x04);
    desktop.call("xdotool", &["mousemove_relative", "20", "20"]);
    assert_eq!(local.wait(desktop::PATIENCE), Ok(Some(Touched::Mouse)));
    let _ = local.wait(A_WHILE);
    desktop.call("xdotool", &["click", "1"]);
    assert_eq!(local.wait(desktop::PATIENCE), Ok(Some(Touched::Mouse)));
}
