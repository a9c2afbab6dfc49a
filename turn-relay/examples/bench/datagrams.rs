//! Packets through a TURN server: clients in pairs, each with some packets on their way to the other.
//!
//! A packet that arrives sends the next one, so that the server sets the pace and loses nothing.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tasuki_protocol::turn::TurnCredential;
use tasuki_turn_relay::core::turn::table::{Client, Path};

use crate::client::{Asker, channel_data};

/// Of one client, under way at a time.
const WINDOW: usize = 8;
const CHANNEL: u16 = 0x4001;
/// Of data in each packet: a video packet's size.
const PACKET_BYTES: usize = 1150;
const STALL: Duration = Duration::from_millis(300);

/// Clients that are bound to each other, the first to the second and so on.
pub(crate) struct Crowd {
    sockets: Vec<UdpSocket>,
}

impl Crowd {
    pub(crate) fn new(
        server: SocketAddr,
        clients: usize,
        credential: impl Fn(usize) -> TurnCredential,
    ) -> Result<Self> {
        let mut sockets = Vec::new();
        let mut askers = Vec::new();
        for number in 0..clients {
            let socket = UdpSocket::bind("127.0.0.1:0")?;
            socket.connect(server)?;
            socket.set_read_timeout(Some(Duration::from_secs(5)))?;
            let client = Client { path: Path::Datagram(0), address: socket.local_addr()? };
            let mut asker = Asker::new(client, credential(number));
            ask(&socket, &mut asker, Asker::allocate)?;
            asker.relayed = ask(&socket, &mut asker, Asker::allocate)?;
            ensure!(asker.relayed.is_some(), "no allocation");
            askers.push(asker);
            sockets.push(socket);
        }
        for number in 0..clients {
            let peer = askers[number ^ 1].relayed.context("a peer")?;
            ask(&sockets[number], &mut askers[number], |asker| asker.permit(peer))?;
            ask(&sockets[number], &mut askers[number], |asker| asker.bind(CHANNEL, peer))?;
            sockets[number].set_nonblocking(true)?;
        }
        Ok(Self { sockets })
    }

    /// Until so many packets have arrived; gives how many did, and how often all stood still.
    pub(crate) fn run(&self, packets: usize) -> Result<(usize, usize)> {
        let packet = channel_data(CHANNEL, &[7; PACKET_BYTES]);
        let mut buffer = [0; 2048];
        let (mut arrived, mut stalls) = (0, 0);
        self.start(&packet)?;
        let mut last = Instant::now();
        while arrived < packets {
            let before = arrived;
            for socket in &self.sockets {
                while socket.recv(&mut buffer).is_ok_and(|length| length == packet.len()) {
                    arrived += 1;
                    socket.send(&packet).ok();
                }
            }
            if arrived > before {
                last = Instant::now();
            } else if last.elapsed() > STALL {
                stalls += 1;
                ensure!(stalls < 50, "nothing arrives");
                self.start(&packet)?;
                last = Instant::now();
            }
        }
        Ok((arrived, stalls))
    }

    fn start(&self, packet: &[u8]) -> Result<()> {
        for socket in &self.sockets {
            for _ in 0..WINDOW {
                socket.send(packet)?;
            }
        }
        Ok(())
    }
}

fn ask(
    socket: &UdpSocket,
    asker: &mut Asker,
    request: impl Fn(&Asker) -> Vec<u8>,
) -> Result<Option<SocketAddr>> {
    let mut buffer = [0; 2048];
    socket.send(&request(asker))?;
    let length = socket.recv(&mut buffer).context("no answer")?;
    let answer = asker.read(&buffer[..length]);
    ensure!(matches!(answer.error, None | Some(401)), "refused with {:?}", answer.error);
    Ok(answer.relayed)
}
