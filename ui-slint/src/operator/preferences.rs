//! What an operator chose for his own window, kept in his profile.
//!
//! Decides what can be chosen, and how it stands in the file. Nothing here touches rights, servers or
//! keys.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::look::Shade;

/// The file's name in the state folder.
pub const FILE: &str = "operator-window.json";

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preferences {
    pub language: Language,
    pub shade: Shade,
    /// Where pictures go; a folder of the user's pictures where none is named.
    pub pictures: Option<PathBuf>,
    pub keyboard: Keyboard,
    pub grab: Grab,
    /// Who signed in last.
    pub user: String,
    /// Whether he was asked for the digits of an authenticator.
    #[serde(default)]
    pub digits: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// That of the desktop.
    #[default]
    System,
    English,
    Japanese,
}

/// What a key of this keyboard is at the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keyboard {
    /// The same place; the host's own map makes the letter of it.
    #[default]
    Places,
    /// The letter that it makes here, for hosts with another map.
    Letters,
}

/// Whether keys of the window manager (Alt+Tab, Super) go to the host too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grab {
    #[default]
    All,
    OwnKeysOnly,
}
