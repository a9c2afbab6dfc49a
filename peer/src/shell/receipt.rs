//! The receipt as a file for people: one page in Japanese and English, with the
//! signed envelope in it, and the check that the page says what was signed.
//!
//! Decides how a receipt is shown. Version 1 of the document is shown for ever as it
//! is here: a page is checked by being written again and compared byte by byte, so
//! these words are not those of [`super::texts`], which may be bettered.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tasuki_protocol::grant::Change;
use tasuki_protocol::ids::Role;
use tasuki_protocol::message::EndReason;
use tasuki_protocol::receipt::{CheckedReceipt, Ender, ReceiptPathKind};
use tasuki_protocol::rights::{Capability, Mode, Rights};

use super::fault::Fault;
use super::profile::Profile;

/// Where a profile keeps its receipts, under its state folder.
const FOLDER: &str = "receipts";
/// The most bytes of a page.
const MAX_PAGE_BYTES: u64 = 1024 * 1024;
const OPEN: &str = "<pre id=\"tasuki-receipt\" hidden>";
const CLOSE: &str = "</pre>";
const HEAD: &str = "<!doctype html>\n<html lang=\"ja\"><head><meta charset=\"utf-8\">\
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
<title>Tasuki</title><style>body{font-family:sans-serif;max-width:48em;margin:2em auto}\
table{border-collapse:collapse;width:100%}th,td{border:1px solid #999;padding:.4em;\
text-align:left;vertical-align:top;overflow-wrap:anywhere}th{width:16em}\
tr{break-inside:avoid}@page{margin:18mm}@media print{body{margin:0;max-width:none}}</style></head><body>\n\
<h1>リモートサポートの控え / Receipt of remote support</h1>\n<table>\n";

/// Writes the page into the profile; where it is.
///
/// # Errors
/// [`Fault::ReceiptRefused`] for an envelope that does not hold, [`Fault::NotKept`]
/// when the page cannot be written.
pub fn keep(profile: &Profile, envelope: &[u8]) -> Result<PathBuf, Fault> {
    let refused = |why| Fault::ReceiptRefused { file: PathBuf::from(FOLDER), why };
    let receipt = CheckedReceipt::open(envelope).map_err(|why| refused(why.to_string()))?;
    let page = page(envelope, Shown::here(receipt.receipt.began_at)).map_err(refused)?;
    let folder = Profile::at(&profile.state.join(FOLDER));
    let name = format!("{}-{}.html", receipt.receipt.began_at, receipt.receipt.session);
    folder.write(&name, page.as_bytes())?;
    Ok(folder.state.join(name))
}

/// What is signed in `file`, once the whole page is known to say just that.
///
/// # Errors
/// [`Fault::ReceiptRefused`] for any changed byte, or a file that is no receipt;
/// [`Fault::CannotRead`] when there is none.
pub fn verify(file: &Path) -> Result<CheckedReceipt, Fault> {
    let refused = |why: String| Fault::ReceiptRefused { file: file.to_owned(), why };
    let unread =
        |why: std::io::Error| Fault::CannotRead { file: file.to_owned(), why: why.to_string() };
    let mut found = Vec::new();
    let opened = std::fs::File::open(file).map_err(unread)?;
    opened.take(MAX_PAGE_BYTES).read_to_end(&mut found).map_err(unread)?;
    let found = String::from_utf8(found).map_err(|why| refused(why.to_string()))?;
    let envelope =
        envelope_in(&found).ok_or_else(|| refused("no signed receipt is in it".to_owned()))?;
    // In whose zone its times are shown is no part of what was signed; that they are the same moments is.
    if page(&envelope, Shown::in_page(&found)).map_err(refused)? != found {
        return Err(refused("it says something else than what was signed".to_owned()));
    }
    CheckedReceipt::open(&envelope).map_err(|why| refused(why.to_string()))
}

fn envelope_in(page: &str) -> Option<Vec<u8>> {
    let (_, rest) = page.split_once(OPEN)?;
    let (coded, _) = rest.split_once(CLOSE)?;
    STANDARD.decode(coded).ok()
}

fn page(envelope: &[u8], shown: Shown) -> Result<String, String> {
    let checked = CheckedReceipt::open(envelope).map_err(|why| why.to_string())?;
    let mut out = HEAD.to_owned();
    for (label, value) in lines(&checked, shown) {
        let _ = writeln!(out, "<tr><th>{label}</th><td>{}</td></tr>", escaped(&value));
    }
    let _ = write!(out, "</table>\n{OPEN}{}{CLOSE}\n</body></html>\n", STANDARD.encode(envelope));
    Ok(out)
}

