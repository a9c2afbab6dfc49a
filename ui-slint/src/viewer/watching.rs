//! What a window shows of a remote picture at the moment, and how its hands stand.
//!
//! The state behind [`super::screen`]; every change of it that the host must know
//! comes out as an event.

use std::rc::Rc;

use slint::winit_030::winit::keyboard::{Key, NamedKey};
use slint::{Image, ModelRc, VecModel};
use tasuki_media::tiling::Extent;
use tasuki_protocol::input::{InputEvent, PhysicalKey, PointerButton};
use tasuki_protocol::screen::{Layout, MonitorId};

use super::capture::{Focus, Standing};
use super::frame::{Frame, Place, Zoom};
use super::hands::{Hands, Reach};
use super::paint::{Fresh, Painter, Shape, ShownBy, Spent, Wanted};
use super::past::Way;
use crate::windows::{RemoteScreen, ViewTile};

/// What keys are at the host, and which of them are asked of the window manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keyboard {
    pub keys: Keys,
    pub reach: Grabbing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keys {
    /// The same places.
    #[default]
    Places,
    /// The letters that they make here.
    Letters,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Grabbing {
    #[default]
    AllKeys,
    WindowsKeysOnly,
}

impl Keyboard {
    /// Whether keys are to come here past the window manager too. Such a key has its place and no letter.
    fn takes_all(self) -> bool {
        self == Self { keys: Keys::Places, reach: Grabbing::AllKeys }
    }
}

/// Where the view stands in the window, by the toolkit's measure: how many pixels that is may change under it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stand {
    pub(super) corner: (f32, f32),
    pub(super) size: (f32, f32),
    /// So much at each of its edges is the window's.
    pub(super) edge: f32,
    /// The window, as the system calls it, while nothing of it lies over the view.
    pub(super) bare: Option<u32>,
}

#[derive(Default)]
pub(super) struct Watching {
    pub(super) hands: Hands,
    pub(super) standing: Standing,
    pub(super) keyboard: Keyboard,
    /// Of this screen's pointer, while it is over the view.
    pub(super) pointer: Option<Place>,
    painter: Option<Painter>,
    wanted: Wanted,
    stand: Stand,
    /// Pixels of the screen to one of the toolkit's; `None` while that changes.
    scale: Option<f32>,
    frame: Frame,
    shown_by: ShownBy,
    tiles: Rc<VecModel<ViewTile>>,
    layout: Option<Layout>,
    shape: Option<Shape>,
    cursor: Option<(u16, u16)>,
    #[cfg(target_os = "linux")]
    pub(super) grab: Option<(super::grab::KeyboardGrab, std::sync::mpsc::Receiver<super::grab::Heard>)>,
}

impl Watching {
    /// The picture of before is looked at no more.
    pub(super) fn leave(&mut self) -> Option<InputEvent> {
        self.hands.forget_pointer();
        let let_go = self.hands.let_go();
        // Whoever operates the next one goes to it: of a page that is gone nobody tells that the keys left it.
        self.standing.picture = Focus::Elsewhere;
        let_go
    }

    pub(super) fn begin(&mut self, painter: Option<Painter>, remote: &RemoteScreen<'_>) {
        self.painter = painter;
        self.layout = None;
        self.shape = None;
        self.cursor = None;
        self.frame = Frame::default();
        self.shown_by = ShownBy::Toolkit;
        self.tiles = Rc::new(VecModel::default());
        remote.set_tiles(ModelRc::from(Rc::clone(&self.tiles)));
        remote.set_any(false);
        remote.set_cursor_shown(false);
        self.wanted.moved = Place::default();
        self.want();
    }

    pub(super) fn spent(&self) -> Spent {
        self.painter.as_ref().map(Painter::spent).unwrap_or_default()
    }

    pub(super) fn stand_at(&mut self, stand: Stand, scale: f32) {
        self.stand = stand;
        self.scale = Some(scale);
        self.want();
    }

