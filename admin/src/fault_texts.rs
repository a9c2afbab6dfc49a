//! What went wrong, in one sentence that says what to do, in English and Japanese.

use std::io;

use crate::audit;
use crate::fault::Fault;
use crate::texts::Language;

impl Language {
    /// One sentence that says what to do.
    pub fn fault(self, fault: &Fault) -> String {
        match fault {
            Fault::NoBundle(_)
            | Fault::DamagedBundle(_)
            | Fault::OtherTenant(_)
            | Fault::NotEnrolled(_)
            | Fault::DamagedKey(_)
            | Fault::OpenToOthers(_)
            | Fault::File { .. }
            | Fault::Unread { .. } => self.about_files(fault),
            Fault::Unreachable { .. }
            | Fault::OtherServer { .. }
            | Fault::OtherFingerprint { .. }
            | Fault::NotTasuki { .. } => self.about_network(fault),
            Fault::ClockOff { ahead_s } => self.clock_off(*ahead_s),
            Fault::Refused(code) => self.problem(*code),
            Fault::Name { name, why } => self.name_wrong(name, why),
            Fault::NoSuch(missing) => self.missing(missing),
            Fault::Audit(fault) | Fault::Printed { why: fault, .. } => audit::sentence(fault, self),
            Fault::NoServer
            | Fault::WhichServer(_)
            | Fault::OtherAddress { .. }
            | Fault::OldBundle(_)
            | Fault::NotAFingerprint => self.about_servers(fault),
            Fault::ServerBehind { .. }
            | Fault::OtherRoot
            | Fault::NothingToRepublish
            | Fault::RootsLost => self.about_restores(fault),
            Fault::AlreadyInitialised(_)
            | Fault::NothingToRecover
            | Fault::TokenOver
            | Fault::NoVault(_)
            | Fault::WrongPassphrase
            | Fault::WeakPassphrase
            | Fault::NotAShare { .. }
            | Fault::WrongShares
            | Fault::NothingPrepared => self.about_keys(fault),
            Fault::Naming(fault) => self.about_naming(fault),
            Fault::NothingPending(_)
            | Fault::WordsDiffer
            | Fault::NoSuchDevice(_)
            | Fault::SeveralDevices(_)
            | Fault::DeviceRevoked(_)
            | Fault::RevocationsHidden { .. }
            | Fault::RevocationsAhead
            | Fault::UnknownRight(_) => self.about_operators(fault),
            Fault::Limits(fault) => self.limit_wrong(fault),
            Fault::Outside(outside) => self.outside(outside),
            Fault::Locked { seconds } => self.locked(*seconds),
            Fault::WrongPassword | Fault::NothingTyped | Fault::NotConfirmed | Fault::NobodyThere => {
                self.about_answers(fault)
            }
            Fault::PolicyFile { .. } | Fault::PolicyOvertaken => self.about_policies(fault),
            Fault::Policy(fault) => self.policy_fault(fault),
        }
    }

    fn locked(self, seconds: u64) -> String {
        let minutes = seconds.div_ceil(60);
        self.pick(
            format!("Too many wrong tries: signing in is suspended for {minutes} minutes more."),
            format!("誤りが続いたため、サインインはあと {minutes} 分停止されています。"),
        )
    }

    fn about_answers(self, fault: &Fault) -> String {
        if let Fault::NobodyThere = fault {
            return self.pick(
                "Somebody must confirm this, and nobody is at a terminal. Nothing was done. Say --yes if it is meant.",
                "確認が必要ですが、確認する人が端末にいません。何も行っていません。実行する場合は --yes を付けてください。",
            );
        }
        if let Fault::WrongPassword = fault {
            return self.pick(
                "The password is wrong, or the authenticator's digits are. Nothing was done. Try again; after several failures the server waits before it takes another.",
                "パスワードまたは認証アプリの数字が違います。何も行っていません。もう一度お試しください。失敗が続くと、しばらく受け付けなくなります。",
            );
        }
        if let Fault::NothingTyped = fault {
            return self.pick(
                "Nothing was entered, so nothing was done. Run the command again and enter what it asks for.",
                "入力がなかったため何も行いませんでした。もう一度実行して入力してください。",
            );
        }
        self.pick(
            "What was typed did not match, so nothing was changed.",
            "入力が一致しないため、何も変更しませんでした。",
        )
    }

