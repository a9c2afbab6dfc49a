//! The five things that happen on the measured screen, drawn at known times.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use x11rb::protocol::xproto::Rectangle;

use super::mark::{Drawn, Marker};
use crate::desktop::{Desktop, Painter, Picture, Prepared, Size};

/// In the order of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    Idle,
    Typing,
    Scrolling,
    Dragging,
    Motion,
}

pub const SIZE: Size = Size::new(1920, 1080);

const LINE: u16 = 18;
const TEXT_PLACE: Rectangle = Rectangle { x: 200, y: 120, width: 1200, height: 810 };
const DRAGGED: Size = Size::new(640, 420);
const TEXT_INK: [u8; 3] = [225, 222, 214];

impl Scenario {
    pub const ALL: [Self; 5] =
        [Self::Idle, Self::Typing, Self::Scrolling, Self::Dragging, Self::Motion];

    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Typing => "typing",
            Self::Scrolling => "scrolling terminal",
            Self::Dragging => "dragged window",
            Self::Motion => "full-screen motion",
        }
    }

    /// From one drawing to the next; none when nothing is drawn.
    fn beat(self) -> Option<Duration> {
        match self {
            Self::Idle => None,
            // A prime, so that no poll of a viewer keeps step with it.
            Self::Typing => Some(Duration::from_millis(97)),
            Self::Scrolling | Self::Dragging | Self::Motion => Some(Duration::from_micros(33_333)),
        }
    }

    /// How long it is measured where the others are for `length`: CPU time is counted in hundredths
    /// of a second, and little of it passes where nothing happens.
    pub fn lasts(self, length: Duration) -> Duration {
        match self {
            Self::Idle => length * 6,
            Self::Typing | Self::Scrolling | Self::Dragging | Self::Motion => length,
        }
    }

    /// Draws for `length` and says what was drawn when.
    ///
    /// # Errors
    /// The X server is gone.
    pub fn play(self, desktop: &Desktop, length: Duration) -> Result<Vec<Drawn>> {
        let Some(beat) = self.beat() else {
            thread::sleep(length);
            return Ok(Vec::new());
        };
        let mut act = Act::begin(self, desktop)?;
        // Last, so that it lies above everything.
        let mut marker = Marker::open(desktop)?;
        let mut drawn = Vec::new();
        let began = Instant::now();
        for step in 0.. {
            let due = began + beat * step;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if began.elapsed() >= length {
                break;
            }
            act.draw(step)?;
            drawn.push(marker.draw()?);
        }
        Ok(drawn)
    }
}

/// What is being drawn.
#[derive(Debug)]
enum Act {
    Typing { page: Painter },
    Scrolling { page: Painter },
    Dragging { window: Painter },
    Motion { wall: Painter, pictures: Vec<Prepared> },
}

impl Act {
    fn begin(scenario: Scenario, desktop: &Desktop) -> Result<Self> {
        Ok(match scenario {
            Scenario::Idle | Scenario::Typing => Self::Typing { page: page(desktop)? },
            Scenario::Scrolling => Self::Scrolling { page: page(desktop)? },
            Scenario::Dragging => {
                let Size { width, height } = DRAGGED;
                let place = Rectangle { x: 100, y: 100, width, height };
                let window = Painter::open(desktop, place)?;
                for line in 0..height / LINE {
                    window.write(8, (line * LINE) as i16 + 14, TEXT_INK, &words(line.into(), 70))?;
                }
                // The server keeps its content while it moves.
                window.keep_content()?;
                Self::Dragging { window }
            }
            Scenario::Motion => {
                let Size { width, height } = SIZE;
                let wall = Painter::open(desktop, Rectangle { x: 0, y: 0, width, height })?;
                let pictures =
                    (0..12).map(|phase| wall.prepare(&film(phase))).collect::<Result<_>>()?;
                Self::Motion { wall, pictures }
            }
        })
    }

    fn draw(&mut self, step: u32) -> Result<()> {
        match self {
            Self::Typing { page } => {
                let (column, line) = (step % 120, step / 120 % 40);
                let (x, y) = (8 + column * 9, 20 + line * u32::from(LINE));
                let letter = words(step, 1);
                page.write(x as i16, y as i16, TEXT_INK, &letter)
            }
            Self::Scrolling { page } => {
                let whole = Rectangle { x: 0, y: 0, ..TEXT_PLACE };
                page.scroll_up(whole, LINE)?;
                let y = (TEXT_PLACE.height - LINE) as i16;
                let bottom = Rectangle { x: 0, y, width: TEXT_PLACE.width, height: LINE };
                page.fill(bottom, [18, 22, 31])?;
                page.write(8, y + 14, TEXT_INK, &words(step, 60 + step as usize * 7 % 60))
            }
            Self::Dragging { window } => {
                let turn = f64::from(step) / 30.0;
                let (x, y) = (640.0 + 500.0 * turn.sin(), 330.0 + 280.0 * (turn * 1.3).cos());
                window.move_to(x as i32, y as i32)
            }
            Self::Motion { wall, pictures } => {
                let at = step as usize % pictures.len();
                wall.draw_prepared(&pictures[at], 0, 0)
            }
        }
    }
}

fn page(desktop: &Desktop) -> Result<Painter> {
    let page = Painter::open(desktop, TEXT_PLACE)?;
    page.fill(Rectangle { x: 0, y: 0, ..TEXT_PLACE }, [18, 22, 31])?;
    for line in 0..TEXT_PLACE.height / LINE {
        page.write(8, (line * LINE) as i16 + 14, TEXT_INK, &words(line.into(), 110))?;
    }
    Ok(page)
}

/// Text that does not repeat soon and is the same in every run.
fn words(seed: u32, length: usize) -> String {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12345) | 1;
    let mut text = String::with_capacity(length);
    for _ in 0..length {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let letters = b"etaoinshrdlucmfwypvbgkqjxz0123456789  ./-";
        text.push(char::from(letters[state as usize % letters.len()]));
    }
    text
}

/// One picture of a film: soft clouds that drift, with grain.
fn film(phase: u32) -> Picture {
    let (width, height) = (usize::from(SIZE.width), usize::from(SIZE.height));
    let drift = f64::from(phase) * std::f64::consts::TAU / 12.0;
    let row: Vec<f64> = (0..width).map(|x| (x as f64 / 90.0 + drift).sin()).collect();
    let mut grain = 0x9E37_79B9_u32 ^ phase;
    let mut rgb = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        let column = (y as f64 / 70.0 + drift).cos();
        for (x, across) in row.iter().enumerate() {
            let slant = if (x + 2 * y + phase as usize * 60) % 720 < 360 { 18.0 } else { -18.0 };
            grain = grain.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = f64::from(grain >> 29) - 4.0;
            let light = 120.0 + 45.0 * across * column + slant + noise;
            rgb.extend([light + 20.0 * across, light, light - 25.0 * column].map(|c| c as u8));
        }
    }
    Picture { width, height, rgb }
}
