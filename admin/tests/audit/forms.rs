//! The forms of a report: what a spreadsheet, a page and its charts show is what a script reads, cell by cell (S54, T66).

use std::collections::HashMap;

use serde_json::Value;
use tasuki_protocol::ids::{DeviceKey, SessionId};
use tasuki_protocol::ledger::event::Event;
use tasuki_protocol::rights::Mode;

use crate::ledger::seen;
use crate::reading::{acts, json, shown};
use crate::reporting::{month, rows};

const TABLES: [&str; 6] = ["totals", "sessions", "files", "sign-ins", "admin", "violations"];

/// What stands above a column, by its name for scripts.
const HEADINGS: [(&str, &str, &str); 44] = [
    ("group", "By", "区分"),
    ("name", "Name", "名前"),
    ("sessions", "Sessions", "セッション"),
    ("minutes", "Minutes since pairing", "接続確立からの分"),
    ("consents", "Accepted", "同意"),
    ("consents_refused", "Refused", "拒否"),
    ("files", "Files", "ファイル"),
    ("file_bytes", "Bytes", "バイト"),
    ("files_refused", "Files refused", "ファイル拒否"),
    ("screenshots", "Screenshots", "画面保存"),
    ("recordings", "Recordings", "録画"),
    ("violations", "Violations", "違反"),
    ("logins", "Sign-ins", "サインイン"),
    ("login_failures", "Failed sign-ins", "サインイン失敗"),
    ("lockouts", "Suspensions", "停止"),
    ("admin_acts", "Admin acts", "管理操作"),
    ("admin_refused", "Admin refused", "管理操作の拒否"),
    ("ledger_reads", "Ledger reads", "記録の閲覧"),
    ("from", "From", "開始"),
    ("to", "To", "終了"),
    ("told_by", "End told by", "終了時刻の記録元"),
    ("closed", "Closed at the server", "サーバーでの終了"),
    ("operator", "Operator", "オペレータ"),
    ("display_name", "Shown name", "表示名"),
    ("customer", "Customer", "顧客"),
    ("reason", "Reason", "理由"),
    ("mode", "Mode", "モード"),
    ("answer", "Customer's answer", "顧客の回答"),
    ("granted", "Granted", "許可された範囲"),
    ("pictures", "Pictures kept", "保存画像"),
    ("ended", "How it ended", "終了理由"),
    ("ended_by", "Ended by", "終了した側"),
    ("note", "Note", "注記"),
    ("session", "Session", "セッション"),
    ("record", "Record", "番号"),
    ("time", "Time", "日時"),
    ("seen_by", "Seen by", "記録元"),
    ("event", "Event", "出来事"),
    ("details", "Details", "詳細"),
    ("direction", "Direction", "方向"),
    ("path", "Path", "パス"),
    ("size", "Bytes", "バイト"),
    ("overwrote", "Overwrote", "上書き"),
    ("verdict", "Verdict", "結果"),
];
/// Of the ledger's own words, which a reader gets in his language; all other texts are people's, or times and numbers.
const WORDED: [&str; 13] = [
    "group",
    "name",
    "told_by",
    "mode",
    "answer",
    "granted",
    "ended",
    "ended_by",
    "note",
    "seen_by",
    "event",
    "direction",
    "verdict",
];
const TOO_LONG_TO_LIST: [&str; 2] = ["details", "overwrote"];

type Grid = Vec<Vec<String>>;

/// Of one CSV file, by RFC 4180; every cell is on one line.
fn cells(csv: &str) -> Grid {
    csv.trim_start_matches('\u{feff}').lines().map(cells_of).collect()
}

fn cells_of(line: &str) -> Vec<String> {
    let (mut cells, mut quoted, mut all) = (vec![String::new()], false, line.chars().peekable());
    while let Some(c) = all.next() {
        match c {
            '"' if quoted && all.next_if_eq(&'"').is_some() => cells.last_mut().unwrap().push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            other => cells.last_mut().unwrap().push(other),
        }
    }
    cells
}

