//! What another program lays over the window, or does in the name of a hand's own device (T2).

use std::time::Duration;

use x11rb::COPY_DEPTH_FROM_PARENT;
use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::protocol::record::ConnectionExt as _;
use x11rb::protocol::shape::{ConnectionExt as _, SK, SO};
use x11rb::protocol::xinput::{self, ConnectionExt as _, DeviceType};
use x11rb::protocol::xproto::{
    AtomEnum, ClipOrdering, ConnectionExt as _, CreateWindowAux, PropMode, WindowClass,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use super::super::hand::{Desk, Mock, PATIENCE};
use super::super::{AGENT, allow, allow_is_seen, until_by_hand};

struct Program {
    client: RustConnection,
    root: u32,
}

impl Program {
    fn start(desk: &Desk) -> Self {
        let (client, screen) = x11rb::connect(Some(&desk.display)).unwrap();
        let root = client.setup().roots[screen].root;
        Self { client, root }
    }

    /// A window that no manager has, painted, over `place`.
    fn cover(&self, place: (u16, u16)) -> u32 {
        self.cover_from(self.root, place)
    }

    /// A window that nobody sees, for others to come out of.
    fn hidden(&self) -> u32 {
        let window = self.client.generate_id().unwrap();
        let (kind, aux) = (WindowClass::INPUT_OUTPUT, CreateWindowAux::new().override_redirect(1));
        let depth = COPY_DEPTH_FROM_PARENT;
        let made = self.client.create_window(depth, window, self.root, 0, 0, 1, 1, 0, kind, 0, &aux);
        made.unwrap().check().unwrap();
        window
    }

    /// As [`Self::cover`], made inside `parent`.
    fn cover_from(&self, parent: u32, (x, y): (u16, u16)) -> u32 {
        let window = self.client.generate_id().unwrap();
        let aux = CreateWindowAux::new().override_redirect(1).background_pixel(0x00_80_00);
        let (x, y) = (x as i16 - 100, y as i16 - 40);
        let kind = WindowClass::INPUT_OUTPUT;
        let made = self.client.create_window(
            COPY_DEPTH_FROM_PARENT,
            window,
            parent,
            x,
            y,
            200,
            80,
            0,
            kind,
            0,
            &aux,
        );
        made.unwrap();
        if parent != self.root {
            self.client.reparent_window(window, self.root, x, y).unwrap();
        }
        self.client.map_window(window).unwrap().check().unwrap();
        window
    }

    /// XTEST as for a device that is in somebody's hand: its act, by the first number of XInput's events.
    fn forge(&self, kind: DeviceType, act: u8, detail: u8) {
        let first = self.client.extension_information(xinput::X11_EXTENSION_NAME).unwrap().unwrap();
        self.client.xinput_xi_query_version(2, 2).unwrap().reply().unwrap();
        let all = self.client.xinput_xi_query_device(xinput::Device::ALL).unwrap().reply().unwrap();
        let theirs = all.infos.iter().find(|device| {
            device.type_ == kind && !device.name.windows(5).any(|part| part == b"XTEST")
        });
        let device = theirs.expect("Xvnc has one").deviceid as u8;
        let kind = first.first_event + act;
        self.client.xtest_fake_input(kind, detail, 0, 0, 0, 0, device).unwrap().check().unwrap();
        std::thread::sleep(Duration::from_millis(60));
    }
}

/// As XInput counts its events from its first one on.
const KEY_PRESS: u8 = 1;
const KEY_RELEASE: u8 = 2;
const BUTTON_PRESS: u8 = 3;
const BUTTON_RELEASE: u8 = 4;
const TAB: u8 = 23;
const SPACE: u8 = 65;

#[test]
fn t2_a_press_that_a_program_makes_in_a_devices_name_is_no_hands() {
    let mut desk = Desk::start();
    let window = Mock::start(AGENT, "agent-consent-view", &desk.display);
    let program = Program::start(&desk);
    let at = allow(&desk);
    allow_is_seen(&desk);
    for key in [TAB, SPACE] {
        program.forge(DeviceType::SLAVE_KEYBOARD, KEY_PRESS, key);
        program.forge(DeviceType::SLAVE_KEYBOARD, KEY_RELEASE, key);
        std::thread::sleep(Duration::from_secs(1));
    }
    assert_eq!(window.line(PATIENCE).as_deref(), Some("not by hand"), "keys");
    std::thread::sleep(Duration::from_secs(1));
    // Her pointer rests where it would press.
    desk.point((at.0 - 5, at.1));
    desk.point(at);
    std::thread::sleep(Duration::from_secs(1));
    program.forge(DeviceType::SLAVE_POINTER, BUTTON_PRESS, 1);
    program.forge(DeviceType::SLAVE_POINTER, BUTTON_RELEASE, 1);
    assert_eq!(window.line(PATIENCE).as_deref(), Some("not by hand"), "a button");
    until_by_hand(&window, || desk.click(at));
}

/// She clicks somewhere; before that is a second old, a program presses Allow, and lets the display tell the
/// time by the window that the witness asks.
#[test]
fn t2_no_program_makes_a_click_of_hers_answer_for_its_own() {
    let mut desk = Desk::start();
    let window = Mock::start(AGENT, "agent-consent-view", &desk.display);
    let program = Program::start(&desk);
    let at = allow(&desk);
    allow_is_seen(&desk);
    let tree = program.client.query_tree(program.root).unwrap().reply().unwrap();
    let own: Vec<u32> =
        tree.children.into_iter().filter(|window| is_a_clock(&program, *window)).collect();
    assert!(!own.is_empty(), "the witness's window is there");
    for _ in 0..5 {
        // Beside the window.
        desk.click((at.0 + 320, at.1 - 200));
        let (client, root) = (&program.client, program.root);
        let (x, y) = (at.0 as i16, at.1 as i16);
        for clock in &own {
            let (name, kind) = (AtomEnum::WM_NAME, AtomEnum::STRING);
            for _ in 0..50 {
                client.change_property8(PropMode::APPEND, *clock, name, kind, &[]).unwrap();
            }
        }
        client.xtest_fake_input(6, 0, 0, root, x, y, 0).unwrap();
        client.xtest_fake_input(4, 1, 0, root, x, y, 0).unwrap();
        client.xtest_fake_input(5, 1, 0, root, x, y, 0).unwrap();
        client.sync().unwrap();
        assert_eq!(window.line(PATIENCE).as_deref(), Some("not by hand"));
        std::thread::sleep(Duration::from_secs(1));
    }
    until_by_hand(&window, || desk.click(at));
}

/// RECORD lets any program end what another one is told. Nobody consents then, and somebody does again.
#[test]
fn t2_a_witness_that_was_blinded_is_followed_by_one_that_sees() {
    let mut desk = Desk::start();
    let window = Mock::start(AGENT, "agent-consent-view", &desk.display);
    let program = Program::start(&desk);
    let at = allow(&desk);
    allow_is_seen(&desk);
    let tree = program.client.query_tree(program.root).unwrap().reply().unwrap();
    let clock = tree.children.into_iter().find(|window| is_a_clock(&program, *window));
    let context = clock.expect("the witness's window is there") + 1;
    program.client.record_disable_context(context).unwrap().check().unwrap();
    std::thread::sleep(Duration::from_secs(1));
    desk.key(super::super::TAB);
    desk.key(super::super::SPACE);
    assert_eq!(window.line(PATIENCE).as_deref(), Some("not by hand"), "who has moved the focus?");
    until_by_hand(&window, || desk.click(at));
}

fn is_a_clock(program: &Program, window: u32) -> bool {
    let place = program.client.get_geometry(window).unwrap().reply();
    place.is_ok_and(|place| (place.x, place.y, place.width, place.height) == (-1, -1, 1, 1))
}

/// Her finger is on its way to what lies there.
#[test]
fn t2_a_click_at_what_lay_over_the_question_is_no_consent() {
    let mut desk = Desk::start();
    let window = Mock::start(AGENT, "agent-consent-view", &desk.display);
    let program = Program::start(&desk);
    let at = allow(&desk);
    allow_is_seen(&desk);
    for comes_from in [program.root, program.hidden()] {
        let cover = program.cover_from(comes_from, at);
        std::thread::sleep(Duration::from_secs(1));
        desk.point((at.0 - 5, at.1));
        desk.point(at);
        program.client.unmap_window(cover).unwrap().check().unwrap();
        std::thread::sleep(Duration::from_millis(100));
        desk.press(at);
        assert_eq!(window.line(PATIENCE).as_deref(), Some("not by hand"), "it was taken away");
        std::thread::sleep(Duration::from_secs(1));
    }
    // Painted, and a click falls through it.
    let cover = program.cover(at);
    let (input, order) = (SK::INPUT, ClipOrdering::UNSORTED);
    program.client.shape_rectangles(SO::SET, input, order, cover, 0, 0, &[]).unwrap().check().unwrap();
    std::thread::sleep(Duration::from_secs(1));
    desk.click(at);
    assert_eq!(window.line(PATIENCE).as_deref(), Some("not by hand"), "she sees something else there");
    program.client.destroy_window(cover).unwrap().check().unwrap();
    std::thread::sleep(Duration::from_secs(1));
    until_by_hand(&window, || desk.click(at));
}
