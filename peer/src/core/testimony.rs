//! What of a session this end writes into the ledger, from what its own core tells.
//!
//! Never content: no line of a chat, no picture, no key (S58). Does not seal and does not
//! send; what the server sees itself (numbers, pairing) is the server's to record.

use std::{mem, time::Duration};

use tasuki_protocol::consent::Answer;
use tasuki_protocol::grant::Change;
use tasuki_protocol::ids::{Digest, Role, SessionId};
use tasuki_protocol::ledger::event::{Event, Witness, clipped};
use tasuki_protocol::ledger::words::Repeated;
use tasuki_protocol::message::{Asked, EndReason};
use tasuki_protocol::receipt::CheckedReceipt;
use tasuki_protocol::rights::{Capability, Mode, Rights};

use super::io::{EndedBy, HumanAct, SessionEvent};
use super::path::{Ciphers, PathKind};

/// Records of one session; what is beyond is counted, and the count is the last record.
const MOST: u64 = 2_000;
/// Of them those that the other end can bring about as often as it likes: what this end saw itself finds room (T59).
const MOST_OF_OTHERS: u64 = MOST / 2;
/// Such a thing is written once in so long, what is beyond is counted,
const ONCE_IN: Duration = Duration::from_secs(1);
/// and so many at once of what comes several at a time in an honest session, too.
const CHANGES_AT_ONCE: u32 = 30;
/// What one packet of the other end can hold many of, or that it can bring about without end.
const REPEATED: [Repeated; 6] = [
    Repeated::Refusals,
    Repeated::Screenshots,
    Repeated::Violations,
    Repeated::Questions,
    Repeated::Changes,
    Repeated::Paths,
];
/// Kept back for what ends a session.
const RESERVE: u64 = 16;

#[derive(Debug)]
pub struct Testimony {
    role: Role,
    /// This program and its version.
    software: String,
    session: Option<SessionId>,
    /// From the pairing to what came of the question, which the receipt does not count.
    paired: Duration,
    waited: Duration,
    /// The text under the person's answer, and which answer it was.
    answered: Option<(Digest, Answer)>,
    /// The other end's person has allowed nothing: whether he said no or nothing stands in how it ends.
    unanswered: Option<Mode>,
    disclosed: Vec<String>,
    /// Paths that stand.
    connected: Vec<PathKind>,
    /// Named before there was a session to write it into.
    customer: Option<String>,
    policy: u64,
    written: u64,
    of_others: u64,
    missed: u64,
    /// Of each of [`REPEATED`], until when it would have been written at an even pace,
    even: [Duration; REPEATED.len()],
    /// and how many were counted instead.
    counted: [u64; REPEATED.len()],
}

impl Testimony {
    pub fn new(role: Role, software: &str) -> Self {
        Self {
            role,
            software: software.to_owned(),
            session: None,
            paired: Duration::ZERO,
            waited: Duration::ZERO,
            answered: None,
            unanswered: None,
            disclosed: Vec::new(),
            connected: Vec::new(),
            customer: None,
            policy: 0,
            written: 0,
            of_others: 0,
            missed: 0,
            even: [Duration::ZERO; REPEATED.len()],
            counted: [0; REPEATED.len()],
        }
    }

    /// Whose records they are, once the ends are paired.
    pub fn session(&self) -> Option<SessionId> {
        self.session
    }

    /// This end's person was asked and has answered; the core has not told yet what comes of it.
    pub fn has_answered(&self) -> bool {
        self.answered.is_some()
    }

    /// The version of the policy under which the manifest was made.
    pub fn under(&mut self, policy: u64) {
        self.policy = policy;
    }

