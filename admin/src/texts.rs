//! The words of the program, in English and Japanese. What goes wrong is in `fault_texts`.

use crate::authenticator::ByHand;
use crate::shares::numbered;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Language {
    En,
    Ja,
}

impl Language {
    /// From `LC_ALL`, `LC_MESSAGES`, `LANG`, the first that is set.
    pub fn of_environment() -> Self {
        let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let locale = set("LC_ALL").or_else(|| set("LC_MESSAGES")).or_else(|| set("LANG"));
        if locale.is_some_and(|locale| locale.starts_with("ja")) { Self::Ja } else { Self::En }
    }

    pub(crate) fn pick(self, en: impl Into<String>, ja: impl Into<String>) -> String {
        match self {
            Self::En => en.into(),
            Self::Ja => ja.into(),
        }
    }

    pub fn ask_token(self) -> String {
        self.pick(
            "One-time token, as printed by `tasuki-server setup` or `tasuki-admin admin add`:",
            "`tasuki-server setup` または `tasuki-admin admin add` が表示した一度限りのトークン:",
        )
    }

    pub fn ask_password(self) -> String {
        self.pick(
            "Password for the operator (at least 15 characters):",
            "オペレータのパスワード（15文字以上）:",
        )
    }

    pub fn enrolled(self, organisation: &str) -> String {
        self.pick(
            format!("You are now an administrator of {organisation}. Add operators with `tasuki-admin operator add`."),
            format!("{organisation} の管理者として登録されました。`tasuki-admin operator add` でオペレータを追加できます。"),
        )
    }

    pub fn added(self, operator: &str, hours: u64) -> String {
        self.pick(
            format!("Operator {operator} was added. Hand over the following; they are shown once. The code is for the first device and is valid for {hours} hours."),
            format!("オペレータ {operator} を追加しました。次の情報を本人に渡してください。表示は一度だけです。コードは最初の端末の登録用で、有効期間は{hours}時間です。"),
        )
    }

    pub fn unsettled(self) -> String {
        self.pick(
            "Whether the server took the new keys is not known. Both they and the old ones are kept here; the next command finds out which are in force.",
            "サーバーが新しい鍵を受け取ったかどうかは分かりません。新旧どちらの鍵もここに保管してあり、次のコマンドの実行時にどちらが有効かを確かめます。",
        )
    }

    pub fn settled(self) -> String {
        self.pick(
            "The server had taken the change of keys whose answer was lost, and its keys are in use here now. If it changed the root, the old recovery shares are void: print new ones with `tasuki-admin key shares`.",
            "応答が失われた鍵の変更は、サーバーに受け取られていました。ここでも新しい鍵を使います。root の変更だった場合、以前の復元シートは無効です。`tasuki-admin key shares` で新しいものを印刷してください。",
        )
    }

    pub fn new_code(self, operator: &str, hours: u64) -> String {
        self.pick(
            format!(
                "Enrolment code for one more device of {operator}, valid for {hours} hours, shown once:"
            ),
            format!("{operator} の追加端末の登録コードです（有効期間{hours}時間、表示は一度だけ）:"),
        )
    }

    pub fn password_label(self) -> String {
        self.pick("password", "パスワード")
    }

    pub fn code_label(self) -> String {
        self.pick("enrolment code", "登録コード")
    }

    pub fn done(self, operator: &str) -> String {
        self.pick(format!("{operator}: done."), format!("{operator}: 完了しました。"))
    }

    pub fn no_operators(self) -> String {
        self.pick(
            "There are no operators yet. Add one with `tasuki-admin operator add`.",
            "オペレータはまだいません。`tasuki-admin operator add` で追加してください。",
        )
    }

    pub fn columns(self) -> [String; 7] {
        [
            self.pick("OPERATOR", "オペレータ"),
            self.pick("NAME", "表示名"),
            self.pick("STATE", "状態"),
            self.pick("DEVICES", "端末数"),
            self.pick("MODES", "モード"),
            self.pick("GROUPS", "グループ"),
            self.pick("LIMITS", "制限"),
        ]
    }