    /// Where the view is seen is not known until [`Self::stand_at`] tells: a picture of its own way would lie over the
    /// window's words.
    pub(super) fn forget_scale(&mut self) {
        self.scale = None;
        self.want();
    }

    pub(super) fn stands(&self) -> Stand {
        self.stand
    }

    pub(super) fn zoom(&mut self, zoom: Zoom) {
        if self.wanted.zoom != zoom {
            self.wanted.zoom = zoom;
            self.wanted.moved = Place::default();
            self.want();
        }
    }

    /// Whether there was anywhere to go.
    pub(super) fn shift(&mut self, x: i32, y: i32) -> bool {
        let (slack, moved) = (self.frame.slack(), self.wanted.moved);
        self.wanted.moved = Place {
            x: (moved.x + x).clamp(-slack.x, slack.x),
            y: (moved.y + y).clamp(-slack.y, slack.y),
        };
        self.want();
        slack != Place::default()
    }

    /// How the picture moves at a time as the hand stands now: one that operates cannot draw it.
    pub(super) fn pull(&self) -> Place {
        self.leading_pointer().map_or(Place::default(), |place| self.frame.pull(place))
    }

    pub(super) fn corner(&self) -> Place {
        self.frame.corner
    }

    /// Another pixel lies under a hand that stands still.
    pub(super) fn point_again(&mut self) -> Option<InputEvent> {
        let place = self.leading_pointer()?;
        self.point(place)
    }

    fn want(&mut self) {
        let Stand { corner, size, edge, bare } = self.stand;
        let pixels = |length: f32| length * self.scale.unwrap_or_default();
        let side = |length: f32| pixels(length).clamp(0.0, f32::from(u16::MAX)) as u16;
        let at = |length: f32| pixels(length).round() as i32;
        let view = Place { x: at(corner.0), y: at(corner.1) };
        let (edge, pointer) = (at(edge) as u16, self.leading_pointer());
        let bare = bare.filter(|_| self.scale.is_some());
        self.wanted.view = Extent { width: side(size.0), height: side(size.1) };
        self.wanted.past = bare.map(|window| Way { window, view, edge, pointer });
        if let Some(painter) = &self.painter {
            painter.want(self.wanted);
        }
    }

    /// Shows what was painted; the host's monitors, where they are others than before.
    pub(super) fn show(&mut self, remote: &RemoteScreen<'_>, scale: f32) -> Option<Layout> {
        let fresh = self.painter.as_ref()?.take()?;
        if !fresh.frame.target.is_empty() {
            self.show_picture(&fresh, remote, scale);
        }
        if let Some(shape) = fresh.cursor.shape {
            if let Some(pixels) = &shape.pixels {
                remote.set_cursor_width(pixels.width() as f32 / scale);
                remote.set_cursor_height(pixels.height() as f32 / scale);
                remote.set_cursor(Image::from_rgba8_premultiplied(pixels.clone()));
            }
            self.shape = Some(shape);
        }
        self.cursor = fresh.cursor.at;
        self.shown_by = fresh.shown_by;
        self.show_cursor(remote, scale);
        let changed = fresh.layout.is_some() && fresh.layout != self.layout;
        if changed {
            self.hands.forget_pointer();
            self.layout = fresh.layout;
        }
        self.layout.clone().filter(|_| changed)
    }

    fn show_picture(&mut self, fresh: &Fresh, remote: &RemoteScreen<'_>, scale: f32) {
        self.frame = fresh.frame;
        let logical = |pixels: i32| pixels as f32 / scale;
        remote.set_x(logical(fresh.frame.corner.x));
        remote.set_y(logical(fresh.frame.corner.y));
        remote.set_width(logical(fresh.frame.target.width.into()));
        remote.set_height(logical(fresh.frame.target.height.into()));
        let slack = fresh.frame.slack();
        remote.set_movable(slack != Place::default());
        remote.set_any(true);
        if fresh.shown_by == ShownBy::Painter {
            return;
        }
        let shown = fresh.tiles.iter().map(|(tile, pixels)| {
            let shown = ViewTile {
                x: logical(tile.left.into()),
                y: logical(tile.top.into()),
                width: logical(tile.width.into()),
                height: logical(tile.height.into()),
                picture: Image::from_rgb8(pixels.clone()),
            };
            (tile.index, shown)
        });
        if fresh.afresh {
            self.tiles.set_vec(shown.map(|(_, shown)| shown).collect::<Vec<_>>());
        } else {
            for (index, shown) in shown {
                slint::Model::set_row_data(&*self.tiles, index, shown);
            }
        }
    }