/// As a person may be shown it.
fn visible(text: &str) -> String {
    let shown = |c: char| {
        if acts(c) || c == '\n' { format!("\\u{{{:x}}}", u32::from(c)) } else { c.to_string() }
    };
    text.chars().map(shown).collect()
}

/// Without what keeps a spreadsheet from taking it for a formula (T66).
fn bare(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| rest.starts_with(['=', '+', '-', '@'])).unwrap_or(cell)
}

/// That a cell says what a script reads; of words in Japanese that each is always the same one, and no two are alike.
fn agrees(cell: &str, (key, value): (&str, &Value), japanese: &mut HashMap<String, String>) {
    let Some(text) = value.as_str() else {
        assert_eq!(cell, value.to_string(), "{key}");
        return;
    };
    let text = visible(text);
    let nobody = text.is_empty() && (cell.is_empty() || cell.starts_with(['(', '（']));
    if nobody || cell == text || cell == text.replace('_', " ") {
        return;
    }
    assert!(
        WORDED.contains(&key) || TOO_LONG_TO_LIST.contains(&key),
        "{key}: {cell:?} is not {text:?}"
    );
    let known = japanese.entry(format!("{key} {text}")).or_insert_with(|| cell.to_owned());
    assert_eq!(known, cell, "{key} {text}");
}

#[test]
fn t66_no_cell_of_a_csv_report_is_a_formula_and_its_rows_are_the_json_ones() {
    let folder = tempfile::tempdir().unwrap();
    month().write(folder.path());
    let report = json(folder.path(), &["report"]);
    for (language, heading) in [("en", 1), ("ja", 2)] {
        let mut japanese = HashMap::new();
        for table in TABLES {
            let arguments = ["report", "--format", "csv", "--table", table, "--lang", language];
            let csv = shown(folder.path(), &arguments);
            assert!(csv.starts_with('\u{feff}'), "how a spreadsheet knows UTF-8");
            assert!(
                !csv.trim_start_matches('\u{feff}').chars().any(|c| acts(c) && c != '\r'),
                "{csv:?}"
            );
            let (grid, rows) = (cells(&csv), rows(&report, &table.replace('-', "_")));
            assert_eq!(grid.len(), rows.len() + 1, "{csv}");
            for (row, cells) in rows.iter().zip(&grid[1..]) {
                let row = row.as_object().unwrap();
                assert_eq!(cells.len(), row.len(), "{table}");
                for (above, cell) in grid[0].iter().zip(cells) {
                    assert!(!cell.starts_with(['=', '+', '-', '@']), "{cell:?}");
                    let is_it = |(key, english, japanese): &&(&str, &str, &str)| {
                        [english, japanese][heading - 1] == above && row.contains_key(*key)
                    };
                    let key = HEADINGS.iter().find(is_it).map_or("sha256", |(key, ..)| key);
                    agrees(bare(cell), (key, &row[key]), &mut japanese);
                }
            }
        }
        let mut words: Vec<(&str, &String)> =
            japanese.iter().map(|(from, to)| (from.split(' ').next().unwrap(), to)).collect();
        let many = words.len();
        words.sort_unstable();
        words.dedup();
        assert!(language == "en" || (many > 20 && words.len() == many), "{japanese:?}");
        assert!(language == "ja" || many == 0, "{japanese:?}");
    }
}

/// Every table of the page, in their order.
fn tables_of(page: &str) -> Vec<Grid> {
    let plain = |text: &str| {
        let ends = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
        ends.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    };
    let cell = |cell: &str| {
        let inner = cell.split_once('>').unwrap().1;
        plain(inner.split("</t").next().unwrap())
    };
    let row = |row: &str| {
        let cells = row.split("<t").skip(1).filter(|cell| cell.starts_with(['d', 'h']));
        cells.map(cell).collect()
    };
    let table = |table: &str| table.split("<tr>").skip(1).map(row).collect();
    page.split("<table>").skip(1).map(|rest| table(rest.split("</table>").next().unwrap())).collect()
}

