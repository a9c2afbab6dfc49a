//! Which records are wanted. Looks at opened records only: the server cannot search (B6).

use std::collections::HashMap;

use tasuki_protocol::consent::Answer;
use tasuki_protocol::ids::{Digest, SessionId};
use tasuki_protocol::ledger::event::{Class, Entry, Event, Witness};
use tasuki_protocol::ledger::words::AdminAction;
use tasuki_protocol::likeness::{composed, folded};
use tasuki_protocol::manifest::{MAX_LENGTH, MAX_START};
use tasuki_protocol::message::EndReason;
use tasuki_protocol::policy::{AND_MORE, is_of_section, section};
use tasuki_protocol::rights::{Capability, Mode, Rights};
use tasuki_protocol::signal::CloseReason;

use super::fault::AuditFault;
use super::record::Record;

/// From the pairing to the end.
const LONGEST_S: u64 = MAX_START.as_secs() + MAX_LENGTH.as_secs();

/// Everything that is given must hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Milliseconds since 1970, inclusive.
    pub since: Option<u64>,
    /// Exclusive.
    pub until: Option<u64>,
    pub operator: Option<String>,
    /// Stands in the name that the operator gave the customer.
    pub customer: Option<String>,
    pub session: Option<SessionId>,
    /// Stands in the reason that was given for the session: a ticket's number, say.
    pub reason: Option<String>,
    pub class: Option<Class>,
    /// An event's name, such as `file_moved`.
    pub kind: Option<String>,
    /// Stands anywhere in the record, upper or lower case.
    pub text: Option<String>,
}

/// What is known of a session from any of its records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Session {
    pub operator: Option<String>,
    pub customer: Option<String>,
    pub mode: Option<Mode>,
    /// Why the operator opened it, in his words.
    pub reason: Option<String>,
    /// When its ends were paired, in milliseconds since 1970.
    pub began: Option<u64>,
    /// When the server last closed it, how, and at whose word.
    pub closed: Option<(u64, CloseReason, Option<Witness>)>,
    /// By the server's word: each record that closed it, and the milliseconds from the pairing, or from the closing before, to it.
    closings: Vec<(u64, u64)>,
    /// The receipts of the operator's end and the customer's.
    receipts: [Option<Kept>; 2],
    /// An end told of a receipt that says more than any session can last; it is not heard.
    has_overlong_receipt: bool,
    /// The customer's answer: his own end's word, else the operator's.
    pub answer: Option<(Witness, Answer)>,
    /// What he let the other end do, once he said yes.
    pub granted: Option<(Witness, Rights)>,
    /// Who saw that he granted later that it is operated.
    operated: Vec<Witness>,
    /// How it ended, as an end says: the customer's own, else the operator's.
    pub ended: Option<(Witness, EndReason, Witness)>,
    /// Pictures kept, as the operator's end and the customer's have counted them.
    pub pictures: [u64; 2],
}

/// Seconds between two ends' clocks, and between the moments at which each heard the other.
const USUAL_GAP_S: u64 = 10;

/// What a receipt says that an end keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kept {
    /// From the pairing to the end.
    lasted_s: u64,
    policy: u64,
    /// Of a receipt that both ends have signed.
    shared: Option<Digest>,
}

/// Why a session's row is to be looked at twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// An end tells of a receipt that is longer than any session can be.
    ReceiptTooLong,
    /// It is over, and neither end has told of a receipt.
    NoReceipt,
    /// The two ends keep receipts that say different things.
    ReceiptsDiffer,
    /// An end told the server that it was over at another time than its receipt says.
    ServerDiffers,
}

/// Milliseconds between what the ends say and the server saw that nobody is asked about.
const USUAL_LAG: u64 = 5 * 60_000;

