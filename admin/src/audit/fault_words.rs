//! What is wrong with a ledger or its file, in one sentence that says what to do.

use tasuki_protocol::ledger::audit::Finding;
use tasuki_protocol::ledger::follow::LedgerRefused;

use super::fault::AuditFault;
use super::neutral;
use crate::texts::Language;

/// One sentence that says what to do.
pub(crate) fn fault(fault: &AuditFault, language: Language) -> String {
    match fault {
        AuditFault::File { .. }
        | AuditFault::NoFolder(_)
        | AuditFault::Exists(_)
        | AuditFault::NoExport(_)
        | AuditFault::Damaged(_) => about_file(fault, language),
        AuditFault::Refused(refused) => about_server(*refused, language),
        AuditFault::Found(finding) => found(finding, language),
        AuditFault::NotHandedOn(finding) => not_handed_on(finding, language),
        AuditFault::RestoreHidden(record) => restore_hidden(*record, language),
        AuditFault::OtherRoot => language.pick(
            "The ledger is another organisation's: its bundle was not signed by the known root key.",
            "別の組織の記録です。既知のルート鍵で署名されていません。",
        ),
        AuditFault::Short { have, signed } => language.pick(
            format!("The server shows only {have} of the {signed} records that it has signed. Keep what you have exported, and ask who runs the server."),
            format!("サーバーは署名済みの {signed} 件のうち {have} 件しか示していません。書き出し済みのファイルを保管し、サーバーの担当者に確認してください。"),
        ),
        AuditFault::NoLogKey => language.pick(
            "The passphrase opens none of the log keys. Check it, and run the command again.",
            "このパスフレーズで開ける記録鍵がありません。確認して、もう一度コマンドを実行してください。",
        ),
        AuditFault::NoRecord(seq) => language.pick(
            format!("There is no record {seq}. `tasuki-admin audit list` shows their numbers."),
            format!("記録 {seq} はありません。`tasuki-admin audit list` で番号を確認してください。"),
        ),
        AuditFault::Date(_) | AuditFault::Span | AuditFault::Future(_) | AuditFault::Zone(_) => {
            about_times(fault, language)
        }
        AuditFault::NoSession(text) => language.pick(
            format!("No session's id begins with {:?}. `tasuki-admin audit list` shows the first digits of each.", neutral::line(text)),
            format!("{:?} で始まるセッションはありません。`tasuki-admin audit list` で先頭の桁を確認してください。", neutral::line(text)),
        ),
        AuditFault::SeveralSessions(text, count) => language.pick(
            format!("The ids of {count} sessions begin with {:?}. Give more digits.", neutral::line(text)),
            format!("{:?} で始まるセッションが {count} 件あります。桁を増やしてください。", neutral::line(text)),
        ),
        AuditFault::NoSuchEvent(text) => language.pick(
            format!("No event is called {:?}. `tasuki-admin audit events` shows the names.", neutral::line(text)),
            format!("{:?} という種類の記録はありません。`tasuki-admin audit events` で名前を確認できます。", neutral::line(text)),
        ),
        AuditFault::NothingToPrune => language.pick(
            "No record is older than that day, so nothing was removed.",
            "その日より古い記録がないため、何も削除しませんでした。",
        ),
        AuditFault::NothingToAcknowledge => language.pick(
            "Nothing that this computer has seen is missing from the server's ledger, so from here there is nothing to acknowledge. That does not say that no backup was restored: others may have seen what came after it. If another program says that records are missing, give the number that it has seen with --seen.",
            "このコンピュータが確認した記録はすべてサーバーにあるため、ここから承認するものはありません。ただし、バックアップの復元がなかったとは限りません（その後の記録を、ほかのプログラムだけが確認している場合があります）。ほかのプログラムが記録の欠落を知らせている場合は、確認済みの件数を --seen で指定してください。",
        ),
        AuditFault::Partial(seq) => language.pick(
            format!("The export begins at record {seq}; only one that begins at 0 can be verified."),
            format!("この書き出しは記録 {seq} から始まっています。検証できるのは 0 から始まるものだけです。"),
        ),
    }
}

