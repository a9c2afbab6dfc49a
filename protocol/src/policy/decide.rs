//! From rules to what one session may: for each thing the most restrictive rule that
//! speaks of it, and which one that was.
//!
//! `tasuki-server` issues manifests by it and `tasuki-admin policy explain` prints it: what
//! is explained is what is done, because it is computed here once.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::hours::Schedule;
use super::preset::Preset;
use super::rank::{Key, Rank, of_demand, of_recording};
use super::{Policy, Rules};
use crate::rights::{Capability, Mode, Rights};
use crate::terms::{AddressDisclosure, Approval, FileRules, Requirement};

/// Whose session it would be. Groups and modes are the account's, not the policy's.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    pub operator: &'a str,
    pub groups: &'a [String],
    pub modes: &'a [Mode],
    /// The most that the operator's certificate lets a manifest allow.
    pub certified: Rights,
}

/// What the server's own settings say: a length that nothing exceeds, and the
/// disclosure that holds where no rule speaks of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerLimits {
    pub address_disclosure: AddressDisclosure,
    /// Seconds.
    pub length_s: u64,
}

/// Where a rule stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Section {
    Default,
    Group(String),
    Operator(String),
}

/// What decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// No rule speaks of it.
    BuiltIn,
    /// `server.toml`.
    Server,
    /// The modes that were given to the account.
    Account,
    Rule(Section),
    /// The base that a section names.
    Base(Section, Preset),
    /// The operator's certificate does not have it (T16).
    Certificate,
    /// The mode itself cannot (S14-S27).
    Mode(Mode),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    pub key: Key,
    /// In a policy's words; of modes and hours, whether they allow this session.
    pub value: String,
    pub by: Source,
}

/// Everything that was decided about one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub decided: Vec<Decided>,
    pub outcome: Result<Grant, Denial>,
}

/// What the manifest will say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    pub rights: Rights,
    pub files: FileRules,
    pub application_selection: Requirement,
    pub recording: Requirement,
    pub address_disclosure: AddressDisclosure,
    /// Seconds.
    pub length_s: u64,
    pub reason: Requirement,
}

impl Grant {
    /// Whether a session under `self` may go on where `other` is all that is allowed. T17.
    pub fn is_within(&self, other: &Self) -> bool {
        let files = |rules: FileRules| (Rank::from(rules.fetch), Rank::from(rules.send));
        let (own, most) = (files(self.files), files(other.files));
        self.rights.is_within(other.rights)
            && own.0 <= most.0
            && own.1 <= most.1
            && of_demand(self.application_selection) <= of_demand(other.application_selection)
            && of_recording(self.recording) <= of_recording(other.recording)
            && Rank::from(self.address_disclosure) <= Rank::from(other.address_disclosure)
            && self.length_s <= other.length_s
    }
}

/// Why there is no such session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    Mode,
    Hours,
}

impl Policy {
    /// What `subject` may in `mode` at `unix`, seconds since 1970.
    pub fn decide(
        &self,
        subject: &Subject<'_>,
        mode: Mode,
        server: ServerLimits,
        unix: u64,
    ) -> Decision {
        let layers = self.layers(subject);
        let question = Question { policy: self, layers: &layers, subject, mode, server, unix };
        let found: Vec<(Key, Rank, Source)> = Key::ALL
            .into_iter()
            .map(|key| {
                let (rank, by) = question.strictest(key);
                (key, rank, by)
            })
            .collect();
        let rank_of = |key| found.iter().find(|(k, _, _)| *k == key).map_or(Rank::CLOSED, |f| f.1);
        let outcome = if !rank_of(Key::Modes).is_open() {
            Err(Denial::Mode)
        } else if !rank_of(Key::Hours).is_open() {
            Err(Denial::Hours)
        } else {
            Ok(question.grant(rank_of))
        };
        let decided = found
            .into_iter()
            .map(|(key, rank, by)| Decided { key, value: key.word(rank), by })
            .collect();
        Decision { decided, outcome }
    }

    /// Whether `subject` must say why before he gets a number, in whichever mode.
    pub fn reason(&self, subject: &Subject<'_>) -> Requirement {
        let layers = self.layers(subject);
        let said = layers.iter().filter_map(|layer| layer.rules.rank(Key::Reason)).min();
        said.map(Rank::demand).unwrap_or_default()
    }

    /// The modes in which `subject` may get a number at some hour.
    pub fn modes(&self, subject: &Subject<'_>) -> Vec<Mode> {
        let layers = self.layers(subject);
        let said: Vec<_> = layers.iter().filter_map(|layer| layer.rules.modes.as_ref()).collect();
        let is_open = |mode: &Mode| said.iter().all(|modes| modes.contains(mode));
        subject.modes.iter().copied().filter(is_open).collect()
    }