    /// Why a file was not read or written.
    pub(crate) fn io(self, why: &io::Error) -> String {
        let known = [
            (io::ErrorKind::NotFound, "there is no such file", "ファイルがありません"),
            (io::ErrorKind::PermissionDenied, "it is not permitted", "権限がありません"),
            (io::ErrorKind::IsADirectory, "it is a folder", "フォルダです"),
            (io::ErrorKind::StorageFull, "the disk is full", "空き容量がありません"),
            (io::ErrorKind::ReadOnlyFilesystem, "the disk takes nothing", "書き込めないディスクです"),
            (io::ErrorKind::InvalidData, "it is no text", "テキストではありません"),
        ];
        let found = known.iter().find(|(kind, ..)| *kind == why.kind());
        found.map_or_else(|| why.to_string(), |(_, english, japanese)| self.pick(*english, *japanese))
    }

    fn about_files(self, fault: &Fault) -> String {
        if let Fault::NoBundle(file) = fault {
            return self.pick(
                format!("There is no bundle at {}. The first administrator of a new server runs `tasuki-admin init`. Whoever was invited (`admin add`) runs `tasuki-admin --bundle tenant.json enrol --name NAME`, and whoever is an administrator gives the organisation's tenant.json with --bundle.", file.display()),
                format!("{} に構成ファイルがありません。新しいサーバーの最初の管理者は `tasuki-admin init` を、招待（`admin add`）された人は `tasuki-admin --bundle tenant.json enrol --name 名前` を実行してください。登録済みの管理者は組織の tenant.json を --bundle で指定してください。", file.display()),
            );
        }
        if let Fault::DamagedBundle(file) = fault {
            return self.pick(
                format!("{} is damaged or was changed. Fetch tenant.json again from whom you had it.", file.display()),
                format!("{} は壊れているか書き換えられています。tenant.json を配布元から取り直してください。", file.display()),
            );
        }
        if let Fault::OtherTenant(file) = fault {
            return self.pick(
                format!("{} was signed by another organisation than this profile's. Use another --profile for another server.", file.display()),
                format!("{} はこのプロファイルとは別の組織が署名したものです。別のサーバーには別の --profile を使ってください。", file.display()),
            );
        }
        if let Fault::NotEnrolled(folder) = fault {
            return self.pick(
                format!("{} holds no administrator's key. Run `tasuki-admin init` or `tasuki-admin enrol` first.", folder.display()),
                format!("{} に管理者の鍵がありません。先に `tasuki-admin init` または `tasuki-admin enrol` を実行してください。", folder.display()),
            );
        }
        if let Fault::DamagedKey(file) = fault {
            return self.pick(
                format!("{} is damaged. Restore it from a backup.", file.display()),
                format!("{} が壊れています。バックアップから復元してください。", file.display()),
            );
        }
        if let Fault::OpenToOthers(file) = fault {
            return self.pick(
                format!("{0} can be read by other users of this computer, and whoever has a copy acts as you. Run: chmod 600 {0}. If somebody may have taken it, have another administrator remove you and invite you again.", file.display()),
                format!("{0} をこのコンピューターの他の利用者が読めます。写しを持つ人はあなたとして操作できます。chmod 600 {0} を実行してください。持ち出された恐れがあれば、別の管理者にあなたを削除して招待し直してもらってください。", file.display()),
            );
        }
        if let Fault::Unread { file, why } = fault {
            let why = self.io(why);
            return self.pick(
                format!("{} cannot be read, so nothing was done: {why}. Check the name and who may read it.", file.display()),
                format!("{} を読めないため何も行いませんでした（{why}）。名前と読み取り権限を確認してください。", file.display()),
            );
        }
        let Fault::File { file, why } = fault else { return fault.to_string() };
        let why = self.io(why);
        self.pick(
            format!("{} cannot be written: {why}. Check its owner and permissions.", file.display()),
            format!("{} に書き込めません（{why}）。所有者と権限を確認してください。", file.display()),
        )
    }

