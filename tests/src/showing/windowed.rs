//! The demo's second half: each mode once more, from the operator's window, by clicks and keys.
//!
//! Fails if anything that its [`Windowed`] claims did not happen.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use tasuki_protocol::{ids::Role, rights::Mode};

use super::{Scene, may_type};
use crate::{
    desktop::{Desktop, Ear, Size},
    stack::{House, OperatorWindow, WINDOW, Way},
};

/// One session that was held in a window.
#[derive(Debug, Clone)]
pub struct Windowed {
    pub mode: Mode,
    /// The operator's screen while it ran.
    pub png: String,
    /// What was typed into the window and arrived at the host.
    pub received: String,
}

/// Holds one session per mode from the operator's window; leaves a picture of each in `out`.
///
/// # Errors
/// The windows are not built, or something did not happen.
pub fn hold_in_windows(house: &House, scene: &Scene, out: &Path) -> Result<Vec<Windowed>> {
    // A desktop without a window manager: the window stands where its pictures say.
    let desk = Desktop::start_bare(Size::new(WINDOW.0, WINDOW.1))?;
    let window = OperatorWindow::open(house, &desk, Way::Auto)?;
    let hold = |mode| {
        hold_one(&window, house, scene, mode, out).with_context(|| format!("{mode} in a window"))
    };
    Mode::ALL.into_iter().map(hold).collect()
}

fn hold_one(
    window: &OperatorWindow<'_>,
    house: &House,
    scene: &Scene,
    mode: Mode,
    out: &Path,
) -> Result<Windowed> {
    let user = &scene.desks.user;
    let mut agent = window.connect(house, user, mode)?;
    let received = match mode.viewer() {
        Role::Operator => type_into(window, scene, mode)?,
        Role::Agent => String::new(),
    };
    let png = format!("{mode}-window.png");
    window.picture()?.save(&out.join(&png))?;
    window.end(&mut agent)?;
    Ok(Windowed { mode, png, received })
}

/// Keys by their place arrive in a real program, or, where looking is all, nowhere.
fn type_into(window: &OperatorWindow<'_>, scene: &Scene, mode: Mode) -> Result<String> {
    let notes = scene.notes(Role::Agent);
    let ear = Ear::open(&scene.desks.user)?;
    let host = scene.desks.user.picture()?;
    window.click_at_host((u16::try_from(host.width)?, u16::try_from(host.height)?), notes.middle)?;
    let line = format!("Typed into the window, {mode}");
    window.type_text(&line)?;
    window.key("Return")?;
    if may_type(mode) {
        notes.wait_for(&line)?;
        return Ok(line);
    }
    let heard = ear.heard()?;
    ensure!(heard == 0, "{heard} input events reached the host");
    Ok(String::new())
}
