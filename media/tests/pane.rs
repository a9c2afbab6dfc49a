//! A pane in another program's window: its pixels are seen, no hand ever meets it, and nothing of it is left.

mod desktop;

use desktop::{Client, Desktop, rectangle, until};
use tasuki_media::screen::ScreenError;
use tasuki_media::x11::Pane;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat, Rectangle, Window};

const SIZE: (u16, u16) = (400, 300);
const PARENT: u32 = 0x10_20_30;
const BLUE: [u8; 4] = [0xF0, 0x20, 0x10, 0xFF];

struct Room {
    desktop: Desktop,
    client: Client,
    parent: Window,
}

impl Room {
    fn start() -> Self {
        let desktop = Desktop::start("800x600x24");
        let client = Client::connect(&desktop.display);
        let parent = client.window(50, 40, SIZE.0, SIZE.1);
        let room = Self { desktop, client, parent };
        room.paint_parent();
        room
    }

    fn paint_parent(&self) {
        self.client.fill(self.parent, rectangle(0, 0, SIZE.0, SIZE.1), PARENT);
    }

    fn pane(&self) -> Pane {
        let pane = Pane::over_at(Some(&self.desktop.display), self.parent).expect("a window");
        pane.expect("this server shares memory")
    }

    /// Of the screen.
    fn pixel(&self, x: i16, y: i16) -> [u8; 3] {
        let c = &self.client.connection;
        let root = c.setup().roots[0].root;
        let asked = c.get_image(ImageFormat::Z_PIXMAP, root, x, y, 1, 1, !0).expect("a connection");
        let data = asked.reply().expect("a pixel").data;
        [data[2], data[1], data[0]]
    }
}

fn whole(width: u16, height: u16) -> Rectangle {
    Rectangle { x: 0, y: 0, width, height }
}

fn fill(pane: &mut Pane, colour: [u8; 4]) {
    pane.pixels().as_chunks_mut::<4>().0.fill(colour);
}

const PARENTS: [u8; 3] = [0x10, 0x20, 0x30];
const BLUES: [u8; 3] = [0x10, 0x20, 0xF0];

#[test]
fn what_is_put_on_a_pane_is_seen_there_and_nowhere_else_until_it_is_hidden() {
    let room = Room::start();
    let mut pane = room.pane();
    assert!(!pane.lay((20, 10), (100, 80)).unwrap(), "it was nowhere before");
    fill(&mut pane, BLUE);
    pane.put(&[whole(100, 80)]).unwrap();
    assert_eq!((room.pixel(70, 50), room.pixel(169, 129)), (BLUES, BLUES));
    assert_eq!((room.pixel(69, 50), room.pixel(170, 129)), (PARENTS, PARENTS));

    // A part of it, and no more.
    fill(&mut pane, [0, 0xFF, 0, 0xFF]);
    pane.put(&[Rectangle { x: 10, y: 10, width: 5, height: 5 }]).unwrap();
    assert_eq!((room.pixel(80, 60), room.pixel(85, 65)), ([0, 0xFF, 0], BLUES));

    // What its window paints meanwhile stays below.
    room.paint_parent();
    assert_eq!((room.pixel(80, 60), room.pixel(69, 50)), ([0, 0xFF, 0], PARENTS));

    assert!(pane.lay((0, 0), (200, 300)).unwrap(), "something comes to light");
    fill(&mut pane, BLUE);
    pane.put(&[whole(200, 300)]).unwrap();
    assert_eq!((room.pixel(249, 339), room.pixel(250, 339)), (BLUES, PARENTS));
    assert!(pane.hide() && !pane.hide());
    room.paint_parent();
    assert_eq!(room.pixel(100, 100), PARENTS);
}

#[test]
fn t23_the_hands_are_over_the_window_as_if_no_pane_lay_there() {
    let room = Room::start();
    let mut pane = room.pane();
    pane.lay((0, 0), SIZE).unwrap();
    pane.put(&[whole(SIZE.0, SIZE.1)]).unwrap();
    let c = &room.client.connection;
    let root = c.setup().roots[0].root;
    c.warp_pointer(x11rb::NONE, root, 0, 0, 0, 0, 200, 150).unwrap();
    let within = c.query_pointer(room.parent).unwrap().reply().unwrap();
    assert_eq!((within.win_x, within.win_y), (150, 110));
    assert_eq!(within.child, x11rb::NONE, "the pointer is over a part of the window");
    let dropped = c.translate_coordinates(root, room.parent, 200, 150).unwrap().reply().unwrap();
    assert_eq!(dropped.child, x11rb::NONE, "what is dropped would be dropped on the pane");
}

#[test]
fn what_another_window_covered_is_told_lost_and_can_be_put_again() {
    let room = Room::start();
    let mut pane = room.pane();
    pane.lay((0, 0), SIZE).unwrap();
    fill(&mut pane, BLUE);
    pane.put(&[whole(SIZE.0, SIZE.1)]).unwrap();
    until("what mapping it told", || pane.has_lost_pixels().unwrap());
    pane.put(&[whole(SIZE.0, SIZE.1)]).unwrap();
    let over = room.client.window(60, 50, 50, 50);
    room.client.fill(over, rectangle(0, 0, 50, 50), 0xFF_00_00);
    assert!(!pane.has_lost_pixels().unwrap());
    room.client.connection.destroy_window(over).unwrap();
    room.client.connection.flush().unwrap();
    until("the loss", || pane.has_lost_pixels().unwrap());
    pane.put(&[whole(SIZE.0, SIZE.1)]).unwrap();
    assert_eq!(room.pixel(80, 70), BLUES);
}

#[test]
fn a_window_that_is_gone_and_sizes_that_are_none_are_refused_and_a_dropped_pane_is_gone() {
    let room = Room::start();
    let mut pane = room.pane();
    for size in [(0, 0), (0, 9), (9, 0)] {
        assert!(matches!(pane.lay((0, 0), size), Err(ScreenError::Refused { .. })));
    }
    // Larger than its window, and beside it.
    for (corner, size) in
        [((-300, -300), (2000, 1000)), ((i16::MIN, i16::MAX), (1, 1)), ((0, 0), (32_767, 1))]
    {
        pane.lay(corner, size).unwrap();
        fill(&mut pane, BLUE);
        pane.put(&[whole(size.0, size.1)]).unwrap();
    }
    room.paint_parent();
    assert_eq!(room.pixel(51, 41), PARENTS, "it is a line high");
    assert_eq!(room.pixel(51, 40), BLUES);
    drop(pane);
    let c = &room.client.connection;
    until("the end of it", || c.query_tree(room.parent).unwrap().reply().unwrap().children.is_empty());

    let mut pane = room.pane();
    pane.lay((0, 0), (10, 10)).unwrap();
    c.destroy_window(room.parent).unwrap();
    c.flush().unwrap();
    until("the refusal", || pane.put(&[whole(10, 10)]).is_err());
    assert!(
        Pane::over_at(Some(&room.desktop.display), room.parent).is_err(),
        "there is no such window"
    );
    assert!(Pane::over_at(Some(":65000"), room.parent).is_err(), "there is no such display");
}
