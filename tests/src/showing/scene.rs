//! The two desktops of the demo, laid out to be looked at.

use std::path::Path;

use anyhow::Result;
use tasuki_protocol::ids::Role;

use crate::{
    desktop::{Desktop, Notepad, Rgb, Size, nudge_pointer, open_terminal, paint_wallpaper},
    stack::Desks,
};

pub const SIZE: Size = Size::new(1280, 800);

const USER_SASH: Rgb = [204, 82, 51];
const OPERATOR_SASH: Rgb = [64, 140, 150];

/// The desktops, and on each the program that keeps what is typed.
#[derive(Debug)]
pub struct Scene {
    pub desks: Desks,
    user_notes: Notepad,
    operator_notes: Notepad,
}

impl Scene {
    /// Notes are kept in `folder`. The operator's side is a display that is there already, if one
    /// is named.
    ///
    /// # Errors
    /// A program of the desktops is not installed, or there is no such display.
    pub fn set(folder: &Path, here: Option<&str>) -> Result<Self> {
        let mut user = Desktop::start(SIZE)?;
        furnish_user(&mut user)?;
        let user_notes =
            Notepad::open(&mut user, "Notes", "58x11+44+448", &folder.join("notes-user.txt"))?;
        let mut operator = match here {
            Some(display) => Desktop::existing(display)?,
            None => {
                let mut own = Desktop::start(SIZE)?;
                furnish_operator(&mut own)?;
                own
            }
        };
        let path = folder.join("notes-operator.txt");
        let operator_notes = Notepad::open(&mut operator, "Tickets", "58x11+44+448", &path)?;
        let scene = Self { desks: Desks { operator, user }, user_notes, operator_notes };
        scene.rest()?;
        Ok(scene)
    }

    pub fn notes(&self, role: Role) -> &Notepad {
        match role {
            Role::Operator => &self.operator_notes,
            Role::Agent => &self.user_notes,
        }
    }

    /// Both people put their mouse into their notes, so that what is typed without a click would
    /// arrive there too.
    fn rest(&self) -> Result<()> {
        for role in [Role::Operator, Role::Agent] {
            let (x, y) = self.notes(role).middle;
            nudge_pointer(self.desks.of(role), x, y)?;
            self.desks.of(role).still_picture()?;
            // A clock that came up late has taken them.
            self.notes(role).take_keys(self.desks.of(role))?;
        }
        Ok(())
    }
}

pub(super) fn furnish_user(desktop: &mut Desktop) -> Result<()> {
    paint_wallpaper(desktop, USER_SASH)?;
    let script = r"printf '\033[1;33m  第三営業部  月次報告\033[0m\n\n';
        printf '  品名        数量      金額\n';
        printf '  ----------------------------\n';
        printf '  りんご       120   \033[32m36,000\033[0m\n';
        printf '  みかん       340   \033[32m51,000\033[0m\n';
        printf '  ぶどう        18   \033[31m-2,700\033[0m\n\n';
        printf '  The printer prints everything twice.\n  Who can help?\n'";
    open_terminal(desktop, "Report", "44x12+44+56", script)?;
    desktop.run("xclock", &["-geometry", "150x150+600+57", "-bg", "#f4efe6", "-hd", "#12161f"])?;
    desktop.run("xeyes", &["-geometry", "160x100+595+262"])
}

fn furnish_operator(desktop: &mut Desktop) -> Result<()> {
    open_guide(desktop, 44)?;
    desktop.run("xclock", &["-geometry", "150x150+600+57", "-bg", "#e6eef0", "-hd", "#12161f"])
}

/// What there is to be shown, on its wallpaper.
pub(super) fn open_guide(desktop: &mut Desktop, left: u16) -> Result<()> {
    paint_wallpaper(desktop, OPERATOR_SASH)?;
    let script = r"printf '\033[1;36m  Printer settings, step by step\033[0m\n\n';
        printf '  1. Open  設定 > プリンター\n';
        printf '  2. Choose the printer of your floor\n';
        printf '  3. Set  部数 (copies)  to  1\n';
        printf '  4. Print a test page\n\n';
        printf '  \033[2mHelp desk, second floor\033[0m\n'";
    open_terminal(desktop, "Guide", &format!("44x12+{left}+56"), script)
}
