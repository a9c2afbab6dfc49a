//! The mark: a cell in the corner of the screen whose colour numbers what is drawn.
//!
//! Three shades a channel make 27 colours that no codec confuses; then from the start. At 30
//! drawings a second a mark comes again after 900 ms.

use std::collections::HashMap;

use anyhow::Result;
use rustix::time::{ClockId, clock_gettime};
use x11rb::protocol::xproto::Rectangle;

use crate::desktop::{Desktop, Painter, Rgb};

/// Width and height of the cell in pixels. `tests/bench/vnc_probe.c` looks at its middle.
const CELL: u16 = 32;
/// Where viewers look: across and down, in pixels.
pub(super) const LOOK_AT: (u16, u16) = (CELL / 2, CELL / 2);
/// Not the extremes: video has no full black and white.
const SHADES: [u8; 3] = [24, 128, 232];
const CODES: u8 = 27;

/// Microseconds on CLOCK_MONOTONIC, which all processes of a machine share.
pub type Micros = i64;

pub(super) fn now() -> Micros {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec * 1_000_000 + time.tv_nsec / 1000
}

/// Something drawn: which mark stood with it, and when the X server was asked to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drawn {
    pub code: u8,
    pub at: Micros,
}

/// The mark in a decoded picture, and when it was decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub at: Micros,
    pub code: u8,
}

/// Draws the mark.
#[derive(Debug)]
pub struct Marker {
    painter: Painter,
    next: u8,
}

impl Marker {
    /// # Errors
    /// The server is gone.
    pub fn open(desktop: &Desktop) -> Result<Self> {
        let painter = Painter::open(desktop, Rectangle { x: 0, y: 0, width: CELL, height: CELL })?;
        Ok(Self { painter, next: 1 })
    }

    /// Draws the next mark. Whatever belongs to it was asked of the server before.
    ///
    /// # Errors
    /// The server is gone.
    pub fn draw(&mut self) -> Result<Drawn> {
        let code = self.next;
        self.next = (code + 1) % CODES;
        let at = now();
        let cell = Rectangle { x: 0, y: 0, width: CELL, height: CELL };
        self.painter.fill(cell, colour_of(code))?;
        Ok(Drawn { code, at })
    }
}

fn colour_of(code: u8) -> Rgb {
    [code / 9, code / 3 % 3, code % 3].map(|shade| SHADES[usize::from(shade)])
}

/// Which mark a colour stands for, after whatever a codec did to it.
pub(super) fn code_of(colour: Rgb) -> u8 {
    let shade = |c: u8| u8::from(c > 76) + u8::from(c > 180);
    colour.iter().fold(0, |code, c| code * 3 + shade(*c))
}

/// From six hexadecimal digits, with or without a hash sign.
pub(super) fn colour_from_hex(text: &str) -> Option<Rgb> {
    let digits = text.trim_start_matches('#');
    let number = u32::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 6)?;
    let [_, red, green, blue] = number.to_be_bytes();
    Some([red, green, blue])
}

/// How long each drawn thing took to be seen, in milliseconds, shortest first. What was replaced
/// before it could be seen is left out.
pub fn latencies(drawn: &[Drawn], seen: &[Seen]) -> Vec<f64> {
    let mut pending: HashMap<u8, Micros> = HashMap::new();
    let mut drawn = drawn.iter().peekable();
    let mut found = Vec::new();
    for look in seen {
        while let Some(thing) = drawn.next_if(|d| d.at <= look.at) {
            pending.insert(thing.code, thing.at);
        }
        if let Some(at) = pending.remove(&look.code) {
            found.push((look.at - at) as f64 / 1e3);
        }
    }
    found.sort_by(f64::total_cmp);
    found
}

/// The value that this share of a sorted list does not exceed; `None` for an empty one.
pub fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    sorted.get((last as f64 * share).round() as usize).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_drawn() {
        for code in 0..CODES {
            assert_eq!(code_of(colour_of(code)), code);
            assert_eq!(code_of(colour_of(code).map(|c| c - 20)), code);
        }
        assert_eq!(colour_from_hex("#18e880"), Some([24, 232, 128]));
        assert_eq!(colour_from_hex("18e8"), None);
    }

    #[test]
    fn latency_is_that_of_the_newest_drawing_with_this_mark() {
        let drawn = [(1, 0), (2, 10), (3, 20), (1, 30)];
        let drawn = drawn.map(|(code, ms)| Drawn { code, at: ms * 1000 });
        let seen = [(5, 1), (24, 3), (25, 3), (37, 1)];
        let seen = seen.map(|(ms, code)| Seen { at: ms * 1000, code });
        assert_eq!(latencies(&drawn, &seen), [4.0, 5.0, 7.0]);
    }

    #[test]
    fn a_percentile_is_one_of_the_values() {
        assert_eq!(percentile(&[4.0, 5.0, 7.0], 0.5), Some(5.0));
        assert_eq!(percentile(&[], 0.5), None);
    }
}
