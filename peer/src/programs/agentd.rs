//! `tasuki-agentd`: the end user's side, at a terminal.
//!
//! Asks for the number, then for consent, then shows that the session lives and
//! ends it at a word. No flag, variable or file makes it consent (S29, S30).

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tasuki_media::desktop::serve_when_asked;
use tasuki_protocol::ids::{DeviceKey, Role};
use tasuki_protocol::number::{NumberError, SessionNumber};
use tasuki_protocol::rights::Rights;
use tasuki_terminal::usage::{Manual, Words};
use tokio::task::JoinHandle;

use super::console::{Console, Manner, OwnDesktop};
use super::examining;
use super::pages::{self, PagesCommand};
use super::receipts::{self, ReceiptCommand};
use super::say;
use super::start::{self, Shared};
use super::usage;
use super::visit;
use crate::core::door::TriedNumbers;
use crate::core::io::SessionEvent;
use crate::shell::acquaintance::{meet, met_before};
use crate::shell::dumps;
use crate::shell::fault::Fault;
use crate::shell::local_maximum::local_maximum;
use crate::shell::profile::Profile;
use crate::shell::run::Front;
use crate::shell::settings::Settings;
use crate::shell::system::Signals;
use crate::shell::terminal::{self, Lines};
use crate::shell::texts::Text;
use crate::shell::trust::Trust;

const AFTER_HELP: &str = "\
Consent is typed by a person at the terminal that this program runs in; silence and
everything but yes (or はい) refuse. Nothing else consents: no flag, variable or file.
Of an organisation that never saw this screen, what is typed within 5 seconds does not count.

During a session, each with Enter:
  end (or Ctrl+C)                 ends it at once
  Enter alone                     tells who sees what and for how long, as the program does each minute
  chat TEXT                       writes to the operator
  grant list                      tells what the operator may do
  grant take RIGHT,...            takes that from him at once (operate, chat, screenshot, ...)
  grant back RIGHT,...            gives back what you took
  pause, resume                   holds your picture still; nothing is sent and no input counts
  stats                           tells what protects the session
  screenshot FILE.png             keeps a picture, where you see the operator's screen
In Share the operator's commands (move, click, key, type, scroll, ...) work here too.

