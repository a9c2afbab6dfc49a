//! What a policy speaks of, and how much each rule leaves open.
//!
//! Every thing has an order from strict to open, so that "the most restrictive wins"
//! is a minimum and never an opinion.

use super::Rules;
use crate::rights::Capability;
use crate::terms::{AddressDisclosure, Approval, Requirement};

/// One thing that rules decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Modes,
    Hours,
    SeeScreen,
    Operate,
    ChooseScreen,
    FetchFiles,
    SendFiles,
    ReadClipboard,
    WriteClipboard,
    Screenshot,
    Chat,
    Point,
    Reconnect,
    Recording,
    ApplicationSelection,
    AddressDisclosure,
    MaxMinutes,
    Reason,
}

impl Key {
    pub const ALL: [Self; 18] = [
        Self::Modes,
        Self::Hours,
        Self::SeeScreen,
        Self::Operate,
        Self::ChooseScreen,
        Self::FetchFiles,
        Self::SendFiles,
        Self::ReadClipboard,
        Self::WriteClipboard,
        Self::Screenshot,
        Self::Chat,
        Self::Point,
        Self::Reconnect,
        Self::Recording,
        Self::ApplicationSelection,
        Self::AddressDisclosure,
        Self::MaxMinutes,
        Self::Reason,
    ];

    /// The word for it in a policy.
    pub fn name(self) -> &'static str {
        match self {
            Self::Modes => "modes",
            Self::Hours => "hours",
            Self::SeeScreen => "see_screen",
            Self::Operate => "operate",
            Self::ChooseScreen => "choose_screen",
            Self::FetchFiles => "fetch_files",
            Self::SendFiles => "send_files",
            Self::ReadClipboard => "read_clipboard",
            Self::WriteClipboard => "write_clipboard",
            Self::Screenshot => "screenshot",
            Self::Chat => "chat",
            Self::Point => "point",
            Self::Reconnect => "reconnect",
            Self::Recording => "recording",
            Self::ApplicationSelection => "application_selection",
            Self::AddressDisclosure => "address_disclosure",
            Self::MaxMinutes => "max_minutes",
            Self::Reason => "reason",
        }
    }

    /// The capability that a mode must have for it.
    pub(super) fn capability(self) -> Option<Capability> {
        match self {
            Self::SeeScreen => Some(Capability::SeeScreen),
            Self::Operate => Some(Capability::Operate),
            Self::ChooseScreen => Some(Capability::ChooseScreen),
            Self::FetchFiles => Some(Capability::FetchFiles),
            Self::SendFiles => Some(Capability::SendFiles),
            Self::ReadClipboard => Some(Capability::ReadClipboard),
            Self::WriteClipboard => Some(Capability::WriteClipboard),
            Self::Screenshot => Some(Capability::Screenshot),
            Self::Chat => Some(Capability::Chat),
            Self::Point => Some(Capability::Point),
            Self::Reconnect => Some(Capability::Reconnect),
            Self::Recording => Some(Capability::Record),
            Self::Modes
            | Self::Hours
            | Self::ApplicationSelection
            | Self::AddressDisclosure
            | Self::MaxMinutes
            | Self::Reason => None,
        }
    }

    /// A value of this key in a policy's own words.
    pub(super) fn word(self, rank: Rank) -> String {
        let word = match self {
            Self::FetchFiles | Self::SendFiles => match rank.approval() {
                Approval::Never => "never",
                Approval::Ask => "ask",
                Approval::Allow => "allow",
            },
            Self::Recording => requirement(rank.recording()),
            Self::ApplicationSelection | Self::Reason => requirement(rank.demand()),
            Self::AddressDisclosure => match rank.disclosure() {
                AddressDisclosure::RelayOnly => "relay-only",
                AddressDisclosure::Public => "public",
                AddressDisclosure::All => "all",
            },
            Self::MaxMinutes => return rank.0.to_string(),
            Self::Modes
            | Self::Hours
            | Self::SeeScreen
            | Self::Operate
            | Self::ChooseScreen
            | Self::ReadClipboard
            | Self::WriteClipboard
            | Self::Screenshot
            | Self::Chat
            | Self::Point
            | Self::Reconnect => return rank.is_open().to_string(),
        };
        word.to_owned()
    }
}

