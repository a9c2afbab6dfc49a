//! A picture that is larger than its view, at 1:1: what hands bring in of it.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use slint::ComponentHandle;
use slint::winit_030::winit::event::WindowEvent;
use tasuki_media::blocks::ChangedBlocks;
use tasuki_media::i420::I420;
use tasuki_media::screen::Pixels;
use tasuki_media::vp8::{Bitrate, Coding, Encoder};
use tasuki_peer::core::io::PictureCommand;
use tasuki_peer::core::path::VideoFrame;
use tasuki_peer::shell::desktop::Viewer;
use tasuki_protocol::input::InputEvent;
use tasuki_protocol::leg::{FrameKind, VideoHeader};
use tasuki_ui_slint::viewer::capture::Allowed;
use tasuki_ui_slint::viewer::frame::Zoom;
use tasuki_ui_slint::viewer::screen::{Screen, Told};
use tasuki_ui_slint::windows::{OperatorWindow, RemoteScreen, ViewButton};

use crate::{open, scene};

const PICTURE: (u16, u16) = (1600, 1000);
const VIEW: (f32, f32) = (601.0, 400.0);
const PATIENCE: Duration = Duration::from_secs(60);

/// A pixel for the host in its far corner, and no picture that runs away from who looks at its middle.
pub(crate) fn s100_at_one_to_one_every_pixel_comes_to_a_hand_that_operates_and_to_one_that_looks() {
    let (window, told) = (open(&scene("operator-viewer")), Rc::new(RefCell::new(Vec::new())));
    let (runtime, heard) = (tokio::runtime::Runtime::new().unwrap(), Rc::clone(&told));
    let screen = Screen::attach(&window, runtime.handle().clone(), move |now| {
        if let Told::Act(event) = now {
            heard.borrow_mut().push(event);
        }
    });
    let (viewer, remote) = (Viewer::default(), window.global::<RemoteScreen<'_>>());
    let _ = screen.window_event(&WindowEvent::Focused(true));
    screen.watch(Some(viewer.clone()));
    screen.allow(Allowed::Yes);
    remote.invoke_focused(true);
    screen.zoom(Zoom::OneToOne);
    remote.invoke_resized(VIEW.0, VIEW.1);
    viewer.act(PictureCommand::Frame(picture()));
    until(&window, "the picture", |remote| remote.get_any());
    let middle = (remote.get_x(), remote.get_y());

    remote.invoke_pointed(300.0, 200.0);
    let pixel = |event: &InputEvent| {
        if let InputEvent::PointerMove { x, y, .. } = *event { Some((x, y)) } else { None }
    };
    let last = |told: &RefCell<Vec<InputEvent>>| told.borrow().iter().rev().find_map(pixel);
    let before = last(&told).unwrap();
    for _ in 0..40 {
        turn(&window);
    }
    assert_eq!((remote.get_x(), remote.get_y()), middle, "in the middle nothing moves");
    assert_eq!(last(&told), Some(before));

    let (right, below) = (VIEW.0 - 1.0, VIEW.1 - 1.0);
    remote.invoke_pointed(right, below);
    let corner = (VIEW.0 - f32::from(PICTURE.0), VIEW.1 - f32::from(PICTURE.1));
    until(&window, "the far corner", |remote| (remote.get_x(), remote.get_y()) == corner);
    assert_eq!(last(&told), Some((1599, 999)), "the pixel under a hand that stands still");
    told.take();
    remote.invoke_pressed(ViewButton::Left, right, below);
    assert!(told.borrow().iter().any(|event| matches!(event, InputEvent::Button { .. })));
    remote.invoke_released(ViewButton::Left);
    remote.invoke_pointed(0.0, 0.0);
    until(&window, "the first corner", |remote| (remote.get_x(), remote.get_y()) == (0.0, 0.0));
    assert_eq!(last(&told), Some((0, 0)));

    // Who only looks draws it, or turns the wheel, and his pointer at an edge moves nothing.
    screen.allow(Allowed::No);
    remote.invoke_pointed(right, below);
    for _ in 0..40 {
        turn(&window);
    }
    assert_eq!((remote.get_x(), remote.get_y()), (0.0, 0.0));
    assert!(remote.invoke_scrolled(0.0, -60.0), "the wheel is for the picture");
    until(&window, "the wheel", |remote| (remote.get_x(), remote.get_y()) == (0.0, -60.0));
    remote.invoke_moved(-40.0, 10.0);
    until(&window, "the drag", |remote| (remote.get_x(), remote.get_y()) == (-40.0, -50.0));
    screen.watch(None);
    viewer.stop();
}

fn picture() -> VideoFrame {
    let (width, height) = PICTURE;
    let (stride, changed) = (usize::from(width) * 4, ChangedBlocks::all(width, height));
    let bgra = vec![90; stride * usize::from(height)];
    let mut picture = I420::new(width, height);
    picture.update(&Pixels { bgra: &bgra, stride, width, height, changed: &changed });
    let mut encoder = Encoder::new(width, height, Bitrate(8_000_000)).unwrap();
    let vp8 = encoder.encode(&picture, Coding::Key).unwrap().bytes;
    VideoFrame { header: VideoHeader { number: 1, kind: FrameKind::Key }, vp8 }
}

/// Time passes for the window, and for who paints beside it.
fn turn(window: &OperatorWindow) {
    i_slint_backend_testing::mock_elapsed_time(Duration::from_millis(30));
    std::thread::sleep(Duration::from_millis(5));
    window.global::<RemoteScreen<'_>>().invoke_fresh();
}

fn until(window: &OperatorWindow, what: &str, holds: impl Fn(&RemoteScreen<'_>) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds(&window.global::<RemoteScreen<'_>>()) {
        assert!(Instant::now() < deadline, "{what} never came");
        turn(window);
    }
}