    pub fn pages_written(self, folder: &std::path::Path) -> String {
        self.pick(
            format!("The manual is in {0}. Read it with: man -l {0}/tasuki-admin.1", folder.display()),
            format!(
                "マニュアルを {0} に書き出しました。man -l {0}/tasuki-admin.1 で読めます。",
                folder.display()
            ),
        )
    }

    pub fn ask_fingerprint(self) -> String {
        self.pick(
            "SHA-256 of the server's public key, as printed by `tasuki-server setup` or, for `--recover`, by `tasuki-server recovery-token`:",
            "サーバー公開鍵の SHA-256（`tasuki-server setup` の表示。`--recover` では `tasuki-server recovery-token` の表示）:",
        )
    }

    pub fn ask_admin_password(self) -> String {
        self.pick("Your administrator's password:", "管理者パスワード:")
    }

    pub fn ask_new_password(self) -> String {
        self.pick(
            "A new password for you as administrator (at least 15 characters):",
            "管理者としての新しいパスワード（15文字以上）:",
        )
    }

    pub fn ask_again(self) -> String {
        self.pick("The same once more:", "もう一度入力してください:")
    }

    pub fn ask_digits(self) -> String {
        self.pick("The authenticator's six digits:", "認証アプリの6桁の数字:")
    }

    pub fn wrong_digits(self) -> String {
        self.pick(
            "These are not its digits. Wait for the next ones and type those; the authenticator stays the same.",
            "数字が違います。次に表示される数字を入力してください。認証アプリの登録はそのままで構いません。",
        )
    }

    pub fn ask_own_passphrase(self) -> String {
        self.pick(
            "A passphrase for the organisation's keys (at least 15 characters, hard to guess):",
            "組織の鍵を守るパスフレーズ（15文字以上、推測されにくいもの）:",
        )
    }

    pub fn ask_passphrase(self) -> String {
        self.pick("The passphrase of the organisation's keys:", "組織の鍵のパスフレーズ:")
    }

    pub fn ask_share(self, number: u8) -> String {
        self.pick(
            format!("Recovery share {number} of 2 (number, colon, 24 words, in one line or line by line as printed):"),
            format!("復元シート {number} / 2（番号、コロン、24語。一行でも、印刷どおり一行ずつでも可）:"),
        )
    }

    pub(crate) fn ask_words_from(self, at: usize) -> String {
        self.pick(format!("Words {at} to 24:"), format!("{at}～24語目:"))
    }

    pub fn ask_words(self, operator: &str) -> String {
        self.pick(
            format!("Call {operator} and type the six words that his computer shows:"),
            format!("{operator} に電話し、本人の画面に表示された6語を入力してください:"),
        )
    }

    pub fn set_authenticator_up(self, uri: &str) -> String {
        self.pick(
            format!("Scan this with your authenticator: {uri}"),
            format!("認証アプリで読み取ってください: {uri}"),
        )
    }

    /// Below the square code.
    pub(crate) fn authenticator_by_hand(self, told: &ByHand) -> String {
        let ByHand { account, issuer, key } = told;
        self.pick(
            format!("If it cannot be scanned, choose to type a key in the authenticator (by time, 6 digits):\n  account: {account} ({issuer})\n  key: {key}"),
            format!("読み取れない場合は、認証アプリで「キーを入力」を選んで入力してください（時間ベース、6桁）:\n  アカウント: {account}（{issuer}）\n  キー: {key}"),
        )
    }

    pub fn signed_in(self, organisation: &str) -> String {
        self.pick(
            format!("You are signed in as an administrator of {organisation}."),
            format!("{organisation} の管理者としてサインインしました。"),
        )
    }

    pub fn signed_out(self) -> String {
        self.pick("You are signed out.", "サインアウトしました。")
    }

    pub fn invited(self, name: &str, hours: u64) -> String {
        let name = &quoted(name);
        self.pick(
            format!("Token for {name}, valid for {hours} hours, shown once. On his computer: `tasuki-admin --bundle tenant.json enrol --name {name}`."),
            format!("{name} のトークンです（有効期間{hours}時間、表示は一度だけ）。本人のコンピュータで `tasuki-admin --bundle tenant.json enrol --name {name}` を実行してください。"),
        )
    }