    fn about_network(self, fault: &Fault) -> String {
        if let Fault::Unreachable { address, why } = fault {
            return self.pick(
                format!("The server at {address} cannot be reached ({why}). Check that it runs and that the network lets you through."),
                format!("サーバー {address} に接続できません（{why}）。サーバーの稼働とネットワークを確認してください。"),
            );
        }
        if let Fault::OtherServer { address } = fault {
            return self.pick(
                format!("The server at {address} does not hold the key in the bundle. Nothing was sent. Check the address, or ask who runs the server for a new bundle."),
                format!("サーバー {address} の鍵が構成ファイルと一致しません。何も送信していません。アドレスを確認するか、サーバーの担当者に新しい構成ファイルを求めてください。"),
            );
        }
        if let Fault::OtherFingerprint { address } = fault {
            return self.pick(
                format!("The server at {address} shows another key than the one with this fingerprint. Nothing was sent. Compare the fingerprint with what `tasuki-server setup` printed or, where the server's key was changed since, with what `tasuki-server recovery-token` and `tasuki-server doctor` print on its own machine; if it is right, somebody stands between this computer and the server."),
                format!("サーバー {address} の鍵は、指定された指紋のものではありません。何も送信していません。指紋を `tasuki-server setup` の表示（その後に鍵を替えた場合は、サーバー上の `tasuki-server recovery-token` や `tasuki-server doctor` の表示）と比べてください。正しい場合は、途中で別のものが応答しています。"),
            );
        }
        let Fault::NotTasuki { address } = fault else { return fault.to_string() };
        self.pick(
                format!("What answers at {address} is not a Tasuki server of this version. Update both to the same version."),
                format!("{address} で応答したのはこの版の Tasuki サーバーではありません。両方を同じ版に更新してください。"),
        )
    }

    fn clock_off(self, ahead_s: i64) -> String {
        let minutes = (ahead_s.unsigned_abs() + 30) / 60;
        let (en, ja) = if ahead_s > 0 { ("ahead of", "進んで") } else { ("behind", "遅れて") };
        self.pick(
            format!("This computer's clock is {minutes} minutes {en} the server's, and a request counts only within five, so nothing was done. Set whichever is wrong and run the command again."),
            format!("このコンピュータの時計がサーバーより{minutes}分{ja}いるため（許容は5分）、何も行いませんでした。正しくないほうの時計を合わせて、もう一度実行してください。"),
        )
    }

    fn about_servers(self, fault: &Fault) -> String {
        if let Fault::WhichServer(folders) = fault {
            let names: Vec<String> = folders
                .iter()
                .filter_map(|folder| Some(folder.file_name()?.to_str()?.replace('_', ":")))
                .collect();
            return self.pick(
                    format!("This computer knows several servers. Say which with --server: {}.", names.join(", ")),
                    format!("このコンピュータには複数のサーバーが登録されています。--server で指定してください: {}。", names.join(", ")),
                );
        }
        if let Fault::OtherAddress { asked, known } = fault {
            return self.pick(
                format!("This profile is for {known} and not for {asked}. Leave --server out, or use another --profile."),
                format!("このプロファイルは {known} のものです（指定は {asked}）。--server を省くか、別の --profile を使ってください。"),
            );
        }
        if let Fault::OldBundle(file) = fault {
            return self.pick(
                format!("{} is older than the bundle known here. Use the newer one.", file.display()),
                format!(
                    "{} はここにある構成ファイルより古いものです。新しいほうを使ってください。",
                    file.display()
                ),
            );
        }
        if let Fault::NotAFingerprint = fault {
            return self.pick(
                "That is no SHA-256: it has 64 digits of 0-9 and a-f.",
                "SHA-256 ではありません。0-9 と a-f の64桁です。",
            );
        }
        self.pick(
            "Say which server with --server https://HOST[:PORT].",
            "--server https://ホスト[:ポート] でサーバーを指定してください。",
        )
    }

