//! A report for a terminal, a spreadsheet, a script.

use serde_json::{Map, Value};

use super::table::{Cell, Table};
use super::{Report, Section, words};
use crate::audit::neutral;
use crate::table::table as aligned;
use crate::texts::Language;

pub use super::html::html;

/// For a terminal: every table under its name.
pub fn text(report: &Report, only: Option<Section>, language: Language) -> String {
    let mut parts = vec![neutral::line(&words::title(&report.head, language))];
    parts.extend(
        words::head(&report.head, report.tally.unread, language).iter().map(|line| neutral::line(line)),
    );
    for (section, table) in chosen(report, only) {
        parts.push(format!("\n== {}", words::section(*section, language)));
        parts.push(grid(table, language));
    }
    parts.join("\n")
}

fn grid(table: &Table, language: Language) -> String {
    if table.rows.is_empty() {
        return words::nothing(language);
    }
    let mut rows = vec![table.columns.iter().map(|name| words::column(name, language)).collect()];
    let shown = |cell| neutral::line(&words::cell(cell, language));
    rows.extend(table.rows.iter().map(|row| row.iter().map(shown).collect::<Vec<_>>()));
    let notes = words::footnotes(table, language);
    [vec![aligned(&rows)], notes].concat().join("\n")
}

/// One table as CSV (RFC 4180), with the mark by which spreadsheets know UTF-8; no cell is one
/// that a spreadsheet takes for a formula (T66).
pub fn csv(table: &Table, language: Language) -> String {
    let heads = table.columns.iter().map(|name| neutral::cell(&words::column(name, language)));
    let mut lines = vec![heads.collect::<Vec<_>>().join(",")];
    lines.extend(table.rows.iter().map(|row| {
        let cells = row.iter().map(|cell| neutral::cell(&words::cell(cell, language)));
        cells.collect::<Vec<_>>().join(",")
    }));
    format!("\u{feff}{}", lines.join("\r\n"))
}

/// Everything, under names that are the same in every language.
pub fn json(report: &Report, only: Option<Section>) -> Value {
    let head = &report.head;
    let mut out = serde_json::json!({
        "organisation": head.organisation,
        "since": head.since,
        "until": head.until,
        "operator": head.operator,
        "customer": head.customer,
        "reason": head.reason,
        "made": head.made,
        "reviewed": head.reviewed.as_ref().map(|(admin, up_to, when)| {
            serde_json::json!({ "by": admin, "up_to": up_to, "on": when })
        }),
        "ledger": head.ledger,
        "records": report.tally.records,
        "unread": report.tally.unread,
    });
    for (section, table) in chosen(report, only) {
        let rows: Vec<Value> = table.rows.iter().map(|row| object(table, row)).collect();
        out[section.name()] = rows.into();
    }
    out
}

fn object(table: &Table, row: &[Cell]) -> Value {
    let fields = table.columns.iter().zip(row).map(|(name, cell)| {
        let value = match cell {
            Cell::Text(text) => Value::from(text.as_str()),
            Cell::Nobody(_) => Value::from(""),
            Cell::Known { word, .. } => Value::from(word.as_str()),
            Cell::Count(count) => Value::from(*count),
            Cell::Told { english, .. } => Value::from(english.as_str()),
            Cell::Word(word) => Value::from(*word),
        };
        ((*name).to_owned(), value)
    });
    Value::Object(fields.collect::<Map<_, _>>())
}

fn chosen(report: &Report, only: Option<Section>) -> impl Iterator<Item = &(Section, Table)> {
    report.tables.iter().filter(move |(section, _)| only.is_none_or(|only| only == *section))
}
