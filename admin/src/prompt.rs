//! Secrets from a person or a pipe, never from the command line (T68); and everything that is said beside the results,
//! a server's words in it without a character that acts (T66).

use std::io::{self, BufRead, IsTerminal, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::audit::neutral;
use crate::fault::Fault;
use crate::texts::Language;

/// One line from standard input; not echoed, with `question` before it, if a person types it.
///
/// # Errors
/// [`Fault::NothingTyped`].
pub fn secret(question: &str) -> Result<Zeroizing<String>, Fault> {
    let stdin = io::stdin();
    let _quiet = stdin.is_terminal().then(|| Quiet::begin(question));
    line()
}

/// As [`secret`], asked for twice if a person types it, since nobody sees what was typed; and anew where it is shorter
/// than `least` characters, or the two differ.
///
/// # Errors
/// [`Fault::NothingTyped`].
pub fn new_secret(
    language: Language,
    question: &str,
    least: usize,
) -> Result<Zeroizing<String>, Fault> {
    loop {
        let first = secret(question)?;
        if !is_person() {
            return Ok(first);
        }
        if first.chars().count() < least {
            show(&language.too_short(least));
        } else if *secret(&language.ask_again())? == *first {
            return Ok(first);
        } else {
            show(&language.differ());
        }
    }
}

/// Something to read before the next answer; beside the results, so that scripts do not meet it.
pub fn show(text: &str) {
    // A terminal that cannot be written to shows nothing; the answer still counts.
    let _shown = writeln!(io::stderr(), "{}", neutral::text(text));
}

/// One line from standard input, echoed.
///
/// # Errors
/// [`Fault::NothingTyped`].
pub fn answer(question: &str) -> Result<Zeroizing<String>, Fault> {
    if io::stdin().is_terminal() {
        ask(question);
    }
    line()
}

/// Waits for a person to type `expected`, however he writes it.
///
/// # Errors
/// [`Fault::NothingTyped`]: the terminal is gone.
pub fn until_typed(question: &str, expected: &str) -> Result<(), Fault> {
    loop {
        show(question);
        let mut line = Zeroizing::new(String::new());
        if !matches!(io::stdin().lock().read_line(&mut line), Ok(1..)) {
            return Err(Fault::NothingTyped);
        }
        if line.trim().eq_ignore_ascii_case(expected) {
            return Ok(());
        }
    }
}

/// Whether somebody sits there who can be asked again.
pub fn is_person() -> bool {
    io::stdin().is_terminal()
}

/// Whether a person has said already that he means it: `--yes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sure {
    Ask,
    Already,
}

impl Sure {
    pub fn said(yes: bool) -> Self {
        if yes { Self::Already } else { Self::Ask }
    }
}

/// Before what cannot be undone: a person at a terminal types `expected`, and a script has said `--yes`.
///
/// # Errors
/// [`Fault::NotConfirmed`], [`Fault::NothingTyped`]; [`Fault::NobodyThere`] where there is no terminal.
pub fn confirm(sure: Sure, question: &str, expected: &str) -> Result<(), Fault> {
    match sure {
        Sure::Already => Ok(()),
        Sure::Ask if !io::stdin().is_terminal() => Err(Fault::NobodyThere),
        Sure::Ask if *answer(question)? == *expected => Ok(()),
        Sure::Ask => Err(Fault::NotConfirmed),
    }
}

fn line() -> Result<Zeroizing<String>, Fault> {
    let mut line = Zeroizing::new(String::new());
    let read = io::stdin().lock().read_line(&mut line);
    let kept = Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned());
    if read.is_err() || kept.is_empty() { Err(Fault::NothingTyped) } else { Ok(kept) }
}

fn ask(question: &str) {
    let mut out = io::stderr();
    // A terminal that cannot be written to shows no question; the answer still counts.
    let _shown = write!(out, "{} ", neutral::text(question)).and_then(|()| out.flush());
}

/// Switches the echo off, and on again when dropped.
struct Quiet(Option<Termios>);

impl Quiet {
    fn begin(question: &str) -> Self {
        ask(question);
        let Ok(before) = tcgetattr(io::stdin()) else { return Self(None) };
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        let done = tcsetattr(io::stdin(), OptionalActions::Now, &quiet);
        Self(done.is_ok().then_some(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // Nothing better can be done if the terminal is gone.
            let _restored = tcsetattr(io::stdin(), OptionalActions::Now, before);
            // The line that was not echoed ends here.
            let _shown = writeln!(io::stderr());
        }
    }
}
