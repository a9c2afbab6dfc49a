//! A report as CSV (RFC 4180): one line a group, no cell that a spreadsheet takes for a formula (T66).

use super::tally::{Counts, Grouping, Tally};
use crate::audit::neutral;

/// The columns' names, as scripts read them; the same in every language.
pub const HEADER: &str = "group,name,sessions,minutes,consents,consents_refused,files,file_bytes,\
files_refused,screenshots,recordings,violations,logins,login_failures,lockouts,admin_acts";

pub fn csv(tally: &Tally) -> String {
    let mut out = format!("{HEADER}\r\n");
    for (grouping, groups) in &tally.groups {
        for (name, counts) in groups {
            out.push_str(&line(word(*grouping), name, counts));
        }
    }
    out.push_str(&line("total", "", &tally.total));
    out
}

fn line(group: &str, name: &str, counts: &Counts) -> String {
    let cells = counts.columns().map(|count| count.to_string()).join(",");
    format!("{group},{},{cells}\r\n", neutral::cell(name))
}

/// A grouping's name in files.
pub fn word(grouping: Grouping) -> &'static str {
    match grouping {
        Grouping::Operator => "operator",
        Grouping::Customer => "customer",
        Grouping::Day => "day",
        Grouping::Mode => "mode",
    }
}