impl Session {
    /// A session that its customer did not accept has no receipt.
    pub fn doubt(&self) -> Option<Doubt> {
        if self.has_overlong_receipt {
            return Some(Doubt::ReceiptTooLong);
        }
        let was_refused =
            self.answer.is_some_and(|(_, answer)| matches!(answer, Answer::Refused | Answer::Silent));
        let ended_before = self.answer.is_none() && self.ended.is_some();
        match self.receipts {
            [Some(one), Some(other)] if one.disagrees(other) => Some(Doubt::ReceiptsDiffer),
            [None, None] if self.closed.is_some() && !was_refused && !ended_before => {
                Some(Doubt::NoReceipt)
            }
            [Some(_) | None, Some(_) | None] => {
                self.is_seen_otherwise().then_some(Doubt::ServerDiffers)
            }
        }
    }

    /// The server closes a row late where nobody told it of the end; at an end's word it closes it then.
    fn is_seen_otherwise(&self) -> bool {
        let Some((closed, _, Some(_))) = self.closed else { return false };
        self.over().is_some_and(|over| over.abs_diff(closed) > USUAL_LAG)
    }

    /// As the end saw it that saw more of it.
    pub fn pictures(&self) -> u64 {
        self.pictures[0].max(self.pictures[1])
    }

    /// Whether he granted later that it is operated: by the word of his own end, where that has told of the session.
    pub fn was_operated(&self) -> bool {
        let told_itself = self.answer.is_some_and(|(by, _)| by == Witness::Agent);
        self.operated.iter().any(|by| !told_itself || *by == Witness::Agent)
    }

    /// How many seconds it lasted by an end's own word, and whose: of two, that of the end whose screen was shown.
    pub fn lasted(&self) -> Option<(Witness, u64)> {
        let [operator, agent] = self.receipts;
        let (operator, agent) = (
            operator.map(|kept| (Witness::Operator, kept.lasted_s)),
            agent.map(|kept| (Witness::Agent, kept.lasted_s)),
        );
        match self.mode {
            Some(Mode::Share | Mode::Show) => operator.or(agent),
            Some(Mode::Manage | Mode::Control | Mode::View) | None => agent.or(operator),
        }
    }

    /// When it was over, in milliseconds since 1970: the server may close its row long after. None: it still runs.
    pub fn over(&self) -> Option<u64> {
        let (closed, ..) = self.closed?;
        let told = self.began.zip(self.lasted());
        Some(
            told.map_or(closed, |(began, (_, seconds))| {
                began.saturating_add(seconds.saturating_mul(1000))
            }),
        )
    }

    /// From the pairing to the end.
    pub fn seconds(&self) -> u64 {
        self.closings.iter().map(|(record, _)| self.seconds_closed_by(*record)).sum()
    }

    /// What of it counts at the `record` that closed it: by an end's word all of it at the last.
    pub fn seconds_closed_by(&self, record: u64) -> u64 {
        let is_last = self.closings.last().is_some_and(|(last, _)| *last == record);
        match self.lasted() {
            Some((_, seconds)) => {
                if is_last {
                    seconds
                } else {
                    0
                }
            }
            None => {
                let of_it = self.closings.iter().find(|(closing, _)| *closing == record);
                of_it.map_or(0, |(_, lasted)| lasted.div_ceil(1000))
            }
        }
    }

    fn hear(&mut self, entry: &Entry, (seq, at): (u64, u64)) {
        if entry.by == Witness::Server && self.operator.is_none() {
            self.operator.clone_from(&entry.operator);
        }
        if let Event::RoomOpened { mode, reason, .. } = &entry.event {
            self.mode = Some(*mode);
            self.reason.clone_from(reason);
        }
        if matches!(entry.event, Event::Paired { .. }) {
            self.began = Some(at);
        }
        if let Event::SessionClosed { reason, by } = &entry.event {
            let before = self.closed.map_or(0, |(before, ..)| before);
            let began = self.began.map_or(at, |began| began.max(before));
            self.closings.push((seq, at.saturating_sub(began)));
            self.closed = Some((at, *reason, *by));
        }
        self.hear_end(entry);
    }

