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
use tasuki_protocol::ids::Role;
use tasuki_protocol::receipt::CheckedReceipt;
use tasuki_protocol::rights::Rights;

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
text-align:left;vertical-align:top;overflow-wrap:anywhere}th{width:16em}</style></head><body>\n\
<h1>リモートサポートの控え / Receipt of remote support</h1>\n<table>\n";

/// Writes the page into the profile; where it is.
///
/// # Errors
/// [`Fault::ReceiptRefused`] for an envelope that does not hold, [`Fault::Profile`]
/// when the page cannot be written.
pub fn keep(profile: &Profile, envelope: &[u8]) -> Result<PathBuf, Fault> {
    let page =
        page(envelope).map_err(|why| Fault::ReceiptRefused { file: PathBuf::from(FOLDER), why })?;
    let folder = Profile::at(&profile.state.join(FOLDER));
    let receipt = CheckedReceipt::open(envelope)
        .map_err(|why| Fault::ReceiptRefused { file: PathBuf::from(FOLDER), why: why.to_string() })?;
    let name = format!("{}-{}.html", receipt.receipt.began_at, receipt.receipt.session);
    folder.write(&name, page.as_bytes())?;
    Ok(folder.state.join(name))
}

/// What is signed in `file`, once the whole page is known to say just that.
///
/// # Errors
/// [`Fault::ReceiptRefused`] for any changed byte, or a file that is no receipt.
pub fn verify(file: &Path) -> Result<CheckedReceipt, Fault> {
    let refused = |why: String| Fault::ReceiptRefused { file: file.to_owned(), why };
    let mut found = String::new();
    let opened = std::fs::File::open(file).map_err(|why| refused(why.to_string()))?;
    opened.take(MAX_PAGE_BYTES).read_to_string(&mut found).map_err(|why| refused(why.to_string()))?;
    let envelope =
        envelope_in(&found).ok_or_else(|| refused("no signed receipt is in it".to_owned()))?;
    if page(&envelope).map_err(refused)? != found {
        return Err(refused("it says something else than what was signed".to_owned()));
    }
    CheckedReceipt::open(&envelope).map_err(|why| refused(why.to_string()))
}

fn envelope_in(page: &str) -> Option<Vec<u8>> {
    let (_, rest) = page.split_once(OPEN)?;
    let (coded, _) = rest.split_once(CLOSE)?;
    STANDARD.decode(coded).ok()
}

fn page(envelope: &[u8]) -> Result<String, String> {
    let checked = CheckedReceipt::open(envelope).map_err(|why| why.to_string())?;
    let mut out = HEAD.to_owned();
    for (label, value) in lines(&checked) {
        let _ = writeln!(out, "<tr><th>{label}</th><td>{}</td></tr>", escaped(&value));
    }
    let _ = write!(out, "</table>\n{OPEN}{}{CLOSE}\n</body></html>\n", STANDARD.encode(envelope));
    Ok(out)
}

fn lines(checked: &CheckedReceipt) -> Vec<(&'static str, String)> {
    let CheckedReceipt { receipt, manifest, consent, changes, signed_by, .. } = checked;
    let mut lines = vec![
        ("組織 / Organisation", receipt.organisation.clone()),
        ("オペレータ / Operator", format!("{} ({})", manifest.operator_name, manifest.operator)),
        ("モード / Mode", manifest.mode.to_string()),
        ("開始 / Began (Unix s)", receipt.began_at.to_string()),
        ("時間 / Lasted", format!("{} s", receipt.lasted_s)),
        ("許可 / Granted", names(consent.granted)),
    ];
    lines.extend(changes.iter().map(|change| {
        let span = if change.seconds > 0 { format!(", {} s", change.seconds) } else { String::new() };
        let after = change.after_ms / 1000;
        let what = format!("+{after} s: {:?}: {}{span}", change.change, names(change.rights));
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
        ("経路と暗号 / Path and ciphers", format!("+{} s: {:?}: {ciphers}", path.after_s, path.kind))
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
        ("終了 / Ended", format!("{:?} ({:?})", receipt.reason, receipt.ended_by)),
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

/// As they stand in the signed documents.
fn names(rights: Rights) -> String {
    let names: Vec<String> = rights.iter().map(|right| format!("{right:?}")).collect();
    if names.is_empty() { "-".to_owned() } else { names.join(", ") }
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
