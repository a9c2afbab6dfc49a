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