    /// Each is believed what it saw itself, and the customer's end before the operator's.
    fn hear_end(&mut self, entry: &Entry) {
        let counts =
            |known: Option<Witness>| known != Some(Witness::Agent) || entry.by == Witness::Agent;
        if let Event::ConsentAnswered { answer, granted, .. } = &entry.event
            && counts(self.answer.map(|(by, _)| by))
        {
            self.answer = Some((entry.by, *answer));
            self.granted = (*answer == Answer::Accepted).then_some((entry.by, *granted));
        }
        if let Event::RightGranted { right: Capability::Operate } = &entry.event
            && !self.operated.contains(&entry.by)
        {
            self.operated.push(entry.by);
        }
        if let Event::Ended { reason, by } = &entry.event
            && counts(self.ended.map(|(by, ..)| by))
        {
            self.ended = Some((entry.by, *reason, *by));
        }
        if let Event::ReceiptKept { lasted_s, policy, sha256, signed_by, .. } = &entry.event {
            // No end can honestly say more, and who does is not heard.
            if *lasted_s > LONGEST_S {
                self.has_overlong_receipt = true;
                return;
            }
            let by_both = [Witness::Operator, Witness::Agent].iter().all(|end| signed_by.contains(end));
            let shared = by_both.then_some(*sha256);
            self.receipts[usize::from(entry.by == Witness::Agent)] =
                Some(Kept { lasted_s: *lasted_s, policy: *policy, shared });
        }
        if matches!(entry.event, Event::ScreenshotTaken { path: None }) {
            self.pictures[usize::from(entry.by == Witness::Agent)] += 1;
        }
        if let Event::Customer { name } = &entry.event
            && entry.by == Witness::Operator
        {
            self.customer = Some(name.clone());
        }
    }
}

impl Kept {
    fn disagrees(self, other: Self) -> bool {
        self.policy != other.policy
            || self.lasted_s.abs_diff(other.lasted_s) > USUAL_GAP_S
            || self.shared.zip(other.shared).is_some_and(|(own, others)| own != others)
    }
}

/// Sessions by what their records say of them; each is believed what it saw itself.
pub fn sessions<'a>(records: impl IntoIterator<Item = &'a Record>) -> HashMap<SessionId, Session> {
    let mut sessions: HashMap<SessionId, Session> = HashMap::new();
    for record in records {
        let Some((entry, id)) = record.entry().and_then(|entry| Some((entry, entry.session?))) else {
            continue;
        };
        sessions.entry(id).or_default().hear(entry, (record.seq, record.at));
    }
    sessions
}

/// The session whose id `text` is, or the one whose id it begins.
///
/// # Errors
/// There is none, or there are several.
pub fn named(sessions: &HashMap<SessionId, Session>, text: &str) -> Result<SessionId, AuditFault> {
    let text = text.trim().to_lowercase();
    if let Ok(whole) = text.parse() {
        return Ok(whole);
    }
    let begins = |id: &&SessionId| !text.is_empty() && id.to_string().starts_with(&text);
    let found: Vec<&SessionId> = sessions.keys().filter(begins).collect();
    match found[..] {
        [one] => Ok(*one),
        [] => Err(AuditFault::NoSession(text)),
        [..] => Err(AuditFault::SeveralSessions(text, found.len())),
    }
}

impl Filter {
    pub fn admits(&self, record: &Record, sessions: &HashMap<SessionId, Session>) -> bool {
        let within = self.since.is_none_or(|since| record.at >= since)
            && self.until.is_none_or(|until| record.at < until);
        let class = self.class.is_none_or(|class| record.class() == Some(class));
        within && class && self.admits_content(record, sessions)
    }