    /// Where this end's hand leads, its own pointer is the truth.
    fn leading_pointer(&self) -> Option<Place> {
        let leads = self.hands.reach() == Reach::Host;
        self.pointer.filter(|place| leads && self.frame.holds(*place))
    }

    /// Where no pointer of this end leads, the host's stands.
    pub(super) fn show_cursor(&mut self, remote: &RemoteScreen<'_>, scale: f32) {
        let own = self.leading_pointer();
        let place = own.or_else(|| self.cursor.map(|at| self.frame.seen(at)));
        let shape = self.shape.as_ref().filter(|shape| shape.pixels.is_some());
        remote.set_own_pointer_hidden(own.is_some() && shape.is_some());
        if self.shown_by == ShownBy::Painter {
            return self.want();
        }
        let (Some(place), Some(shape)) = (place, shape) else {
            return remote.set_cursor_shown(false);
        };
        let corner = self.frame.corner;
        remote.set_cursor_x((place.x - corner.x - i32::from(shape.hot.0)) as f32 / scale);
        remote.set_cursor_y((place.y - corner.y - i32::from(shape.hot.1)) as f32 / scale);
        remote.set_cursor_shown(true);
    }

    pub(super) fn point(&mut self, place: Place) -> Option<InputEvent> {
        self.pointer = Some(place);
        let pixel = self.frame.pixel(place)?;
        let monitor = self.layout.as_ref().map_or(MonitorId(0), |layout| layout.shown);
        self.hands.point(monitor, pixel)
    }

    /// A press beside the picture is not for the host.
    pub(super) fn press_button(&mut self, button: PointerButton) -> Option<InputEvent> {
        let on_picture = self.pointer.is_some_and(|place| self.frame.holds(place));
        if on_picture { self.hands.press_button(button) } else { None }
    }

    /// Decides anew who has the keys.
    pub(super) fn stand(&mut self) -> Option<InputEvent> {
        let reach = self.standing.reach();
        self.grab_or_let_go(reach);
        self.hands.set_reach(reach)
    }

    /// What a key is to be sent as, where letters are wanted and it makes one. Nothing at all for half a letter: it is
    /// sent whole, and by its place the key would make another one there, or open a menu.
    pub(super) fn letters(&self, (text, key): (Option<&str>, &Key)) -> Option<String> {
        if self.keyboard.keys != Keys::Letters || self.hands.reach() != Reach::Host {
            return None;
        }
        if matches!(key, Key::Named(NamedKey::AltGraph)) {
            return Some(String::new());
        }
        let modified = [
            PhysicalKey::LEFT_CONTROL,
            PhysicalKey::RIGHT_CONTROL,
            PhysicalKey::LEFT_ALT,
            // Where it makes letters here, it is held at no host.
            PhysicalKey::RIGHT_ALT,
            PhysicalKey::LEFT_META,
            PhysicalKey::RIGHT_META,
        ];
        if modified.into_iter().any(|key| self.hands.holds(key)) {
            return None;
        }
        if matches!(key, Key::Dead(_)) {
            return Some(String::new());
        }
        let is_letter = |text: &&str| !text.is_empty() && !text.chars().any(char::is_control);
        text.filter(is_letter).map(str::to_owned)
    }

