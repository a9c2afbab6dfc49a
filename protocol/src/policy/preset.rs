//! Presets: a whole intention under one name, to stand as a section's base.

use serde::{Deserialize, Serialize};

use super::Rules;
use crate::rights::Mode;
use crate::terms::{Approval, Requirement};

/// A named set of rules. As a base it is one more section beside the one that names it,
/// so that nothing written beside it makes it wider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Only the operator's own screen is shown: nothing of the customer is seen. S94.
    Teach,
    /// Looking at the customer's screen, and nothing else.
    ViewOnly,
    /// Everything but files and clipboard, in every mode. S93.
    ControlWithoutFiles,
    /// Only windows of a chosen application, whatever the mode. S42.
    ApplicationsOnly,
    /// All that the modes can.
    Full,
}

impl Preset {
    pub const ALL: [Self; 5] =
        [Self::Teach, Self::ViewOnly, Self::ControlWithoutFiles, Self::ApplicationsOnly, Self::Full];

    pub fn name(self) -> &'static str {
        match self {
            Self::Teach => "teach",
            Self::ViewOnly => "view-only",
            Self::ControlWithoutFiles => "control-without-files",
            Self::ApplicationsOnly => "applications-only",
            Self::Full => "full",
        }
    }

    pub fn rules(self) -> Rules {
        match self {
            Self::Teach => Rules {
                modes: Some(vec![Mode::Show]),
                operate: Some(false),
                reconnect: Some(false),
                ..Self::without_files()
            },
            Self::ViewOnly => Rules {
                modes: Some(vec![Mode::View]),
                operate: Some(false),
                reconnect: Some(false),
                ..Self::without_files()
            },
            Self::ControlWithoutFiles => {
                Rules { modes: Some(Mode::ALL.to_vec()), ..Self::without_files() }
            }
            Self::ApplicationsOnly => Rules {
                modes: Some(vec![Mode::Control, Mode::View, Mode::Share, Mode::Show]),
                application_selection: Some(Requirement::Required),
                reconnect: Some(false),
                ..Self::without_files()
            },
            Self::Full => Rules {
                modes: Some(Mode::ALL.to_vec()),
                fetch_files: Some(Approval::Allow),
                send_files: Some(Approval::Allow),
                read_clipboard: Some(true),
                write_clipboard: Some(true),
                recording: Some(Requirement::Optional),
                ..Rules::default()
            },
        }
    }

    fn without_files() -> Rules {
        Rules {
            fetch_files: Some(Approval::Never),
            send_files: Some(Approval::Never),
            read_clipboard: Some(false),
            write_clipboard: Some(false),
            ..Rules::default()
        }
    }
}

impl std::str::FromStr for Preset {
    type Err = UnknownPreset;

    fn from_str(text: &str) -> Result<Self, UnknownPreset> {
        Self::ALL.into_iter().find(|preset| preset.name() == text).ok_or(UnknownPreset)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the presets are teach, view-only, control-without-files, applications-only and full")]
pub struct UnknownPreset;