fn requirement(requirement: Requirement) -> &'static str {
    match requirement {
        Requirement::Off => "off",
        Requirement::Optional => "optional",
        Requirement::Required => "required",
    }
}

/// How much a rule leaves open; of two the smaller is the stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank(pub(super) u32);

impl Rank {
    pub(super) const CLOSED: Self = Self(0);

    pub(super) fn is_open(self) -> bool {
        self != Self::CLOSED
    }

    pub(super) fn approval(self) -> Approval {
        match self.0 {
            0 => Approval::Never,
            1 => Approval::Ask,
            _ => Approval::Allow,
        }
    }

    /// A demand to record is stricter than a prohibition, and that than a choice: whoever must be
    /// recorded is never let off it by another section.
    pub(super) fn recording(self) -> Requirement {
        match self.0 {
            0 => Requirement::Required,
            1 => Requirement::Off,
            _ => Requirement::Optional,
        }
    }

    /// Application selection takes away from the operator, a reason asks something of him: the
    /// demand is the strictest, and not to be asked at all is the most open.
    pub(super) fn demand(self) -> Requirement {
        match self.0 {
            0 => Requirement::Required,
            1 => Requirement::Optional,
            _ => Requirement::Off,
        }
    }

    pub(super) fn disclosure(self) -> AddressDisclosure {
        match self.0 {
            0 => AddressDisclosure::RelayOnly,
            1 => AddressDisclosure::Public,
            _ => AddressDisclosure::All,
        }
    }
}

impl From<bool> for Rank {
    fn from(open: bool) -> Self {
        Self(open.into())
    }
}

impl From<Approval> for Rank {
    fn from(approval: Approval) -> Self {
        Self(match approval {
            Approval::Never => 0,
            Approval::Ask => 1,
            Approval::Allow => 2,
        })
    }
}

impl From<AddressDisclosure> for Rank {
    fn from(disclosure: AddressDisclosure) -> Self {
        Self(match disclosure {
            AddressDisclosure::RelayOnly => 0,
            AddressDisclosure::Public => 1,
            AddressDisclosure::All => 2,
        })
    }
}

pub(super) fn of_recording(requirement: Requirement) -> Rank {
    Rank(match requirement {
        Requirement::Required => 0,
        Requirement::Off => 1,
        Requirement::Optional => 2,
    })
}

pub(super) fn of_demand(requirement: Requirement) -> Rank {
    Rank(match requirement {
        Requirement::Required => 0,
        Requirement::Optional => 1,
        Requirement::Off => 2,
    })
}

impl Rules {
    /// `None`: nothing is said, or it has no order without a mode and a moment.
    pub(super) fn rank(&self, key: Key) -> Option<Rank> {
        let switch = |value: Option<bool>| value.map(Rank::from);
        match key {
            Key::Modes | Key::Hours => None,
            Key::SeeScreen => switch(self.see_screen),
            Key::Operate => switch(self.operate),
            Key::ChooseScreen => switch(self.choose_screen),
            Key::FetchFiles => self.fetch_files.map(Rank::from),
            Key::SendFiles => self.send_files.map(Rank::from),
            Key::ReadClipboard => switch(self.read_clipboard),
            Key::WriteClipboard => switch(self.write_clipboard),
            Key::Screenshot => switch(self.screenshot),
            Key::Chat => switch(self.chat),
            Key::Point => switch(self.point),
            Key::Reconnect => switch(self.reconnect),
            Key::Recording => self.recording.map(of_recording),
            Key::ApplicationSelection => self.application_selection.map(of_demand),
            Key::AddressDisclosure => self.address_disclosure.map(Rank::from),
            Key::MaxMinutes => self.max_minutes.map(|minutes| Rank(minutes.into())),
            Key::Reason => self.reason.map(of_demand),
        }
    }
}
