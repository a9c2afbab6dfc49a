//! How the WebRTC library is set up for a direct path, and what it is told of the
//! other end. Constants and facts only; nothing happens here.

use str0m::config::{DtlsVersion, Fingerprint};
use str0m::{IceCreds, Rtc, RtcConfig, RtcError};
use tasuki_protocol::message::MAX_PACKET_BYTES;

use super::direct_identity::DirectIdentity;
pub use super::direct_lanes::channels;
pub use super::direct_video::{MID, RTX_SSRC, SSRC, VP8};
use super::path::{DirectFacts, IceSide};

/// Packets held for reordering: more than the largest key frame has.
const REORDERED_PACKETS: usize = 1000;
/// Packets that wait to be cut off a frame.
const QUEUED_PACKETS: usize = 2000;

/// All of a link but its ciphers, which the link itself narrows (T47).
pub fn config(identity: &DirectIdentity) -> RtcConfig {
    RtcConfig::new()
        .set_dtls_cert(identity.cert())
        .set_local_ice_credentials(identity.credentials())
        .set_dtls_version(DtlsVersion::Dtls13)
        .clear_codecs()
        .enable_vp8(true)
        // Feedback is read off the RTCP that comes in; the library's own estimator ticks for ever.
        .enable_raw_packets(true)
        .set_reordering_size_video(REORDERED_PACKETS)
        .set_send_buffer_video(QUEUED_PACKETS)
        .set_sctp_max_message_size(u32::try_from(MAX_PACKET_BYTES).unwrap_or(u32::MAX))
}

/// Begins towards the end that `facts` describe.
///
/// # Errors
/// The library could not begin; nothing was sent.
pub fn meet(rtc: &mut Rtc, facts: &DirectFacts) -> Result<(), RtcError> {
    let controlling = facts.side == IceSide::Controlling;
    let mut api = rtc.direct_api();
    api.set_remote_fingerprint(Fingerprint {
        hash_func: "sha-256".into(),
        bytes: facts.remote_fingerprint.0.to_vec(),
    });
    api.set_remote_ice_credentials(IceCreds {
        ufrag: facts.remote_ufrag.clone(),
        pass: facts.remote_pwd.clone(),
    });
    api.set_ice_controlling(controlling);
    api.start_dtls(controlling)?;
    api.start_sctp(controlling);
    Ok(())
}
