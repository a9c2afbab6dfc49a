//! Who may do what: modes, their compiled-in ceilings, rights, and permits.
//!
//! Authority is a value. A host acts for a viewer only where it holds a
//! [`Permit`], and a permit is minted only by [`EffectiveRights`], which only a
//! verified manifest and a click can make (design §2.6).

use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::ids::Role;

/// The five ways to be connected. S1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    Manage,
    Control,
    View,
    Share,
    Show,
}

impl Mode {
    pub const ALL: [Self; 5] = [Self::Manage, Self::Control, Self::View, Self::Share, Self::Show];

    /// The side whose screen is shown; it enforces.
    pub fn host(self) -> Role {
        match self {
            Self::Manage | Self::Control | Self::View => Role::Agent,
            Self::Share | Self::Show => Role::Operator,
        }
    }

    pub fn viewer(self) -> Role {
        self.host().other()
    }

    /// The most that any manifest may allow in this mode. S1-S27, T19-T27.
    pub fn ceiling(self) -> Rights {
        use Capability as C;
        let looking = Rights::of(&[C::SeeScreen, C::Screenshot, C::Record, C::Chat, C::Point]);
        let operating = looking.with(C::Operate);
        let full = operating
            .with(C::ChooseScreen)
            .with(C::FetchFiles)
            .with(C::SendFiles)
            .with(C::ReadClipboard)
            .with(C::WriteClipboard);
        match self {
            Self::Manage => full.with(C::Reconnect),
            Self::Control => full,
            Self::View | Self::Show => looking,
            Self::Share => operating,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Manage => "manage",
            Self::Control => "control",
            Self::View => "view",
            Self::Share => "share",
            Self::Show => "show",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        Self::ALL.into_iter().find(|mode| mode.name() == text).ok_or(UnknownMode)
    }
}

/// Not one of the five (S1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the modes are manage, control, view, share and show")]
pub struct UnknownMode;

/// One thing that the viewer may do at the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    SeeScreen,
    /// Pointer, keys and text.
    Operate,
    /// Which monitor is shown is chosen by the viewer. Without it, by the host (S16, S26).
    ChooseScreen,
    /// From the host to the viewer.
    FetchFiles,
    /// From the viewer to the host.
    SendFiles,
    ReadClipboard,
    WriteClipboard,
    Screenshot,
    Record,
    Chat,
    /// Pointing and drawing over the picture, without control.
    Point,
    /// Coming back after a reboot or log-off without a new number (R3).
    Reconnect,
}

impl Capability {
    pub const ALL: [Self; 12] = [
        Self::SeeScreen,
        Self::Operate,
        Self::ChooseScreen,
        Self::FetchFiles,
        Self::SendFiles,
        Self::ReadClipboard,
        Self::WriteClipboard,
        Self::Screenshot,
        Self::Record,
        Self::Chat,
        Self::Point,
        Self::Reconnect,
    ];

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// A set of capabilities. In a document: a list of their names, none twice. In a
/// binary message: 16 bits, of which none may be without a name.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Rights(u16);

impl Rights {
    pub const NONE: Self = Self(0);

    pub fn of(capabilities: &[Capability]) -> Self {
        capabilities.iter().fold(Self::NONE, |rights, c| rights.with(*c))
    }

    #[must_use]
    pub const fn with(self, capability: Capability) -> Self {
        Self(self.0 | capability.bit())
    }

    #[must_use]
    pub const fn without(self, capability: Capability) -> Self {
        Self(self.0 & !capability.bit())
    }

    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub const fn has(self, capability: Capability) -> bool {
        self.0 & capability.bit() != 0
    }

    pub const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    pub fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::ALL.into_iter().filter(move |c| self.has(*c))
    }
}

impl fmt::Debug for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Serialize for Rights {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() {
            return s.collect_seq(self.iter());
        }
        s.serialize_u16(self.0)
    }
}

