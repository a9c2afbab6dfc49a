//! The question before a session: the notice of a first meeting, late waking of the button, what
//! the person leaves out.
//!
//! Decides when a press counts. The words are the peer's and `ui/agent/words.slint`'s.

use std::time::{Duration, Instant};

use tasuki_peer::core::io::Question;
use tasuki_protocol::ids::Digest;
use tasuki_protocol::manifest::Requirement;
use tasuki_protocol::rights::{Capability, Rights};

use super::model::{Effect, Msg};

/// What is pressed within this time after the question appeared does not count (T2).
pub const INERT: Duration = Duration::from_millis(800);
/// How long the notice stands at the first meeting with an organisation.
pub const NOTICE: Duration = Duration::from_secs(5);

/// What a person may leave out; seeing is what the session is for.
const CHOOSABLE: [Capability; 8] = [
    Capability::Operate,
    Capability::Screenshot,
    Capability::FetchFiles,
    Capability::SendFiles,
    Capability::ReadClipboard,
    Capability::WriteClipboard,
    Capability::Record,
    Capability::Reconnect,
];

#[derive(Debug, Clone)]
pub struct Asking {
    pub question: Question,
    /// Sessions of this organisation that this computer has had before.
    pub met_before: u32,
    pub granted: Rights,
    pub step: Step,
    asked_at: Instant,
    awake_at: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nobody gets past it before its time.
    Notice {
        until: Instant,
    },
    Question,
}

impl Asking {
    pub fn new(question: Question, met_before: u32, now: Instant) -> Self {
        let step = match met_before {
            0 => Step::Notice { until: now + NOTICE },
            _ => Step::Question,
        };
        let granted = question.grantable;
        Self { question, met_before, granted, step, asked_at: now, awake_at: now + INERT }
    }

    /// A required recording is part of the session or there is none.
    pub fn is_choosable(&self, capability: Capability) -> bool {
        let recorded = self.question.manifest.recording == Requirement::Required;
        CHOOSABLE.contains(&capability) && !(recorded && capability == Capability::Record)
    }

    pub fn is_awake(&self, now: Instant) -> bool {
        self.step == Step::Question && now >= self.awake_at
    }

    /// Seconds of the notice that are left, rounded up.
    pub fn notice_seconds(&self, now: Instant) -> u64 {
        match self.step {
            Step::Notice { until } => ceil(until.saturating_duration_since(now)),
            Step::Question => 0,
        }
    }

    /// Seconds until silence refuses.
    pub fn seconds_left(&self, now: Instant) -> u64 {
        let until = self.asked_at + Duration::from_secs(self.question.seconds);
        ceil(until.saturating_duration_since(now))
    }

    pub fn refuse(&self, shown: Digest) -> Vec<Effect> {
        vec![Effect::Refuse { shown }]
    }

    /// After a press that no hand did, the button sleeps once more.
    pub(super) fn sleep(&mut self, now: Instant) {
        self.awake_at = now + INERT;
    }

    pub(super) fn pressed(&mut self, msg: &Msg, now: Instant) -> Vec<Effect> {
        if let Msg::RefusePressed { shown } = *msg {
            return self.refuse(shown);
        }
        if matches!(msg, Msg::EndPressed | Msg::CancelPressed) {
            return self.refuse(Digest([0; 32]));
        }
        if let Msg::AcceptPressed { shown } = *msg
            && self.is_awake(now)
        {
            return vec![Effect::Accept { granted: self.granted, shown }];
        }
        if matches!(msg, Msg::NoticeRead) && self.notice_seconds(now) == 0 {
            self.step = Step::Question;
            self.sleep(now);
        }
        if let Msg::Granted(capability, wanted) = *msg
            && self.is_choosable(capability)
        {
            self.granted = match wanted {
                true => self.granted.with(capability).and(self.question.grantable),
                false => self.granted.without(capability),
            };
        }
        Vec::new()
    }
}

pub(super) fn ceil(left: Duration) -> u64 {
    left.as_secs() + u64::from(left.subsec_nanos() > 0)
}
