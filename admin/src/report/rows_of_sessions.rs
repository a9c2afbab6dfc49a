//! Sessions, a row for each: who helped whom, when, why, with whose consent, and how it ended.
//!
//! A number that nobody used is none. It refuses to know how a row is shown.

use std::collections::HashMap;

use serde::Serialize;
use tasuki_protocol::consent::Answer;
use tasuki_protocol::ids::SessionId;
use tasuki_protocol::ledger::event::{Event, Witness};
use tasuki_protocol::ledger::words::AdminAction;

use super::table::{Cell, Table};
use crate::audit::field_words;
use crate::audit::filter::Session;
use crate::audit::record::Record;
use crate::audit::times::Zone;

const COLUMNS: &[&str] = &[
    "record",
    "from",
    "to",
    "minutes",
    "operator",
    "display_name",
    "customer",
    "reason",
    "mode",
    "answer",
    "pictures",
    "ended",
    "ended_by",
    "session",
];

/// Under which name end users see each account, as administrators have said it last.
pub fn names<'a>(records: impl IntoIterator<Item = &'a Record>) -> HashMap<String, String> {
    let mut names = HashMap::new();
    for entry in records.into_iter().filter_map(Record::entry) {
        let Event::AdminDid { action, target, detail, .. } = &entry.event else { continue };
        let is_named = matches!(
            action,
            AdminAction::OperatorAdded | AdminAction::OperatorChanged | AdminAction::DeviceApproved
        );
        // It stands last, since it may have anything in it.
        let name = detail.split_once("name=").map(|(_, name)| name);
        if let (true, Some(name)) = (is_named, name) {
            let account = entry.operator.as_ref().unwrap_or(target);
            names.insert(account.clone(), name.to_owned());
        }
    }
    names
}

pub(super) fn table(
    records: &[&Record],
    (sessions, names): (&HashMap<SessionId, Session>, &HashMap<String, String>),
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
            Cell::Text(session.closed.map(|(at, ..)| zone.moment(at)).unwrap_or_default()),
            Cell::Count(session.minutes),
            text(operator),
            text(operator.and_then(|account| names.get(account))),
            text(session.customer.as_ref()),
            text(session.reason.as_ref()),
            session
                .mode
                .map_or_else(|| Cell::Text(String::new()), |mode| known("paired", "mode", mode)),
            answer(session),
            Cell::Count(session.pictures()),
            ended,
            ended_by,
            Cell::Text(id.to_string()),
        ])
    });
    Table { columns: COLUMNS, rows: rows.collect() }
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
fn known(event: &str, field: &str, word: impl Serialize) -> Cell {
    let word = serde_json::to_value(word).unwrap_or_default();
    let word = word.as_str().unwrap_or_default().to_owned();
    let japanese = field_words::value(event, field, &word).unwrap_or_default();
    Cell::Known { word, japanese }
}
