//! Our end on a real socket: the shipped link, and str0m set up as that link has it
//! with the ciphers of its own choice.

use std::{
    collections::BTreeSet,
    net::{SocketAddr, UdpSocket},
    sync::Arc,
    time::{Duration, Instant},
};

use str0m::{
    Candidate, Event, Input, Output, Rtc,
    channel::ChannelId,
    config::DtlsVersion,
    media::{KeyframeRequestKind, MediaKind, MediaTime, Mid, Pt},
    net::{Protocol, Receive},
    rtp::Ssrc,
};
use tasuki_peer::core::{
    direct::{DirectLink, LocalAddress},
    direct_identity::DirectIdentity,
    direct_setup::{self, MID, RTX_SSRC, SSRC, VP8},
    path::{DirectFacts, PathCommand, PathEvent, VideoRole},
};

use crate::{Lane, sdp};

/// How long a turn waits for a datagram at most.
const LOOK: Duration = Duration::from_millis(5);

/// One in so many datagrams of video is lost on a bad line, the first time that it is sent.
const LOST_OF: u16 = 4;

/// A socket of one end on loopback.
#[derive(Debug)]
pub(crate) struct Socket {
    socket: UdpSocket,
    pub(crate) address: SocketAddr,
    line: Line,
    /// Video has come through.
    begun: bool,
    /// By RTP sequence number.
    lost: BTreeSet<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    Clean,
    /// Loses video, in both directions.
    Bad,
}

impl Socket {
    pub(crate) fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(LOOK)).unwrap();
        let address = socket.local_addr().unwrap();
        Self { socket, address, line: Line::Clean, begun: false, lost: BTreeSet::new() }
    }

    fn send(&mut self, bytes: &[u8], destination: SocketAddr) {
        if self.loses(bytes) {
            return;
        }
        // One that does not leave is lost, as on any network.
        self.socket.send_to(bytes, destination).ok();
    }

    fn receive(&mut self) -> Option<(Vec<u8>, SocketAddr)> {
        let mut buffer = vec![0; 2048];
        let (length, source) = self.socket.recv_from(&mut buffer).ok()?;
        buffer.truncate(length);
        (!self.loses(&buffer)).then_some((buffer, source))
    }

    /// Never the first datagram of all, nor a frame's last: without one before it and one behind
    /// it nobody can miss it.
    fn loses(&mut self, datagram: &[u8]) -> bool {
        let [first, second, n1, n2, _, _, _, _, s1, s2, s3, s4, ..] = *datagram else { return false };
        let is_rtp = (128..192).contains(&first) && !(192..224).contains(&second);
        if !is_rtp || u32::from_be_bytes([s1, s2, s3, s4]) != SSRC {
            return false;
        }
        let number = u16::from_be_bytes([n1, n2]);
        let is_between = self.begun && second & 0x80 == 0;
        self.begun = true;
        self.line == Line::Bad && is_between && number % LOST_OF == 1 && self.lost.insert(number)
    }
}

/// The link as shipped.
pub(crate) struct Shipped {
    socket: Socket,
    link: DirectLink,
}

impl Shipped {
    pub(crate) fn new(own: &DirectIdentity, socket: Socket, theirs: &str, facts: DirectFacts) -> Self {
        let now = Instant::now();
        let mut link = DirectLink::new(own, facts, now);
        link.add_local(LocalAddress::Host(socket.address), now);
        for candidate in sdp::candidates(theirs) {
            link.handle_command(PathCommand::RemoteCandidate(candidate), now);
        }
        Self { socket, link }
    }

    /// Sends what is due, waits shortly for a datagram, and tells what happened.
    pub(crate) fn turn(&mut self) -> Vec<PathEvent> {
        self.link.handle_timeout(Instant::now());
        while let Some(datagram) = self.link.poll_transmit() {
            self.socket.send(&datagram.bytes, datagram.destination);
        }
        if let Some((bytes, source)) = self.socket.receive() {
            self.link.handle_datagram(source, self.socket.address, &bytes, Instant::now());
        }
        std::iter::from_fn(|| self.link.poll_event()).collect()
    }
}

