//! This very program's windows, those of other agents, and those of the terminals in which agents
//! ask: no act of a viewer lands on them (T2, T33).
//!
//! Decides whose a window is, by the process that the display knows behind it. Who asks for consent
//! or shows the banner and who injects is one program, so that no list of windows is handed about.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use x11rb::protocol::res::{self, ClientIdMask, ClientIdSpec, ConnectionExt as _};
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _, Window};

use super::connection::{Desktop, lost, refused};
use super::terminal;
use crate::screen::ScreenError;

/// Frames, the window and its parts; deeper is nothing of ours.
const DEEPEST: usize = 8;

/// How long it is taken as known which programs draw this one's terminal. Finding out costs some
/// milliseconds, and terminals seldom move to other windows.
const KNOWN_FOR: Duration = Duration::from_secs(1);

/// Whose windows are not to be touched, as found at some moment.
#[derive(Debug, Default)]
pub(super) struct Own {
    terminal: BTreeSet<u32>,
    looked: Option<Instant>,
}

impl Own {
    /// Whether the pointer is over a window of this program or of a terminal in which one asks.
    pub(super) fn is_under_pointer(&mut self, desktop: &Desktop) -> Result<bool, ScreenError> {
        self.is_pointed_at(desktop, desktop.root)
    }

    /// Whether the pointer is inside `window`, and there over a window of ours.
    fn is_pointed_at(&mut self, desktop: &Desktop, window: Window) -> Result<bool, ScreenError> {
        let mut place = desktop.root;
        let mut inside = place == window;
        for _ in 0..DEEPEST {
            let pointer = desktop.connection.query_pointer(place).map_err(lost)?;
            // A window that went away meanwhile is nobody's.
            let Ok(pointer) = pointer.reply() else { return Ok(false) };
            if pointer.child == x11rb::NONE {
                return Ok(false);
            }
            place = pointer.child;
            inside |= place == window;
            if inside && self.has(desktop, place)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether keys go to such a window.
    pub(super) fn has_focus(&mut self, desktop: &Desktop) -> Result<bool, ScreenError> {
        let c = &desktop.connection;
        let focus = c.get_input_focus().map_err(lost)?.reply().map_err(refused("focus"))?.focus;
        // 0 and 1: nowhere, and wherever the pointer is. Keys of a window go on to the one inside it
        // that the pointer is over.
        match focus {
            0 => Ok(false),
            1 => self.is_under_pointer(desktop),
            window => Ok(self.has(desktop, window)? || self.is_pointed_at(desktop, window)?),
        }
    }

    fn has(&mut self, desktop: &Desktop, window: Window) -> Result<bool, ScreenError> {
        let process = match desktop.has(res::X11_EXTENSION_NAME)? {
            true => by_display(desktop, window)?,
            false => by_window(desktop, window)?,
        };
        let Some(process) = process else { return Ok(false) };
        if process == std::process::id() {
            return Ok(true);
        }
        if self.looked.is_none_or(|looked| looked.elapsed() > KNOWN_FOR) {
            self.terminal = terminal::asking(std::process::id(), &clients(desktop, process)?);
            self.looked = Some(Instant::now());
        }
        Ok(self.terminal.contains(&process))
    }
}

/// The programs of this machine that have a connection to the display; where it does not tell, the
/// one that is asked about.
fn clients(desktop: &Desktop, asked: u32) -> Result<BTreeSet<u32>, ScreenError> {
    if !desktop.has(res::X11_EXTENSION_NAME)? {
        return Ok(BTreeSet::from([asked]));
    }
    let all = ClientIdSpec { client: 0, mask: ClientIdMask::LOCAL_CLIENT_PID };
    let reply = desktop.connection.res_query_client_ids(&[all]).map_err(lost)?.reply();
    let ids = reply.map_err(refused("clients of the display"))?.ids;
    Ok(ids.iter().filter_map(|id| id.value.first().copied()).collect())
}

/// As the display itself knows it, of clients on this machine.
fn by_display(desktop: &Desktop, window: Window) -> Result<Option<u32>, ScreenError> {
    let asked = ClientIdSpec { client: window, mask: ClientIdMask::LOCAL_CLIENT_PID };
    let reply = desktop.connection.res_query_client_ids(&[asked]).map_err(lost)?.reply();
    Ok(reply.ok().and_then(|reply| reply.ids.first().and_then(|id| id.value.first().copied())))
}

/// As the window says of itself, where the display knows nothing.
fn by_window(desktop: &Desktop, window: Window) -> Result<Option<u32>, ScreenError> {
    let c = &desktop.connection;
    let atom =
        c.intern_atom(false, b"_NET_WM_PID").map_err(lost)?.reply().map_err(refused("an atom"))?;
    let told =
        c.get_property(false, window, atom.atom, AtomEnum::CARDINAL, 0, 1).map_err(lost)?.reply();
    Ok(told.ok().and_then(|told| told.value32().and_then(|mut values| values.next())))
}
