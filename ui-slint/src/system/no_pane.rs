//! Where a window's pixels are its toolkit's alone.

use slint::winit_030::winit::window::Window;
use tasuki_media::screen::ScreenError;

pub(crate) fn name_of(_: &Window) -> Option<u32> {
    None
}

/// There is none.
#[derive(Debug)]
pub(crate) enum Pane {}

impl Pane {
    pub(crate) fn over(_: u32) -> Option<Self> {
        None
    }

    pub(crate) fn lay(&mut self, _: (i16, i16), _: (u16, u16)) -> Result<bool, ScreenError> {
        match *self {}
    }

    pub(crate) fn pixels(&mut self) -> &mut [u8] {
        match *self {}
    }

    pub(crate) fn put(&mut self, _: &[[u16; 4]]) -> Result<(), ScreenError> {
        match *self {}
    }

    pub(crate) fn hide(&mut self) -> bool {
        match *self {}
    }

    #[expect(clippy::unused_async, reason = "as where there are panes")]
    pub(crate) async fn lost_pixels(&mut self) {
        match *self {}
    }
}
