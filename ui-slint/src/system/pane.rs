//! A pane of an X server, and which window it can lie over.

use std::io::ErrorKind;
use std::os::unix::net::UnixStream as Blocking;

use slint::winit_030::winit::raw_window_handle::{HasWindowHandle, RawWindowHandle};
use slint::winit_030::winit::window::Window;
use tasuki_media::screen::ScreenError;
use tasuki_media::x11;
use tokio::io::Interest;
use tokio::net::UnixStream;
use x11rb::protocol::xproto::Rectangle;

/// What the X server calls this window; none on Wayland.
pub(crate) fn name_of(window: &Window) -> Option<u32> {
    let handle = window.window_handle().ok()?.as_raw();
    if let RawWindowHandle::Xlib(handle) = handle {
        return u32::try_from(handle.window).ok();
    }
    if let RawWindowHandle::Xcb(handle) = handle { Some(handle.window.get()) } else { None }
}

/// A part of a window on which finished pixels are shown without the toolkit.
#[derive(Debug)]
pub(crate) struct Pane {
    pane: x11::Pane,
    /// Another end of what is read by the pane alone.
    told: UnixStream,
}

impl Pane {
    /// Within a runtime. `None` where there is none to be had.
    pub(crate) fn over(window: u32) -> Option<Self> {
        let pane = x11::Pane::over(window).ok()??;
        let told = UnixStream::from_std(Blocking::from(pane.told().ok()?)).ok()?;
        Some(Self { pane, told })
    }

    /// Where in its window; whether something of that comes to light.
    pub(crate) fn lay(&mut self, corner: (i16, i16), size: (u16, u16)) -> Result<bool, ScreenError> {
        self.pane.lay(corner, size)
    }

    /// Blue, green, red and 255 each.
    pub(crate) fn pixels(&mut self) -> &mut [u8] {
        self.pane.pixels()
    }

    /// Shows parts of the pixels: left, top, width and height.
    pub(crate) fn put(&mut self, parts: &[[u16; 4]]) -> Result<(), ScreenError> {
        let part =
            |[x, y, width, height]: [u16; 4]| Rectangle { x: x as i16, y: y as i16, width, height };
        self.pane.put(&parts.iter().copied().map(part).collect::<Vec<_>>())
    }

    /// Whether it was seen.
    pub(crate) fn hide(&mut self) -> bool {
        self.pane.hide()
    }

    /// Until pixels of it were lost, or all of them are.
    pub(crate) async fn lost_pixels(&mut self) {
        while let Ok(false) = self.pane.has_lost_pixels() {
            if self.told.readable().await.is_err() {
                return;
            }
            // It is to tell again when there is more than what is looked at now.
            let nothing: std::io::Result<()> = Err(ErrorKind::WouldBlock.into());
            let _ = self.told.try_io(Interest::READABLE, || nothing);
        }
    }
}