/// str0m as the link has it, but for DTLS 1.2 and ciphers that the other crate knows.
pub(crate) struct Lenient {
    socket: Socket,
    rtc: Rtc,
    channels: [ChannelId; 2],
}

impl Lenient {
    pub(crate) fn new(own: &DirectIdentity, socket: Socket, theirs: &str, facts: &DirectFacts) -> Self {
        let mut rtc = direct_setup::config(own)
            .set_dtls_version(DtlsVersion::Dtls12)
            .set_crypto_provider(Arc::new(str0m_aws_lc_rs::default_provider()))
            .build(Instant::now());
        let channels = direct_setup::channels().map(|c| rtc.direct_api().create_data_channel(c));
        declare_video(&mut rtc, facts.video);
        direct_setup::meet(&mut rtc, facts).unwrap();
        rtc.add_local_candidate(Candidate::host(socket.address, Protocol::Udp).unwrap());
        for candidate in sdp::candidates(theirs) {
            rtc.add_remote_candidate(Candidate::from_sdp_string(&candidate).unwrap());
        }
        let mut lenient = Self { socket, rtc, channels };
        lenient.step(Input::Timeout(Instant::now()));
        lenient
    }

    pub(crate) fn lane(&self, id: ChannelId) -> Lane {
        if id == self.channels[Lane::Swift as usize] { Lane::Swift } else { Lane::Sure }
    }

    pub(crate) fn send(&mut self, lane: Lane, message: &[u8]) {
        let mut channel = self.rtc.channel(self.channels[lane as usize]).unwrap();
        assert!(channel.write(true, message).unwrap());
    }

    pub(crate) fn show(&mut self, number: u32, frame: &[u8]) {
        let time = MediaTime::from_90khz(number.into());
        let writer = self.rtc.writer(Mid::from(MID)).unwrap();
        writer.write(Pt::new_with_value(VP8), Instant::now(), time, frame).unwrap();
    }

    pub(crate) fn set_line(&mut self, line: Line) {
        self.socket.line = line;
    }

    pub(crate) fn lost(&self) -> usize {
        self.socket.lost.len()
    }

    pub(crate) fn ask_key_frame(&mut self) {
        let mut api = self.rtc.direct_api();
        let stream = api.stream_rx(&Ssrc::from(SSRC)).unwrap();
        stream.request_keyframe(KeyframeRequestKind::Pli);
    }

    /// Sends what is due, waits shortly for a datagram, and tells what happened.
    pub(crate) fn turn(&mut self) -> Vec<Event> {
        let mut events = self.step(Input::Timeout(Instant::now()));
        let Some((bytes, source)) = self.socket.receive() else { return events };
        let Ok(received) = Receive::new(Protocol::Udp, source, self.socket.address, &bytes) else {
            return events;
        };
        let input = Input::Receive(Instant::now(), received);
        if self.rtc.accepts(&input) {
            events.extend(self.step(input));
        }
        events
    }

    fn step(&mut self, input: Input<'_>) -> Vec<Event> {
        let mut events = Vec::new();
        self.rtc.handle_input(input).unwrap();
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(_) => return events,
                Output::Transmit(datagram) => {
                    self.socket.send(&datagram.contents, datagram.destination);
                }
                Output::Event(event) => events.push(event),
            }
        }
    }
}

fn declare_video(rtc: &mut Rtc, role: VideoRole) {
    let (source, again) = (Ssrc::from(SSRC), Some(Ssrc::from(RTX_SSRC)));
    let mut api = rtc.direct_api();
    api.declare_media(Mid::from(MID), MediaKind::Video);
    match role {
        VideoRole::Sends => {
            api.declare_stream_tx(source, again, Mid::from(MID), None);
        }
        VideoRole::Receives => {
            api.expect_stream_rx(source, again, Mid::from(MID), None);
            api.enable_twcc_feedback();
        }
    }
}
