//! `tasuki-server backup` and `restore`, as the person at the terminal sees them.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::backup::{BackedUp, Restored, back_up, restore};
use super::fault::{Fault, Language};
use super::program::say;
use super::recovery::Recorded;

#[derive(Debug, Args)]
pub(super) struct BackupArguments {
    /// The server's folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The backup. Neither command writes over a file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) async fn backup_command(
    arguments: &BackupArguments,
    language: Language,
) -> Result<(), Fault> {
    let BackedUp { bytes, recorded } = back_up(&arguments.data, &arguments.file).await?;
    let is_recorded = recorded == Recorded::Yes;
    let file = arguments.file.display();
    if arguments.json {
        let backed_up = json!({
            "event": "backed_up", "file": file.to_string(), "bytes": bytes, "recorded": is_recorded,
        });
        say(&backed_up.to_string());
        return Ok(());
    }
    say(&match language {
        Language::English => format!(
            "The database is in {file} ({bytes} bytes). The keys are not: keep a copy of the folder's
*.key, *.crt, *.toml and server.json files in another place, without which no backup opens."
        ),
        Language::Japanese => format!(
            "データベースを {file} に保存しました（{bytes} バイト）。鍵は含まれません。フォルダの *.key、*.crt、*.toml、
server.json の写しを別の場所に保管してください。それがないと、バックアップは開けません。"
        ),
    });
    if !is_recorded {
        say(match language {
            Language::English => {
                "The ledger will not say that this backup was made: the database took no row. Run
`tasuki-server doctor`."
            }
            Language::Japanese => {
                "データベースに書き込めないため、このバックアップは記録に残りません。`tasuki-server doctor` を実行してください。"
            }
        });
    }
    Ok(())
}

pub(super) async fn restore_command(
    arguments: &BackupArguments,
    language: Language,
) -> Result<(), Fault> {
    let Restored { made_at, admin_token } = restore(&arguments.data, &arguments.file).await?;
    if arguments.json {
        let restored = json!({"event": "restored", "made_at": made_at, "admin_token": admin_token});
        say(&restored.to_string());
        return Ok(());
    }
    let at = i64::try_from(made_at).ok().and_then(|at| jiff::Timestamp::from_second(at).ok());
    let at = at.map(|at| at.to_string()).unwrap_or_default();
    say(&match language {
        Language::English => format!(
            "The database is as it was at {at}.
Everybody has to sign in again, with the password of then, and without an authenticator that was set up
since: it has to be set up anew. One that was replaced since counts again: have it set up anew, too,
where its telephone was lost. Who was removed or disabled since is back: look at `tasuki-admin operator list`, and
disable, revoke and limit once more what was since then. The ledger went back, too, and every program that has
seen newer records notices it: run `tasuki-admin audit acknowledge-restore --reason TEXT`. If a key was
rotated since, every program refuses the server until the administrator runs `tasuki-admin key republish` too."
        ),
        Language::Japanese => format!(
            "データベースを {at} の状態に戻しました。
全員がサインインし直す必要があります。パスワードは当時のもので、その後に設定した認証アプリは求められません（設定し直して
ください）。その後に取り替えた認証アプリは、取り替える前のものに戻ります（電話機を紛失していた場合は、設定し直してください）。その後に削除・停止したオペレータも戻っています。`tasuki-admin operator list` で確認し、
その後に停止・失効・制限したものは、もう一度行ってください。記録も戻ったので、新しい記録を見たことのあるプログラムはそれを検知します。
`tasuki-admin audit acknowledge-restore --reason TEXT` を実行してください。その後に鍵を
替えていた場合は、管理者が `tasuki-admin key republish` も実行するまで、各プログラムはサーバーを拒否します。"
        ),
    });
    let Some(token) = admin_token else { return Ok(()) };
    say(&match language {
        Language::English => format!(
            "It has no administrator yet. The token that `setup` printed is void; a new one for the first
administrator, good once and shown once, which `tasuki-admin init` asks for:
  {token}"
        ),
        Language::Japanese => format!(
            "まだ管理者がいません。`setup` が表示したトークンは無効です。最初の管理者の新しい登録トークン
（一度だけ使え、一度だけ表示されます。`tasuki-admin init` が尋ねます）:
  {token}"
        ),
    });
    Ok(())
}
