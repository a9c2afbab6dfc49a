//! Fields of records and their words, in Japanese. What people wrote stays as they wrote it.

/// What a field of such an event is called.
pub(crate) fn name<'a>(event: &str, field: &'a str) -> &'a str {
    let own: &[(&str, &str)] = match event {
        "ledger_read" => &[("from", "開始"), ("to", "終了")],
        "restore_acknowledged" => &[("from", "復元前に確認済みの件数"), ("to", "承認時の件数")],
        "restored" => &[("size", "バックアップの件数")],
        "connected" | "disconnected" => &[("path", "経路")],
        "admin_refused" => &[("path", "要求先"), ("to_confirm", "本人確認の要求")],
        "customer" => &[("name", "名前")],
        _ => &[],
    };
    let mut known = own.iter().chain(NAMES);
    known.find(|(own, _)| *own == field).map_or(field, |(_, japanese)| japanese)
}

/// What a field is called in English, where its own name would be taken for something else.
pub(crate) fn english<'a>(event: &str, field: &'a str) -> &'a str {
    match (event, field) {
        ("restore_acknowledged", "from") => "seen_before",
        ("restore_acknowledged", "to") => "goes_on_from",
        ("restored", "size") => "records_in_backup",
        (_, own) => own,
    }
}

/// A word of ours as the value of such a field; `None` for what somebody wrote.
pub(crate) fn value(event: &str, field: &str, word: &str) -> Option<&'static str> {
    let known: &[(&str, &str)] = match (event, field) {
        (_, "action") => ACTIONS,
        ("login_failed" | "logged_out", "why") | (_, "who") => SIGN_INS,
        ("pairing_refused", "why") => OBJECTIONS,
        (_, "purpose") => PURPOSES,
        (_, "direction") => &[("to_operator", "オペレータへ"), ("to_user", "顧客へ")],
        (_, "by" | "signed_by") => {
            &[("server", "サーバー"), ("operator", "オペレータ側"), ("agent", "顧客側")]
        }
        (_, "answer") => &[("accepted", "同意"), ("refused", "拒否"), ("silent", "回答なし")],
        (_, "verdict") => VERDICTS,
        (_, "overwrote") => &[("nothing", "なし"), ("announced", "予告どおり")],
        (_, "mode") => MODES,
        ("missed", "of") => REPEATED,
        (_, "right" | "granted") => RIGHTS,
        ("request_refused" | "session_closed" | "ended", "reason") => ENDS,
        ("connected" | "disconnected", "path") => &[("direct", "直接"), ("relayed", "中継")],
        _ => &[],
    };
    known.iter().find(|(own, _)| *own == word).map(|(_, japanese)| *japanese)
}

