//! This very program's windows: no act of a viewer lands on them (T2, T33).
//!
//! Decides whose a window is, by the process that the display knows behind it. Who asks for consent
//! or shows the banner and who injects is one program, so that no list of windows is handed about.

use x11rb::protocol::res::{self, ClientIdMask, ClientIdSpec, ConnectionExt as _};
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _, Window};

use super::connection::{Desktop, lost, refused};
use crate::screen::ScreenError;

/// Frames, the window and its parts; deeper is nothing of ours.
const DEEPEST: usize = 8;

/// Whether the pointer is over a window of this program.
pub(super) fn is_under_pointer(desktop: &Desktop) -> Result<bool, ScreenError> {
    let mut window = desktop.root;
    for _ in 0..DEEPEST {
        let pointer = desktop.connection.query_pointer(window).map_err(lost)?;
        // A window that went away meanwhile is nobody's.
        let Ok(pointer) = pointer.reply() else { return Ok(false) };
        if pointer.child == x11rb::NONE {
            return Ok(false);
        }
        window = pointer.child;
        if is_ours(desktop, window)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether keys go to a window of this program.
pub(super) fn has_focus(desktop: &Desktop) -> Result<bool, ScreenError> {
    let c = &desktop.connection;
    let focus = c.get_input_focus().map_err(lost)?.reply().map_err(refused("focus"))?.focus;
    // 0 and 1: nowhere, and wherever the pointer is.
    match focus {
        0 => Ok(false),
        1 => is_under_pointer(desktop),
        window => is_ours(desktop, window),
    }
}

fn is_ours(desktop: &Desktop, window: Window) -> Result<bool, ScreenError> {
    let process = match desktop.has(res::X11_EXTENSION_NAME)? {
        true => by_display(desktop, window)?,
        false => by_window(desktop, window)?,
    };
    Ok(process == Some(std::process::id()))
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
