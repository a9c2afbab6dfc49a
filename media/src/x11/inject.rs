//! The injector of an X display.
//!
//! Decides what an event of the viewer becomes, remembers what it holds, and
//! lets go of exactly that. Rights, suspension and hit tests were settled before.

use tasuki_protocol::input::{InputEvent, KeyAction, MAX_TEXT_BYTES, PhysicalKey, PointerButton};
use tasuki_protocol::screen::{Layout, MonitorId};

use super::echo::Echo;
use super::hands::{Hands, as_inject_error};
use super::layout;
use super::own::Own;
use super::text::Typist;
use crate::input::{InjectError, Injector, Interrupt, Leave};
use crate::keys;
use crate::screen::ScreenError;
use crate::wheel::{Clicks, Wheel};

#[derive(Debug)]
pub struct X11Injector {
    hands: Hands,
    typist: Typist,
    own: Own,
    layout: Layout,
    held_keys: Vec<u8>,
    held_buttons: Vec<u8>,
    wheel: Wheel,
    interrupt: Interrupt,
}

impl X11Injector {
    /// `display` as in DISPLAY (`:0`); `None` takes the environment's.
    ///
    /// # Errors
    /// [`ScreenError`]: no display, or no XTEST.
    pub fn open(display: Option<&str>) -> Result<Self, ScreenError> {
        let hands = Hands::open(display)?;
        layout::watch(&hands.desktop)?;
        let layout = layout::read(&hands.desktop, None)?;
        Ok(Self {
            hands,
            typist: Typist::default(),
            own: Own::default(),
            layout,
            held_keys: Vec::new(),
            held_buttons: Vec::new(),
            wheel: Wheel::default(),
            interrupt: Interrupt::default(),
        })
    }

    /// For [`super::LocalInput`], which must know our acts from a human's.
    pub fn echo(&self) -> Echo {
        self.hands.echo.clone()
    }

    /// What arrived meanwhile: changed monitors, and notices of no interest here.
    fn catch_up(&mut self) -> Result<(), ScreenError> {
        let mut moved = false;
        while let Some(event) = self.hands.desktop.arrived()? {
            moved |= layout::is_told_by(&event);
        }
        if moved {
            self.layout = layout::read(&self.hands.desktop, Some(self.layout.shown))?;
        }
        Ok(())
    }

    fn point(&self, monitor: MonitorId, x: u16, y: u16) -> Result<(), InjectError> {
        let known = self.layout.monitors.iter().find(|known| known.id == monitor);
        let Some(known) = known else {
            return Err(InjectError::UnknownMonitor(monitor));
        };
        let x = known.x + i32::from(x.min(known.width - 1));
        let y = known.y + i32::from(y.min(known.height - 1));
        self.hands.move_to(clamp(x), clamp(y))
    }

    fn button(&mut self, button: PointerButton, action: KeyAction) -> Result<(), InjectError> {
        let number = number_of(button);
        match (action, take(&mut self.held_buttons, number)) {
            (KeyAction::Press, None) if self.is_over_ourselves()? => Ok(()),
            (KeyAction::Press, held) => {
                self.held_buttons.push(number);
                if held.is_none() { self.hands.press_button(number) } else { Ok(()) }
            }
            (KeyAction::Release, Some(_)) => self.hands.release_button(number),
            (KeyAction::Release, None) => Ok(()),
        }
    }

    /// A held key repeats by the desktop's own settings, so a second press does nothing.
    fn key(&mut self, key: PhysicalKey, action: KeyAction) -> Result<(), InjectError> {
        let keycode = keys::keycode(key).ok_or(InjectError::UnknownKey(key))?;
        match (action, take(&mut self.held_keys, keycode)) {
            (KeyAction::Press, None) if self.types_into_ourselves()? => Ok(()),
            (KeyAction::Press, held) => {
                self.held_keys.push(keycode);
                if held.is_none() { self.hands.press_key(keycode) } else { Ok(()) }
            }
            (KeyAction::Release, Some(_)) => self.hands.release_key(keycode),
            (KeyAction::Release, None) => Ok(()),
        }
    }