fn lines(checked: &CheckedReceipt, shown: Shown) -> Vec<(&'static str, String)> {
    let CheckedReceipt { receipt, manifest, consent, changes, signed_by, .. } = checked;
    let mut lines = vec![
        ("組織 / Organisation", receipt.organisation.clone()),
        ("オペレータ / Operator", format!("{} ({})", manifest.operator_name, manifest.operator)),
        ("モード / Mode", mode(manifest.mode).to_owned()),
        ("開始 / Began", shown.moment(receipt.began_at)),
        ("時間 / Lasted", format!("{} 秒 / s", receipt.lasted_s)),
        ("許可 / Granted", names(consent.granted)),
    ];
    lines.extend(manifest.reason.clone().map(|reason| ("理由 / Reason", reason)));
    lines.extend(changes.iter().map(|change| {
        let span = if change.seconds > 0 { format!(", {} s", change.seconds) } else { String::new() };
        let after = change.after_ms / 1000;
        let what = format!("+{after} s: {}: {}{span}", changed(change.change), names(change.rights));
        ("許可の変更 / Change of rights", what)
    }));
    lines.push(("保存された画像 / Pictures kept", receipt.screenshots.len().to_string()));
    lines.push(("コピーされたファイル / Files copied", receipt.files.len().to_string()));
    lines.extend(receipt.files.iter().map(|file| {
        let to = role(file.to);
        ("ファイル / File", format!("{} ({} B, → {to}) {}", file.name, file.bytes, file.sha256))
    }));
    lines.extend(receipt.paths.iter().map(|path| {
        let ciphers = path.ciphers.join(", ");
        (
            "経路と暗号 / Path and ciphers",
            format!("+{} s: {}: {ciphers}", path.after_s, kind(path.kind)),
        )
    }));
    lines.extend(receipt.addresses.iter().map(|address| {
        let of = role(address.of);
        ("伝わったアドレス / Address disclosed", format!("{of}: {}", address.address))
    }));
    let signed: Vec<&str> = signed_by.iter().map(|end| role(*end)).collect();
    let alone =
        if signed.len() == 1 { " (相手の署名なし / the other end did not sign)" } else { "" };
    let software = format!("{} / {}", receipt.software.operator, receipt.software.agent);
    lines.extend([
        ("ソフトウェア / Software", software),
        ("ポリシーの版 / Policy version", manifest.policy_version.to_string()),
        ("終了 / Ended", format!("{} ({})", ended(receipt.reason), ender(receipt.ended_by))),
        ("省略 / Entries left out", receipt.omitted.to_string()),
        ("署名 / Signed by", format!("{}{alone}", signed.join(", "))),
        ("セッション / Session", receipt.session.to_string()),
    ]);
    lines
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Operator => "オペレータ / operator",
        Role::Agent => "利用者 / end user",
    }
}

fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Manage => "管理 / Manage",
        Mode::Control => "操作 / Control",
        Mode::View => "閲覧 / View",
        Mode::Share => "共同操作 / Share",
        Mode::Show => "提示 / Show",
    }
}

fn names(rights: Rights) -> String {
    let names: Vec<&str> = rights.iter().map(right).collect();
    if names.is_empty() { "なし / none".to_owned() } else { names.join(", ") }
}

fn right(right: Capability) -> &'static str {
    match right {
        Capability::SeeScreen => "画面を見る / see the screen",
        Capability::Operate => "マウスとキーボードの操作 / operate mouse and keyboard",
        Capability::ChooseScreen => "画面を選ぶ / choose the screen",
        Capability::FetchFiles => "ファイルを取り出す / fetch files",
        Capability::SendFiles => "ファイルを送る / send files",
        Capability::ReadClipboard => "クリップボードを読む / read the clipboard",
        Capability::WriteClipboard => "クリップボードに書く / write the clipboard",
        Capability::Screenshot => "画像の保存 / keep pictures",
        Capability::Record => "録画 / record",
        Capability::Chat => "チャット / chat",
        Capability::Point => "指し示す / point",
        Capability::Reconnect => "再接続 / reconnect",
    }
}

fn kind(kind: ReceiptPathKind) -> &'static str {
    match kind {
        ReceiptPathKind::Direct => "直接 / direct",
        ReceiptPathKind::Relayed => "中継 / relayed",
    }
}

fn ender(ender: Ender) -> &'static str {
    match ender {
        Ender::Operator => role(Role::Operator),
        Ender::Agent => role(Role::Agent),
        Ender::Server => "サーバー / server",
        Ender::Nobody => "-",
    }
}

fn changed(change: Change) -> &'static str {
    match change {
        Change::Granted => "許可 / granted",
        Change::Refused => "拒否 / refused",
        Change::Silent => "回答なし / not answered",
        Change::TakenAway => "取り消し / taken away",
        Change::GivenBack => "戻した / given back",
    }
}

