//! What the doctor says: to the person, and to whoever runs the network, in both
//! languages. `{0}`, `{1}` … stand for values, the same in all four.

use super::super::texts::Lang;

macro_rules! words {
    ($($name:ident => $code:literal, [$en:literal, $ja:literal], [$it_en:literal, $it_ja:literal];)+) => {
        /// Something found that is not a fault of its own.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Words { $($name),+ }

        impl Words {
            #[cfg(test)]
            pub(super) const ALL: &[Self] = &[$(Self::$name),+];

            pub(super) fn code(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }

            fn person(self, lang: Lang) -> &'static str {
                match (self, lang) {
                    $((Self::$name, Lang::En) => $en, (Self::$name, Lang::Ja) => $ja,)+
                }
            }

            fn network(self, lang: Lang) -> &'static str {
                match (self, lang) {
                    $((Self::$name, Lang::En) => $it_en, (Self::$name, Lang::Ja) => $it_ja,)+
                }
            }
        }
    };
}

words! {
    NameFound => "name_found",
        ["The server's name {0} is known.", "サーバー名 {0} が見つかりました。"],
        ["DNS answers for {0}: {1}.", "{0} の DNS 応答: {1}。"];
    NameByProxy => "name_by_proxy",
        ["The server's name is left to the proxy.", "サーバー名の確認はプロキシに任せます。"],
        ["{0} does not resolve here; the proxy resolves it (CONNECT by name).",
         "{0} はこの端末では解決できず、プロキシが解決します（名前による CONNECT）。"];
    NoProxy => "no_proxy",
        ["No proxy is used.", "プロキシは使用しません。"],
        ["Connections to {0} go straight: neither settings nor environment nor desktop name a proxy for it.",
         "{0} へは直接接続します（設定・環境変数・デスクトップのいずれにもプロキシの指定がありません）。"];
    ProxyServes => "proxy_serves",
        ["The proxy {0} lets this program through.", "プロキシ {0} を経由して接続できます。"],
        ["CONNECT through {0} works.", "{0} 経由の CONNECT は成功しました。"];
    PortOpen => "port_open",
        ["The server answers.", "サーバーが応答しました。"],
        ["TCP to {0}: connected within {1} ms.", "{0} への TCP 接続: {1} ミリ秒で成功。"];
    KeyRight => "key_right",
        ["It is your organisation's server.", "あなたの組織のサーバーであることを確認しました。"],
        ["TLS to {0}: {1}, pinned key confirmed, no inspection.", "{0} への TLS: {1}、固定鍵を確認、検査なし。"];
    WebSocketOpen => "websocket_open",
        ["The connection can be kept open.", "接続を維持できます。"],
        ["WebSocket upgrade at {0} works (101).", "{0} での WebSocket への切り替えは成功しました（101）。"];
    WebSocketBlocked => "websocket_blocked",
        ["Something on this network does not let the connection be kept open. Ask the people who run it to allow WebSocket connections to {0}.",
         "このネットワークでは接続を維持できません。{0} への WebSocket 接続を許可するようネットワークの担当者に依頼してください。"],
        ["The WebSocket upgrade at {0} fails after a good TLS handshake: {1}.",
         "{0} への TLS は成功しましたが、WebSocket への切り替えに失敗しました: {1}。"];
    RelayReached => "relay_reached",
        ["Sessions can go through the relay.", "中継サーバーを利用できます。"],
        ["Relay at {0}: reached within {1} ms.",
         "中継 {0}: {1} ミリ秒で接続。"];
    RelayElsewhere => "relay_elsewhere",
        ["The relay is another computer than the server; whether it can be reached shows when a session begins.",
         "中継はサーバーとは別のコンピュータが行います。利用できるかどうかは接続時に分かります。"],
        ["{0} has no relay inside. The server names other relays in each session's ticket (its setting `relay`), and they are not examined here.",
         "{0} には中継がありません。サーバーの設定 relay にある別の中継が接続ごとに指定され、ここでは確認していません。"];
    LineFine => "line_fine",
        ["The line is fast enough.", "回線の速度は十分です。"],
        ["Line to {3}: {0} ms there and back, {1} kbit/s down and {2} kbit/s up in a short test (20000 stands for that and more).",
         "{3} への回線: 往復 {0} ミリ秒、短時間の測定で下り {1} kbit/s、上り {2} kbit/s（20000 はそれ以上を含む）。"];
    LineSlow => "line_slow",
        ["This line is slow ({1} kbit/s to this computer, {2} kbit/s from it): pictures come late or coarse. A cable, a place nearer to the wireless access point or fewer transfers at the same time help.",
         "回線が遅いため（受信 {1} kbit/s、送信 {2} kbit/s）、画面の更新が遅れたり粗くなったりします。有線接続にする、無線の親機に近づく、同時に行っている転送を減らすと改善します。"],
        ["Line to {3}: {0} ms there and back, {1} kbit/s down and {2} kbit/s up; a session needs 1000 kbit/s each way to look fluid.",
         "{3} への回線: 往復 {0} ミリ秒、下り {1} kbit/s、上り {2} kbit/s。滑らかな表示には双方向とも 1000 kbit/s が必要です。"];
    LineFar => "line_far",
        ["The way to the server is long ({0} ms there and back): every key and click shows late. A cable instead of a mobile or satellite line helps.",
         "サーバーまでの往復に {0} ミリ秒かかるため、操作の反映が遅れます。携帯回線や衛星回線ではなく有線回線を使うと改善します。"],
        ["Line to {3}: {0} ms there and back, {1} kbit/s down and {2} kbit/s up; above 300 ms every key is felt.",
         "{3} への回線: 往復 {0} ミリ秒、下り {1} kbit/s、上り {2} kbit/s。300 ミリ秒を超えると操作の遅れを感じます。"];
    LineUnmeasured => "line_unmeasured",
        ["How fast the line is could not be measured.", "回線の速度を測定できませんでした。"],
        ["Timing the line to {0} failed: {1}.", "{0} への回線速度の測定に失敗しました: {1}。"];
    TurnOpen => "turn_open",
        ["Where no direct way is found, sessions go over UDP through the relay.",
         "直接通信ができない相手とは、UDP による中継を利用できます。"],
        ["TURN at {0} answers over UDP.", "{0} の TURN が UDP で応答しました。"];
    TurnAbsent => "turn_absent",
        ["Where no direct way is found, sessions go over TCP through the relay.",
         "直接通信ができない相手とは、TCP による中継になります。"],
        ["STUN at {0} answers over UDP and TURN does not: the server's `turn_address` is not set, or something on the way lets only STUN through.",
         "{0} は UDP の STUN には応答しますが、TURN には応答しません。サーバーの turn_address が未設定か、経路上の機器が STUN だけを通しています。"];
    UdpOpen => "udp_open",
        ["Sessions can go directly.", "直接通信が可能です。"],
        ["UDP {0}: no translation in front of this computer.", "UDP {0}: アドレス変換なし。"];
    UdpSameForAll => "udp_same_for_all",
        ["Sessions can usually go directly.", "たいていの相手と直接通信が可能です。"],
        ["UDP {0}: translated to {1}, the same for every destination (endpoint-independent mapping).",
         "UDP {0}: {1} に変換され、宛先によらず同一です（endpoint-independent mapping）。"];
    UdpTranslated => "udp_translated",
        ["Sessions may go directly.", "直接通信できる場合があります。"],
        ["UDP {0}: translated to {1}; only one port of the server answered, so the kind of mapping is unknown.",
         "UDP {0}: {1} に変換されます。応答したポートが一つのため変換の種類は不明です。"];
    UdpPerDestination => "udp_per_destination",
        ["Sessions are relayed with most others, because this network changes the address for each destination. They work, with a little delay.",
         "このネットワークは宛先ごとにアドレスを変えるため、多くの相手とは中継になります。少し遅くなりますが利用できます。"],
        ["UDP {0}: another port for each destination (symmetric NAT, {1}). A direct path needs endpoint-independent mapping.",
         "UDP {0}: 宛先ごとにポートが変わります（対称型 NAT、{1}）。直接通信には endpoint-independent mapping が必要です。"];
    UdpPortBlocked => "udp_port_blocked",
        ["Sessions are likely to be relayed, because this network lets no UDP through to the server's own port. They work, with a little delay.",
         "このネットワークはサーバーのポートへの UDP を通さないため、中継になる場合があります。少し遅くなりますが利用できます。"],
        ["UDP to {0} is not answered, though port 3478 of the same host is. Sessions ask there for their addresses: allow outgoing UDP to it.",
         "{0} への UDP には応答がありませんが、同じホストのポート 3478 からは応答があります。接続時はこのポートを使うため、UDP 送信の許可が必要です。"];
    UdpBlocked => "udp_blocked",
        ["Sessions are relayed, because this network lets no UDP through. They work, with a little delay.",
         "このネットワークは UDP を通さないため、中継になります。少し遅くなりますが利用できます。"],
        ["No UDP answer from {0}. For direct sessions allow outgoing UDP to it and to high ports; without it everything runs over TCP.",
         "{0} から UDP の応答がありません。直接通信には、このサーバーと上位ポートへの UDP 送信の許可が必要です。許可しない場合はすべて TCP で動作します。"];
    ClockRight => "clock_right",
        ["The clock is right.", "時計は合っています。"],
        ["This clock differs from the server's by {0} s.", "サーバーの時計との差は {0} 秒です。"];
    ClockOff => "clock_off",
        ["This computer's clock is off by {0} s. Sessions work; times in records will differ. Set the clock.",
         "この端末の時計は {0} 秒ずれています。接続はできますが、記録の時刻が合いません。時計を合わせてください。"],
        ["This clock is {0} s ahead of the server's (negative: behind).",
         "この端末の時計はサーバーより {0} 秒進んでいます（負の値は遅れ）。"];
    DesktopFine => "desktop_fine",
        ["The desktop can be shown.", "デスクトップを表示できます。"],
        ["Capture self-test at {0}: one picture of {1}, not kept.", "{0} の画面取得テスト: {1} の画像を 1 枚取得（保存なし）。"];
    HandsFine => "hands_fine",
        ["The desktop can be operated, once you allow it.", "許可すればデスクトップを操作できます。"],
        ["Injection self-test at {0}: XTEST answers; nothing was typed or moved.",
         "{0} の入力テスト: XTEST が応答（入力や移動はしていません）。"];
    NoDesktop => "no_desktop",
        ["There is no desktop here to be shown.", "表示できるデスクトップがありません。"],
        ["DISPLAY is not set: capture and injection were not tested.",
         "DISPLAY が設定されていないため、画面取得と入力は試していません。"];
    OtherSystem => "other_system",
        ["The screen of this system cannot be shown yet.", "この OS の画面を見せることは、まだできません。"],
        ["Capture and injection are there for Linux with X11; here they were not tested.",
         "画面取得と入力は Linux（X11）用です。ここでは試していません。"];
}

impl Words {
    pub(super) fn both(self, values: &[String]) -> [[String; 2]; 2] {
        [Lang::En, Lang::Ja]
            .map(|lang| [filled(self.person(lang), values), filled(self.network(lang), values)])
    }
}

pub(super) fn filled(text: &str, values: &[String]) -> String {
    let mut filled = text.to_owned();
    for (place, value) in values.iter().enumerate() {
        filled = filled.replace(&format!("{{{place}}}"), value);
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s100_every_finding_is_said_in_both_languages_with_a_code_of_its_own() {
        let values = ["A", "B", "C", "D"].map(str::to_owned);
        let mut codes = Vec::new();
        for words in Words::ALL {
            for sentence in words.both(&values).into_iter().flatten() {
                assert!(!sentence.contains('{'), "{sentence}");
            }
            let [[en, _], [ja, _]] = words.both(&values);
            assert_ne!(en, ja);
            assert!(!codes.contains(&words.code()), "{}", words.code());
            codes.push(words.code());
        }
    }
}
