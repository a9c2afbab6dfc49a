//! The command line of `tasuki-relay`, in English and Japanese.

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::failure::Language;

/// Flags that stand for a setting each: flag and setting differ only in `-` and `_`.
pub const SETTING_FLAGS: [(&str, &str, &str); 8] = [
    (
        "listen",
        "ADDR:PORT for relay connections, several with commas",
        "中継を待ち受けるアドレス:ポート(コンマ区切りで複数可)",
    ),
    (
        "stun-listen",
        "ADDR:PORT for STUN over UDP; empty switches it off",
        "STUN(UDP)を待ち受けるアドレス:ポート。空にすると無効",
    ),
    (
        "turn-address",
        "The relay's own public IPv4 and IPv6 address; empty switches TURN off",
        "この中継の公開 IPv4・IPv6 アドレス。空にすると TURN は無効",
    ),
    (
        "turn-listen",
        "ADDR:PORT for TURN over TCP and TLS; empty switches these off",
        "TURN(TCP・TLS)を待ち受けるアドレス:ポート。空にすると無効",
    ),
    (
        "certificate",
        "PEM file with the relay's certificate chain",
        "中継の証明書チェーン(PEM ファイル)",
    ),
    ("key", "PEM file with the certificate's private key", "証明書の秘密鍵(PEM ファイル)"),
    (
        "ticket-key",
        "File with the ticket key shared with the server",
        "サーバーと共有するチケット鍵のファイル",
    ),
    ("log", "error, warn, info, debug or trace", "error、warn、info、debug、trace のいずれか"),
];

/// `--lang` if it is there, else `LC_ALL`, `LC_MESSAGES` or `LANG`.
pub fn language(arguments: &[String], variable: impl Fn(&str) -> Option<String>) -> Language {
    let after_flag = arguments.iter().position(|argument| argument == "--lang");
    let named = after_flag
        .and_then(|at| arguments.get(at + 1).cloned())
        .or_else(|| arguments.iter().find_map(|a| a.strip_prefix("--lang=").map(str::to_owned)))
        .or_else(|| {
            let spoken = |name| variable(name).filter(|value| !value.is_empty());
            spoken("LC_ALL").or_else(|| spoken("LC_MESSAGES")).or_else(|| spoken("LANG"))
        });
    match named {
        Some(name) if name.starts_with("ja") => Language::Japanese,
        Some(_) | None => Language::English,
    }
}

pub fn command(language: Language) -> Command {
    let config = Command::new("config")
        .about(language.say(
            "Print the effective settings and where each value came from",
            "有効な設定と、それぞれの値の出どころを表示します",
        ))
        .arg(
            Arg::new("json")
                .long("json")
                .action(ArgAction::SetTrue)
                .help(language.say("Print JSON", "JSON で表示します")),
        );
    Command::new("tasuki-relay")
        .version(env!("CARGO_PKG_VERSION"))
        .about(language.say(
            "Joins the two ends of a Tasuki session, over TCP and by TURN, and answers STUN; it cannot read \
             what it forwards",
            "Tasuki のセッションの両端を TCP と TURN でつなぎ、STUN に応答します。中継する内容は読めません",
        ))
        .after_help(language.say(
            "Exit codes: 0 ended on request, 1 system, 2 usage, 3 configuration, 4 port taken, \
             5 keys unreadable or damaged, 6 cannot listen.\n\
             Order of settings: default < file < environment (TASUKI_RELAY_LISTEN, ...) < flag.",
            "終了コード: 0 指示による終了、1 システム、2 使い方、3 設定、4 ポート使用中、\
             5 鍵が読めない・壊れている、6 待ち受け不可。\n\
             設定の優先順位: 既定値 < ファイル < 環境変数 (TASUKI_RELAY_LISTEN など) < オプション。",
        ))
        .subcommand_required(true)
        .disable_help_subcommand(true)
        .subcommand(Command::new("run").about(language.say("Run the relay", "中継を開始します")))
        .subcommand(config)
        .args(options(language))
}

/// What both subcommands take.
fn options(language: Language) -> impl Iterator<Item = Arg> {
    let config = Arg::new("config")
        .value_name("FILE")
        .help(language.say("Configuration file (TOML)", "設定ファイル (TOML)"));
    let settings = SETTING_FLAGS.map(|(flag, english, japanese)| {
        Arg::new(flag).value_name("VALUE").help(language.say(english, japanese))
    });
    let set = Arg::new("set")
        .value_name("NAME=VALUE")
        .action(ArgAction::Append)
        .help(language.say("Any setting, e.g. limits.pairs=100", "任意の設定。例: limits.pairs=100"));
    let lang = Arg::new("lang")
        .value_name("ja|en")
        .value_parser(["ja", "en"])
        .help(language.say("Language of messages", "表示する言語"));
    let all = [config].into_iter().chain(settings).chain([set, lang]);
    all.map(|option| {
        let name = clap::builder::Str::from(option.get_id().clone());
        option.long(name).global(true)
    })
}

/// Every setting that a flag gives, by its name.
pub fn flagged(matches: &ArgMatches) -> Vec<(String, String)> {
    let named = SETTING_FLAGS.iter().filter_map(|(flag, ..)| {
        let value = matches.get_one::<String>(flag)?;
        Some((flag.replace('-', "_"), value.clone()))
    });
    let set = matches.get_many::<String>("set").into_iter().flatten().map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name.trim().to_owned(), value.to_owned())
    });
    named.chain(set).collect()
}
