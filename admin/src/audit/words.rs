//! Records in a person's words, in English and Japanese.

use tasuki_protocol::ledger::audit::Finding;
use tasuki_protocol::ledger::event::Event;
use tasuki_protocol::ledger::record::RowRefused;

use super::fault::AuditFault;
use super::neutral;
use super::record::{Body, Record};
use crate::texts::Language;

/// What happened, in one line that a terminal may show.
pub fn line(record: &Record, language: Language) -> String {
    match &record.body {
        Body::Entry(entry) => {
            let details = details(&entry.event);
            let title = title(&entry.event, language);
            if details.is_empty() { title } else { format!("{title}: {details}") }
        }
        Body::Closed(_, refused) => closed(*refused, language),
        Body::Pruned => language.pick("(pruned)", "（保存期間を過ぎて削除済み）"),
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

/// The fields of an event, each as `name=value`.
pub fn details(event: &Event) -> String {
    let value = serde_json::to_value(event).unwrap_or_default();
    let Some(fields) = value.as_object() else { return String::new() };
    let shown = fields.iter().filter(|(name, _)| *name != "type").map(|(name, value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{name}={}", neutral::line(&text))
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn title(event: &Event, language: Language) -> String {
    let (english, japanese) = of_server(event)
        .or_else(|| of_admin(event))
        .or_else(|| of_session(event))
        .or_else(|| of_rights(event))
        .unwrap_or_else(|| of_content(event));
    language.pick(english, japanese)
}

type Words = (&'static str, &'static str);

macro_rules! words {
    ($event:expr, { $($pattern:pat => $english:literal, $japanese:literal;)* }) => {
        $(if matches!($event, $pattern) { return Some(($english, $japanese)); })*
    };
}

fn of_server(event: &Event) -> Option<Words> {
    words!(event, {
        Event::ServerStarted { .. } => "Server started", "サーバー開始";
        Event::ServerStopped => "Server stopped", "サーバー停止";
        Event::ClockStepped { .. } => "Server clock stepped", "サーバーの時計が変わった";
        Event::Restored { .. } => "Restored from a backup", "バックアップから復元";
        Event::Missed { .. } => "Events that could not be written", "書き込めなかった出来事";
        Event::LoggedIn { .. } => "Signed in", "ログイン";
        Event::LoginFailed { .. } => "Sign-in failed", "ログイン失敗";
        Event::LockedOut { .. } => "Account suspended", "アカウント一時停止";
        Event::LoggedOut { .. } => "Signed out", "ログアウト";
        Event::DeviceEnrolled { .. } => "Device enrolled", "端末登録";
    });
    None
}

fn of_admin(event: &Event) -> Option<Words> {
    words!(event, {
        Event::AdminDid { .. } => "Administrator", "管理者の操作";
        Event::AdminRefused { .. } => "Administrator's request refused", "管理者要求を拒否";
        Event::LedgerRead { .. } => "Ledger read", "記録の閲覧";
        Event::Reviewed { .. } => "Ledger reviewed", "記録の確認";
        Event::Pruned { .. } => "Ledger pruned", "記録の削除";
        Event::RestoreAcknowledged { .. } => "Restore acknowledged", "復元を承認";
    });
    None
}

fn of_session(event: &Event) -> Option<Words> {
    words!(event, {
        Event::RoomOpened { .. } => "Number opened", "番号発行";
        Event::PairingTried { .. } => "Number tried", "番号入力";
        Event::PairingFailed { .. } => "Pairing failed", "接続確認失敗";
        Event::TooManyGuesses { .. } => "Too many tries", "試行回数超過";
        Event::Paired { .. } => "Paired", "接続確立";
        Event::RequestRefused { .. } => "Request refused", "要求を拒否";
        Event::SessionClosed { .. } => "Session closed", "セッション終了";
        Event::Ended { .. } => "Session ended", "セッション終了（端末側）";
        Event::Connected { .. } => "Connected", "通信経路";
        Event::Disconnected { .. } => "Path lost", "通信経路の切断";
        Event::LedgerRolledBack { .. } => "Ledger older than seen before", "以前より古い記録を検出";
    });
    None
}

fn of_rights(event: &Event) -> Option<Words> {
    words!(event, {
        Event::ConsentAsked { .. } => "Consent asked", "同意の確認";
        Event::ConsentAnswered { .. } => "Consent answered", "同意の回答";
        Event::RightAsked { .. } => "Right asked", "権限の要求";
        Event::RightGranted { .. } => "Right granted", "権限の付与";
        Event::RightRevoked { .. } => "Right revoked", "権限の取り消し";
        Event::ModeChanged { .. } => "Mode changed", "モード変更";
        Event::Refused { .. } => "Refused", "拒否";
        Event::Violation { .. } => "VIOLATION", "違反";
        Event::TranscriptMismatch => "SERVER ALTERED WHAT PASSED", "通信内容の改変を検出";
        Event::ManifestRefused { .. } => "Manifest refused", "許可証を拒否";
    });
    None
}

fn of_content(event: &Event) -> Words {
    if matches!(event, Event::ScreenshotTaken { .. }) {
        return ("Screenshot", "画面保存");
    }
    if matches!(event, Event::FileMoved { .. }) {
        return ("File", "ファイル");
    }
    if matches!(event, Event::ClipboardMoved { .. }) {
        return ("Clipboard", "クリップボード");
    }
    if matches!(event, Event::ChatLine { .. }) {
        return ("Chat", "チャット");
    }
    if matches!(event, Event::Customer { .. }) {
        return ("Customer", "顧客");
    }
    if matches!(event, Event::Note { .. }) {
        return ("Note", "メモ");
    }
    if matches!(event, Event::RecordingStarted { .. }) {
        return ("Recording started", "録画開始");
    }
    if matches!(event, Event::RecordingStopped { .. }) {
        return ("Recording stopped", "録画停止");
    }
    ("Event", "出来事")
}

/// One sentence that says what to do.
pub fn fault(fault: &AuditFault, language: Language) -> String {
    match fault {
        AuditFault::File { file, why } => language.pick(
            format!("{} cannot be read or written ({why}). Check its owner, permissions and space.", file.display()),
            format!("{} を読み書きできません（{why}）。所有者、権限、空き容量を確認してください。", file.display()),
        ),
        AuditFault::Exists(file) => language.pick(
            format!("{} exists already. Choose another name; an export is never overwritten.", file.display()),
            format!("{} は既に存在します。別の名前にしてください（上書きはしません）。", file.display()),
        ),
        AuditFault::NoExport(file) => language.pick(
            format!("{} is no exported ledger. Make one with `tasuki-admin audit export`.", file.display()),
            format!("{} は記録の書き出しファイルではありません。`tasuki-admin audit export` で作成してください。", file.display()),
        ),
        AuditFault::Damaged(file) => language.pick(
            format!("{} is damaged or cut short. Export the ledger again.", file.display()),
            format!("{} は壊れているか途中で切れています。もう一度書き出してください。", file.display()),
        ),
        AuditFault::Found(finding) => found(finding, language),
        AuditFault::OtherRoot => language.pick(
            "The ledger is another organisation's: its bundle was not signed by the known root key.",
            "別の組織の記録です。既知のルート鍵で署名されていません。",
        ),
        AuditFault::RolledBack { known, found } => language.pick(
            format!("The server's ledger is older than the one seen here before ({found} records, {known} were seen). A backup was restored, or records were removed. If you know why, run `tasuki-admin audit acknowledge-restore`."),
            format!("サーバーの記録が以前ここで見たものより古くなっています（{found} 件、以前は {known} 件）。バックアップの復元か記録の削除です。理由が分かっている場合は `tasuki-admin audit acknowledge-restore` を実行してください。"),
        ),
        AuditFault::NoLogKey => language.pick(
            "The passphrase opens none of the log keys. Check it, and enter it again.",
            "このパスフレーズで開ける記録鍵がありません。確認して入力し直してください。",
        ),
        AuditFault::NoRecord(seq) => language.pick(
            format!("There is no record {seq}. `tasuki-admin audit list` shows their numbers."),
            format!("記録 {seq} はありません。`tasuki-admin audit list` で番号を確認してください。"),
        ),
        AuditFault::Date(text) => language.pick(
            format!("{:?} is no date. Write it like 2026-07-01.", neutral::line(text)),
            format!("{:?} は日付として読めません。2026-07-01 のように入力してください。", neutral::line(text)),
        ),
        AuditFault::NothingToAcknowledge => language.pick(
            "The server's ledger goes on from the one known here; there is nothing to acknowledge.",
            "サーバーの記録は既知のものの続きです。承認するものはありません。",
        ),
    }
}

fn found(finding: &Finding, language: Language) -> String {
    let japanese = match finding {
        Finding::OutOfOrder { expected, found } => {
            format!("記録 {expected} がありません（代わりに記録 {found} が続いています）。")
        }
        Finding::Changed(seq) => format!("記録 {seq} が書き換えられています。"),
        Finding::ChangedWithin { from, to } => {
            format!("記録 {from} から {to} のどれかが書き換え、追加または削除されています。")
        }
        Finding::Removed(seq) => format!("記録 {seq} が署名なしに削除されています。"),
        Finding::KeyMissing(seq) => format!("記録 {seq} のデータ鍵がありません。"),
        Finding::Truncated { have, signed } => {
            format!("記録が {have} 件で終わっていますが、署名済みの件数は {signed} 件です。")
        }
        Finding::Forked(seq) => format!("記録 {seq} 件目までの内容が、既知の署名と異なる別の記録です。"),
        Finding::Checkpoint { size, why } => {
            format!("記録 {size} の後の署名が無効です（{why}）。")
        }
        Finding::Unsigned { from, to } => format!("記録 {from} から {to} に署名がまだありません。"),
        Finding::Tombstone => "削除証明がルート鍵で署名されていないか、別の記録のものです。".to_owned(),
    };
    language.pick(
        format!("The ledger does not hold: {finding}."),
        format!("記録の検証に失敗しました。{japanese}"),
    )
}
