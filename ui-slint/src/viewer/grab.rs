//! The keyboard of an X11 display, for the remote picture alone, as long as the
//! window has the focus.
//!
//! A connection of its own asks the X server for all keys, those of the window
//! manager among them (Alt+Tab, Super), and reads places instead of letters. Decides
//! when the grab must end; what the keys mean is for [`super::hands`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tasuki_protocol::input::{KeyAction, PhysicalKey};
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xkb::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask,
    GrabMode, GrabStatus, NotifyDetail, NotifyMode, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;

use super::keys;

/// What the X server tells about the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    Key(PhysicalKey, KeyAction),
    /// Another window has the focus now; the grab is over.
    FocusLost,
    FocusGained,
}

/// Ends with the window: a dropped grab gives the keyboard back.
#[derive(Debug)]
pub struct KeyboardGrab {
    connection: Arc<RustConnection>,
    window: Window,
    /// An unmapped window of ours, to wake the reading thread at the end.
    bell: Window,
    held: Arc<AtomicBool>,
}

impl KeyboardGrab {
    /// Listens at `window` of the display named in the environment. `None` where there
    /// is no X server: keys then come from the window alone.
    pub fn open(window: u32, heard: impl Fn(Heard) + Send + 'static) -> Option<Self> {
        let (connection, screen) = x11rb::connect(None).ok()?;
        let root = connection.setup().roots.get(screen)?.root;
        let bell = connection.generate_id().ok()?;
        connection
            .create_window(
                0,
                bell,
                root,
                -1,
                -1,
                1,
                1,
                0,
                WindowClass::INPUT_ONLY,
                0,
                &CreateWindowAux::new(),
            )
            .ok()?;
        ask_for_whole_strokes(&connection);
        let focus = ChangeWindowAttributesAux::new().event_mask(EventMask::FOCUS_CHANGE);
        connection.change_window_attributes(window, &focus).ok()?.check().ok()?;
        let connection = Arc::new(connection);
        let held = Arc::new(AtomicBool::new(false));
        let reader = Reader { connection: Arc::clone(&connection), bell, held: Arc::clone(&held) };
        std::thread::Builder::new()
            .name("tasuki-keys".to_owned())
            .spawn(move || reader.read(heard))
            .ok()?;
        Some(Self { connection, window, bell, held })
    }

    /// Asks for all keys. `false` where another program has them; the window's own
    /// keys still come.
    pub fn hold(&self) -> bool {
        if self.is_held() {
            return true;
        }
        if !self.has_focus() {
            return false;
        }
        let asked = self.connection.grab_keyboard(
            false,
            self.window,
            x11rb::CURRENT_TIME,
            GrabMode::ASYNC,
            GrabMode::ASYNC,
        );
        let reply = asked.ok().and_then(|cookie| cookie.reply().ok());
        let held = reply.is_some_and(|reply| reply.status == GrabStatus::SUCCESS);
        self.held.store(held, Ordering::SeqCst);
        held
    }

    pub fn let_go(&self) {
        if self.held.swap(false, Ordering::SeqCst) {
            let _ = self.connection.ungrab_keyboard(x11rb::CURRENT_TIME);
            let _ = self.connection.flush();
        }
    }

    pub fn is_held(&self) -> bool {
        self.held.load(Ordering::SeqCst)
    }

    /// Whether the X server sends keys to the window (or to a part of it).
    pub fn has_focus(&self) -> bool {
        let focus = self.connection.get_input_focus().ok().and_then(|cookie| cookie.reply().ok());
        let Some(focus) = focus.map(|reply| reply.focus) else { return false };
        if focus == self.window {
            return true;
        }
        let tree = self.connection.query_tree(self.window).ok().and_then(|cookie| cookie.reply().ok());
        tree.is_some_and(|tree| tree.children.contains(&focus))
    }
}

impl Drop for KeyboardGrab {
    fn drop(&mut self) {
        self.let_go();
        let ring = ClientMessageEvent::new(32, self.bell, 1u32, [0u32; 5]);
        let _ = self.connection.send_event(false, self.bell, EventMask::NO_EVENT, ring);
        let _ = self.connection.flush();
    }
}

/// A held key repeats as presses alone, so that it does not come up at the host.
fn ask_for_whole_strokes(connection: &RustConnection) {
    let detectable = xkb::PerClientFlag::DETECTABLE_AUTO_REPEAT;
    let asked = connection.xkb_use_extension(1, 0).ok().and_then(|cookie| cookie.reply().ok());
    if asked.is_some_and(|reply| reply.supported) {
        let none = xkb::BoolCtrl::default();
        let keyboard = xkb::ID::USE_CORE_KBD.into();
        let set = connection.xkb_per_client_flags(keyboard, detectable, detectable, none, none, none);
        let _ = set.map(|cookie| cookie.reply());
    }
}

struct Reader {
    connection: Arc<RustConnection>,
    bell: Window,
    held: Arc<AtomicBool>,
}

impl Reader {
    fn read(self, heard: impl Fn(Heard)) {
        while let Ok(event) = self.connection.wait_for_event() {
            if let Event::ClientMessage(message) = &event
                && message.window == self.bell
            {
                return;
            }
            if let Some(told) = self.told(&event) {
                heard(told);
            }
        }
    }

    fn told(&self, event: &Event) -> Option<Heard> {
        if let Event::KeyPress(key) = event {
            return keys::x_place(key.detail.into()).map(|place| Heard::Key(place, KeyAction::Press));
        }
        if let Event::KeyRelease(key) = event {
            return keys::x_place(key.detail.into()).map(|place| Heard::Key(place, KeyAction::Release));
        }
        if let Event::FocusIn(focus) = event
            && is_real(focus.mode, focus.detail)
        {
            return Some(Heard::FocusGained);
        }
        if let Event::FocusOut(focus) = event
            && is_real(focus.mode, focus.detail)
        {
            if self.held.swap(false, Ordering::SeqCst) {
                let _ = self.connection.ungrab_keyboard(x11rb::CURRENT_TIME);
                let _ = self.connection.flush();
            }
            return Some(Heard::FocusLost);
        }
        None
    }
}

/// Not the grab's own doing, and not a step between the window and its parts.
fn is_real(mode: NotifyMode, detail: NotifyDetail) -> bool {
    matches!(mode, NotifyMode::NORMAL | NotifyMode::WHILE_GRABBED)
        && !matches!(
            detail,
            NotifyDetail::INFERIOR | NotifyDetail::POINTER | NotifyDetail::POINTER_ROOT
        )
}