    #[cfg(target_os = "linux")]
    fn grab_or_let_go(&self, reach: Reach) {
        let Some((grab, _)) = &self.grab else { return };
        match reach {
            Reach::Host if self.keyboard.takes_all() => {
                grab.hold();
            }
            Reach::Host | Reach::Here => grab.let_go(),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn grab_or_let_go(&self, _: Reach) {}

    #[cfg(target_os = "linux")]
    pub(super) fn grab_has_focus(&self) -> bool {
        self.grab.as_ref().is_some_and(|(grab, _)| grab.is_held() && grab.has_focus())
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn grab_has_focus(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::capture::Allowed;
    use super::*;

    #[test]
    fn s2_letters_are_sent_as_such_and_chords_with_any_of_the_keys_that_make_none_by_their_places() {
        let mut watching = Watching::default();
        let a = Key::Character("a".into());
        let letters = |watching: &Watching, text: &str| watching.letters((Some(text), &a));
        assert_eq!(letters(&watching, "a"), None, "nobody operates");
        let here = Focus::Here;
        watching.standing = Standing { window: here, picture: here, allowed: Allowed::Yes };
        let _ = watching.stand();
        assert_eq!(letters(&watching, "a"), None, "places are wanted");
        watching.keyboard.keys = Keys::Letters;
        for (text, sent) in [("@", Some("@")), ("â", Some("â")), ("\r", None), ("", None)] {
            assert_eq!(letters(&watching, text).as_deref(), sent, "{text:?}");
        }
        for half in [Key::Dead(Some('^')), Key::Named(NamedKey::AltGraph)] {
            assert_eq!(watching.letters((None, &half)).as_deref(), Some(""), "{half:?}");
        }
        assert_eq!(watching.letters((None, &Key::Named(NamedKey::Enter))), None, "by its place");
        for held in [PhysicalKey::LEFT_ALT, PhysicalKey::RIGHT_ALT, PhysicalKey::RIGHT_CONTROL] {
            let _ = watching.hands.press(held);
            assert_eq!(letters(&watching, "a"), None, "{held:?}");
            assert_eq!(
                watching.letters((None, &Key::Dead(Some('^')))),
                None,
                "{held:?} with what is dead here"
            );
            let _ = watching.hands.release(held);
        }
    }

    #[test]
    fn s2_desktop_shortcuts_stay_here_where_they_are_not_wanted_and_where_letters_are() {
        let (places, letters) = (Keys::Places, Keys::Letters);
        let (all, own) = (Grabbing::AllKeys, Grabbing::WindowsKeysOnly);
        for (keys, reach, takes) in
            [(places, all, true), (places, own, false), (letters, all, false), (letters, own, false)]
        {
            assert_eq!(Keyboard { keys, reach }.takes_all(), takes, "{keys:?} {reach:?}");
        }
    }

    /// The page's head keeps its height by the toolkit's measure, and so nothing tells that it moved on the screen.
    #[test]
    fn s31_the_picture_lies_over_no_word_of_the_window_after_the_screens_scale_has_changed() {
        let mut watching = Watching::default();
        let stand = Stand { corner: (0.0, 108.0), size: (1000.0, 612.0), edge: 2.0, bare: Some(7) };
        watching.stand_at(stand, 1.0);
        let way = watching.wanted.past.unwrap();
        assert_eq!((way.view, way.edge), (Place { x: 0, y: 108 }, 2));
        watching.forget_scale();
        assert_eq!(watching.wanted.past, None, "until it is known where the head ends");
        assert!(watching.wanted.view.is_empty(), "and all is painted anew then");
        watching.stand_at(watching.stands(), 2.0);
        let way = watching.wanted.past.unwrap();
        assert_eq!((way.view, way.edge), (Place { x: 0, y: 216 }, 4));
        assert_eq!(watching.wanted.view, Extent { width: 2000, height: 1224 });
        watching.stand_at(watching.stands(), 1.5);
        assert_eq!(watching.wanted.past.map(|way| way.view.y), Some(162));
    }
}
