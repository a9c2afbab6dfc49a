//! Records in a person's words, in English and Japanese.

use serde_json::Value;
use tasuki_protocol::ledger::event::{Event, Witness};
use tasuki_protocol::ledger::record::RowRefused;

use super::filter::kind;
use super::record::{Body, Record};
use super::times::Zone;
use super::{field_words, neutral};
use crate::texts::Language;

/// What nobody reads in a list, and `audit show` has.
const LEFT_TO_SHOW: [&str; 4] = ["data_cipher", "media_cipher", "shown", "sha256"];
/// Keys and digests are cut to as many digits as `device list` shows of them.
const SHORT: usize = 12;

/// What happened, in one line of a list that a terminal may show.
pub fn line(record: &Record, language: Language, zone: &Zone) -> String {
    match &record.body {
        Body::Entry(entry) => {
            let kept =
                fields(&entry.event, language, zone).into_iter().filter_map(|(name, shown, text)| {
                    (!LEFT_TO_SHOW.contains(&name.as_str())).then(|| (name, shown, short(&text)))
                });
            let details = joined(&kind(&entry.event), kept);
            let title = title(&entry.event, language);
            if details.is_empty() { title } else { format!("{title}: {details}") }
        }
        Body::Closed(_, refused) => closed(*refused, language),
        Body::Pruned => language.pick("(pruned)", "（削除済み）"),
    }
}

fn closed(refused: RowRefused, language: Language) -> String {
    match refused {
        RowRefused::OtherKey => language.pick("(sealed to another log key)", "（別の記録鍵で封印）"),
        RowRefused::Altered => language.pick("(ALTERED)", "（改ざんあり）"),
        RowRefused::Malformed => language.pick("(of a newer version)", "（新しい版の記録）"),
        RowRefused::TooLarge => language.pick("(too large)", "（大きすぎる記録）"),
    }
}

/// The fields of an event, each as `name=value`; names and words of ours in the reader's language.
pub fn details(event: &Event, language: Language, zone: &Zone) -> String {
    joined(&kind(event), fields(event, language, zone).into_iter())
}

