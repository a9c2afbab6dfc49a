//! A hand's press counts, and no program makes one of it that she did not mean (T2), on a real display with a hand
//! of its own (Xvnc's devices, held by a VNC client).

#![allow(clippy::unwrap_used)]

#[path = "../../ui-slint/tests/hand/mod.rs"]
mod hand;
mod late;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use hand::{Desk, PATIENCE};
use tasuki_media::screen::ScreenError;
use tasuki_media::x11::{Deed, Doer, Witness};
use x11rb::COPY_DEPTH_FROM_PARENT;
use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::protocol::record::{self, CS, ConnectionExt as _};
use x11rb::protocol::shape::{ConnectionExt as _, SK, SO};
use x11rb::protocol::xinput::{self, ConnectionExt as _, DeviceType};
use x11rb::protocol::xproto::{
    BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, CONFIGURE_NOTIFY_EVENT, CREATE_NOTIFY_EVENT, Circulate,
    ClipOrdering, ConfigureNotifyEvent, ConfigureWindowAux, ConnectionExt as _, CreateNotifyEvent,
    CreateWindowAux, EventMask, MOTION_NOTIFY_EVENT, WindowClass,
};
use x11rb::protocol::xtest::{self, ConnectionExt as _};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

/// In the window, where something is at stake.
const ALLOW: (u16, u16) = (300, 250);
/// Longer than what something injected taints.
const A_MOMENT: Duration = Duration::from_millis(500);
const EVERYWHERE: (i16, i16, u16, u16) = (0, 0, 1024, 800);
const OVER_ALLOW: (i16, i16, u16, u16) = (250, 220, 100, 60);

/// A window and its witness, a hand, and a program that means it ill.
struct Scene {
    desk: Desk,
    program: Program,
    window: u32,
    witness: Witness,
}

struct Program {
    client: RustConnection,
    root: u32,
}

impl Scene {
    fn start() -> Self {
        let desk = Desk::start_bare();
        let program = Program::start(&desk.display);
        let window = program.shown(program.root, (100, 100, 400, 300));
        let witness = Witness::open(Some(&desk.display), window).unwrap();
        let mut scene = Self { desk, program, window, witness };
        scene.a_hand_is_known();
        scene
    }

    /// Whatever was done to her before.
    fn a_hand_is_known(&mut self) {
        // The display has not always taken all of a press by the time it is asked for.
        let end = Instant::now() + PATIENCE;
        loop {
            self.settles();
            self.points();
            self.desk.press(ALLOW);
            let doer = self.asked();
            if doer == Ok(Doer::Hand) {
                return;
            }
            assert!(Instant::now() < end, "a click of hers is {doer:?}");
        }
    }

    /// What was done so far taints no more.
    fn settles(&mut self) {
        self.witness.catch_up().unwrap();
        std::thread::sleep(A_MOMENT);
    }

    fn points(&mut self) {
        self.desk.point((ALLOW.0 - 5, ALLOW.1));
        self.desk.point(ALLOW);
        self.witness.catch_up().unwrap();
    }

    fn asked(&mut self) -> Result<Doer, ScreenError> {
        self.witness.ask(Deed::Click).map(|judged| judged.by)
    }

    /// She is about to press when `act` is done.
    #[track_caller]
    fn is_nobodys_after(&mut self, act: impl FnOnce(&Program, u32)) {
        self.settles();
        self.points();
        act(&self.program, self.window);
        self.desk.press(ALLOW);
        assert_eq!(self.asked(), Ok(Doer::Nobody));
    }
}

impl Program {
    fn start(display: &str) -> Self {
        let (client, screen) = x11rb::connect(Some(display)).unwrap();
        let root = client.setup().roots[screen].root;
        Self { client, root }
    }

    fn made(&self, parent: u32, (x, y, width, height): (i16, i16, u16, u16)) -> u32 {
        let window = self.client.generate_id().unwrap();
        let aux = CreateWindowAux::new().override_redirect(1).background_pixel(0x00_80_00);
        let (depth, kind) = (COPY_DEPTH_FROM_PARENT, WindowClass::INPUT_OUTPUT);
        let made =
            self.client.create_window(depth, window, parent, x, y, width, height, 0, kind, 0, &aux);
        made.unwrap().check().unwrap();
        window
    }

    fn shown(&self, parent: u32, place: (i16, i16, u16, u16)) -> u32 {
        let window = self.made(parent, place);
        self.shows(window);
        window
    }

    fn shows(&self, window: u32) {
        self.client.map_window(window).unwrap().check().unwrap();
    }

    fn hides(&self, window: u32) {
        self.client.unmap_window(window).unwrap().check().unwrap();
    }

    fn lets_clicks_through(&self, window: u32) {
        let (input, order) = (SK::INPUT, ClipOrdering::UNSORTED);
        let cut = self.client.shape_rectangles(SO::SET, input, order, window, 0, 0, &[]);
        cut.unwrap().check().unwrap();
    }