    /// This end's person has answered: remembered until the core tells what came of it. The first answer counts.
    pub fn did(&mut self, act: &HumanAct) {
        match act {
            HumanAct::Accept { .. } | HumanAct::Refuse { .. } if self.has_answered() => {}
            HumanAct::Accept { shown, .. } => self.answered = Some((*shown, Answer::Accepted)),
            HumanAct::Refuse { shown } => self.answered = Some((*shown, Answer::Refused)),
            HumanAct::Operate(_)
            | HumanAct::ShowMonitor(_)
            | HumanAct::TookScreenshot
            | HumanAct::AskRights { .. }
            | HumanAct::Answer { .. }
            | HumanAct::TakeAway(_)
            | HumanAct::GiveBack(_)
            | HumanAct::Pause
            | HumanAct::Resume
            | HumanAct::Chat(_)
            | HumanAct::End(_) => {}
        }
    }

    /// What is to be written of what the core tells, in order; `now` since any fixed moment.
    pub fn told(&mut self, event: &SessionEvent, now: Duration) -> Vec<Event> {
        if let SessionEvent::Paired { session, .. } = event {
            self.session = Some(*session);
            self.paired = now;
        }
        if let SessionEvent::Consent { .. } = event {
            self.waited = now.saturating_sub(self.paired);
        }
        let events = self.events(event);
        if let Some((kind, at_once)) = by_the_other_end(event) {
            let count = events.len() as u64;
            let even = self.even[kind].max(now) + ONCE_IN;
            if even > now + ONCE_IN * at_once {
                self.counted[kind] += count;
                return Vec::new();
            }
            // Whoever has filled his half keeps what comes then from being called more of what was written before.
            if self.of_others + count > MOST_OF_OTHERS {
                self.missed += count;
                return Vec::new();
            }
            self.even[kind] = even;
            self.of_others += count;
        }
        self.bounded(events, matches!(event, SessionEvent::Ended { .. }))
    }

    /// What is to be written of the receipt that both ends have signed, or this one alone.
    pub fn receipt(&mut self, receipt: &CheckedReceipt, envelope: Digest) -> Vec<Event> {
        let software = &receipt.receipt.software;
        let witness = |role: &Role| match role {
            Role::Operator => Witness::Operator,
            Role::Agent => Witness::Agent,
        };
        let event = Event::ReceiptKept {
            sha256: envelope,
            lasted_s: self.lasted(receipt.receipt.lasted_s),
            operator_version: clipped(&software.operator),
            agent_version: clipped(&software.agent),
            policy: receipt.manifest.policy_version,
            signed_by: receipt.signed_by.iter().map(witness).collect(),
        };
        self.bounded(vec![event], true)
    }

    /// Seconds from the pairing, of a session that went on for so many after the consent.
    fn lasted(&self, consented: u64) -> u64 {
        consented.saturating_add(self.waited.as_secs())
    }

    /// This end has kept a picture of the other's screen, there (S95). The other end's own record counts it.
    pub fn kept_picture(&mut self, file: &str) -> Vec<Event> {
        self.bounded(vec![Event::ScreenshotTaken { path: Some(clipped(file)) }], false)
    }

    /// What the operator says of whom he helps.
    pub fn customer(&mut self, name: &str) -> Vec<Event> {
        let name = clipped(name);
        if self.session.is_none() {
            self.customer = Some(name);
            return Vec::new();
        }
        self.bounded(vec![Event::Customer { name }], false)
    }

    fn bounded(&mut self, events: Vec<Event>, ends: bool) -> Vec<Event> {
        if self.session.is_none() {
            return Vec::new();
        }
        let most = if ends { MOST } else { MOST - RESERVE };
        let mut kept = Vec::new();
        if ends {
            kept.extend(self.unwritten());
        }
        for event in events {
            if self.written < most {
                kept.push(event);
                self.written += 1;
            } else {
                self.missed += 1;
            }
        }
        kept
    }

    /// How many there were of what was counted alone.
    fn unwritten(&mut self) -> Vec<Event> {
        let counts = self.counted.iter_mut().zip(REPEATED.map(Some));
        let counts = counts.chain([(&mut self.missed, None)]).map(|(count, of)| (mem::take(count), of));
        counts.filter(|(count, _)| *count > 0).map(|(count, of)| Event::Missed { count, of }).collect()
    }

