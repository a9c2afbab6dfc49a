//! `tasuki`: the operator's side, for terminals and scripts.
//!
//! Signs in, opens a number, and reads commands a line. Decides nothing that a
//! server or a host decides.

use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand};
use tasuki_media::desktop::serve_when_asked;
use tasuki_protocol::ids::Role;
use tasuki_protocol::rights::Mode;
use tasuki_terminal::usage::{Manual, Words};

use super::commands;
use super::console::{Console, Manner, OwnDesktop};
use super::examining;
use super::pages::{self, PagesCommand};
use super::receipts::{self, ReceiptCommand};
use super::say::{self, Added, Form};
use super::sign_in::{self, ConfirmOptions, LoginOptions, PasswordOptions};
use super::start::{self, Shared};
use super::surface;
use super::usage;
use crate::core::authority::able;
use crate::shell::dumps;
use crate::shell::fault::Fault;
use crate::shell::settings::Settings;
use crate::shell::terminal::Lines;
use crate::shell::texts::{Lang, Text, rights};

const AFTER_HELP: &str = "\
First:  tasuki login --tenant tenant.json --operator NAME
Then:   tasuki open --mode control
and read the number to the person who needs help.

Commands during a session, one a line of standard input (its end ends the session):
  move X Y                        click X Y [left|middle|right|back|forward]
  button press|release [BUTTON]   scroll DX DY
  key ctrl+a                      press KEY, release KEY
  type TEXT                       chat TEXT
  grant ask RIGHT,... [MINUTES]   grant take|back RIGHT,..., grant list
  pause, resume (your own screen, in share and show)
  screenshot FILE.png             monitor N
  stats                           watch X Y, watch off
  wait session|frame [MS]         wait colour X Y RRGGBB [MS], wait MS
  end

Files: $XDG_CONFIG_HOME/tasuki/settings.toml (tenant, lang, path, proxy, log,
continue_every_s, continue_answer_s, rights_answer_s, without_server_s, without_path_s);
$XDG_STATE_HOME/tasuki: device.key, sign-in.json, root.pin, tenant.json, receipts/.
Environment: TASUKI_PROFILE, TASUKI_TENANT, TASUKI_LANG, TASUKI_PATH, TASUKI_PROXY, TASUKI_LOG,
TASUKI_CONTINUE_EVERY_S, TASUKI_CONTINUE_ANSWER_S, TASUKI_RIGHTS_ANSWER_S,
TASUKI_WITHOUT_SERVER_S, TASUKI_WITHOUT_PATH_S, DISPLAY; HTTPS_PROXY, ALL_PROXY and NO_PROXY where the proxy is auto.

Exit codes: 0 ended as wished, 1 system, 2 usage, 3 setting, 10 no DISPLAY (share, show),
11 desktop unusable, 20 not set up, 21 damaged tenant.json, 22 other organisation,
23 profile file unusable, 24 not signed in, 25 other server, 30 unknown host, 31 port closed,
32 unreachable, 33 wrong server key, 34 not a Tasuki server, 35 other protocol version,
36 server unavailable, 37 too many tries, 38 the account's limits cannot be read at the server,
40 wrong name, password or code, 41 sign-in over,
42 mode not allowed, 43 digits needed, 44 device waits for approval, 45 suspended after wrong
tries, 46 new password unusable, 47 confirm first, 48 input ended too early, 49 a reason is
needed, 52 number expired, 53 number burnt by wrong tries, 54 connection altered,
55 permission does not hold, 56 outside the allowed hours, 57 not from this address,
58 not with this hardware address, 59 this computer's approval was taken back, 60 refused,
61 nobody answered, 62 connection lost, 63 time over, 64 ended at the server,
65 other side broke the rules, 66 desktop ended, 67 server gone, 68 not continued,
70 proxy unreachable, 71 proxy wants a password, 72 proxy refuses, 73 encrypted connections
are opened on the way, 74 receipt refused, 75 the server's ledger is older or another than
the one seen before, 130 interrupted before a session began.";

