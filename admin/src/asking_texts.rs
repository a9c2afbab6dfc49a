//! What a person is asked before what cannot be undone, in English and Japanese: what it does, and the word to type.

use tasuki_protocol::ids::Digest;
use tasuki_protocol::words;

use crate::shares::NotAShare;
use crate::slip::meant;
use crate::texts::{Language, counted};

impl Language {
    pub(crate) fn not_a_share(self, why: &NotAShare) -> String {
        match why {
            NotAShare::Form => self.pick(
                "That is no recovery share: it has its number (1, 2 or 3), a colon and 24 words.",
                "復元シートではありません。番号（1、2、3）、コロン、24 語の順です。",
            ),
            NotAShare::Word { at, word } => {
                let meant = meant(word, words::all().iter().copied());
                let guess = meant.map_or_else(String::new, |meant| {
                    self.pick(format!(" Did you mean {meant}?"), format!("「{meant}」のことですか。"))
                });
                self.pick(
                    format!("Word {at}, {word:?}, is not on the list of words.{guess} Look at the sheet again."),
                    format!("{at} 番目の語 {word:?} は単語の一覧にありません。{guess}シートをもう一度確認してください。"),
                )
            }
            NotAShare::Count(count) => self.pick(
                format!("These are {count} words; a recovery share has 24."),
                format!("{count} 語あります。復元シートは 24 語です。"),
            ),
            NotAShare::Check => self.pick(
                "All words are on the list, but they do not belong together: one is another's, or two changed places.",
                "語はすべて一覧にありますが、組み合わせが正しくありません。別の語を読んだか、順番が入れ替わっています。",
            ),
            NotAShare::Twice => self.pick(
                "That is the same share as before. Two different ones are needed.",
                "先ほどと同じ復元シートです。別のシートが必要です。",
            ),
        }
    }

    pub fn ask_removal(self, operator: &str) -> String {
        self.pick(
            format!("This cannot be undone. Type {operator} to remove the account:"),
            format!("この操作は取り消せません。削除するには {operator} と入力してください:"),
        )
    }

    pub(crate) fn ask_revocation(self, operator: &str) -> String {
        self.pick(
            format!("The device is out within seconds, and never comes back. Type {operator} to revoke it:"),
            format!("端末は数秒以内に使えなくなり、元に戻せません。失効させるには {operator} と入力してください:"),
        )
    }

    pub(crate) fn ask_forgetting(self, operator: &str) -> String {
        self.pick(
            format!("The authenticator of {operator} counts no more: until a new one is set up, the password alone lets him in from his device. Type {operator} to forget it:"),
            format!("{operator} の認証アプリを無効にします。新しく設定するまで、登録済みの端末ではパスワードだけでサインインできます。実行するには {operator} と入力してください:"),
        )
    }

    pub(crate) fn ask_group_removal(self, group: &str, members: usize) -> String {
        self.pick(
            format!("This removes the group with its {members} operators in it. What the policy says of the group holds for them no more, at once: where it narrows, they may more than before. Type {group} to do it:"),
            format!("グループを削除します。所属する {members} 人には、ポリシーのこのグループの規定がただちに適用されなくなります。規定が制限していた操作は、できるようになります。実行するには {group} と入力してください:"),
        )
    }

    /// A policy that asks of programs what they cannot do.
    pub(crate) fn ask_unmet(self, demands: &[&str]) -> String {
        let unmet = self.unmet(demands);
        self.pick(
            format!("{unmet} Type publish to put it in force all the same:"),
            format!("{unmet}それでも公開するには publish と入力してください:"),
        )
    }

    pub(crate) fn ask_new_server_key(self) -> String {
        self.pick(
            "From now on only programs get in that have been on since the first step: operators', administrators' and end users' alike. Whoever has not needs the newest tenant.json from you by hand. Type server to do it:",
            "これ以降は、最初の手順の後に一度でも接続したプログラム（オペレータ、管理者、お客様のいずれも）だけがつながります。接続していない人には最新の tenant.json を手渡す必要があります。実行するには server と入力してください:",
        )
    }

