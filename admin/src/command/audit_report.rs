//! Reports from the ledger.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tasuki_protocol::ledger::event::Event;
use tasuki_protocol::ledger::words::ReadPurpose;

use super::audit_input::{Input, judged, read};
use crate::audit::export;
use crate::audit::fault::AuditFault;
use crate::audit::filter::{Filter, sessions};
use crate::audit::record::Record;
use crate::audit::source::unix_ms;
use crate::audit::times::Zone;
use crate::fault::Fault;
use crate::printed::Printed;
use crate::report::{Head, Period, Report, Section, show, shown_names};
use crate::settings::Settings;

#[derive(Debug, Args)]
pub struct ReportOptions {
    #[command(flatten)]
    input: Input,
    /// From this day or moment on, e.g. 2026-07-01
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
    /// Up to the end of this day, or up to this moment
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
    /// Of one operator's account alone
    #[arg(long)]
    operator: Option<String>,
    /// Of customers whose name, as operators gave it, has this in it
    #[arg(long)]
    customer: Option<String>,
    /// Of sessions whose reason has this in it: a ticket's number, say
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// How long one period is
    #[arg(long, value_enum, default_value_t = Period::Day)]
    by: Period,
    /// One table alone; for CSV [default: totals]
    #[arg(long, value_enum)]
    table: Option<Section>,
    /// What it is written as; --json is --format json
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Into a file, which must not be there yet
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Tables for a terminal
    Text,
    /// One table for a spreadsheet
    Csv,
    /// Everything for scripts
    Json,
    /// One page with charts, to mail and to print; loads nothing
    Html,
}

/// The newest review in the ledger.
fn reviewed(records: &[Record], zone: &Zone) -> Option<(String, u64, String)> {
    records.iter().rev().find_map(|record| {
        let Event::Reviewed { admin, up_to, .. } = &record.entry()?.event else { return None };
        Some((admin.clone(), *up_to, zone.moment(record.at)))
    })
}

/// From when to when there is something to count.
fn span(records: &[Record], zone: &Zone) -> Option<(String, String)> {
    let mut times = records.iter().map(|record| record.at).filter(|at| *at > 0);
    let first = times.next()?;
    let last = times.next_back().unwrap_or(first);
    Some((zone.moment(first), zone.moment(last)))
}

pub(super) async fn run(settings: &Settings, options: &ReportOptions) -> Result<Printed, Fault> {
    if let Some(out) = options.out.as_ref().filter(|out| out.exists()) {
        return Err(AuditFault::Exists(out.clone()).into());
    }
    let language = settings.language();
    let zone = Zone::named(options.input.zone.as_deref())?;
    let (since, until) = zone.read_span(options.since.as_deref(), options.until.as_deref())?;
    let filter = Filter {
        since,
        until,
        operator: options.operator.clone(),
        customer: options.customer.clone(),
        reason: options.reason.clone(),
        ..Filter::default()
    };
    let read = read(settings, &options.input, ReadPurpose::Report).await?;
    let sessions = sessions(&read.records);
    let records: Vec<&Record> =
        read.records.iter().filter(|record| filter.admits(record, &sessions)).collect();
    let head = Head {
        organisation: read.passed.bundle.organisation.clone(),
        since: filter.since.map(|at| zone.moment(at)),
        until: filter.until.map(|at| zone.moment(at)),
        operator: options.operator.clone(),
        customer: options.customer.clone(),
        reason: options.reason.clone(),
        reviewed: reviewed(&read.records, &zone),
        made: zone.moment(unix_ms()),
        ledger: read.passed.records,
        span: span(&read.records, &zone),
    };
    let names = shown_names::names(&read.records, &sessions);
    let report = Report::new(head, &records, (&sessions, &names), (&zone, options.by));
    let json = show::json(&report, options.table);
    let text = match options.format {
        Format::Text => show::text(&report, options.table, language),
        Format::Csv => {
            let table = report.table(options.table.unwrap_or(Section::Totals));
            table.map_or_else(String::new, |table| show::csv(table, language))
        }
        Format::Json => crate::audit::neutral::json(&json),
        Format::Html => show::html(&report, language),
    };
    let printed = match &options.out {
        None => Printed { text, json },
        Some(out) => {
            let text = if settings.json { crate::audit::neutral::json(&json) } else { text };
            export::write_text(out, &text)?;
            let json = serde_json::json!({ "file": out, "records": records.len() });
            Printed { text: language.report_made(out, records.len()), json }
        }
    };
    judged(printed, read.passed)
}
