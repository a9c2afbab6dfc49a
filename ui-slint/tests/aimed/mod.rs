//! What another program does so that a hand which means something else says yes (T2).

mod over;

use std::time::{Duration, Instant};

use x11rb::connection::Connection as _;
use x11rb::protocol::xinput::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{
    BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ConfigureWindowAux, ConnectionExt as _,
    MOTION_NOTIFY_EVENT,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use super::hand::{Desk, Mock, PATIENCE};
use super::{AGENT, SPACE, allow, allow_is_seen, id, until_by_hand};

/// On every monitor, above everything; to the window itself it is something that lies over it.
#[test]
fn t2_the_bar_lets_a_held_picture_go_on_by_a_hand_alone() {
    let mut desk = Desk::start();
    let window = Mock::start(AGENT, "agent-live-paused", &desk.display);
    let _ = allow(&desk);
    // The left one of two buttons.
    let go_on = (758, 28);
    let deadline = Instant::now() + PATIENCE;
    loop {
        desk.xdotool(&["mousemove", "758", "28", "click", "1"]);
        if let Some(line) = window.line(Duration::from_secs(1)) {
            break assert_eq!(line, "not by hand");
        }
        assert!(Instant::now() < deadline, "the click reached the button");
    }
    until_by_hand(&window, || desk.click(go_on));
}

/// The pointer of another pair of masters is as good as the first one's, and its devices came after the
/// witness.
#[test]
fn t2_a_pointer_that_a_program_has_made_itself_is_no_hand() {
    let mut desk = Desk::start();
    let window = Mock::start(AGENT, "agent-consent-view", &desk.display);
    let at = allow(&desk);
    std::thread::sleep(Duration::from_secs(1));
    let other = OtherPointer::make(&desk);
    let deadline = Instant::now() + PATIENCE;
    loop {
        other.click(at);
        if let Some(line) = window.line(Duration::from_secs(1)) {
            break assert_eq!(line, "not by hand");
        }
        assert!(Instant::now() < deadline, "the click reached the button");
    }
    drop(other);
    until_by_hand(&window, || desk.click(at));
}

/// What one program sends to another needs no device: she has Refuse under her finger.
#[test]
fn t2_a_hands_key_is_no_consent_after_a_sent_one_has_moved_the_focus() {
    const LOUDER: u32 = 0x1008_ff13;
    let mut desk = Desk::start();
    for beside in [None, Some(LOUDER)] {
        let window = Mock::start(AGENT, "agent-consent-view", &desk.display);
        let at = allow(&desk);
        allow_is_seen(&desk);
        beside.into_iter().for_each(|key| desk.key(key));
        desk.xdotool(&["key", "--window", &id(&desk), "Tab"]);
        std::thread::sleep(Duration::from_secs(1));
        desk.key(SPACE);
        assert_eq!(window.line(PATIENCE).as_deref(), Some("not by hand"), "the focus is nobody's");
        beside.into_iter().for_each(|key| desk.key(key));
        std::thread::sleep(Duration::from_secs(1));
        desk.xdotool(&["key", "--window", &id(&desk), "space"]);
        assert_eq!(window.line(PATIENCE).as_deref(), Some("not by hand"), "a key without a device");
        until_by_hand(&window, || desk.click(at));
    }
}

/// She has her finger on the mouse, and something else brings the pointer over Allow, without a device.
#[test]
fn t2_a_hands_click_is_no_consent_where_a_program_has_put_the_pointer() {
    let mut desk = Desk::start();
    let window = Mock::start(AGENT, "agent-consent-view", &desk.display);
    let at = allow(&desk);
    let beside = (at.0, at.1 - 200);
    let (client, screen) = x11rb::connect(Some(&desk.display)).unwrap();
    let root = client.setup().roots[screen].root;
    std::thread::sleep(Duration::from_secs(1));
    desk.point(beside);
    client
        .warp_pointer(x11rb::NONE, root, 0, 0, 0, 0, at.0 as i16, at.1 as i16)
        .unwrap()
        .check()
        .unwrap();
    std::thread::sleep(Duration::from_secs(1));
    // Xvnc moves nothing where the pointer is already.
    desk.press(at);
    assert_eq!(window.line(PATIENCE).as_deref(), Some("not by hand"), "the pointer was moved");
    until_by_hand(&window, || desk.click(at));
}

/// Her finger rests beside the window, and Allow is brought under it.
#[test]
fn t2_a_hands_click_is_no_consent_where_the_window_was_moved_under_it() {
    const ASIDE: u16 = 320;
    let mut desk = Desk::start();
    let window = Mock::start(AGENT, "agent-consent-view", &desk.display);
    let (x, y) = allow(&desk);
    let beside = (x + ASIDE, y);
    std::thread::sleep(Duration::from_secs(1));
    desk.point((beside.0, y - 200));
    desk.point(beside);
    let (client, _) = x11rb::connect(Some(&desk.display)).unwrap();
    let it = id(&desk).parse().unwrap();
    let left = client.get_geometry(it).unwrap().reply().unwrap();
    let left = client.translate_coordinates(it, left.root, 0, 0).unwrap().reply().unwrap().dst_x;
    let aside = ConfigureWindowAux::new().x(i32::from(left) + i32::from(ASIDE));
    client.configure_window(it, &aside).unwrap().check().unwrap();
    let deadline = Instant::now() + PATIENCE;
    while allow(&desk).0.abs_diff(beside.0) > 20 {
        assert!(Instant::now() < deadline, "the window lies where it was put");
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_secs(1));
    desk.press(beside);
    assert_eq!(window.line(PATIENCE).as_deref(), Some("not by hand"));
    until_by_hand(&window, || desk.click(beside));
}

/// A second pair of masters, with the XTEST devices that come with it.
struct OtherPointer {
    client: RustConnection,
    root: u32,
}

impl OtherPointer {
    fn make(desk: &Desk) -> Self {
        let (client, screen) = x11rb::connect(Some(&desk.display)).unwrap();
        let root = client.setup().roots[screen].root;
        client.xinput_xi_query_version(2, 2).unwrap().reply().unwrap();
        let made = xinput::HierarchyChangeDataAddMaster {
            send_core: true,
            enable: true,
            name: b"hand".to_vec(),
        };
        // In units of four bytes: four of the head, four of the fixed part, and the name.
        let change =
            xinput::HierarchyChange { len: 3, data: xinput::HierarchyChangeData::AddMaster(made) };
        client.xinput_xi_change_hierarchy(&[change]).unwrap().check().unwrap();
        let all = client.xinput_xi_query_device(xinput::Device::ALL_MASTER).unwrap().reply().unwrap();
        let pointer = all.infos.iter().find(|device| device.name == b"hand pointer").unwrap();
        client.xinput_xi_set_client_pointer(x11rb::NONE, pointer.deviceid).unwrap().check().unwrap();
        Self { client, root }
    }

    fn click(&self, (x, y): (u16, u16)) {
        let acts = [
            (MOTION_NOTIFY_EVENT, 0, x as i16 - 1),
            (MOTION_NOTIFY_EVENT, 0, x as i16),
            (BUTTON_PRESS_EVENT, 1, 0),
            (BUTTON_RELEASE_EVENT, 1, 0),
        ];
        for (kind, detail, x) in acts {
            self.client.xtest_fake_input(kind, detail, 0, self.root, x, y as i16, 0).unwrap();
            self.client.sync().unwrap();
            std::thread::sleep(Duration::from_millis(60));
        }
    }
}
