//! The TURN server's sockets: UDP in batches, TCP and TLS connections, one core behind them.
//!
//! Everything that goes out goes to where a request came in from; no socket is opened for
//! a client's sake (T49). Nothing queues but what a connection's own bounded channel holds.

mod datagrams;
mod streams;

use std::collections::HashMap;
use std::hash::RandomState;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tasuki_protocol::ticket::TicketKey;
use tokio::sync::mpsc;

pub use self::datagrams::serve_datagrams;
pub use self::streams::{serve_stream, serve_streams};
use super::clock;
use super::stun::StunRate;
use crate::core::address::AddressBlock;
use crate::core::bucket::AddressRate;
pub use crate::core::turn::Tally;
pub use crate::core::turn::own::{NoOwnAddresses, OwnAddresses};
pub use crate::core::turn::table::TurnLimits;
use crate::core::turn::table::{Client, Path};
use crate::core::turn::{Outgoing, Turn, TurnSetup};

/// Messages that wait for one connection to take them; further ones are lost, as UDP loses them.
const STREAM_QUEUE: usize = 64;

/// What an owner may set.
#[derive(Debug, Clone)]
pub struct TurnSettings {
    pub limits: TurnLimits,
    pub rate: StunRate,
    /// In each family that is relayed.
    pub own: OwnAddresses,
    /// How long a connection may be here without an allocation.
    pub patience: Duration,
}

impl Default for TurnSettings {
    fn default() -> Self {
        Self {
            limits: TurnLimits::default(),
            rate: StunRate::default(),
            own: OwnAddresses::default(),
            // Three times that at most: first byte, TLS, first allocation (F15).
            patience: Duration::from_secs(5),
        }
    }
}

/// The system gave no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system has no random numbers")]
pub struct NoRandomness;

/// One TURN server, shared by its listeners.
#[derive(Debug)]
pub struct TurnServer {
    core: Mutex<Turn>,
    limits: TurnLimits,
    patience: Duration,
    sockets: Vec<UdpSocket>,
    streams: Mutex<HashMap<u64, mpsc::Sender<Vec<u8>>>>,
    places: Mutex<HashMap<AddressBlock, usize>>,
    last: AtomicU64,
}

impl TurnServer {
    /// `sockets` are bound and do not block; [`serve_datagrams`] serves each.
    ///
    /// # Errors
    /// See [`NoRandomness`].
    pub fn new(
        settings: TurnSettings,
        ticket_key: TicketKey,
        sockets: Vec<UdpSocket>,
    ) -> Result<Arc<Self>, NoRandomness> {
        let now = Instant::now();
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|_| NoRandomness)?;
        let StunRate { per_second, burst } = settings.rate;
        let limits = settings.limits.clone();
        let rates = AddressRate::new(RandomState::new(), per_second, burst, now);
        let TurnSettings { limits: core_limits, own, .. } = settings;
        let setup = TurnSetup { ticket_key, limits: core_limits, own, rates, seed };
        Ok(Arc::new(Self {
            core: Mutex::new(Turn::new(setup, now)),
            limits,
            patience: settings.patience,
            sockets,
            streams: Mutex::default(),
            places: Mutex::default(),
            last: AtomicU64::new(0),
        }))
    }

    pub fn tally(&self) -> Tally {
        self.core().tally()
    }

    /// Connections that are open now.
    pub fn connections(&self) -> usize {
        lock(&self.streams).len()
    }

    fn core(&self) -> MutexGuard<'_, Turn> {
        lock(&self.core)
    }

    /// One message of a stream.
    fn take(&self, from: Client, bytes: &[u8]) {
        let outgoing = self.core().receive(from, bytes, clock::now());
        if let Some(outgoing) = outgoing {
            self.send(&outgoing, bytes);
        }
    }

    fn send(&self, outgoing: &Outgoing, received: &[u8]) {
        let padding = &[0; 3][..outgoing.padding];
        let bytes = [outgoing.head.as_slice(), &received[outgoing.body.clone()], padding].concat();
        match outgoing.to.path {
            Path::Datagram(number) => {
                if let Some(socket) = self.sockets.get(usize::from(number)) {
                    socket.send_to(&bytes, outgoing.to.address).ok();
                }
            }
            Path::Stream(number) => {
                if let Some(stream) = lock(&self.streams).get(&number) {
                    stream.try_send(bytes).ok();
                }
            }
        }
    }

    /// A place for one more connection, if its address and the relay have one.
    fn place(self: &Arc<Self>, address: std::net::SocketAddr) -> Option<Place> {
        let block = AddressBlock::from(address.ip());
        let mut places = lock(&self.places);
        let taken: usize = places.values().sum();
        let here = places.get(&block).copied().unwrap_or_default();
        if here >= self.limits.per_address || taken >= self.limits.allocations {
            return None;
        }
        // Whoever is refused is not remembered: there are more addresses than memory (T59).
        places.insert(block, here + 1);
        drop(places);
        let number = self.last.fetch_add(1, Ordering::Relaxed);
        let client = Client { path: Path::Stream(number), address };
        let (send, outgoing) = mpsc::channel(STREAM_QUEUE);
        lock(&self.streams).insert(number, send);
        Some(Place { server: Arc::clone(self), client, number, block, outgoing })
    }
}

/// A connection's place; given back, with its allocation, when dropped.
#[derive(Debug)]
struct Place {
    server: Arc<TurnServer>,
    client: Client,
    number: u64,
    block: AddressBlock,
    outgoing: mpsc::Receiver<Vec<u8>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.server.core().closed(&self.client);
        lock(&self.server.streams).remove(&self.number);
        let mut places = lock(&self.server.places);
        if let Some(count) = places.get_mut(&self.block) {
            *count -= 1;
            if *count == 0 {
                places.remove(&self.block);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t59_whom_a_full_relay_refuses_it_does_not_remember() {
        let limits = TurnLimits { allocations: 1, ..TurnLimits::default() };
        let settings = TurnSettings { limits, ..TurnSettings::default() };
        let relay = TurnServer::new(settings, TicketKey::from_bytes([7; 32]), Vec::new()).unwrap();
        let from = |block: u128| {
            let address = std::net::Ipv6Addr::from_bits((0x2001_0db8 << 96) | (block << 64));
            relay.place(std::net::SocketAddr::from((address, 1024)))
        };
        let first = from(0).expect("the only place");
        assert!((1..10_000).all(|block| from(block).is_none()));
        assert_eq!(lock(&relay.places).len(), 1);
        drop(first);
        assert!(from(1).is_some(), "and it is free again");
    }
}
