//! How the person looks at the operator's screen (Share, Show): its size in the window, and what its picture tells.
//!
//! Asks nobody: it is this window's affair alone.

use std::rc::Rc;

use tasuki_peer::core::io::HumanAct;

use super::model::{Model, Msg, Page};
use super::running::Program;
use crate::viewer::frame::Zoom;
use crate::viewer::screen::Told;
use crate::windows::Agent;

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

pub(super) fn show(look: Look, agent: &Agent<'_>) {
    agent.set_fit(look.zoom == Zoom::Fit);
    agent.set_full_screen(look.full);
    let size = look.size.map(|(width, height)| format!("{width} × {height}"));
    agent.set_size(size.unwrap_or_default().into());
}

impl Program {
    pub(super) fn told(self: &Rc<Self>, told: Told) {
        match told {
            Told::Act(event) => self.act(HumanAct::Operate(event)),
            Told::Layout(layout) => {
                let size = layout.shown_monitor().map(|monitor| (monitor.width, monitor.height));
                self.dispatch(Msg::Looked(Looked::Size(size)));
            }
            Told::Reach(_) => {}
        }
    }
}
