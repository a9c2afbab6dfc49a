//! What is known of one session, from its number to its end.
//!
//! Plain data, and what follows from it: whether hands may reach the host.

use std::path::PathBuf;

use tasuki_peer::core::io::EndedBy;
use tasuki_peer::core::path::PathKind;
use tasuki_peer::core::snapshot::NotDirect;
use tasuki_peer::shell::fault::Fault;
use tasuki_peer::shell::texts::Lang;
use tasuki_protocol::grant::Change;
use tasuki_protocol::ids::Role;
use tasuki_protocol::message::EndReason;
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::screen::Layout;

use super::question::Question;
use super::second_look::SecondLook;
use crate::viewer::frame::Zoom;

/// One session of this window, from its number to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TabId(pub u32);

#[derive(Debug)]
pub struct Tab {
    pub id: TabId,
    pub mode: Mode,
    pub note: Note,
    pub stage: Stage,
    pub opened_at: u64,
    pub live_since: Option<u64>,
    /// How long it was live, once it is over.
    pub live_seconds: u64,
    pub granted: Rights,
    pub link: Link,
    pub view: View,
    pub more: More,
    pub chat: Vec<Line>,
    pub unread: usize,
    pub dialog: Dialog,
    pub second_look: SecondLook,
    pub question: Option<Question>,
    /// Asked to end; what comes now only tells how it ended.
    pub leaving: bool,
    /// The history has it.
    pub noted: bool,
    pub pictures: u32,
    /// The page that both ends signed, or why it could not be kept, once the session is over.
    pub receipt: Option<Result<PathBuf, Fault>>,
}

/// What the operator noted down for his own history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Note {
    pub customer: String,
    pub ticket: String,
    pub reason: String,
}

/// How far a session has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// The server is asked for a number.
    Dialling,
    Waiting(Number),
    /// Somebody has typed the locator; the ends are proving themselves.
    AtTheDoor {
        number: Number,
        attempt: u8,
    },
    /// Both ends are proven; the person reads the question.
    AwaitsConsent,
    Live {
        since: u64,
    },
    Over(Outcome),
}

#[derive(Clone, PartialEq, Eq)]
pub struct Number {
    /// In groups, to be read aloud.
    pub spoken: String,
    pub link: String,
    pub expires_at: u64,
    pub wrong_tries: u8,
}

impl std::fmt::Debug for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Number").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// As somebody wished.
    Ended {
        reason: EndReason,
        by: EndedBy,
    },
    Failed(Fault),
    /// Cancelled before anybody came.
    Cancelled,
}

/// What carries the session, as last told.
#[derive(Debug, Clone, Default)]
pub struct Link {
    pub path: Option<PathKind>,
    /// Why it is not the direct path.
    pub why_not_direct: Option<String>,
    pub reconnecting: Option<u64>,
    /// As negotiated, in the registries' names.
    pub cipher_words: Option<String>,
    pub round_trip_ms: Option<u32>,
    pub rates: Rates,
}

impl Link {
    /// Nothing carries the session: of what carried it nothing is told any more.
    pub fn lost(&mut self, now: u64) {
        let why_not_direct = self.why_not_direct.take();
        *self = Self { why_not_direct, reconnecting: Some(now), ..Self::default() };
    }

    /// What a rule forbids is tried by nobody, and no path is told to have failed.
    pub fn heed(&mut self, not_direct: Option<&NotDirect>) {
        if let Some(rule) = not_direct.and_then(NotDirect::rule) {
            self.why_not_direct = Some(rule.to_owned());
        }
    }
}

/// Of the last second.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Rates {
    pub pictures: f64,
    pub bits: f64,
    counted: Option<(u64, u64)>,
}

impl Rates {
    /// `seconds` since the last count; totals of pictures and bytes.
    pub fn count(&mut self, seconds: f64, pictures: u64, bytes: u64) {
        if let Some((before, bytes_before)) = self.counted
            && seconds > 0.0
        {
            self.pictures = pictures.saturating_sub(before) as f64 / seconds;
            self.bits = bytes.saturating_sub(bytes_before) as f64 * 8.0 / seconds;
        }
        self.counted = Some((pictures, bytes));
    }
}

/// How the picture is looked at.
#[derive(Debug, Clone, Default)]
pub struct View {
    pub zoom: Zoom,
    pub full: bool,
    pub layout: Option<Layout>,
    pub first_ms: Option<u64>,
    pub halts: Halts,
    pub refused: Option<Capability>,
    pub last_file: Option<PathBuf>,
    /// When a picture was last kept.
    pub kept_at: Option<u64>,
}

/// What holds the picture or the input; each begins and ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Halts {
    pub hand: bool,
    pub host: bool,
    pub question: bool,
}

