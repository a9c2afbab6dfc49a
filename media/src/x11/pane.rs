//! A pane in a window of this program's, on which finished pixels are shown without its toolkit.
//!
//! A child of that window to which no key, pointer or drag ever comes: the window has them as if nothing lay over it.
//! Decides nothing of what is seen on it.

use std::os::fd::{AsFd, OwnedFd};

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::shape::{self, ConnectionExt as _, SK, SO};
use x11rb::protocol::xproto::{
    ClipOrdering, ConfigureWindowAux, ConnectionExt as _, CreateGCAux, CreateWindowAux, EventMask,
    Gcontext, ImageOrder, Rectangle, VisualClass, Visualid, Window, WindowClass,
};

use super::connection::{Desktop, lost, refused};
use super::shm::Segment;
use crate::screen::ScreenError;

/// Of a pixel: blue, green, red, and one that nobody looks at unless windows can be seen through.
const PIXEL: usize = 4;
/// A sheet grows by so much: a window is drawn larger a few pixels at a time.
const GROWTH: usize = 1 << 20;

/// Gone from the screen when dropped.
#[derive(Debug)]
pub struct Pane {
    desktop: Desktop,
    window: Window,
    context: Gcontext,
    depth: u8,
    sheet: Option<Segment>,
    corner: (i16, i16),
    size: (u16, u16),
    is_seen: Seen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    No,
    Yes,
}

impl Pane {
    /// Over a part of `parent`, a window of the display named in the environment; not seen yet. `None` where the
    /// server is remote, or takes other pixels.
    ///
    /// # Errors
    /// [`ScreenError`] without such a display or window.
    pub fn over(parent: u32) -> Result<Option<Self>, ScreenError> {
        Self::over_at(None, parent)
    }

    /// `display` as in DISPLAY.
    ///
    /// # Errors
    /// As [`Self::over`].
    pub fn over_at(display: Option<&str>, parent: u32) -> Result<Option<Self>, ScreenError> {
        let desktop = Desktop::connect(display)?;
        desktop.require(shape::X11_EXTENSION_NAME, "SHAPE")?;
        let c = &desktop.connection;
        let version = c.shape_query_version().map_err(lost)?.reply().map_err(refused("SHAPE"))?;
        let facts =
            c.get_window_attributes(parent).map_err(lost)?.reply().map_err(refused("its window"))?;
        let size = c.get_geometry(parent).map_err(lost)?.reply().map_err(refused("its window"))?;
        let takes_input = (version.major_version, version.minor_version) < (1, 1);
        if takes_input || !has_our_pixels(&desktop, facts.visual) {
            return Ok(None);
        }
        let Some(sheet) = Segment::share(&desktop, GROWTH)? else { return Ok(None) };
        let name = || c.generate_id().map_err(super::connection::no_id);
        let (window, context) = (name()?, name()?);
        // Without a background: what was there is seen until something is shown.
        let wish = CreateWindowAux::new().event_mask(EventMask::EXPOSURE);
        let made = c
            .create_window(0, window, parent, 0, 0, 1, 1, 0, WindowClass::INPUT_OUTPUT, 0, &wish)
            .map_err(lost)?;
        made.check().map_err(refused("a pane"))?;
        // The pointer is over the window below, always.
        let nowhere = ClipOrdering::UNSORTED;
        c.shape_rectangles(SO::SET, SK::INPUT, nowhere, window, 0, 0, &[]).map_err(lost)?;
        c.create_gc(context, window, &CreateGCAux::new().graphics_exposures(0)).map_err(lost)?;
        let (sheet, depth, corner, size) = (Some(sheet), size.depth, (0, 0), (1, 1));
        Ok(Some(Self { desktop, window, context, depth, sheet, corner, size, is_seen: Seen::No }))
    }

