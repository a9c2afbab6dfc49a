//! The words of reports, in English and Japanese.

use super::table::{Cell, Table};
use super::tally::Grouping;
use super::{Head, Section, rows_of_sessions};
use crate::texts::{Language, counted};

/// A column's heading; `name` is as scripts know it.
pub(super) fn column(name: &str, language: Language) -> String {
    let (english, japanese) = match name {
        "group" => ("By", "区分"),
        "name" => ("Name", "名前"),
        "sessions" => ("Sessions", "セッション"),
        "minutes" => ("Minutes since pairing", "接続確立からの分"),
        "consents" => ("Accepted", "同意"),
        "consents_refused" => ("Refused", "拒否"),
        "files" => ("Files", "ファイル"),
        "file_bytes" => ("Bytes", "バイト"),
        "files_refused" => ("Files refused", "ファイル拒否"),
        "screenshots" => ("Screenshots", "画面保存"),
        "recordings" => ("Recordings", "録画"),
        "violations" => ("Violations", "違反"),
        "logins" => ("Sign-ins", "サインイン"),
        "login_failures" => ("Failed sign-ins", "サインイン失敗"),
        "lockouts" => ("Suspensions", "停止"),
        "admin_acts" => ("Admin acts", "管理操作"),
        "admin_refused" => ("Admin refused", "管理操作の拒否"),
        "ledger_reads" => ("Ledger reads", "記録の閲覧"),
        "from" => ("From", "開始"),
        "to" => ("To", "終了"),
        "told_by" => ("End told by", "終了時刻の記録元"),
        "closed" => ("Closed at the server", "サーバーでの終了"),
        "display_name" => ("Shown name", "表示名"),
        "mode" => ("Mode", "モード"),
        "answer" => ("Customer's answer", "顧客の回答"),
        "granted" => ("Granted", "許可された範囲"),
        "pictures" => ("Pictures kept", "保存画像"),
        "ended" => ("How it ended", "終了理由"),
        "ended_by" => ("Ended by", "終了した側"),
        "note" => ("Note", "注記"),
        "record" => ("Record", "番号"),
        "time" => ("Time", "日時"),
        "operator" => ("Operator", "オペレータ"),
        "customer" => ("Customer", "顧客"),
        "reason" => ("Reason", "理由"),
        "session" => ("Session", "セッション"),
        "seen_by" => ("Seen by", "記録元"),
        "event" => ("Event", "出来事"),
        "details" => ("Details", "詳細"),
        "direction" => ("Direction", "方向"),
        "path" => ("Path", "パス"),
        "size" => ("Bytes", "バイト"),
        "sha256" => ("SHA-256", "SHA-256"),
        "overwrote" => ("Overwrote", "上書き"),
        "verdict" => ("Verdict", "結果"),
        other => (other, other),
    };
    language.pick(english, japanese)
}

/// One of our own words in a cell.
fn word(word: &str, language: Language) -> String {
    let japanese = match word {
        super::tally::UNKNOWN => "登録のない名前",
        "total" => "合計",
        "operator" => "オペレータ",
        "customer" => "顧客",
        "period" => "期間",
        "mode" => "モード",
        "server" => "サーバー",
        "ended_before" => "回答前に終了",
        "still_running" => "継続中",
        "operator_end" => "オペレータ側",
        "agent_end" => "顧客側",
        "to_operator" => "オペレータへ",
        "to_user" => "顧客へ",
        "nothing" => "なし",
        "announced" => "通知のうえ上書き",
        "no_receipt" => "控えなし",
        "receipts_differ" => "控えの不一致",
        "receipt_too_long" => "控えの時間が過大",
        "server_differs" => "サーバーの記録と不一致",
        "delivered" => "完了",
        "refused_by_user" => "顧客が拒否",
        "refused_by_rule" => "規則により拒否",
        "vetoed" => "検査で拒否",
        "failed" => "失敗",
        "cancelled" => "中止",
        other => other,
    };
    language.pick(word.replace('_', " "), japanese)
}

/// What is counted of no operator, customer or session at all.
fn nobody(grouping: Grouping, language: Language) -> String {
    match grouping {
        Grouping::Operator => language.pick("(no operator's)", "（オペレータ以外）"),
        Grouping::Customer => language.pick("(no customer named)", "（顧客名なし）"),
        Grouping::Mode => language.pick("(outside sessions)", "（セッション外）"),
        Grouping::Period => language.pick("(no time)", "（日時なし）"),
    }
}

/// What a person reads in a cell, not neutralised yet.
pub(super) fn cell(cell: &Cell, language: Language) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::Nobody(grouping) => nobody(*grouping, language),
        Cell::Known { word, japanese } => language.pick(word.replace('_', " "), (*japanese).to_owned()),
        Cell::Count(count) => count.to_string(),
        Cell::Told { english, japanese } => language.pick(english, japanese),
        Cell::Word(own) => word(own, language),
    }
}

