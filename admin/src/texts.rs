//! The words of the program, in English and Japanese.

use tasuki_protocol::admin::ProblemCode;

use crate::fault::Fault;

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
            "Enrolment token, as printed by `tasuki-server setup`:",
            "`tasuki-server setup` が表示した登録トークン:",
        )
    }

    pub fn ask_password(self) -> String {
        self.pick(
            "Password for the operator (at least 12 characters):",
            "オペレータのパスワード（12文字以上）:",
        )
    }

    pub fn ask_removal(self, operator: &str) -> String {
        self.pick(
            format!("This cannot be undone. Type {operator} to remove the account:"),
            format!("この操作は取り消せません。削除するには {operator} と入力してください:"),
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

    pub fn new_code(self, operator: &str, hours: u64) -> String {
        self.pick(
            format!("Code for one more device of {operator}, valid for {hours} hours, shown once:"),
            format!("{operator} の追加端末の登録コードです（有効期間{hours}時間、表示は一度だけ）:"),
        )
    }

    pub fn password_label(self) -> String {
        self.pick("password", "パスワード")
    }

    pub fn code_label(self) -> String {
        self.pick("device code", "端末登録コード")
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

    pub fn columns(self) -> [String; 5] {
        [
            self.pick("OPERATOR", "オペレータ"),
            self.pick("NAME", "表示名"),
            self.pick("STATE", "状態"),
            self.pick("DEVICES", "端末数"),
            self.pick("MODES", "モード"),
        ]
    }

    /// One sentence that says what to do.
    pub fn fault(self, fault: &Fault) -> String {
        match fault {
            Fault::NoBundle(file) => self.pick(
                format!("There is no bundle at {}. Give the server's tenant.json with --bundle.", file.display()),
                format!("{} に構成ファイルがありません。サーバーの tenant.json を --bundle で指定してください。", file.display()),
            ),
            Fault::DamagedBundle(file) => self.pick(
                format!("{} is damaged or was changed. Fetch tenant.json from the server's data folder again.", file.display()),
                format!("{} は壊れているか書き換えられています。サーバーのデータフォルダから tenant.json を取り直してください。", file.display()),
            ),
            Fault::OtherTenant(file) => self.pick(
                format!("{} was signed by another organisation than this profile's. Use another --profile for another server.", file.display()),
                format!("{} はこのプロファイルとは別の組織が署名したものです。別のサーバーには別の --profile を使ってください。", file.display()),
            ),
            Fault::NotEnrolled(folder) => self.pick(
                format!("{} holds no administrator's key. Run `tasuki-admin enrol` first.", folder.display()),
                format!("{} に管理者の鍵がありません。先に `tasuki-admin enrol` を実行してください。", folder.display()),
            ),
            Fault::DamagedKey(file) => self.pick(
                format!("{} is damaged. Restore it from a backup.", file.display()),
                format!("{} が壊れています。バックアップから復元してください。", file.display()),
            ),
            Fault::File { file, why } => self.pick(
                format!("{} cannot be written ({why}). Check its owner and permissions.", file.display()),
                format!("{} に書き込めません（{why}）。所有者と権限を確認してください。", file.display()),
            ),
            Fault::Unreachable { address, why } => self.pick(
                format!("The server at {address} cannot be reached ({why}). Check that it runs and that the network lets you through."),
                format!("サーバー {address} に接続できません（{why}）。サーバーの稼働とネットワークを確認してください。"),
            ),
            Fault::OtherServer { address } => self.pick(
                format!("The server at {address} does not hold the key in the bundle. Nothing was sent. Check the address, or ask who runs the server for a new bundle."),
                format!("サーバー {address} の鍵が構成ファイルと一致しません。何も送信していません。アドレスを確認するか、サーバーの担当者に新しい構成ファイルを求めてください。"),
            ),
            Fault::NotTasuki { address } => self.pick(
                format!("What answers at {address} is not a Tasuki server of this version. Update both to the same version."),
                format!("{address} で応答したのはこの版の Tasuki サーバーではありません。両方を同じ版に更新してください。"),
            ),
            Fault::Refused(code) => self.problem(*code),
            Fault::PolicyFile { file, why } => self.pick(
                format!("{} is no policy, and nothing was changed ({why}).", file.display()),
                format!("{} はポリシーとして読めません。何も変更していません（{why}）。", file.display()),
            ),
            Fault::Policy(fault) => self.policy_fault(fault),
            Fault::NothingTyped => self.pick(
                "Nothing was entered, so nothing was done. Run the command again and enter what it asks for.",
                "入力がなかったため何も行いませんでした。もう一度実行して入力してください。",
            ),
            Fault::NotConfirmed => self.pick(
                "The name did not match, so nothing was removed.",
                "名前が一致しないため、何も削除しませんでした。",
            ),
        }
    }

    fn problem(self, code: ProblemCode) -> String {
        match code {
            ProblemCode::SignIn | ProblemCode::Unauthorised => self.pick(
                "The server does not accept this. A token works once; a key must be enrolled; the clock may be wrong by five minutes at most.",
                "サーバーが受け付けませんでした。トークンは一度だけ有効で、鍵は登録が必要です。時計のずれは5分以内にしてください。",
            ),
            ProblemCode::Malformed | ProblemCode::Version => self.pick(
                "The server speaks another version. Update the older one of the two.",
                "サーバーの版が異なります。古いほうを更新してください。",
            ),
            ProblemCode::Taken => self.pick(
                "An operator of that name exists already. Choose another name.",
                "その名前のオペレータは既に存在します。別の名前にしてください。",
            ),
            ProblemCode::Unusable => self.pick(
                "The name or password cannot be used. Account names take a-z, 0-9 and . - _ @; names at most 40 characters; passwords at least 12.",
                "名前またはパスワードが使えません。アカウント名は a-z 0-9 . - _ @、名前は40文字以内、パスワードは12文字以上です。",
            ),
            ProblemCode::NotFound => self.pick(
                "There is no such operator. `tasuki-admin operator list` shows all.",
                "そのオペレータは存在しません。`tasuki-admin operator list` で一覧できます。",
            ),
            ProblemCode::Conflict => self.pick(
                "Somebody published another policy meanwhile, so nothing was changed. Read it with `tasuki-admin policy show` and try again.",
                "その間に別のポリシーが公開されたため、何も変更しませんでした。`tasuki-admin policy show` で確認してやり直してください。",
            ),
            ProblemCode::Policy => self.pick(
                "The server does not take this policy: your key is not an administrator's, or a rule is wider than the section that limits it. Nothing was changed.",
                "サーバーがこのポリシーを受け付けませんでした。鍵が管理者のものでないか、上位の節より緩い規則があります。何も変更していません。",
            ),
            ProblemCode::Busy => self.pick(
                "The server is busy. Try again in a minute.",
                "サーバーが混み合っています。1分ほど待ってやり直してください。",
            ),
        }
    }
}
