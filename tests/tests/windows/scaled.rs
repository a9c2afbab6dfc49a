//! Screens with small pixels: each of the windows' own is more than one of theirs.

use std::{thread, time::Duration};

use anyhow::Result;
use tasuki_protocol::rights::Mode;
use tasuki_tests::{
    desktop::{Desktop, Hand, RETURN, Reader, pointer, role},
    running::until,
    stack::{AgentWindow, OperatorWindow, Way},
};

use super::{OPERATOR, OWN_HAND, Room, USER};

const NUMBER: &str = "Session number ";
/// What lies on the way to a session, in whichever mode, from the first meeting on.
const YES: [&str; 2] = ["I called them myself", "Allow"];
/// All over the user's screen, and on the operator's beside his window.
const HERS: [(i16, i16); 3] = [(1105, 300), (31, 771), (1262, 160)];
const HIS: [(i16, i16); 2] = [(1713, 95), (1655, 745)];
/// Left, top, width and height.
type Bar = (i16, i16, u16, u16);

/// How the bar stands on a monitor of 1280 pixels. Forty of its own are left free; on 853 of
/// those it has one line, and on 640 two.
const BARS: [(&str, Bar); 2] = [("1.5", (30, 0, 1220, 84)), ("2", (40, 0, 1200, 168))];

/// S2, S19: a click lands on the pixel at which it was aimed, in either window. S29, S31: a hand's clicks at the notice, at
/// Allow and at the bar's end count. T33: the bar stands at the top, in the middle, as wide as it may be there.
#[test]
#[ignore = "./dev windows builds the windows and runs this"]
fn s2_s19_s29_t33_at_other_scales_a_click_lands_where_it_was_aimed_and_the_bar_stands_in_its_place() {
    let mut room = Room::furnish();
    let his = Reader::start().unwrap();
    let scale = |factor| [("SLINT_SCALE_FACTOR", factor)];
    let way = Way::Auto;
    let window = OperatorWindow::open_read(&room.house, &room.operator, way, (&his, &scale("1.25")));
    let window = window.unwrap();
    for (round, (factor, bar)) in BARS.into_iter().enumerate() {
        let hers = Reader::start().unwrap();
        let agent = AgentWindow::open_read(&room.house, &room.user, (&hers, &scale(factor))).unwrap();
        meet(&his, (&agent, &hers), &mut room.hand, Mode::Control);
        let stands = until("the bar", || agent.bar()).unwrap();
        assert_eq!((stands.left, stands.top, stands.width, stands.height), bar, "at {factor}");
        thread::sleep(OWN_HAND);
        for pixel in HERS {
            clicked_lands(&room.user, pixel, || window.click_in_picture(&his, USER, pixel));
        }
        room.hand.click(agent.on_bar(&hers, "End now").unwrap()).unwrap();
        room.session_after(2 * round);
        if round > 0 {
            continue;
        }
        agent.click_at(&mut room.hand, &hers, role::BUTTON, "Enter another number").unwrap();
        let small = agent.frame().unwrap().unwrap().width;
        meet(&his, (&agent, &hers), &mut room.hand, Mode::Share);
        thread::sleep(OWN_HAND);
        for pixel in HIS {
            clicked_lands(&room.operator, pixel, || {
                agent.click_in_picture(&mut room.hand, &hers, OPERATOR, pixel)
            });
        }
        assert!(agent.frame().unwrap().unwrap().width > small, "it has grown for the picture");
        agent.click_at(&mut room.hand, &hers, role::BUTTON, "End now").unwrap();
        room.session_after(1);
        until("the window to be as large as before", || {
            Ok(agent.frame()?.is_some_and(|now| now.width == small).then_some(()))
        })
        .unwrap();
    }
}

/// From the operator's number to a picture, wherever things stand in the windows.
fn meet(his: &Reader, (agent, hers): (&AgentWindow<'_>, &Reader), hand: &mut Hand, mode: Mode) {
    his.press(role::TAB, "New").unwrap();
    let card = if mode == Mode::Share { "Share my screen" } else { "Control" };
    his.press(role::RADIO_BUTTON, card).unwrap();
    his.press(role::BUTTON, "New session").unwrap();
    let number = his.wait_for(role::LABEL, NUMBER).unwrap().name;
    agent.click_at(hand, hers, role::ENTRY, "Session number").unwrap();
    for digit in number.chars().filter(char::is_ascii_digit) {
        hand.key(u32::from(digit)).unwrap();
    }
    hand.key(RETURN).unwrap();
    until("a session", || {
        for yes in YES {
            // A press that was taken late may have taken it away by now.
            let areas = hers.areas("Remote support", role::BUTTON, yes).unwrap_or_default();
            let (Some([left, top, width, height]), Some(window)) = (areas.first(), agent.frame()?)
            else {
                continue;
            };
            let middle = (left + width / 2, top + height / 2);
            hand.click(window.at((middle.0.into(), middle.1.into())))?;
        }
        let seen = [his.find(role::IMAGE, "Their screen")?, hers.find(role::IMAGE, "You see ")?];
        Ok(seen.into_iter().flatten().next())
    })
    .unwrap_or_else(|why| panic!("{why:#}: {:?}", hers.names(role::LABEL)));
}

/// Whose screen it is may have pressed later than seemed, where the machine is busy: then his hand comes first, and the
/// click is made once more.
fn clicked_lands(desk: &Desktop, pixel: (i16, i16), mut click: impl FnMut() -> Result<()>) {
    until("a click to land where it was aimed", || {
        click()?;
        for _ in 0..60 {
            if are_near(pointer(desk)?, pixel) {
                return Ok(Some(()));
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(None)
    })
    .unwrap();
}

/// Within what a pixel of the window is of the host's.
fn are_near(one: (i16, i16), other: (i16, i16)) -> bool {
    one.0.abs_diff(other.0) <= 1 && one.1.abs_diff(other.1) <= 1
}

pub(super) fn lands(desk: &Desktop, pixel: (i16, i16)) {
    let mut last = (0, 0);
    until("the pointer to be where it was aimed", || {
        last = pointer(desk)?;
        Ok(are_near(last, pixel).then_some(()))
    })
    .unwrap_or_else(|why| panic!("{why:#}: at {last:?}, aimed at {pixel:?}"));
}
