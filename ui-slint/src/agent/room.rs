//! How much of its monitor the window takes to show the operator's screen.

use slint::winit_030::WinitWindowAccessor;
use slint::winit_030::winit::dpi::PhysicalPosition;

/// Room for the operator's screen, in logical pixels.
const PICTURE: (f32, f32) = (1000.0, 720.0);
/// What a window manager may draw above and below, in logical pixels.
const FRAME: f32 = 48.0;

/// Grows for the picture, no further than the monitor, and stays on it.
pub(super) fn make(window: &slint::Window) {
    let scale = window.scale_factor();
    let (mut width, mut height) = (PICTURE.0 * scale, PICTURE.1 * scale);
    window.with_winit_window(|winit| {
        let Some(monitor) = winit.current_monitor() else { return };
        let (corner, room) = (monitor.position(), monitor.size());
        width = width.min(room.width as f32);
        height = height.min(room.height as f32 - FRAME * scale);
        let Ok(at) = winit.outer_position() else { return };
        let last = |start: i32, room: u32, length: f32| start + (room as f32 - length).max(0.0) as i32;
        let x = at.x.min(last(corner.x, room.width, width));
        let y = at.y.min(last(corner.y, room.height, height + FRAME * scale));
        winit.set_outer_position(PhysicalPosition::new(x.max(corner.x), y.max(corner.y)));
    });
    window.set_size(slint::PhysicalSize::new(width as u32, height as u32));
}