const MANUAL: Manual = Manual {
    about: "オペレータ側のプログラム（端末とスクリプト用）",
    after: "\
最初に:  tasuki login --tenant tenant.json --operator 名前
次に:    tasuki open --mode control
番号を、助けを求めている人に読み上げます。

セッション中のコマンド（標準入力に 1 行ずつ。入力の終わりでセッションも終わります）:
  move X Y                        click X Y [left|middle|right|back|forward]
  button press|release [BUTTON]   scroll DX DY
  key ctrl+a                      press KEY, release KEY
  type 文                         chat 文
  grant ask 権限,... [分]         grant take|back 権限,..., grant list
  pause, resume（share と show での自分の画面）
  screenshot ファイル.png         monitor N
  stats                           watch X Y, watch off
  wait session|frame [ミリ秒]     wait colour X Y RRGGBB [ミリ秒], wait ミリ秒
  end

ファイル: $XDG_CONFIG_HOME/tasuki/settings.toml（tenant, lang, path, proxy, log,
continue_every_s, continue_answer_s, rights_answer_s, without_server_s, without_path_s）、$XDG_STATE_HOME/tasuki の device.key,
sign-in.json, root.pin, tenant.json, receipts/。
環境変数: TASUKI_PROFILE, TASUKI_TENANT, TASUKI_LANG, TASUKI_PATH, TASUKI_PROXY, TASUKI_LOG,
TASUKI_CONTINUE_EVERY_S, TASUKI_CONTINUE_ANSWER_S, TASUKI_RIGHTS_ANSWER_S,
TASUKI_WITHOUT_SERVER_S, TASUKI_WITHOUT_PATH_S, DISPLAY。プロキシが auto のときは HTTPS_PROXY, ALL_PROXY, NO_PROXY。

終了コード: 0 正常終了、1 システム、2 使い方、3 設定、10 DISPLAY なし（share, show）、
11 デスクトップ使用不可、20 未設定、21 tenant.json の破損、22 別の組織、23 プロファイルの
ファイル使用不可、24 未サインイン、25 別のサーバー、30 不明なホスト、31 閉じたポート、32 到達不可、
33 サーバーの鍵の不一致、34 Tasuki サーバーではない、35 プロトコルの版の不一致、36 サーバー利用不可、
37 試行が多すぎる、38 読み取れないアカウントの制限、40 名前・パスワード・コードの誤り、41 サインインの終了、42 許可されないモード、
43 確認コードが必要、44 端末の承認待ち、45 誤りによる停止、46 使えない新しいパスワード、
47 本人確認が必要、48 入力の途中終了、49 理由が必要、52 番号の期限切れ、53 誤りによる番号の失効、
54 接続の改変、55 許可証の不備、56 許可された時間の外、
57 許可されないアドレス、58 許可されない MAC アドレス、59 承認が取り消された端末、60 拒否、61 回答なし、62 接続の切断、63 時間切れ、64 サーバー側で終了、
65 相手の規則違反、66 デスクトップの終了、67 サーバーの停止、68 続行の回答なし、
70 プロキシに到達不可、71 プロキシのパスワード、72 プロキシの拒否、73 途中での暗号の解除、
74 控えの拒否、75 サーバーの記録が以前より古いか別のもの、130 セッション開始前の中断。",
    words: &[WORDS, usage::SHARED],
};

const WORDS: Words = &[
    ("login", "サインインし、プロファイルに保存します"),
    ("confirm", "本人であることをもう一度示します。管理モードはサインインの数分後から求めます"),
    ("password", "パスワードを変えます。ほかのサインインは終わります"),
    ("logout", "サーバーでサインインを終えます。番号とセッションも終わります"),
    ("open", "セッションを開きます。番号と出来事を表示し、コマンドを読みます"),
    ("--customer", "助ける相手の名前（組織の記録に残ります）"),
    ("--mode", "manage、control、view、share、show のどれか"),
    ("--reason", "案件番号などの理由。エンドユーザーが読みます"),
    ("--server", "確認だけに使います。サーバーは組織のファイルに書かれています"),
    ("--operator", "オペレータとしての名前"),
    (
        "--password_stdin",
        "パスワードを標準入力の 1 行から読みます（password では古いものと新しいものの 2 行）",
    ),
    ("--enrolment_stdin", "この端末の登録コードを、パスワードの次の行から読みます"),
    ("--totp_stdin", "認証アプリの 6 桁を標準入力の 1 行から読みます"),
    ("--authenticator", "認証アプリを設定します。QR コードを表示し、数字を尋ねます"),
    ("--wait", "管理者がこの端末を承認するまで待ちます"),
];

/// The operator's side of a support session, for terminals and scripts.
#[derive(Debug, Parser)]
#[command(name = "tasuki", version, after_help = AFTER_HELP)]
struct Options {
    #[command(flatten)]
    shared: Shared,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Work(Work),
    #[command(flatten)]
    Pages(PagesCommand),
}