fn not_handed_on(finding: &Finding, language: Language) -> String {
    let why = found(finding, language);
    language.pick(
        format!("Under a new root key the ledger would not hold: {why} Nothing was changed. The server may hide what the root key has said of it (prunings), or one is dated ahead of now: see that it is whole (`tasuki-admin audit verify`, `tasuki-server doctor`), and try again. Where the ledger is lost anyway, `--despite-ledger`."),
        format!("新しい root 鍵では記録を検証できません。{why}何も変更していません。root 鍵が署名した削除証明をサーバーが示していないか、その日時が未来になっている可能性があります。状態を確認し（`tasuki-admin audit verify`、`tasuki-server doctor`）、もう一度実行してください。記録が元に戻せない場合は `--despite-ledger` を付けます。"),
    )
}

fn restore_hidden(record: u64, language: Language) -> String {
    language.pick(
        format!("Record {record} tells of an acknowledged restore, and the server does not show the root key's word for it, or it is dated ahead of now. Under a new root key it would count no more, and whoever has not been on since the restore would refuse the server for good. Nothing was changed. See that the server is whole (`tasuki-server doctor`) and try again; where that word is lost anyway, `--despite-ledger`."),
        format!("記録 {record} に復元の承認がありますが、root 鍵によるその承認をサーバーが示していないか、日時が未来になっています。このまま root 鍵を替えると承認は無効になり、復元の後に一度も接続していないプログラムはこのサーバーを拒否し続けます。何も変更していません。サーバーの状態を確認し（`tasuki-server doctor`）、もう一度実行してください。承認が元に戻せない場合は `--despite-ledger` を付けます。"),
    )
}

/// Days that cannot be read, or that nothing can be of.
fn about_times(fault: &AuditFault, language: Language) -> String {
    if let AuditFault::Date(text) = fault {
        let text = neutral::line(text);
        return language.pick(
            format!("{text:?} is no date. Write it like 2026-07-01."),
            format!("{text:?} は日付として読めません。2026-07-01 のように入力してください。"),
        );
    }
    if let AuditFault::Zone(text) = fault {
        let text = neutral::line(text);
        return language.pick(
            format!("{text:?} is no time zone. Write it like Asia/Tokyo."),
            format!("{text:?} はタイムゾーンではありません。Asia/Tokyo のように入力してください。"),
        );
    }
    if let AuditFault::Future(text) = fault {
        let text = neutral::line(text);
        return language.pick(
            format!("{text:?} is still to come: only what has happened can be old enough. Give a day that is past."),
            format!("{text:?} は未来の日付です。過ぎた日を指定してください。"),
        );
    }
    language.pick(
        "--since is later than --until: no moment lies between them. Exchange the two.",
        "--since が --until より後になっています。入れ替えて指定してください。",
    )
}

/// A file that is not there, not whole, or not what it is taken for.
fn about_file(fault: &AuditFault, language: Language) -> String {
    if let AuditFault::File { file, why } = fault {
        let why = language.io(why);
        return language.pick(
            format!(
                "{} cannot be read or written ({why}). Check its owner, permissions and space.",
                file.display()
            ),
            format!(
                "{} を読み書きできません（{why}）。所有者、権限、空き容量を確認してください。",
                file.display()
            ),
        );
    }
    if let AuditFault::NoFolder(folder) = fault {
        let folder = folder.display();
        return language.pick(
            format!("There is no folder {folder}, so nothing was written. Make it, or give another place."),
            format!("フォルダー {folder} がないため、何も書き込みませんでした。フォルダーを作成するか、別の場所を指定してください。"),
        );
    }
    if let AuditFault::Exists(file) = fault {
        return language.pick(
            format!(
                "{} exists already. Choose another name; nothing is ever overwritten.",
                file.display()
            ),
            format!(
                "{} は既に存在します。別の名前にしてください（上書きはしません）。",
                file.display()
            ),
        );
    }
    if let AuditFault::NoExport(file) = fault {
        return language.pick(
            format!(
                "{} is no exported ledger. Make one with `tasuki-admin audit export`.",
                file.display()
            ),
            format!(
                "{} は記録の書き出しファイルではありません。`tasuki-admin audit export` で作成してください。",
                file.display()
            ),
        );
    }
    let AuditFault::Damaged(file) = fault else { return fault.to_string() };
    language.pick(
        format!("{} is damaged or cut short. Export the ledger again.", file.display()),
        format!("{} は壊れているか途中で切れています。もう一度書き出してください。", file.display()),
    )
}

