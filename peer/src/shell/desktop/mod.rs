//! This end's desktop: as the host that shows it, or as the viewer's picture.
//!
//! Only one of the two is ever constructed in a session: which one follows from
//! the core's commands, never from anything said here (T20, S29).

mod acts;
pub mod host;
mod mailbox;
pub mod viewer;

use tasuki_media::desktop;
use tasuki_media::screen::ScreenError;

use super::fault::Fault;
use super::system;

pub use host::Host;
pub use mailbox::Mailbox;
pub use viewer::Viewer;

/// The display of the environment.
///
/// # Errors
/// [`Fault::NoDisplay`], or [`Fault::OtherSystem`].
pub fn named() -> Result<String, Fault> {
    desktop::named().map_err(unusable)
}

/// Whether `display` (as in DISPLAY) answers and has what it takes to be shown and
/// operated, so that no number is spent on one that does not. Looks at nothing on it (T1).
///
/// # Errors
/// [`Fault::Desktop`], or [`Fault::Wayland`]. A display of another machine is taken on trust.
pub fn check(display: &str) -> Result<(), Fault> {
    let Some((host, screen)) = display.rsplit_once(':') else {
        return Err(gone(display));
    };
    if !host.is_empty() && host != "unix" {
        return Ok(());
    }
    let number = screen.split('.').next().unwrap_or_default();
    if !system::display_answers(number) {
        return Err(gone(display));
    }
    desktop::check(display).map_err(unusable)
}

fn unusable(why: ScreenError) -> Fault {
    let of_its_own = [
        (ScreenError::NoDisplay, Fault::NoDisplay),
        (ScreenError::Wayland, Fault::Wayland),
        (ScreenError::OtherSystem, Fault::OtherSystem),
    ];
    let found = of_its_own.into_iter().find(|(its, _)| *its == why);
    found.map_or_else(|| Fault::Desktop { why: why.to_string() }, |(_, fault)| fault)
}

fn gone(display: &str) -> Fault {
    Fault::Desktop { why: format!("no X server answers at {display}; check DISPLAY") }
}
