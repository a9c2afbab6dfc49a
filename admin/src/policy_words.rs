//! The words about policies and sessions, in English and Japanese.

use serde_json::{Value, json};
use tasuki_protocol::policy::check::PolicyFault;
use tasuki_protocol::policy::decide::{Section, Source};
use tasuki_protocol::policy::exchange::SessionStage;
use tasuki_protocol::policy::rank::Key;
use tasuki_protocol::rights::Mode;

use crate::command::Barred;
use crate::fault::Fault;
use crate::policy_names::Unknown;
use crate::texts::Language;

impl Language {
    pub fn policy_published(self, version: u64, ended: u32) -> String {
        self.pick(
            format!("Policy version {version} is in force. Sessions and numbers that were wider and have ended: {ended}."),
            format!("ポリシー第{version}版を公開しました。範囲を超えるため終了したセッションと番号: {ended}件。"),
        )
    }

    /// Of sections that hold for nobody.
    pub(crate) fn for_nobody(self, unknown: &[Unknown]) -> String {
        let name = |Unknown { section, meant }: &Unknown| match meant {
            Some(meant) => self.pick(
                format!("{section} (did you mean \"{meant}\"? Capitals count)"),
                format!("{section}（もしかして {meant} ですか。大文字と小文字は区別されます）"),
            ),
            None => section.clone(),
        };
        let named: Vec<String> = unknown.iter().map(name).collect();
        let named = named.join(", ");
        self.pick(
            format!("There is no such operator or group, so these sections hold for nobody: {named}."),
            format!(
                "該当するオペレータまたはグループがないため、次の節は誰にも適用されません: {named}"
            ),
        )
    }

    /// Why a policy was not published.
    pub(crate) fn about_policies(self, fault: &Fault) -> String {
        let Fault::PolicyFile { file, why } = fault else {
            return self.pick(
                "Somebody published another policy meanwhile, so nothing was changed. Read it with `tasuki-admin policy show` and try again.",
                "その間に別のポリシーが公開されたため、何も変更しませんでした。`tasuki-admin policy show` で確認してやり直してください。",
            );
        };
        self.pick(
            format!("{} is no policy, and nothing was changed ({}).", file.display(), why.english()),
            format!(
                "{} はポリシーとして読めません。何も変更していません（{}）。",
                file.display(),
                why.japanese()
            ),
        )
    }

    /// Who signed, and has no account any more.
    pub fn removed_administrator(self, key: &str) -> String {
        self.pick(format!("removed administrator ({key})"), format!("削除された管理者（{key}）"))
    }

    pub(crate) fn ask_unknown(self, unknown: &[Unknown], first: &str) -> String {
        let said = self.for_nobody(unknown);
        self.pick(
            format!("{said} Type {first} to publish the policy all the same:"),
            format!("{said}\nそれでも公開する場合は {first} と入力してください:"),
        )
    }

    pub fn no_policy(self) -> String {
        self.pick(
            "No policy was published yet; the built-in one holds. See it with `policy explain OPERATOR --mode MODE`.",
            "ポリシーはまだ公開されておらず、組み込みの規則が有効です。`policy explain オペレータ --mode モード` で確認できます。",
        )
    }

    pub fn no_change(self) -> String {
        self.pick(
            "The file says what is in force already.",
            "ファイルの内容は現在のポリシーと同じです。",
        )
    }

    pub fn rollback_note(self, version: u64) -> String {
        self.pick(format!("version {version} again"), format!("第{version}版に戻した"))
    }

    pub fn session_allowed(self, operator: &str, mode: Mode, minutes: u64) -> String {
        self.pick(
            format!("{operator} may open a session in mode {mode} now, for at most {minutes} minutes."),
            format!("{operator} は今、モード {mode} のセッションを最長{minutes}分まで開始できます。"),
        )
    }

    /// As [`Self::session_allowed`], or less where the account's own hours are over before; all in seconds.
    pub fn session_until(self, operator: &str, mode: Mode, length: u64, hours: Option<u64>) -> String {
        let Some(left) = hours.filter(|left| *left < length) else {
            return self.session_allowed(operator, mode, length / 60);
        };
        if left == 0 {
            return self.account_hours_denied(operator, mode);
        }
        let (allowed, minutes) = (self.session_allowed(operator, mode, left / 60), length / 60);
        self.pick(
            format!("{allowed} The hours of his account end then; the policy would allow {minutes}."),
            format!("{allowed}その時点でアカウントの利用時間が終わるためです（ポリシー上は{minutes}分まで）。"),
        )
    }

    pub(crate) fn account_hours_denied(self, operator: &str, mode: Mode) -> String {
        self.pick(
            format!("The policy lets {operator} use mode {mode}, but the hours of his account do not allow it now; change them with `tasuki-admin operator limit {operator}`."),
            format!("ポリシーは {operator} にモード {mode} を許可していますが、今はアカウントの利用時間外です。変更は `tasuki-admin operator limit {operator}` で行います。"),
        )
    }

