//! What a server refused, in one sentence that says what to do, in English and Japanese.

use tasuki_protocol::admin::ProblemCode;

use crate::texts::Language;

impl Language {
    pub(crate) fn problem(self, code: ProblemCode) -> String {
        match code {
            ProblemCode::SignIn => self.token_refused(),
            ProblemCode::Unauthorised => self.key_refused(),
            ProblemCode::Malformed | ProblemCode::Version => self.pick(
                "The server speaks another version. Update the older one of the two.",
                "サーバーの版が異なります。古いほうを更新してください。",
            ),
            ProblemCode::Taken => self.pick(
                "That name, or one that looks like it, is taken already. Choose another name.",
                "その名前か、見た目の同じ名前が既に使われています。別の名前にしてください。",
            ),
            ProblemCode::Unusable => self.pick(
                "The server cannot use what was typed. A password has 15 to 256 characters (8 at least beside an authenticator); a policy's note or the reason of a review is not empty, and no longer than a page.",
                "入力された内容は使えません。パスワードは15文字以上256文字以内（認証アプリを併用する場合は8文字以上）、ポリシーのメモや確認の理由は空でなく、1ページ以内にしてください。",
            ),
            ProblemCode::NotFound => self.pick(
                "There is no such name. The `list` commands show all.",
                "その名前はありません。`list` で一覧できます。",
            ),
            ProblemCode::NotInitialised => self.pick(
                "The server has no organisation's keys yet. Run `tasuki-admin init` first.",
                "サーバーにはまだ組織の鍵がありません。先に `tasuki-admin init` を実行してください。",
            ),
            ProblemCode::AdminSignIn | ProblemCode::Confirm => self.pick(
                "The server asks you to sign in. Run `tasuki-admin login`.",
                "サインインが必要です。`tasuki-admin login` を実行してください。",
            ),
            ProblemCode::Breached => self.pick(
                "This password is one that everybody tries first, or was in a breach. Choose another.",
                "このパスワードは推測されやすいか、漏えいしたことがあります。別のものにしてください。",
            ),
            ProblemCode::Document => self.pick(
                "The server does not take this document: it has a newer one, or the document does not name its keys. Run the command again.",
                "サーバーがこの文書を受け付けません。より新しいものがあるか、サーバーの鍵が含まれていません。もう一度実行してください。",
            ),
            ProblemCode::OwnCertificate => self.own_certificate(),
            ProblemCode::Conflict => self.pick(
                "Somebody changed the same thing at that moment, so nothing was done. Look at how it is now and run the command again.",
                "同時に同じものが変更されたため、何も行いませんでした。現在の状態を確認してもう一度実行してください。",
            ),
            ProblemCode::Yourself => self.pick(
                "Nobody disables or removes himself, so that one administrator is always left. Another administrator must do it.",
                "自分自身を停止・削除することはできません（管理者が必ず一人残るようにするためです）。ほかの管理者が行ってください。",
            ),
            ProblemCode::Certified => self.pick(
                "The account has a certified device that is not on the list of revoked ones, so it was not removed: the device would go on without it. Run `tasuki-admin operator remove` again, which revokes them first.",
                "失効リストにない承認済みの端末があるため、アカウントを削除しませんでした（端末だけが有効なまま残るためです）。`tasuki-admin operator remove` をもう一度実行してください。先に端末を失効させます。",
            ),
            ProblemCode::Policy => self.pick(
                "The server does not take this policy: your key is not an administrator's, or a rule is wider than the section that limits it. Nothing was changed.",
                "サーバーがこのポリシーを受け付けませんでした。鍵が管理者のものでないか、上位の節より緩い規則があります。何も変更していません。",
            ),
            ProblemCode::DigitsUsed => self.digits_used(),
            ProblemCode::OtherName => self.other_name(),
            ProblemCode::TooMany | ProblemCode::TooManyWrong => self.too_many(),
            ProblemCode::Busy => self.busy(),
        }
    }

    fn token_refused(self) -> String {
        self.pick(
            "The server does not accept this token: look for a slip or letters left out. It works once and for a limited time, and is void once it was withdrawn or an administrator was disabled since. Another administrator makes a new one with `tasuki-admin admin add`. If the server has no administrator yet, nothing is lost by setting it up again: stop it, remove its folder, and run `tasuki-server setup`.",
            "このトークンは受け付けられません。打ち間違いや抜けた文字がないか確かめてください。有効なのは期限内に一度だけで、取り消されたときや、その後に管理者が停止されたときは無効です。ほかの管理者がいれば `tasuki-admin admin add` で作り直してもらってください。管理者がまだ一人もいないサーバーなら、停止してフォルダーを消し、`tasuki-server setup` からやり直せます（失うものはありません）。",
        )
    }

    fn key_refused(self) -> String {
        self.pick(
            "The server does not take this computer's key: its administrator is disabled or removed, or the keys were recovered since. Another administrator sees it with `tasuki-admin admin list` and lets you in again with `admin enable`, or invites you anew.",
            "このコンピュータの鍵は受け付けられません。管理者が停止または削除されているか、鍵の復元が行われています。ほかの管理者が `tasuki-admin admin list` で確認し、`admin enable` で再開するか、あらためて招待してください。",
        )
    }

    fn own_certificate(self) -> String {
        self.pick(
                "The server's certificate is your own, so it makes no other in its place. Put a new pair that belongs together into the server's folder as server.next.crt and server.next.key (readable by the server alone), and run this again.",
                "サーバーの証明書は組織が用意したものなので、サーバーは代わりを作りません。組になる新しい証明書と鍵を、サーバーのフォルダーに server.next.crt と server.next.key という名前で置き（サーバーだけが読める権限で）、もう一度実行してください。",
            )
    }

    fn digits_used(self) -> String {
        self.pick(
                "These digits were used already. Wait until the authenticator shows the next ones, and type those.",
                "この数字は使用済みです。認証アプリに次の数字が表示されるのを待って、それを入力してください。",
            )
    }

    fn other_name(self) -> String {
        self.pick(
                "The invitation was made for another name. Give that one with --name, or have a new invitation made for yours.",
                "この招待は別の名前のものです。その名前を --name で指定するか、自分の名前の招待を作ってもらってください。",
            )
    }

    fn too_many(self) -> String {
        self.pick(
            "Too many requests came from this address within a minute. Wait a minute and try again.",
            "このアドレスからの要求が 1 分間に多すぎます。1 分ほど待ってやり直してください。",
        )
    }

    fn busy(self) -> String {
        self.pick(
            "The server is busy. Try again in a minute.",
            "サーバーが混み合っています。1分ほど待ってやり直してください。",
        )
    }
}
