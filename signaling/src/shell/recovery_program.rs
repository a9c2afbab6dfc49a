//! `tasuki-server recovery-token`, as the person at the server's terminal sees it.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::fault::{Fault, Language};
use super::program::say;
use super::recovery::{RecoveryToken, TOKEN_S, make_token};

#[derive(Debug, Args)]
pub(super) struct RecoveryArguments {
    /// The server's folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) async fn recovery_command(
    arguments: &RecoveryArguments,
    language: Language,
) -> Result<(), Fault> {
    let RecoveryToken { token, tenant, url, pin } = make_token(&arguments.data).await?;
    if arguments.json {
        let made = json!({
            "event": "recovery_token", "token": token, "expires_in": TOKEN_S,
            "tenant": tenant.to_string(), "url": url, "fingerprint": pin.map(|pin| pin.to_string()),
        });
        say(&made.to_string());
        return Ok(());
    }
    let minutes = TOKEN_S / 60;
    let unread = match language {
        Language::English => "(server.crt cannot be read)",
        Language::Japanese => "（server.crt を読めません）",
    };
    let pin = pin.map_or_else(|| unread.to_owned(), |pin| pin.to_string());
    say(&match language {
        Language::English => format!(
            "Token for an administrator whose computer is lost (works once within {minutes} minutes, is shown once):
  {token}

On a new computer: `tasuki-admin --server {url} init --recover`, with this token and two of the three
recovery shares. It asks for the SHA-256 of the server's public key, which is
  {pin}
unless it is given the organisation's tenant.json (`--bundle`). The token opens nothing without them. Every other administrator is disabled then, the
lost computer's key among them; `tasuki-admin admin enable` lets colleagues in again. The ledger says
that this token was made."
        ),
        Language::Japanese => format!(
            "コンピュータを失った管理者のためのトークン（{minutes} 分以内に一度だけ使え、一度だけ表示されます）:
  {token}

新しいコンピュータで `tasuki-admin --server {url} init --recover` を実行し、このトークンと三枚の復元
シートのうち二枚を入力してください。サーバー公開鍵の SHA-256 を尋ねられたら、次を入力してください（組織の
tenant.json を `--bundle` で渡せば尋ねられません）:
  {pin}
シートがなければトークンだけでは何も開けません。そのとき他の管理者は
すべて（失ったコンピュータの鍵も）無効になります。同僚は `tasuki-admin admin enable` で戻せます。
このトークンを作ったことは記録に残ります。"
        ),
    });
    Ok(())
}