/// A server whose ledger is not what the one known here became.
fn about_server(refused: LedgerRefused, language: Language) -> String {
    match refused {
        LedgerRefused::Older { known, found } => language.pick(
            format!("The server's ledger has {found} records, and {known} were seen here before: a backup was restored, or records were removed. If you know that it was a restore, run `tasuki-admin audit acknowledge-restore --reason TEXT`."),
            format!("サーバーの記録は {found} 件ですが、以前ここで {known} 件を確認しています。バックアップの復元か記録の削除です。復元だと分かっている場合は `tasuki-admin audit acknowledge-restore --reason TEXT` を実行してください。"),
        ),
        LedgerRefused::Forked { known } => language.pick(
            format!("The server's ledger is another than the one whose first {known} records were seen here: a backup was restored, or the ledger was written anew. If you know that it was a restore, run `tasuki-admin audit acknowledge-restore --reason TEXT`."),
            format!("サーバーの記録は、以前ここで確認した最初の {known} 件と異なります。バックアップの復元か記録の作り直しです。復元だと分かっている場合は `tasuki-admin audit acknowledge-restore --reason TEXT` を実行してください。"),
        ),
        LedgerRefused::Unsigned => language.pick(
            "The server's checkpoint is not signed by a key of the organisation's bundle. Ask who runs the server.",
            "サーバーの記録の署名が組織の鍵によるものではありません。サーバーの担当者に確認してください。",
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
        Finding::Unexcused(seq) => {
            format!("記録 {seq} が削除されており、その削除証明には有効な署名がありません。")
        }
        Finding::KeyMissing(seq) => format!("記録 {seq} のデータ鍵がありません。"),
        Finding::Truncated { have, signed } => {
            format!("記録が {have} 件で終わっていますが、署名済みの件数は {signed} 件です。")
        }
        Finding::Forked(seq) => {
            format!("記録 {seq} 件目までの内容が、既知の署名と異なる別の記録です。")
        }
        Finding::Checkpoint { size, why } => {
            format!("記録 {size} の後の署名が無効です（{why}）。")
        }
        Finding::Unsigned { from, to } => format!("記録 {from} から {to} に署名がまだありません。"),
        Finding::WrappedKeys => {
            "封印された記録鍵が、組織のルート鍵で署名されたものと異なります。書き換えられたか、古いバックアップから復元されています（復元の場合は `tasuki-admin key republish`）。".to_owned()
        }
        Finding::UnsignedKeys => {
            "組織の構成ファイルが古く、封印された記録鍵に署名していないため、鍵が正しいか確かめられません（`tasuki-admin key rotate log` で署名されます）。".to_owned()
        }
        Finding::Head => {
            "ファイルの先頭部が壊れているか書き換えられています（別の組織の記録という意味ではありません）。元のファイルを取り直すか、もう一度書き出してください。".to_owned()
        }
        Finding::Acknowledgement => "復元の承認が書き換えられています。".to_owned(),
        Finding::Tombstone => "削除証明がルート鍵で署名されていないか、別の記録のものです。".to_owned(),
    };
    language.pick(
        format!("The ledger does not hold: {finding}."),
        format!("記録の検証に失敗しました。{japanese}"),
    )
}
