//! Reasons in Japanese (S100): what a sentence gives behind its colon.
//!
//! The core and the protocol give reasons in English, for logs as for people, and so does the
//! operating system. Decides words only; what it does not know stays as it is.

use std::io::{self, ErrorKind};

use super::texts::Lang;

/// `why` for people who read `lang`; unchanged where there is no translation.
pub fn reason(why: &str, lang: Lang) -> &str {
    match lang {
        Lang::En => why,
        Lang::Ja => japanese(why).unwrap_or(why),
    }
}

/// What failed on the way to another computer, by its kind: the system's own words are its own language's.
pub(super) fn of_io(why: &io::Error) -> &'static str {
    tracing::info!(%why, "a connection failed");
    let known = OF_IO.iter().find(|(kind, _)| *kind == why.kind());
    known.map_or("the network failed", |(_, words)| words)
}

/// A person's file, which is never written over.
pub(crate) const IS_THERE: &str =
    "a file of that name is there already, and nothing is ever written over";

const OF_IO: &[(ErrorKind, &str)] = &[
    (ErrorKind::ConnectionRefused, "the connection was refused"),
    (ErrorKind::ConnectionReset, "the connection was cut"),
    (ErrorKind::ConnectionAborted, "the connection was cut"),
    (ErrorKind::BrokenPipe, "the connection was cut"),
    (ErrorKind::NotConnected, "the connection was cut"),
    (ErrorKind::UnexpectedEof, "the connection was cut"),
    (ErrorKind::HostUnreachable, "no way leads to it"),
    (ErrorKind::NetworkUnreachable, "this computer is in no network"),
    (ErrorKind::NetworkDown, "this computer is in no network"),
    (ErrorKind::AddrNotAvailable, "this computer is in no network"),
    (ErrorKind::TimedOut, "it does not answer"),
    (ErrorKind::PermissionDenied, "this computer does not allow the connection"),
];

fn japanese(why: &str) -> Option<&'static str> {
    let whole = WHOLE.iter().find(|(english, _)| *english == why);
    let found = whole.or_else(|| BEGINNINGS.iter().find(|(english, _)| why.starts_with(english)));
    found.map(|(_, japanese)| *japanese)
}

/// Those that go on with a figure or a detail, which people can do without.
const BEGINNINGS: &[(&str, &str)] = &[
    ("no way through was found within", "時間内に通れる経路が見つかりませんでした"),
    ("the path broke its protection", "経路の保護が破られました"),
    ("the network failed", "ネットワークに障害が起きました"),
    ("the bundle is of protocol version", "別の版のプロトコルのファイルです"),
    ("the bundle is version", "すでに確認したものより古いファイルです"),
    ("it is a number of seconds from", "範囲内の秒数ではありません"),
    ("no X server answers at", "表示先の X サーバーの応答がありません。DISPLAY を確かめてください"),
    (
        "this computer has no font",
        "このコンピュータにはフォントがありません。フォント (Debian では fonts-vlgothic など) を入れてください",
    ),
    ("the settings are", "知らない設定です"),
    ("it is written in quotation marks", "引用符で囲んで書きます"),
    ("unknown variant", "使えない値があります"),
    ("unknown field", "知らない項目があります"),
    ("invalid type", "値の種類が違います"),
    ("duplicate key", "同じ項目が二度あります"),
    ("key with no value", "値のない項目があります"),
    ("missing field", "足りない項目があります"),
    ("No such file or directory", "ファイルまたはフォルダーがありません"),
    ("Permission denied", "アクセス権がありません"),
    ("Is a directory", "ファイルではなくフォルダーです"),
    ("Not a directory", "フォルダーではないものが途中にあります"),
    ("No space left on device", "ディスクに空きがありません"),
    ("Read-only file system", "書き込みできないディスクです"),
    ("File exists", "同じ名前のものがすでにあります"),
    ("Connection refused", "接続が拒否されました"),
    ("Connection reset", "相手が接続を切りました"),
    ("Connection timed out", "時間内に応答がありませんでした"),
    ("Network is unreachable", "ネットワークにつながっていません"),
    ("No route to host", "相手のネットワークに届きません"),
    ("Too many open files", "開いているファイルが多すぎます"),
];

