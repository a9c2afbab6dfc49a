//! More operators than the one with whom a house is set up.
//!
//! Refuses to know what they do.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::House;
use super::house::{PASSWORD, answered, text_of};
use crate::running::{Mark, Process};

impl House {
    /// Adds an operator with an approved device who may use every mode, and signs him in; gives his profile.
    ///
    /// # Errors
    /// Any of the programs refused; its words are in the error.
    pub fn add_colleague(&self, name: &str, display_name: &str) -> Result<PathBuf> {
        let profile = self.folder().join(name);
        let mut add = self.admin()?;
        add.args(["operator", "add", name, "--display-name", display_name]);
        add.args(["--modes", "manage,control,view,share,show", "--password-stdin"]);
        let code = text_of(&answered(add, PASSWORD)?, "enrolment")?;
        let login = || -> Result<Command> {
            let mut command = self.site.command("tasuki")?;
            command.args(["login", "--tenant"]).arg(self.bundle());
            command.args(["--operator", name, "--password-stdin", "--json", "--profile"]).arg(&profile);
            Ok(command)
        };
        let mut asks = login()?;
        asks.arg("--enrolment-stdin");
        let mut process = Process::start("tasuki", asks)?;
        process.say(&format!("{PASSWORD}\n{code}"))?;
        process.close_input();
        let (event, _) =
            process.event(Mark::default(), "device", |e| e["event"] == "device_pending")?;
        process.wait_end()?;
        let words = text_of(&event, "words")?;
        self.administrate(&["device", "approve", name, "--words", &words])?;
        answered(login()?, PASSWORD)?;
        Ok(profile)
    }
}
