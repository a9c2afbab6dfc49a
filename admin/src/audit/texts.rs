//! What the audit commands say, in English and Japanese.

use std::path::Path;

use crate::texts::Language;

impl Language {
    pub(crate) fn record_columns(self) -> [String; 6] {
        [
            self.pick("RECORD", "番号"),
            self.pick("TIME", "日時"),
            self.pick("SEEN BY", "記録元"),
            self.pick("OPERATOR", "オペレータ"),
            self.pick("SESSION", "セッション"),
            self.pick("WHAT HAPPENED", "内容"),
        ]
    }

    pub(crate) fn records_found(self, shown: usize, all: usize) -> String {
        if shown == all {
            return self.pick(format!("{all} records."), format!("{all} 件の記録です。"));
        }
        self.pick(
            format!("The newest {shown} of {all} records; --last 0 shows all."),
            format!("{all} 件のうち新しい {shown} 件です。--last 0 で全件を表示します。"),
        )
    }

    pub(crate) fn records_missing(self, seq: u64, session: &str, missing: u64) -> String {
        self.pick(
            format!("Before record {seq}, {missing} records of an end of session {session} are missing: it kept them back, or never delivered them."),
            format!("記録 {seq} の前に、セッション {session} の端末からの記録が {missing} 件ありません（送られなかったか、保留されています）。"),
        )
    }

    pub(crate) fn ledger_holds(
        self,
        organisation: &str,
        size: u64,
        checkpoints: u64,
        pruned: u64,
    ) -> String {
        self.pick(
            format!("The ledger of {organisation} holds: {size} records, {checkpoints} checkpoints, {pruned} records pruned under a signed tombstone."),
            format!("{organisation} の記録は完全です。記録 {size} 件、署名 {checkpoints} 件、署名付きで削除された記録 {pruned} 件。"),
        )
    }

    pub(crate) fn compare_root(self, root: &str) -> String {
        self.pick(
            format!("No bundle of the organisation is known here. Compare its root key with the organisation's own: {root}"),
            format!("組織の構成ファイルがここにないため、ルート鍵を組織に確認してください: {root}"),
        )
    }

    pub(crate) fn exported(self, file: &Path, records: u64) -> String {
        self.pick(
            format!("{records} records are in {}. Anybody can verify it with `tasuki-admin audit verify --file`; only the passphrase opens it.", file.display()),
            format!("{records} 件の記録を {} に書き出しました。検証は `tasuki-admin audit verify --file` で誰でもできますが、内容を読むにはパスフレーズが必要です。", file.display()),
        )
    }

    pub(crate) fn report_made(self, file: &Path, records: usize) -> String {
        self.pick(
            format!("The report of {records} records is in {}.", file.display()),
            format!("{records} 件の記録の報告を {} に保存しました。", file.display()),
        )
    }
}