    pub(crate) fn server_key_waits(self) -> String {
        self.pick(
            "The server goes on with its old TLS key. Wait until everybody has been on once, end users' programs too; then use the new one with `tasuki-admin key rotate server --finish`.",
            "サーバーはまだ以前の TLS 鍵を使っています。お客様のプログラムを含む全員が一度接続するのを待ち、その後 `tasuki-admin key rotate server --finish` で新しい鍵に切り替えてください。",
        )
    }

    pub(crate) fn server_key_in_use(self, pin: &Digest) -> String {
        self.pick(
            format!("The server's new TLS key is in use. Whoever is told that the server is not the organisation's needs this computer's tenant.json. The SHA-256 of the server's public key, which `init --recover` asks for, is now (keep it with the recovery shares):\n  {pin}"),
            format!("サーバーの新しい TLS 鍵を使い始めました。「あなたの組織のものではありません」と表示される人には、このコンピュータの tenant.json を渡してください。`init --recover` で尋ねられるサーバー公開鍵の SHA-256 は次のとおりです（復元シートとともに保管してください）:\n  {pin}"),
        )
    }

    pub(crate) fn recovered(self, organisation: &str) -> String {
        self.pick(
            format!("The keys of {organisation} are on this computer again. All other administrators are disabled: `tasuki-admin admin list`, then `admin enable NAME` or `admin add NAME`. The recovery shares count as before."),
            format!("{organisation} の鍵をこのコンピュータに復元しました。ほかの管理者はすべて停止されています。`tasuki-admin admin list` で確認し、`admin enable 名前` か `admin add 名前` を実行してください。復元シートは引き続き有効です。"),
        )
    }

    pub(crate) fn ask_new_root(self) -> String {
        self.pick(
            "The recovery shares that were printed before are void then. Type root to make a new root key:",
            "これまでに印刷した復元シートはすべて無効になります。新しい root 鍵を作るには root と入力してください:",
        )
    }

    pub(crate) fn decrees_go_on(self, count: usize) -> String {
        self.pick(
            format!("The new root key signs for {} of the one before about the ledger (prunings and acknowledged restores). Nothing that the old key signs from now on counts.", counted(count as u64, "word")),
            format!("記録について以前の root 鍵が署名した {count} 件（削除と復元の承認）は、新しい root 鍵の署名により引き続き有効です。以前の鍵がこれから署名するものはすべて無効です。"),
        )
    }

    pub(crate) fn ask_new_root_alone(self) -> String {
        self.pick(
            "The recovery shares that were printed before are void then, and every device is out until `tasuki-admin device approve`. Type root to make a new root key:",
            "これまでに印刷した復元シートはすべて無効になり、すべての端末が `tasuki-admin device approve` まで使えなくなります。新しい root 鍵を作るには root と入力してください:",
        )
    }

    pub(crate) fn ask_new_lock_alone(self) -> String {
        self.pick(
            "Whoever is here by a certificate of the old key is out within seconds, and every device waits for `tasuki-admin device approve`. Type lock to do it:",
            "以前の鍵による証明書でサインインしている人は数秒以内に切断され、すべての端末が `tasuki-admin device approve` を待つことになります。実行するには lock と入力してください:",
        )
    }

    /// The bundle asks for a list that the server does not show.
    pub fn list_withheld(self) -> String {
        self.pick(
            "The server does not show the list of revoked devices that the bundle asks for: programs that have not seen it start no session. `tasuki-admin key republish` signs it anew.",
            "構成ファイルが求める失効リストを、サーバーが示していません。まだ受け取っていないプログラムはセッションを始めません。`tasuki-admin key republish` で署名し直せます。",
        )
    }

    pub fn list_signed(self) -> String {
        self.pick(
            "The list of revoked devices is signed anew, with all that this computer has seen on it. Programs start sessions again.",
            "失効リストに署名し直しました。このコンピュータで確認した端末がすべて載っています。各プログラムはセッションを再開できます。",
        )
    }
}
