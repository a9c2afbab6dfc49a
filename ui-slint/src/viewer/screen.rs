//! The remote picture in one window: what was painted is shown, what hands do is told.
//!
//! Any window that has the `RemoteScreen` global can have one. Decides nothing that
//! [`super::frame`], [`super::hands`] or [`super::capture`] does not.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use slint::winit_030::winit::event::{ElementState, KeyEvent, WindowEvent};
use slint::winit_030::{EventResult, WinitWindowAccessor};
use slint::{ComponentHandle, Global, Timer, Weak};
use tasuki_peer::shell::desktop::Viewer;
use tasuki_protocol::input::{InputEvent, KeyAction};
use tasuki_protocol::screen::Layout;
use tokio::runtime::Handle;

use super::capture::{self, Allowed, Focus, Key};
use super::frame::Zoom;
use super::hands::Reach;
use super::keys;
use super::paint::{Painter, Ring, Spent};
use super::watching::{Keyboard, Stand, Watching};
use crate::system;
use crate::windows::RemoteScreen;

mod pull;

/// What the picture tells its program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    Act(InputEvent),
    Layout(Layout),
    /// Whether keys go to the host now.
    Reach(Reach),
}

/// Of one window; clones are the same screen.
pub struct Screen<W: ComponentHandle + 'static> {
    inner: Rc<Inner<W>>,
}

impl<W: ComponentHandle + 'static> Clone for Screen<W> {
    fn clone(&self) -> Self {
        Self { inner: Rc::clone(&self.inner) }
    }
}

struct Inner<W: ComponentHandle + 'static> {
    window: Weak<W>,
    runtime: Handle,
    state: RefCell<Watching>,
    /// While the picture moves under the hand.
    pulling: Timer,
    tell: Box<dyn Fn(Told)>,
}

impl<W: ComponentHandle + 'static> std::fmt::Debug for Screen<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Screen")
    }
}

