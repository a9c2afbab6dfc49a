//! The other end: the `webrtc` crate with its own sockets, clock, DTLS, SCTP and RTP.
//!
//! Does as a program on that crate would; knows nothing of ours beyond an SDP text.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex, mpsc},
    time::{Duration, Instant},
};

use rtc::{
    interceptor::{Registry, Slot},
    media::Sample,
    peer_connection::{configuration::media_engine::MIME_TYPE_VP8, transport::RTCDtlsRole},
    rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication,
    rtp::{Packet, codec::vp8::Vp8Packet, packetizer::Depacketizer},
    rtp_transceiver::rtp_sender::{
        RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
    },
};
use tasuki_peer::core::direct_setup::{SSRC, VP8};
use tokio::runtime::Runtime;
use webrtc::{
    data_channel::{DataChannel, DataChannelEvent, RTCDataChannelInit},
    media_stream::{
        MediaStreamTrack,
        track_local::{TrackLocal, static_sample::TrackLocalStaticSample},
        track_remote::{TrackRemote, TrackRemoteEvent},
    },
    peer_connection::{
        MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler,
        RTCSessionDescription, SettingEngineBuilder, register_default_interceptors,
    },
    rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit},
};

use crate::{Lane, PATIENCE, overhearing::Overhearing};

/// More than any test here hears between two looks.
const MOST_HEARD: usize = 256;

/// What the crate gave its program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Open(Lane),
    Message(Lane, Vec<u8>),
    /// A whole VP8 frame and its RTP timestamp.
    Frame(u32, Vec<u8>),
    /// A Picture Loss Indication (RFC 4585, section 6.3.1).
    KeyFrameWanted,
}

pub(crate) struct Theirs {
    runtime: Runtime,
    peer: Box<dyn PeerConnection>,
    channels: [Arc<dyn DataChannel>; 2],
    /// Of an end that sends video.
    track: Option<Arc<TrackLocalStaticSample>>,
    /// Of an end that receives video, once it comes.
    seen: Arc<Mutex<Option<Arc<dyn TrackRemote>>>>,
    heard: mpsc::Receiver<Heard>,
}

/// Which description comes first.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    /// Offers, and receives video.
    Offers,
    /// Answers as the DTLS server, and sends video.
    Answers,
}

