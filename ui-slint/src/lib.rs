//! The windows: `tasuki-operator` and `tasuki-agent`.
//!
//! Each program is a pure `update(Model, Msg) -> Effects` without a type of Slint in it, and
//! adapters at the edge that show a model and carry effects out. Rights, sessions and paths are
//! decided by `tasuki-peer`; nothing here opens a socket.

pub mod agent;
mod chat;
pub mod checkup;
pub mod clock;
mod documents;
mod dress;
mod examining;
mod front;
mod kept;
#[cfg_attr(
    not(all(unix, not(target_os = "macos"))),
    allow(dead_code, reason = "no display of another system ends a program unasked")
)]
mod last_words;
pub mod look;
pub mod operator;
mod options;
mod orders;
mod room;
mod rows;
pub mod single;
mod system;
mod turns;
mod upkeep;
pub mod viewer;
mod walk;

use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tasuki_peer::shell::fault::Fault;

/// The toolkit's crate that asks the system for its fonts.
const READER_OF_FONTS: &str = "fontique";
const NO_FONT_WORDS: &str =
    "this computer has no font; install one, for example Debian's fonts-dejavu-core";

/// What Slint makes of `ui/windows.slint`.
#[allow(warnings, clippy::all, clippy::pedantic, clippy::restriction)]
pub mod windows {
    slint::include_modules!();
}

/// The toolkit panics on a computer without a single font, though the windows bring their own; that is
/// told as any other desktop that cannot be used.
pub(crate) fn start_toolkit<T>(
    start: impl FnOnce() -> Result<T, slint::PlatformError>,
) -> Result<T, Fault> {
    static NO_FONT: AtomicBool = AtomicBool::new(false);
    let usual = Arc::new(panic::take_hook());
    let other = Arc::clone(&usual);
    panic::set_hook(Box::new(move |told| {
        let is_of_fonts = told.location().is_some_and(|at| at.file().contains(READER_OF_FONTS));
        if is_of_fonts { NO_FONT.store(true, Ordering::Relaxed) } else { other(told) }
    }));
    let started = panic::catch_unwind(panic::AssertUnwindSafe(start));
    panic::set_hook(Box::new(move |told| usual(told)));
    match started {
        Ok(started) => started.map_err(|why| unusable(&why)),
        Err(_) if NO_FONT.load(Ordering::Relaxed) => {
            Err(Fault::Desktop { why: NO_FONT_WORDS.to_owned() })
        }
        Err(told) => panic::resume_unwind(told),
    }
}

/// What the toolkit says of a desktop that it cannot use.
pub(crate) fn unusable(why: &slint::PlatformError) -> Fault {
    Fault::Desktop { why: cause(&why.to_string()).to_owned() }
}

/// The toolkit tells of each of its back ends in a line, and of lines of its own source.
fn cause(told: &str) -> &str {
    let line = told.lines().find(|line| line.contains(".rs:")).or_else(|| told.lines().next());
    let line = line.unwrap_or_default();
    let cause = line.split_once(".rs:").and_then(|(_, rest)| rest.split_once(": "));
    cause.map_or(line, |(_, cause)| cause).trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::cause;

    #[test]
    fn of_what_the_toolkit_tells_the_cause_is_left() {
        let told = "Could not initialize backend.\nError from Winit backend: os error at \
                    winit/src/linux/mod.rs:788: Failed to open connection to X server\nNo backends \
                    configured.";
        assert_eq!(cause(told), "Failed to open connection to X server");
        assert_eq!(cause("No backends configured."), "No backends configured");
        assert_eq!(cause(""), "");
    }
}