impl<W> Screen<W>
where
    W: ComponentHandle + 'static,
    for<'a> RemoteScreen<'a>: Global<'a, W>,
{
    /// Takes over the window's picture. Its keys come by [`Self::window_event`], or [`Self::hearing`].
    pub fn attach(window: &W, runtime: Handle, tell: impl Fn(Told) + 'static) -> Self {
        let inner = Rc::new(Inner {
            window: window.as_weak(),
            runtime,
            state: RefCell::new(Watching::default()),
            pulling: Timer::default(),
            tell: Box::new(tell),
        });
        let screen = Self { inner };
        screen.wire_picture(window);
        screen.wire_pointer(window);
        // Of a focus that was there before, no event tells.
        if window.window().with_winit_window(|window| window.has_focus()) == Some(true) {
            screen.window_focus(true);
        }
        screen
    }

    /// The one who listens to everything that `window` receives, for which the toolkit has one place.
    pub fn hearing(self, window: &W) -> Self {
        let screen = self.clone();
        window.window().on_winit_window_event(move |_, event| screen.window_event(event));
        self
    }

    /// Shows `viewer`'s picture from now on; `None` shows none.
    pub fn watch(&self, viewer: Option<Viewer>) {
        let Some(window) = self.inner.window.upgrade() else { return };
        let let_go = self.inner.state.borrow_mut().leave();
        self.act(let_go);
        self.stand();
        let painter = viewer.map(|viewer| {
            let ring = self.inner.window.clone();
            Painter::start(viewer, self.inner.runtime.clone(), move |why| {
                let _ = ring.upgrade_in_event_loop(move |window| {
                    let remote = window.global::<RemoteScreen<'_>>();
                    match why {
                        Ring::Fresh => remote.invoke_fresh(),
                        Ring::Bared => remote.set_bared(!remote.get_bared()),
                    }
                });
            })
        });
        self.inner.state.borrow_mut().begin(painter, &window.global::<RemoteScreen<'_>>());
    }

    pub fn allow(&self, allowed: Allowed) {
        self.inner.state.borrow_mut().standing.allowed = allowed;
        self.stand();
    }

    pub fn zoom(&self, zoom: Zoom) {
        self.inner.state.borrow_mut().zoom(zoom);
    }

    pub fn keyboard(&self, keyboard: Keyboard) {
        self.inner.state.borrow_mut().keyboard = keyboard;
        self.stand();
    }

    /// What painting has cost so far.
    pub fn spent(&self) -> Spent {
        self.inner.state.borrow().spent()
    }

    fn wire_picture(&self, window: &W) {
        let remote = window.global::<RemoteScreen<'_>>();
        let screen = self.clone();
        remote.on_fresh(move || screen.fresh());
        let screen = self.clone();
        remote.on_heard(move || screen.heard());
        let screen = self.clone();
        remote.on_resized(move |width, height| {
            screen.restand(|stand| Stand { size: (width, height), ..stand });
        });
        let screen = self.clone();
        remote.on_placed(move |x, y, edge| {
            screen.restand(|stand| Stand { corner: (x, y), edge, ..stand });
        });
        let screen = self.clone();
        remote.on_uncovered(move |bare| {
            let bare = screen.system_name().filter(|_| bare);
            screen.restand(|stand| Stand { bare, ..stand });
        });
        let screen = self.clone();
        remote.on_moved(move |x, y| {
            screen.shift(x, y);
        });
        let screen = self.clone();
        remote.on_focused(move |here| {
            let focus = if here { Focus::Here } else { Focus::Elsewhere };
            screen.inner.state.borrow_mut().standing.picture = focus;
            screen.stand();
        });
    }

    fn wire_pointer(&self, window: &W) {
        let remote = window.global::<RemoteScreen<'_>>();
        let screen = self.clone();
        remote.on_pointed(move |x, y| screen.pointed(x, y));
        let screen = self.clone();
        remote.on_left_picture(move || {
            screen.inner.state.borrow_mut().pointer = None;
            screen.show_cursor();
        });
        let screen = self.clone();
        remote.on_pressed(move |button, x, y| {
            // A button is pressed where this end's pointer is, wherever the host's was meanwhile.
            screen.inner.state.borrow_mut().hands.forget_pointer();
            screen.pointed(x, y);
            let event = screen.inner.state.borrow_mut().press_button(keys::button(button));
            screen.act(event);
        });
        let screen = self.clone();
        remote.on_released(move |button| {
            let event = screen.inner.state.borrow_mut().hands.release_button(keys::button(button));
            screen.act(event);
        });
        let screen = self.clone();
        remote.on_scrolled(move |x, y| screen.scrolled(x, y));
    }

    /// Once the window exists.
    fn system_name(&self) -> Option<u32> {
        self.inner.window.upgrade()?.window().with_winit_window(system::name_of).flatten()
    }

    fn scale(&self) -> f32 {
        self.inner.window.upgrade().map_or(1.0, |window| window.window().scale_factor())
    }

    fn restand(&self, change: impl FnOnce(Stand) -> Stand) {
        let scale = self.scale();
        let mut state = self.inner.state.borrow_mut();
        let stand = change(state.stands());
        state.stand_at(stand, scale);
    }

    /// Newest wins: everything that was painted since is shown at once.
    fn fresh(&self) {
        let Some(window) = self.inner.window.upgrade() else { return };
        let remote = window.global::<RemoteScreen<'_>>();
        let before = self.inner.state.borrow().corner();
        let layout = self.inner.state.borrow_mut().show(&remote, window.window().scale_factor());
        if self.inner.state.borrow().corner() != before {
            let event = self.inner.state.borrow_mut().point_again();
            self.act(event);
        }
        // Slint would wait for its next round; a letter should not.
        let _ = window.window().with_winit_window(|window| window.request_redraw());
        if let Some(layout) = layout {
            (self.inner.tell)(Told::Layout(layout));
        }
    }

    fn show_cursor(&self) {
        if let Some(window) = self.inner.window.upgrade() {
            let remote = window.global::<RemoteScreen<'_>>();
            self.inner.state.borrow_mut().show_cursor(&remote, window.window().scale_factor());
        }
    }

    /// Where keys go is decided anew.
    fn stand(&self) {
        let Some(window) = self.inner.window.upgrade() else { return };
        let before = self.inner.state.borrow().hands.reach();
        let let_go = self.inner.state.borrow_mut().stand();
        self.act(let_go);
        let reach = self.inner.state.borrow().hands.reach();
        let remote = window.global::<RemoteScreen<'_>>();
        remote.set_reaching(reach == Reach::Host);
        self.show_cursor();
        if before != reach {
            (self.inner.tell)(Told::Reach(reach));
        }
    }

    /// Whatever the window receives, before anything else in it hears of that.
    pub fn window_event(&self, event: &WindowEvent) -> EventResult {
        if let WindowEvent::Focused(has) = event {
            return self.window_focus(*has);
        }
        if let WindowEvent::KeyboardInput { event, is_synthetic, .. } = event {
            return self.window_key(event, *is_synthetic);
        }
        if let WindowEvent::ScaleFactorChanged { .. } = event {
            // The toolkit hears of it only now, and what keeps its place by its own measure is told of by nobody.
            self.inner.state.borrow_mut().forget_scale();
            let screen = self.clone();
            Timer::single_shot(Duration::ZERO, move || screen.restand(|stand| stand));
        }
        EventResult::Propagate
    }

    fn window_focus(&self, has: bool) -> EventResult {
        self.open_grab();
        // An own grab looks like a loss of focus; the X server knows better.
        if !has && self.inner.state.borrow().grab_has_focus() {
            return EventResult::PreventDefault;
        }
        let focus = if has { Focus::Here } else { Focus::Elsewhere };
        self.inner.state.borrow_mut().standing.window = focus;
        self.stand();
        EventResult::Propagate
    }

    fn window_key(&self, event: &KeyEvent, is_synthetic: bool) -> EventResult {
        let pressed = event.state == ElementState::Pressed;
        let Some(place) = keys::place(event.physical_key) else { return EventResult::Propagate };
        if is_synthetic && pressed {
            return EventResult::Propagate;
        }
        let typed = (event.text.as_deref(), &event.logical_key);
        if pressed && let Some(letters) = self.inner.state.borrow().letters(typed) {
            self.act(Some(letters).filter(|text| !text.is_empty()).map(InputEvent::Text));
            return EventResult::PreventDefault;
        }
        let action = if pressed { KeyAction::Press } else { KeyAction::Release };
        let key = capture::key(&mut self.inner.state.borrow_mut().hands, place, action);
        self.key(key)
    }

    fn key(&self, key: Key) -> EventResult {
        match key {
            Key::Own => EventResult::Propagate,
            Key::Host(event) => {
                self.act(event);
                EventResult::PreventDefault
            }
            Key::WayOut(event) => {
                self.act(event);
                self.way_out();
                EventResult::PreventDefault
            }
        }
    }

    /// The next control of the window gets the focus, as by Tab.
    fn way_out(&self) {
        self.inner.state.borrow_mut().standing.picture = Focus::Elsewhere;
        self.stand();
        let Some(window) = self.inner.window.upgrade() else { return };
        let tab: slint::SharedString = slint::platform::Key::Tab.into();
        window.window().dispatch_event(slint::platform::WindowEvent::KeyPressed { text: tab.clone() });
        window.window().dispatch_event(slint::platform::WindowEvent::KeyReleased { text: tab });
    }

    fn act(&self, event: Option<InputEvent>) {
        if let Some(event) = event {
            (self.inner.tell)(Told::Act(event));
        }
    }
}

#[cfg(target_os = "linux")]
impl<W> Screen<W>
where
    W: ComponentHandle + 'static,
    for<'a> RemoteScreen<'a>: Global<'a, W>,
{
    /// Once the window exists on an X server.
    fn open_grab(&self) {
        // On Wayland a window cannot have all keys; those of its own still come.
        let Some(id) = self.system_name().filter(|_| self.inner.state.borrow().grab.is_none()) else {
            return;
        };
        let (told, heard) = std::sync::mpsc::sync_channel(KEYS);
        let ring = self.inner.window.clone();
        let grab = super::grab::KeyboardGrab::open(id, move |key| {
            if told.try_send(key).is_ok() {
                let _ = ring.upgrade_in_event_loop(|window| {
                    window.global::<RemoteScreen<'_>>().invoke_heard();
                });
            }
        });
        self.inner.state.borrow_mut().grab = grab.map(|grab| (grab, heard));
    }

    fn heard(&self) {
        use super::grab::Heard;
        loop {
            let heard = match &self.inner.state.borrow().grab {
                Some((_, heard)) => heard.try_recv().ok(),
                None => None,
            };
            match heard {
                None => return,
                Some(Heard::Key(place, action)) => {
                    let key = capture::key(&mut self.inner.state.borrow_mut().hands, place, action);
                    self.key(key);
                }
                Some(Heard::FocusLost) => {
                    self.inner.state.borrow_mut().standing.window = Focus::Elsewhere;
                    self.stand();
                }
                Some(Heard::FocusGained) => {
                    self.inner.state.borrow_mut().standing.window = Focus::Here;
                    self.stand();
                }
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl<W> Screen<W>
where
    W: ComponentHandle + 'static,
    for<'a> RemoteScreen<'a>: Global<'a, W>,
{
    fn open_grab(&self) {}

    fn heard(&self) {}
}

/// Keys that may wait for the window; a hand is slower.
#[cfg(target_os = "linux")]
const KEYS: usize = 1024;
