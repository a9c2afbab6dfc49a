//! The paths of one session that are open now, each a task of its own.
//!
//! Knows how a path is started and told things; which one carries what is the
//! core's affair.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::trust::Trust;
use super::{direct, relay};
use crate::core::direct_identity::DirectIdentity;
use crate::core::path::{DirectFacts, PathCommand, PathEnd, PathEvent, PathId, RelayFacts};

/// Events of all paths that may wait for the session's loop.
const EVENTS: usize = 256;
/// Commands that may wait for one path.
const COMMANDS: usize = 256;

#[derive(Debug)]
pub struct Paths {
    trust: Trust,
    identity: Arc<DirectIdentity>,
    open: BTreeMap<PathId, mpsc::Sender<PathCommand>>,
    tell: mpsc::Sender<(PathId, PathEvent)>,
    events: mpsc::Receiver<(PathId, PathEvent)>,
}

impl Paths {
    pub fn new(trust: Trust, identity: Arc<DirectIdentity>) -> Self {
        let (tell, events) = mpsc::channel(EVENTS);
        Self { trust, identity, open: BTreeMap::new(), tell, events }
    }

    /// What happened on a path. Cancel-safe.
    pub async fn next(&mut self) -> (PathId, PathEvent) {
        let event = self.events.recv().await;
        let Some((id, event)) = event else { return std::future::pending().await };
        if let PathEvent::Down(_) = event {
            self.open.remove(&id);
        }
        (id, event)
    }

    pub fn open_direct(&mut self, id: PathId, facts: DirectFacts) {
        let _ = (id, facts, &self.identity, &self.trust, &self.tell);
    }

    pub fn open_relay(&mut self, id: PathId, facts: RelayFacts) {
        let _ = (id, facts);
    }

    pub fn command(&mut self, id: PathId, command: PathCommand) {
        let Some(path) = self.open.get(&id) else { return };
        if path.try_send(command).is_err() {
            tracing::warn!(path = id.0, "a path does not keep up; it is let go");
            self.open.remove(&id);
            let _ = self.tell.try_send((id, PathEvent::Down(PathEnd::Silent)));
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
    }
}