/// What an administrator's act says beside whom it concerned: words, and `name=value`, with `, ` between them.
pub(super) fn detail(text: &str) -> String {
    let known = |words: &[(&str, &'static str)], word: &str| {
        words.iter().find(|(own, _)| *own == word).map(|(_, japanese)| *japanese)
    };
    let part = |part: &str| {
        let Some((name, value)) = part.split_once('=') else {
            return known(DETAILS, part).unwrap_or(part).to_owned();
        };
        let words: &[(&str, &str)] = match name {
            "modes" => MODES,
            "without" => RIGHTS,
            "new" | "dropped" | "prepared" => KEYS,
            // A section of a policy, with the rules that are others in it.
            "default" => RULES,
            _ if name.starts_with("operator.") || name.starts_with("group.") => RULES,
            _ => &[],
        };
        let rules = if words == RULES { RIGHTS } else { &[] };
        let word = |word| known(words, word).or_else(|| known(rules, word)).unwrap_or(word);
        let value: Vec<&str> = value.split(' ').map(word).collect();
        format!("{}={}", known(DETAILS, name).unwrap_or(name), value.join(" "))
    };
    text.split(", ").map(part).collect::<Vec<_>>().join(", ")
}

const DETAILS: &[(&str, &str)] = &[
    ("added", "作成"),
    ("removed", "削除"),
    ("joined", "参加"),
    ("left", "脱退"),
    ("lifted", "制限なし"),
    ("addresses", "アドレス"),
    ("macs", "MAC アドレス"),
    ("hours", "時間帯"),
    ("modes", "モード"),
    ("name", "表示名"),
    ("device", "端末"),
    ("bundle", "構成ファイルの版"),
    ("without", "許可しない権限"),
    ("until", "期限"),
    ("from", "接続元"),
    ("first", "最初の版"),
    ("renewed", "期限の更新"),
    ("address", "組織名・アドレスの変更"),
    ("new", "新しい鍵"),
    ("dropped", "廃止した鍵"),
    ("prepared", "用意した鍵"),
];
const KEYS: &[(&str, &str)] = &[
    ("root", "ルート"),
    ("server", "サーバー"),
    ("manifest", "許可証"),
    ("checkpoint", "チェックポイント"),
    ("lock", "ロック"),
    ("log", "記録"),
];

const NAMES: &[(&str, &str)] = &[
    ("account", "アカウント"),
    ("action", "操作"),
    ("admin", "管理者"),
    ("agent", "顧客側の鍵"),
    ("agent_version", "顧客側の版"),
    ("answer", "回答"),
    ("attempt", "回数"),
    ("backup_at", "バックアップの時刻"),
    ("before", "これより前"),
    ("by", "行った側"),
    ("by_ms", "変化（ミリ秒）"),
    ("count", "件数"),
    ("data_cipher", "データの暗号"),
    ("detail", "詳細"),
    ("device", "端末"),
    ("direction", "方向"),
    ("disclosed", "伝えたアドレス"),
    ("found", "現在の件数"),
    ("from", "接続元"),
    ("granted", "許可"),
    ("kind", "種類"),
    ("lasted_s", "長さ（秒）"),
    ("line", "内容"),
    ("mac", "MAC アドレス"),
    ("media_cipher", "映像の暗号"),
    ("mode", "モード"),
    ("name", "ファイル"),
    ("note", "メモ"),
    ("of", "種類"),
    ("operator_version", "オペレータ側の版"),
    ("overwrote", "上書き"),
    ("own_version", "この側の版"),
    ("path", "パス"),
    ("peer_version", "相手側の版"),
    ("policy", "ポリシー"),
    ("purpose", "目的"),
    ("reason", "理由"),
    ("right", "権限"),
    ("seconds", "長さ（秒）"),
    ("seen", "確認済みの件数"),
    ("sha256", "SHA-256"),
    ("shown", "表示内容の SHA-256"),
    ("signed_by", "署名"),
    ("size", "サイズ"),
    ("target", "対象"),
    ("text", "内容"),
    ("to", "まで"),
    ("until", "期限"),
    ("up_to", "まで"),
    ("verdict", "結果"),
    ("version", "版"),
    ("who", "対象"),
    ("why", "理由"),
];

const MODES: &[(&str, &str)] =
    &[("manage", "管理"), ("control", "操作"), ("view", "閲覧"), ("share", "共有"), ("show", "表示")];
const RIGHTS: &[(&str, &str)] = &[
    ("see_screen", "画面を見る"),
    ("operate", "操作"),
    ("choose_screen", "画面の選択"),
    ("fetch_files", "ファイルの取得"),
    ("send_files", "ファイルの送信"),
    ("read_clipboard", "クリップボードの読み取り"),
    ("write_clipboard", "クリップボードへの書き込み"),
    ("screenshot", "画像の保存"),
    ("record", "録画"),
    ("chat", "チャット"),
    ("point", "ポインター"),
    ("reconnect", "再起動後の再接続"),
];
/// Of a policy, beside the rights.
const RULES: &[(&str, &str)] = &[
    ("base", "既定の組"),
    ("modes", "モード"),
    ("hours", "時間帯"),
    ("recording", "録画"),
    ("application_selection", "アプリケーションの選択"),
    ("address_disclosure", "アドレスの開示"),
    ("max_minutes", "最長時間"),
    ("reason", "理由"),
    ("time_zone", "タイムゾーン"),
];
/// Of which an end counts what it does not write.
const REPEATED: &[(&str, &str)] = &[
    ("refusals", "拒否"),
    ("screenshots", "画面保存"),
    ("violations", "違反"),
    ("questions", "権限の要求"),
    ("changes", "権限の変更"),
    ("paths", "通信経路の変化"),
];
/// Why the server refused or closed something, and why a session ended.
const ENDS: &[(&str, &str)] = &[
    ("number", "番号の誤り"),
    ("slow_down", "試行が多すぎる"),
    ("mode", "許可されないモード"),
    ("hours", "許可された時間の外"),
    ("reason", "理由が必要"),
    ("sign_in", "サインインの終了"),
    ("confirm", "本人確認が必要"),
    ("session", "不明なセッション"),
    ("unavailable", "サーバー利用不可"),
    ("message", "想定外の要求"),
    ("expired", "番号の期限切れ"),
    ("too_many_attempts", "番号の誤りによる失効"),
    ("other_end", "相手側が終了"),
    ("withdrawn", "組織側で終了"),
    ("lost", "相手側の不在"),
    ("time_over", "時間切れ"),
    ("operator_ended", "オペレータが終了"),
    ("user_ended", "顧客が終了"),
    ("user_refused", "顧客が拒否"),
    ("nobody_answered", "回答なし"),
    ("connection_lost", "接続の切断"),
    ("violation", "規則違反"),
    ("screen_lost", "画面を取得できない"),
    ("manifest_refused", "許可証の不備"),
    ("program_ended", "プログラムの終了"),
    ("not_continued", "続行の回答なし"),
    ("server_refused", "サーバーが拒否"),
];
const ACTIONS: &[(&str, &str)] = &[
    ("admin_invited", "管理者を招待"),
    ("admin_enrolled", "管理者を登録"),
    ("admin_enabled", "管理者を再開"),
    ("admin_disabled", "管理者を停止"),
    ("admin_removed", "管理者を削除"),
    ("admin_unlocked", "管理者のロックを解除"),
    ("admin_limited", "管理者のサインインできる範囲を変更"),
    ("recovery_token_made", "回復トークンを作成"),
    ("admin_recovered", "管理者が復帰"),
    ("backup_made", "バックアップを作成"),
    ("logged_in", "サインイン"),
    ("logged_out", "サインアウト"),
    ("operator_added", "オペレータを追加"),
    ("operator_enabled", "オペレータを再開"),
    ("operator_disabled", "オペレータを停止"),
    ("operator_removed", "オペレータを削除"),
    ("operator_unlocked", "オペレータのロックを解除"),
    ("operator_changed", "オペレータの制限・表示名・モードを変更"),
    ("password_reset", "オペレータのパスワードを再設定"),
    ("password_changed", "自分のパスワードを変更"),
    ("invitation_withdrawn", "管理者の招待を取り消し"),
    ("authenticator_forgotten", "認証アプリの登録を取り消し"),
    ("code_issued", "登録コードを発行"),
    ("device_approved", "端末を承認"),
    ("device_revoked", "端末を失効"),
    ("group_changed", "グループを変更"),
    ("policy_published", "ポリシーを公開"),
    ("session_ended", "セッションを強制終了"),
    ("bundle_published", "構成ファイルを公開"),
    ("key_rotated", "鍵を用意"),
    ("recording_fetched", "録画を取得"),
];
const SIGN_INS: &[(&str, &str)] = &[
    ("unknown_account", "不明なアカウント"),
    ("password", "パスワードの誤り"),
    ("second_factor", "認証アプリの数字の誤り"),
    ("device", "端末が違う"),
    ("enrolment_code", "登録コードの誤り"),
    ("locked", "停止中"),
    ("disabled", "無効なアカウント"),
    ("place", "許可されない場所"),
    ("hours", "許可されない時間"),
    ("limits", "読み取れない制限"),
    ("this_device", "この端末"),
    ("unknown_devices", "未登録の端末"),
    ("asked", "本人の操作"),
    ("expired", "期限切れ"),
    ("revoked", "失効"),
];
/// Why an end turned away before the two were paired.
const OBJECTIONS: &[(&str, &str)] = &[
    ("transcript_mismatch", "通信内容の改変"),
    ("manifest_forged", "許可証の署名の不備"),
    ("manifest_version", "許可証の版の違い"),
    ("manifest_certificate", "オペレータの証明書の不備"),
    ("manifest_not_certified", "許可証が証明書の範囲を超える"),
    ("manifest_binding", "別の相手の許可証"),
    ("manifest_name", "許可証の名前の不備"),
    ("manifest_times", "許可証の時刻の不備"),
    ("manifest_too_wide", "許可証がモードの範囲を超える"),
    ("manifest_demand", "対応しない条件の要求"),
    ("manifest_local", "このコンピュータの上限"),
];
const PURPOSES: &[(&str, &str)] = &[
    ("list", "一覧"),
    ("show", "表示"),
    ("search", "検索"),
    ("verify", "検証"),
    ("export", "書き出し"),
    ("report", "報告"),
];
const VERDICTS: &[(&str, &str)] = &[
    ("delivered", "完了"),
    ("refused_by_user", "顧客が拒否"),
    ("refused_by_rule", "規則により拒否"),
    ("vetoed", "検査で拒否"),
    ("failed", "失敗"),
    ("cancelled", "中止"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde::de::IntoDeserializer as _;
    use serde::de::value::{Error, StrDeserializer};
    use tasuki_protocol::consent::Answer;
    use tasuki_protocol::ledger::event::Event;
    use tasuki_protocol::ledger::words::{
        AdminAction, Direction, FileVerdict, LockedOut, LoginFailure, LogoutCause, Overwrote,
        ReadPurpose, Witness,
    };
    use tasuki_protocol::message::EndReason;
    use tasuki_protocol::objection::Objection;
    use tasuki_protocol::rights::{Capability, Mode};
    use tasuki_protocol::signal::CloseReason;

    /// Of the names that a type of the ledger knows, none is without a word.
    fn has_words<'de, T: Deserialize<'de> + std::fmt::Debug>(event: &str, field: &str) {
        let nothing: StrDeserializer<'_, Error> = "?".into_deserializer();
        let known = T::deserialize(nothing).unwrap_err().to_string();
        let names: Vec<&str> = known.split('`').skip(3).step_by(2).collect();
        assert!(names.len() > 1, "{known}");
        for name in names {
            assert!(value(event, field, name).is_some(), "{field}={name}");
        }
    }

    #[test]
    fn s56_s100_what_an_act_tells_beside_its_target_has_japanese_words() {
        for (told, japanese) in [
            ("joined", "参加"),
            ("modes=view control, name=Yuki, of Tokyo", "モード=閲覧 操作, 表示名=Yuki, of Tokyo"),
            (
                "addresses=192.0.2.0/24, hours=mon 09:00-18:00 Asia/Tokyo",
                "アドレス=192.0.2.0/24, 時間帯=mon 09:00-18:00 Asia/Tokyo",
            ),
            ("new=lock, dropped=log", "新しい鍵=ロック, 廃止した鍵=記録"),
            ("operator.hanako, default", "operator.hanako, default"),
            (
                "operator.hanako=chat hours, default=max_minutes",
                "operator.hanako=チャット 時間帯, default=最長時間",
            ),
        ] {
            assert_eq!(detail(told), japanese);
        }
    }

    #[test]
    fn s100_every_word_of_ours_in_a_record_has_a_japanese_one() {
        has_words::<AdminAction>("admin_did", "action");
        has_words::<LoginFailure>("login_failed", "why");
        has_words::<LogoutCause>("logged_out", "why");
        has_words::<LockedOut>("locked_out", "who");
        has_words::<Objection>("pairing_refused", "why");
        has_words::<ReadPurpose>("ledger_read", "purpose");
        has_words::<Direction>("file_moved", "direction");
        has_words::<Overwrote>("file_moved", "overwrote");
        has_words::<FileVerdict>("file_moved", "verdict");
        has_words::<Witness>("ended", "by");
        has_words::<Witness>("receipt_kept", "signed_by");
        has_words::<EndReason>("ended", "reason");
        has_words::<CloseReason>("session_closed", "reason");
        has_words::<Answer>("consent_answered", "answer");
        has_words::<Mode>("consent_asked", "mode");
        has_words::<Capability>("consent_answered", "granted");
        assert_eq!(value("pruned", "reason", "violation"), None, "what somebody wrote");
    }

    /// An event that lacks a field names it; so each tells its fields one after the other.
    #[test]
    fn s100_no_field_of_a_record_has_an_english_name() {
        let unknown = serde_json::from_str::<Event>(r#"{"type":"nothing"}"#).unwrap_err().to_string();
        let events: Vec<&str> = unknown.split('`').skip(3).step_by(2).collect();
        assert!(events.len() > 40, "{unknown}");
        let (mut looked_at, mut lacking) = (0, Vec::new());
        for event in events {
            let empty = format!(r#"{{"type":"{event}","nothing":0}}"#);
            let Err(why) = serde_json::from_str::<Event>(&empty) else { continue };
            let fields = why.to_string();
            for field in fields.split('`').skip(3).step_by(2) {
                looked_at += 1;
                if name(event, field) == field {
                    lacking.push(format!("{event}.{field}"));
                }
            }
        }
        assert_eq!(lacking, Vec::<String>::new());
        assert!(looked_at > 80, "{looked_at}");
    }
}
