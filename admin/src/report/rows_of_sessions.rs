//! Sessions, a row for each: who helped whom, when, why, with whose consent, and how it ended.
//!
//! A number that nobody used is none. It refuses to know how a row is shown.

use std::collections::HashMap;

use serde::Serialize;
use tasuki_protocol::consent::Answer;
use tasuki_protocol::ids::SessionId;
use tasuki_protocol::ledger::event::{Event, Witness};
use tasuki_protocol::rights::{Capability, Mode};

use super::table::{Cell, Table};
use crate::audit::field_words;
use crate::audit::filter::{Doubt, Session};
use crate::audit::record::Record;
use crate::audit::times::Zone;

const COLUMNS: &[&str] = &[
    "record",
    "from",
    "to",
    "minutes",
    "told_by",
    "closed",
    "operator",
    "display_name",
    "customer",
    "reason",
    "mode",
    "answer",
    "granted",
    "pictures",
    "ended",
    "ended_by",
    "note",
    "session",
];
const NO_RECEIPT: &str = "no_receipt";
const RECEIPTS_DIFFER: &str = "receipts_differ";
const RECEIPT_TOO_LONG: &str = "receipt_too_long";
const SERVER_DIFFERS: &str = "server_differs";
/// What may stand under `note`, and is explained below the table.
pub(super) const NOTES: [&str; 4] = [NO_RECEIPT, RECEIPTS_DIFFER, RECEIPT_TOO_LONG, SERVER_DIFFERS];

pub(super) fn table(
    records: &[&Record],
    (sessions, names): (&HashMap<SessionId, Session>, &HashMap<SessionId, String>),
    zone: &Zone,
) -> Table {
    let rows = records.iter().filter_map(|record| {
        let entry = record.entry()?;
        let Event::Paired { .. } = &entry.event else { return None };
        let id = entry.session?;
        let session = sessions.get(&id)?;
        let operator = entry.operator.as_ref().or(session.operator.as_ref());
        let text = |text: Option<&String>| Cell::Text(text.cloned().unwrap_or_default());
        let [ended, ended_by] = ending(session);
        Some(vec![
            Cell::Count(record.seq),
            Cell::Text(zone.moment(record.at)),
            Cell::Text(session.over().map(|at| zone.moment(at)).unwrap_or_default()),
            Cell::Count(session.seconds().div_ceil(60)),
            told_by(session),
            Cell::Text(session.closed.map(|(at, ..)| zone.moment(at)).unwrap_or_default()),
            text(operator),
            text(names.get(&id)),
            text(session.customer.as_ref()),
            text(session.reason.as_ref()),
            mode(session.mode),
            answer(session),
            mode(granted(session)),
            Cell::Count(session.pictures()),
            ended,
            ended_by,
            note(session),
            Cell::Text(id.to_string()),
        ])
    });
    Table { columns: COLUMNS, rows: rows.collect() }
}

/// By whose word it was over then.
fn told_by(session: &Session) -> Cell {
    match (session.lasted(), session.closed) {
        (_, None) => Cell::Text(String::new()),
        (None, Some(_)) => Cell::Word(witness(Witness::Server)),
        (Some((by, _)), Some(_)) => Cell::Word(witness(by)),
    }
}

/// Why the row is to be looked at twice.
fn note(session: &Session) -> Cell {
    match session.doubt() {
        Some(Doubt::NoReceipt) => Cell::Word(NO_RECEIPT),
        Some(Doubt::ReceiptsDiffer) => Cell::Word(RECEIPTS_DIFFER),
        Some(Doubt::ReceiptTooLong) => Cell::Word(RECEIPT_TOO_LONG),
        Some(Doubt::ServerDiffers) => Cell::Word(SERVER_DIFFERS),
        None => Cell::Text(String::new()),
    }
}

/// Who saw it.
pub(super) fn witness(by: Witness) -> &'static str {
    match by {
        Witness::Server => "server",
        Witness::Operator => "operator_end",
        Witness::Agent => "agent_end",
    }
}

fn mode(mode: Option<Mode>) -> Cell {
    mode.map_or_else(|| Cell::Text(String::new()), |mode| known("paired", "mode", mode))
}

/// As far as it was granted: who may only look has another mode than was asked for. None where nothing was granted.
fn granted(session: &Session) -> Option<Mode> {
    let (_, rights) = session.granted?;
    let asked = session.mode?;
    let may_operate = session.was_operated() || rights.has(Capability::Operate);
    Some(match asked {
        Mode::Manage | Mode::Control if !may_operate => Mode::View,
        Mode::Share if !may_operate => Mode::Show,
        Mode::Manage | Mode::Control | Mode::View | Mode::Share | Mode::Show => asked,
    })
}

fn answer(session: &Session) -> Cell {
    match session.answer.map(|(_, answer)| answer) {
        Some(answer @ (Answer::Accepted | Answer::Refused | Answer::Silent)) => {
            known("consent_answered", "answer", answer)
        }
        None if session.closed.is_some() => Cell::Word("ended_before"),
        None => Cell::Text(String::new()),
    }
}

/// How, and by whom: as an end says it, else as the server does.
fn ending(session: &Session) -> [Cell; 2] {
    let nothing = || Cell::Text(String::new());
    let side = |by: Witness| known("ended", "by", by);
    match (session.ended, session.closed) {
        (Some((_, reason, by)), Some(_)) => [known("ended", "reason", reason), side(by)],
        (None, Some((_, reason, by))) => {
            [known("session_closed", "reason", reason), by.map_or_else(nothing, side)]
        }
        (_, None) => [Cell::Word("still_running"), nothing()],
    }
}

/// A word of the ledger's own, with its Japanese one.
pub(super) fn known(event: &str, field: &str, word: impl Serialize) -> Cell {
    let word = serde_json::to_value(word).unwrap_or_default();
    let word = word.as_str().unwrap_or_default().to_owned();
    let japanese = field_words::value(event, field, &word).unwrap_or_default();
    Cell::Known { word, japanese }
}