    fn events(&mut self, event: &SessionEvent) -> Vec<Event> {
        match event {
            SessionEvent::Paired { .. } => {
                self.customer.take().map(|name| Event::Customer { name }).into_iter().collect()
            }
            SessionEvent::TranscriptMismatch => vec![Event::TranscriptMismatch],
            SessionEvent::Consent { mode, granted } => self.consent(*mode, *granted),
            SessionEvent::Disclosed { address } => {
                self.disclosed.push(address.to_string());
                Vec::new()
            }
            SessionEvent::PathUp { path, ciphers, peer_software } => {
                self.connected.retain(|other| other != path);
                self.connected.push(*path);
                vec![self.connected(*path, ciphers, peer_software)]
            }
            // A way that was looked for in vain was none, however often it is looked for.
            SessionEvent::PathDown { path, .. } if !self.connected.contains(path) => Vec::new(),
            SessionEvent::PathDown { path, why } => {
                self.connected.retain(|other| other != path);
                vec![Event::Disconnected { path: path_word(*path).to_owned(), why: clipped(why) }]
            }
            SessionEvent::Asking { what: Asked::MoreRights, rights, .. } => {
                each(*rights, |right| Event::RightAsked { right })
            }
            SessionEvent::RightsChanged { change, rights, .. } => match change {
                Change::Granted | Change::GivenBack => {
                    each(*rights, |right| Event::RightGranted { right })
                }
                Change::Refused | Change::Silent => each(*rights, |right| Event::Refused { right }),
                Change::TakenAway => each(*rights, |right| Event::RightRevoked { right }),
            },
            SessionEvent::RightsEnded { rights, .. } => {
                each(*rights, |right| Event::RightRevoked { right })
            }
            SessionEvent::Violation { wanted, count } => {
                vec![Event::Violation { right: *wanted, count: *count }]
            }
            SessionEvent::Refused { wanted } => vec![Event::Refused { right: *wanted }],
            SessionEvent::ScreenshotTaken => vec![Event::ScreenshotTaken { path: None }],
            SessionEvent::Ended { reason, by } => self.ended(*reason, *by),
            SessionEvent::Asking { what: Asked::Continue, .. }
            | SessionEvent::Number { .. }
            | SessionEvent::AtTheDoor { .. }
            | SessionEvent::WrongNumber { .. }
            // Before there is a session: the server writes it down (`Objection`).
            | SessionEvent::ManifestRefused { .. }
            | SessionEvent::PathChosen { .. }
            | SessionEvent::Reconnecting
            | SessionEvent::FirstFrame { .. }
            | SessionEvent::InputPaused { .. }
            | SessionEvent::InputResumed
            | SessionEvent::InputDiscarded { .. }
            | SessionEvent::NotSaid
            | SessionEvent::AskingOver { .. }
            | SessionEvent::PicturePaused
            | SessionEvent::PictureResumed
            | SessionEvent::Chat { .. }
            | SessionEvent::ServerRefused { .. }
            | SessionEvent::ServerClosed { .. }
            | SessionEvent::ServerGone => Vec::new(),
        }
    }

    fn ended(&mut self, reason: EndReason, by: EndedBy) -> Vec<Event> {
        let nobody = reason == EndReason::NobodyAnswered;
        let answer = if nobody { Answer::Silent } else { Answer::Refused };
        let granted = Rights::NONE;
        let answered =
            self.unanswered.take().map(|mode| Event::ConsentAnswered { mode, answer, granted });
        answered.into_iter().chain([Event::Ended { reason, by: self.ender(by) }]).collect()
    }

    /// Silence granted nothing; an operator's end knows of it what the end says.
    fn consent(&mut self, mode: Mode, granted: Rights) -> Vec<Event> {
        if granted == Rights::NONE && self.role == Role::Operator {
            self.unanswered = Some(mode);
            return Vec::new();
        }
        let answered = self.answered.take();
        let answer = match (granted == Rights::NONE, answered) {
            (false, _) => Answer::Accepted,
            (true, None) => Answer::Silent,
            (true, Some(_)) => Answer::Refused,
        };
        let asked = answered.map(|(shown, _)| Event::ConsentAsked { mode, shown });
        asked.into_iter().chain([Event::ConsentAnswered { mode, answer, granted }]).collect()
    }

