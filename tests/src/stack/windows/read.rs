//! The windows beside a screen reader, which knows where everything stands in them: as whoever reads a label and
//! presses there.

use std::{ops::RangeInclusive, process::Command};

use anyhow::{Context, Result};

use super::{AgentWindow, OperatorWindow, View, operator, window_program};
use crate::{
    desktop::{Desktop, Hand, Reader, role},
    running::{run, until},
    stack::{House, Way},
};

/// What a program is told beside its flags: names and values of its environment.
type Settings<'a> = &'a [(&'a str, &'a str)];

/// How high the operator's bar may be: no side of a frame is.
const BAR: RangeInclusive<u16> = 30..=120;
/// What stands in the titles of the windows and of their bars.
const HIS: &str = "operators";
const HIS_BAR: &str = "Your screen is shown";
const HERS: &str = "Remote support";
const HER_BAR: &str = "Connected";

impl<'a> OperatorWindow<'a> {
    /// Opens it, read out by `reader`.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_read(
        house: &House,
        desk: &'a Desktop,
        way: Way,
        (reader, settings): (&Reader, Settings<'_>),
    ) -> Result<Self> {
        let mut command: Command = operator::command(desk, &house.profile())?;
        command.args(["--path", way.name(), "--lang", "en"]);
        command.env("DBUS_SESSION_BUS_ADDRESS", reader.session()).envs(settings.iter().copied());
        Self::started(desk, command)
    }

    /// A second start, which ends where there is this window.
    ///
    /// # Errors
    /// It failed.
    pub fn start_again(&self, house: &House) -> Result<()> {
        let mut command = operator::command(self.desk, &house.profile())?;
        command.env_remove("DBUS_SESSION_BUS_ADDRESS");
        run(command).map(drop)
    }

    /// Where on the screen something stands that is called so, as soon as it does.
    ///
    /// # Errors
    /// It never came.
    pub fn place_at(&self, reader: &Reader, role: u32, name: &str) -> Result<(u16, u16)> {
        Ok(self.frame.at(middle(reader, HIS, (role, name))?))
    }

    /// Clicks there.
    ///
    /// # Errors
    /// It never came.
    pub fn click_at(&self, reader: &Reader, role: u32, name: &str) -> Result<()> {
        self.click_on_screen(self.place_at(reader, role, name)?)
    }

    /// Clicks at a button of the bar over the shown screen.
    ///
    /// # Errors
    /// There is no bar, or no such button.
    pub fn click_on_bar(&self, reader: &Reader, name: &str) -> Result<()> {
        let bar = self.marks()?.into_iter().find(|mark| BAR.contains(&mark.height));
        let bar = bar.context("there is no bar")?;
        self.click_on_screen(bar.at(middle(reader, HIS_BAR, (role::BUTTON, name))?))
    }

    /// Clicks at a pixel of the user's screen, wherever and however large it is seen in the window.
    ///
    /// # Errors
    /// It is not seen.
    pub fn click_in_picture(
        &self,
        reader: &Reader,
        screen: (u16, u16),
        pixel: (i16, i16),
    ) -> Result<()> {
        let place = in_picture(reader, (HIS, "Their screen"), screen, pixel)?;
        self.click_on_screen(self.frame.at(place))
    }

    fn click_on_screen(&self, (x, y): (u16, u16)) -> Result<()> {
        self.click(i32::from(x) - i32::from(self.frame.left), i32::from(y) - i32::from(self.frame.top))
    }
}

impl<'a> AgentWindow<'a> {
    /// Says at the notice before an organisation's first question that she called them herself; the question is there then.
    ///
    /// # Errors
    /// There was no notice, or no question behind it.
    pub fn called_them(&self, hand: &mut Hand, hers: &Reader) -> Result<()> {
        const HERSELF: &str = "I called them myself";
        hers.wait_for(role::BUTTON, HERSELF)?;
        until("the question", || {
            if hers.find(role::BUTTON, HERSELF)?.is_some() {
                self.click_at(hand, hers, role::BUTTON, HERSELF)?;
            }
            hers.find(role::BUTTON, "Allow")
        })
        .map(drop)
    }

