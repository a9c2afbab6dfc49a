//! The words in the lists of accounts, devices, keys and sessions, in English and Japanese. What scripts read is
//! the same in both, and not from here.

use tasuki_protocol::devices::DeviceState;
use tasuki_protocol::rights::Mode;

use crate::command::Standing;
use crate::texts::Language;

impl Language {
    pub(crate) fn enabled(self) -> String {
        self.pick("enabled", "有効")
    }

    pub(crate) fn disabled(self) -> String {
        self.pick("disabled", "無効")
    }

    pub(crate) fn suspended(self, until: &str) -> String {
        self.pick(format!("suspended until {until}"), format!("停止中（{until} まで）"))
    }

    /// In English as commands and policies name it.
    pub(crate) fn mode(self, mode: Mode) -> String {
        let japanese = match mode {
            Mode::Manage => "管理",
            Mode::Control => "操作",
            Mode::View => "閲覧",
            Mode::Share => "共有",
            Mode::Show => "表示",
        };
        self.pick(mode.name(), format!("{japanese}({})", mode.name()))
    }

    pub(crate) fn device_state(self, state: DeviceState) -> String {
        match state {
            DeviceState::Pending => self.pick("pending", "承認待ち"),
            DeviceState::Approved => self.pick("approved", "承認済み"),
            DeviceState::Expired => self.pick("expired", "期限切れ"),
            DeviceState::Revoked => self.pick("revoked", "失効"),
        }
    }

    pub(crate) fn device_columns(self) -> [String; 7] {
        [
            self.pick("OPERATOR", "オペレータ"),
            self.pick("KEY", "鍵"),
            self.pick("STATE", "状態"),
            self.pick("DAYS", "残り日数"),
            self.pick("SHOWN AS", "証明書の表示名"),
            self.pick("MODES", "証明書のモード"),
            self.pick("NOTE", "備考"),
        ]
    }

    /// Of a certificate with another name than the account has now.
    pub(crate) fn renew_for_name(self, name: &str) -> String {
        self.pick(
            format!("renewal due: shown name is now {name}"),
            format!("要更新: 現在の表示名は {name}"),
        )
    }

    /// Of a certificate that has fewer modes than the account.
    pub(crate) fn renew_for_modes(self, modes: &str) -> String {
        self.pick(
            format!("renewal due: the account has {modes} too"),
            format!("要更新: アカウントには {modes} もあります"),
        )
    }

    pub(crate) fn withheld(self, rights: &str) -> String {
        self.pick(format!("without {rights}"), format!("与えない権限: {rights}"))
    }

    pub(crate) fn key_standing(self, kind: &str, standing: Standing) -> String {
        match (standing, kind) {
            (Standing::InUse, _) => self.pick("in use", "使用中"),
            (Standing::Waits, _) => self.pick("prepared, not in use yet", "準備済み（未使用）"),
            (Standing::Former, "log") => {
                self.pick("former: opens older records", "以前の鍵（古い記録を開くために保管）")
            }
            (Standing::Former, _) => {
                self.pick("former: still accepted", "以前の鍵（引き続き受け付けます）")
            }
            (Standing::Over, _) => self.pick("former: counts no more", "以前の鍵（無効）"),
        }
    }

    /// What the server keeps of log keys has another digest than the bundle.
    pub(crate) fn log_keys_unsigned(self) -> String {
        self.pick(
            "The log keys that the server keeps are not those that the bundle signs for: former ones are not shown, nor since when. `tasuki-admin audit verify` says what to do.",
            "サーバーが保管する記録の鍵は、構成ファイルが署名したものではありません。以前の鍵と使用開始の日時は表示しません。対処方法は `tasuki-admin audit verify` で確認できます。",
        )
    }

    /// `kind` is the word by which `key rotate` knows it.
    pub(crate) fn key_kind(self, kind: &str) -> String {
        let japanese = match kind {
            "root" => "構成の署名",
            "lock" => "端末の証明",
            "manifest" => "許可証の署名",
            "checkpoint" => "記録の署名",
            "server" => "サーバー",
            "log" => "記録の封印",
            other => other,
        };
        self.pick(kind, if japanese == kind { kind.to_owned() } else { format!("{japanese}({kind})") })
    }
}
