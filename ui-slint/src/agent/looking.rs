//! How the person looks at the operator's screen (Share, Show): its size in the window.
//!
//! Asks nobody: it is this window's affair alone.

use super::model::{Model, Page};
use crate::viewer::frame::Zoom;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Look {
    pub zoom: Zoom,
    pub full: bool,
    /// Of the monitor that is shown, in pixels.
    pub size: Option<(u16, u16)>,
}

/// A change of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked {
    Zoom(Zoom),
    Full(bool),
    Size(Option<(u16, u16)>),
}

impl Look {
    pub(super) fn change(&mut self, how: Looked) {
        match how {
            Looked::Zoom(zoom) => self.zoom = zoom,
            Looked::Full(full) => self.full = full,
            Looked::Size(size) => self.size = size,
        }
    }
}

impl Model {
    /// With the session it is over, and the screen is the person's again.
    pub fn look(&self) -> Look {
        match &self.page {
            Page::Live(live) if !live.is_seen() => live.look,
            Page::Live(_)
            | Page::Trouble(_)
            | Page::Number(_)
            | Page::Connecting(_)
            | Page::Asking(_)
            | Page::Ended(_) => Look::default(),
        }
    }
}