    /// Behind [`Self::barred`].
    pub(crate) fn outside_his_hours(self, operator: &str) -> String {
        self.pick(
            format!("Besides, the hours of his account do not allow it now (`tasuki-admin operator limit {operator}`)."),
            format!("また、今はアカウントの利用時間外です（`tasuki-admin operator limit {operator}`）。"),
        )
    }

    /// A right that a policy gives in vain.
    pub(crate) fn not_done_yet(self, means: &str) -> String {
        self.pick(
            format!("{means} (no program of this version does it)"),
            format!("{means}（このバージョンのプログラムは未対応）"),
        )
    }

    /// What a policy demands and no program of this version can do.
    pub fn unmet(self, demands: &[&str]) -> String {
        let named = demands.join(", ");
        self.pick(
            format!("No program of this version can do what is required here ({named}), so no session starts where that holds: the customer's computer refuses it."),
            format!("必須とされた項目（{named}）は、このバージョンのどのプログラムも対応していません。これが適用されるセッションは、お客様のコンピュータが拒否するため開始できません。"),
        )
    }

    /// Whatever the policy says.
    pub fn barred(self, operator: &str, barred: Barred) -> String {
        match barred {
            Barred::Disabled => self.pick(
                format!("{operator} can open no session: the account is disabled (`tasuki-admin operator enable {operator}`)."),
                format!("{operator} は無効化されているため、セッションを開始できません（有効化は `tasuki-admin operator enable {operator}`）。"),
            ),
            Barred::NoDevice => self.pick(
                format!("{operator} can open no session: no device of his is certified (`tasuki-admin device list {operator}`)."),
                format!("{operator} には承認済みの端末がないため、セッションを開始できません（確認は `tasuki-admin device list {operator}`）。"),
            ),
        }
    }

    /// Before what the policy would say then.
    pub(crate) fn without(self, barred: Barred) -> String {
        match barred {
            Barred::Disabled => self
                .pick("With the account enabled the policy says:", "有効にした場合は次のとおりです:"),
            Barred::NoDevice => self.pick(
                "With a device that is certified for everything the policy says:",
                "端末を制限なしで承認した場合は次のとおりです:",
            ),
        }
    }

    pub fn mode_denied(self, operator: &str, mode: Mode) -> String {
        self.pick(
            format!("{operator} may not use mode {mode}; see the row \"modes\" for the rule."),
            format!("{operator} はモード {mode} を使えません。決めた規則は modes の行にあります。"),
        )
    }

    pub fn hours_denied(self, operator: &str, mode: Mode) -> String {
        self.pick(
            format!("{operator} may use mode {mode}, but not at this hour; see the row \"hours\" for the rule."),
            format!("{operator} はモード {mode} を使えますが、今は許可された時間外です。決めた規則は hours の行にあります。"),
        )
    }

    pub fn explain_columns(self) -> [String; 4] {
        [
            self.pick("RULE", "規則"),
            self.pick("VALUE", "値"),
            self.pick("DECIDED BY", "決めたもの"),
            self.pick("MEANING", "意味"),
        ]
    }

    pub fn history_columns(self) -> [String; 4] {
        [
            self.pick("VERSION", "版"),
            self.pick("PUBLISHED", "公開日時"),
            self.pick("BY", "管理者"),
            self.pick("NOTE", "メモ"),
        ]
    }

    pub fn decided_by(self, by: &Source, key: Key) -> String {
        match by {
            Source::BuiltIn => self.pick("built in", "組み込み"),
            Source::Server => "server.toml".to_owned(),
            Source::Account if key == Key::Hours => {
                self.pick("the account's hours", "アカウントの利用時間")
            }
            Source::Account => self.pick("the account's modes", "アカウントのモード"),
            Source::Rule(section) => section.to_string(),
            Source::Base(section, preset) => {
                format!("{section} base = {:?}", preset.name())
            }
            Source::Certificate => self.pick("the operator's certificate", "オペレータの証明書"),
            Source::Mode(mode) => {
                self.pick(format!("mode {mode} itself"), format!("モード {mode} の性質"))
            }
        }
    }

    pub fn key_means(self, key: Key) -> String {
        let (en, ja) = match key {
            Key::Modes => ("use of this mode", "このモードの使用"),
            Key::Hours => ("use at this hour", "現在の時間帯での使用"),
            Key::SeeScreen => ("seeing the screen", "画面の閲覧"),
            Key::Operate => ("pointer and keys", "マウスとキーボードの操作"),
            Key::ChooseScreen => ("choosing the monitor", "モニタの選択"),
            Key::FetchFiles => ("files from the shown computer", "画面側からのファイル取得"),
            Key::SendFiles => ("files to the shown computer", "画面側へのファイル送信"),
            Key::ReadClipboard => ("reading its clipboard", "クリップボードの読み取り"),
            Key::WriteClipboard => ("writing its clipboard", "クリップボードの書き込み"),
            Key::Screenshot => ("keeping a picture", "画面の保存"),
            Key::Chat => ("chat", "チャット"),
            Key::Point => ("pointing and drawing", "指し示しと描画"),
            Key::Reconnect => ("coming back after a reboot", "再起動後の再接続"),
            Key::Recording => ("recording", "録画"),
            Key::ApplicationSelection => ("only a chosen application", "アプリケーション選択"),
            Key::AddressDisclosure => ("operator's addresses told", "オペレータのアドレスの開示"),
            Key::MaxMinutes => ("minutes at most", "最長時間（分）"),
            Key::Reason => ("a reason is asked for", "理由の入力"),
        };
        self.pick(en, ja)
    }

