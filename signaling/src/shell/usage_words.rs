//! The Japanese words of the command line, by command and option: `setup --host`, and `--data` for an
//! option that means the same everywhere. Knows no command's meaning.

use tasuki_terminal::usage::{Manual, Words};

pub(super) const MANUAL: Manual = Manual {
    about: "Tasuki のサーバー",
    after: "終了コード:
  0  完了
  1  システムから乱数を得られない
  2  使い方の誤り
  3  フォルダーが初期設定されていない
  4  初期設定が途中で終わっている
  5  フォルダーは初期設定済みか、別のものがある
  6  別のサーバーがフォルダーを使用中
  7  鍵または証明書が壊れている
  8  データベースが壊れているか、新しい版のもの
  9  アドレスが使用中か、待ち受けできない
 10  設定、ホスト名、組織名が使えない
 11  ファイルを読み書きできない
 12  `doctor` が対処の必要なものを見つけた
 13  バックアップまたは復元がファイルを上書きしてしまう
 14  バックアップが壊れている
 15  バックアップは別のサーバーのもの
 16  復元できる組織の鍵がない",
    words: &[WORDS],
};

const WORDS: Words = &[
    ("--lang", "表示する言語: en または ja。指定しなければ環境に従います"),
    ("--data", "サーバーのフォルダー"),
    ("--json", "JSON で表示します"),
    ("setup", "サーバーのフォルダーを作ります（鍵・証明書・データベース）。一度だけ"),
    ("setup --data", "フォルダー。新しいか、空のもの"),
    ("setup --host", "サーバーに接続する DNS 名または IP アドレス"),
    ("setup --port", "接続する TCP ポート。1 から 65535（既定 443）"),
    ("setup --organisation", "人に見える組織名。指定しなければホスト名"),
    ("setup --cert", "自分の証明書チェーン（PEM）"),
    ("setup --key", "証明書の秘密鍵（PEM）"),
    ("run", "フォルダーのサーバーを動かします"),
    (
        "run --log_format",
        "標準エラー出力に書くログの形: text は人が読む行、json は 1 行に一つの JSON（既定 text）",
    ),
    ("--listen", "アドレスとポート。ポート 0 は空いているものを使い、表示します"),
    ("--no_relay", "サーバー内の中継を動かしません"),
    ("--stun", "STUN に応答する UDP アドレスとポート"),
    ("--set", "任意の設定（名前=値）。`tasuki-server config` で一覧できます"),
    ("config", "すべての設定と値、その出どころを表示します"),
    ("doctor", "ファイル・証明書・データベース・ディスク・時計・ポートを調べます。何も変えません"),
    ("doctor --hardening", "設定とユニットファイルが十分に厳しいかも調べます"),
    (
        "doctor --unit",
        "サーバーを動かすユニットファイル（既定 /etc/systemd/system/tasuki-server.service）",
    ),
    ("backup", "データベースの全体を一つのファイルに書きます。動作中でもできます。鍵は含まれません"),
    ("restore", "バックアップを、鍵がありデータベースのないフォルダーに戻します"),
    ("--file", "バックアップ。どちらのコマンドも既存のファイルを上書きしません"),
    (
        "recovery-token",
        "コンピュータを失った管理者のためのトークンを作ります。動作中でもできます。組織の復元シートも必要で、15 分以内に一度だけ使えます",
    ),
    ("completion", "シェルでコマンドを補完するスクリプトを表示します"),
    ("completion --shell", "bash、elvish、fish、powershell、zsh のどれか"),
    ("manual", "コマンドごとのマニュアルページをフォルダーに書きます"),
    ("manual --folder", "ページを置くフォルダー。なければ作ります"),
];