    pub fn approved(self, operator: &str, days: u64) -> String {
        self.pick(
            format!("The device of {operator} is certified for {days} days. He can sign in now."),
            format!("{operator} の端末を {days} 日間承認しました。サインインできます。"),
        )
    }

    pub fn bundle_holds(self, version: u64, days: u64) -> String {
        self.pick(
            format!("The bundle is version {version} and holds for {days} days. Programs follow it by themselves."),
            format!("構成ファイルは第 {version} 版で、有効期間は {days} 日です。各プログラムは自動的に追従します。"),
        )
    }

    pub fn ask_republish(self, server: u64, known: u64, date: &str) -> String {
        self.pick(
            format!("The server is back at bundle {server}; this computer has seen {known}, of {date}. Go on only if you know that a backup was restored, and on the computer from which keys were changed last: a key that was dropped after bundle {known} would count again. Type {server} to sign a newer one:"),
            format!("サーバーの構成ファイルは第 {server} 版に戻っています（このコンピュータは {date} の第 {known} 版まで確認済み）。バックアップを復元したと分かっている場合だけ、最後に鍵を変更したコンピュータで続けてください。第 {known} 版より後に廃止した鍵は再び有効になります。新しい版に署名するには {server} と入力してください:"),
        )
    }

    /// Behind what `init --recover` made with a colleague's token.
    pub fn lost_account(self) -> String {
        self.pick(
            "\nThe account of the lost computer still works. Find it with `tasuki-admin admin list` and shut it out: `tasuki-admin admin disable NAME`.",
            "\n失われたコンピュータのアカウントはまだ使えます。`tasuki-admin admin list` で確認し、`tasuki-admin admin disable 名前` で停止してください。",
        )
    }

    pub fn republished(self, version: u64) -> String {
        self.pick(
            format!("The bundle is version {version}, above every one that was seen: programs follow it by themselves. Next, unless it is done: `tasuki-admin audit acknowledge-restore --reason TEXT`; and disable, revoke and limit once more what was since the backup. Passwords are those of then, and authenticators that were set up since are asked for no more."),
            format!("構成ファイルは第 {version} 版となり、これまでのどれよりも新しいため、各プログラムは自動的に追従します。続いて、まだであれば `tasuki-admin audit acknowledge-restore --reason TEXT` を実行し、バックアップ以降に行った停止・失効・制限をもう一度行ってください。パスワードは当時のものに戻り、その後に設定した認証アプリは求められません。"),
        )
    }

    pub fn shares(self, shares: &[zeroize::Zeroizing<String>]) -> String {
        let head = self.pick(
            "Recovery shares: print them and keep them in three places. Any two bring the keys back; one alone is worth nothing. They are shown once.",
            "復元シート: 印刷して三か所に保管してください。二枚あれば鍵を復元でき、一枚だけでは役に立ちません。表示は一度だけです。",
        );
        let lines: String = shares.iter().map(|share| format!("\n{}", *numbered(share))).collect();
        format!("{head}{lines}")
    }

    /// What is shown once of the organisation's keys, before the server has them.
    pub fn once(self, passphrase: Option<&str>, shares: &[zeroize::Zeroizing<String>]) -> String {
        let passphrase = passphrase.map(|passphrase| {
            self.pick(
                format!("Passphrase of the keys; write it down, it is shown once. Without it and without two shares the logs can never be read:\n  {passphrase}"),
                format!("鍵のパスフレーズです。書き留めてください（表示は一度だけ）。これも復元シート二枚もなければ、記録は二度と読めません:\n  {passphrase}"),
            )
        });
        let shares = (!shares.is_empty()).then(|| self.shares(shares));
        passphrase.into_iter().chain(shares).collect::<Vec<_>>().join("\n")
    }

    /// Behind [`Self::once`], before anything of it counts.
    pub fn ask_last_word(self) -> String {
        self.pick(
            "Nothing has been sent yet. When you have it written down, type the last word of the passphrase:",
            "まだ何も送信していません。書き留めたら、パスフレーズの最後の語を入力してください:",
        )
    }