    /// Where its corner lies in its window, and its size, from the next [`Self::put`] on, which is to show all of it. Whether it is seen
    /// elsewhere now, so that something comes to light then.
    ///
    /// # Errors
    /// [`ScreenError::NoSharedMemory`], [`ScreenError::Lost`]; [`ScreenError::Refused`] for an empty place.
    pub fn lay(&mut self, corner: (i16, i16), size: (u16, u16)) -> Result<bool, ScreenError> {
        if size.0 == 0 || size.1 == 0 {
            return Err(ScreenError::Refused { request: "an empty pane" });
        }
        let is_elsewhere = (self.corner, self.size) != (corner, size);
        if self.sheet.as_ref().is_none_or(|sheet| sheet.length() < bytes(size)) {
            if let Some(small) = self.sheet.take() {
                small.give_back(&self.desktop);
            }
            let sheet = Segment::share(&self.desktop, bytes(size).next_multiple_of(GROWTH))?;
            self.sheet = Some(sheet.ok_or(ScreenError::NoSharedMemory)?);
        }
        if is_elsewhere {
            let wish = ConfigureWindowAux::new()
                .x(i32::from(corner.0))
                .y(i32::from(corner.1))
                .width(u32::from(size.0))
                .height(u32::from(size.1));
            self.desktop.connection.configure_window(self.window, &wish).map_err(lost)?;
            (self.corner, self.size) = (corner, size);
        }
        let moves = self.is_seen == Seen::Yes && is_elsewhere;
        if self.is_seen == Seen::No {
            self.desktop.connection.map_window(self.window).map_err(lost)?;
            self.is_seen = Seen::Yes;
        }
        Ok(moves)
    }

    /// Its pixels, row by row: blue, green, red and 255 each. Seen once they are put.
    pub fn pixels(&mut self) -> &mut [u8] {
        match &mut self.sheet {
            Some(sheet) => &mut sheet.pixels()[..bytes(self.size)],
            None => &mut [],
        }
    }

    /// Shows these parts of the pixels. Over when the server has them.
    ///
    /// # Errors
    /// [`ScreenError::Refused`] when its window is gone.
    pub fn put(&mut self, parts: &[Rectangle]) -> Result<(), ScreenError> {
        let Some(sheet) = &mut self.sheet else { return Ok(()) };
        sheet.put(&self.desktop, (self.window, self.context, self.depth), self.size, parts)
    }

    /// Takes it away; over when it is. Whether it was there: what lies below stands as it stood before.
    pub fn hide(&mut self) -> bool {
        let was_seen = std::mem::replace(&mut self.is_seen, Seen::No) == Seen::Yes;
        if was_seen && let Ok(hidden) = self.desktop.connection.unmap_window(self.window) {
            let _ = hidden.check();
        }
        was_seen
    }

    /// Whether pixels of it were lost since the last call, as under another window: they are to be put again.
    ///
    /// # Errors
    /// [`ScreenError::Lost`] when the display is gone.
    pub fn has_lost_pixels(&mut self) -> Result<bool, ScreenError> {
        let mut lost = false;
        while let Some(event) = self.desktop.arrived()? {
            lost |= matches!(event, Event::Expose(_));
        }
        Ok(lost)
    }

    /// Can be read when [`Self::has_lost_pixels`] may have something new to tell.
    ///
    /// # Errors
    /// [`ScreenError::Lost`] when this process may open no more.
    pub fn told(&self) -> Result<OwnedFd, ScreenError> {
        let fd = self.desktop.connection.stream().as_fd();
        fd.try_clone_to_owned().map_err(|_| ScreenError::Lost)
    }
}

fn bytes((width, height): (u16, u16)) -> usize {
    usize::from(width) * usize::from(height) * PIXEL
}

/// Eight bits each of blue, green and red, in this order in memory.
fn has_our_pixels(desktop: &Desktop, visual: Visualid) -> bool {
    let setup = desktop.connection.setup();
    let depths = setup.roots.iter().flat_map(|screen| &screen.allowed_depths);
    let mut of_this = depths.filter_map(|depth| {
        let kind = depth.visuals.iter().find(|kind| kind.visual_id == visual)?;
        let format = setup.pixmap_formats.iter().find(|format| format.depth == depth.depth)?;
        Some((kind, format.bits_per_pixel))
    });
    setup.image_byte_order == ImageOrder::LSB_FIRST
        && of_this.next().is_some_and(|(kind, bits)| {
            let masks = [kind.red_mask, kind.green_mask, kind.blue_mask];
            kind.class == VisualClass::TRUE_COLOR && bits == 32 && masks == [0xFF_0000, 0xFF00, 0xFF]
        })
}
