//! Words of accounts that are mended, and of administrators' own, in English and Japanese.

use crate::command::Effect;
use crate::texts::{Language, quoted};

impl Language {
    pub(crate) fn ask_reset(self, operator: &str) -> String {
        self.pick(
            format!("{operator} gets a new password: his sign-ins and sessions end at once, and a suspension is lifted. Type {operator} to go on:"),
            format!("{operator} に新しいパスワードを設定します。サインインとセッションは直ちに終わり、ロックは解除されます。続けるには {operator} と入力してください:"),
        )
    }

    pub(crate) fn reset(self, operator: &str) -> String {
        self.pick(
            format!("{operator} has a new password. His devices and authenticator stay. Hand it over; he changes it with `tasuki password`."),
            format!("{operator} に新しいパスワードを設定しました。端末と認証アプリはそのままです。本人に渡してください（本人は `tasuki password` で変更できます）。"),
        )
    }

    pub(crate) fn named(self, operator: &str, effect: &Effect) -> String {
        let Effect { is_narrower, is_wider, devices, to_renew, held_back, ended } = *effect;
        let mut said =
            vec![self.pick(format!("{operator}: changed."), format!("{operator}: 変更しました。"))];
        if is_narrower {
            let ended = self.ended(ended);
            said.push(self.pick(
                format!("Fewer modes hold at once. {ended}"),
                format!("外したモードはすでに使えません。{ended}"),
            ));
        }
        if is_wider && devices > 0 && to_renew == 0 && held_back == 0 {
            said.push(self.pick(
                "His certificates have the modes that were added: they may be used at once.",
                "加えたモードは端末の証明書にすでに含まれているため、すぐに使えます。",
            ));
        }
        if to_renew > 0 {
            said.push(self.pick(
                format!("Of his {devices} approved devices {to_renew} need a new certificate for it: until then end users see the name that the old one has, and it allows no more modes than it did. `tasuki-admin device list {operator}` marks them; for each: `tasuki-admin device approve {operator} --renew`."),
                format!("承認済みの端末 {devices} 台のうち {to_renew} 台は、証明書の更新が必要です。更新するまで、その端末では以前の表示名のままで、モードは増えません。該当する端末は `tasuki-admin device list {operator}` で確認し、端末ごとに `tasuki-admin device approve {operator} --renew` を実行してください。"),
            ));
        }
        if held_back > 0 {
            said.push(self.pick(
                format!("Of his {devices} approved devices {held_back} were approved here for fewer modes, and stay so: what was said of a device holds for its next certificates too. To go further: `tasuki-admin device approve {operator} --renew --modes MODES`."),
                format!("承認済みの端末 {devices} 台のうち {held_back} 台は、このコンピュータでモードを絞って承認されているため、そのままです（絞ったモードは次の証明書にも引き継がれます）。広げるには `tasuki-admin device approve {operator} --renew --modes モード` を実行してください。"),
            ));
        }
        said.join(&self.pick(" ", ""))
    }

    pub(crate) fn to_change(self, operator: &str, name: &str, modes: &str) -> String {
        self.pick(
            format!("{operator} is shown as \"{name}\" and has the modes {modes}. Change the name with --display-name and the modes with --modes. From where and when he signs in: `operator limit`; a new password: `operator password`; rights within a mode: `policy`."),
            format!("{operator} の表示名は「{name}」、モードは {modes} です。表示名は --display-name、モードは --modes で変更できます。サインインできる場所と時間は `operator limit`、パスワードは `operator password`、モードごとの権限は `policy` で変更します。"),
        )
    }

    /// Behind the limits that are in force now.
    pub(crate) fn ended(self, ended: Option<usize>) -> String {
        match ended {
            Some(ended) => self.pick(
                format!("Sessions and numbers that have ended meanwhile: {ended}."),
                format!("この間に終了したセッションと番号: {ended}件。"),
            ),
            None => self.pick(
                "How many sessions and numbers have ended by it the server did not say any more: look at `tasuki-admin session list`.",
                "終了したセッションと番号の数は、サーバーから確認できませんでした。`tasuki-admin session list` で確認してください。",
            ),
        }
    }

    pub(crate) fn revoked(self, operator: &str) -> String {
        self.pick(
            format!("The device of {operator} is out, and stays out. Where he goes on at the same computer or another, he needs a new profile there and a new code: `tasuki-admin operator code {operator}`. Who signs in from the revoked one with the right password reads so."),
            format!("{operator} の端末を失効させました。元には戻りません。同じコンピュータや別のコンピュータで続けるには、新しいプロファイルと新しい登録コード（`tasuki-admin operator code {operator}`）が必要です。失効した端末から正しいパスワードでサインインすると、その旨が表示されます。"),
        )
    }