    /// Every section that speaks to `subject`, the general ones first.
    fn layers(&self, subject: &Subject<'_>) -> Vec<Layer<'_>> {
        let rules = &self.rules;
        let mut sections = vec![(Section::Default, &rules.default)];
        let groups = rules.group.0.iter().filter(|(name, _)| subject.groups.contains(name));
        sections.extend(groups.map(|(name, rules)| (Section::Group(name.clone()), rules)));
        let own = rules.operator.0.get_key_value(subject.operator);
        sections.extend(own.map(|(name, rules)| (Section::Operator(name.clone()), rules)));
        let mut layers = Vec::new();
        for (section, rules) in sections {
            if let Some(base) = rules.base {
                let by = Source::Base(section.clone(), base);
                layers.push(Layer { by, rules: Cow::Owned(base.rules()) });
            }
            layers.push(Layer { by: Source::Rule(section), rules: Cow::Borrowed(rules) });
        }
        layers
    }
}

#[derive(Debug)]
struct Layer<'a> {
    by: Source,
    rules: Cow<'a, Rules>,
}

struct Question<'a> {
    policy: &'a Policy,
    layers: &'a [Layer<'a>],
    subject: &'a Subject<'a>,
    mode: Mode,
    server: ServerLimits,
    unix: u64,
}

impl Question<'_> {
    /// Of the rules that speak of `key` the strictest, of equals the most general.
    fn strictest(&self, key: Key) -> (Rank, Source) {
        if key.capability().is_some_and(|needed| !self.mode.ceiling().has(needed)) {
            return (self.impossible(key), Source::Mode(self.mode));
        }
        if key.capability().is_some_and(|needed| !self.subject.certified.has(needed)) {
            return (self.impossible(key), Source::Certificate);
        }
        let account = (Rank::from(self.subject.modes.contains(&self.mode)), Source::Account);
        let account = (key == Key::Modes).then_some(account);
        let said = self.layers.iter().filter_map(|layer| {
            let rank = match key {
                Key::Modes => layer.rules.modes.as_ref().map(|modes| modes.contains(&self.mode).into()),
                Key::Hours => self.hours(layer).map(|schedule| schedule.is_open(self.unix).into()),
                Key::SeeScreen
                | Key::Operate
                | Key::ChooseScreen
                | Key::FetchFiles
                | Key::SendFiles
                | Key::ReadClipboard
                | Key::WriteClipboard
                | Key::Screenshot
                | Key::Chat
                | Key::Point
                | Key::Reconnect
                | Key::Recording
                | Key::ApplicationSelection
                | Key::AddressDisclosure
                | Key::MaxMinutes
                | Key::Reason => layer.rules.rank(key),
            };
            rank.map(|rank| (rank, layer.by.clone()))
        });
        let strictest = account.into_iter().chain(said).min_by_key(|(rank, _)| *rank);
        let (rank, by) = strictest.unwrap_or_else(|| self.usual(key));
        let most = Rank(u32::try_from(self.server.length_s.div_ceil(60)).unwrap_or(u32::MAX));
        if key == Key::MaxMinutes && most < rank { (most, Source::Server) } else { (rank, by) }
    }

    fn hours<'b>(&'b self, layer: &'b Layer<'_>) -> Option<Schedule<'b>> {
        let windows = layer.rules.hours.as_ref()?;
        Some(Schedule::new(windows, self.policy.rules.time_zone.as_ref()))
    }

    /// What a mode's ceiling leaves of a capability that it does not have.
    fn impossible(&self, key: Key) -> Rank {
        if key == Key::Recording { of_recording(Requirement::Off) } else { Rank::CLOSED }
    }

    /// Where nothing is said: what a help desk usually needs, files only when the user is asked,
    /// no clipboard (T26), no recording.
    fn usual(&self, key: Key) -> (Rank, Source) {
        let rank = match key {
            Key::ReadClipboard | Key::WriteClipboard => Rank::CLOSED,
            Key::FetchFiles | Key::SendFiles => Approval::Ask.into(),
            Key::Recording => of_recording(Requirement::Off),
            Key::ApplicationSelection | Key::Reason => of_demand(Requirement::Optional),
            Key::AddressDisclosure => {
                return (self.server.address_disclosure.into(), Source::Server);
            }
            Key::MaxMinutes => Rank(u32::MAX),
            Key::Modes
            | Key::Hours
            | Key::SeeScreen
            | Key::Operate
            | Key::ChooseScreen
            | Key::Screenshot
            | Key::Chat
            | Key::Point
            | Key::Reconnect => true.into(),
        };
        (rank, Source::BuiltIn)
    }

    fn grant(&self, rank: impl Fn(Key) -> Rank) -> Grant {
        let recording = rank(Key::Recording).recording();
        let mut rights = Rights::NONE;
        for key in Key::ALL {
            let Some(capability) = key.capability() else { continue };
            let is_open = match capability {
                Capability::Record => recording != Requirement::Off,
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
                | Capability::Reconnect => rank(key).is_open(),
            };
            if is_open && self.mode.ceiling().has(capability) {
                rights = rights.with(capability);
            }
        }
        let minutes = u64::from(rank(Key::MaxMinutes).0);
        let most = (minutes * 60).min(self.server.length_s);
        let open = self.layers.iter().filter_map(|layer| self.hours(layer));
        let length_s = open.map(|schedule| schedule.open_for(self.unix, most)).fold(most, u64::min);
        Grant {
            rights,
            files: FileRules {
                fetch: rank(Key::FetchFiles).approval(),
                send: rank(Key::SendFiles).approval(),
            },
            application_selection: rank(Key::ApplicationSelection).demand(),
            recording,
            address_disclosure: rank(Key::AddressDisclosure).disclosure(),
            length_s,
            reason: rank(Key::Reason).demand(),
        }
    }
}