#[derive(Debug, Subcommand)]
enum Work {
    /// Signs in and keeps the sign-in in the profile.
    Login(LoginOptions),
    /// Shows again that it is you: mode Manage asks for it some minutes after a sign-in.
    Confirm(ConfirmOptions),
    /// Changes your password; your other sign-ins end.
    Password(PasswordOptions),
    /// Ends the sign-in at the server, with its numbers and sessions.
    Logout,
    /// Opens a session: prints its number, then what happens; reads commands.
    Open {
        /// manage, control, view, share or show.
        #[arg(long, value_parser = modes(), hide_possible_values = true)]
        mode: Mode,
        /// Why, like a ticket's number; the end user reads it
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        /// Whom you help, for the organisation's records.
        #[arg(long, value_name = "NAME")]
        customer: Option<String>,
    },
    /// Examines the way to the server and this desktop, and names the obstacle.
    Doctor,
    /// Prints the effective settings and where each came from.
    Config,
    /// Checks what a session left behind.
    Receipt {
        #[command(subcommand)]
        command: ReceiptCommand,
    },
}

fn modes() -> impl TypedValueParser<Value = Mode> {
    PossibleValuesParser::new(Mode::ALL.map(Mode::name)).try_map(|name| name.parse::<Mode>())
}

/// The program.
pub fn main() -> ExitCode {
    dumps::leave_none();
    if let Some(end) = serve_when_asked() {
        return end;
    }
    let options: Options = match usage::parse(&MANUAL) {
        Ok(options) => options,
        Err(code) => return code,
    };
    let work = match &options.command {
        Command::Work(work) => work,
        Command::Pages(command) => return pages::run::<Options>(command, &MANUAL),
    };
    let form = options.shared.form();
    start::run(&options.shared, async |settings| match work {
        Work::Login(login) => sign_in::login(login, settings, form).await,
        Work::Confirm(options) => sign_in::confirm(options, settings, form).await,
        Work::Password(options) => sign_in::password(options, settings, form).await,
        Work::Logout => sign_in::logout(settings, form).await,
        Work::Open { mode, reason, customer } => {
            open(*mode, reason.clone(), customer.as_deref(), settings, form).await
        }
        Work::Doctor => examining::doctor(settings, form).await,
        Work::Receipt { command } => receipts::run(command, form, settings.lang),
        Work::Config => {
            start::print_settings(settings, form);
            Ok(())
        }
    })
}

async fn open(
    mode: Mode,
    reason: Option<String>,
    customer: Option<&str>,
    settings: &Settings,
    form: Form,
) -> Result<(), Fault> {
    let mut signals = start::listen()?;
    let (front, running) = tokio::select! {
        begun = surface::begin(mode, reason, settings) => begun?,
        _ = signals.next() => return Err(Fault::Interrupted),
    };
    if let Some(customer) = customer {
        front.customer(customer.to_owned()).await;
    }
    if form == Form::Plain {
        say::print(&Text::OperatorHint.fill(settings.lang, &[&commands::names()]));
    }
    if mode.host() == Role::Operator {
        warn_of_own_screen(mode, form, settings.lang);
    }
    let mut lines = Lines::of_stdin();
    let desktop = OwnDesktop::Here;
    let manner = Manner { role: Role::Operator, form, lang: settings.lang, desktop, met_before: 0 };
    let result =
        Console::new(manner, front, &mut lines, &mut signals, &settings.profile).attend(|_| {}).await;
    let _ = running.await;
    result.map_err(|fault| {
        let is_mode = matches!(fault, Fault::ModeNotAllowed { .. });
        if is_mode { Fault::ModeNotAllowed { mode: mode.to_string() } } else { fault }
    })
}

/// Whose screen it is should know before anybody has the number (S22).
fn warn_of_own_screen(mode: Mode, form: Form, lang: Lang) {
    let viewer_may = mode.ceiling().and(able());
    match form {
        Form::Json => say::json(&Added::OwnScreen { viewer_may }),
        Form::Plain => say::print(&Text::OwnScreenIsShown.fill(lang, &[&rights(viewer_may, lang)])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s100_every_command_and_every_option_has_its_words_in_japanese_and_no_word_is_for_nothing() {
        assert_eq!(MANUAL.faults::<Options>(), Vec::<String>::new());
    }
}
