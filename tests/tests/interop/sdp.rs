//! What a link has by constants and from its pairing, in the words of SDP (RFC 8866,
//! RFC 9429): ours never speaks it, and other implementations know no other way.

use std::net::SocketAddr;

use tasuki_peer::core::{
    direct_identity::DirectIdentity,
    direct_setup::{MID, RTX_SSRC, SSRC, VP8},
    path::{DirectFacts, IceSide, VideoRole},
};
use tasuki_protocol::{ids::Digest, message::MAX_PACKET_BYTES};

const TWCC: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

/// The two media sections' names in their order.
#[derive(Debug)]
pub(crate) struct Names {
    video: String,
    data: String,
}

impl Names {
    pub(crate) fn ours() -> Self {
        Self { video: MID.to_owned(), data: "data".to_owned() }
    }

    /// As an offer has them, whose answer must have the same.
    pub(crate) fn of(offer: &str) -> Self {
        let section = |kind: &str| {
            let (_, rest) = offer.split_once(&format!("m={kind} ")).unwrap();
            value(rest, "a=mid:").to_owned()
        };
        Self { video: section("video"), data: section("application") }
    }
}

/// Our end at `address` as an offer (the controlling side) or an answer.
pub(crate) fn of_ours(
    own: &DirectIdentity,
    side: IceSide,
    names: &Names,
    address: SocketAddr,
) -> String {
    let (setup, direction) = match side {
        IceSide::Controlling => ("active", "recvonly"),
        IceSide::Controlled => ("passive", "sendonly"),
    };
    let Names { video, data } = names;
    let fingerprint: Vec<String> = own.fingerprint().0.iter().map(|b| format!("{b:02X}")).collect();
    let transport = format!(
        "c=IN IP4 127.0.0.1\na=setup:{setup}\na=ice-ufrag:{}\na=ice-pwd:{}\na=fingerprint:sha-256 {}\n\
         a=candidate:1 1 udp 2130706175 {} {} typ host\na=end-of-candidates\n",
        own.ufrag(),
        own.pwd(),
        fingerprint.join(":"),
        address.ip(),
        address.port(),
    );
    let rtx = VP8 + 1;
    let source = match side {
        IceSide::Controlling => String::new(),
        IceSide::Controlled => format!(
            "a=msid:screen screen-0\na=ssrc-group:FID {SSRC} {RTX_SSRC}\n\
             a=ssrc:{SSRC} cname:tasuki\na=ssrc:{RTX_SSRC} cname:tasuki\n"
        ),
    };
    format!(
        "v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nt=0 0\na=group:BUNDLE {video} {data}\n\
         m=video 9 UDP/TLS/RTP/SAVPF {VP8} {rtx}\na=mid:{video}\n{transport}a={direction}\n\
         a=rtcp-mux\na=rtpmap:{VP8} VP8/90000\na=rtcp-fb:{VP8} transport-cc\n\
         a=rtcp-fb:{VP8} nack\na=rtcp-fb:{VP8} nack pli\na=rtpmap:{rtx} rtx/90000\n\
         a=fmtp:{rtx} apt={VP8}\na=extmap:3 {TWCC}\n{source}\
         m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:{data}\n{transport}\
         a=sctp-port:5000\na=max-message-size:{MAX_PACKET_BYTES}\n"
    )
    .replace('\n', "\r\n")
}

/// What our end must know of one that describes itself so. Its proof is no part of SDP.
pub(crate) fn facts(sdp: &str, side: IceSide) -> DirectFacts {
    let (_, hex) = value(sdp, "a=fingerprint:").split_once(' ').unwrap();
    let bytes: Vec<u8> = hex.split(':').map(|b| u8::from_str_radix(b, 16).unwrap()).collect();
    let video = match side {
        IceSide::Controlling => VideoRole::Receives,
        IceSide::Controlled => VideoRole::Sends,
    };
    DirectFacts {
        side,
        remote_fingerprint: Digest(bytes.try_into().unwrap()),
        remote_ufrag: value(sdp, "a=ice-ufrag:").to_owned(),
        remote_pwd: value(sdp, "a=ice-pwd:").to_owned(),
        own_proof: Digest([1; 32]),
        peer_proof: Digest([2; 32]),
        video,
    }
}

/// Where the other end may be reached.
pub(crate) fn candidates(sdp: &str) -> Vec<String> {
    sdp.lines()
        .filter_map(|line| line.strip_prefix("a="))
        .filter(|line| line.starts_with("candidate:"))
        .map(str::to_owned)
        .collect()
}

fn value<'a>(sdp: &'a str, key: &str) -> &'a str {
    sdp.lines().find_map(|line| line.strip_prefix(key)).unwrap()
}
