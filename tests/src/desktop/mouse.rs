//! A mouse of a Wayland desktop: a device of its own to the compositor (wlr-virtual-pointer-unstable-v1).
//!
//! Speaks as much of Wayland's wire as that needs: a word with the object, one with length and request, and its words.

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    thread,
    time::Duration,
};

use anyhow::{Result, ensure};

use super::xvfb::Size;

/// Objects: the first is there for everybody, the others are made in this order.
const DISPLAY: u32 = 1;
const REGISTRY: u32 = 2;
const TOLD: u32 = 3;
const MANAGER: u32 = 4;
const POINTER: u32 = 5;
const KIND: &str = "zwlr_virtual_pointer_manager_v1";
/// The left button (linux/input-event-codes.h).
const LEFT: u32 = 0x110;
/// Until windows have learnt that there is a mouse.
const ARRIVING: Duration = Duration::from_millis(700);
/// A hand's pause between two acts.
const PAUSE: Duration = Duration::from_millis(60);

#[derive(Debug)]
pub struct Mouse {
    compositor: UnixStream,
    screen: Size,
}

impl Mouse {
    pub(super) fn plug_in(socket: &Path, screen: Size) -> Result<Self> {
        let mut mouse = Self { compositor: UnixStream::connect(socket)?, screen };
        // get_registry, and a sign that all of it was told.
        mouse.ask(DISPLAY, 1, &[REGISTRY])?;
        mouse.ask(DISPLAY, 0, &[TOLD])?;
        let name = mouse.number_of_its_kind()?;
        let mut bind = vec![name];
        bind.extend(text(KIND));
        bind.extend([1, MANAGER]);
        mouse.ask(REGISTRY, 0, &bind)?;
        // At whichever seat there is.
        mouse.ask(MANAGER, 0, &[0, POINTER])?;
        thread::sleep(ARRIVING);
        Ok(mouse)
    }

    /// # Errors
    /// The compositor is gone.
    pub fn click(&mut self, (x, y): (u16, u16)) -> Result<()> {
        let Size { width, height } = self.screen;
        let at = |x: u16| [0, x.into(), y.into(), width.into(), height.into()];
        let acts =
            [(1, &at(x.saturating_sub(1))[..]), (1, &at(x)), (2, &[0, LEFT, 1]), (2, &[0, LEFT, 0])];
        for (act, words) in acts {
            self.ask(POINTER, act, words)?;
            // What belongs together has come.
            self.ask(POINTER, 4, &[])?;
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// What the compositor calls the maker of such mice.
    fn number_of_its_kind(&mut self) -> Result<u32> {
        let mut found = None;
        loop {
            let (object, event, words) = self.hear()?;
            ensure!(object != DISPLAY || event != 0, "the compositor refuses");
            if object == TOLD {
                break;
            }
            let Some((number, kind)) = words.split_first() else { continue };
            if object == REGISTRY && event == 0 && kind.starts_with(&text(KIND)) {
                found = Some(*number);
            }
        }
        found.ok_or_else(|| anyhow::anyhow!("the compositor knows no {KIND}"))
    }

    fn ask(&mut self, object: u32, request: u32, words: &[u32]) -> Result<()> {
        let length = u32::try_from(8 + 4 * words.len())?;
        let all = [object, length << 16 | request].into_iter().chain(words.iter().copied());
        let bytes: Vec<u8> = all.flat_map(u32::to_ne_bytes).collect();
        Ok(self.compositor.write_all(&bytes)?)
    }

    /// An event's object, number and words.
    fn hear(&mut self) -> Result<(u32, u32, Vec<u32>)> {
        let mut word = [0; 4];
        let mut next = || -> Result<u32> {
            self.compositor.read_exact(&mut word)?;
            Ok(u32::from_ne_bytes(word))
        };
        let (object, head) = (next()?, next()?);
        let words = (2..head >> 18).map(|_| next()).collect::<Result<_>>()?;
        Ok((object, head & 0xffff, words))
    }
}

/// With its length and its end, filled up to whole words.
fn text(text: &str) -> Vec<u32> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    let words =
        bytes.chunks_exact(4).map(|four| u32::from_ne_bytes([four[0], four[1], four[2], four[3]]));
    [length].into_iter().chain(words).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_its_length_with_the_end_and_whole_words() {
        assert_eq!(text("abc"), [4, u32::from_ne_bytes(*b"abc\0")]);
        assert_eq!(text("abcd"), [5, u32::from_ne_bytes(*b"abcd"), 0]);
    }
}
