//! The paths of one session that are open now, each a task of its own.
//!
//! Knows how a path is started and told things; which one carries what is the
//! core's affair.

use std::collections::BTreeMap;
use std::sync::Arc;

use tasuki_protocol::dsse;
use tasuki_protocol::ids::Role;
use tasuki_protocol::manifest::Manifest;
use tasuki_protocol::seed::Seed;
use tasuki_protocol::terms::AddressDisclosure;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::dial::{Callee, Places};
use super::proxy::Proxies;
use super::trust::Trust;
use super::{direct, relay};
use crate::core::direct_identity::DirectIdentity;
use crate::core::path::{Ciphers, DirectFacts, PathCommand, PathEnd, PathEvent, PathId, RelayFacts};

/// Events of all paths that may wait for the session's loop.
const EVENTS: usize = 256;

/// What a session's paths need beside their facts.
#[derive(Debug)]
pub struct PathNeeds {
    pub trust: Trust,
    pub proxies: Proxies,
    pub role: Role,
    pub identity: Arc<DirectIdentity>,
    /// Of the relayed legs' ephemeral keys.
    pub seed: Seed,
    /// Where this end's address is asked for: the server's own.
    pub stun: Places,
}

#[derive(Debug)]
pub struct Paths {
    needs: PathNeeds,
    disclosure: AddressDisclosure,
    open: BTreeMap<PathId, mpsc::Sender<PathCommand>>,
    tell: mpsc::Sender<(PathId, PathEvent)>,
    events: mpsc::Receiver<(PathId, PathEvent)>,
}

impl Paths {
    pub fn new(needs: PathNeeds) -> Self {
        let (tell, events) = mpsc::channel(EVENTS);
        let disclosure = match needs.role {
            Role::Operator => AddressDisclosure::RelayOnly,
            // R1 binds the operator's addresses; the user's are his own to tell.
            Role::Agent => AddressDisclosure::All,
        };
        Self { needs, disclosure, open: BTreeMap::new(), tell, events }
    }

    /// Of an operator: which of his addresses a path may use at all (R1). The core
    /// checks the same bytes before it opens any path.
    pub fn heed(&mut self, manifest: &[u8]) {
        if let Ok(manifest) = dsse::open::<Manifest>(manifest, &self.needs.trust.bundle.manifest_keys) {
            self.disclosure = manifest.address_disclosure;
        }
    }

    /// What happened on a path. Cancel-safe.
    pub async fn next(&mut self) -> (PathId, PathEvent) {
        let event = self.events.recv().await;
        let Some((id, event)) = event else { return std::future::pending().await };
        match &event {
            PathEvent::Up(Ciphers::Direct { dtls, srtp }) => {
                tracing::info!(path = id.0, %dtls, %srtp, "a direct path is up");
            }
            PathEvent::Up(Ciphers::Relayed { noise, tls }) => {
                tracing::info!(path = id.0, %noise, %tls, "a relayed path is up");
            }
            PathEvent::Down(_) => drop(self.open.remove(&id)),
            PathEvent::Routed(route) => tracing::info!(path = id.0, ?route, "a direct path's way"),
            PathEvent::LocalCandidate(_)
            | PathEvent::Packet(_)
            | PathEvent::Video(_)
            | PathEvent::VideoRoom
            | PathEvent::KeyFrameWanted
            | PathEvent::Capacity(_) => {}
        }
        (id, event)
    }

    pub fn open_direct(&mut self, id: PathId, facts: DirectFacts) {
        let PathNeeds { identity, stun, .. } = &self.needs;
        let (identity, tell) = (Arc::clone(identity), self.tell.clone());
        self.open.insert(id, direct::spawn(id, identity, facts, self.disclosure, *stun, tell));
    }

    pub fn open_relay(&mut self, id: PathId, facts: RelayFacts) {
        let server = Callee::of(&self.needs.trust);
        let proxies = self.needs.proxies.clone();
        let seed = self.needs.seed.child(&format!("relayed leg {}", id.0));
        self.open.insert(id, relay::spawn(id, facts, server, proxies, seed, self.tell.clone()));
    }

    pub fn command(&mut self, id: PathId, command: PathCommand) {
        let Some(path) = self.open.get(&id) else { return };
        match path.try_send(command) {
            // One that has ended says so itself.
            Ok(()) | Err(TrySendError::Closed(_)) => {}
            Err(TrySendError::Full(_)) => {
                tracing::warn!(path = id.0, "a path does not keep up; it is let go");
                self.open.remove(&id);
                let _ = self.tell.try_send((id, PathEvent::Down(PathEnd::Silent)));
            }
        }
    }

    /// To the path opened last.
    pub fn command_newest(&mut self, command: PathCommand) {
        if let Some(id) = self.open.keys().next_back().copied() {
            self.command(id, command);
        }
    }

    /// Lets every path say goodbye.
    pub async fn close(&mut self) {
        self.open.clear();
        self.events.close();
        while self.events.recv().await.is_some() {}
    }
}