    /// Behind [`Self::once`], where no answer came that anything is to be made of.
    pub fn unheard(self) -> String {
        self.pick(
            "Whether the server has taken these keys is not known. Keep what was shown, and run the same command again: it finds out whether they are in force, and if they are not it makes new ones and says so.",
            "サーバーがこの鍵を受け取ったかどうかは分かりません。表示された内容を残したまま、同じコマンドをもう一度実行してください。有効かどうかを確かめ、有効でなければ新しいものを作って表示します。",
        )
    }

    pub fn as_shown_before(self) -> String {
        self.pick(
            "The server had taken the keys of an earlier try whose answer was lost. The passphrase and the recovery shares are those that were shown then.",
            "応答が失われた前回の鍵は、サーバーに受け取られていました。パスフレーズと復元シートはその時に表示されたものです。",
        )
    }

    /// That the keys of `init` are in force.
    pub fn initialised(self, organisation: &str, bundle: &std::path::Path) -> String {
        self.pick(
            format!("The keys of {organisation} are on this computer, and the server is in service.\nGive this file to operators' and agents' computers:\n  {}", bundle.display()),
            format!("{organisation} の鍵をこのコンピュータに作り、サーバーは稼働を開始しました。\nオペレータとエージェントのコンピュータにこのファイルを配ってください:\n  {}", bundle.display()),
        )
    }

    pub fn admin_columns(self) -> [String; 4] {
        [
            self.pick("ADMINISTRATOR", "管理者"),
            self.pick("STATE", "状態"),
            self.pick("KEY", "鍵"),
            self.pick("LIMITS", "制限"),
        ]
    }

    pub fn group_columns(self) -> [String; 2] {
        [self.pick("GROUP", "グループ"), self.pick("OPERATORS", "オペレータ")]
    }

    pub fn known_revoked(self, count: usize) -> String {
        self.pick(
            format!("Devices that this computer knows to be revoked: {count}"),
            format!("このコンピュータが把握している失効済み端末: {count}台"),
        )
    }

    pub fn first_list(self, shown: usize) -> String {
        self.pick(
            format!("This computer has signed no list of revoked devices yet. From the server alone it knows of {shown}. If the server hides a list, every device on it would be taken in again by what is signed now. `tasuki-admin device list` says the number on a computer that has revoked devices before."),
            format!("このコンピュータは失効リストに署名したことがありません。サーバーから得た情報では失効済みの端末は{shown}台です。サーバーがリストを隠している場合、ここで署名すると、そのリストにある端末がすべて再び有効になります。以前に失効させたコンピュータで `tasuki-admin device list` を実行すると、台数を確認できます。"),
        )
    }

    pub fn ask_revoked(self) -> String {
        self.pick(
            "How many devices were revoked until now, as you know it from elsewhere?",
            "ほかで確認した、これまでの失効済み端末の台数を入力してください:",
        )
    }

    pub fn key_columns(self) -> [String; 4] {
        let since = self.pick("SINCE", "使用開始");
        [self.pick("KIND", "種類"), self.pick("KEY", "鍵"), since, self.pick("NOTE", "備考")]
    }
}

/// `1 record`, `2 records`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// `1 record is`, `2 records are`.
pub(crate) fn counted_is(count: u64, noun: &str) -> String {
    format!("{} {}", counted(count, noun), if count == 1 { "is" } else { "are" })
}

/// As a shell takes it for one word.
pub(crate) fn quoted(name: &str) -> String {
    let is_plain = name.chars().all(|c| c.is_alphanumeric() || "-_.@+".contains(c));
    if is_plain { name.to_owned() } else { format!("'{}'", name.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_in_a_command_to_copy_is_one_word_of_the_shell() {
        for (name, word) in [
            ("taro", "taro"),
            ("Taro Sato", "'Taro Sato'"),
            ("佐藤", "佐藤"),
            ("O'Neil; x", "'O'\\''Neil; x'"),
        ] {
            for language in [Language::En, Language::Ja] {
                let told = language.invited(name, 24);
                assert!(told.contains(&format!("enrol --name {word}`")), "{told}");
            }
        }
    }
}