Files: /etc/tasuki/tenant.json or $XDG_CONFIG_HOME/tasuki/tenant.json (the signed file of
your organisation), settings.toml beside it (tenant, lang, path, proxy, log, continue_every_s,
continue_answer_s, rights_answer_s, without_server_s, without_path_s), and in $XDG_STATE_HOME/tasuki root.pin
(the organisation's key, kept at first use) and receipts/.
Environment: TASUKI_PROFILE, TASUKI_TENANT, TASUKI_LANG, TASUKI_PATH, TASUKI_PROXY, TASUKI_LOG,
TASUKI_CONTINUE_EVERY_S, TASUKI_CONTINUE_ANSWER_S, TASUKI_RIGHTS_ANSWER_S,
TASUKI_WITHOUT_SERVER_S, TASUKI_WITHOUT_PATH_S, DISPLAY; HTTPS_PROXY, ALL_PROXY and NO_PROXY where the proxy is auto.

Exit codes: 0 ended as wished, 1 system, 2 usage, 3 setting, 10 no DISPLAY, 11 desktop
unusable, 12 no terminal, 20 not set up, 21 damaged tenant.json, 22 other organisation,
23 profile file unusable, 26 damaged agent-max.toml, 30 unknown host, 31 port closed, 32 unreachable, 33 wrong server
key, 34 not a Tasuki server, 35 other protocol version, 36 server unavailable, 37 too many
tries, 50 mistyped number, 51 number refused, 54 connection altered, 55 permission does not
hold, 60 refused, 61 nobody answered, 62 connection lost, 63 time over, 64 ended at the
server, 65 other side broke the rules, 66 desktop ended, 67 server gone, 68 not continued,
70 proxy unreachable, 71 proxy wants a password, 72 proxy refuses, 73 encrypted connections
are opened on the way, 74 receipt refused, 76 file unreadable, 130 interrupted before a session began.";

const MANUAL: Manual = Manual {
    about: "サポートを受ける利用者側のプログラム（端末用）",
    after: "\
同意は、このプログラムが動いている端末の前にいる人が入力します。無言と、yes（または
はい）以外の入力はすべて拒否になります。フラグ、環境変数、ファイルで同意することはできません。
この画面をまだ見たことのない組織からの依頼では、最初の 5 秒間に入力したものは無効です。

セッション中（それぞれ Enter を押します）:
  end（または Ctrl+C）            すぐに終了します
  Enter だけ                      誰が何を見ているか、経過時間とともに表示します（1 分ごとにも表示します）
  chat 文                         オペレータに文を送ります
  grant list                      オペレータに許可されていることを表示します
  grant take 権限,...             その権限をすぐに取り上げます（operate, chat, screenshot など）
  grant back 権限,...             取り上げた権限を戻します
  pause, resume                   画面を止めます。その間は何も送らず、操作も受けません
  stats                           保護の状態を表示します
  screenshot ファイル.png         オペレータの画面を見ているとき、画像を保存します
share では、オペレータのコマンド（move, click, key, type, scroll など）もここで使えます。

ファイル: /etc/tasuki/tenant.json または $XDG_CONFIG_HOME/tasuki/tenant.json（組織の署名付き
ファイル）、同じ場所の settings.toml（tenant, lang, path, proxy, log, continue_every_s,
continue_answer_s, rights_answer_s, without_server_s, without_path_s）、$XDG_STATE_HOME/tasuki の root.pin と receipts/。
環境変数: TASUKI_PROFILE, TASUKI_TENANT, TASUKI_LANG, TASUKI_PATH, TASUKI_PROXY, TASUKI_LOG,
TASUKI_CONTINUE_EVERY_S, TASUKI_CONTINUE_ANSWER_S, TASUKI_RIGHTS_ANSWER_S,
TASUKI_WITHOUT_SERVER_S, TASUKI_WITHOUT_PATH_S, DISPLAY。プロキシが auto のときは HTTPS_PROXY, ALL_PROXY, NO_PROXY。

終了コード: 0 正常終了、1 システム、2 使い方、3 設定、10 DISPLAY なし、11 デスクトップ使用不可、
12 端末なし、20 未設定、21 tenant.json の破損、22 別の組織、23 プロファイルのファイル使用不可、
26 agent-max.toml の破損、30 不明なホスト、31 閉じたポート、32 到達不可、33 サーバーの鍵の不一致、34 Tasuki サーバーではない、
35 プロトコルの版の不一致、36 サーバー利用不可、37 試行が多すぎる、50 番号の打ち間違い、
51 番号の拒否、54 接続の改変、55 許可証の不備、60 拒否、61 回答なし、62 接続の切断、63 時間切れ、
64 サーバー側で終了、65 相手の規則違反、66 デスクトップの終了、67 サーバーの停止、68 続行の回答なし、
70 プロキシに到達不可、71 プロキシのパスワード、72 プロキシの拒否、73 途中での暗号の解除、
74 控えの拒否、76 読めないファイル、130 セッション開始前の中断。",
    words: &[WORDS, usage::SHARED],
};

const WORDS: Words = &[
    ("--number", "セッション番号。省くと入力を求めます"),
    (
        "--no_desktop",
        "このコンピュータの画面を見せません。オペレータが画面を見せるセッションだけに加わります",
    ),
];

/// The end user's side of a support session, at a terminal.
#[derive(Debug, Parser)]
#[command(name = "tasuki-agentd", version, after_help = AFTER_HELP)]
struct Options {
    #[command(flatten)]
    shared: Shared,
    /// The session number; asked for when it is left out.
    #[arg(long, value_name = "NUMBER")]
    number: Option<String>,
    /// This computer shows nothing: only sessions in which the operator shows a screen.
    #[arg(long)]
    no_desktop: bool,
    #[command(subcommand)]
    command: Option<Command>,
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
        Some(Command::Work(work)) => Some(work),
        Some(Command::Pages(command)) => return pages::run::<Options>(command, &MANUAL),
        None => None,
    };
    start::run(&options.shared, async |settings| match work {
        Some(Work::Config) => {
            start::print_settings(settings, options.shared.form());
            Ok(())
        }
        Some(Work::Doctor) => examining::doctor(settings, options.shared.form()).await,
        Some(Work::Receipt { command }) => receipts::run(command, options.shared.form(), settings.lang),
        None => serve(&options, settings).await,
    })
}

async fn serve(options: &Options, settings: &Settings) -> Result<(), Fault> {
    let trust =
        Trust::current(settings.tenant.as_deref(), &settings.profile, &settings.proxies).await?;
    // Said before a number is spent on it.
    local_maximum(&settings.profile)?;
    let given = options.number.as_deref().map(str::parse::<SessionNumber>).transpose();
    let mut given = given.map_err(|_| Fault::NumberMistyped)?;
    if !terminal::is_interactive() {
        return Err(Fault::NoTerminal);
    }
    let display = if options.no_desktop { None } else { Some(start::display()?) };
    say::to_person(&Text::Welcome.fill(settings.lang, &[&trust.bundle.organisation]));
    say::to_person(Text::Promise.say(settings.lang));
    let mut agent = Agent {
        options,
        settings,
        host: trust.bundle.host,
        display,
        signals: start::listen()?,
        lines: Lines::of_stdin(),
        tried: TriedNumbers::default(),
    };
    loop {
        let number = match given.take() {
            Some(number) => number,
            None => agent.ask_number().await?,
        };
        let once = options.number.is_some();
        match agent.session(&number).await {
            Err(Fault::NumberRefused) if !once => {
                say::to_person(Text::NumberTryAnother.say(settings.lang));
            }
            result => return result,
        }
    }
}

