//! `--mock`: every state of the window without a server, and a picture to look at.
//!
//! Ctrl with the right and left arrow walks through the states. Nothing is sent anywhere.

use std::cell::Cell;
use std::rc::Rc;

use slint::winit_030::winit::event::{ElementState, WindowEvent};
use slint::winit_030::winit::keyboard::{KeyCode, ModifiersState, PhysicalKey};
use slint::winit_030::{EventResult, WinitWindowAccessor};
use slint::{ComponentHandle, Image, ModelRc, Rgb8Pixel, Rgba8Pixel, SharedPixelBuffer, VecModel};
use tasuki_media::tiling::{Extent, Tiling};
use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::texts::Lang;

use super::program::{no_window, open_window};
use super::scenes::{self, Scene};
use super::view;
use crate::look::Shade;
use crate::viewer::frame::{Frame, Place, Zoom};
use crate::windows::{OperatorWindow, RemoteScreen, Session, ViewTile};

/// A made-up desktop of a made-up customer, 1280x800.
const DESKTOP: &[u8] = include_bytes!("../../mock/desktop.png");

/// # Errors
/// No desktop to show the window on.
pub fn run(lang: Lang, first: &str) -> Result<(), Fault> {
    let window = open_window()?;
    let scenes = Rc::new(scenes::all(lang, Shade::Desktop));
    let first = scenes.iter().position(|scene| scene.name == first).unwrap_or_default();
    let place = Rc::new(Cell::new(first));
    picture(&window);
    show(&scenes[first], &window);
    let shown = window.as_weak();
    let held = Cell::new(ModifiersState::empty());
    window.window().on_winit_window_event(move |_, event| {
        if let WindowEvent::ModifiersChanged(modifiers) = event {
            held.set(modifiers.state());
        }
        let WindowEvent::KeyboardInput { event, .. } = event else { return EventResult::Propagate };
        if event.state != ElementState::Pressed || !held.get().control_key() {
            return EventResult::Propagate;
        }
        let count = scenes.len();
        let next = match event.physical_key {
            PhysicalKey::Code(KeyCode::ArrowRight) => (place.get() + 1) % count,
            PhysicalKey::Code(KeyCode::ArrowLeft) => (place.get() + count - 1) % count,
            PhysicalKey::Code(_) | PhysicalKey::Unidentified(_) => return EventResult::Propagate,
        };
        place.set(next);
        if let Some(window) = shown.upgrade() {
            show(&scenes[next], &window);
        }
        EventResult::PreventDefault
    });
    window.run().map_err(|why| no_window(&why))
}

/// Shows a state, with what is not of the model: its picture, and the open chat.
pub fn show(scene: &Scene, window: &OperatorWindow) {
    view::show(&scene.model, window);
    let seen = scene.model.current().is_some_and(|tab| tab.view.first_ms.is_some());
    let remote = window.global::<RemoteScreen<'_>>();
    remote.set_any(seen);
    let talks = scene.model.current().is_some_and(|tab| !tab.chat.is_empty());
    window.global::<Session<'_>>().set_chat_shown(talks);
}

/// Lays the made-up desktop into the window's view, as a session's picture would lie.
pub fn picture(window: &OperatorWindow) {
    let Some(desktop) = decode() else { return };
    let remote = window.global::<RemoteScreen<'_>>();
    let shown = window.as_weak();
    remote.on_resized(move |width, height| {
        if let Some(window) = shown.upgrade() {
            let view = Extent { width: width as u16, height: height as u16 };
            lay(&desktop, view, &window.global::<RemoteScreen<'_>>());
        }
    });
}

fn lay(desktop: &SharedPixelBuffer<Rgba8Pixel>, view: Extent, remote: &RemoteScreen<'_>) {
    let source = Extent { width: desktop.width() as u16, height: desktop.height() as u16 };
    let frame = Frame::lay(source, view, Zoom::Fit, Place::default());
    if frame.target.is_empty() {
        return;
    }
    let mut tiling = Tiling::new(source, frame.target);
    let tiles: Vec<_> = tiling.tiles().collect();
    let shown = tiles.into_iter().map(|tile| {
        let mut pixels = SharedPixelBuffer::<Rgb8Pixel>::new(tile.width.into(), tile.height.into());
        tiling.paint(desktop.as_bytes(), tile, pixels.make_mut_bytes());
        ViewTile {
            x: f32::from(tile.left),
            y: f32::from(tile.top),
            width: f32::from(tile.width),
            height: f32::from(tile.height),
            picture: Image::from_rgb8(pixels),
        }
    });
    remote.set_tiles(ModelRc::new(VecModel::from(shown.collect::<Vec<_>>())));
    remote.set_x(frame.corner.x as f32);
    remote.set_y(frame.corner.y as f32);
    remote.set_width(frame.target.width.into());
    remote.set_height(frame.target.height.into());
}

fn decode() -> Option<SharedPixelBuffer<Rgba8Pixel>> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(DESKTOP));
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::ALPHA);
    let mut reader = decoder.read_info().ok()?;
    let mut rgba = vec![0; reader.output_buffer_size()?];
    let info = reader.next_frame(&mut rgba).ok()?;
    Some(SharedPixelBuffer::clone_from_slice(&rgba[..info.buffer_size()], info.width, info.height))
}
