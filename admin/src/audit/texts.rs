//! What the audit commands say, in English and Japanese.

use std::path::Path;

use tasuki_protocol::ledger::audit::Acknowledgement;

use super::neutral;
use crate::texts::{Language, counted, counted_is};

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

    /// As in [`Self::record_columns`], beside one value.
    pub(crate) fn record_head(self) -> [String; 6] {
        self.record_columns().map(|name| name.to_lowercase())
    }

    pub(crate) fn records_pruned(self, pruned: usize) -> String {
        self.pick(
            format!("{} not shown: the content was pruned.", counted_is(pruned as u64, "record")),
            format!("内容が削除済みの記録 {pruned} 件は表示していません。"),
        )
    }

    pub(crate) fn nobody_called(self, name: &str) -> String {
        self.pick(
            format!("Nothing in the ledger is of {name} or was done to him. `tasuki-admin operator list` shows the accounts."),
            format!("{name} に関する記録はありません。アカウントは `tasuki-admin operator list` で確認できます。"),
        )
    }

    pub(crate) fn newest(self, moment: &str) -> String {
        self.pick(
            format!("As the server has signed it at {moment}; what happened since follows within ten seconds."),
            format!("サーバーが {moment} に署名した時点の記録です。それ以降の出来事は 10 秒以内に加わります。"),
        )
    }

    pub(crate) fn records_found(self, shown: usize, all: usize) -> String {
        if shown == all {
            return self
                .pick(format!("{}.", counted(all as u64, "record")), format!("{all} 件の記録です。"));
        }
        self.pick(
            format!("The newest {shown} of {all} records; --last 0 shows all."),
            format!("{all} 件のうち新しい {shown} 件です。--last 0 で全件を表示します。"),
        )
    }

    pub(crate) fn records_missing(self, seq: u64, session: &str, missing: u64) -> String {
        self.pick(
            format!("Before record {seq}, {} of an end of session {session} {} missing: kept back there, or never delivered.", counted(missing, "record"), if missing == 1 { "is" } else { "are" }),
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
            format!("The ledger of {organisation} holds: {}, {}, {} pruned under a signed tombstone.", counted(size, "record"), counted(checkpoints, "checkpoint"), counted(pruned, "record")),
            format!("{organisation} の記録は完全です。記録 {size} 件、署名 {checkpoints} 件、署名付きで削除された記録 {pruned} 件。"),
        )
    }

    /// Behind [`Self::ledger_holds`]: what is whole is what the ledger became, and not what it was.
    pub(crate) fn restored(self, word: &Acknowledgement, on: &str) -> String {
        let Acknowledgement { lost, size, reason, .. } = word;
        let reason = neutral::line(reason);
        if lost <= size {
            return self.pick(
                format!("A restore was acknowledged on {on} ({reason}), when there were {}: up to {lost} had been seen before, and some of those may be gone, with others in their place. The record \"Restored from a backup\" says where the backup ended.", counted(*size, "record")),
                format!("{on} に復元が承認されています（{reason}、承認時 {size} 件）。復元前には {lost} 件まで確認されており、一部は失われて別の記録に置き換わっている可能性があります。バックアップの終わりは「バックアップから復元」の記録にあります。"),
            );
        }
        let (last, gone) = (lost - 1, lost - size);
        self.pick(
            format!("A restore was acknowledged on {on} ({reason}): {} had been seen before, and the ledger went on from {size}. So at least {gone} of before are gone, records {size} to {last}, and with them those from the end of the backup on, which the record \"Restored from a backup\" names.", counted(*lost, "record")),
            format!("{on} に復元が承認されています（{reason}）。復元前には {lost} 件まで確認されており、記録は {size} 件から続いています。少なくとも以前の記録 {size}～{last} の {gone} 件は失われています（バックアップより後の記録も同様です。バックアップの終わりは「バックアップから復元」の記録にあります）。"),
        )
    }

    pub(crate) fn compare_root(self, root: &str) -> String {
        self.pick(
            format!("No bundle of the organisation is known here. Compare its root key with the organisation's own: {root}"),
            format!("組織の構成ファイルがここにないため、ルート鍵を組織に確認してください: {root}"),
        )
    }

    pub(crate) fn keys_unreadable(self, keys: u64) -> String {
        self.pick(
            format!("{keys} of the records' keys are sealed to no log key in it: whoever has this file alone cannot read those records. Where no log key was lost with a server, the file was changed: verify it with the newest --bundle."),
            format!("記録のデータ鍵のうち {keys} 個は、このファイルにある記録鍵では開けません。このファイルだけではその記録を読めません。サーバーとともに記録鍵を失ったのでなければ、ファイルが書き換えられています。最新の --bundle を指定して検証してください。"),
        )
    }

    pub(crate) fn exported(self, file: &Path, records: u64) -> String {
        self.pick(
            format!("{} in {}. Anybody can verify it with `tasuki-admin audit verify --file`; only the passphrase opens it.", counted_is(records, "record"), file.display()),
            format!("{records} 件の記録を {} に書き出しました。検証は `tasuki-admin audit verify --file` で誰でもできますが、内容を読むにはパスフレーズが必要です。", file.display()),
        )
    }

    pub(crate) fn report_made(self, file: &Path, records: usize) -> String {
        self.pick(
            format!("The report of {} is in {}.", counted(records as u64, "record"), file.display()),
            format!("{records} 件の記録の報告を {} に保存しました。", file.display()),
        )
    }

    pub(crate) fn ask_review(self, up_to: u64) -> String {
        self.pick(
            format!("This notes in your name, for good, that you have looked through everything before record {up_to} (--up-to for less). Type {up_to} to note it:"),
            format!("記録 {up_to} より前のすべてを確認したことが、あなたの名前で残ります（途中までなら --up-to）。記録するには {up_to} と入力してください:"),
        )
    }

    pub(crate) fn reviewed(self, up_to: u64) -> String {
        self.pick(
            format!(
                "It is written down that you have looked through everything before record {up_to}."
            ),
            format!("記録 {up_to} より前をすべて確認したことを記録しました。"),
        )
    }

    pub(crate) fn ask_prune(self, before: u64) -> String {
        self.pick(
            format!("This cannot be undone: the content of {} goes. Type {before} to remove it:", counted(before, "record")),
            format!("この操作は取り消せません。{before} 件の記録の内容が失われます。削除するには {before} と入力してください:"),
        )
    }

    /// `lost`: the most records that were seen; `size`: those that there are.
    pub(crate) fn ask_acknowledgement(self, lost: u64, size: u64) -> String {
        self.pick(
            format!("This cannot be undone: every program goes on from the server's {} then, though {lost} were seen before. If no backup was restored, somebody removed what is missing, and this would excuse it. Type {size} to do it:", counted(size, "record")),
            format!("この操作は取り消せません。以前は {lost} 件が確認されていますが、全プログラムがサーバーの現在の {size} 件を引き継ぎます。バックアップを復元していないのであれば、不足分は誰かが削除したものであり、それを認めることになります。実行するには {size} と入力してください:"),
        )
    }

    pub(crate) fn pruned(self, before: u64) -> String {
        self.pick(
            format!("The content of {} is gone. What proves the rest stays, so that it verifies as before.", counted(before, "record")),
            format!("{before} 件の記録の内容を削除しました。検証に必要な値は残るため、ほかの記録は引き続き検証できます。"),
        )
    }

    pub(crate) fn acknowledged(self, lost: u64, size: u64) -> String {
        self.pick(
            format!("The ledger goes on from its {}. Programs that had seen up to {lost} are told so, under the root key.", counted(size, "record")),
            format!("記録は {size} 件から続きます。{lost} 件まで確認していたプログラムにも、ルート鍵の署名で伝わります。"),
        )
    }
}
