//! The demo's second half: each mode once more between the two windows, by clicks and keys, the end
//! user's by a hand that is a device of its own to his display, since nothing else may consent.
//!
//! Fails if anything that its [`Windowed`] claims did not happen.

use std::{path::Path, thread, time::Duration};

use anyhow::{Context, Result, ensure};
use tasuki_protocol::{ids::Role, rights::Mode};

use super::may_type;
use super::scene::{SIZE, furnish_user, open_guide};
use crate::{
    desktop::{Desktop, Ear, Hand, Notepad, Size},
    stack::{AgentWindow, House, OperatorWindow, Way, click_until_focused},
};

/// Room for the operator's window, and beside it for what he shows.
const OPERATOR: Size = Size::new(1760, 840);
/// Longer than a session waits for whose hand is on the mouse of the shown computer (T32).
const OWN_HAND: Duration = Duration::from_millis(2600);

/// One session that was held between the windows.
#[derive(Debug, Clone)]
pub struct Windowed {
    pub mode: Mode,
    /// The operator's screen while it ran.
    pub operator_png: String,
    /// The end user's.
    pub user_png: String,
    /// What the viewer typed into his window and arrived at the host.
    pub received: String,
}

/// Two desktops of their own, and on each the program that keeps what is typed.
struct Desks {
    operator: Desktop,
    user: Desktop,
    hand: Hand,
    operators_notes: Notepad,
    users_notes: Notepad,
}

impl Desks {
    fn set(folder: &Path) -> Result<Self> {
        let mut operator = Desktop::start(OPERATOR)?;
        open_guide(&mut operator, 1320)?;
        let path = folder.join("window-notes-operator.txt");
        let operators_notes = Notepad::open(&mut operator, "Tickets", "44x11+1320+448", &path)?;
        let (mut user, hand) = Desktop::start_with_hand(SIZE)?;
        furnish_user(&mut user)?;
        let path = folder.join("window-notes-user.txt");
        let users_notes = Notepad::open(&mut user, "Notes", "48x11+44+448", &path)?;
        Ok(Self { operator, user, hand, operators_notes, users_notes })
    }
}

/// Holds one session per mode between the two windows; leaves a picture of both sides of each in `out`.
///
/// # Errors
/// The windows are not built, or something did not happen.
pub fn hold_in_windows(house: &House, out: &Path) -> Result<Vec<Windowed>> {
    let mut desks = Desks::set(house.folder())?;
    let Desks { operator, user, hand, operators_notes, users_notes } = &mut desks;
    let window = OperatorWindow::open(house, operator, Way::Auto)?;
    let mut held = Vec::new();
    for mode in Mode::ALL {
        let agent = AgentWindow::open(house, user)?;
        let notes = match mode.host() {
            Role::Agent => &*users_notes,
            Role::Operator => &*operators_notes,
        };
        let run = hold_one((&window, &agent), (operator, user), (notes, hand), mode, out);
        held.push(run.with_context(|| format!("{mode} between the windows"))?);
    }
    Ok(held)
}

fn hold_one(
    (window, agent): (&OperatorWindow<'_>, &AgentWindow<'_>),
    (operator, user): (&Desktop, &Desktop),
    (notes, hand): (&Notepad, &mut Hand),
    mode: Mode,
    out: &Path,
) -> Result<Windowed> {
    window.meet(agent, hand, mode)?;
    thread::sleep(OWN_HAND);
    let host = match mode.host() {
        Role::Agent => user,
        Role::Operator => operator,
    };
    let ear = Ear::open(host)?;
    let mut click = || match mode.viewer() {
        Role::Operator => window.click_at_host((SIZE.width, SIZE.height), notes.middle),
        Role::Agent => agent.click_at_host(hand, (OPERATOR.width, OPERATOR.height), notes.middle),
    };
    // Keys by their place arrive in a real program, or, where looking is all, nowhere.
    if may_type(mode) {
        click_until_focused(host, &notes.title, OWN_HAND, &mut click)?;
    } else {
        click()?;
    }
    let line = format!("Typed into the window, {mode}");
    match mode.viewer() {
        Role::Operator => {
            window.type_text(&line)?;
            window.key("Return")?;
        }
        Role::Agent => hand.type_line(&line)?,
    }
    let received = if may_type(mode) {
        notes.wait_for(&line)?;
        line
    } else {
        let heard = ear.heard()?;
        ensure!(heard == 0, "{heard} input events reached the host");
        String::new()
    };
    let [operator_png, user_png] = ["operator", "user"].map(|side| format!("{mode}-window-{side}.png"));
    operator.still_picture()?.save(&out.join(&operator_png))?;
    user.picture()?.save(&out.join(&user_png))?;
    agent.end(hand)?;
    Ok(Windowed { mode, operator_png, user_png, received })
}