    fn admits_content(&self, record: &Record, sessions: &HashMap<SessionId, Session>) -> bool {
        let Some(entry) = record.entry() else {
            // What cannot be read fits only who asks for nothing of its content.
            return self.operator.is_none()
                && self.customer.is_none()
                && self.session.is_none()
                && self.reason.is_none()
                && self.kind.is_none()
                && self.text.is_none();
        };
        let session = entry.session.and_then(|id| sessions.get(&id));
        let is = |wanted: &Option<String>, found: Option<&String>| {
            wanted.as_ref().is_none_or(|wanted| Some(wanted) == found)
        };
        let kind = kind(&entry.event);
        self.operator.as_ref().is_none_or(|name| concerns(entry, name, sessions))
            && self.customer.as_ref().is_none_or(|text| {
                let customer = session.and_then(|session| session.customer.as_deref());
                customer.is_some_and(|customer| has(customer, text))
            })
            && self.session.is_none_or(|wanted| entry.session == Some(wanted))
            && is(&self.kind, Some(&kind))
            && self.reason.as_ref().is_none_or(|text| {
                let reason = session.and_then(|session| session.reason.as_deref());
                reason.is_some_and(|reason| has(reason, text))
            })
            && self
                .text
                .as_ref()
                .is_none_or(|text| has(&serde_json::to_string(entry).unwrap_or_default(), text))
    }
}

/// In upper or lower case, in wide or narrow letters.
fn has(all: &str, text: &str) -> bool {
    folded(all).contains(&folded(text))
}

/// Whether `name` did it, or it was done to `name`: signed in, was invited, disabled, unlocked, limited,
/// put into a group, given another policy of his own. Names count as one that differ alone in the form
/// in which they were written: composed or not, wide or narrow; no two accounts do.
fn concerns(entry: &Entry, name: &str, sessions: &HashMap<SessionId, Session>) -> bool {
    let operates = |id: SessionId| sessions.get(&id).and_then(|session| session.operator.as_deref());
    let operator = entry.operator.as_deref().or_else(|| operates(entry.session?));
    let name = &composed(name);
    let is = |one: &str| composed(one) == *name;
    let is_told = if let Event::AdminDid { admin, action, target, detail } = &entry.event {
        let of_session = || (*action == AdminAction::SessionEnded).then(|| target.parse().ok())?;
        let own = section("operator", name);
        let is_policy = *action == AdminAction::PolicyPublished;
        is(admin)
            || is_among(target, name)
            || of_session().and_then(operates).is_some_and(is)
            // A record that had no room for all sections may be of his.
            || (is_policy && detail.split(", ").any(|part| is_of_section(&composed(part), &own) || part == AND_MORE))
    } else if let Event::LoginFailed { account, .. } = &entry.event {
        is(account)
    } else {
        matches!(
            &entry.event,
            Event::LedgerRead { admin, .. }
            | Event::Reviewed { admin, .. }
            | Event::Pruned { admin, .. }
            | Event::RestoreAcknowledged { admin, .. } if is(admin)
        )
    };
    operator.is_some_and(is) || is_told
}

/// `hanako`, `hanako, taro`, or `desk: hanako` of a group; `name` is composed. What is composed may have white
/// space that no name has: taken apart before.
fn is_among(target: &str, name: &str) -> bool {
    let is = |one: &str| {
        let who = one.rsplit_once(": ").map(|(_, who)| who);
        composed(one) == name || who.is_some_and(|who| composed(who) == name)
    };
    is(target) || target.split(", ").any(is)
}

/// Whether an event may be called that.
pub fn is_kind(name: &str) -> bool {
    kinds().iter().any(|kind| kind == name)
}

