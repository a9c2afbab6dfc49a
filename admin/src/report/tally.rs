//! Counting: one pass over the records, and every total is the sum of its parts, of minutes before they are rounded.

use std::collections::{BTreeMap, HashMap};

use tasuki_protocol::consent::Answer;
use tasuki_protocol::ids::SessionId;
use tasuki_protocol::ledger::event::{Entry, Event, Witness};
use tasuki_protocol::ledger::words::{Direction, FileVerdict};

use crate::audit::filter::Session;
use crate::audit::record::Record;

/// What is counted, in the order of the columns.
pub const COLUMNS: usize = 16;

/// Whatever was typed at the door that no account is called; no account can be called so.
pub const UNKNOWN: &str = "unknown names";

/// Counts of one operator, customer, period or mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub sessions: u64,
    /// From the pairing to the end; shown as minutes.
    pub seconds: u64,
    pub consents: u64,
    pub consents_refused: u64,
    pub files: u64,
    pub file_bytes: u64,
    pub files_refused: u64,
    pub screenshots: u64,
    pub recordings: u64,
    pub violations: u64,
    pub logins: u64,
    pub login_failures: u64,
    pub lockouts: u64,
    /// What they changed, looked through or pruned.
    pub admin_acts: u64,
    /// What was asked in their place and refused.
    pub admin_refused: u64,
    /// How often the ledger was read.
    pub ledger_reads: u64,
}

impl Counts {
    /// As they are shown: whole minutes, rounded up once all seconds are added.
    pub fn columns(&self) -> [u64; COLUMNS] {
        Self { seconds: self.seconds.div_ceil(60), ..*self }.raw()
    }

    fn raw(&self) -> [u64; COLUMNS] {
        [
            self.sessions,
            self.seconds,
            self.consents,
            self.consents_refused,
            self.files,
            self.file_bytes,
            self.files_refused,
            self.screenshots,
            self.recordings,
            self.violations,
            self.logins,
            self.login_failures,
            self.lockouts,
            self.admin_acts,
            self.admin_refused,
            self.ledger_reads,
        ]
    }

    fn columns_mut(&mut self) -> [&mut u64; COLUMNS] {
        [
            &mut self.sessions,
            &mut self.seconds,
            &mut self.consents,
            &mut self.consents_refused,
            &mut self.files,
            &mut self.file_bytes,
            &mut self.files_refused,
            &mut self.screenshots,
            &mut self.recordings,
            &mut self.violations,
            &mut self.logins,
            &mut self.login_failures,
            &mut self.lockouts,
            &mut self.admin_acts,
            &mut self.admin_refused,
            &mut self.ledger_reads,
        ]
    }

    fn add(&mut self, other: &Self) {
        for (own, more) in self.columns_mut().into_iter().zip(other.raw()) {
            // Some of it the ends have said, who may say anything.
            *own = own.saturating_add(more);
        }
    }
}

/// By what counts are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grouping {
    Operator,
    Customer,
    Period,
    Mode,
}

impl Grouping {
    pub const ALL: [Self; 4] = [Self::Operator, Self::Customer, Self::Period, Self::Mode];
}

/// The counts of a period.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    pub records: u64,
    /// Records that the keys at hand do not open, and pruned ones.
    pub unread: u64,
    pub total: Counts,
    pub groups: BTreeMap<Grouping, BTreeMap<String, Counts>>,
}

/// Counts `records`, whose sessions are `sessions`. `period` names the day, week or month of a
/// moment in milliseconds.
pub fn tally(
    records: &[&Record],
    sessions: &HashMap<SessionId, Session>,
    period: impl Fn(u64) -> String,
) -> Tally {
    let once = Once::new(records);
    let mut tally = Tally::default();
    for record in records {
        tally.records += 1;
        let Some(entry) = record.entry() else {
            tally.unread += 1;
            continue;
        };
        let session = entry.session.and_then(|id| sessions.get(&id));
        let mut counts = counts(&entry.event);
        if let (Event::SessionClosed { .. }, Some(session)) = (&entry.event, session) {
            counts.seconds = session.seconds_closed_by(record.seq);
        }
        once.admit(entry, &mut counts);
        tally.total.add(&counts);
        if counts == Counts::default() {
            continue;
        }
        for grouping in Grouping::ALL {
            let name =
                group(grouping, entry.operator.as_ref(), session, &entry.event, || period(record.at));
            let groups = tally.groups.entry(grouping).or_default();
            groups.entry(name).or_default().add(&counts);
        }
    }
    tally
}

/// What both ends of a session recorded counts once: of each column, as the end saw it that
/// saw more of it.
struct Once(HashMap<(SessionId, Witness), Counts>);

