//! Counting: one pass over the records, and every total is the sum of its parts.

use std::collections::{BTreeMap, HashMap};

use tasuki_protocol::consent::Answer;
use tasuki_protocol::ids::SessionId;
use tasuki_protocol::ledger::event::Event;
use tasuki_protocol::ledger::words::{Direction, FileVerdict};

use crate::audit::filter::{Session, sessions};
use crate::audit::record::Record;

/// What is counted, in the order of the columns.
pub const COLUMNS: usize = 14;

/// Counts of one operator, customer, day or mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub sessions: u64,
    /// From the pairing to the end, whole minutes rounded up.
    pub minutes: u64,
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
    pub admin_acts: u64,
}

impl Counts {
    pub fn columns(&self) -> [u64; COLUMNS] {
        [
            self.sessions,
            self.minutes,
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
        ]
    }

    fn add(&mut self, other: &Self) {
        self.sessions += other.sessions;
        self.minutes += other.minutes;
        self.consents += other.consents;
        self.consents_refused += other.consents_refused;
        self.files += other.files;
        self.file_bytes += other.file_bytes;
        self.files_refused += other.files_refused;
        self.screenshots += other.screenshots;
        self.recordings += other.recordings;
        self.violations += other.violations;
        self.logins += other.logins;
        self.login_failures += other.login_failures;
        self.lockouts += other.lockouts;
        self.admin_acts += other.admin_acts;
    }
}

/// By what counts are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grouping {
    Operator,
    Customer,
    Day,
    Mode,
}

impl Grouping {
    pub const ALL: [Self; 4] = [Self::Operator, Self::Customer, Self::Day, Self::Mode];
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

/// Counts `records`. `day` names the day of a moment in milliseconds.
pub fn tally(records: &[Record], known: &[Record], day: impl Fn(u64) -> String) -> Tally {
    let sessions = sessions(known);
    let began = beginnings(known);
    let mut tally = Tally::default();
    for record in records {
        tally.records += 1;
        let Some(entry) = record.entry() else {
            tally.unread += 1;
            continue;
        };
        let counts = counts(&entry.event, record.at, entry.session.and_then(|id| began.get(&id)));
        let session = entry.session.and_then(|id| sessions.get(&id));
        tally.total.add(&counts);
        if counts == Counts::default() {
            continue;
        }
        for grouping in Grouping::ALL {
            let name = group(grouping, entry.operator.as_ref(), session, &entry.event, || day(record.at));
            let groups = tally.groups.entry(grouping).or_default();
            groups.entry(name).or_default().add(&counts);
        }
    }
    tally
}

/// Everything falls into one group of each kind: what has no name falls under the empty one.
fn group(
    grouping: Grouping,
    operator: Option<&String>,
    session: Option<&Session>,
    event: &Event,
    day: impl Fn() -> String,
) -> String {
    match grouping {
        Grouping::Operator => {
            let account = if let Event::LoginFailed { account, .. } = event { Some(account) } else { None };
            let of_session = || session.and_then(|session| session.operator.as_ref());
            operator.or_else(of_session).or(account).cloned().unwrap_or_default()
        }
        Grouping::Customer => session.and_then(|session| session.customer.clone()).unwrap_or_default(),
        Grouping::Day => day(),
        Grouping::Mode => {
            session.and_then(|session| session.mode).map_or_else(String::new, |mode| mode.to_string())
        }
    }
}

fn beginnings(records: &[Record]) -> HashMap<SessionId, u64> {
    let paired = records.iter().filter_map(|record| {
        let entry = record.entry()?;
        matches!(entry.event, Event::Paired { .. }).then_some((entry.session?, record.at))
    });
    paired.collect()
}

fn counts(event: &Event, at: u64, began: Option<&u64>) -> Counts {
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
    if let (Event::SessionClosed { .. }, Some(began)) = (event, began) {
        counts.minutes = at.saturating_sub(*began).div_ceil(60_000);
    }
    counts.screenshots = one(matches!(event, Event::ScreenshotTaken { .. }));
    counts.recordings = one(matches!(event, Event::RecordingStarted { .. }));
    counts.violations = one(matches!(event, Event::Violation { .. } | Event::TranscriptMismatch));
    counts.logins = one(matches!(event, Event::LoggedIn { .. }));
    counts.login_failures = one(matches!(event, Event::LoginFailed { .. }));
    counts.lockouts = one(matches!(event, Event::LockedOut { .. }));
    counts.admin_acts = one(matches!(
        event,
        Event::AdminDid { .. }
            | Event::LedgerRead { .. }
            | Event::Reviewed { .. }
            | Event::Pruned { .. }
            | Event::RestoreAcknowledged { .. }
    ));
    counts
}
