//! The sentences of a running session: a line of English, a line of Japanese.
//!
//! Names rights and says what changed. Knows no program's flow.

texts! {
    /// One sentence, or word, of a running session.
    SessionText:
    RightSeeScreen => "seeing the screen", "画面を見る";
    RightOperate => "using mouse and keyboard", "マウスとキーボードの操作";
    RightChooseScreen => "choosing the monitor", "表示する画面の選択";
    RightFetchFiles => "taking files", "ファイルの取得";
    RightSendFiles => "sending files", "ファイルの送信";
    RightReadClipboard => "reading the clipboard", "クリップボードの読み取り";
    RightWriteClipboard => "filling the clipboard", "クリップボードへの書き込み";
    RightScreenshot => "keeping still pictures", "画面を画像として保存";
    RightRecord => "recording", "録画";
    RightChat => "messages", "メッセージ";
    RightPoint => "pointing and drawing", "指し示しと描き込み";
    RightReconnect => "coming back after a restart", "再起動後の再接続";
    ModeManage => "manage", "管理(manage)";
    ModeControl => "control", "操作(control)";
    ModeView => "view", "閲覧(view)";
    ModeShare => "share", "共有(share)";
    ModeShow => "show", "表示(show)";
    NoRights => "nothing", "なし";
    Hour => "{0} hour", "{0} 時間";
    Hours => "{0} hours", "{0} 時間";
    Minute => "{0} minute", "{0} 分";
    Minutes => "{0} minutes", "{0} 分";
    Second => "{0} second", "{0} 秒";
    Seconds => "{0} seconds", "{0} 秒";

    MetBefore =>
        "Sessions in which this organisation saw this computer's screen: {0}",
        "この組織がこのコンピュータの画面を見た回数: {0} 回";
    Scam =>
        "Did this person call you unasked, or speak of your bank, refunds or gift cards? Then refuse and hang up.",
        "突然かかってきた電話ですか。銀行、返金、ギフトカードの話が出ましたか。その場合は拒否して電話を切ってください。";
    FirstMet =>
        "This organisation has never seen this computer's screen. Read this before you answer:",
        "この組織がこのコンピュータの画面を見たことはまだありません。回答の前にお読みください:";
    FirstCalled => "You called them yourself, by a number that you know.", "ご存じの電話番号に、ご自分からかけた電話です。";
    FirstNotRung =>
        "Nobody rang you, and no window told you to call.",
        "突然かかってきた電話や、画面の警告を見てかけた電話ではありません。";
    FirstNoMoney =>
        "Nobody asks you to open your bank, to pay, to buy gift cards or to say a password.",
        "銀行の画面、支払い、ギフトカード、パスワードを求められていません。";
    FirstNoSecret => "Nobody asks you to keep this call secret.", "この電話を秘密にするように言われていません。";
    FirstElse =>
        "If one of these is different, press Ctrl+C, which refuses at once, and hang up. Nothing has been shown so far.",
        "ひとつでも違うときは、Ctrl+C を押して（すぐに拒否されます）電話を切ってください。まだ何も見られていません。";
    FirstWait =>
        "What is typed in the next {0} seconds does not count; then > appears.",
        "これから {0} 秒間に入力したものは無効です。そのあと > が表示されます。";
    PictureIsHere => "The operator's screen is here.", "オペレータの画面が表示されました。";
    OwnInputWaits =>
        "The person at the other computer uses the mouse or keyboard; yours wait until that is over.",
        "相手がマウスやキーボードを使っています。終わるまで、こちらの操作は止まります。";
    OwnInputWorks => "You can operate again.", "再び操作できます。";
    StillYours =>
        "{2} ({3}) still sees your screen: {0}, for {1}. To end at once: type end and press Enter, or press Ctrl+C.",
        "{2}（{3}）があなたの画面を見ています: {0}、{1}経過。すぐに終了するには end と入力して Enter、または Ctrl+C を押してください。";
    StillTheirs =>
        "You still see the screen of {2} ({3}): {0}, for {1}. To end at once: type end and press Enter, or press Ctrl+C.",
        "{2}（{3}）の画面を見ています: {0}、{1}経過。すぐに終了するには end と入力して Enter、または Ctrl+C を押してください。";
    StillOwn =>
        "Your screen is still seen: {0}, for {1}. pause holds the picture. To end at once: type end and press Enter, or press Ctrl+C.",
        "あなたの画面を相手が見ています: {0}、{1}経過。pause で画面を止めます。すぐに終了するには end と入力して Enter、または Ctrl+C を押してください。";
    StillPaused =>
        "Your picture is held still, and nothing new of your screen is seen: {0}, for {1}. resume shows it again. To end at once: type end and press Enter, or press Ctrl+C.",
        "画面を止めているため、新しい内容は相手に見えていません: {0}、{1}経過。resume で再開します。すぐに終了するには end と入力して Enter、または Ctrl+C を押してください。";
    StillAway =>
        "The connection is being restored, and nothing new is seen meanwhile. To end at once: type end and press Enter, or press Ctrl+C.",
        "接続を回復しています。その間、新しい内容は何も見えません。すぐに終了するには end と入力して Enter、または Ctrl+C を押してください。";
    AskMoreRights =>
        "{0} asks for more: {1}, for {2}. Until you answer, the other side cannot operate anything. To allow it, type yes and press Enter. To refuse, type no and press Enter, or do nothing for {3}:",
        "{0} が追加の許可を求めています: {1}（{2}）。回答するまで相手は操作できません。許可する場合は「はい」または yes と入力して Enter を押してください。「いいえ」、または {3}以内に回答がない場合は拒否になります:";
    TheOtherSide => "The person at the other side", "相手";
    AllowedAlready => "That is allowed already: {0}.", "すでに許可されています: {0}。";
    OnlyTheViewer =>
        "In this session you show your own screen; only who sees it can do that.",
        "このセッションではあなたの画面を見せています。それができるのは見ている側だけです。";
    OnlyTheHost =>
        "In this session you see the other screen; only who shows it can do that.",
        "このセッションでは相手の画面を見ています。それができるのは見せている側だけです。";
    NoSuchMonitor => "There is no monitor {0}; there are {1}, from 0.", "画面 {0} はありません。0 から数えて {1} 枚あります。";
    AskContinue =>
        "Shall the session with {0} go on? Until you answer, the other side cannot operate anything. To go on, type yes and press Enter. To end it, type no and press Enter, or do nothing for {1}:",
        "{0} とのセッションを続けますか。回答するまで相手は操作できません。続ける場合は「はい」または yes と入力して Enter を押してください。「いいえ」、または {1}以内に回答がない場合は終了します:";
    MayTheyMore =>
        "{0} asks for more: {1}, for {2}. Until you answer, the other side cannot operate anything. Without an answer in {3} this is refused.",
        "{0} が追加の許可を求めています: {1}（{2}）。回答するまで相手は操作できません。{3}以内に回答がない場合は拒否になります。";
    ShallItGoOn =>
        "Shall the session with {0} go on? Until you answer, the other side cannot operate anything. Without an answer in {1} it ends.",
        "{0} とのセッションを続けますか。回答するまで相手は操作できません。{1}以内に回答がない場合は終了します。";
    AnswerTooSoon =>
        "That was typed before the question stood. Please read it, then answer.",
        "質問が表示される前に入力されました。内容を読んでから回答してください。";
    NotAPerson =>
        "The other side used the mouse or keyboard just now, so this does not count as yours. Type pause, wait a second, and type it again.",
        "直前に相手の操作があったため、この入力は無効です。pause と入力し、1 秒待ってからもう一度入力してください。";
    NothingAsked => "Nothing is asked at the moment.", "今は何も質問されていません。";
    TheyAreAskedRights =>
        "The other side is asked for more rights ({0} to answer); input waits.",
        "相手に追加の許可を確認しています（回答まで {0}）。その間は操作できません。";
    TheyAreAskedContinue =>
        "The other side is asked whether to go on ({0} to answer); input waits.",
        "続けてよいか相手に確認しています（回答まで {0}）。その間は操作できません。";
    RightsGranted => "Allowed for {1}: {0}.", "許可されました（{1}）: {0}。";
    RightsRefused => "Refused: {0}.", "拒否されました: {0}。";
    RightsSilent => "Nobody answered, which refuses: {0}.", "回答がなかったため拒否になりました: {0}。";
    RightsTaken => "Taken away: {0}.", "許可が取り消されました: {0}。";
    RightsBack => "Allowed again: {0}.", "再び許可されました: {0}。";
    RightsOver => "Its time is over: {0}.", "許可の時間が終わりました: {0}。";
    PicturePaused =>
        "The picture is held still: nothing is sent and no input counts.",
        "画面を止めています。何も送信されず、操作もできません。";
    PictureResumed => "The picture goes on.", "画面の共有を再開しました。";
    DiscardedNoConnection =>
        "The connection was away for too long: what you did with mouse and keyboard was not sent and will not be. Do it again.",
        "接続が途切れていたため、マウスとキーボードの操作は送信されず、後からも送信されません。もう一度操作してください。";
    DiscardedKeysDown =>
        "Input was lost while keys were down: let go of all keys, then go on.",
        "キーを押している間に操作が失われました。すべてのキーを離してから続けてください。";
    DiscardedWaiting =>
        "The other side's computer takes no input at the moment; it was not sent.",
        "相手のコンピュータは今、操作を受け付けていません。送信しませんでした。";
    NotSaid =>
        "The connection is away and nothing more can wait for it; this was not sent.",
        "接続が途切れており、これ以上は待たせられません。送信しませんでした。";
    StatsPath => "Path: {0}, end to end with {1}.", "経路: {0}。端から端までの暗号: {1}。";
    StatsNoPath => "No path stands just now.", "現在、経路がありません。";
    StatsRoundTrip => "Round trip: {0} ms.", "往復時間: {0} ミリ秒。";
    StatsPicture => "Picture: {0} a second, {1} kbit/s.", "画面: 毎秒 {0} 枚、{1} kbit/s。";
    StatsLasted => "Lasting for {0}.", "経過時間: {0}。";
    StatsViolations => "Forbidden acts that were refused: {0}.", "拒否した禁止操作: {0} 件。";
    UnknownRight =>
        "{0} is no right; rights are see_screen, operate, choose_screen, fetch_files, send_files, read_clipboard, write_clipboard, screenshot, record, chat, point",
        "{0} という権利はありません。権利: see_screen, operate, choose_screen, fetch_files, send_files, read_clipboard, write_clipboard, screenshot, record, chat, point";
    NotGrantWord =>
        "{0} is none of ask, take, back, list",
        "{0} は ask, take, back, list のどれでもありません";
    GoesOutLater =>
        "There is no connection just now; this goes out when there is one again.",
        "現在接続がありません。接続が戻り次第送ります。";
    ReceiptKept => "The receipt of this session is kept in {0}.", "このセッションの控えを {0} に保存しました。";
    ReceiptHolds =>
        "The receipt holds: {0} - {1}, {2}, {3} s. Signed by {4}.",
        "控えは正しいものです: {0}、{1}、{2}、{3} 秒。署名: {4}。";
    SignedByOperator => "the operator's end", "オペレータ側";
    SignedByAgent => "the end user's end", "利用者側";
    RightGrantedLine => "{0}: allowed", "{0}: 許可";
    RightGrantedForLine => "{0}: allowed, {1} left", "{0}: 許可（残り {1}）";
    RightTakenLine => "{0}: taken away", "{0}: 取り消し中";
    RightAskableLine => "{0}: not allowed; can be asked for", "{0}: 未許可（求めることができます）";
    RightNotHereLine => "{0}: not on this computer or in this version", "{0}: このコンピュータまたはこの版では使えません";
}