impl Theirs {
    pub(crate) fn new(part: Part) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (say, heard) = mpsc::sync_channel(MOST_HEARD);
        let seen = Arc::default();
        let (peer, channels, track) = runtime.block_on(async {
            let peer = connection(say.clone(), Arc::clone(&seen)).await;
            let track = match part {
                Part::Offers => {
                    receive_video(&*peer).await;
                    None
                }
                Part::Answers => Some(send_video(&*peer).await),
            };
            let channels =
                [open(&*peer, Lane::Swift, &say).await, open(&*peer, Lane::Sure, &say).await];
            (peer, channels, track)
        });
        Self { runtime, peer, channels, track, seen, heard }
    }

    /// Its offer, with its addresses.
    pub(crate) fn offer(&self) -> String {
        self.runtime.block_on(async {
            let offer = self.peer.create_offer(None).await.unwrap();
            self.describe(offer).await
        })
    }

    /// Its answer, with its addresses.
    pub(crate) fn answer(&self, offer: String) -> String {
        self.runtime.block_on(async {
            let offer = RTCSessionDescription::offer(offer).unwrap();
            self.peer.set_remote_description(offer).await.unwrap();
            let answer = self.peer.create_answer(None).await.unwrap();
            self.describe(answer).await
        })
    }

    pub(crate) fn accept(&self, answer: String) {
        let answer = RTCSessionDescription::answer(answer).unwrap();
        self.runtime.block_on(self.peer.set_remote_description(answer)).unwrap();
    }

    async fn describe(&self, own: RTCSessionDescription) -> String {
        self.peer.set_local_description(own).await.unwrap();
        let patience = Instant::now() + PATIENCE;
        while Instant::now() < patience {
            let sdp = self.peer.local_description().await.unwrap().sdp;
            if sdp.contains("a=candidate:") {
                return sdp;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the crate found no address of its own");
    }

    pub(crate) fn send(&self, lane: Lane, message: &[u8]) {
        self.runtime.block_on(self.channels[lane as usize].send(message.into())).unwrap();
    }

    pub(crate) fn show(&self, frame: &[u8]) {
        let sample = Sample {
            data: frame.to_vec().into(),
            duration: Duration::from_millis(40),
            ..Sample::new(Instant::now())
        };
        let track = self.track.as_ref().unwrap();
        self.runtime.block_on(track.sample_writer(SSRC, VP8).write_sample(&sample)).unwrap();
    }

    /// Asks for a frame that stands alone, as a program does whose decoder cannot go on.
    pub(crate) fn ask_key_frame(&self) {
        let track = self.seen.lock().unwrap().clone().unwrap();
        let lost = PictureLossIndication { sender_ssrc: 0, media_ssrc: SSRC };
        self.runtime.block_on(track.write_rtcp(vec![Box::new(lost)])).unwrap();
    }

    /// What was heard since the last look.
    pub(crate) fn hear(&self) -> impl Iterator<Item = Heard> {
        self.heard.try_iter()
    }
}

impl Drop for Theirs {
    fn drop(&mut self) {
        // The end of the test either way.
        self.runtime.block_on(self.peer.close()).ok();
    }
}

/// Passes on what comes on tracks.
struct Ear {
    say: mpsc::SyncSender<Heard>,
    seen: Arc<Mutex<Option<Arc<dyn TrackRemote>>>>,
}

impl PeerConnectionEventHandler for Ear {
    fn on_track<'me, 'work>(
        &'me self,
        track: Arc<dyn TrackRemote>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'work>>
    where
        'me: 'work,
        Self: 'work,
    {
        let say = self.say.clone();
        *self.seen.lock().unwrap() = Some(Arc::clone(&track));
        Box::pin(async move {
            tokio::spawn(watch(track, say));
        })
    }
}

async fn watch(track: Arc<dyn TrackRemote>, say: mpsc::SyncSender<Heard>) {
    let mut assembly = Assembly::default();
    while let Some(event) = track.poll().await {
        let TrackRemoteEvent::OnRtpPacket(packet) = event else { continue };
        for frame in assembly.add(packet) {
            // Nobody listens any more at the test's end.
            say.send(frame).ok();
        }
    }
}

/// Puts packets in their order, which those that are sent again do not come in.
#[derive(Default)]
struct Assembly {
    next: Option<u16>,
    waiting: BTreeMap<u16, Packet>,
    payloads: Vp8Packet,
    frame: Vec<u8>,
}

impl Assembly {
    fn add(&mut self, packet: Packet) -> Vec<Heard> {
        self.next.get_or_insert(packet.header.sequence_number);
        self.waiting.insert(packet.header.sequence_number, packet);
        let mut whole = Vec::new();
        while let Some(packet) = self.next.and_then(|next| self.waiting.remove(&next)) {
            self.next = Some(packet.header.sequence_number.wrapping_add(1));
            self.frame.extend(self.payloads.depacketize(&packet.payload).unwrap());
            if packet.header.marker {
                let frame = std::mem::take(&mut self.frame);
                whole.push(Heard::Frame(packet.header.timestamp, frame));
            }
        }
        whole
    }
}

async fn connection(
    say: mpsc::SyncSender<Heard>,
    seen: Arc<Mutex<Option<Arc<dyn TrackRemote>>>>,
) -> Box<dyn PeerConnection> {
    let mut media = MediaEngine::default();
    media.register_default_codecs().unwrap();
    let feedback = register_default_interceptors(Registry::new(), &mut media).unwrap();
    // Nearest to the program, so that it hears what all the others have left.
    let feedback = feedback.with(Slot::from(14_000), Overhearing::new(say.clone()));
    let setting = SettingEngineBuilder::new().with_answering_dtls_role(RTCDtlsRole::Server).build();
    let peer = PeerConnectionBuilder::new()
        .with_media_engine(media)
        .with_setting_engine(setting)
        .with_interceptor_registry(feedback)
        .with_handler(Arc::new(Ear { say, seen }))
        .with_udp_addrs(vec!["127.0.0.1:0".to_owned()])
        .build()
        .await
        .unwrap();
    Box::new(peer)
}

async fn receive_video(peer: &dyn PeerConnection) {
    let init = RTCRtpTransceiverInit {
        direction: RTCRtpTransceiverDirection::Recvonly,
        streams: Vec::new(),
        send_encodings: Vec::new(),
    };
    peer.add_transceiver_from_kind(RtpCodecKind::Video, Some(init)).await.unwrap();
}

async fn send_video(peer: &dyn PeerConnection) -> Arc<TrackLocalStaticSample> {
    let coding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(SSRC), ..Default::default() },
        codec: RTCRtpCodec {
            mime_type: MIME_TYPE_VP8.to_owned(),
            clock_rate: 90_000,
            ..RTCRtpCodec::default()
        },
        ..Default::default()
    };
    let [stream, track, label] = ["screen", "screen-0", "screen"].map(str::to_owned);
    let track = MediaStreamTrack::new(stream, track, label, RtpCodecKind::Video, vec![coding]);
    let track = Arc::new(TrackLocalStaticSample::new(Instant::now(), track).unwrap());
    peer.add_track(Arc::clone(&track) as Arc<dyn TrackLocal>).await.unwrap();
    track
}

/// As `direct_setup::channels` has it, in the crate's own words.
async fn open(
    peer: &dyn PeerConnection,
    lane: Lane,
    say: &mpsc::SyncSender<Heard>,
) -> Arc<dyn DataChannel> {
    let (label, init) = match lane {
        Lane::Swift => {
            let once = RTCDataChannelInit {
                ordered: false,
                max_retransmits: Some(0),
                negotiated: Some(0),
                ..RTCDataChannelInit::default()
            };
            ("swift", once)
        }
        Lane::Sure => {
            ("sure", RTCDataChannelInit { negotiated: Some(1), ..RTCDataChannelInit::default() })
        }
    };
    let channel = peer.create_data_channel(label, Some(init)).await.unwrap();
    let (ear, say) = (Arc::clone(&channel), say.clone());
    tokio::spawn(async move {
        while let Some(event) = ear.poll().await {
            if let DataChannelEvent::OnOpen = event {
                say.send(Heard::Open(lane)).ok();
            } else if let DataChannelEvent::OnMessage(message) = event {
                say.send(Heard::Message(lane, message.data.to_vec())).ok();
            }
        }
    });
    channel
}