    /// A server at which a backup of before the newest bundle came back.
    fn about_restores(self, fault: &Fault) -> String {
        if let Fault::ServerBehind { server, known } = fault {
            return self.pick(
                format!("The server is back at bundle {server}, and this computer has seen {known}, so nothing was done. If a backup was restored, run `tasuki-admin key republish`; if not, somebody put an older database there: ask who runs the server."),
                format!("サーバーの構成ファイルは第 {server} 版に戻っていますが、このコンピュータは第 {known} 版を知っているため、何も行いませんでした。バックアップを復元した場合は `tasuki-admin key republish` を実行してください。していない場合は古いデータベースに置き換えられています。サーバーの担当者に確認してください。"),
            );
        }
        if let Fault::OtherRoot = fault {
            return self.pick(
                "The server shows another organisation's file than the one that these keys belong to, so nothing was signed. It may be in other hands: ask who runs it before you try again.",
                "サーバーが示したのは、この鍵の組織とは別の組織の構成ファイルのため、署名しませんでした。サーバーが乗っ取られている可能性があります。もう一度試す前に、サーバーの担当者に確認してください。",
            );
        }
        if let Fault::NothingToRepublish = fault {
            return self.pick(
                "The server has the newest bundle that this computer has seen, so nothing was changed. `tasuki-admin key renew` signs it for another year.",
                "サーバーの構成ファイルはこのコンピュータの知る最新のものなので、何も変更しませんでした。有効期間の延長は `tasuki-admin key renew` です。",
            );
        }
        self.pick(
            "The root key was changed since that backup, and the signed bundles that say so are not on this computer. Run this on the computer that changed it; nothing was changed.",
            "そのバックアップの後にルート鍵が替えられていますが、それを証明する構成ファイルがこのコンピュータにありません。鍵を替えたコンピュータで実行してください。何も変更していません。",
        )
    }

    fn about_keys(self, fault: &Fault) -> String {
        if let Fault::AlreadyInitialised(organisation) = fault {
            return self.pick(
                format!("{organisation} has its keys already. Other administrators come with `tasuki-admin admin add`; lost keys with `tasuki-admin init --recover` and, where no administrator is left, the token of `tasuki-server recovery-token`."),
                format!("{organisation} の鍵は既にあります。管理者の追加は `tasuki-admin admin add`、鍵の復元は `tasuki-admin init --recover` です（管理者が残っていないときは `tasuki-server recovery-token` のトークンを使います）。"),
            );
        }
        if let Fault::NothingToRecover = fault {
            return self.pick(
                "The server never had an organisation's keys, so there are none to recover. Run `tasuki-admin init`.",
                "サーバーに組織の鍵が作られたことがないため、復元するものがありません。`tasuki-admin init` を実行してください。",
            );
        }
        if let Fault::TokenOver = fault {
            return self.pick(
                "This token is not good: it works once, within 15 minutes, and a newer one replaces it. Make another with `tasuki-server recovery-token`.",
                "このトークンは使えません。有効なのは15分以内に一度だけで、新しいものを作ると無効になります。`tasuki-server recovery-token` で作り直してください。",
            );
        }
        if let Fault::NoVault(folder) = fault {
            return self.pick(
                format!("{} holds no vault.json with the organisation's keys. Use the computer that ran `tasuki-admin init`, or copy the file from there.", folder.display()),
                format!("{} に組織の鍵（vault.json）がありません。`tasuki-admin init` を実行したコンピュータを使うか、そこから写してください。", folder.display()),
            );
        }
        if let Fault::WrongPassphrase = fault {
            return self.pick(
                "The passphrase is wrong, or the file that it opens is damaged. Nothing was changed.",
                "パスフレーズが違うか、ファイルが壊れています。何も変更していません。",
            );
        }
        if let Fault::WeakPassphrase = fault {
            return self.pick(
                "This passphrase is too easy to guess. Take at least 15 characters, best five or more unrelated words.",
                "このパスフレーズは推測されやすいものです。15文字以上、できれば無関係な言葉を5つ以上にしてください。",
            );
        }
        if let Fault::NotAShare { nth, why } = fault {
            let why = self.not_a_share(why);
            return self.pick(
                format!("Recovery share {nth} of 2: {why}"),
                format!("復元シート {nth} / 2: {why}"),
            );
        }
        if let Fault::WrongShares = fault {
            return self.pick(
                "These two shares do not belong together, or are another organisation's. Nothing was changed.",
                "二枚の復元シートが組ではないか、別の組織のものです。何も変更していません。",
            );
        }
        self.pick(
            "No new key waits at the server. For `server`, rotate without --finish first.",
            "サーバーに新しい鍵が用意されていません。`server` は先に --finish なしで実行してください。",
        )
    }

