//! Letting go of what a killed injector held (F19, T50).
//!
//! A display keeps a key down whose presser is gone. So a second process of the same program knows
//! what was ever pressed, and lets go of it when the first one's end of a pipe closes without a word.
//! It has a session of its own: what ends the program by its terminal does not end this.
//! Decides nothing else; it can press nothing, and what is not down no release concerns.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::env;
use std::io::{Read, Write};
use std::process::{ChildStdin, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use x11rb::protocol::xproto::{
    BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, KEY_PRESS_EVENT, KEY_RELEASE_EVENT,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::wrapper::ConnectionExt as _;

use super::connection::Desktop;

/// The first argument of the second process; no option of any program begins like it.
const WORD: &str = "+release-when-orphaned";
/// What says that nothing is left to be done.
const DONE: [u8; 2] = [0; 2];

/// Whether this program's `main` serves when asked.
static SERVES: AtomicBool = AtomicBool::new(false);

/// The first statement of a `main` whose program may inject: serves and returns an end when this
/// process was started as a watchdog; otherwise notes that the program can be one.
pub fn serve_when_asked() -> Option<ExitCode> {
    if env::args_os().nth(1).is_some_and(|word| word == WORD) {
        return Some(serve());
    }
    SERVES.store(true, Ordering::Relaxed);
    None
}

/// The injector's side. Where no watchdog can be started, acts go on without: the injector itself
/// lets go whenever it ends in any other way.
#[derive(Debug)]
pub(super) struct Watchdog {
    pipe: Option<ChildStdin>,
    told: RefCell<BTreeSet<[u8; 2]>>,
}

impl Watchdog {
    /// For `display` as in DISPLAY; `None` takes the environment's.
    pub(super) fn start(display: Option<&str>) -> Self {
        let pipe = if SERVES.load(Ordering::Relaxed) { attend(display).ok() } else { None };
        Self { pipe, told: RefCell::default() }
    }

    /// Before an act of X's `kind` is done.
    pub(super) fn note(&self, kind: u8, detail: u8) {
        let is_press = release_of(kind).is_some();
        if is_press && self.told.borrow_mut().insert([kind, detail]) {
            self.tell([kind, detail]);
        }
    }

    /// Everything was let go, and the display has heard it.
    pub(super) fn dismiss(&self) {
        self.tell(DONE);
    }

    fn tell(&self, note: [u8; 2]) {
        if let Some(mut pipe) = self.pipe.as_ref() {
            // A watchdog that is gone is no reason not to act.
            let _ = pipe.write_all(&note);
        }
    }
}

fn attend(display: Option<&str>) -> std::io::Result<ChildStdin> {
    // This very file, whatever lies at its path by now.
    let mut command = Command::new("/proc/self/exe");
    command.arg(WORD).envs(display.map(|display| ("DISPLAY", display)));
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    let pipe = child.stdin.take().ok_or(std::io::ErrorKind::BrokenPipe)?;
    // Somebody must hear of its end, or it stays in the table of processes.
    let wait = move || drop(child.wait());
    std::thread::Builder::new().name("tasuki-watchdog".to_owned()).spawn(wait)?;
    Ok(pipe)
}

fn release_of(press: u8) -> Option<u8> {
    match press {
        KEY_PRESS_EVENT => Some(KEY_RELEASE_EVENT),
        BUTTON_PRESS_EVENT => Some(BUTTON_RELEASE_EVENT),
        _ => None,
    }
}

fn serve() -> ExitCode {
    // Refused only to who has a session of his own already.
    let _ = rustix::process::setsid();
    let pressed = until_the_end(std::io::stdin().lock());
    if pressed.is_empty() {
        return ExitCode::SUCCESS;
    }
    // A display that is gone holds nothing.
    let Ok(desktop) = Desktop::connect(None) else { return ExitCode::FAILURE };
    let c = &desktop.connection;
    for [press, detail] in pressed {
        let Some(release) = release_of(press) else { continue };
        match c.xtest_fake_input(release, detail, x11rb::CURRENT_TIME, desktop.root, 0, 0, 0) {
            Ok(asked) => asked.ignore_error(),
            Err(_) => return ExitCode::FAILURE,
        }
    }
    if c.sync().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What was pressed and never said to be let go, when nobody can write any more.
fn until_the_end(mut pipe: impl Read) -> BTreeSet<[u8; 2]> {
    let (mut pressed, mut note) = (BTreeSet::new(), DONE);
    while pipe.read_exact(&mut note).is_ok() {
        if note == DONE {
            pressed.clear();
        } else if release_of(note[0]).is_some() {
            pressed.insert(note);
        }
    }
    pressed
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTROL: [u8; 2] = [KEY_PRESS_EVENT, 37];
    const LEFT: [u8; 2] = [BUTTON_PRESS_EVENT, 1];

    #[test]
    fn f19_what_was_pressed_is_known_when_the_presser_is_gone() {
        let notes = [CONTROL, LEFT, CONTROL];
        assert_eq!(until_the_end(notes.as_flattened()), BTreeSet::from([CONTROL, LEFT]));
        let half = &notes.as_flattened()[..3];
        assert_eq!(until_the_end(half), BTreeSet::from([CONTROL]));
    }

    #[test]
    fn f19_who_let_go_of_everything_leaves_nothing_to_do() {
        let notes = [CONTROL, LEFT, DONE];
        assert_eq!(until_the_end(notes.as_flattened()), BTreeSet::new());
    }

    #[test]
    fn f19_a_watchdog_only_releases() {
        let notes: Vec<[u8; 2]> = (0..=u8::MAX).map(|kind| [kind, 9]).collect();
        let known = until_the_end(notes.as_flattened());
        let releases: BTreeSet<u8> = known.iter().filter_map(|[press, _]| release_of(*press)).collect();
        assert_eq!(releases, BTreeSet::from([KEY_RELEASE_EVENT, BUTTON_RELEASE_EVENT]));
    }
}