    fn connected(&self, path: PathKind, ciphers: &Ciphers, peer_software: &str) -> Event {
        let (data_cipher, media_cipher) = match ciphers {
            Ciphers::Direct { dtls, srtp } => (dtls.clone(), srtp.clone()),
            Ciphers::Relayed { noise, .. } => (noise.clone(), noise.clone()),
        };
        Event::Connected {
            own_version: self.software.clone(),
            peer_version: clipped(peer_software),
            path: path_word(path).to_owned(),
            data_cipher,
            media_cipher,
            policy: self.policy,
            disclosed: self.disclosed.clone(),
        }
    }

    fn ender(&self, by: EndedBy) -> Witness {
        match (by, self.role) {
            (EndedBy::Server, _) => Witness::Server,
            (EndedBy::ThisEnd, Role::Operator) | (EndedBy::OtherEnd, Role::Agent) => Witness::Operator,
            (EndedBy::ThisEnd, Role::Agent) | (EndedBy::OtherEnd, Role::Operator) => Witness::Agent,
        }
    }
}

/// Which of [`REPEATED`] it is, and how many at once may be written.
fn by_the_other_end(event: &SessionEvent) -> Option<(usize, u32)> {
    let kinds = [
        (matches!(event, SessionEvent::Refused { .. }), 1),
        (matches!(event, SessionEvent::ScreenshotTaken), 1),
        (matches!(event, SessionEvent::Violation { .. }), 1),
        (matches!(event, SessionEvent::Asking { .. }), 1),
        (matches!(event, SessionEvent::RightsChanged { .. }), CHANGES_AT_ONCE),
        (matches!(event, SessionEvent::PathUp { .. } | SessionEvent::PathDown { .. }), CHANGES_AT_ONCE),
    ];
    kinds.into_iter().enumerate().find_map(|(kind, (is_it, at_once))| is_it.then_some((kind, at_once)))
}

fn each(rights: Rights, event: impl Fn(Capability) -> Event) -> Vec<Event> {
    rights.iter().map(event).collect()
}