struct Agent<'a> {
    options: &'a Options,
    settings: &'a Settings,
    host: String,
    display: Option<String>,
    signals: Signals,
    lines: Lines,
    tried: TriedNumbers,
}

impl Agent<'_> {
    /// Forgiving, and nothing is sent before the check digit is right.
    async fn ask_number(&mut self) -> Result<SessionNumber, Fault> {
        let lang = self.settings.lang;
        loop {
            say::prompt(Text::AskNumber.say(lang));
            let line = tokio::select! {
                line = self.lines.next() => line,
                _ = self.signals.next() => None,
            };
            let Some(line) = line else { return Err(Fault::Interrupted) };
            let complaint = match line.text.parse::<SessionNumber>() {
                Ok(number) => return Ok(number),
                Err(NumberError::Character(c)) => {
                    Text::NumberNotDigits.fill(lang, &[&say::harmless(&c.to_string())])
                }
                Err(NumberError::Length) if line.text.trim().is_empty() => continue,
                Err(NumberError::Length) => Text::NumberLength.say(lang).to_owned(),
                Err(NumberError::CheckDigit) => Text::NumberCheck.say(lang).to_owned(),
            };
            say::to_person(&complaint);
        }
    }

    async fn session(&mut self, number: &SessionNumber) -> Result<(), Fault> {
        let lang = self.settings.lang;
        say::to_person(&Text::Connecting.fill(lang, &[&self.host]));
        let failed_before = self.tried.failed_before(number);
        let display = self.display.clone();
        let begun = begin(number, failed_before, self.settings, display);
        let (root, (front, running)) = tokio::select! {
            begun = begun => begun?,
            _ = self.signals.next() => return Err(Fault::Interrupted),
        };
        let desktop = if self.display.is_some() { OwnDesktop::Here } else { OwnDesktop::None };
        let (form, profile) = (self.options.shared.form(), &self.settings.profile);
        let met_before = met_before(profile, &root);
        let manner = Manner { role: Role::Agent, form, lang, desktop, met_before };
        let tried = &mut self.tried;
        let console = Console::new(manner, front, &mut self.lines, &mut self.signals, profile);
        let heard = |event: &SessionEvent| {
            note(tried, number, event);
            remember(profile, &root, event);
        };
        let result = console.attend(heard).await;
        let _ = running.await;
        result
    }
}

/// With what is trusted now: whoever was taken out while this program waited at its prompt is out here too (T14).
async fn begin(
    number: &SessionNumber,
    failed_before: u8,
    settings: &Settings,
    display: Option<String>,
) -> Result<(DeviceKey, (Front, JoinHandle<()>)), Fault> {
    let trust =
        Trust::current(settings.tenant.as_deref(), &settings.profile, &settings.proxies).await?;
    let begun = visit::begin(number, failed_before, &trust, settings, display).await?;
    Ok((trust.bundle.root, begun))
}

/// Whoever was let in once is met the next time; who only showed a screen of his own was not.
fn remember(profile: &Profile, root: &DeviceKey, event: &SessionEvent) {
    if let SessionEvent::Consent { mode, granted } = event
        && mode.host() == Role::Agent
        && *granted != Rights::NONE
        && let Err(why) = meet(profile, root)
    {
        tracing::warn!(%why, "the organisation is met for the first time again");
    }
}

/// T4: this end counts wrong numbers too.
fn note(tried: &mut TriedNumbers, number: &SessionNumber, event: &SessionEvent) {
    if let SessionEvent::WrongNumber { .. } = event {
        tried.failed(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tasuki_protocol::rights::Mode;

    /// T2: a look at the operator's own screen is cheap, and would save a cheat the five seconds before he sees hers.
    #[test]
    fn t2_an_organisation_is_met_by_a_session_that_lets_it_in_and_by_no_other() {
        for mode in Mode::ALL {
            let folder = tempfile::tempdir().unwrap();
            let (profile, root) = (Profile::at(folder.path()), DeviceKey([1; 32]));
            let told = |granted| remember(&profile, &root, &SessionEvent::Consent { mode, granted });
            told(Rights::NONE);
            assert_eq!(met_before(&profile, &root), 0, "{mode} was refused");
            told(mode.ceiling());
            assert_eq!(met_before(&profile, &root), u32::from(mode.host() == Role::Agent), "{mode}");
        }
    }

    #[test]
    fn s100_every_command_and_every_option_has_its_words_in_japanese_and_no_word_is_for_nothing() {
        assert_eq!(MANUAL.faults::<Options>(), Vec::<String>::new());
    }
}
