//! What a person is asked before what cannot be undone, in English and Japanese: what it does, and the word to type.

use crate::texts::Language;

impl Language {
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
            format!("This removes the group with its {members} operators in it, who lose what the policy gives it, at once. Type {group} to do it:"),
            format!("グループを削除します。所属する {members} 人は、ポリシーがこのグループに与えた権限をただちに失います。実行するには {group} と入力してください:"),
        )
    }

    pub(crate) fn ask_new_root(self) -> String {
        self.pick(
            "The recovery shares that were printed before are void then. Type root to make a new root key:",
            "これまでに印刷した復元シートはすべて無効になります。新しい root 鍵を作るには root と入力してください:",
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
}