    pub fn policy_fault(self, fault: &PolicyFault) -> String {
        let japanese = match fault {
            PolicyFault::Foreign => "形式または組織が異なるポリシーです".to_owned(),
            PolicyFault::Note => "メモは表示できる文字で200文字以内にしてください".to_owned(),
            PolicyFault::Name(name) => format!("{name:?} という名前の節は使えません"),
            PolicyFault::Alike(a, b) => format!("{a:?} と {b:?} は紛らわしい名前です"),
            PolicyFault::Wider { section, key, than } => {
                format!("{section} の {key} が {than} より緩くなっています")
            }
            PolicyFault::WiderThanBase { section, key } => {
                format!("{section} の {key} がその節の base より緩くなっています")
            }
            PolicyFault::Minutes(section) => format!("{section} の max_minutes は 1 から 480 です"),
            PolicyFault::List(section) => {
                format!("{section} の hours は 1 から 32 個、modes は重複なしで指定してください")
            }
        };
        self.pick(
            format!("The policy is refused, and nothing was changed: {fault}."),
            format!("ポリシーを受け付けず、何も変更していません: {japanese}。"),
        )
    }

    pub fn session_columns(self) -> [String; 7] {
        [
            self.pick("SESSION", "セッション"),
            self.pick("OPERATOR", "オペレータ"),
            self.pick("MODE", "モード"),
            self.pick("STAGE", "段階"),
            self.pick("AGE", "経過"),
            self.pick("LEFT", "残り"),
            self.pick("REASON", "理由"),
        ]
    }

    pub fn session_stage(self, stage: SessionStage) -> String {
        match stage {
            SessionStage::Waiting => self.pick("number waits", "番号待ち"),
            SessionStage::Meeting => self.pick("number entered", "番号入力済み"),
            SessionStage::Paired => self.pick("in session", "接続中"),
        }
    }

    pub fn no_sessions(self) -> String {
        self.pick(
            "No number waits and no session lives.",
            "待機中の番号も接続中のセッションもありません。",
        )
    }

    pub fn ask_end(self, operator: &str) -> String {
        self.pick(
            format!("This ends the session of {operator} at both ends, at once. Type {operator} to do it:"),
            format!("{operator} のセッションを両側で直ちに終了します。実行するには {operator} と入力してください:"),
        )
    }

    pub fn session_ended(self, session: &str) -> String {
        self.pick(
            format!("Session {session} was ended."),
            format!("セッション {session} を終了しました。"),
        )
    }
}

pub(crate) fn by_json(by: &Source) -> Value {
    let section = |section: &Section| match section {
        Section::Default => json!({ "section": "default" }),
        Section::Group(name) => json!({ "section": "group", "name": name }),
        Section::Operator(name) => json!({ "section": "operator", "name": name }),
    };
    match by {
        Source::BuiltIn => json!({ "kind": "built_in" }),
        Source::Server => json!({ "kind": "server" }),
        Source::Account => json!({ "kind": "account" }),
        Source::Rule(rule) => json!({ "kind": "rule", "of": section(rule) }),
        Source::Base(rule, preset) => {
            json!({ "kind": "base", "of": section(rule), "preset": preset.name() })
        }
        Source::Certificate => json!({ "kind": "certificate" }),
        Source::Mode(mode) => json!({ "kind": "mode", "mode": mode }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s63_hours_that_end_first_are_told_with_what_the_policy_would_give() {
        for (language, hint) in [(Language::En, "hours of his account"), (Language::Ja, "利用時間")]
        {
            let told = |hours| language.session_until("hanako", Mode::View, 3600, hours);
            let allowed = |minutes| language.session_allowed("hanako", Mode::View, minutes);
            assert_eq!([told(None), told(Some(3600)), told(Some(86_400))], [60; 3].map(allowed));
            let shorter = told(Some(1500));
            assert!(shorter.starts_with(&allowed(25)), "{shorter}");
            assert!(shorter.contains(hint) && shorter.contains("60"), "{shorter}");
            let outside = told(Some(0));
            assert!(outside.contains(hint) && outside.contains("operator limit hanako"), "{outside}");
        }
    }

    #[test]
    fn s100_every_rule_has_a_meaning_in_both_languages() {
        for key in Key::ALL {
            assert_ne!(Language::En.key_means(key), Language::Ja.key_means(key), "{key:?}");
        }
    }
}