    /// Opens it, read out by `reader`.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_read(
        house: &House,
        desk: &'a Desktop,
        (reader, settings): (&Reader, Settings<'_>),
    ) -> Result<Self> {
        Self::start(house, desk, |command| {
            command.env("DBUS_SESSION_BUS_ADDRESS", reader.session()).envs(settings.iter().copied())
        })
    }

    /// As a desktop does with a link that somebody clicks: a second start, which hands it to this window.
    ///
    /// # Errors
    /// It failed.
    pub fn follow(&self, house: &House, link: &str) -> Result<()> {
        self.start_with(house, &["--", link])
    }

    /// A second start, which ends where there is this window.
    ///
    /// # Errors
    /// It failed.
    pub fn start_again(&self, house: &House) -> Result<()> {
        self.start_with(house, &[])
    }

    fn start_with(&self, house: &House, more: &[&str]) -> Result<()> {
        let mut command = self.desk.networked(window_program("tasuki-agent")?);
        command.arg("--tenant").arg(house.bundle()).arg("--profile").arg(&self.profile);
        command.args(more).env_remove("DBUS_SESSION_BUS_ADDRESS");
        run(command).map(drop)
    }

    /// Where on the screen something stands that is called so, as soon as it does.
    ///
    /// # Errors
    /// It never came.
    pub fn place_at(&self, reader: &Reader, role: u32, name: &str) -> Result<(u16, u16)> {
        let place = middle(reader, HERS, (role, name))?;
        Ok(self.frame()?.context("the user's window is gone")?.at(place))
    }

    /// A hand's click there.
    ///
    /// # Errors
    /// It never came.
    pub fn click_at(&self, hand: &mut Hand, reader: &Reader, role: u32, name: &str) -> Result<()> {
        hand.click(self.place_at(reader, role, name)?)
    }

    /// A hand's click at a pixel of the operator's screen, wherever and however large it is seen in the window.
    ///
    /// # Errors
    /// It is not seen.
    pub fn click_in_picture(
        &self,
        hand: &mut Hand,
        reader: &Reader,
        screen: (u16, u16),
        pixel: (i16, i16),
    ) -> Result<()> {
        let place = in_picture(reader, (HERS, "You see "), screen, pixel)?;
        hand.click(self.frame()?.context("the user's window is gone")?.at(place))
    }

    /// Where a button of the bar stands on the screen.
    ///
    /// # Errors
    /// There is no bar, or no such button.
    pub fn on_bar(&self, reader: &Reader, name: &str) -> Result<(u16, u16)> {
        let place = middle(reader, HER_BAR, (role::BUTTON, name))?;
        Ok(self.bar()?.context("there is no bar")?.at(place))
    }
}

/// Where a pixel of a screen is seen in a window, in the part of it that is called so.
fn in_picture(
    reader: &Reader,
    (window, name): (&str, &str),
    screen: (u16, u16),
    (x, y): (i16, i16),
) -> Result<(f64, f64)> {
    let area = until(name, || Ok(reader.areas(window, role::IMAGE, name)?.first().copied()))?;
    let [left, top, width, height] = area.map(f64::from);
    let view = View { left, top, width, height };
    Ok(view.place_of(screen, (f64::from(x) + 0.5, f64::from(y) + 0.5)))
}

/// The middle of something that stands in a window, as soon as it does.
fn middle(reader: &Reader, window: &str, (role, name): (u32, &str)) -> Result<(f64, f64)> {
    let area = until(name, || Ok(reader.areas(window, role, name)?.first().copied()))?;
    let [left, top, width, height] = area.map(f64::from);
    Ok((left + width / 2.0, top + height / 2.0))
}