impl Halts {
    /// The one that is told: what holds most comes first.
    pub fn told(self) -> Paused {
        match self {
            Self { host: true, .. } => Paused::ByHost,
            Self { question: true, .. } => Paused::ByQuestion,
            Self { hand: true, .. } => Paused::ByHand,
            Self { hand: false, host: false, question: false } => Paused::No,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Paused {
    #[default]
    No,
    /// The person at the host acts; input waits for him.
    ByHand,
    /// The host's person pressed pause: nothing is sent.
    ByHost,
    /// The host's person is asked whether to go on.
    ByQuestion,
}

/// Rights asked for in mid-session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum More {
    #[default]
    None,
    Asked {
        wanted: Rights,
        until: u64,
    },
    Granted {
        rights: Rights,
        until: Option<u64>,
    },
    /// Said until then, in seconds since 1970.
    Refused {
        until: u64,
    },
    /// They were taken back, or their time is over; said until then.
    Revoked {
        until: u64,
    },
}

/// How long it is said that control was refused or is over, in seconds.
const SAID_SECONDS: u64 = 10;

/// What is left to be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoreRights {
    None,
    Operate,
}

impl More {
    /// What the host's person has said, as the operator sees it. Only control is asked for here, and told.
    pub(super) fn hear(&mut self, change: Change, rights: Rights, seconds: u32, now: u64) {
        if !rights.has(Capability::Operate) {
            return;
        }
        *self = match change {
            Change::Granted => Self::Granted { rights, until: Some(now + u64::from(seconds)) },
            Change::Refused | Change::Silent => Self::Refused { until: now + SAID_SECONDS },
            Change::TakenAway => Self::over(now),
            Change::GivenBack => Self::None,
        };
    }

    pub(super) fn over(now: u64) -> Self {
        Self::Revoked { until: now + SAID_SECONDS }
    }

    pub(super) fn tick(&mut self, now: u64) {
        match *self {
            Self::Granted { until: Some(until), .. } if until <= now => *self = Self::over(now),
            Self::Refused { until } | Self::Revoked { until } if until <= now => *self = Self::None,
            Self::None
            | Self::Asked { .. }
            | Self::Granted { .. }
            | Self::Refused { .. }
            | Self::Revoked { .. } => {}
        }
    }
}

impl Tab {
    /// Whoever was asked has answered, or his time is over.
    pub(super) fn over_asking(&mut self) {
        self.view.halts.question = false;
        if let More::Asked { .. } = self.more {
            self.more = More::None;
        }
    }
}

impl MoreRights {
    pub fn is_none(self) -> bool {
        self == Self::None
    }
}

/// A line of the talk beside the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub by: Role,
    pub text: String,
    pub at: u64,
    /// Of this end, and it did not go out.
    pub unsent: bool,
}

/// What stands over the picture, if anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialog {
    #[default]
    None,
    TypeText,
    MoreRights,
    End,
    Details,
    SecondLook,
}

impl Tab {
    pub fn new(id: TabId, mode: Mode, note: Note, now: u64) -> Self {
        Self {
            id,
            mode,
            note,
            stage: Stage::Dialling,
            opened_at: now,
            live_since: None,
            live_seconds: 0,
            granted: Rights::NONE,
            link: Link::default(),
            view: View::default(),
            more: More::None,
            chat: Vec::new(),
            unread: 0,
            dialog: Dialog::None,
            second_look: SecondLook::default(),
            question: None,
            leaving: false,
            noted: false,
            pictures: 0,
            receipt: None,
        }
    }

    pub fn is_live(&self) -> bool {
        matches!(self.stage, Stage::Live { .. })
    }

    /// Whether this end looks at the other's screen.
    pub fn watches(&self) -> bool {
        self.mode.viewer() == Role::Operator
    }

    /// Whether this computer's screen is seen by the other side.
    pub fn is_shown(&self) -> bool {
        self.is_live() && !self.watches()
    }

    /// Whether keys and pointer may go to the host now.
    pub fn operates(&self) -> bool {
        self.is_live()
            && self.watches()
            && self.granted.has(Capability::Operate)
            && self.link.reconnecting.is_none()
            && self.view.halts.told() == Paused::No
            && self.dialog == Dialog::None
            && self.question.is_none()
    }

    /// How the other side is called.
    pub fn with(&self, lang: Lang) -> &str {
        match (self.note.customer.as_str(), lang) {
            ("", Lang::En) => "the customer",
            ("", Lang::Ja) => "お客様",
            (customer, Lang::En | Lang::Ja) => customer,
        }
    }

    /// Whether the person can be asked for more than was granted: nothing beyond what
    /// the mode can do.
    pub fn may_ask_more(&self) -> bool {
        self.is_live() && self.watches() && !self.more_rights().is_none()
    }

    pub fn more_rights(&self) -> MoreRights {
        let lacks =
            self.mode.ceiling().has(Capability::Operate) && !self.granted.has(Capability::Operate);
        if lacks { MoreRights::Operate } else { MoreRights::None }
    }

    pub fn has(&self, right: Capability) -> bool {
        self.is_live() && self.granted.has(right)
    }

    /// Whether pictures of the other side's screen may be kept.
    pub fn may_keep(&self) -> bool {
        self.watches() && self.has(Capability::Screenshot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_of_a_second_and_of_what_came_since_the_last_count() {
        let mut rates = Rates::default();
        let mut told = |seconds, pictures, bytes| {
            rates.count(seconds, pictures, bytes);
            (rates.pictures, rates.bits)
        };
        assert_eq!(told(1.0, 100, 5_000), (0.0, 0.0), "what came before the first count came whenever");
        assert_eq!(told(2.0, 148, 30_000), (24.0, 100_000.0));
        assert_eq!(told(0.5, 154, 30_100), (12.0, 1_600.0));
        assert_eq!(told(1.0, 154, 30_100), (0.0, 0.0), "nothing came");
        assert_eq!(told(0.0, 160, 31_000), (0.0, 0.0), "no time has passed");
        assert_eq!(told(1.0, 161, 31_125), (1.0, 1_000.0));
        assert_eq!(told(1.0, 2, 10), (0.0, 0.0), "the totals begin anew");
    }
}