#[test]
fn s54_one_page_with_charts_loads_nothing_runs_nothing_and_shows_the_counts_in_both_languages() {
    let folder = tempfile::tempdir().unwrap();
    month().write(folder.path());
    for (language, words) in
        [("en", ["Remote support at", "Violations"]), ("ja", ["遠隔サポート報告", "違反"])]
    {
        let page = shown(folder.path(), &["report", "--format", "html", "--lang", language]);
        assert!(words.iter().all(|word| page.contains(word)));
        assert!(page.contains("default-src 'none'"));
        let elsewhere = page.replace("http://www.w3.org/2000/svg", "");
        for forbidden in ["http:", "https:", "//", "<script", "<img", "<link", "url(", "onload"] {
            assert!(!elsewhere.contains(forbidden), "{forbidden}");
        }
        assert!(page.contains("&lt;script&gt;") && !page.chars().any(acts));
        let tables = tables_of(&page);
        assert_eq!(tables.len(), TABLES.len());
        charts_show(&page, &tables[0], usize::from(language == "ja"));
        for (table, on_page) in TABLES.iter().zip(&tables) {
            let arguments = ["report", "--format", "csv", "--table", *table, "--lang", language];
            let csv = cells(&shown(folder.path(), &arguments));
            let csv: Grid =
                csv.iter().map(|row| row.iter().map(|cell| bare(cell).to_owned()).collect()).collect();
            assert_eq!(*on_page, csv, "{table}");
        }
    }
}