const WHOLE: &[(&str, &str)] = &[
    (IS_THERE, "同じ名前のファイルが既にあります（上書きはしません）"),
    ("this network lets no UDP through", "このネットワークは UDP を通しません"),
    (
        "the organisation lets the two computers meet at the relay alone",
        "組織の設定により、中継サーバーだけを通ります",
    ),
    ("this program was started for the relay alone", "中継だけを使う指定で起動しています"),
    ("the path went silent", "経路の応答がなくなりました"),
    ("the other end closed the path", "相手が経路を閉じました"),
    ("the path was closed here", "こちらで経路を閉じました"),
    ("the relay refused", "中継サーバーが拒否しました"),
    ("it does not answer", "応答がありません"),
    ("the connection was refused", "接続が拒否されました"),
    ("the connection was cut", "接続が切れました"),
    ("no way leads to it", "相手のネットワークに届きません"),
    ("this computer is in no network", "このコンピュータはネットワークにつながっていません"),
    ("this computer does not allow the connection", "このコンピュータの設定が接続を許していません"),
    ("its name is unknown", "名前が見つかりません"),
    ("its content is damaged", "内容が壊れています"),
    ("it is en or ja", "en または ja を指定します"),
    ("it is auto, direct or relayed", "auto、direct、relayed のどれかを指定します"),
    ("it was refused", "拒否されました"),
    ("the document is too large", "文書が大きすぎます"),
    ("the document is not in the strict form", "文書の形式が正しくありません"),
    ("the document is of another type", "別の種類の文書です"),
    (
        "the document was signed by a key that is not trusted for it",
        "信頼されていない鍵で署名されています",
    ),
    ("the signature does not match the document", "署名が文書と一致しません"),
    ("the manifest is of another protocol version", "許可証が別の版のプロトコルのものです"),
    (
        "the manifest allows more than the operator's certificate, or names another operator",
        "許可証がオペレータの証明書を超えているか、別のオペレータのものです",
    ),
    (
        "the manifest was made for another organisation, session, computer or operator",
        "許可証が別の組織、セッション、コンピュータ、またはオペレータのものです",
    ),
    ("the manifest carries a name that cannot be shown", "許可証に表示できない名前があります"),
    ("the manifest's times are out of bounds", "許可証の時間が範囲外です"),
    ("the manifest allows more than its mode can", "許可証がモードの範囲を超えています"),
    ("the manifest demands what this program cannot do", "許可証の要求をこのプログラムは満たせません"),
    (
        "the operator's certificate is of another organisation, device or version",
        "オペレータの証明書が別の組織、端末、または版のものです",
    ),
    (
        "the operator's certificate carries a name that cannot be shown",
        "オペレータの証明書に表示できない名前があります",
    ),
    ("the operator's device was revoked", "オペレータの端末は失効しています"),
    (
        "the operator's certificate is made for longer than 90 days",
        "オペレータの証明書の期間が 90 日を超えています",
    ),
    (
        "the operator's certificate is not valid today; check this computer's date",
        "オペレータの証明書は今日は有効ではありません。このコンピュータの日付を確かめてください",
    ),
    (
        "the list of revoked devices is older than one seen before",
        "失効した端末の一覧が、以前に確認したものより古くなっています",
    ),
    (
        "the bundle was not signed by the known organisation's root key",
        "知っている組織の鍵で署名されていません",
    ),
    (
        "the bundle lacks a key, a host or a name that can be shown",
        "鍵、ホスト、または表示できる名前がありません",
    ),
    (
        "the receipt was signed by somebody who was not in the session",
        "セッションに加わっていない者が控えに署名しています",
    ),
    (
        "the parts of the receipt are not of one session",
        "控えの各部が同じセッションのものではありません",
    ),
    ("no signed receipt is in it", "署名された控えが入っていません"),
    ("it says something else than what was signed", "署名された内容と異なります"),
];

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tasuki_protocol::dsse::DocumentRefused;
    use tasuki_protocol::manifest::ManifestRefused;

    use super::*;
    use crate::core::path::PathEnd;
    use crate::core::snapshot::NotDirect;
    use crate::shell::fault::Fault;

    /// What is left of a sentence without the names in it has no word of the system's language.
    fn is_all_japanese(sentence: &str, names: &[&str]) -> bool {
        let rest = names.iter().fold(sentence.to_owned(), |rest, name| rest.replace(name, ""));
        !rest.contains(|c: char| c.is_ascii_alphabetic())
    }

    #[test]
    fn s100_whatever_a_connection_fails_with_its_japanese_sentence_has_no_english_word() {
        let errors = (1..=133).map(io::Error::from_raw_os_error);
        let others = [ErrorKind::UnexpectedEof, ErrorKind::InvalidData, ErrorKind::Other];
        for error in errors.chain(others.into_iter().map(io::Error::from)) {
            let why = of_io(&error).to_owned();
            let name = "help.example:443";
            let direct = Fault::Unreachable { address: name.to_owned(), why: why.clone() };
            let by_proxy = Fault::ProxyUnreachable { proxy: name.to_owned(), why };
            for fault in [direct, by_proxy] {
                let sentence = fault.sentence(Lang::Ja);
                assert!(is_all_japanese(&sentence, &[name]), "{error}: {sentence}");
            }
        }
        for why in ["it does not answer", "its name is unknown"] {
            assert!(is_all_japanese(reason(why, Lang::Ja), &[]));
        }
    }

    #[test]
    fn s100_every_reason_of_a_path_and_of_a_manifest_is_told_in_japanese_too() {
        let paths = [
            PathEnd::NotReached(Duration::from_secs(10)),
            PathEnd::NoUdp,
            PathEnd::Silent,
            PathEnd::ClosedByPeer,
            PathEnd::ClosedHere,
            PathEnd::Violation("a record was cut"),
            PathEnd::RelayRefused,
            PathEnd::Network("gone".to_owned()),
        ];
        let manifests = [
            ManifestRefused::Document(DocumentRefused::Forged),
            ManifestRefused::Document(DocumentRefused::UnknownKey),
            ManifestRefused::Version,
            ManifestRefused::NotCertified,
            ManifestRefused::Binding,
            ManifestRefused::Name,
            ManifestRefused::Times,
            ManifestRefused::TooWide,
            ManifestRefused::Demand,
        ];
        let rules = [NotDirect::ByPolicy, NotDirect::BySetting];
        let rules = rules.iter().filter_map(NotDirect::rule).map(ToOwned::to_owned);
        let reasons = paths.iter().map(ToString::to_string).chain(rules);
        for why in reasons.chain(manifests.iter().map(ToString::to_string)) {
            assert!(!reason(&why, Lang::Ja).is_ascii(), "{why}");
            assert_eq!(reason(&why, Lang::En), why);
        }
    }
}
