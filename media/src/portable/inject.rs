//! Input by `enigo`.
//!
//! Characters that the keyboard map lacks are lossy on X11 (use `x11` there).
//! Keys by place work where places are known by X's numbers: X11 and Wayland.

use enigo::{Axis, Button, Coordinate, Direction, Enigo, InputError, Keyboard, Mouse, Settings};
use tasuki_protocol::input::{InputEvent, KeyAction, MAX_TEXT_BYTES, PhysicalKey, PointerButton};
use tasuki_protocol::screen::{Layout, MonitorId};

use super::screen::read_layout;
use crate::input::{InjectError, Injector, Interrupt, Leave};
use crate::screen::ScreenError;
use crate::wheel::{Clicks, Wheel};

pub struct PortableInjector {
    enigo: Enigo,
    layout: Layout,
    keys: Vec<u16>,
    buttons: Vec<PointerButton>,
    wheel: Wheel,
    interrupt: Interrupt,
}

impl std::fmt::Debug for PortableInjector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PortableInjector")
    }
}

impl PortableInjector {
    /// # Errors
    /// The desktop has no monitor, or grants no input.
    pub fn open() -> Result<Self, ScreenError> {
        let layout = read_layout(None)?;
        // The default of 12 ms makes a click take 31 and a scroll 108.
        let settings = Settings { linux_delay: 0, ..Settings::default() };
        let enigo = Enigo::new(&settings).map_err(|_| ScreenError::Refused { request: "input" })?;
        Ok(Self {
            enigo,
            layout,
            keys: Vec::new(),
            buttons: Vec::new(),
            wheel: Wheel::default(),
            interrupt: Interrupt::default(),
        })
    }

    fn point(&mut self, monitor: MonitorId, x: u16, y: u16) -> Result<(), InjectError> {
        if !self.layout.monitors.iter().any(|known| known.id == monitor) {
            self.layout = read_layout(None).map_err(|_| InjectError::Lost)?;
        }
        let known = self.layout.monitors.iter().find(|known| known.id == monitor);
        let known = known.ok_or(InjectError::UnknownMonitor(monitor))?;
        let x = known.x + i32::from(x.min(known.width - 1));
        let y = known.y + i32::from(y.min(known.height - 1));
        self.enigo.move_mouse(x, y, Coordinate::Abs).map_err(refused)
    }

    fn button(&mut self, button: PointerButton, action: KeyAction) -> Result<(), InjectError> {
        let held = self.buttons.contains(&button);
        self.buttons.retain(|other| *other != button);
        if action == KeyAction::Press {
            self.buttons.push(button);
        }
        if held == (action == KeyAction::Press) {
            return Ok(());
        }
        self.enigo.button(button_of(button), direction(action)).map_err(refused)
    }

    fn key(&mut self, key: PhysicalKey, action: KeyAction) -> Result<(), InjectError> {
        let code = code_of(key).ok_or(InjectError::UnknownKey(key))?;
        let held = self.keys.contains(&code);
        self.keys.retain(|other| *other != code);
        if action == KeyAction::Press {
            self.keys.push(code);
        }
        if held == (action == KeyAction::Press) {
            return Ok(());
        }
        self.enigo.raw(code, direction(action)).map_err(refused)
    }

    fn scroll(&mut self, clicks: Clicks) -> Result<(), InjectError> {
        for (length, axis) in [(clicks.down, Axis::Vertical), (clicks.right, Axis::Horizontal)] {
            if length != 0 {
                self.enigo.scroll(length, axis).map_err(refused)?;
            }
        }
        Ok(())
    }

    /// A few characters at a time, so that it can be cut short.
    fn text(&mut self, text: &str, leave: &Leave) -> Result<(), InjectError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(InjectError::TextTooLong { bytes: text.len() });
        }
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            return Err(InjectError::ControlCharacter);
        }
        let letters: Vec<char> = text.chars().filter(|c| *c != '\r').collect();
        for piece in letters.chunks(16) {
            leave.check()?;
            self.enigo.text(&piece.iter().collect::<String>()).map_err(refused)?;
        }
        Ok(())
    }
}

impl Injector for PortableInjector {
    fn inject_with(&mut self, event: &InputEvent, leave: &Leave) -> Result<(), InjectError> {
        leave.check()?;
        match event {
            InputEvent::PointerMove { monitor, x, y } => self.point(*monitor, *x, *y),
            InputEvent::Button { button, action } => self.button(*button, *action),
            InputEvent::Wheel { dx, dy } => {
                let clicks = self.wheel.turn(*dx, *dy);
                self.scroll(clicks)
            }
            InputEvent::Key { key, action } => self.key(*key, *action),
            InputEvent::Text(text) => self.text(text, leave),
            InputEvent::ReleaseAll => {
                self.release_all();
                Ok(())
            }
        }
    }

    fn release_all(&mut self) {
        // A desktop that is gone holds nothing.
        for code in self.keys.drain(..).rev() {
            let _ = self.enigo.raw(code, Direction::Release);
        }
        for button in self.buttons.drain(..).rev() {
            let _ = self.enigo.button(button_of(button), Direction::Release);
        }
        self.wheel = Wheel::default();
    }

    fn interrupt(&self) -> Interrupt {
        self.interrupt.clone()
    }
}

impl Drop for PortableInjector {
    fn drop(&mut self) {
        self.release_all();
    }
}

#[cfg(target_os = "linux")]
fn code_of(key: PhysicalKey) -> Option<u16> {
    crate::keys::keycode(key).map(u16::from)
}

/// Windows and macOS number places in their own ways.
#[cfg(not(target_os = "linux"))]
fn code_of(_: PhysicalKey) -> Option<u16> {
    None
}

fn direction(action: KeyAction) -> Direction {
    match action {
        KeyAction::Press => Direction::Press,
        KeyAction::Release => Direction::Release,
    }
}

fn button_of(button: PointerButton) -> Button {
    match button {
        PointerButton::Left => Button::Left,
        PointerButton::Middle => Button::Middle,
        PointerButton::Right => Button::Right,
        PointerButton::Back => Button::Back,
        PointerButton::Forward => Button::Forward,
    }
}

fn refused(_: InputError) -> InjectError {
    InjectError::Refused { request: "input" }
}
