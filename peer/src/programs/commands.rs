//! The lines that a person or a script types during a session.
//!
//! Decides what a line means. Does not ask whether it is allowed: the host does.

use std::path::PathBuf;
use std::time::Duration;

use tasuki_protocol::input::{InputEvent, KeyAction, MAX_TEXT_BYTES, PointerButton};
use tasuki_protocol::message::MAX_CHAT_BYTES;
use tasuki_protocol::screen::MonitorId;

use super::granting::{self, BadGrant, Grant};
use super::keys;
use crate::shell::desktop::viewer::Spot;
use crate::shell::texts::{Lang, SessionText, Text};

/// Everything that may be typed, as shown to people: what either person wants first, then what the operator's hand does.
pub(super) const USES: &[(&str, &str)] = &[
    ("end", "end"),
    ("pause", "pause (your own screen stands still and takes no input)"),
    ("resume", "resume"),
    ("chat", "chat TEXT"),
    ("grant", "grant ask RIGHT,... [MINUTES|SECONDSs] | grant take|back RIGHT,... | grant list"),
    ("stats", "stats"),
    ("monitor", "monitor N (from 0)"),
    ("screenshot", "screenshot FILE.png"),
    ("move", "move X Y"),
    ("click", "click X Y [left|middle|right|back|forward]"),
    ("button", "button press|release [left|middle|right|back|forward]"),
    ("key", "key CHORD (ctrl+a, enter, f5)"),
    ("press", "press KEY"),
    ("release", "release KEY"),
    ("type", "type TEXT"),
    ("scroll", "scroll DX DY (detents; positive is right and down)"),
    ("watch", "watch X Y | watch off (one event for each new colour of a pixel)"),
    ("wait", "wait session|frame [MS] | wait colour X Y RRGGBB [MS] | wait MS"),
];

/// Commands of the design that a later version carries out.
const LATER: &[&str] = &["get", "put", "ls"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    Nothing,
    /// In this order, at once.
    Acts(Vec<Act>),
    Screenshot(PathBuf),
    Monitor(MonitorId),
    Chat(String),
    Grant(Grant),
    Pause,
    Resume,
    Stats,
    Watch(Option<Spot>),
    Wait(Wait),
    End,
}

/// An act of the hand; a place is on whatever monitor is shown when it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    Move { x: u16, y: u16 },
    Other(InputEvent),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wait {
    Session(Duration),
    Frame(Duration),
    Colour { spot: Spot, rgb: [u8; 3], within: Duration },
    Time(Duration),
}

/// How long a `wait` waits unless told otherwise.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A line that cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BadLine {
    Unknown(String),
    Later(String),
    Wrong { why: Text, value: String, uses: &'static str },
    WrongGrant { why: SessionText, value: String, uses: &'static str },
}

impl BadLine {
    pub(super) fn sentence(&self, lang: Lang) -> String {
        match self {
            Self::Unknown(word) => Text::UnknownCommand.fill(lang, &[word, &names()]),
            Self::Later(word) => Text::NotInThisVersion.fill(lang, &[word]),
            Self::Wrong { why, value, uses } => {
                Text::BadCommand.fill(lang, &[&why.fill(lang, &[value]), uses])
            }
            Self::WrongGrant { why, value, uses } => {
                Text::BadCommand.fill(lang, &[&why.fill(lang, &[value]), uses])
            }
        }
    }

    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "unknown_command",
            Self::Later(_) => "not_in_this_version",
            Self::Wrong { .. } | Self::WrongGrant { .. } => "bad_command",
        }
    }
}

