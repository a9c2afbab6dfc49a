//! Decoders of what is no single message: streams, frames, datagrams and lines, each as the part of
//! the product reads it that meets the stranger first.

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Instant;

use tasuki_media::vp8::Decoder;
use tasuki_peer::core::direct::{DirectLink, LocalAddress};
use tasuki_peer::core::direct_identity::DirectIdentity;
use tasuki_peer::core::path::{DirectFacts, IceSide, PathCommand, PathEvent, RelayFacts, VideoRole};
use tasuki_peer::core::relay_leg::RelayLeg;
use tasuki_peer::core::turn::{Place, TurnClient, TurnSetup};
use tasuki_protocol::{
    blob::Blob,
    ids::Digest,
    leg::{MAX_FRAME_BYTES, MAX_PIECE_BYTES, MAX_RECORD_BYTES, NOISE_PATTERN},
    message::MAX_PACKET_BYTES,
    seed::Seed,
    signal::Leg,
    turn::TurnCredential,
};
use tasuki_turn_relay::core::{frame, stun};

/// A viewer's stream: frames, each behind its length (u16, big-endian). What is shown of them is
/// read to its last pixel.
pub(super) fn vp8(bytes: &[u8]) {
    let mut decoder = Decoder::new().expect("there is memory");
    for frame in framed(bytes) {
        let Ok(picture) = decoder.decode(frame) else { continue };
        let read = |plane: &[u8]| plane.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        let _ = [picture.y, picture.u, picture.v].map(read);
    }
}

/// Pieces, each behind its length (u16, big-endian); the last may be short.
fn framed(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (length, behind) = rest.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes(*length)).min(behind.len());
        let (piece, left) = behind.split_at(length);
        rest = left;
        Some(piece)
    })
}

/// What a relayed leg reads: first a byte that says from whom. Even: a stranger on the stream. Odd:
/// the other end itself, whose sealed records say what no version sends.
pub(super) fn leg_stream(bytes: &[u8]) {
    let Some((from, stream)) = bytes.split_first() else { return };
    let now = Instant::now();
    let leg = Leg { number: 1, relay: None, turn: None, ticket: Blob::default() };
    let (psk, prologue, side) = ([7; 32], b"fuzz".to_vec(), IceSide::Controlled);
    let facts = RelayFacts { leg, psk, prologue, side };
    let mut leg = RelayLeg::new(&facts, String::new(), &Seed::from_bytes([2; 32]), now);
    if from % 2 == 0 {
        leg.handle_bytes(stream, now);
    } else {
        say_sealed(&mut leg, stream, now).expect("the other end knows the keys");
    }
    while let Some(event) = leg.poll_event() {
        match event {
            PathEvent::Packet(packet) => assert!(packet.len() <= MAX_PACKET_BYTES),
            PathEvent::Video(frame) => assert!(frame.vp8.len() <= MAX_FRAME_BYTES),
            PathEvent::Up(_)
            | PathEvent::Routed(_)
            | PathEvent::LocalCandidate(_)
            | PathEvent::VideoRoom
            | PathEvent::KeyFrameWanted
            | PathEvent::Capacity(_)
            | PathEvent::Down(_) => {}
        }
    }
    while leg.next_bytes(now).is_some() {}
}

fn say_sealed(leg: &mut RelayLeg, stream: &[u8], now: Instant) -> Result<(), snow::Error> {
    let mut message = [0; MAX_RECORD_BYTES];
    let mut payload = [0; MAX_RECORD_BYTES];
    let builder = snow::Builder::new(NOISE_PATTERN.parse()?).psk(0, &[7; 32])?.prologue(b"fuzz")?;
    let mut other = builder.build_initiator()?;
    let length = other.write_message(&[], &mut message)?;
    leg.handle_bytes(&with_length(&message[..length]), now);
    let answer = leg.next_bytes(now).unwrap_or_default();
    other.read_message(&answer[2..], &mut payload)?;
    let mut other = other.into_transport_mode()?;
    for record in framed(stream) {
        let record = &record[..record.len().min(MAX_PIECE_BYTES)];
        let length = other.write_message(record, &mut message)?;
        leg.handle_bytes(&with_length(&message[..length]), now);
    }
    Ok(())
}

fn with_length(message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(message.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes(), message].concat()
}

/// What the other end says of its addresses, as it reaches the ICE agent.
pub(super) fn remote_candidate(bytes: &[u8]) {
    static IDENTITY: LazyLock<DirectIdentity> = LazyLock::new(|| {
        DirectIdentity::generate(&Seed::from_bytes([3; 32])).expect("a key can be made")
    });
    let Ok(lines) = std::str::from_utf8(bytes) else { return };
    let now = Instant::now();
    let facts = DirectFacts {
        side: IceSide::Controlling,
        remote_fingerprint: Digest([1; 32]),
        remote_ufrag: "ufrag".to_owned(),
        remote_pwd: "a-password-of-22-letters".to_owned(),
        own_proof: Digest([2; 32]),
        peer_proof: Digest([3; 32]),
        video: VideoRole::Receives,
    };
    let mut link = DirectLink::new(&IDENTITY, facts, now);
    link.add_local(LocalAddress::Host(SocketAddr::from(([192, 0, 2, 1], 5000))), now);
    for line in lines.lines() {
        link.handle_command(PathCommand::RemoteCandidate(line.to_owned()), now);
    }
    while link.poll_transmit().is_some() {}
}

/// What a TURN server says to an end: as it is, and as an answer to what was asked.
pub(super) fn turn_answer(bytes: &[u8]) {
    let now = Instant::now();
    let place = Place {
        local: SocketAddr::from(([192, 0, 2, 1], 5000)),
        server: SocketAddr::from(([203, 0, 113, 1], 443)),
    };
    let credential = TurnCredential { name: "name".to_owned(), password: "password".to_owned() };
    let setup = TurnSetup { place, credential, own: Vec::new(), seed: Seed::from_bytes([4; 32]) };
    let Some(mut client) = TurnClient::new(setup, now) else { return };
    client.heed(SocketAddr::from(([203, 0, 113, 1], 50_000)), now);
    let mut answer = bytes.to_vec();
    let mut asked = 0;
    while let Some(request) = client.poll_transmit() {
        asked += 1;
        assert!(asked < 10 && request.len() < 2048, "asked without end");
        if let Some(id) = answer.get_mut(8..20) {
            id.copy_from_slice(&request[8..20]);
        }
        for said in [bytes, &answer] {
            if let Some((_, data)) = client.handle_datagram(said, now) {
                assert!(data.len() <= said.len());
            }
        }
    }
    assert_eq!(client.relayed(), None, "nobody has the key");
}

/// Where the ticket ends in what a relay is sent first.
pub(super) fn ticket_frame(bytes: &[u8]) {
    if let Ok(Some(found)) = frame::ticket_frame(bytes) {
        assert_eq!(2 + found.sealed.len() + found.rest.len(), bytes.len());
        assert!(2 + found.sealed.len() <= frame::MAX_FRAME_BYTES);
    }
}

/// T49: whatever comes by UDP, the answer is no weapon.
pub(super) fn stun_request(bytes: &[u8]) {
    for from in [SocketAddr::from(([192, 0, 2, 1], 5000)), SocketAddr::from(([0x2001; 8], 5000))] {
        if let Some(answer) = stun::answer(bytes, from) {
            assert!(8 + answer.len() <= stun::AMPLIFICATION * (8 + bytes.len()));
            assert!(bytes.len() <= stun::MAX_REQUEST_BYTES);
        }
    }
}