impl<'de> Deserialize<'de> for Rights {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if !d.is_human_readable() {
            let rights = Self(u16::deserialize(d)?);
            let known = rights.is_within(Self::of(&Capability::ALL));
            return if known { Ok(rights) } else { Err(de::Error::custom("an unknown capability")) };
        }
        let mut rights = Self::NONE;
        for capability in Vec::<Capability>::deserialize(d)? {
            if rights.has(capability) {
                return Err(de::Error::custom("a capability is named twice"));
            }
            rights = rights.with(capability);
        }
        Ok(rights)
    }
}

/// What a viewer really may do now: the meet of mode, manifest, local policy and click.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EffectiveRights(Rights);

impl EffectiveRights {
    /// Only [`crate::manifest::VerifiedManifest::effective`] calls this.
    pub(crate) fn mint(rights: Rights) -> Self {
        Self(rights)
    }

    pub fn rights(self) -> Rights {
        self.0
    }

    /// The authority to act, if it was given.
    pub fn permit<C: Right>(self) -> Option<Permit<C>> {
        self.0.has(C::CAPABILITY).then_some(Permit(PhantomData))
    }
}

/// Proof that the holder may let the viewer do `C`. Cannot be made by hand.
#[derive(Debug, Clone, Copy)]
pub struct Permit<C>(PhantomData<C>);

/// A capability as a type, to stand in [`Permit`].
pub trait Right {
    const CAPABILITY: Capability;
}

macro_rules! rights {
    ($($name:ident),+) => {
        $(
            #[derive(Debug, Clone, Copy)]
            pub struct $name;
            impl Right for $name {
                const CAPABILITY: Capability = Capability::$name;
            }
        )+
    };
}

rights!(SeeScreen, Operate, ChooseScreen, FetchFiles, SendFiles);
rights!(ReadClipboard, WriteClipboard, Screenshot, Record, Chat, Point, Reconnect);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s1_there_are_five_modes_and_a_sixth_is_refused() {
        let named: Vec<Mode> = ["manage", "control", "view", "share", "show"]
            .iter()
            .map(|name| name.parse().unwrap())
            .collect();
        assert_eq!(named, Mode::ALL);
        assert_eq!("observe".parse::<Mode>(), Err(UnknownMode));
        assert!(serde_json::from_str::<Mode>("\"observe\"").is_err());
    }

    #[test]
    fn ceilings_are_those_of_the_table_of_modes() {
        use Capability as C;
        for mode in Mode::ALL {
            let has = |c| mode.ceiling().has(c);
            let full = matches!(mode, Mode::Manage | Mode::Control);
            assert!(has(C::SeeScreen) && has(C::Screenshot));
            assert_eq!(has(C::Operate), full || mode == Mode::Share);
            for c in [C::FetchFiles, C::SendFiles, C::ReadClipboard, C::WriteClipboard, C::ChooseScreen]
            {
                assert_eq!(has(c), full, "{mode} {c:?}");
            }
            assert_eq!(has(C::Reconnect), mode == Mode::Manage);
        }
    }

    #[test]
    fn t15_a_list_that_names_a_capability_twice_or_an_unknown_one_is_no_set() {
        assert!(serde_json::from_str::<Rights>(r#"["operate","see_screen"]"#).is_ok());
        assert!(serde_json::from_str::<Rights>(r#"["operate","operate"]"#).is_err());
        assert!(serde_json::from_str::<Rights>(r#"["root"]"#).is_err());
    }

    #[test]
    fn every_set_survives_its_document_and_its_message() {
        for bits in 0..1 << Capability::ALL.len() {
            let rights = Rights(bits);
            let text = serde_json::to_string(&rights).unwrap();
            assert_eq!(serde_json::from_str::<Rights>(&text).unwrap(), rights);
            let bytes = postcard::to_stdvec(&rights).unwrap();
            assert_eq!(postcard::from_bytes::<Rights>(&bytes), Ok(rights));
        }
    }
}
