//! A real application that says which keys it gets: xev.

use anyhow::{Context, Result};

use super::{xterm::middle_of, xvfb::Desktop};
use crate::running::{Line, Mark, Process, until};

/// What xev calls its window.
const TITLE: &str = "Event Tester";

#[derive(Debug)]
pub struct KeyTester {
    process: Process,
    /// A point inside, to click at.
    pub middle: (i16, i16),
}

impl KeyTester {
    /// # Errors
    /// xev is not installed, or its window did not come up.
    pub fn open(desktop: &Desktop, geometry: &str) -> Result<Self> {
        let mut command = desktop.command("xev");
        command.args(["-event", "keyboard", "-geometry", geometry]);
        let process = Process::start("xev", command)?;
        Ok(Self { process, middle: middle_of(desktop, TITLE)? })
    }

    pub fn title(&self) -> &'static str {
        TITLE
    }

    pub fn mark(&self) -> Mark {
        self.process.log().mark()
    }

    /// Waits until just these keys went down and came up since `mark`, in this order: `+` or `-`, X's number
    /// of the place, and the name that it has there.
    ///
    /// # Errors
    /// Others came, or none; says which.
    pub fn wait_for(&self, mark: Mark, wanted: &[&str]) -> Result<()> {
        let found = until("the keys", || Ok((self.strokes(mark) == wanted).then_some(())));
        found.with_context(|| format!("awaited {wanted:?}, got {:?}", self.strokes(mark)))
    }

    fn strokes(&self, mark: Mark) -> Vec<String> {
        let mut sign = None;
        self.process.log().since(mark).iter().filter_map(|line| read(&mut sign, line)).collect()
    }
}

/// A stroke is told over several lines: what happened, and further down which key it was.
fn read(sign: &mut Option<char>, line: &Line) -> Option<String> {
    if line.text.starts_with("KeyPress event") {
        *sign = Some('+');
    } else if line.text.starts_with("KeyRelease event") {
        *sign = Some('-');
    }
    let (_, key) = line.text.split_once(" keycode ")?;
    let (place, key) = key.split_once(" (keysym ")?;
    let (name, _) = key.split_once(", ")?.1.split_once(')')?;
    sign.take().map(|sign| format!("{sign}{place} {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::running::{Log, Voice};

    #[test]
    fn each_stroke_is_read_with_its_place_and_name() {
        let log = Log::default();
        let said = "\
KeyPress event, serial 28, synthetic NO, window 0x200001,
    root 0x50d, subw 0x0, time 1, (1,1), root:(1,1),
    state 0x10, keycode 132 (keysym 0x5c, backslash), same_screen YES,
    XKeysymToKeycode returns keycode: 97
KeymapNotify event, serial 28, synthetic NO, window 0x0,
    keys:  4294967187 0   0   0
KeyRelease event, serial 28, synthetic NO, window 0x200001,
    state 0x10, keycode 132 (keysym 0x5c, backslash), same_screen YES,
";
        said.lines().for_each(|line| log.add(Voice::Output, line));
        let mut sign = None;
        let lines = log.since(Mark::default());
        let strokes: Vec<_> = lines.iter().filter_map(|line| read(&mut sign, line)).collect();
        assert_eq!(strokes, ["+132 backslash", "-132 backslash"]);
    }
}
