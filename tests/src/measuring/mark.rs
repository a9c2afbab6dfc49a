//! The mark: two cells in the corner of the screen whose colours number what is drawn.
//!
//! Eight colours a cell, the corners of the colour cube, so that no codec can confuse them: 64
//! numbers, then from the start. `tests/bench/vnc_probe.c` reads them the same way.

use std::collections::HashMap;

use anyhow::Result;
use rustix::time::{ClockId, clock_gettime};
use x11rb::protocol::xproto::Rectangle;

use crate::desktop::{Desktop, Painter, Rgb};

/// Width and height of a cell in pixels.
pub const CELL: u16 = 32;
const CODES: u8 = 64;

/// Nanoseconds on CLOCK_MONOTONIC, which all processes of a machine share.
pub type Nanos = i64;

pub fn now() -> Nanos {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// Something drawn: which mark stood with it, and when the X server was asked to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drawn {
    pub code: u8,
    pub at: Nanos,
}

/// Something seen: the mark in a decoded picture, when it was decoded, and all bytes received
/// until then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub at: Nanos,
    pub code: u8,
    pub bytes: u64,
}

impl Seen {
    /// From a viewer's line `update NANOSECONDS CODE BYTES`.
    pub fn from_line(line: &str) -> Option<Self> {
        let mut words = line.strip_prefix("update ")?.split(' ');
        let at = words.next()?.parse().ok()?;
        let code = words.next()?.parse().ok()?;
        let bytes = words.next()?.parse().ok()?;
        Some(Self { at, code, bytes })
    }
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
        let place = Rectangle { x: 0, y: 0, width: 2 * CELL, height: CELL };
        let painter = Painter::open(desktop, place)?;
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
        for (cell, colour) in [(0, code >> 3), (1, code & 7)] {
            let x = i16::try_from(cell * CELL)?;
            self.painter.fill(Rectangle { x, y: 0, width: CELL, height: CELL }, colour_of(colour))?;
        }
        Ok(Drawn { code, at })
    }
}

fn colour_of(bits: u8) -> Rgb {
    // Not the extremes: video has no full black and white.
    [4, 2, 1].map(|bit| if bits & bit == 0 { 24 } else { 232 })
}

/// The mark in a picture of red, green and blue bytes, `stride` bytes a row.
pub fn code_in(pixel: impl Fn(usize, usize) -> Rgb) -> u8 {
    let cell = usize::from(CELL);
    let middle = cell / 2;
    let bits = |colour: Rgb| colour.iter().fold(0, |bits, c| bits << 1 | u8::from(*c > 127));
    bits(pixel(middle, middle)) << 3 | bits(pixel(cell + middle, middle))
}

/// How long each drawn thing took to be seen, in milliseconds, shortest first. What was replaced
/// before it could be seen is left out.
pub fn latencies(drawn: &[Drawn], seen: &[Seen]) -> Vec<f64> {
    let mut pending: HashMap<u8, Nanos> = HashMap::new();
    let mut drawn = drawn.iter().peekable();
    let mut found = Vec::new();
    for look in seen {
        while let Some(thing) = drawn.next_if(|d| d.at <= look.at) {
            pending.insert(thing.code, thing.at);
        }
        if let Some(at) = pending.remove(&look.code) {
            found.push((look.at - at) as f64 / 1e6);
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
            let read = code_in(|x, _| colour_of(if x < 32 { code >> 3 } else { code & 7 }));
            assert_eq!(read, code);
        }
    }

    #[test]
    fn latency_is_that_of_the_newest_drawing_with_this_mark() {
        let drawn =
            [(1, 0), (2, 10), (3, 20), (1, 30)].map(|(code, ms)| Drawn { code, at: ms * 1_000_000 });
        let seen = [(5, 1), (24, 3), (25, 3), (37, 1)].map(|(ms, code)| Seen {
            at: ms * 1_000_000,
            code,
            bytes: 0,
        });
        assert_eq!(latencies(&drawn, &seen), [4.0, 5.0, 7.0]);
        assert_eq!(percentile(&[4.0, 5.0, 7.0], 0.5), Some(5.0));
        assert_eq!(percentile(&[], 0.5), None);
    }

    #[test]
    fn a_viewers_line_is_read_and_another_is_not() {
        assert_eq!(Seen::from_line("update 12 3 4"), Some(Seen { at: 12, code: 3, bytes: 4 }));
        assert_eq!(Seen::from_line("update 12 3"), None);
        assert_eq!(Seen::from_line("hello"), None);
    }
}
