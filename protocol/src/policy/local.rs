//! A computer's own maximum: what its owner lets nobody do there, whatever a manifest
//! allows and whoever clicks. It can only take away.

use super::Rules;
use super::rank::Key;
use crate::rights::{Capability, Mode, Rights};
use crate::terms::{Approval, FileRules, Requirement};

/// The file's name, in the system's folder and in a profile; both count.
pub const LOCAL_MAXIMUM_FILE: &str = "agent-max.toml";

/// Any number of such files together; of none, no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocalMaximum(Vec<Rules>);

/// Why a file counts for nothing, and the program does not start with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocalMaximumFault {
    #[error("a computer's own maximum has no word for {0}")]
    Word(&'static str),
    #[error("a computer's own maximum cannot demand a recording")]
    Demand,
}

impl LocalMaximum {
    /// One more file's rules.
    ///
    /// # Errors
    /// What a machine cannot decide for itself is no part of its maximum.
    pub fn and(mut self, rules: Rules) -> Result<Self, LocalMaximumFault> {
        let foreign = [
            (rules.hours.is_some(), Key::Hours),
            (rules.address_disclosure.is_some(), Key::AddressDisclosure),
            (rules.max_minutes.is_some(), Key::MaxMinutes),
            (rules.reason.is_some(), Key::Reason),
        ];
        if let Some((_, key)) = foreign.into_iter().find(|(said, _)| *said) {
            return Err(LocalMaximumFault::Word(key.name()));
        }
        if rules.recording == Some(Requirement::Required) {
            return Err(LocalMaximumFault::Demand);
        }
        if let Some(base) = rules.base {
            self.0.push(base.rules());
        }
        self.0.push(rules);
        Ok(self)
    }

    pub fn allows(&self, mode: Mode) -> bool {
        self.0.iter().filter_map(|rules| rules.modes.as_ref()).all(|modes| modes.contains(&mode))
    }

    /// The most that a viewer may do here in `mode`.
    pub fn rights(&self, mode: Mode) -> Rights {
        if !self.allows(mode) {
            return Rights::NONE;
        }
        let mut rights = mode.ceiling();
        for key in Key::ALL {
            let Some(capability) = key.capability() else { continue };
            let is_closed = |rules: &Rules| match capability {
                Capability::Record => rules.recording == Some(Requirement::Off),
                Capability::SeeScreen
                | Capability::Operate
                | Capability::ChooseScreen
                | Capability::FetchFiles
                | Capability::SendFiles
                | Capability::ReadClipboard
                | Capability::WriteClipboard
                | Capability::Screenshot
                | Capability::Chat
                | Capability::Point
                | Capability::Reconnect => rules.rank(key).is_some_and(|rank| !rank.is_open()),
            };
            if self.0.iter().any(is_closed) {
                rights = rights.without(capability);
            }
        }
        rights
    }

    /// A manifest's file rules, made as strict as this machine's.
    pub fn files(&self, theirs: FileRules) -> FileRules {
        let strictest = |theirs: Approval, own: fn(&Rules) -> Option<Approval>| {
            self.0.iter().filter_map(own).fold(theirs, Approval::stricter)
        };
        FileRules {
            fetch: strictest(theirs.fetch, |rules| rules.fetch_files),
            send: strictest(theirs.send, |rules| rules.send_files),
        }
    }

    /// What holds here of a manifest's word on application selection. S42, T31.
    pub fn application_selection(&self, theirs: Requirement) -> Requirement {
        let required = |rules: &Rules| rules.application_selection == Some(Requirement::Required);
        if self.0.iter().any(required) { Requirement::Required } else { theirs }
    }

    /// Whether a session in `mode` that demands such a recording may begin here at all.
    pub fn admits(&self, mode: Mode, recording: Requirement) -> bool {
        let recording_is_off =
            recording == Requirement::Required && !self.rights(mode).has(Capability::Record);
        self.allows(mode) && !recording_is_off
    }
}
