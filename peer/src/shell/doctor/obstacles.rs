//! What whoever runs the network is told of an obstacle, beside the person's own sentence.

use super::super::fault::Fault;
use super::super::reasons::reason;
use super::super::texts::Lang;

/// In English and in Japanese; `None` for what is no matter of the network.
pub(super) fn for_network(fault: &Fault) -> Option<[String; 2]> {
    of_the_way(fault).or_else(|| of_tls(fault)).or_else(|| of_a_proxy(fault))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the others are told elsewhere")]
fn of_the_way(fault: &Fault) -> Option<[String; 2]> {
    Some(match fault {
        Fault::UnknownHost { host } => [
            format!(
                "DNS gives no address for {host}. Add the name to the resolver that this computer uses."
            ),
            format!(
                "{host} の DNS 応答がありません。この端末が使うリゾルバーに名前を登録してください。"
            ),
        ],
        Fault::PortClosed { address } => [
            format!(
                "TCP to {address} is refused. Host and port are those of the organisation's file; start the \
                 server there, open the port, or give out a new file if the server has moved."
            ),
            format!(
                "{address} への TCP 接続が拒否されました。ホストとポートは組織の設定ファイルの値です。サーバーを起動する、\
                 ポートを開く、または移転した場合は新しい設定ファイルを配布してください。"
            ),
        ],
        Fault::Unreachable { address, why } => [
            format!(
                "TCP to {address} fails: {why}. Allow outgoing TCP to it, or name a proxy that may."
            ),
            format!(
                "{address} への TCP 接続に失敗しました（{}）。このアドレスへの送信を許可するか、プロキシを指定してください。",
                reason(why, Lang::Ja)
            ),
        ],
        _ => return None,
    })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the others are told elsewhere")]
fn of_tls(fault: &Fault) -> Option<[String; 2]> {
    Some(match fault {
        Fault::WrongServerKey { host } => [
            format!(
                "TLS to {host}: the key shown is not the pinned one. Either the server's key was exchanged, or something else answers."
            ),
            format!(
                "{host} への TLS: 提示された鍵が固定鍵と一致しません。サーバーの鍵が交換されたか、別の機器が応答しています。"
            ),
        ],
        Fault::NotTasuki { address } => [
            format!(
                "TLS to {address} stands, and what answers is no Tasuki server. Check what this host and port lead to."
            ),
            format!(
                "{address} への TLS は成功しましたが、Tasuki サーバーではありません。このホストとポートの転送先を確認してください。"
            ),
        ],
        Fault::Inspected { host, issuer } => [
            format!(
                "TLS to {host} is opened on the way (certificate issued by \"{issuer}\"). Exempt {host} from TLS inspection; there is no other remedy."
            ),
            format!(
                "{host} への TLS が途中で復号されています（証明書の発行者「{issuer}」）。{host} を TLS 検査の対象から外してください。ほかの対処方法はありません。"
            ),
        ],
        _ => return None,
    })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the others are told elsewhere")]
fn of_a_proxy(fault: &Fault) -> Option<[String; 2]> {
    Some(match fault {
        Fault::ProxyUnreachable { proxy, why } => [
            format!("The proxy {proxy} fails: {why}."),
            format!("プロキシ {proxy} への接続に失敗しました（{}）。", reason(why, Lang::Ja)),
        ],
        Fault::ProxyPassword { proxy } => [
            format!(
                "{proxy} answers CONNECT with 407 and takes Basic: name or password are missing or wrong."
            ),
            format!(
                "{proxy} は CONNECT に 407（Basic 認証）を返しました。名前またはパスワードがないか、誤っています。"
            ),
        ],
        Fault::ProxySignIn { proxy } => [
            format!(
                "{proxy} answers CONNECT with 407 and offers no Basic (RFC 7617), which is all that is spoken. Let the server's host name through without a sign-in."
            ),
            format!(
                "{proxy} は CONNECT に 407 を返しましたが、Basic 認証（RFC 7617）に対応していません。サーバーのホスト名を認証なしで許可してください。"
            ),
        ],
        Fault::ProxyRefused { proxy, address, status } => [
            format!("{proxy} answers CONNECT {address} with {status}. Allow CONNECT to {address}."),
            format!(
                "{proxy} は CONNECT {address} に {status} を返しました。{address} への CONNECT を許可してください。"
            ),
        ],
        Fault::ProxyNonsense { proxy } => [
            format!(
                "What answers at {proxy} does not speak HTTP. The setting names the wrong host or port, or a kind of proxy that is not spoken (SOCKS, TLS)."
            ),
            format!(
                "{proxy} の応答は HTTP ではありません。ホストやポートの指定が誤っているか、対応していない種類のプロキシ（SOCKS、TLS）です。"
            ),
        ],
        _ => return None,
    })
}