    pub(crate) fn not_suspended(self, operator: &str) -> String {
        self.pick(
            format!("{operator} was not suspended, so nothing has changed. If he cannot sign in, look at `tasuki-admin operator list` and `tasuki-admin audit list --operator {operator}`."),
            format!("{operator} はロックされていなかったため、何も変わっていません。サインインできない場合は `tasuki-admin operator list` と `tasuki-admin audit list --operator {operator}` を確認してください。"),
        )
    }

    /// Of a change that had nothing to do.
    pub(crate) fn was_so(self, name: &str) -> String {
        self.pick(
            format!("{name}: it was so already. Nothing was changed, and nothing recorded."),
            format!("{name}: すでにその状態でした。何も変更せず、記録もしていません。"),
        )
    }

    pub(crate) fn nothing_to_forget(self, operator: &str) -> String {
        self.pick(
            format!("{operator} has no authenticator: nothing was changed, and his sign-ins go on."),
            format!("{operator} に認証アプリの登録はありません。何も変更していません（サインインもそのままです）。"),
        )
    }

    pub(crate) fn forgotten(self, operator: &str) -> String {
        self.pick(
            format!("{operator}: his authenticator counts no more, and his sign-ins have ended. He sets a new one up with `tasuki login --authenticator`."),
            format!("{operator}: 認証アプリの登録は無効になり、サインインは終了しました。新しく登録するには、本人が `tasuki login --authenticator` を実行します。"),
        )
    }

    pub(crate) fn own_password_changed(self) -> String {
        self.pick(
            "Your password is changed, and you are signed out everywhere. The next command asks for the new one.",
            "パスワードを変更し、すべてのサインインを終了しました。次のコマンドで新しいパスワードを入力します。",
        )
    }

    pub(crate) fn invitation_columns(self) -> [String; 3] {
        [self.pick("FOR", "招待先"), self.pick("UNTIL", "期限"), self.pick("BY", "作成者")]
    }

    pub(crate) fn no_invitations(self) -> String {
        self.pick("No invitation is open.", "有効な招待はありません。")
    }

    pub(crate) fn withdrawn(self, name: &str) -> String {
        let name = &quoted(name);
        self.pick(
            format!("The invitations for {name} open nothing any more."),
            format!("{name} への招待をすべて取り消しました。"),
        )
    }

    pub(crate) fn no_invitation_for(self, name: &str) -> String {
        self.pick(
            format!("No invitation for {name} is open, so nothing was done. `tasuki-admin admin invitations` shows all. Who has used one is an administrator: `tasuki-admin admin disable`."),
            format!("{name} への有効な招待はないため、何も行いませんでした。`tasuki-admin admin invitations` で一覧できます。招待を使った人はすでに管理者です（`tasuki-admin admin disable`）。"),
        )
    }

    pub(crate) fn admin_there(self, name: &str) -> String {
        self.pick(
            format!("{name}, or a name that looks like it, is an administrator already, and a token for that name could never be used. Look at `tasuki-admin admin list`: one who is disabled comes back with `tasuki-admin admin enable`; for a new computer invite under another name, or remove the old account first."),
            format!("{name}（または見た目の同じ名前）は既に管理者なので、その名前のトークンは使えません。`tasuki-admin admin list` を確認してください。停止中なら `tasuki-admin admin enable`、新しいコンピュータ用なら別の名前で招待するか、先に以前のアカウントを削除します。"),
        )
    }

    pub(crate) fn certificates_end(self, ending: &[(&str, u64)]) -> String {
        let each = |(operator, days): &(&str, u64)| {
            self.pick(format!("{operator} ({days} days)"), format!("{operator}（あと {days} 日）"))
        };
        let each: Vec<String> = ending.iter().map(each).collect();
        let each = each.join(&self.pick(", ", "、"));
        self.pick(
            format!("Certificates end soon: {each}. Renew each before that, with the operator's six words: `tasuki-admin device approve NAME --renew`. Afterwards the device waits."),
            format!("まもなく証明書が切れます: {each}。それまでに、本人が読み上げる6語で更新してください: `tasuki-admin device approve 名前 --renew`。期限を過ぎると承認待ちになります。"),
        )
    }

    pub(crate) fn too_short(self, least: usize) -> String {
        self.pick(
            format!("That is shorter than {least} characters. Once more, please; nothing was sent."),
            format!("{least} 文字より短いです。もう一度入力してください（何も送信していません）。"),
        )
    }

    pub(crate) fn differ(self) -> String {
        self.pick(
            "The two entries differ. Once more, please.",
            "二度の入力が一致しません。もう一度入力してください。",
        )
    }
}