impl Once {
    fn new(records: &[&Record]) -> Self {
        let mut ends: HashMap<(SessionId, Witness), Counts> = HashMap::new();
        for entry in records.iter().filter_map(|record| record.entry()) {
            if let (Some(session), Witness::Operator | Witness::Agent) = (entry.session, entry.by) {
                let counted = counts(&entry.event);
                ends.entry((session, entry.by)).or_default().add(&counted);
            }
        }
        Self(ends)
    }

    fn admit(&self, entry: &Entry, counts: &mut Counts) {
        let other = match entry.by {
            Witness::Server => return,
            Witness::Operator => Witness::Agent,
            Witness::Agent => Witness::Operator,
        };
        let Some(session) = entry.session else { return };
        let seen = |by| self.0.get(&(session, by)).map_or([0; COLUMNS], Counts::raw);
        let (own, others) = (seen(entry.by), seen(other));
        for (at, column) in counts.columns_mut().into_iter().enumerate() {
            // Where both saw as much, the agent's word counts.
            if own[at] < others[at] || (own[at] == others[at] && entry.by == Witness::Operator) {
                *column = 0;
            }
        }
    }
}

/// Everything falls into one group of each kind: what has no name falls under the empty one.
fn group(
    grouping: Grouping,
    operator: Option<&String>,
    session: Option<&Session>,
    event: &Event,
    period: impl Fn() -> String,
) -> String {
    match grouping {
        Grouping::Operator => {
            let of_session = || session.and_then(|session| session.operator.as_ref());
            // What an administrator did to him is no act of his.
            let operator = operator.filter(|_| !is_of_admin(event));
            let name = operator.or_else(of_session).cloned();
            // A stranger writes no name into the list of operators.
            let is_unknown = matches!(event, Event::LoginFailed { .. });
            name.unwrap_or_else(|| if is_unknown { UNKNOWN.to_owned() } else { String::new() })
        }
        Grouping::Customer => session.and_then(|session| session.customer.clone()).unwrap_or_default(),
        Grouping::Period => period(),
        Grouping::Mode => {
            session.and_then(|session| session.mode).map_or_else(String::new, |mode| mode.to_string())
        }
    }
}

fn counts(event: &Event) -> Counts {
    let mut counts = Counts::default();
    if let Event::FileMoved { size, verdict, direction, .. } = event {
        let (Direction::ToOperator | Direction::ToUser) = direction;
        match verdict {
            FileVerdict::Delivered => (counts.files, counts.file_bytes) = (1, *size),
            FileVerdict::RefusedByUser
            | FileVerdict::RefusedByRule
            | FileVerdict::Vetoed
            | FileVerdict::Failed
            | FileVerdict::Cancelled => counts.files_refused = 1,
        }
        return counts;
    }
    if let Event::ConsentAnswered { answer, .. } = event {
        match answer {
            Answer::Accepted => counts.consents = 1,
            Answer::Refused | Answer::Silent => {
                counts.consents_refused = 1;
            }
        }
        return counts;
    }
    let one = |yes: bool| u64::from(yes);
    counts.sessions = one(matches!(event, Event::Paired { .. }));
    // Both ends write of each: with a path the one that keeps it, without the one that is shown.
    counts.screenshots = one(matches!(event, Event::ScreenshotTaken { path: None }));
    counts.recordings = one(matches!(event, Event::RecordingStarted { .. }));
    counts.violations = one(is_violation(event));
    counts.logins = one(matches!(event, Event::LoggedIn { .. }));
    counts.login_failures = one(matches!(event, Event::LoginFailed { .. }));
    counts.lockouts = one(matches!(event, Event::LockedOut { .. }));
    counts.admin_acts = one(is_admin_act(event));
    counts.admin_refused = one(matches!(event, Event::AdminRefused { to_confirm: false, .. }));
    counts.ledger_reads = one(matches!(event, Event::LedgerRead { .. }));
    counts
}

pub(super) fn is_violation(event: &Event) -> bool {
    matches!(event, Event::Violation { .. } | Event::TranscriptMismatch)
        || matches!(event, Event::PairingRefused { why, .. } if why.is_violation())
}

/// What administrators did, also in vain and by reading.
pub(super) fn is_of_admin(event: &Event) -> bool {
    is_admin_act(event) || matches!(event, Event::AdminRefused { .. } | Event::LedgerRead { .. })
}

fn is_admin_act(event: &Event) -> bool {
    matches!(
        event,
        Event::AdminDid { .. }
            | Event::Reviewed { .. }
            | Event::Pruned { .. }
            | Event::RestoreAcknowledged { .. }
    )
}
