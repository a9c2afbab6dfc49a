//! Whose the keys are: all go to the shown computer while its picture has the focus, and none before or after.
//! And which they are there: by their place, with everything that a place can make.

use std::{thread, time::Duration};

use rustix::process::Signal;
use tasuki_protocol::rights::Mode;
use tasuki_tests::{
    desktop::{Desktop, Ear, Hand, KeyTester, Notepad, Rgb, pointer},
    running::until,
    stack::{AgentWindow, OperatorWindow, Way, set_layout},
};
use x11rb::{
    connection::Connection as _,
    protocol::xproto::{ConnectionExt as _, GrabMode, GrabStatus, KeyButMask},
};

use super::{OWN_HAND, Room, USER, click_until_focused};

/// X's numbers of the left Control, the letter A and the right Alt.
const HELD: [u8; 3] = [37, 38, 108];
/// Keys that letters do not show, by X's numbers, and what they are called where the layout is Japanese.
const PLACES: [(u8, &str); 18] = [
    (37, "Control_L"),
    (105, "Control_R"),
    (50, "Shift_L"),
    (62, "Shift_R"),
    (64, "Alt_L"),
    (108, "Alt_R"),
    (133, "Super_L"),
    (134, "Super_R"),
    (100, "Henkan_Mode"),
    (102, "Muhenkan"),
    (101, "Hiragana_Katakana"),
    (132, "backslash"),
    (97, "backslash"),
    (87, "KP_End"),
    (90, "KP_Insert"),
    (91, "KP_Delete"),
    (106, "KP_Divide"),
    (104, "KP_Enter"),
];
/// Two places of the user's screen with nothing on it.
const HERE: (i16, i16) = (1100, 300);
const THERE: (i16, i16) = (1180, 560);

/// S2: each key is the one of its place. T50: what was held when the focus went is let go.
#[test]
#[ignore = "./dev windows builds the windows and runs this"]
fn s2_t50_keys_are_grabbed_while_the_picture_has_the_focus_and_let_go_with_it() {
    let mut room = Room::furnish();
    for desktop in [&room.operator, &room.user] {
        set_layout(desktop, "jp").unwrap();
    }
    let tester = KeyTester::open(&room.user, "200x120+40+560").unwrap();
    let window = OperatorWindow::open(&room.house, &room.operator, Way::Auto).unwrap();
    let agent = AgentWindow::open(&room.house, &room.user).unwrap();
    window.meet(&agent, &mut room.hand, Mode::Control).unwrap();
    assert!(is_free(&room.operator), "keys are grabbed before the picture has the focus");
    thread::sleep(OWN_HAND);
    let mut click = || window.click_at_host(USER, tester.middle);
    click_until_focused(&room.user, tester.title(), &mut click);
    until("the keys to be the picture's alone", || Ok((!is_free(&room.operator)).then_some(())))
        .unwrap();
    each_key_is_the_one_of_its_place(&window, &tester);
    let notes = &room.users_notes;
    click_until_focused(&room.user, &notes.title, &mut || window.click_at_host(USER, notes.middle));
    until("the keys to be the picture's again", || Ok((!is_free(&room.operator)).then_some(())))
        .unwrap();
    the_pointer_is_drawn_where_the_hand_is((&room.operator, &window), (&room.user, &agent));

    // A letter, modifiers of either side and a button.
    window.point_at_host(USER, notes.middle).unwrap();
    let held = ["37", "108", "a"];
    let acts = |act: &'static str| held.map(|key| [act, key]).concat();
    xdotool(&room.operator, &[&["mousedown", "1"], &acts("keydown")[..]].concat());
    until("all of it to be down at the host", || {
        Ok((are_down(&room.user) == (HELD.to_vec(), true)).then_some(()))
    })
    .unwrap();
    room.operators_notes.take_keys(&room.operator).unwrap();
    until("all of it to be let go of at the host", || {
        Ok((are_down(&room.user) == (Vec::new(), false)).then_some(()))
    })
    .unwrap_or_else(|why| panic!("{why:#}: {:?}", are_down(&room.user)));
    xdotool(&room.operator, &[&["mouseup", "1"], &acts("keyup")[..]].concat());
    until("the keys to be free", || Ok(is_free(&room.operator).then_some(()))).unwrap();
    agent.end(&mut room.hand).unwrap();
}