/// The commands' names, for a sentence.
pub(super) fn names() -> String {
    let names: Vec<&str> = USES.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

/// # Errors
/// See [`BadLine`]; nothing of the line is done.
pub(super) fn parse(line: &str) -> Result<Line, BadLine> {
    let line = line.trim_end_matches(['\r', '\n']);
    let (word, rest) = line.trim_start().split_once(' ').unwrap_or((line.trim(), ""));
    if word.is_empty() {
        return Ok(Line::Nothing);
    }
    let word = word.to_ascii_lowercase();
    let Some((name, uses)) = USES.iter().find(|(name, _)| *name == word) else {
        let later = LATER.contains(&word.as_str());
        let word: String = word.chars().filter(|c| !c.is_control()).take(40).collect();
        return Err(if later { BadLine::Later(word) } else { BadLine::Unknown(word) });
    };
    let mut words = Words { rest, words: rest.split_whitespace(), uses };
    meaning(name, &mut words)
}

fn meaning(name: &str, words: &mut Words<'_>) -> Result<Line, BadLine> {
    match name {
        "move" => Ok(Line::Acts(vec![words.place()?])),
        "click" => {
            let place = words.place()?;
            let button = words.button()?;
            Ok(Line::Acts(vec![place, press(button), release(button)]))
        }
        "button" => words.button_action(),
        "key" => words.chord(),
        "press" => Ok(Line::Acts(vec![words.key(KeyAction::Press)?])),
        "release" => Ok(Line::Acts(vec![words.key(KeyAction::Release)?])),
        "type" => words.text(),
        "scroll" => {
            let (dx, dy) = (words.detents()?, words.detents()?);
            Ok(Line::Acts(vec![Act::Other(InputEvent::Wheel { dx, dy })]))
        }
        "screenshot" => words.all().map(|file| Line::Screenshot(PathBuf::from(file))),
        "monitor" => Ok(Line::Monitor(MonitorId(words.number()?))),
        "chat" => words.chat(),
        "grant" => words.grant().map(Line::Grant),
        "pause" => Ok(Line::Pause),
        "resume" => Ok(Line::Resume),
        "stats" => Ok(Line::Stats),
        "watch" => words.watch(),
        "wait" => words.wait().map(Line::Wait),
        // "end": the list of uses names no other.
        _ => Ok(Line::End),
    }
}

fn press(button: PointerButton) -> Act {
    Act::Other(InputEvent::Button { button, action: KeyAction::Press })
}

fn release(button: PointerButton) -> Act {
    Act::Other(InputEvent::Button { button, action: KeyAction::Release })
}

struct Words<'a> {
    rest: &'a str,
    words: std::str::SplitWhitespace<'a>,
    uses: &'static str,
}

impl<'a> Words<'a> {
    fn wrong(&self, why: Text, value: &str) -> BadLine {
        let value = value.chars().filter(|c| !c.is_control()).take(40).collect();
        BadLine::Wrong { why, value, uses: self.uses }
    }

    fn word(&mut self) -> Result<&'a str, BadLine> {
        self.words.next().ok_or_else(|| self.wrong(Text::MissingValue, ""))
    }

    fn number<N: std::str::FromStr>(&mut self) -> Result<N, BadLine> {
        let word = self.word()?;
        word.parse().map_err(|_| self.wrong(Text::NotANumber, word))
    }

    fn all(&self) -> Result<&'a str, BadLine> {
        match self.rest.trim() {
            "" => Err(self.wrong(Text::MissingValue, "")),
            text => Ok(text),
        }
    }

    fn place(&mut self) -> Result<Act, BadLine> {
        Ok(Act::Move { x: self.number()?, y: self.number()? })
    }

    fn detents(&mut self) -> Result<i16, BadLine> {
        let detents: i16 = self.number()?;
        detents.checked_mul(120).ok_or_else(|| self.wrong(Text::NotANumber, &detents.to_string()))
    }

    fn button(&mut self) -> Result<PointerButton, BadLine> {
        match self.words.next() {
            None | Some("left") => Ok(PointerButton::Left),
            Some("middle") => Ok(PointerButton::Middle),
            Some("right") => Ok(PointerButton::Right),
            Some("back") => Ok(PointerButton::Back),
            Some("forward") => Ok(PointerButton::Forward),
            Some(word) => Err(self.wrong(Text::UnknownButton, word)),
        }
    }

    fn button_action(&mut self) -> Result<Line, BadLine> {
        let make = match self.word()? {
            "press" => press,
            "release" => release,
            word => return Err(self.wrong(Text::NotPressOrRelease, word)),
        };
        Ok(Line::Acts(vec![make(self.button()?)]))
    }

    fn key(&mut self, action: KeyAction) -> Result<Act, BadLine> {
        let word = self.word()?;
        let key = keys::key(word).ok_or_else(|| self.wrong(Text::UnknownKey, word))?;
        Ok(Act::Other(InputEvent::Key { key, action }))
    }

    fn chord(&mut self) -> Result<Line, BadLine> {
        let word = self.word()?;
        let keys = keys::chord(word).map_err(|part| self.wrong(Text::UnknownKey, &part))?;
        let down = keys.iter().map(|key| (*key, KeyAction::Press));
        let up = keys.iter().rev().map(|key| (*key, KeyAction::Release));
        let acts = down.chain(up).map(|(key, action)| Act::Other(InputEvent::Key { key, action }));
        Ok(Line::Acts(acts.collect()))
    }

    fn text(&self) -> Result<Line, BadLine> {
        if self.rest.is_empty() {
            return Err(self.wrong(Text::MissingValue, ""));
        }
        if self.rest.len() > MAX_TEXT_BYTES {
            return Err(self.wrong(Text::TooLong, ""));
        }
        Ok(Line::Acts(vec![Act::Other(InputEvent::Text(self.rest.to_owned()))]))
    }

    fn chat(&self) -> Result<Line, BadLine> {
        let text = self.all()?;
        if text.len() > MAX_CHAT_BYTES {
            return Err(self.wrong(Text::TooLong, ""));
        }
        Ok(Line::Chat(text.to_owned()))
    }

    fn grant(&mut self) -> Result<Grant, BadLine> {
        let uses = self.uses;
        let bad = |why, value: String| {
            let value = value.chars().filter(|c| !c.is_control()).take(40).collect();
            BadLine::WrongGrant { why, value, uses }
        };
        granting::parse(self.words.by_ref()).map_err(|wrong| match wrong {
            BadGrant::Missing => self.wrong(Text::MissingValue, ""),
            BadGrant::Time(word) => self.wrong(Text::NotANumber, &word),
            BadGrant::Word(word) => bad(SessionText::NotGrantWord, word),
            BadGrant::Right(word) => bad(SessionText::UnknownRight, word),
        })
    }

    fn watch(&mut self) -> Result<Line, BadLine> {
        if self.rest.trim() == "off" {
            return Ok(Line::Watch(None));
        }
        Ok(Line::Watch(Some(Spot { x: self.number()?, y: self.number()? })))
    }

    fn wait(&mut self) -> Result<Wait, BadLine> {
        match self.word()? {
            "session" => self.patience().map(Wait::Session),
            "frame" => self.patience().map(Wait::Frame),
            "colour" | "color" => {
                let spot = Spot { x: self.number()?, y: self.number()? };
                let word = self.word()?;
                let rgb = rgb(word).ok_or_else(|| self.wrong(Text::NotANumber, word))?;
                Ok(Wait::Colour { spot, rgb, within: self.patience()? })
            }
            word => match word.parse() {
                Ok(millis) => Ok(Wait::Time(Duration::from_millis(millis))),
                Err(_) => Err(self.wrong(Text::NotANumber, word)),
            },
        }
    }

    fn patience(&mut self) -> Result<Duration, BadLine> {
        match self.words.next() {
            None => Ok(PATIENCE),
            Some(word) => match word.parse() {
                Ok(millis) => Ok(Duration::from_millis(millis)),
                Err(_) => Err(self.wrong(Text::NotANumber, word)),
            },
        }
    }
}

