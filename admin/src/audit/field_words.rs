//! Fields of records and their words, in Japanese. What people wrote stays as they wrote it.

/// What a field is called.
pub(super) fn name(field: &str) -> &str {
    let known = [
        ("account", "アカウント"),
        ("action", "操作"),
        ("admin", "管理者"),
        ("answer", "回答"),
        ("by", "記録元"),
        ("detail", "詳細"),
        ("device", "端末"),
        ("direction", "方向"),
        ("from", "接続元"),
        ("granted", "許可"),
        ("mode", "モード"),
        ("note", "メモ"),
        ("path", "パス"),
        ("policy", "ポリシー"),
        ("purpose", "目的"),
        ("reason", "理由"),
        ("right", "権限"),
        ("size", "サイズ"),
        ("target", "対象"),
        ("to", "まで"),
        ("until", "期限"),
        ("up_to", "まで"),
        ("verdict", "結果"),
        ("version", "版"),
        ("who", "対象"),
        ("why", "理由"),
    ];
    known.iter().find(|(own, _)| *own == field).map_or(field, |(_, japanese)| japanese)
}

/// A word of ours as the value of such a field; `None` for what somebody wrote.
pub(super) fn value(field: &str, word: &str) -> Option<&'static str> {
    let known: &[(&str, &str)] = match field {
        "action" => ACTIONS,
        "why" | "who" => SIGN_INS,
        "purpose" => PURPOSES,
        "direction" => &[("to_operator", "オペレータへ"), ("to_user", "顧客へ")],
        "by" => &[("server", "サーバー"), ("operator", "オペレータ側"), ("agent", "顧客側")],
        "answer" => &[("accepted", "同意"), ("refused", "拒否"), ("silent", "回答なし")],
        "verdict" => VERDICTS,
        _ => &[],
    };
    known.iter().find(|(own, _)| *own == word).map(|(_, japanese)| *japanese)
}

const ACTIONS: &[(&str, &str)] = &[
    ("admin_invited", "管理者を招待"),
    ("admin_enrolled", "管理者を登録"),
    ("admin_enabled", "管理者を再開"),
    ("admin_disabled", "管理者を停止"),
    ("admin_removed", "管理者を削除"),
    ("admin_unlocked", "管理者のロックを解除"),
    ("recovery_token_made", "回復トークンを作成"),
    ("admin_recovered", "管理者が復帰"),
    ("logged_in", "サインイン"),
    ("logged_out", "サインアウト"),
    ("operator_added", "オペレータを追加"),
    ("operator_enabled", "オペレータを再開"),
    ("operator_disabled", "オペレータを停止"),
    ("operator_removed", "オペレータを削除"),
    ("operator_unlocked", "オペレータのロックを解除"),
    ("operator_changed", "オペレータの制限を変更"),
    ("authenticator_forgotten", "認証アプリの登録を取り消し"),
    ("code_issued", "端末登録コードを発行"),
    ("device_approved", "端末を承認"),
    ("device_revoked", "端末を失効"),
    ("group_changed", "グループを変更"),
    ("policy_published", "ポリシーを公開"),
    ("session_ended", "セッションを強制終了"),
    ("bundle_published", "構成ファイルを公開"),
    ("key_rotated", "鍵を用意"),
    ("recording_fetched", "録画を取得"),
    ("settings_changed", "設定を変更"),
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
    ("this_device", "この端末"),
    ("unknown_devices", "未登録の端末"),
    ("asked", "本人の操作"),
    ("expired", "期限切れ"),
    ("revoked", "失効"),
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
    use serde::de::IntoDeserializer as _;
    use serde::de::value::{Error, StrDeserializer};
    use tasuki_protocol::ledger::words::AdminAction;

    /// Of the names that the ledger's own type knows, none is without a word.
    #[test]
    fn s100_every_act_of_an_administrator_has_a_japanese_word() {
        let nothing: StrDeserializer<'_, Error> = "nothing".into_deserializer();
        let known = <AdminAction as serde::Deserialize>::deserialize(nothing).unwrap_err().to_string();
        let names: Vec<&str> = known.split('`').skip(3).step_by(2).collect();
        assert!(names.len() > 20, "{known}");
        for name in names {
            assert!(value("action", name).is_some(), "{name}");
        }
    }
}