/// And the chord that no key of the operator's makes here.
fn each_key_is_the_one_of_its_place(window: &OperatorWindow<'_>, tester: &KeyTester) {
    let strokes = |places: &[(u8, &str)], sign| {
        places.iter().map(|(place, name)| format!("{sign}{place} {name}")).collect::<Vec<_>>()
    };
    let mark = tester.mark();
    for (place, _) in PLACES {
        window.strokes(&format!("key {place}")).unwrap();
    }
    let wanted: Vec<String> =
        PLACES.iter().flat_map(|key| ['+', '-'].map(|sign| strokes(&[*key], sign)).concat()).collect();
    tester.wait_for(mark, &wanted.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();

    let mark = tester.mark();
    window.send_ctrl_alt_del().unwrap();
    let chord = ["+37 Control_L", "+64 Alt_L", "+119 Delete", "-119 Delete", "-64 Alt_L"];
    tester.wait_for(mark, &[&chord[..], &["-37 Control_L"]].concat()).unwrap();
}

/// The host's program stands still, so that nothing of it comes back: the pointer is where the hand is all the same.
fn the_pointer_is_drawn_where_the_hand_is(
    (operator, window): (&Desktop, &OperatorWindow<'_>),
    (user, agent): (&Desktop, &AgentWindow<'_>),
) {
    let [here, there] = [HERE, THERE].map(|place| window.place_of_host(USER, place));
    let seen = |(x, y): (u16, u16)| -> Vec<Rgb> {
        let picture = operator.picture().unwrap();
        let (x, y) = (usize::from(x), usize::from(y));
        (y - 8..y + 24)
            .flat_map(|y| (x - 8..x + 24).map(move |x| (x, y)))
            .map(|at| picture.at(at.0, at.1))
            .collect()
    };
    let is_at = |place: (i16, i16)| {
        let (x, y) = pointer(user).unwrap();
        x.abs_diff(place.0) <= 2 && y.abs_diff(place.1) <= 2
    };
    // What was sent of it at first is made better for a while.
    let settled = || {
        until("the picture to settle", || {
            let before = seen(here);
            thread::sleep(Duration::from_millis(500));
            Ok((seen(here) == before).then_some(before))
        })
        .unwrap()
    };
    let bare = settled();
    window.point_at_host(USER, HERE).unwrap();
    until("the host's own pointer to follow", || Ok(is_at(HERE).then_some(()))).unwrap();
    until("a pointer to be drawn", || Ok((seen(here) != bare).then_some(()))).unwrap();
    let drawn = settled();

    agent.process.signal(Signal::STOP).unwrap();
    window.point_at_host(USER, THERE).unwrap();
    until("the pointer to be drawn elsewhere", || {
        Ok((seen(here) == bare && seen(there) == drawn).then_some(()))
    })
    .unwrap();
    assert!(is_at(HERE), "the host knew of it");
    agent.process.signal(Signal::CONT).unwrap();
    until("the host's own pointer to follow", || Ok(is_at(THERE).then_some(()))).unwrap();
}

/// S2: what is typed, and by which places: Japanese keys, dead keys and the third level, the number pad.
pub(super) fn each_layout_types_its_letters(
    operator: &Desktop,
    user: &Desktop,
    window: &OperatorWindow<'_>,
    notes: &Notepad,
) {
    let cases = [
        ("jp", "@^[]:;_ kana 123 \\", "key 132 97 36", "\\\\"),
        (
            "de",
            "zy ä ö ü ß + # < > 'yes'",
            "key 21 38 49 38 keydown 108 key 24 26 keyup 108 keydown 62 key 38 keyup 62 key 36",
            "áâ@€A",
        ),
        (
            "fr",
            "azerty & é \" ( - è _ ç à ) = 123",
            "key 34 24 keydown 50 key 34 keyup 50 key 24 36",
            "âä",
        ),
        (
            "us",
            "The quick {brown} fox; 100% [ok] @home",
            "key 77 90 87 88 89 83 84 85 79 80 81 91 106 63 82 86 104 77",
            "0123456789./*-+",
        ),
    ];
    for (layout, line, places, made) in cases {
        set_layout(operator, layout).unwrap();
        set_layout(user, layout).unwrap();
        thread::sleep(Duration::from_millis(400));
        window.type_text(line).unwrap();
        window.key("Return").unwrap();
        notes.wait_for(line).unwrap();
        window.strokes(places).unwrap();
        notes.wait_for(made).unwrap();
    }
}

/// T21, T22: in Share the person's keys leave his computer only while the picture has the focus.
pub(super) fn what_is_typed_elsewhere_stays_here(
    (operator, theirs): (&Desktop, &Notepad),
    (user, own): (&Desktop, &Notepad),
    hand: &mut Hand,
) {
    let (text, ear) = (theirs.text().unwrap(), Ear::open(operator).unwrap());
    own.take_keys(user).unwrap();
    hand.type_line("kept at home").unwrap();
    own.wait_for("kept at home").unwrap();
    assert_eq!(ear.heard().unwrap(), 0, "keys left without the focus");
    assert_eq!(theirs.text().unwrap(), text);
}

/// The keys that are down, and whether the first button is.
fn are_down(desktop: &Desktop) -> (Vec<u8>, bool) {
    let display = desktop.connect().unwrap();
    let keys = display.query_keymap().unwrap().reply().unwrap().keys;
    let is_down = |key: &u8| keys[usize::from(key / 8)] & (1 << (key % 8)) != 0;
    let root = display.setup().roots[0].root;
    let mask = display.query_pointer(root).unwrap().reply().unwrap().mask;
    ((8..=255).filter(is_down).collect(), mask.contains(KeyButMask::BUTTON1))
}

/// Whether another program gets the keyboard, which it gives back at once.
pub(super) fn is_free(desktop: &Desktop) -> bool {
    let display = desktop.connect().unwrap();
    let root = display.setup().roots[0].root;
    let (mode, now) = (GrabMode::ASYNC, x11rb::CURRENT_TIME);
    let grabbed = display.grab_keyboard(false, root, now, mode, mode).unwrap().reply().unwrap();
    display.ungrab_keyboard(now).unwrap().check().unwrap();
    grabbed.status == GrabStatus::SUCCESS
}

fn xdotool(desktop: &Desktop, arguments: &[&str]) {
    assert!(desktop.command("xdotool").args(arguments).status().unwrap().success());
}