    fn warps(&self, (x, y): (u16, u16)) {
        let put = self.client.warp_pointer(x11rb::NONE, self.root, 0, 0, 0, 0, x as i16, y as i16);
        put.unwrap().check().unwrap();
    }

    fn injects(&self, kind: u8, detail: u8) {
        let (x, y) = (ALLOW.0 as i16, ALLOW.1 as i16);
        let done = self.client.xtest_fake_input(kind, detail, 0, self.root, x, y, 0);
        done.unwrap().check().unwrap();
    }

    /// XTEST's request for a button of the mouse that is in her hand.
    fn forged(&self, act: u8) -> xtest::FakeInputRequest {
        let first = self.client.extension_information(xinput::X11_EXTENSION_NAME).unwrap().unwrap();
        self.client.xinput_xi_query_version(2, 2).unwrap().reply().unwrap();
        let all = self.client.xinput_xi_query_device(xinput::Device::ALL).unwrap().reply().unwrap();
        let mouse = all.infos.iter().find(|device| {
            device.type_ == DeviceType::SLAVE_POINTER
                && !device.name.windows(5).any(|part| part == b"XTEST")
        });
        xtest::FakeInputRequest {
            type_: first.first_event + act,
            detail: 1,
            time: 0,
            root: 0,
            root_x: 0,
            root_y: 0,
            deviceid: mouse.expect("Xvnc has one").deviceid as u8,
        }
    }

    /// The context of the witness: its second number, after the window by which it is told the time.
    fn context(&self) -> record::Context {
        let windows = self.client.query_tree(self.root).unwrap().reply().unwrap().children;
        let clock = windows.into_iter().find(|window| {
            let place = self.client.get_geometry(*window).unwrap().reply().unwrap();
            (place.x, place.y, place.width, place.height) == (-1, -1, 1, 1)
        });
        clock.expect("the witness's window is there") + 1
    }
}

/// As XInput counts its events from its first one on.
const FORGED_PRESS: u8 = 3;
const FORGED_RELEASE: u8 = 4;

/// The program's own press is held on Allow meanwhile.
#[test]
fn t2_a_programs_release_makes_no_other_press_of_a_hand_a_click() {
    let mut scene = Scene::start();
    let beside = (ALLOW.0 + 100, ALLOW.1 - 50);
    for notches in [false, true] {
        scene.program.injects(MOTION_NOTIFY_EVENT, 0);
        scene.program.injects(BUTTON_PRESS_EVENT, 1);
        std::thread::sleep(A_MOMENT);
        scene.desk.point(beside);
        if notches {
            scene.desk.scroll(beside)
        } else {
            scene.desk.press(beside)
        }
        scene.program.warps(ALLOW);
        std::thread::sleep(A_MOMENT);
        scene.program.injects(BUTTON_RELEASE_EVENT, 1);
        assert_eq!(scene.asked(), Ok(Doer::Nobody), "a wheel: {notches}");
        scene.a_hand_is_known();
    }
    scene.points();
    scene.desk.scroll(ALLOW);
    assert_eq!(scene.asked(), Ok(Doer::Nobody), "a notch is no click");
}

/// Each is over Allow, and goes away under her finger; where it was, the witness is told something else.
#[test]
fn t2_whatever_way_what_lay_over_the_window_goes_the_click_was_meant_for_that() {
    let mut scene = Scene::start();
    let (root, window) = (scene.program.root, scene.window);

    let cover = scene.program.shown(root, OVER_ALLOW);
    let lies = |program: &Program, event: [u8; 32]| {
        let mask = EventMask::SUBSTRUCTURE_NOTIFY;
        program.client.send_event(false, root, mask, event).unwrap().check().unwrap();
    };
    let (x, y, width, height) = (-5000, -5000, 9, 9);
    let moved = ConfigureNotifyEvent {
        response_type: CONFIGURE_NOTIFY_EVENT,
        event: root,
        window: cover,
        x,
        y,
        width,
        height,
        ..Default::default()
    };
    let made = CreateNotifyEvent {
        response_type: CREATE_NOTIFY_EVENT,
        parent: root,
        window: cover,
        x,
        y,
        width,
        height,
        ..Default::default()
    };
    for lie in [moved.into(), made.into()] {
        scene.program.shows(cover);
        lies(&scene.program, lie);
        scene.is_nobodys_after(|program, _| program.hides(cover));
    }

    // Known from elsewhere, and brought here through another window.
    let hidden = scene.program.made(root, (0, 0, 9, 9));
    let cover = scene.program.made(root, (-5000, -5000, 100, 60));
    for (parent, (x, y)) in [(hidden, (0, 0)), (root, (OVER_ALLOW.0, OVER_ALLOW.1))] {
        scene.program.client.reparent_window(cover, parent, x, y).unwrap().check().unwrap();
    }
    scene.program.shows(cover);
    scene.is_nobodys_after(|program, _| program.hides(cover));

    // Put below all the others, and that by a request of its own.
    let cover = scene.program.shown(root, EVERYWHERE);
    scene.is_nobodys_after(|program, _| {
        program.client.circulate_window(Circulate::LOWER_HIGHEST, root).unwrap().check().unwrap();
    });
    scene.program.hides(cover);

    scene.program.hides(window);
    scene.is_nobodys_after(|program, window| program.shows(window));
    scene.a_hand_is_known();
}

