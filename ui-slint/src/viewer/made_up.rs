//! A made-up screen of another computer, with its cursor: for `--mock`, the pictures and the tests.
//!
//! Laid into a window's view as a session's picture would lie. Decides nothing.

use slint::{
    ComponentHandle, Global, Image, ModelRc, Rgb8Pixel, Rgba8Pixel, SharedPixelBuffer, VecModel,
};
use tasuki_media::tiling::{Extent, Tiling};

use super::frame::{Frame, Place, Zoom};
use crate::windows::{RemoteScreen, ViewTile};

/// A made-up desktop, 1280x800.
const DESKTOP: &[u8] = include_bytes!("../../mock/desktop.png");
/// Of the cursor's tip, on the button of the made-up desktop's message.
const AT: (u16, u16) = (826, 472);
const ARROW: [&[u8; 12]; 19] = [
    b"X           ",
    b"XX          ",
    b"XoX         ",
    b"XooX        ",
    b"XoooX       ",
    b"XooooX      ",
    b"XoooooX     ",
    b"XooooooX    ",
    b"XoooooooX   ",
    b"XooooooooX  ",
    b"XoooooooooX ",
    b"XooooooXXXXX",
    b"XoooXooX    ",
    b"XooXXooX    ",
    b"XoX  XooX   ",
    b"XX   XooX   ",
    b"X     XooX  ",
    b"      XooX  ",
    b"       XX   ",
];

/// Lays it into the window's view, now and whenever that changes its size.
pub fn lay_into<W: ComponentHandle + 'static>(window: &W)
where
    for<'a> RemoteScreen<'a>: Global<'a, W>,
{
    let Some(desktop) = decode() else { return };
    let remote = window.global::<RemoteScreen<'_>>();
    let cursor = arrow();
    remote.set_cursor_width(cursor.width() as f32);
    remote.set_cursor_height(cursor.height() as f32);
    remote.set_cursor(Image::from_rgba8_premultiplied(cursor));
    let shown = window.as_weak();
    remote.on_resized(move |width, height| {
        if let Some(window) = shown.upgrade() {
            let view = Extent { width: width as u16, height: height as u16 };
            lay(&desktop, view, &window.global::<RemoteScreen<'_>>());
        }
    });
}

/// Whether there is a picture by now.
pub fn seen<W: ComponentHandle>(window: &W, seen: bool)
where
    for<'a> RemoteScreen<'a>: Global<'a, W>,
{
    let remote = window.global::<RemoteScreen<'_>>();
    remote.set_any(seen);
    remote.set_cursor_shown(seen);
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
    let tip = frame.seen(AT);
    remote.set_cursor_x((tip.x - frame.corner.x) as f32);
    remote.set_cursor_y((tip.y - frame.corner.y) as f32);
}

fn arrow() -> SharedPixelBuffer<Rgba8Pixel> {
    let rgba: Vec<u8> = ARROW
        .iter()
        .flat_map(|row| row.iter())
        .flat_map(|dot| match dot {
            b'X' => [0, 0, 0, 255],
            b'o' => [255; 4],
            _ => [0; 4],
        })
        .collect();
    SharedPixelBuffer::clone_from_slice(&rgba, 12, 19)
}

fn decode() -> Option<SharedPixelBuffer<Rgba8Pixel>> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(DESKTOP));
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::ALPHA);
    let mut reader = decoder.read_info().ok()?;
    let mut rgba = vec![0; reader.output_buffer_size()?];
    let info = reader.next_frame(&mut rgba).ok()?;
    Some(SharedPixelBuffer::clone_from_slice(&rgba[..info.buffer_size()], info.width, info.height))
}