fn ended(reason: EndReason) -> &'static str {
    match reason {
        EndReason::OperatorEnded => "オペレータが終了 / the operator ended it",
        EndReason::UserEnded => "利用者が終了 / the end user ended it",
        EndReason::UserRefused => "利用者が拒否 / the end user refused",
        EndReason::NobodyAnswered => "回答なし / nobody answered",
        EndReason::TimeOver => "時間切れ / its time was over",
        EndReason::ConnectionLost => "接続が途切れた / the connection was lost",
        EndReason::Violation => "規則違反 / the other side broke the rules",
        EndReason::ScreenLost => "デスクトップの終了 / the shared desktop ended",
        EndReason::ManifestRefused => "許可証の不備 / the permission did not hold",
        EndReason::ProgramEnded => "プログラムの停止 / the program was stopped",
        EndReason::NotContinued => "続行の回答なし / nobody said that it shall go on",
        EndReason::ServerRefused => "サーバーの拒否 / the server refused",
        EndReason::Withdrawn => "組織が終了 / the organisation ended it",
    }
}

/// In which time a page shows its moments, beside UTC: so many minutes ahead of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shown(i64);

impl Shown {
    /// As this computer's clocks stood at that moment.
    fn here(seconds: u64) -> Self {
        let at = i64::try_from(seconds).ok().and_then(|at| Timestamp::from_second(at).ok());
        let offset = at.map(|at| TimeZone::system().to_offset(at).seconds());
        Self(i64::from(offset.unwrap_or(0)).div_euclid(60))
    }

    /// As a page says it of itself; one that says nothing shows UTC alone.
    fn in_page(page: &str) -> Self {
        let minutes = || {
            let (_, began) = page.split_once("<th>開始 / Began</th><td>")?;
            let (began, _) = began.split_once("</td>")?;
            let (_, offset) = began.strip_suffix(')')?.rsplit_once(' ')?;
            let (sign, clock) = offset.split_at_checked(1)?;
            let (hours, minutes) = clock.split_once(':')?;
            let minutes = hours.parse::<u8>().ok()? as i64 * 60 + minutes.parse::<u8>().ok()? as i64;
            Some(if sign == "-" { -minutes } else { minutes })
        };
        Self(minutes().filter(|minutes| minutes.abs() < 24 * 60).unwrap_or(0))
    }

    fn moment(self, seconds: u64) -> String {
        let utc = utc(seconds);
        let Some(here) = seconds.checked_add_signed(self.0 * 60).filter(|_| self.0 != 0) else {
            return utc;
        };
        let (sign, minutes) = (if self.0 < 0 { '-' } else { '+' }, self.0.abs());
        let here = date_and_time(here);
        format!("{utc} ({here} {sign}{:02}:{:02})", minutes / 60, minutes % 60)
    }
}

fn utc(seconds: u64) -> String {
    format!("{} UTC", date_and_time(seconds))
}

/// Seconds since 1970.
fn date_and_time(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Civil calendar in years that begin in March, so that a leap day is a year's last.
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest % 3600 / 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// Another's words as text, never as markup, and without what turns letters around (T66).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' => {
                out.push(' ')
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s97_a_moment_is_shown_as_people_write_it() {
        assert_eq!(utc(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(utc(951_782_399), "2000-02-28 23:59:59 UTC");
        assert_eq!(utc(951_782_400), "2000-02-29 00:00:00 UTC");
        assert_eq!(utc(1_767_225_599), "2025-12-31 23:59:59 UTC");
    }

    #[test]
    fn s97_a_moment_stands_in_this_computers_time_beside_utc_and_a_page_says_in_which() {
        for (minutes, expected) in [
            (0, "2026-11-27 15:26:44 UTC"),
            (9 * 60, "2026-11-27 15:26:44 UTC (2026-11-28 00:26:44 +09:00)"),
            (-210, "2026-11-27 15:26:44 UTC (2026-11-27 11:56:44 -03:30)"),
        ] {
            let moment = Shown(minutes).moment(1_795_793_204);
            assert_eq!(moment, expected);
            let page = format!("<tr><th>開始 / Began</th><td>{moment}</td></tr>");
            assert_eq!(Shown::in_page(&page), Shown(minutes));
        }
        for strange in ["", "x (y +99:99)", "x (y +é:00)", "x (+)"] {
            let page = format!("<th>開始 / Began</th><td>{strange}</td>");
            assert_eq!(Shown::in_page(&page), Shown(0), "{strange}");
        }
    }

    #[test]
    fn t66_anothers_words_are_no_markup_and_turn_no_letters() {
        let shown = escaped("<script>\u{202e}\u{200b}\n\"&");
        assert_eq!(shown, "&lt;script&gt;   &quot;&amp;");
    }
}
