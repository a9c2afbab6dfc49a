//! Two direct links in a simulated network.

mod links;

use std::time::Duration;

use links::{AGENT, OPERATOR, Weather, World, frame};
use tasuki_peer::core::path::{Ciphers, PathCommand, PathEvent};
use tasuki_protocol::leg::FrameKind;

const SECOND: Duration = Duration::from_secs(1);

fn up(weather: Weather) -> World {
    let mut world = World::new(weather);
    let both = world.run_until(10 * SECOND, |w| w.is_up(OPERATOR) && w.is_up(AGENT));
    assert!(both, "{:?}", world.events);
    world
}

#[test]
fn t47_both_ends_come_up_with_aes_256_for_data_and_media() {
    let world = up(Weather::fair());
    let expected =
        Ciphers::Direct { dtls: "TLS_AES_256_GCM_SHA384".into(), srtp: "SRTP_AEAD_AES_256_GCM".into() };
    for end in [OPERATOR, AGENT] {
        assert!(world.events[end].contains(&PathEvent::Up(expected.clone())));
    }
    eprintln!("up after {:?}", world.now - world.start);
}

#[test]
fn packets_small_and_large_arrive_as_they_were() {
    let mut world = up(Weather::fair());
    let packets: Vec<Vec<u8>> =
        [1, 100, 3_000, 5_000, 16_384, 70_000, 300 * 1024].iter().map(|n| vec![*n as u8; *n]).collect();
    for packet in &packets {
        world.command(OPERATOR, PathCommand::SendPacket(packet.clone()));
        let count = world.packets(AGENT).len() + 1;
        assert!(world.run_until(20 * SECOND, |w| w.packets(AGENT).len() == count), "{}", packet.len());
    }
    assert_eq!(world.packets(AGENT), packets.iter().collect::<Vec<_>>());
}

#[test]
fn video_arrives_byte_for_byte_with_number_and_kind() {
    let mut world = up(Weather::fair());
    for number in 0..30u32 {
        let kind = if number == 0 { FrameKind::Key } else { FrameKind::Delta };
        let sent = frame(number + 4_000_000_000, kind, 8_000);
        let rooms = |w: &World| w.count(AGENT, |e| *e == PathEvent::VideoRoom);
        assert!(world.run_until(5 * SECOND, |w| rooms(w) > number as usize));
        world.command(AGENT, PathCommand::SendVideo(sent.clone()));
        assert!(world.run_until(5 * SECOND, |w| w.frames(OPERATOR).last() == Some(&&sent)), "{number}");
    }
    assert_eq!(world.frames(OPERATOR).len(), 30);
}
