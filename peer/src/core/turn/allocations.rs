//! Which of this end's sockets has an address at a relay, and what goes through it.
//!
//! Every socket asks; the first that a server answers goes on, and the others let it be, before
//! any of them holds anything there.

use std::net::SocketAddr;
use std::ops::Range;
use std::time::Instant;

use tasuki_protocol::seed::Seed;
use tasuki_protocol::turn::TurnCredential;

use super::{TurnClient, TurnEvent, TurnSetup};
use crate::core::direct_address::Transmit;

/// From which socket which server is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub local: SocketAddr,
    pub server: SocketAddr,
}

/// What a datagram was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// Not of a relay's server.
    Foreign,
    /// The server's own word; nothing is left to do.
    Taken,
    /// From `peer` through the relay to the relayed address `local`; the data stand there in
    /// what was received.
    Data { peer: SocketAddr, local: SocketAddr, data: Range<usize> },
}

/// This end at the relay of one session.
#[derive(Debug, Default)]
pub struct Allocations {
    clients: Vec<TurnClient>,
    /// The other end's addresses at its relay.
    peers: Vec<SocketAddr>,
}

impl Allocations {
    /// Asks from every place, unless it was asked already and somebody may yet answer.
    pub fn begin(
        &mut self,
        places: impl IntoIterator<Item = Place>,
        credential: &TurnCredential,
        seed: &Seed,
        now: Instant,
    ) {
        if !self.clients.is_empty() {
            return;
        }
        let places: Vec<Place> = places.into_iter().collect();
        let own: Vec<SocketAddr> = places.iter().map(|place| place.local).collect();
        let clients = places.into_iter().enumerate().filter_map(|(index, place)| {
            let seed = seed.child(&format!("socket {index}"));
            let (credential, own) = (credential.clone(), own.clone());
            TurnClient::new(TurnSetup { place, credential, own, seed }, now)
        });
        self.clients.extend(clients);
        for peer in self.peers.clone() {
            self.heed(peer, now);
        }
    }

    /// An address of the other end at its relay.
    pub fn heed(&mut self, peer: SocketAddr, now: Instant) {
        if !self.peers.contains(&peer) {
            if self.peers.len() == super::MOST_CHANNELS {
                self.peers.remove(0);
            }
            self.peers.push(peer);
        }
        for client in &mut self.clients {
            client.heed(peer, now);
        }
    }

    pub fn receive(
        &mut self,
        source: SocketAddr,
        local: SocketAddr,
        bytes: &[u8],
        now: Instant,
    ) -> Received {
        let place = Place { local, server: source };
        let Some(client) = self.clients.iter_mut().find(|client| client.place() == place) else {
            return Received::Foreign;
        };
        let data = client.handle_datagram(bytes, now);
        let (relayed, answered) = (client.relayed(), client.is_answered());
        let received = data.zip(relayed).map_or(Received::Taken, |((peer, data), relayed)| {
            let from = bytes.len().min(tasuki_protocol::stun::CHANNEL_HEADER_BYTES);
            Received::Data { peer, local: relayed, data: from..from + data.len() }
        });
        if answered {
            self.clients.retain(|client| client.place() == place);
        }
        received
    }

    /// Whether the address is one that a relay holds for this end.
    pub fn is_at_relay(&self, address: SocketAddr) -> bool {
        self.clients.iter().any(|client| client.relayed() == Some(address))
    }

    /// The datagram as it leaves this machine: through the relay where it comes from an address
    /// there, and as it is otherwise.
    pub fn send(&self, transmit: Transmit) -> Option<Transmit> {
        let at_relay = |client: &&TurnClient| client.relayed() == Some(transmit.local);
        let Some(client) = self.clients.iter().find(at_relay) else { return Some(transmit) };
        let Place { local, server } = client.place();
        let bytes = client.wrap(transmit.destination, &transmit.bytes)?;
        Some(Transmit { local, destination: server, bytes })
    }

    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.clients.iter_mut().find_map(|client| {
            let Place { local, server } = client.place();
            client.poll_transmit().map(|bytes| Transmit { local, destination: server, bytes })
        })
    }

    /// With the place that it happened at.
    pub fn poll_event(&mut self) -> Option<(Place, TurnEvent)> {
        let mut happened = self
            .clients
            .iter_mut()
            .filter_map(|client| client.poll_event().map(|event| (client.place(), event)));
        let happened = happened.next();
        if let Some((place, TurnEvent::Gone(_))) = happened {
            self.clients.retain(|client| client.place() != place);
        }
        happened
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        for client in &mut self.clients {
            client.handle_timeout(now);
        }
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.clients.iter().filter_map(TurnClient::deadline).min()
    }

    /// Gives everything back.
    pub fn close(&mut self, now: Instant) {
        for client in &mut self.clients {
            client.close(now);
        }
    }
}
