//! The picture of the session that is looked at.
//!
//! Decides which picture is shown, how large, and what of this keyboard goes there.

use tasuki_peer::shell::desktop::Viewer;

use super::model::{Model, Tab, TabId};
use super::preferences::{Grab, Keyboard};
use crate::viewer::capture::Allowed;
use crate::viewer::frame::Zoom;
use crate::viewer::watching::{self, Grabbing, Keys};

/// What the picture is to be like.
pub(super) struct Look {
    pub picture: Option<(TabId, Viewer)>,
    pub zoom: Zoom,
    pub allowed: Allowed,
    pub keyboard: watching::Keyboard,
}

impl Look {
    pub(super) fn of(model: &Model, pictures: &[(TabId, Viewer)]) -> Self {
        let tab = model.current().filter(|tab| tab.is_live() && tab.watches());
        let picture = tab.and_then(|tab| pictures.iter().find(|(id, _)| *id == tab.id).cloned());
        let keys = match model.preferences.keyboard {
            Keyboard::Places => Keys::Places,
            Keyboard::Letters => Keys::Letters,
        };
        let reach = match model.preferences.grab {
            Grab::All => Grabbing::AllKeys,
            Grab::OwnKeysOnly => Grabbing::WindowsKeysOnly,
        };
        let allowed = if tab.is_some_and(Tab::operates) { Allowed::Yes } else { Allowed::No };
        Self {
            picture,
            zoom: tab.map(|tab| tab.view.zoom).unwrap_or_default(),
            allowed,
            keyboard: watching::Keyboard { keys, reach },
        }
    }
}