fn path_word(path: PathKind) -> &'static str {
    match path {
        PathKind::Direct => "direct",
        PathKind::Relayed => "relayed",
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use tasuki_protocol::ids::DeviceKey;

    fn paired(role: Role) -> Testimony {
        let mut testimony = Testimony::new(role, "tasuki 0.1.0");
        let (transcript, peer_device) = (Digest([1; 32]), DeviceKey([2; 32]));
        let paired = SessionEvent::Paired { session: SessionId([3; 16]), transcript, peer_device };
        assert_eq!(testimony.told(&paired, Duration::ZERO), []);
        testimony
    }

    #[test]
    fn s53_where_nobody_answered_the_operators_end_writes_no_refusal() {
        let none = SessionEvent::Consent { mode: Mode::View, granted: Rights::NONE };
        for (reason, answer) in
            [(EndReason::NobodyAnswered, Answer::Silent), (EndReason::UserRefused, Answer::Refused)]
        {
            let mut operator = paired(Role::Operator);
            assert_eq!(operator.told(&none, Duration::ZERO), []);
            let ended = SessionEvent::Ended { reason, by: EndedBy::OtherEnd };
            let (mode, granted) = (Mode::View, Rights::NONE);
            let expected = [
                Event::ConsentAnswered { mode, answer, granted },
                Event::Ended { reason, by: Witness::Agent },
            ];
            assert_eq!(operator.told(&ended, Duration::ZERO), expected);
            assert_eq!(operator.told(&ended, Duration::ZERO).len(), 1, "said once");
        }
    }

    /// The report counts from the pairing (S54), and the receipt from the consent.
    #[test]
    fn s54_a_session_is_as_long_as_its_person_read_the_question_and_went_on() {
        let mut agent = paired(Role::Agent);
        let yes =
            SessionEvent::Consent { mode: Mode::View, granted: Rights::of(&[Capability::SeeScreen]) };
        agent.told(&yes, Duration::from_secs(110));
        assert_eq!(agent.lasted(60), 170);
    }

    #[test]
    fn s53_a_consent_is_written_with_the_text_that_stood_under_it() {
        let mut agent = paired(Role::Agent);
        let (mode, shown) = (Mode::View, Digest([9; 32]));
        let granted = Rights::of(&[Capability::SeeScreen]);
        agent.did(&HumanAct::Accept { granted, shown });
        let written = agent.told(&SessionEvent::Consent { mode, granted }, Duration::ZERO);
        let answer = Answer::Accepted;
        let expected =
            [Event::ConsentAsked { mode, shown }, Event::ConsentAnswered { mode, answer, granted }];
        assert_eq!(written, expected);
        let none = SessionEvent::Consent { mode, granted: Rights::NONE };
        let silent = paired(Role::Agent).told(&none, Duration::ZERO);
        let (answer, granted) = (Answer::Silent, Rights::NONE);
        assert_eq!(silent, [Event::ConsentAnswered { mode, answer, granted }]);
        let mut refusing = paired(Role::Agent);
        refusing.did(&HumanAct::Refuse { shown });
        assert!(matches!(
            refusing.told(&none, Duration::ZERO)[1],
            Event::ConsentAnswered { answer: Answer::Refused, .. }
        ));
    }

    #[test]
    fn s99_a_path_is_written_with_its_ciphers_and_the_addresses_told_for_it() {
        let mut operator = paired(Role::Operator);
        operator.under(7);
        let address = Ipv4Addr::new(198, 51, 100, 7).into();
        assert_eq!(operator.told(&SessionEvent::Disclosed { address }, Duration::ZERO), []);
        let ciphers = Ciphers::Direct { dtls: "A".to_owned(), srtp: "B".to_owned() };
        let peer_software = "tasuki-agentd 0.2.0".to_owned();
        let up = SessionEvent::PathUp { path: PathKind::Direct, ciphers, peer_software };
        let connected = Event::Connected {
            own_version: "tasuki 0.1.0".to_owned(),
            peer_version: "tasuki-agentd 0.2.0".to_owned(),
            path: "direct".to_owned(),
            data_cipher: "A".to_owned(),
            media_cipher: "B".to_owned(),
            policy: 7,
            disclosed: vec!["198.51.100.7".to_owned()],
        };
        assert_eq!(operator.told(&up, Duration::ZERO), [connected]);
    }

    #[test]
    fn s58_nothing_that_was_said_is_written_and_nothing_before_the_pairing() {
        let mut agent = paired(Role::Agent);
        assert_eq!(agent.told(&SessionEvent::Chat { line: "secret".to_owned() }, Duration::ZERO), []);
        let ended = SessionEvent::Ended { reason: EndReason::UserEnded, by: EndedBy::ThisEnd };
        assert_eq!(Testimony::new(Role::Agent, "tasuki 0.1.0").told(&ended, Duration::ZERO), []);
        let by = Witness::Agent;
        assert_eq!(
            agent.told(&ended, Duration::ZERO),
            [Event::Ended { reason: EndReason::UserEnded, by }]
        );
    }

    #[test]
    fn s54_whom_the_operator_helps_is_written_once_there_is_a_session() {
        let mut operator = Testimony::new(Role::Operator, "tasuki 0.1.0");
        assert_eq!(operator.customer("山田商事"), []);
        let (transcript, peer_device) = (Digest([1; 32]), DeviceKey([2; 32]));
        let paired = SessionEvent::Paired { session: SessionId([3; 16]), transcript, peer_device };
        let customer = Event::Customer { name: "山田商事".to_owned() };
        assert_eq!(operator.told(&paired, Duration::ZERO), std::slice::from_ref(&customer));
        assert_eq!(operator.customer("山田商事"), [customer]);
    }

    #[test]
    fn a_flood_is_counted_and_the_end_is_written_all_the_same() {
        let mut agent = paired(Role::Agent);
        let forbidden = SessionEvent::Violation { wanted: Capability::Operate, count: 1 };
        let burst: usize = (0..1_000).map(|_| agent.told(&forbidden, Duration::ZERO).len()).sum();
        assert_eq!(burst, 1, "a packet full of them");
        let later = Duration::from_secs;
        let written: usize = (1..5_000).map(|at| agent.told(&forbidden, later(at)).len()).sum();
        assert_eq!(written, 999, "half of all");
        let ended = SessionEvent::Ended { reason: EndReason::Violation, by: EndedBy::ThisEnd };
        let last = agent.told(&ended, Duration::ZERO);
        assert_eq!(last[0], Event::Missed { count: 999, of: Some(Repeated::Violations) });
        assert_eq!(last[1], Event::Missed { count: 4_000, of: None });
        assert!(matches!(last[2], Event::Ended { .. }));
    }

    /// S53: a path that ended is written, and none that was only looked for.
    #[test]
    fn s53_a_way_that_was_not_found_is_no_path_that_ended() {
        let mut agent = paired(Role::Agent);
        let why = "no way through was found".to_owned();
        let down = SessionEvent::PathDown { path: PathKind::Direct, why };
        assert_eq!(agent.told(&down, Duration::ZERO), []);
        let ciphers = Ciphers::Direct { dtls: "A".to_owned(), srtp: "B".to_owned() };
        let peer_software = "tasuki 0.1.0".to_owned();
        let up = SessionEvent::PathUp { path: PathKind::Direct, ciphers, peer_software };
        assert_eq!(agent.told(&up, Duration::ZERO).len(), 1);
        assert_eq!(agent.told(&down, Duration::ZERO).len(), 1);
        assert_eq!(agent.told(&down, Duration::ZERO), [], "once");
    }

    /// T59: a host that changes rights without end, or its paths, takes no record from what the viewer did itself.
    #[test]
    fn t59_what_a_host_changes_without_end_leaves_room_for_what_the_viewer_saw() {
        let (rights, change) =
            (Rights::of(&[Capability::Chat, Capability::Operate]), Change::TakenAway);
        let changed =
            SessionEvent::RightsChanged { change, rights, seconds: 0, effective: Rights::NONE };
        let ciphers = Ciphers::Direct { dtls: "A".to_owned(), srtp: "B".to_owned() };
        let up = SessionEvent::PathUp {
            path: PathKind::Direct,
            ciphers,
            peer_software: "tasuki-agentd".to_owned(),
        };
        let mut operator = paired(Role::Operator);
        for (event, at_once) in [(&changed, 2 * 30), (&up, 30)] {
            let burst: usize = (0..1_000).map(|_| operator.told(event, Duration::ZERO).len()).sum();
            assert_eq!(burst, at_once, "a packet full of them");
        }
        for second in 1..20_000 {
            operator.told(&changed, Duration::from_secs(second));
            operator.told(&up, Duration::from_secs(second));
        }
        assert_eq!(operator.kept_picture("a.png").len(), 1);
        assert_eq!(operator.customer("Suzuki").len(), 1);
    }

    #[test]
    fn s95_where_a_picture_lies_stands_in_the_record_of_the_end_that_keeps_it() {
        let nobody = Testimony::new(Role::Operator, "tasuki 0.1.0").kept_picture("a.png");
        assert_eq!(nobody, [], "there is no session");
        let mut operator = paired(Role::Operator);
        let path = Some("/srv/pictures/tasuki-1.png".to_owned());
        let kept = operator.kept_picture("/srv/pictures/tasuki-1.png");
        assert_eq!(kept, [Event::ScreenshotTaken { path }]);
    }
}