/// The names of all events, as they stand in records.
pub fn kinds() -> Vec<String> {
    // Who reads an unknown name says which there are.
    let unknown = serde_json::from_value::<Event>(serde_json::json!({ "type": "" }));
    let told = unknown.map_or_else(|why| why.to_string(), |_| String::new());
    told.split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

/// An event's name in records.
pub fn kind(event: &Event) -> String {
    let value = serde_json::to_value(event).unwrap_or_default();
    value.get("type").and_then(|kind| kind.as_str()).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s56_an_operator_is_found_in_what_was_done_to_him_and_nobody_else_is() {
        let id = SessionId([0xab; 16]);
        let of_hanako = Session { operator: Some("hanako".to_owned()), ..Session::default() };
        let sessions = HashMap::from([(id, of_hanako)]);
        let did = |action, target: &str, detail: &str| {
            let (admin, target, detail) = ("taro".to_owned(), target.to_owned(), detail.to_owned());
            Entry::server(Event::AdminDid { admin, action, target, detail })
        };
        for entry in [
            did(AdminAction::AdminInvited, "hanako", ""),
            did(AdminAction::OperatorDisabled, "hanako", ""),
            did(AdminAction::GroupChanged, "desk: hanako", ""),
            did(AdminAction::DeviceRevoked, "jiro, hanako", ""),
            did(AdminAction::SessionEnded, &id.to_string(), ""),
            did(AdminAction::PolicyPublished, "version 3", "operator.hanako=chat hours, default=modes"),
        ] {
            for (name, expected) in [("hanako", true), ("taro", true), ("hana", false), ("desk", false)]
            {
                assert_eq!(concerns(&entry, name, &sessions), expected, "{name}: {entry:?}");
            }
        }
        let others =
            did(AdminAction::PolicyPublished, "version 3", "operator.hanakox=chat, group.hanako");
        assert!(!concerns(&others, "hanako", &sessions));
        let read =
            |admin: &str| Event::Reviewed { admin: admin.to_owned(), up_to: 1, note: String::new() };
        assert!(concerns(&Entry::server(read("hanako")), "hanako", &sessions));
        assert!(!concerns(&Entry::server(read("taro")), "hanako", &sessions));
    }

    /// What the API took was written as its caller's keyboard or file system does.
    #[test]
    fn s56_a_name_is_found_however_it_was_composed_when_it_was_recorded() {
        let (whole, apart, narrow) = ("が係", "か\u{3099}係", "ｶﾞ係");
        let did = |admin: &str, action, target: &str, detail: &str| {
            let (admin, target, detail) = (admin.to_owned(), target.to_owned(), detail.to_owned());
            Entry::server(Event::AdminDid { admin, action, target, detail })
        };
        let mut all = Vec::new();
        for name in [whole, apart] {
            let group = format!("desk: {name}, taro");
            let policy = format!("default, operator.{name}=chat");
            all.push(did(name, AdminAction::LoggedIn, "", ""));
            all.push(did("taro", AdminAction::AdminDisabled, name, ""));
            all.push(did("taro", AdminAction::GroupChanged, &group, ""));
            all.push(did("taro", AdminAction::PolicyPublished, "version 3", &policy));
            let reviewed = Event::Reviewed { admin: name.to_owned(), up_to: 1, note: String::new() };
            all.push(Entry::server(reviewed));
            all.push(
                Entry::server(Event::Missed { count: 1, of: None }).of(None, Some(name.to_owned())),
            );
        }
        // Composed it has a space, and is no list.
        let marked = did("taro", AdminAction::AdminDisabled, "hanako,¨", "");
        assert!(!concerns(&marked, "hanako", &HashMap::new()));
        assert!(concerns(&marked, "hanako,¨", &HashMap::new()));
        for entry in &all {
            for wanted in [whole, apart] {
                assert!(concerns(entry, wanted, &HashMap::new()), "{wanted}: {entry:?}");
            }
            for other in ["か係", narrow, "係", "ガ係"] {
                let found = concerns(entry, other, &HashMap::new());
                assert!(!found, "{other}: {entry:?}");
            }
        }
    }

    #[test]
    fn a_session_is_named_by_as_many_digits_as_tell_it_apart() {
        let ids = [SessionId([0xab; 16]), SessionId([0xac; 16]), SessionId([1; 16])];
        let sessions = ids.map(|id| (id, Session::default())).into_iter().collect();
        assert_eq!(named(&sessions, "AB").ok(), Some(ids[0]));
        assert_eq!(named(&sessions, "01").ok(), Some(ids[2]));
        assert_eq!(named(&sessions, &ids[1].to_string()).ok(), Some(ids[1]));
        assert!(matches!(named(&sessions, "a"), Err(AuditFault::SeveralSessions(_, 2))));
        for none in ["", "ff", "x\u{1b}["] {
            assert!(matches!(named(&sessions, none), Err(AuditFault::NoSession(_))), "{none:?}");
        }
    }
}
