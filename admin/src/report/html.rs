//! A report as one page that loads nothing and runs nothing: it can be mailed, printed and kept.

use super::table::{Cell, Table};
use super::{Report, charts, words};
use crate::audit::neutral;
use crate::texts::Language;

/// Nothing from elsewhere and no script, whatever a record says.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";
const STYLE: &str = "body{font:14px/1.5 system-ui,sans-serif;margin:2em auto;max-width:max(76em,94vw);padding:0 1em;color:#1c2430}\
h1{font-size:1.6em;margin-bottom:.2em}h2{margin-top:2em;font-size:1.2em}p{margin:.1em 0;color:#4a5566}\
.charts{display:flex;flex-wrap:wrap;gap:1em;margin-top:1em}figure{margin:0;border:1px solid #dde3ea;border-radius:6px;padding:.5em}\
figcaption{font-weight:600}.wide{overflow-x:auto}table{border-collapse:collapse;font-size:13px}\
th,td{padding:.3em .6em;border-bottom:1px solid #e4e9ef;text-align:left;vertical-align:top}\
th{background:#f3f6f9;white-space:nowrap}td{overflow-wrap:anywhere;min-width:4.5em}td.n{min-width:0;text-align:right;font-variant-numeric:tabular-nums}\
@media print{body{margin:0;max-width:none}figure,tr{break-inside:avoid}}";

pub fn html(report: &Report, language: Language) -> String {
    let code = language.pick("en", "ja");
    let title = neutral::html(&words::title(&report.head, language));
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"{code}\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n"
    );
    for line in words::head(&report.head, report.tally.unread, language) {
        page.push_str(&format!("<p>{}</p>\n", neutral::html(&line)));
    }
    page.push_str("<div class=\"charts\">\n");
    for (caption, drawing) in charts::charts(&report.tally, language) {
        let caption = neutral::html(&caption);
        page.push_str(&format!("<figure><figcaption>{caption}</figcaption>{drawing}</figure>\n"));
    }
    page.push_str("</div>\n");
    for (section, table) in &report.tables {
        let heading = neutral::html(&words::section(*section, language));
        page.push_str(&format!("<h2>{heading}</h2>\n{}", rows(table, language)));
    }
    page.push_str("</body></html>\n");
    page
}

fn rows(table: &Table, language: Language) -> String {
    if table.rows.is_empty() {
        return format!("<p>{}</p>\n", neutral::html(&words::nothing(language)));
    }
    let heads = table.columns.iter().map(|name| {
        let heading = neutral::html(&words::column(name, language));
        format!("<th scope=\"col\">{heading}</th>")
    });
    let mut out = format!("<div class=\"wide\"><table><tr>{}</tr>\n", heads.collect::<String>());
    for row in &table.rows {
        let cells = row.iter().map(|cell| {
            let class = if matches!(cell, Cell::Count(_)) { " class=\"n\"" } else { "" };
            format!("<td{class}>{}</td>", neutral::html(&words::cell(cell, language)))
        });
        out.push_str(&format!("<tr>{}</tr>\n", cells.collect::<String>()));
    }
    out.push_str("</table></div>\n");
    for note in words::footnotes(table, language) {
        out.push_str(&format!("<p>{}</p>\n", neutral::html(&note)));
    }
    out
}
