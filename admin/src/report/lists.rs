//! What each table of a report holds.

use std::collections::HashMap;

use tasuki_protocol::ids::SessionId;
use tasuki_protocol::ledger::event::{Entry, Event};
use tasuki_protocol::ledger::words::{Direction, FileVerdict, Overwrote};

use super::Section;
use super::rows_of_sessions::{known, witness};
use super::table::{Cell, Table};
use super::tally::{Counts, Grouping, Tally, UNKNOWN};
use crate::audit::filter::{Session, kind};
use crate::audit::record::Record;
use crate::audit::times::Zone;
use crate::audit::words;
use crate::texts::Language;

/// In the order of [`Counts::columns`], behind what is counted.
const TOTALS: &[&str] = &[
    "group",
    "name",
    "sessions",
    "minutes",
    "consents",
    "consents_refused",
    "files",
    "file_bytes",
    "files_refused",
    "screenshots",
    "recordings",
    "violations",
    "logins",
    "login_failures",
    "lockouts",
    "admin_acts",
    "admin_refused",
    "ledger_reads",
];
const FILES: &[&str] = &[
    "record",
    "time",
    "operator",
    "customer",
    "reason",
    "session",
    "seen_by",
    "direction",
    "path",
    "size",
    "sha256",
    "overwrote",
    "verdict",
];
const EVENTS: &[&str] =
    &["record", "time", "operator", "customer", "reason", "session", "seen_by", "event", "details"];

const TOTAL: &str = "total";

pub(super) fn totals(tally: &Tally) -> Table {
    let row = |group: &'static str, (grouping, name): (Option<Grouping>, &str), counts: &Counts| {
        let name = match grouping {
            Some(grouping) if name.is_empty() => Cell::Nobody(grouping),
            Some(Grouping::Operator) if name == UNKNOWN => Cell::Word(UNKNOWN),
            Some(Grouping::Mode) => known("paired", "mode", name),
            Some(_) | None => Cell::Text(name.to_owned()),
        };
        let head = [Cell::Word(group), name];
        head.into_iter().chain(counts.columns().map(Cell::Count)).collect()
    };
    let mut rows: Vec<Vec<Cell>> = vec![row(TOTAL, (None, ""), &tally.total)];
    for (grouping, groups) in &tally.groups {
        let group = match grouping {
            Grouping::Operator => "operator",
            Grouping::Customer => "customer",
            Grouping::Period => "period",
            Grouping::Mode => "mode",
        };
        rows.extend(groups.iter().map(|(name, counts)| row(group, (Some(*grouping), name), counts)));
    }
    Table { columns: TOTALS, rows }
}

type Sessions = HashMap<SessionId, Session>;

pub(super) fn files(records: &[&Record], sessions: &Sessions, zone: &Zone) -> Table {
    let rows = records.iter().filter_map(|record| {
        let entry = record.entry()?;
        let Event::FileMoved { direction, path, size, sha256, overwrote, verdict } = &entry.event
        else {
            return None;
        };
        let mut row = place(record, entry, sessions, zone);
        row.extend([
            Cell::Word(direction_word(*direction)),
            Cell::Text(path.clone()),
            Cell::Count(*size),
            Cell::Text(sha256.to_string()),
            Cell::Word(match overwrote {
                Overwrote::Nothing => "nothing",
                Overwrote::Announced => "announced",
            }),
            Cell::Word(verdict_word(*verdict)),
        ]);
        Some(row)
    });
    Table { columns: FILES, rows: rows.collect() }
}

pub(super) fn events(section: Section, records: &[&Record], sessions: &Sessions, zone: &Zone) -> Table {
    let rows = records.iter().filter_map(|record| {
        let entry = record.entry().filter(|entry| belongs(section, &entry.event))?;
        let mut row = place(record, entry, sessions, zone);
        row.extend(told(&entry.event, zone));
        Some(row)
    });
    Table { columns: EVENTS, rows: rows.collect() }
}

/// What happened, and its fields.
fn told(event: &Event, zone: &Zone) -> [Cell; 2] {
    let (english, japanese) = (kind(event), words::title(event, Language::Ja));
    let details = |language| words::details(event, language, zone);
    let fields = Cell::Told { english: details(Language::En), japanese: details(Language::Ja) };
    [Cell::Told { english, japanese }, fields]
}

fn belongs(section: Section, event: &Event) -> bool {
    match section {
        Section::Totals | Section::Sessions => true,
        Section::Files => matches!(event, Event::FileMoved { .. }),
        Section::SignIns => matches!(event, Event::LoginFailed { .. } | Event::LockedOut { .. }),
        Section::Admin => super::tally::is_of_admin(event),
        Section::Violations => super::tally::is_violation(event),
    }
}

/// Where and by whom: what every list begins with.
fn place(record: &Record, entry: &Entry, sessions: &Sessions, zone: &Zone) -> Vec<Cell> {
    let session = entry.session.and_then(|id| sessions.get(&id));
    let operator = entry.operator.as_ref().or_else(|| session?.operator.as_ref());
    let customer = session.and_then(|session| session.customer.clone());
    vec![
        Cell::Count(record.seq),
        Cell::Text(zone.moment(record.at)),
        Cell::Text(operator.cloned().unwrap_or_default()),
        Cell::Text(customer.unwrap_or_default()),
        Cell::Text(session.and_then(|session| session.reason.clone()).unwrap_or_default()),
        Cell::Text(entry.session.map(|id| id.to_string()).unwrap_or_default()),
        Cell::Word(witness(entry.by)),
    ]
}

fn direction_word(direction: Direction) -> &'static str {
    match direction {
        Direction::ToOperator => "to_operator",
        Direction::ToUser => "to_user",
    }
}

fn verdict_word(verdict: FileVerdict) -> &'static str {
    match verdict {
        FileVerdict::Delivered => "delivered",
        FileVerdict::RefusedByUser => "refused_by_user",
        FileVerdict::RefusedByRule => "refused_by_rule",
        FileVerdict::Vetoed => "vetoed",
        FileVerdict::Failed => "failed",
        FileVerdict::Cancelled => "cancelled",
    }
}
