//! The catalogue itself: a line of English, a line of Japanese.
//!
//! Says what is wrong, then what to do. Knows no program's flow.

texts! {
    /// One sentence of the programs.
    Text:
    FaultNoDisplay =>
        "There is no desktop here: DISPLAY is not set. Start this program from inside the desktop session.",
        "デスクトップがありません（DISPLAY が設定されていません）。デスクトップにログインした端末から起動してください。";
    FaultWayland =>
        "This computer's screen cannot be shown: its desktop runs on Wayland. Sign out, choose an Xorg (X11) session where you sign in, and start again. Looking at the other screen works here.",
        "このコンピュータの画面は見せられません（デスクトップが Wayland で動いています）。ログアウトし、ログイン画面で Xorg（X11）のセッションを選んで、もう一度お試しください。相手の画面を見ることはできます。";
    FaultOtherSystem =>
        "This computer's screen cannot be shown: so far Tasuki shows that of Linux with an X11 desktop alone. Looking at the other screen works here.",
        "このコンピュータの画面は見せられません（見せられるのは、今のところ Linux の X11 デスクトップだけです）。相手の画面を見ることはできます。";
    FaultHandsUntold =>
        "Nobody can agree to a session at this computer: on this system Tasuki cannot tell yet whether a person or a program pressed the button. Please use a computer with Linux.",
        "このコンピュータではセッションに同意できません。ボタンを押したのが人かプログラムかを、この OS ではまだ見分けられないためです。Linux のコンピュータをお使いください。";
    FaultDesktop => "The desktop cannot be used: {0}.", "デスクトップを使用できません: {0}。";
    FaultNoTerminal =>
        "Consent is given by a person at a terminal, and standard input is not one. Start this program in a terminal.",
        "同意は端末の前にいる人が入力します。標準入力が端末ではないため開始できません。端末から起動してください。";
    FaultNotSetUp =>
        "This program is not set up yet: the file tenant.json of your organisation is missing. Ask its administrator for it.",
        "設定がまだありません。組織の設定ファイル tenant.json が見つかりません。組織の管理者から受け取ってください。";
    WhereBundlesLie =>
        "For administrators: tenant.json belongs into /etc/tasuki or into the user's configuration folder, or is named with --tenant FILE.",
        "管理者の方へ: tenant.json は /etc/tasuki または利用者の設定フォルダーに置くか、--tenant ファイル で指定します。";
    FaultNoSuchBundle =>
        "There is no file {0}. Check its name, or ask your organisation's administrator for tenant.json.",
        "ファイル {0} がありません。名前を確かめるか、組織の管理者から tenant.json を受け取ってください。";
    FaultBundle => "The organisation's file {0} cannot be trusted: {1}. Get a fresh copy from your administrator.",
        "組織の設定ファイル {0} は信頼できません: {1}。管理者から新しいファイルを受け取ってください。";
    FaultOtherRoot =>
        "The file {0} belongs to another organisation than the one this program trusts. If the change is right, ask your administrator, then remove {1} and start again.",
        "ファイル {0} は、このプログラムが信頼している組織のものではありません。正しい変更であることを管理者に確かめてから {1} を削除し、もう一度起動してください。";
    FaultOldBundle =>
        "The organisation's file {0} is older than one this program has seen. Use the newer one; your administrator has it.",
        "組織の設定ファイル {0} は、以前に確認したものより古いものです。管理者から新しいファイルを受け取ってください。";
    FaultExpired =>
        "The organisation's file {0} is past its time, and the server has no newer one. Check this computer's date, then ask your administrator to run: tasuki-admin key renew",
        "組織の設定ファイル {0} の有効期間が過ぎ、サーバーにも新しいものがありません。コンピュータの日付を確かめてから、管理者に tasuki-admin key renew の実行を依頼してください。";
    FaultProfile => "The file {0} cannot be used: {1}. Repair it, or move it away and start again.",
        "ファイル {0} を使用できません: {1}。修復するか、別の場所に移してからもう一度起動してください。";
    FaultNotKept => "The file {0} could not be kept: {1}. Look whether its folder is yours and the disk has room.",
        "ファイル {0} を保存できませんでした: {1}。フォルダーのアクセス権とディスクの空きを確かめてください。";
    FaultOpenToOthers => "The file {0} can be read by other users. Run: chmod 600 {0}",
        "ファイル {0} をほかの利用者が読めます。次を実行してください: chmod 600 {0}";
    FaultNoHome => "There is no home folder: HOME is not set. Set it, or name a folder with --profile DIR.",
        "ホームフォルダーがありません（HOME が設定されていません）。設定するか、--profile フォルダー で指定してください。";
    FaultNoRandomness =>
        "The operating system gives no random numbers. Restart the computer and try again.",
        "OS から乱数を取得できません。コンピュータを再起動してやり直してください。";
    FaultSetting =>
        "The setting {0} cannot be {1}: {2}. Correct it and start again.",
        "設定 {0} の値 {1} は使用できません: {2}。直してからもう一度起動してください。";
    FaultNotSignedIn =>
        "You are not signed in, or your administrator has not approved this device yet. Run: tasuki login --operator NAME",
        "サインインしていないか、この端末がまだ管理者に承認されていません。次を実行してください: tasuki login --operator 名前";
    FaultOtherServer =>
        "The server {0} is not the one in the organisation's file ({1}). Leave out --server, or use the file of that server.",
        "サーバー {0} は組織の設定ファイルのサーバー（{1}）と異なります。--server を省くか、そのサーバーの設定ファイルを使用してください。";
    FaultUnknownHost =>
        "The server's name {0} cannot be found. Check the network connection, then try again.",
        "サーバー名 {0} が見つかりません。ネットワーク接続を確かめて、もう一度お試しください。";
    FaultPortClosed =>
        "The server {0} is not running, or its port is closed. Try again in a minute; if it stays so, tell your administrator.",
        "サーバー {0} が動いていないか、ポートが閉じています。しばらくしてからもう一度お試しください。続く場合は管理者に知らせてください。";
    FaultUnreachable =>
        "The server {0} cannot be reached: {1}. Check the network connection, then try again.",
        "サーバー {0} に接続できません: {1}。ネットワーク接続を確かめて、もう一度お試しください。";
    FaultWrongServerKey =>
        "The server at {0} is not your organisation's: its key is another one. Nothing was sent. Tell your administrator before you try again.",
        "{0} のサーバーはあなたの組織のものではありません（鍵が一致しません）。何も送信していません。もう一度試す前に管理者に知らせてください。";
    FaultNotTasuki =>
        "What answers at {0} is not a Tasuki server. Ask your administrator for a fresh tenant.json.",
        "{0} で応答しているのは Tasuki サーバーではありません。管理者から新しい tenant.json を受け取ってください。";
    FaultInspected =>
        "{0} answers with a certificate made by \"{1}\" and not with its own key: most likely a security device on this network opens encrypted connections. Nothing was sent. Ask the people who run this network to exempt {0} from TLS inspection, or use another network.",
        "{0} の応答は本来の鍵ではなく「{1}」が発行した証明書です。このネットワークの機器が暗号化通信を復号している可能性があります。何も送信していません。ネットワークの担当者に {0} を TLS 検査の対象から外すよう依頼するか、別のネットワークを使用してください。";
    FaultProxyUnreachable =>
        "The proxy {0} cannot be reached: {1}. Check the proxy setting, or ask the people who run this network.",
        "プロキシ {0} に接続できません: {1}。プロキシの設定を確かめるか、ネットワークの担当者に問い合わせてください。";
    FaultProxyPassword =>
        "The proxy {0} asks for a name and a password that it accepts. Write them into settings.toml: proxy = \"http://NAME:PASSWORD@HOST:PORT\"",
        "プロキシ {0} が名前とパスワードを求めています。正しいものを settings.toml に書いてください: proxy = \"http://名前:パスワード@ホスト:ポート\"";
    FaultProxySignIn =>
        "The proxy {0} takes no sign-in with name and password (Basic). Ask the people who run this network to let this program through without it.",
        "プロキシ {0} は名前とパスワードによる認証（Basic）に対応していません。認証なしで通すようネットワークの担当者に依頼してください。";
    FaultProxyRefused =>
        "The proxy {0} lets nothing through to {1} (it answered {2}). Ask the people who run this network to allow CONNECT to {1}.",
        "プロキシ {0} が {1} への接続を拒否しました（応答 {2}）。{1} への CONNECT を許可するようネットワークの担当者に依頼してください。";
    FaultProxyNonsense =>
        "What answers at {0} is no HTTP proxy. Correct the proxy setting.",
        "{0} で応答しているのは HTTP プロキシではありません。プロキシの設定を直してください。";
    FaultOtherVersion =>
        "The other side speaks protocol version {0}, this program version {1}. The older one has to be updated: tell whoever gave you this program.",
        "相手はプロトコルのバージョン {0}、このプログラムはバージョン {1} です。古いほうの更新が必要です。このプログラムの配布元に知らせてください。";
    FaultStrangeVersion =>
        "The server speaks another protocol version than this program ({0}). The older one has to be updated: tell your administrator.",
        "サーバーのプロトコルのバージョンが、このプログラム（{0}）と異なります。古いほうの更新が必要です。管理者に知らせてください。";
    FaultUnavailable =>
        "The server cannot take new sessions now. Try again in a minute; if it stays so, tell your administrator.",
        "サーバーは今、新しい接続を受け付けられません。しばらくしてからもう一度お試しください。続く場合は管理者に知らせてください。";
    FaultSlowDown => "There were too many tries. Wait ten minutes, then try again.", "試行回数が多すぎます。10 分待ってからもう一度お試しください。";
    FaultWrongPassword =>
        "The server did not accept this name, password, enrolment code or the authenticator's digits, which count once: after a try wait for the next. Check them and try again; a device that was not used before needs a new code from your administrator. After three failures it waits 15 minutes, or as your administrator has set.",
        "名前、パスワード、登録コード、または認証アプリの数字が受け付けられませんでした（数字は一度しか使えません。次の数字をお待ちください）。確かめてもう一度お試しください。初めて使う端末には、管理者から受け取る新しい登録コードが必要です。3 回失敗すると 15 分（または管理者が定めた時間）待つ必要があります。";
    FaultWrongNameOrPassword => "The server did not accept this name and password on this computer. Check both and run the command again. After three failures it waits 15 minutes, or as your administrator has set; if the account was suspended or this computer is new, only your administrator can see that.", "このコンピュータでは、名前とパスワードが受け付けられませんでした。両方を確かめて、もう一度実行してください。3 回失敗すると 15 分（または管理者が定めた時間）待つ必要があります。アカウントの停止や、このコンピュータが未登録であることは、管理者だけが確認できます。";
    FaultWrongEnrolment => "The server did not accept this name and password with this enrolment code. Check all three and run the command again; a code works once and for a limited time, and your administrator makes a new one. After three failures the server waits 15 minutes, or as your administrator has set.", "名前、パスワード、登録コードの組が受け付けられませんでした。三つとも確かめて、もう一度実行してください。登録コードは期限内に一度だけ有効で、管理者が新しいものを発行できます。3 回失敗すると 15 分（または管理者が定めた時間）待つ必要があります。";
    FaultWrongDigits => "Name and password are right, and these are not the authenticator's digits of now. Wait for the next ones and run the command again; if they never fit, set the phone's clock, or ask your administrator to forget the authenticator.", "名前とパスワードは正しいのですが、認証アプリの数字が違います。次の数字を待って、もう一度実行してください。何度も合わないときは、スマートフォンの時計を合わせるか、認証アプリの登録の取り消しを管理者に依頼してください。";
    FaultTooOften => "The server takes no more requests from this address for now. Wait a minute, then try again.", "このアドレスからの要求が多すぎるため、サーバーが受け付けません。1 分ほど待ってからもう一度お試しください。";
    FaultTooManyWrong => "Too many wrong sign-ins came from this network address, so the server looks at none of a computer that is not approved yet. Wait a quarter of an hour, then try again, or try from another network. Approved computers sign in as ever.", "このネットワークアドレスからのサインインの誤りが多すぎるため、承認されていないコンピュータのサインインを受け付けません。15 分ほど待つか、別のネットワークからもう一度お試しください。承認済みのコンピュータは通常どおりサインインできます。";
    FaultDigitsUsed => "These digits were used already. Wait until the authenticator shows the next ones, and type those.", "この数字は使用済みです。認証アプリに次の数字が表示されるのを待って、それを入力してください。";
    WrongDigits => "These are not its digits. Wait for the next ones and type those; the authenticator stays the same.", "数字が違います。次に表示される数字を入力してください。認証アプリの登録はそのままで構いません。";
    FaultSignInOver => "Nobody is signed in here any more: the sign-in is over or another device's, or your administrator has changed what your account or this device may do, or when and from where. Run: tasuki login --operator NAME. Where hours or address are the reason, it says so.", "サインインが無効になっています。期限が切れたか、別の端末のものであるか、アカウントまたはこの端末で使える範囲・時間・場所が管理者によって変えられています。次を実行してください: tasuki login --operator 名前（時間や場所が理由の場合は、そのときに表示されます）";
    FaultNeedsTotp =>
        "Your account needs the six digits of your authenticator. Run tasuki login in a terminal, or add --totp-stdin.",
        "認証アプリの6桁の数字が必要です。端末で tasuki login を実行するか、--totp-stdin を付けてください。";
    FaultDevicePending =>
        "This device waits for your administrator's approval. Call and read out these words: {0}. Then run tasuki login again.",
        "この端末は管理者の承認を待っています。電話で次の言葉を読み上げてください: {0}。承認後、もう一度 tasuki login を実行してください。";
    FaultLocked =>
        "Too many wrong tries on this device. Signing in works again in {0} min, or once your administrator unlocks it.",
        "この端末で誤りが続いたため停止しています。{0} 分後、または管理者が解除すると、サインインできます。";
    FaultPasswordUnusable =>
        "The new password is too short or too long: it has 15 to 256 characters, and 8 at least where an authenticator stands beside it. Nothing was changed; choose another. Length helps more than odd characters.",
        "新しいパスワードの長さが合いません。15 文字以上 256 文字以内（認証アプリを併用する場合は 8 文字以上）です。何も変更していません。別のものを選んでください。記号より長さが有効です。";
    FaultPasswordBreached => "The new password is one that everybody tries first, has the account's name in it, or was in a breach. Nothing was changed; choose another, for example four or five unrelated words.", "新しいパスワードは推測されやすいか、アカウント名を含むか、漏えいしたことがあります。何も変更していません。無関係な言葉を 4 つか 5 つ並べるなど、別のものを選んでください。";
    PasswordTooShort => "That is shorter than 8 characters (15 without an authenticator). Type another; nothing was sent.", "8 文字（認証アプリを使わない場合は 15 文字）より短いです。別のものを入力してください。何も送信していません。";
    TypeAgain => "The two entries differ. Type both once more.", "二度の入力が一致しません。もう一度入力してください。";
    CertificateEnds => "This computer's certificate ends in {0} days. Ask your administrator before that to run: tasuki-admin device approve {1} --renew. Afterwards this computer waits for approval.", "このコンピュータの証明書はあと {0} 日で切れます。それまでに次の実行を管理者に依頼してください: tasuki-admin device approve {1} --renew。期限を過ぎると承認待ちになります。";
    FaultTypedTwice =>
        "The two entries differ. Nothing was changed; run the command again.",
        "二度の入力が一致しません。何も変更していません。もう一度実行してください。";
    FaultServerWentBack => "The server has gone back to an earlier state of your organisation's keys, as after a backup was put back. Nothing was started, and no file helps: tell your administrator (tasuki-admin key republish).", "サーバーが組織の鍵の以前の状態に戻っています（バックアップの復元など）。何も始めていません。設定ファイルの入れ替えでは直りません。管理者に知らせてください（tasuki-admin key republish）。";
    FaultListWithheld => "The server does not show which operators' devices your organisation has taken out, so nobody can be known for sure. Nothing was started. Try again later; if it stays so, tell your administrator (tasuki-admin key republish).", "組織が失効させたオペレータの端末の一覧を、サーバーが示しません。相手を確認できないため、何も始めていません。しばらくしてからもう一度お試しください。続く場合は管理者に知らせてください（tasuki-admin key republish）。";
    FaultNotConfirmed =>
        "This mode asks you to show again that it is you. Run: tasuki confirm",
        "このモードでは本人であることの再確認が必要です。次を実行してください: tasuki confirm";
    FaultModeNotAllowed => "You are not allowed to use this mode ({0}). Ask your administrator, or choose another mode.", "このモード（{0}）の使用は許可されていません。管理者に相談するか、別のモードを選んでください。";
    FaultLocalMaximum =>
        "{0} sets this computer's own limits and cannot be understood ({1}). Nobody is let in until it is corrected or removed.",
        "このコンピュータの制限を定める {0} を読み取れません（{1}）。直すか取り除くまで、接続は受け付けません。";
    FaultOutsideHours =>
        "Your organisation's policy does not allow sessions at this hour. Try again within your hours, or ask your administrator.",
        "この時間のセッションは組織のポリシーで許可されていません。許可された時間にもう一度行うか、管理者に相談してください。";
    FaultOutsideAccountHours => "What you typed is right, but your account may not be used at this hour. It may again from {0} ({1}); until then only your administrator can change the hours. This was not counted as a wrong try.", "入力は正しいのですが、このアカウントを使える時間の外です。次に使えるのは {0}（{1}）からです。それまでに必要なときは、時間を変更できる管理者に相談してください。入力の誤りとしては数えていません。";
    FaultHoursOver => "Your account may not be used at this hour. It may again from {0} ({1}); until then only your administrator can change the hours.", "このアカウントを使える時間の外です。次に使えるのは {0}（{1}）からです。それまでに必要なときは、時間を変更できる管理者に相談してください。";
    FaultOutsideAddresses => "What you typed is right, but your account may not be used from this network address. Use the network that your administrator allowed, or ask for this one. This was not counted as a wrong try.", "入力は正しいのですが、このネットワークアドレスからはこのアカウントを使えません。管理者が許可したネットワークを使うか、ここからの使用を管理者に依頼してください。入力の誤りとしては数えていません。";
    FaultOutsideHardware => "What you typed is right, but your account may not be used with this computer's hardware (MAC) addresses. Use a computer or an adapter that your administrator allowed, or ask for this one. This was not counted as a wrong try.", "入力は正しいのですが、このコンピュータのハードウェアアドレス（MAC アドレス）ではこのアカウントを使えません。管理者が許可したコンピュータやアダプタを使うか、これを許可するよう管理者に依頼してください。入力の誤りとしては数えていません。";
    FaultLimitsUnreadable => "What you typed is right, but the server cannot read from where and when your account may be used, so it lets nobody in. Ask your administrator to set its limits anew (tasuki-admin operator limit). This was not counted as a wrong try.", "入力は正しいのですが、このアカウントを使える場所と時間の設定をサーバーが読み取れないため、サインインできません。制限の再設定（tasuki-admin operator limit）を管理者に依頼してください。入力の誤りとしては数えていません。";
    FaultDeviceRevoked => "What you typed is right, but an administrator has revoked this computer's registration, and it stays revoked. To work here again, ask your administrator for a new code (`tasuki-admin operator code`) and sign in with a new profile folder (--profile); the code opens another computer, too. This was not counted as a wrong try.", "入力は正しいのですが、このコンピュータの登録は管理者によって失効しており、元に戻すことはできません。ここで再び使うには、管理者に新しい登録コード（`tasuki-admin operator code`）を発行してもらい、新しいプロファイルのフォルダー（--profile）でサインインしてください。別のコンピュータでもそのコードを使えます。入力の誤りとしては数えていません。";
    FaultReasonNeeded =>
        "Your organisation's policy wants a reason (a ticket's number, say): 1 to 120 plain characters. Give it with --reason.",
        "組織のポリシーにより理由（チケット番号など）が必要です。普通の文字で 1 から 120 文字までを --reason で指定してください。";
    FaultNumberMistyped =>
        "That is not a session number: a digit is mistyped or missing. Nothing was sent; ask the operator to read it again.",
        "番号が正しくありません。数字の打ち間違いか不足があります。何も送信していません。オペレータにもう一度読み上げてもらってください。";
    FaultNumberRefused => "This number does not open a session. Ask the operator for a new one.", "この番号では接続できません。オペレータに新しい番号をもらってください。";
    FaultNumberExpired => "Nobody came in time and the number is no longer valid. Open a new one.", "時間内に接続がなく、番号は無効になりました。新しい番号を発行してください。";
    FaultNumberBurnt => "A wrong number was tried too often, and the number is no longer valid. Open a new one.", "間違った番号が何度も入力されたため、番号は無効になりました。新しい番号を発行してください。";
    FaultTranscriptMismatch =>
        "What the two sides saw of each other is not the same: the connection was altered on its way. Nothing was shown. Tell your administrator.",
        "双方が受け取った内容が一致しません。通信が途中で改ざんされています。画面は共有されていません。管理者に知らせてください。";
    FaultManifestRefused =>
        "The server's permission for this session does not hold ({0}). Nothing was shown. Tell your administrator.",
        "このセッションの許可証が正しくありません（{0}）。画面は共有されていません。管理者に知らせてください。";
    FaultRefused => "The session was refused. Nothing was shown.", "接続は拒否されました。画面は共有されていません。";
    FaultNobodyAnswered =>
        "Nobody answered in time, which counts as no. Nothing was shown.",
        "時間内に回答がなかったため、拒否として扱いました。画面は共有されていません。";
    FaultConnectionLost => "The connection was lost for too long. Start again with a new number.", "接続が長い間途切れました。新しい番号でやり直してください。";
    FaultTimeOver => "The time allowed for this session is over. Start again with a new number.", "このセッションの許可時間が終わりました。新しい番号でやり直してください。";
    FaultWithdrawn => "The organisation ended the session: an administrator did, or what it allows has changed. If help is still needed, start again with a new number.", "組織がセッションを終了しました（管理者の操作、または許可の変更）。続ける場合は、新しい番号でやり直してください。";
    FaultPeerViolation =>
        "The other side did what it may not, and the session was ended. Tell your administrator.",
        "相手が許可されていない動作をしたため、セッションを終了しました。管理者に知らせてください。";
    FaultScreenLost =>
        "The shared desktop ended. Log in there again and start a new session.",
        "共有していたデスクトップが終了しました。もう一度ログインし、新しいセッションを始めてください。";
    FaultUnmarked =>
        "The bar and the frame that say what is shown could not be kept up, so the session was ended. Close what covers the screen's edge or changes the monitors, and start a new session.",
        "画面の共有を示すバーと枠を表示し続けられないため、セッションを終了しました。画面の端を覆うものやモニターを切り替えるものを閉じ、新しいセッションを始めてください。";
    FaultNotContinued =>
        "Nobody said that the session shall go on, and it ended. Start again with a new number.",
        "続けてよいという回答がなかったため、セッションを終了しました。新しい番号でやり直してください。";
    FaultInputOver =>
        "The input ended before everything that was asked for was typed. Run the command again.",
        "必要な入力がすべて揃う前に入力が終わりました。コマンドをもう一度実行してください。";
    FaultLedgerOlder =>
        "The server's records are fewer ({1}) than those seen before ({0}), so no session is opened: it was restored from a backup, or records were removed. Tell your administrator, who can run: tasuki-admin audit acknowledge-restore",
        "サーバーの記録が以前の {0} 件から {1} 件に減っているため、セッションを開きません。バックアップの復元か記録の削除です。管理者に知らせてください（tasuki-admin audit acknowledge-restore）。";
    FaultLedgerForked =>
        "The server's records are not the {0} that were seen before, so no session is opened: it was restored from a backup, or they were written anew. Tell your administrator, who can run: tasuki-admin audit acknowledge-restore",
        "サーバーの記録が以前確認した {0} 件と異なるため、セッションを開きません。バックアップの復元か記録の作り直しです。管理者に知らせてください（tasuki-admin audit acknowledge-restore）。";
    FaultLedgerUnsigned =>
        "The server's records are not signed by a key of your organisation, so no session is opened. Tell your administrator.",
        "サーバーの記録の署名が組織の鍵によるものではないため、セッションを開きません。管理者に知らせてください。";
    FaultReceiptRefused =>
        "The receipt {0} does not hold: {1}. Do not believe it; ask whoever gave it to you for the file itself.",
        "控え {0} は正しくありません: {1}。信用せず、渡した人に元のファイルを求めてください。";
    FaultServerGone =>
        "The server closed the connection. Try again in a minute; if it stays so, tell your administrator.",
        "サーバーが接続を閉じました。しばらくしてからもう一度お試しください。続く場合は管理者に知らせてください。";
    FaultInterrupted => "Stopped. Nothing was shared.", "中止しました。何も共有していません。";
    FaultCannotRead =>
        "The file {0} cannot be read: {1}. Look whether it is there and yours.",
        "ファイル {0} を読み取れません: {1}。場所とアクセス権を確かめてください。";
    FaultCannotWrite =>
        "The file {0} cannot be written: {1}. Choose another place.",
        "ファイル {0} に書き込めません: {1}。別の場所を選んでください。";
    FaultMisunderstood =>
        "The server said what this version does not understand. Update this program or the server.",
        "サーバーの応答を理解できません。このプログラムまたはサーバーを更新してください。";
    FaultSystem =>
        "The operating system refused {0}: {1}. Restart the program; if it stays so, restart the computer.",
        "OS に拒否されました（{0}: {1}）。プログラムを再起動してください。続く場合はコンピュータを再起動してください。";

    Welcome => "Tasuki - remote support by {0}.", "Tasuki ― {0} のリモートサポート。";
    Promise =>
        "Nothing is shared before you agree here, and you can end at any time. The software asks for no money and no bank details; anyone who does is not support.",
        "ここで同意するまで何も共有されません。いつでも終了できます。お金や銀行の情報を求めることはありません。求められたら、それはサポートではありません。";
    AskNumber =>
        "Type the 12-digit number that the operator reads to you, then press Enter:",
        "オペレータが読み上げる 12 桁の番号を入力し、Enter を押してください:";
    NumberNotDigits =>
        "Only digits please: {0} is not a digit. Nothing was sent.",
        "数字だけを入力してください。{0} は数字ではありません。何も送信していません。";
    NumberLength =>
        "The number has 12 digits. Nothing was sent; please type it again.",
        "番号は 12 桁です。何も送信していません。もう一度入力してください。";
    NumberCheck =>
        "A digit is mistyped. Nothing was sent; please ask the operator to read the number again.",
        "数字に打ち間違いがあります。何も送信していません。オペレータにもう一度読み上げてもらってください。";
    NumberTryAnother =>
        "This number does not open a session. Please ask the operator, and type it again or a new one.",
        "この番号では接続できません。オペレータに確かめて、もう一度、または新しい番号を入力してください。";
    Connecting => "Connecting to {0} ...", "{0} に接続しています…";
    Checked => "The number is right and the connection is encrypted from end to end.", "番号が確認され、通信は端から端まで暗号化されました。";

    AskTitle => "{0} - {1} asks:", "{0} の {1} からの依頼です:";
    AskManage =>
        "The operator wants to see your screen and use your mouse and keyboard until one of you ends it, without asking you again in between.",
        "オペレータがあなたの画面を見て、マウスとキーボードを操作します。どちらかが終了するまで続き、途中で続けるかどうかは確認しません。";
    AskControl =>
        "The operator wants to see your screen and use your mouse and keyboard.",
        "オペレータがあなたの画面を見て、マウスとキーボードを操作します。";
    AskView => "The operator wants to see your screen, and only that.", "オペレータがあなたの画面を見ます。操作はしません。";
    AskShare =>
        "The operator wants to show you a screen of the operator's and let you use it.",
        "オペレータの画面をあなたに見せ、あなたが操作できるようにします。";
    AskShow => "The operator wants to show you a screen of the operator's.", "オペレータの画面をあなたに見せます。";
    Can => "Can happen:", "できること:";
    Cannot => "Cannot happen:", "できないこと:";
    CanSeeYours => "your screen is seen by the operator", "あなたの画面がオペレータに見えます";
    CanChooseScreen => "the operator chooses which of your monitors is seen", "どのモニターを見るかをオペレータが選べます";
    CanSeeTheirs => "you see the operator's screen", "あなたがオペレータの画面を見ます";
    CanOperateYours =>
        "the operator uses your mouse and keyboard; when you use yours, the operator's waits for 2 seconds",
        "オペレータがあなたのマウスとキーボードを操作します。あなたが操作すると、オペレータの操作は 2 秒間止まります";
    CanOperateTheirs => "you use the operator's mouse and keyboard", "あなたがオペレータのマウスとキーボードを操作します";
    CanKeepPictureYours =>
        "the operator keeps still pictures of your screen (you are told each time)",
        "オペレータがあなたの画面を画像として保存できます（そのつど知らせます）";
    CanKeepPictureTheirs =>
        "you keep still pictures of the operator's screen (the operator is told)",
        "あなたがオペレータの画面を画像として保存できます（オペレータに知らされます）";
    CanFetchFiles => "the operator takes files from this computer", "オペレータがこのコンピュータからファイルを取得します";
    CanSendFiles =>
        "the operator puts files on this computer, also over existing ones",
        "オペレータがこのコンピュータにファイルを送り、既存のファイルを上書きすることもあります";
    CanReadClipboard => "the operator reads your clipboard", "オペレータがあなたのクリップボードを読みます";
    CanWriteClipboard => "the operator fills your clipboard", "オペレータがあなたのクリップボードに書き込みます";
    CanRecord => "the session is recorded as video", "セッションが動画として録画されます";
    CanChat => "the operator writes messages to you", "オペレータがあなたにメッセージを送れます";
    CanReconnect => "the operator comes back after a restart until you end it", "再起動のあとも、あなたが終了するまでオペレータが再接続できます";
    CannotSeeYours => "your screen is not seen by the operator", "あなたの画面がオペレータに見えることはありません";
    CannotOperateYours => "the operator cannot use your mouse and keyboard", "オペレータがあなたのマウスやキーボードを操作することはありません";
    CannotOperateTheirs => "you cannot use the operator's mouse and keyboard", "あなたがオペレータのマウスやキーボードを操作することはありません";
    CannotChooseScreen => "the operator cannot change to another of your monitors", "オペレータが別のモニターに切り替えることはありません";
    CannotChat => "no messages are written", "メッセージのやり取りはありません";
    CannotFiles => "no files are copied in either direction", "どちらの方向にもファイルはコピーされません";
    CannotClipboard => "the clipboard is not shared", "クリップボードは共有されません";
    CannotBlank =>
        "your screen is never blanked and your mouse and keyboard are never locked",
        "画面が隠されたり、あなたのマウスやキーボードが使えなくなったりすることはありません";
    AskReason => "  The reason given: {0}", "  理由: {0}";
    RecOn => "REC: recording is on.", "REC: 録画します。";
    RecOff => "REC: recording is off.", "REC: 録画しません。";
    AskYes =>
        "Type yes and press Enter to allow. Anything else, or silence for {0} seconds, refuses:",
        "許可する場合は「はい」または yes と入力して Enter を押してください。それ以外、または {0} 秒間回答がない場合は拒否になります:";
    AskLook => "(Type look to allow looking only.)", "（見るだけを許可する場合は look または「見るだけ」と入力してください。）";
    AnswerYes => "You allowed it.", "許可しました。";
    AnswerLook => "You allowed looking only.", "見るだけを許可しました。";
    AnswerNo => "You refused. Nothing was shown.", "拒否しました。画面は共有されていません。";
    QuestionGone => "The question is over. Nothing was shown.", "確認は終わりました。画面は共有されていません。";

    BannerYours =>
        "YOUR SCREEN IS SHARED with {0} ({1}). To end at once: type end and press Enter, or press Ctrl+C.",
        "画面を共有中: {0}（{1}）。すぐに終了するには end と入力して Enter、または Ctrl+C を押してください。";
    BannerOwn =>
        "YOUR SCREEN IS SHARED. pause holds the picture. To end at once: type end and press Enter, or press Ctrl+C.",
        "画面を共有中です。pause で画面を止めます。すぐに終了するには end と入力して Enter、または Ctrl+C を押してください。";
    BannerTheirs =>
        "You see the screen of {0} ({1}). To end at once: type end and press Enter, or press Ctrl+C.",
        "{0}（{1}）の画面を見ています。すぐに終了するには end と入力して Enter、または Ctrl+C を押してください。";
    PathIs => "A path stands ({0}): {1}.", "経路ができました（{0}）: {1}。";
    PathIsSealed => "Connected ({0}). All of it is encrypted from one computer to the other; type stats to see how.", "接続しました（{0}）。通信はすべて、双方のコンピュータの間で暗号化されています。stats と入力すると詳しく表示します。";
    PathInUse => "Connected; the path in use is {0}.", "接続しました。使用中の経路: {0}。";
    PathDirect => "direct", "直接";
    PathRelayed => "relayed", "中継";
    PathLost => "A path ended ({0}): {1}.", "経路が切れました（{0}）: {1}。";
    Reconnecting => "Reconnecting ...", "再接続しています…";
    FirstFrame => "The first picture came after {0} ms.", "最初の画面が {0} ミリ秒で届きました。";
    InputPaused =>
        "You use the mouse or keyboard here, so the other side has to wait.",
        "こちらのマウスやキーボードを使っている間、相手の操作は止まります。";
    InputResumed => "The other side can operate again.", "相手が再び操作できるようになりました。";
    Violation => "The other side tried what it may not ({0}); nothing happened.",
        "相手が許可されていない操作（{0}）を試みました。何も起きていません。";
    RefusedAct => "Not done: this session does not allow it ({0}).", "実行されませんでした。このセッションでは許可されていません（{0}）。";
    ScreenshotOfYours => "The other side kept a still picture of this screen.",
        "相手がこの画面を画像として保存しました。";
    ChatLine => "Message: {0}", "メッセージ: {0}";
    WrongNumberTried => "A wrong number was tried; {0} tries are left.",
        "間違った番号が入力されました。残り {0} 回です。";
    TheNumber => "Session number (valid {1}, once): {0}", "セッション番号（{1}、1 回限り有効）: {0}";
    AtTheDoor => "Somebody has come; the number is being checked.", "接続がありました。番号を確認しています。";
    WaitingForConsent =>
        "The number is right. Waiting for the person at the other side to agree.",
        "番号が確認されました。相手の同意を待っています。";
    Granted => "The person agreed ({0}): {1}.", "相手が同意しました（{0}）: {1}。";
    ServerAway => "The server cannot be reached; trying again.", "サーバーに接続できません。再接続を試みます。";
    EndedHere => "Ended. Nothing can be seen any more.", "終了しました。もう何も見えません。";
    EndedUnconnected => "It ended before a connection stood. Nothing was shown.",
        "接続ができる前に終了しました。画面は共有されていません。";
    Summary => "Summary: with {0}, {1}, {2}; pictures kept: {3}; files copied: none.",
        "まとめ: 相手 {0}、{1}、{2}、保存された画像 {3} 枚、コピーされたファイルなし。";
    LookedOnly => "{0}, looking only", "{0}（見るだけ）";
    EndedBy => "The session is over: {0}.", "セッションは終了しました: {0}。";
    ReasonOperatorEnded => "the operator ended it", "オペレータが終了しました";
    ReasonUserEnded => "the user ended it", "利用者が終了しました";
    ReasonUserRefused => "the user refused", "利用者が拒否しました";
    ReasonNobodyAnswered => "nobody answered", "回答がありませんでした";
    ReasonTimeOver => "its time was over", "許可時間が終わりました";
    ReasonConnectionLost => "the connection was lost", "接続が途切れました";
    ReasonViolation => "the other side broke the rules", "相手が規則に反しました";
    ReasonScreenLost => "the shared desktop ended", "共有していたデスクトップが終了しました";
    ReasonManifestRefused => "the permission did not hold", "許可証が正しくありませんでした";
    ReasonNotContinued => "nobody said that it shall go on", "続けてよいという回答がありませんでした";
    ReasonServerRefused => "the server refused", "サーバーが拒否しました";
    ReasonWithdrawn =>
        "the organisation ended it: an administrator, or a changed policy",
        "組織が終了しました（管理者の操作、またはポリシーの変更）";
    ReasonProgramEnded => "the program was stopped", "プログラムが停止されました";

    AskPassword => "Password:", "パスワード:";
    AskEnrolment => "Nobody has signed in with this profile yet: the enrolment code from your administrator:", "このプロファイルでのサインインは初めてです。管理者から受け取った登録コードを入力してください:";
    AskEnrolmentAgain => "The enrolment code from your administrator, if this device has not used one yet (empty if it waits for approval or is approved):", "管理者から受け取った登録コード（承認待ちまたは承認済みの端末なら空のまま）:";
    AskTotp => "The authenticator's six digits:", "認証アプリの6桁の数字:";
    AskNewPassword => "New password:", "新しいパスワード:";
    AskNewPasswordAgain => "The same once more:", "もう一度:";
    ScanThis => "Scan this with your authenticator, or type its address: {0}",
        "認証アプリで読み取るか、次のアドレスを入力してください: {0}";
    WaitingForApproval =>
        "This device waits for your administrator. Read out these words: {0}",
        "管理者の承認を待っています。次の言葉を読み上げてください: {0}";
    Confirmed => "Confirmed for a few minutes.", "確認しました（数分間有効）。";
    PasswordChanged => "The password is changed. Other sign-ins of yours have ended.", "パスワードを変更しました。ほかのサインインは終了しました。";
    SignedOut => "Signed out.", "サインアウトしました。";
    SignedIn =>
        "Signed in to {0} as {1}. Modes: {2}. Next: tasuki open --mode MODE",
        "{0} に {1} としてサインインしました。モード: {2}。次は: tasuki open --mode モード";
    OwnScreenIsShown =>
        "In this mode your own screen is shown. Whoever accepts can do this with it: {0}.",
        "このモードではあなた自身の画面が表示されます。承諾した相手ができること: {0}。";
    OperatorHint =>
        "Commands, one a line: {0}. An empty line does nothing; the end of input ends the session.",
        "1 行に 1 つの命令: {0}。空行は無視します。入力の終わりでセッションを終了します。";
    UnknownCommand => "\"{0}\" is not a command. Commands: {1}", "「{0}」という命令はありません。命令: {1}";
    BadCommand => "{0}. It is used so: {1}", "{0}（正しい形は次のとおりです: {1}）";
    NotInThisVersion => "\"{0}\" cannot be done by this version.", "「{0}」はこの版ではできません。";
    NoSession =>
        "Nothing can be done yet: wait until the person has agreed and a path stands.",
        "まだ操作できません。相手が同意し、経路ができるまでお待ちください。";
    NoPicture => "There is no picture yet: wait for the first frame.",
        "まだ画面が届いていません。最初の画面をお待ちください。";
    NotAllowedHere => "This session does not allow that ({0}).", "このセッションでは許可されていません（{0}）。";
    WaitedTooLong => "It did not happen within {0} ms.", "{0} ミリ秒以内に起きませんでした。";
    ScreenshotKept => "Kept as {0} ({1}x{2}).", "{0} に保存しました（{1}x{2}）。";
    UnknownKey => "there is no key called {0}", "{0} というキーはありません";
    MissingValue => "a value is missing", "値が足りません";
    NotANumber => "{0} is not a whole number in range", "{0} は範囲内の整数ではありません";
    TooLong => "the text is too long", "文字列が長すぎます";
    UnknownButton => "{0} is not left, middle, right, back or forward", "{0} は left, middle, right, back, forward のどれでもありません";
    NotPressOrRelease => "{0} is neither press nor release", "{0} は press でも release でもありません";
}
