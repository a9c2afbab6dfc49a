//! Reports: what was done in a period, counted from the records themselves (S54).
//!
//! A report is tables of cells; a terminal, a spreadsheet, a script and a browser each get
//! them in their own form, and none a number that another does not.

mod charts;
mod html;
mod lists;
mod rows_of_sessions;
pub mod show;
pub mod shown_names;
pub mod table;
pub mod tally;
mod words;

use std::collections::HashMap;

use tasuki_protocol::ids::SessionId;

use self::table::Table;
use self::tally::Tally;
use crate::audit::filter::Session;
use crate::audit::record::Record;
use crate::audit::times::Zone;

/// What a report is of, as its head says it.
#[derive(Debug, Clone)]
pub struct Head {
    pub organisation: String,
    /// `2026-07-01 00:00:00`; none: from the first record on.
    pub since: Option<String>,
    pub until: Option<String>,
    pub operator: Option<String>,
    pub customer: Option<String>,
    pub reason: Option<String>,
    pub made: String,
    /// By whom, up to which record, and when the ledger was last looked through (S92).
    pub reviewed: Option<(String, u64, String)>,
    /// Records in the ledger that it was made from.
    pub ledger: u64,
    /// When the first and the last of them were written.
    pub span: Option<(String, String)>,
}

/// The tables of a report, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Section {
    /// Counts per operator, customer, period and mode
    Totals,
    /// Each session in one row: from, to, who, whom, why, the customer's answer, what was granted, pictures, how and by whom it ended
    Sessions,
    /// Each file that passed, or was refused
    Files,
    /// Failed sign-ins and suspensions
    SignIns,
    /// What administrators did
    Admin,
    /// Forbidden acts of an end
    Violations,
}

impl Section {
    pub const ALL: [Self; 6] =
        [Self::Totals, Self::Sessions, Self::Files, Self::SignIns, Self::Admin, Self::Violations];

    /// As scripts know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Totals => "totals",
            Self::Sessions => "sessions",
            Self::Files => "files",
            Self::SignIns => "sign_ins",
            Self::Admin => "admin",
            Self::Violations => "violations",
        }
    }
}

/// How long one period of the totals is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Period {
    Day,
    Week,
    Month,
}

impl Period {
    fn form(self) -> &'static str {
        match self {
            Self::Day => "%Y-%m-%d",
            Self::Week => "%G-W%V",
            Self::Month => "%Y-%m",
        }
    }
}

#[derive(Debug, Clone)]
pub struct Report {
    pub head: Head,
    pub tally: Tally,
    pub tables: Vec<(Section, Table)>,
}

impl Report {
    /// Of `records`, which are those of the period and the operator or customer wanted.
    pub fn new(
        head: Head,
        records: &[&Record],
        (sessions, names): (&HashMap<SessionId, Session>, &HashMap<SessionId, String>),
        (zone, period): (&Zone, Period),
    ) -> Self {
        let tally = tally::tally(records, sessions, |at| zone.show(at, period.form()));
        let tables = Section::ALL.map(|section| {
            let table = match section {
                Section::Totals => lists::totals(&tally),
                Section::Files => lists::files(records, sessions, zone),
                Section::Sessions => rows_of_sessions::table(records, (sessions, names), zone),
                Section::SignIns | Section::Admin | Section::Violations => {
                    lists::events(section, records, sessions, zone)
                }
            };
            (section, table)
        });
        Self { head, tally, tables: tables.into() }
    }

    pub fn table(&self, wanted: Section) -> Option<&Table> {
        self.tables.iter().find(|(section, _)| *section == wanted).map(|(_, table)| table)
    }
}