fn rgb(text: &str) -> Option<[u8; 3]> {
    let text = text.trim_start_matches('#');
    if text.len() != 6 || !text.is_ascii() {
        return None;
    }
    let value = u32::from_str_radix(text, 16).ok()?;
    let [_, red, green, blue] = value.to_be_bytes();
    Some([red, green, blue])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_click_moves_presses_and_releases() {
        let Ok(Line::Acts(acts)) = parse("click 10 20 right") else { panic!("no acts") };
        assert_eq!(acts[0], Act::Move { x: 10, y: 20 });
        assert_eq!(acts[1..], [press(PointerButton::Right), release(PointerButton::Right)]);
    }

    #[test]
    fn a_chord_is_let_go_in_reverse() {
        let Ok(Line::Acts(acts)) = parse("key ctrl+a") else { panic!("no acts") };
        let usages: Vec<u16> = acts
            .iter()
            .filter_map(|act| {
                let Act::Other(InputEvent::Key { key, .. }) = act else { return None };
                Some(key.0)
            })
            .collect();
        assert_eq!(usages, [0xE0, 0x04, 0x04, 0xE0]);
    }

    #[test]
    fn typed_text_keeps_its_spaces() {
        let line = parse("type  two  spaces ").unwrap();
        let text = InputEvent::Text(" two  spaces ".to_owned());
        assert_eq!(line, Line::Acts(vec![Act::Other(text)]));
    }

    #[test]
    fn every_listed_command_is_known_and_a_wrong_line_names_its_use() {
        for (name, _) in USES {
            assert!(!matches!(parse(name), Err(BadLine::Unknown(_))), "{name}");
        }
        let wrong = parse("move 1 two").unwrap_err().sentence(Lang::En);
        assert!(wrong.contains("two") && wrong.contains("move X Y"), "{wrong}");
        for line in [
            "move",
            "move -1 5",
            "move 70000 1",
            "key",
            "key ctrl+",
            "scroll 1",
            "type",
            "wait x",
            "screenshot",
            "scroll 300 0",
        ] {
            assert!(matches!(parse(line), Err(BadLine::Wrong { .. })), "{line}");
        }
        assert!(matches!(parse("get a b"), Err(BadLine::Later(_))));
        assert!(parse("dance").unwrap_err().sentence(Lang::En).contains("screenshot"));
        assert_eq!(parse("   "), Ok(Line::Nothing));
    }

    #[test]
    fn a_wait_for_a_colour_takes_place_colour_and_patience() {
        let within = Duration::from_millis(500);
        let wait = Wait::Colour { spot: Spot { x: 1, y: 2 }, rgb: [255, 0, 16], within };
        assert_eq!(parse("wait colour 1 2 #ff0010 500"), Ok(Line::Wait(wait)));
    }
}