    fn about_operators(self, fault: &Fault) -> String {
        if let Fault::NothingPending(operator) = fault {
            return self.pick(
                format!("No device of {operator} waits. The operator signs in first, with the code that `tasuki-admin operator add` printed, or with a new one of `tasuki-admin operator code {operator}`; for a new certificate of an approved device give --renew."),
                format!("{operator} の承認待ち端末はありません。先に本人が、`tasuki-admin operator add` で表示されたコードか、`tasuki-admin operator code {operator}` の新しいコードでサインインしてください。承認済みの端末の更新には --renew を付けます。"),
            );
        }
        if let Fault::WordsDiffer = fault {
            return self.pick(
                "The words differ from those of the waiting device, so it was not approved. Have them read out once more, and run this again. If they differ then, too, another computer is waiting: find out whose.",
                "承認待ち端末の言葉と一致しないため承認しませんでした。もう一度読み上げてもらい、やり直してください。それでも一致しなければ、待っているのは別の端末です。誰のものか確かめてください。",
            );
        }
        if let Fault::NoSuchDevice(operator) = fault {
            return self.pick(
                format!("{operator} has no such device. `tasuki-admin device list` shows all."),
                format!(
                    "{operator} にその端末はありません。`tasuki-admin device list` で一覧できます。"
                ),
            );
        }
        if let Fault::SeveralDevices(operator) = fault {
            return self.pick(
                format!("{operator} has several devices. Say which with --device and the first digits of its key."),
                format!("{operator} には複数の端末があります。--device と鍵の先頭の桁で指定してください。"),
            );
        }
        if let Fault::DeviceRevoked(operator) = fault {
            return self.pick(
                format!("This device of {operator} was revoked, and stays so. Whoever should work again signs in with a new profile and a new code (`tasuki-admin operator code`): that makes a new key."),
                format!("{operator} のこの端末は失効済みで、元に戻せません。再び使うには、新しいプロファイルと新しいコード（`tasuki-admin operator code`）でサインインし、新しい鍵を作ってください。"),
            );
        }
        if let Fault::RevocationsHidden { shown } = fault {
            return self.pick(
                format!("Nothing was signed: this computer knows of {shown} revoked devices, and you of another number. Revoke on the computer that has revoked before, or copy its file revoked.json into this one's profile."),
                format!("署名しませんでした。このコンピュータが知る失効端末は{shown}台で、入力された数と違います。以前に失効させたコンピュータで実行するか、その revoked.json をこのプロファイルへコピーしてください。"),
            );
        }
        if let Fault::UnknownRight(name) = fault {
            return self.pick(
                format!("There is no right {name:?}. Rights are operate, fetch_files, send_files, read_clipboard, write_clipboard, screenshot, record, chat, point, choose_screen, reconnect."),
                format!("権限 {name:?} はありません。operate, fetch_files, send_files, read_clipboard, write_clipboard, screenshot, record, chat, point, choose_screen, reconnect が使えます。"),
            );
        }
        self.pick(
            "The newest list of revoked devices has the last number that there is, so somebody else has the lock key. Drop it with `tasuki-admin key rotate lock --drop-old`, which makes every certificate under it void, and run this again.",
            "失効リストの番号がこれ以上ない値になっています。ロック鍵がほかの人の手にあります。`tasuki-admin key rotate lock --drop-old` で廃止し（その鍵による承認はすべて無効になります）、もう一度実行してください。",
        )
    }
}