/// One chart, in both languages.
struct Chart {
    caption: [&'static str; 2],
    /// What a bar stands for.
    group: [&'static str; 2],
    columns: [&'static [&'static str]; 2],
}

const SESSIONS: [&[&str]; 2] = [&["Sessions"], &["セッション"]];
const CHARTS: [Chart; 4] = [
    Chart {
        caption: ["Sessions per period", "期間別セッション数"],
        group: ["period", "期間"],
        columns: SESSIONS,
    },
    Chart {
        caption: ["Sessions per operator", "オペレータ別セッション数"],
        group: ["operator", "オペレータ"],
        columns: SESSIONS,
    },
    Chart {
        caption: ["Sessions per mode", "モード別セッション数"],
        group: ["mode", "モード"],
        columns: SESSIONS,
    },
    Chart {
        caption: [
            "Failed sign-ins, suspensions, violations per period",
            "期間別のサインイン失敗・停止・違反",
        ],
        group: ["period", "期間"],
        columns: [
            &["Failed sign-ins", "Suspensions", "Violations"],
            &["サインイン失敗", "停止", "違反"],
        ],
    },
];

/// That each chart has a bar for each row of the totals that counts something, as high as it counts and with its name
/// below where there is room for all.
fn charts_show(page: &str, totals: &Grid, language: usize) {
    let figures: Vec<&str> = page.split("<figure>").skip(1).collect();
    assert_eq!(figures.len(), CHARTS.len());
    for (Chart { caption, group, columns }, figure) in CHARTS.iter().zip(figures) {
        let (caption, group) = (caption[language], group[language]);
        assert!(figure.starts_with(&format!("<figcaption>{caption}</figcaption><svg")), "{figure}");
        let column = |name: &&str| totals[0].iter().position(|heading| heading == name).unwrap();
        let count = |row: &Vec<String>| -> f64 {
            columns[language].iter().map(|name| row[column(name)].parse::<f64>().unwrap()).sum()
        };
        let of_group = totals[1..].iter().filter(|row| row[0] == group);
        let mut counted: Vec<(&str, f64)> = of_group.map(|row| (row[1].as_str(), count(row))).collect();
        counted.retain(|(_, count)| *count > 0.0);
        if !["period", "期間"].contains(&group) {
            counted.sort_by(|a, b| b.1.total_cmp(&a.1));
        }
        let drawn = bars(figure);
        assert_eq!(drawn.len(), counted.len(), "{caption}: {counted:?}");
        let (most, highest) = (
            counted.iter().map(|bar| bar.1).fold(0.0, f64::max),
            drawn.iter().map(|bar| bar.2).fold(0.0, f64::max),
        );
        assert!(highest > 100.0, "{caption}: {drawn:?}");
        for ((name, count), (left, width, height)) in counted.iter().zip(&drawn) {
            // To the pixel, of which a border takes one.
            let off = (height - highest * count / most).abs();
            assert!(
                off <= 2.0,
                "{caption}: {name} is {height} high for {count}, of {highest} for {most}"
            );
            if counted.len() <= 6 {
                let is_below =
                    |(text, x): &(String, f64)| text == name && (left..=&(left + width)).contains(&x);
                assert!(labels(figure).iter().any(is_below), "{caption}: {name} is not below its bar");
            }
        }
    }
}

/// Left edge, width and height of each, from the left.
fn bars(figure: &str) -> Vec<(f64, f64, f64)> {
    let of = |rect: &str, name: &str| number(rect, name);
    let coloured = |rect: &&str| rect.contains("fill=\"#2665A6\"") || rect.contains("fill=\"#BE3C32\"");
    let rects = figure.split("<rect ").skip(1).map(|rest| rest.split("/>").next().unwrap());
    let rects = rects.filter(coloured);
    rects.map(|rect| (of(rect, " x"), of(rect, "width"), of(rect, "height"))).collect()
}

/// What is written in a chart, and where its middle is.
fn labels(figure: &str) -> Vec<(String, f64)> {
    let texts = figure.split("<text ").skip(1).map(|rest| rest.split_once('>').unwrap());
    let text = |(head, rest): (&str, &str)| {
        (rest.split("</text>").next().unwrap().trim().to_owned(), number(head, " x"))
    };
    texts.map(text).collect()
}

fn number(element: &str, name: &str) -> f64 {
    let element = format!(" {element}");
    let value = element.split(&format!("{name}=\"")).nth(1).unwrap();
    value.split('"').next().unwrap().parse().unwrap()
}

/// S54: days, weeks and months are those of the calendar and the clocks of the place, over the end of a year too.
#[test]
fn s54_a_period_bears_the_name_of_its_day_week_or_month() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = month();
    // 2027-01-01 23:30 UTC, a Friday: of the 53rd week of 2026, and of the next day in Tokyo.
    let at = 184 * 24 * 60 + 23 * 60 + 30;
    let (id, agent) = (SessionId([99; 16]), DeviceKey([0; 32]));
    let late = |event| seen("hanako", Some(id), event);
    ledger.server(at, late(Event::RoomOpened { mode: Mode::View, policy: 1, reason: None }));
    ledger.server(at, late(Event::Paired { agent, from: "192.0.2.9".to_owned() }));
    ledger.write(folder.path());
    let periods = |by: &str, zone: &str| -> Vec<(String, u64)> {
        let report = json(folder.path(), &["report", "--by", by, "--zone", zone]);
        let periods = rows(&report, "totals").iter().filter(|row| row["group"] == "period");
        let named =
            |row: &Value| (row["name"].as_str().unwrap().to_owned(), row["sessions"].as_u64().unwrap());
        periods.map(named).filter(|(_, sessions)| *sessions > 0).collect()
    };
    let named = |expected: &[(&str, u64)]| -> Vec<(String, u64)> {
        expected.iter().map(|(name, sessions)| ((*name).to_owned(), *sessions)).collect()
    };
    let mut days: Vec<(String, u64)> = (1..=20).map(|day| (format!("2026-07-{day:02}"), 1)).collect();
    days.push(("2027-01-01".to_owned(), 1));
    assert_eq!(periods("day", "UTC"), days);
    days[20].0 = "2027-01-02".to_owned();
    assert_eq!(periods("day", "Asia/Tokyo"), days);
    let weeks = [("2026-W27", 5), ("2026-W28", 7), ("2026-W29", 7), ("2026-W30", 1), ("2026-W53", 1)];
    assert_eq!(periods("week", "UTC"), named(&weeks));
    assert_eq!(periods("month", "UTC"), named(&[("2026-07", 20), ("2027-01", 1)]));
}