    /// No act of a viewer lands where consent is asked for (T2, T33): a press there has no effect,
    /// and what was not pressed is not let go either.
    fn is_over_ourselves(&mut self) -> Result<bool, InjectError> {
        self.own.is_under_pointer(&self.hands.desktop).map_err(as_inject_error)
    }

    fn types_into_ourselves(&mut self) -> Result<bool, InjectError> {
        self.own.has_focus(&self.hands.desktop).map_err(as_inject_error)
    }

    fn scroll(&mut self, clicks: Clicks) -> Result<(), InjectError> {
        if self.is_over_ourselves()? {
            return Ok(());
        }
        let down = if clicks.down > 0 { 5 } else { 4 };
        let right = if clicks.right > 0 { 7 } else { 6 };
        let presses = std::iter::repeat_n(down, clicks.down.unsigned_abs() as usize)
            .chain(std::iter::repeat_n(right, clicks.right.unsigned_abs() as usize));
        for button in presses {
            self.hands.press_button(button)?;
            self.hands.release_button(button)?;
        }
        Ok(())
    }

    /// Text means its characters, so keys that the viewer still holds (Shift, Control) are
    /// let go first and taken again after it. A window of ours that takes the keys meanwhile gets none of
    /// the rest.
    fn text(&mut self, text: &str, leave: &Leave) -> Result<(), InjectError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(InjectError::TextTooLong { bytes: text.len() });
        }
        if self.types_into_ourselves()? {
            return Ok(());
        }
        for keycode in self.held_keys.iter().rev() {
            self.hands.release_key(*keycode)?;
        }
        let Self { hands, typist, own, .. } = self;
        let mut may_go_on = || {
            leave.check()?;
            let ours = own.has_focus(&hands.desktop).map_err(as_inject_error)?;
            if ours { Err(InjectError::Interrupted) } else { Ok(()) }
        };
        let typed = typist.type_text(hands, text, leave, &mut may_go_on);
        if typed == Err(InjectError::Interrupted) {
            self.held_keys.clear();
        }
        for keycode in &self.held_keys {
            self.hands.press_key(*keycode)?;
        }
        typed
    }
}

impl Injector for X11Injector {
    fn inject_with(&mut self, event: &InputEvent, leave: &Leave) -> Result<(), InjectError> {
        self.catch_up().map_err(as_inject_error)?;
        leave.check()?;
        match event {
            InputEvent::PointerMove { monitor, x, y } => self.point(*monitor, *x, *y)?,
            InputEvent::Button { button, action } => self.button(*button, *action)?,
            InputEvent::Wheel { dx, dy } => {
                let clicks = self.wheel.turn(*dx, *dy);
                self.scroll(clicks)?;
            }
            InputEvent::Key { key, action } => self.key(*key, *action)?,
            InputEvent::Text(text) => self.text(text, leave)?,
            InputEvent::ReleaseAll => self.release_all(),
        }
        self.hands.flush()
    }

    fn release_all(&mut self) {
        // A display that is gone holds nothing.
        for keycode in self.held_keys.drain(..).rev() {
            let _ = self.hands.release_key(keycode);
        }
        for button in self.held_buttons.drain(..).rev() {
            let _ = self.hands.release_button(button);
        }
        self.wheel = Wheel::default();
        let _ = self.hands.flush();
    }

    fn interrupt(&self) -> Interrupt {
        self.interrupt.clone()
    }
}

impl Drop for X11Injector {
    fn drop(&mut self) {
        self.release_all();
        self.typist.restore(&self.hands);
        self.hands.retire();
    }
}

/// X's numbers: 4 to 7 are the wheel.
fn number_of(button: PointerButton) -> u8 {
    match button {
        PointerButton::Left => 1,
        PointerButton::Middle => 2,
        PointerButton::Right => 3,
        PointerButton::Back => 8,
        PointerButton::Forward => 9,
    }
}

fn take(held: &mut Vec<u8>, number: u8) -> Option<u8> {
    let place = held.iter().position(|one| *one == number)?;
    Some(held.remove(place))
}

fn clamp(place: i32) -> i16 {
    place.clamp(0, i32::from(i16::MAX)) as i16
}