pub(super) fn section(section: Section, language: Language) -> String {
    let (english, japanese) = match section {
        Section::Totals => ("Totals", "集計"),
        Section::Sessions => ("Sessions", "セッション"),
        Section::Files => ("Files", "ファイル"),
        Section::SignIns => ("Failed sign-ins and suspensions", "サインイン失敗とアカウント停止"),
        Section::Admin => ("Administrators' acts", "管理者の操作"),
        Section::Violations => ("Violations", "違反"),
    };
    language.pick(english, japanese)
}

pub(super) fn title(head: &Head, language: Language) -> String {
    let name = &head.organisation;
    language.pick(format!("Remote support at {name}"), format!("{name} 遠隔サポート報告"))
}

/// What the report is of, a line each.
pub(super) fn head(head: &Head, unread: u64, language: Language) -> Vec<String> {
    let (first, last) = head.span.clone().unwrap_or_default();
    let first =
        || language.pick(format!("the first record ({first})"), format!("最初の記録（{first}）"));
    let last = || language.pick(format!("the last record ({last})"), format!("最後の記録（{last}）"));
    let since = head.since.clone().unwrap_or_else(first);
    let until = head.until.clone().unwrap_or_else(last);
    let mut lines = vec![language.pick(
        format!("From {since} to {until}; made {}.", head.made),
        format!("期間: {since} から {until} まで。作成: {}。", head.made),
    )];
    if let Some(operator) = &head.operator {
        lines.push(language.pick(format!("Operator: {operator}"), format!("オペレータ: {operator}")));
    }
    if let Some(customer) = &head.customer {
        lines.push(language.pick(format!("Customer: {customer}"), format!("顧客: {customer}")));
    }
    if let Some(reason) = &head.reason {
        lines.push(language.pick(format!("Reason: {reason}"), format!("理由: {reason}")));
    }
    lines.push(match &head.reviewed {
        Some((admin, up_to, when)) => language.pick(
            format!("Last reviewed by {admin} on {when}, up to record {up_to}."),
            format!("最終確認: {when}、{admin}、記録 {up_to} まで。"),
        ),
        None => language.pick("Never reviewed.", "確認の記録はありません。"),
    });
    lines.push(language.pick(
        format!(
            "Counted from the ledger's {}; {unread} of them could not be read.",
            counted(head.ledger, "record")
        ),
        format!("記録 {} 件から集計しました（うち {unread} 件は読めませんでした）。", head.ledger),
    ));
    lines
}

/// Below a table: what the notes in it mean.
pub(super) fn footnotes(table: &Table, language: Language) -> Vec<String> {
    let stands =
        |word: &'static str| table.rows.iter().flatten().any(move |cell| *cell == Cell::Word(word));
    let noted = rows_of_sessions::NOTES.iter().copied().filter(|note| stands(note));
    noted.map(|note| format!("{}: {}", word(note, language), meaning(note, language))).collect()
}

fn meaning(note: &str, language: Language) -> String {
    let (english, japanese) = match note {
        "no_receipt" => (
            "neither end has told of a receipt, so that the end and its time are the server's word alone. An end that cannot reach the server yet delivers it later, for 48 hours.",
            "どちらの端末からも控えの記録が届いていません。終了とその時刻はサーバーの記録だけによります。サーバーに接続できなかった端末からは、48時間以内なら後から届きます。",
        ),
        "receipts_differ" => (
            "the two ends keep receipts that do not say the same; `audit list --session ID --event receipt_kept` shows both, and `audit show RECORD` their digests. Where the connection was lost each signs its own, and some seconds' difference is usual and not marked.",
            "両端の控えの内容が一致しません。`audit list --session ID --event receipt_kept` で両方を、`audit show 番号` で要約値を確認できます。接続が切れた場合は端末ごとに控えを作るため、数秒の差は珍しくなく、不一致とはしません。",
        ),
        "receipt_too_long" => (
            "an end tells of a receipt that is longer than any session can be. It is not counted; `audit list --session ID --event receipt_kept` shows whose it is.",
            "セッションではありえない長さの控えが端末から届いています。集計には使いません。どちらの端末のものかは `audit list --session ID --event receipt_kept` で確認できます。",
        ),
        "server_differs" => (
            "the receipts say another end than the server saw when an end told it of the end: more than five minutes apart.",
            "控えの終了時刻と、端末から通知を受けたサーバーの終了時刻が、5分より大きく異なります。",
        ),
        other => (other, other),
    };
    language.pick(english, japanese)
}

pub(super) fn nothing(language: Language) -> String {
    language.pick("None.", "ありません。")
}

/// Over the charts.
pub(super) fn charts(language: Language) -> [String; 4] {
    [
        language.pick("Sessions per period", "期間別セッション数"),
        language.pick("Sessions per operator", "オペレータ別セッション数"),
        language.pick("Sessions per mode", "モード別セッション数"),
        language.pick(
            "Failed sign-ins, suspensions, violations per period",
            "期間別のサインイン失敗・停止・違反",
        ),
    ]
}