/// In a frame, as window managers make one.
#[test]
fn t2_what_lies_inside_the_window_or_its_frame_covers_it_too() {
    let mut scene = Scene::start();
    let (root, window) = (scene.program.root, scene.window);
    let frame = scene.program.shown(root, (95, 80, 410, 325));
    let moved = scene.program.client.reparent_window(window, frame, 5, 20).unwrap();
    moved.check().unwrap();
    scene.a_hand_is_known();
    let title = scene.program.shown(frame, (0, 0, 410, 20));
    scene.settles();
    scene.points();
    scene.program.hides(title);
    scene.desk.press(ALLOW);
    assert_eq!(scene.asked(), Ok(Doer::Hand), "a title bar lies beside it");
    let inside = scene.program.made(window, (150, 120, 100, 60));
    let beside = scene.program.made(frame, (155, 140, 100, 60));
    scene.program.lets_clicks_through(beside);
    for cover in [inside, beside] {
        scene.program.shows(cover);
        scene.is_nobodys_after(|_, _| {});
        scene.is_nobodys_after(|program, _| program.hides(cover));
        scene.a_hand_is_known();
    }
}

/// What is painted over it has let the click through.
#[test]
fn t2_no_program_hides_what_covered_a_click_by_taking_the_pointer_away() {
    let mut scene = Scene::start();
    let cover = scene.program.shown(scene.program.root, OVER_ALLOW);
    scene.program.lets_clicks_through(cover);
    scene.settles();
    scene.points();
    scene.desk.press(ALLOW);
    scene.program.warps((900, 700));
    assert_eq!(scene.asked(), Ok(Doer::Nobody), "she saw something else there");
    scene.program.hides(cover);
    scene.a_hand_is_known();
}

/// RECORD lets any program change what another one is told.
#[test]
fn t2_no_program_lets_the_witness_be_told_less_unnoticed() {
    let mut scene = Scene::start();
    let context = scene.program.context();
    let future = [u32::from(u8::from(CS::FUTURE_CLIENTS))];
    let changed = scene.program.client.record_unregister_clients(context, &future).unwrap();
    changed.check().unwrap();
    let unheard = Program::start(&scene.desk.display);
    scene.desk.point((ALLOW.0 - 5, ALLOW.1));
    scene.desk.point(ALLOW);
    std::thread::sleep(A_MOMENT);
    for act in [FORGED_PRESS, FORGED_RELEASE] {
        let it = scene.program.forged(act);
        let done = unheard.client.xtest_fake_input(it.type_, it.detail, 0, 0, 0, 0, it.deviceid);
        done.unwrap().check().unwrap();
    }
    assert_eq!(scene.asked(), Err(ScreenError::Lost));
    assert_eq!(scene.witness.catch_up(), Err(ScreenError::Lost), "whoever asks it is told");

    scene.witness = Witness::open(Some(&scene.desk.display), scene.window).unwrap();
    scene.witness.comes_late();
    scene.desk.press(ALLOW);
    assert_eq!(scene.asked(), Ok(Doer::Nobody), "who has brought the pointer there?");
    scene.a_hand_is_known();
}

/// S31, T32: the witness is asked on the thread of the window that has End.
#[test]
fn s31_t32_a_flood_of_other_windows_does_not_keep_whoever_asks_the_witness() {
    let scene = Scene::start();
    let stop = Arc::new(AtomicBool::new(false));
    let floods: Vec<_> = [OVER_ALLOW, (600, 600, 100, 60)]
        .into_iter()
        .map(|(x, y, width, height)| {
            let (program, stop) = (Program::start(&scene.desk.display), Arc::clone(&stop));
            let window = program.shown(program.root, (x, y, width, height));
            std::thread::spawn(move || {
                for step in 0.. {
                    let aside = ConfigureWindowAux::new().x(i32::from(x) + step % 2);
                    program.client.configure_window(window, &aside).unwrap();
                    if step % 1000 == 0 {
                        program.client.sync().unwrap();
                        if stop.load(Ordering::Relaxed) {
                            return;
                        }
                    }
                }
            })
        })
        .collect();
    let (told, came_back) = sync_channel(100);
    let mut witness = scene.witness;
    let asking = std::thread::spawn(move || {
        for _ in 0..10 {
            // Whoever is told too much looks no more, and says so.
            let _ = witness.catch_up();
            std::thread::sleep(Duration::from_millis(100));
            told.send(()).unwrap();
        }
    });
    for _ in 0..10 {
        assert_eq!(came_back.recv_timeout(PATIENCE), Ok(()), "it came back");
    }
    stop.store(true, Ordering::Relaxed);
    floods.into_iter().for_each(|flood| flood.join().unwrap());
    asking.join().unwrap();
}