fn joined(kind: &str, fields: impl Iterator<Item = (String, String, String)>) -> String {
    let shown = fields.map(|(name, shown, text)| {
        // What was done needs no heading.
        let is_bare = kind == "admin_did" && name == "action";
        if is_bare { text } else { format!("{shown}={}", quoted(text)) }
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// Without the digits of a key or a digest that only programs compare, alone or in what an act tells.
fn short(text: &str) -> String {
    let part = |part: &str| {
        let (name, value) = part.split_at(part.find('=').map_or(0, |at| at + 1));
        let is_long = value.len() >= 32 && value.chars().all(|c| c.is_ascii_hexdigit());
        let cut = || value.chars().take(SHORT).collect::<String>() + "...";
        if is_long { format!("{name}{}", cut()) } else { part.to_owned() }
    };
    text.split(", ").map(part).collect::<Vec<_>>().join(", ")
}

/// What stands in an event: each field's own name, its name for the reader, and its value for him. What is empty is not
/// there.
pub fn fields(event: &Event, language: Language, zone: &Zone) -> Vec<(String, String, String)> {
    let value = serde_json::to_value(event).unwrap_or_default();
    let Some(fields) = value.as_object() else { return Vec::new() };
    let kind = kind(event);
    let told = fields.iter().filter(|(name, _)| *name != "type").filter_map(|(name, value)| {
        let text = shown(&kind, name, value, language, zone);
        let known = language.pick(field_words::english(&kind, name), field_words::name(&kind, name));
        (!text.is_empty()).then(|| (name.clone(), known, neutral::line(&text)))
    });
    told.collect()
}

fn shown(kind: &str, name: &str, value: &Value, language: Language, zone: &Zone) -> String {
    let word = |word: &str| {
        if (kind, name) == ("admin_did", "detail") {
            let word = dated(word, zone);
            return language.pick(word.as_str(), field_words::detail(&word));
        }
        if (kind, name, language) == ("admin_did", "target", Language::Ja)
            && let Some(version) = word.strip_prefix("version ")
        {
            return format!("第{version}版");
        }
        let own = field_words::value(kind, name, word).filter(|_| language == Language::Ja);
        own.unwrap_or(word).to_owned()
    };
    if let (Some(seconds), "until" | "backup_at") = (value.as_u64(), name) {
        return zone.moment(seconds.saturating_mul(1000));
    }
    let list = value.as_array().filter(|all| all.iter().all(Value::is_string));
    match (value.as_str(), list) {
        (Some(text), _) if (kind, name) == ("admin_did", "action") => {
            language.pick(text.replace('_', " "), word(text))
        }
        (Some(text), _) => word(text),
        (None, Some(all)) => {
            let all: Vec<String> = all.iter().filter_map(Value::as_str).map(word).collect();
            all.join(",")
        }
        (None, None) => value.to_string(),
    }
}

/// A certificate's end stands there in seconds since 1970.
fn dated(detail: &str, zone: &Zone) -> String {
    let part = |part: &str| {
        let seconds = part.strip_prefix("until=").and_then(|seconds| seconds.parse::<u64>().ok());
        let day = |seconds: u64| zone.show(seconds.saturating_mul(1000), "until=%Y-%m-%d");
        seconds.map_or_else(|| part.to_owned(), day)
    };
    detail.split(", ").map(part).collect::<Vec<_>>().join(", ")
}

/// What could be taken for more than one field stands in quotation marks.
fn quoted(text: String) -> String {
    let is_plain = !text.contains(|c: char| c.is_whitespace() || matches!(c, '=' | '"'));
    if is_plain { text } else { format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")) }
}

/// What an event is called.
pub fn title(event: &Event, language: Language) -> String {
    if matches!(event, Event::PairingRefused { why, .. } if why.is_violation()) {
        return language.pick("REFUSED AT THE DOOR", "接続前に不正を検出");
    }
    if matches!(event, Event::Missed { of: Some(_), .. }) {
        return language.pick("More of the same, counted", "同種の出来事（件数のみ）");
    }
    if matches!(event, Event::AdminRefused { to_confirm: true, .. }) {
        return language.pick("Administrator asked to confirm", "管理者に本人確認を要求");
    }
    title_of(&kind(event), language)
}

/// What events of a name are called.
pub fn title_of(kind: &str, language: Language) -> String {
    let known = TITLES.iter().find(|(name, ..)| *name == kind);
    known.map_or_else(|| kind.to_owned(), |(_, english, japanese)| language.pick(*english, *japanese))
}

const TITLES: [(&str, &str, &str); 48] = [
    ("server_started", "Server started", "サーバー起動"),
    ("server_stopped", "Server stopped", "サーバー停止"),
    ("clock_stepped", "Clock changed", "時計の変更"),
    ("restored", "Restored from a backup", "バックアップから復元"),
    ("missed", "EVENTS NOT WRITTEN", "記録できなかった出来事"),
    ("logged_in", "Signed in", "サインイン"),
    ("login_failed", "Sign-in failed", "サインイン失敗"),
    ("locked_out", "SUSPENDED", "アカウント停止"),
    ("logged_out", "Signed out", "サインアウト"),
    ("device_enrolled", "Device asked for", "端末の登録申請"),
    ("password_changed", "Password changed", "パスワードの変更"),
    ("admin_did", "Administrator", "管理者の操作"),
    ("admin_refused", "Administrator refused", "管理操作を拒否"),
    ("ledger_read", "Ledger read", "記録の閲覧"),
    ("reviewed", "Ledger reviewed", "記録の確認"),
    ("pruned", "Ledger pruned", "記録の削除"),
    ("restore_acknowledged", "Restore acknowledged", "復元を承認"),
    ("room_opened", "Number opened", "番号発行"),
    ("pairing_tried", "Number tried", "番号入力"),
    ("pairing_failed", "Pairing failed", "接続確認失敗"),
    ("pairing_refused", "Refused at the door", "接続前に拒否"),
    ("too_many_guesses", "TOO MANY TRIES", "試行回数超過"),
    ("paired", "Paired", "接続確立"),
    ("request_refused", "Request refused", "要求を拒否"),
    ("session_closed", "Session closed", "セッション終了"),
    ("session_taken_up", "Session taken up again", "セッション再開"),
    ("consent_asked", "Consent asked", "同意の確認"),
    ("consent_answered", "Consent answered", "同意の回答"),
    ("right_asked", "Right asked", "権限の要求"),
    ("right_granted", "Right granted", "権限の付与"),
    ("right_revoked", "Right revoked", "権限の取り消し"),
    ("mode_changed", "Mode changed", "モード変更"),
    ("refused", "Refused", "拒否"),
    ("violation", "VIOLATION", "違反"),
    ("transcript_mismatch", "SERVER ALTERED WHAT PASSED", "通信内容の改変を検出"),
    ("screenshot_taken", "Screenshot", "画面保存"),
    ("file_moved", "File", "ファイル"),
    ("clipboard_moved", "Clipboard", "クリップボード"),
    ("chat_line", "Chat", "チャット"),
    ("customer", "Customer", "顧客"),
    ("note", "Note", "メモ"),
    ("recording_started", "Recording started", "録画開始"),
    ("recording_stopped", "Recording stopped", "録画停止"),
    ("connected", "Connected", "通信経路"),
    ("disconnected", "Path lost", "通信経路の切断"),
    ("receipt_kept", "Receipt", "控え"),
    ("ledger_rolled_back", "LEDGER OLDER THAN SEEN", "以前より古い記録を検出"),
    ("ended", "Session ended", "セッション終了（端末側）"),
];

/// Who saw it happen.
pub fn witness(by: Witness, language: Language) -> String {
    match by {
        Witness::Server => language.pick("server", "サーバー"),
        Witness::Operator => language.pick("operator", "オペレータ"),
        Witness::Agent => language.pick("agent", "エージェント"),
    }
}

/// A record as scripts read it.
pub fn json(record: &Record, zone: &Zone) -> Value {
    let mut value = match &record.body {
        Body::Entry(entry) => serde_json::to_value(entry).unwrap_or_default(),
        Body::Closed(class, refused) => {
            serde_json::json!({ "class": class.name(), "closed": refused.to_string() })
        }
        Body::Pruned => serde_json::json!({ "pruned": true }),
    };
    if let Some(fields) = value.as_object_mut() {
        fields.insert("seq".to_owned(), record.seq.into());
        if !matches!(record.body, Body::Pruned) {
            fields.insert("at".to_owned(), record.at.into());
            fields.insert("time".to_owned(), zone.moment(record.at).into());
        }
        if let Body::Entry(entry) = &record.body {
            fields.insert("class".to_owned(), entry.event.class().name().into());
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use tasuki_protocol::ledger::words::AdminAction;

    use super::super::filter::kinds;
    use super::*;

    #[test]
    fn s100_every_event_has_a_title_in_both_languages() {
        let named: Vec<&str> = TITLES.iter().map(|(name, ..)| *name).collect();
        let untold: Vec<String> =
            kinds().into_iter().filter(|kind| !named.contains(&kind.as_str())).collect();
        assert!(untold.is_empty() && named.len() == kinds().len(), "{untold:?}");
        for (name, ..) in TITLES {
            assert_ne!(title_of(name, Language::En), title_of(name, Language::Ja), "{name}");
        }
    }

    /// S56, S100: a certificate's end is a day and no count of seconds, and a policy's version has a word.
    #[test]
    fn s56_s100_what_an_act_made_is_told_in_days_and_in_the_readers_words() {
        let did = |action, target: &str, detail: &str| {
            let (admin, target, detail) = ("taro".to_owned(), target.to_owned(), detail.to_owned());
            Event::AdminDid { admin, action, target, detail }
        };
        let zone = Zone::named(Some("UTC")).unwrap();
        let approved =
            did(AdminAction::DeviceApproved, "yuki", "device=ab, modes=view, until=1803586317, name=Y");
        let published = did(AdminAction::PolicyPublished, "version 3", "default");
        for (language, end, version) in [
            (Language::En, "until=2027-02-25", "\"version 3\""),
            (Language::Ja, "期限=2027-02-25", "第3版"),
        ] {
            let [approved, published] =
                [&approved, &published].map(|event| details(event, language, &zone));
            assert!(approved.contains(end) && approved.contains("=Y"), "{approved}");
            assert!(published.contains(version), "{published}");
        }
    }
}
