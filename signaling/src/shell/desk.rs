//! Drives the rooms: hands in what arrives, acts on what comes out, wakes in time.
//!
//! One lock around the core and the lines to its connections; nothing in it waits.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use tasuki_protocol::ids::{DeviceKey, SessionId};
use tasuki_protocol::policy::Policy;
use tasuki_protocol::policy::exchange::SessionEntry;
use tasuki_protocol::signal;
use tokio::sync::{Notify, mpsc, watch};

use super::clock;
use super::ledger::{Job, Ledger, Then, Work};
use super::ledger_scribe::Scribe;
use super::metrics::Metrics;
use super::places::{Here, Placed, Places};
use super::store::Event;
use super::store_fault;
use crate::core::kept::{LastSeen, Remembered};
use crate::core::notes::{Note, What};
use crate::core::rooms::{ConnectionId, Input, Operator, OperatorId, Outcome, Output, Rooms, Row};

/// Messages that may wait for one connection. Who reads slower is hung up on.
const LINE: usize = 64;
/// Sessions of an earlier run that are looked at in one go; each may write a record.
const REMEMBERED_AT_ONCE: usize = 256;

#[derive(Debug)]
pub(crate) struct Desk {
    inner: Mutex<Inner>,
    moved: Arc<Notify>,
    ledger: Ledger,
    metrics: Arc<Metrics>,
    /// No more fits into the writer's queue.
    crowded: AtomicBool,
    /// Why the last commit was not made.
    unwritten: Mutex<Option<&'static str>>,
    /// How often somebody's rights may have become fewer.
    changes: AtomicU64,
    remembers: AtomicBool,
}

#[derive(Debug)]
struct Inner {
    rooms: Rooms,
    lines: HashMap<ConnectionId, mpsc::Sender<String>>,
    places: Places,
    last: u64,
    closed: bool,
}

impl Desk {
    /// Starts the writer and the timekeeper; must be called inside a tokio runtime.
    pub(crate) fn start(
        rooms: Rooms,
        ledger: Ledger,
        scribe: Scribe,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        let (lines, places) = (HashMap::new(), Places::default());
        let inner = Inner { rooms, lines, places, last: 0, closed: false };
        let (inner, moved) = (Mutex::new(inner), Arc::new(Notify::new()));
        let (crowded, unwritten) = (AtomicBool::new(false), Mutex::new(None));
        let (changes, remembers) = (AtomicU64::new(0), AtomicBool::new(false));
        let desk =
            Arc::new(Self { inner, moved, ledger, metrics, crowded, unwritten, changes, remembers });
        tokio::spawn(scribe.run(Arc::downgrade(&desk)));
        tokio::spawn(keep_time(Arc::downgrade(&desk), Arc::clone(&desk.moved)));
        desk
    }

    /// A new connection, and the messages to send there. Their end means: close.
    pub(crate) fn connect(&self) -> Option<(ConnectionId, mpsc::Receiver<String>)> {
        let mut inner = self.lock();
        if inner.closed {
            return None;
        }
        inner.last += 1;
        let connection = ConnectionId(inner.last);
        let (line, texts) = mpsc::channel(LINE);
        inner.lines.insert(connection, line);
        Some((connection, texts))
    }

    pub(crate) fn agent_here(&self, connection: ConnectionId, from: IpAddr) {
        self.turn(Input::AgentHere { connection, from });
    }

    /// Grows before anybody who is here is told to be less. What was looked up under one count, and holds
    /// under the same once its owner is here, has missed nothing.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    fn changed(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    /// Gives when his hours or his certificate end, as long as he is here.
    pub(crate) fn operator_here(
        &self,
        connection: ConnectionId,
        from: IpAddr,
        operator: Operator,
    ) -> watch::Receiver<Instant> {
        let mut inner = self.lock();
        let present = inner.rooms.present();
        let here = Here::new((operator.id, operator.device), from, operator.until);
        let until = here.until();
        inner.places.came(connection, here, &present);
        drop(inner);
        self.turn(Input::OperatorHere { connection, operator });
        until
    }

    pub(crate) fn disconnect(&self, connection: ConnectionId) {
        self.turn(Input::Gone { connection });
        let mut inner = self.lock();
        inner.lines.remove(&connection);
        inner.places.went(connection);
    }

    /// The operator's devices that are here or have something running, each with the addresses where it is, or the last
    /// one where it was.
    pub(crate) fn places_of(&self, operator: OperatorId) -> Vec<Placed> {
        self.changed();
        let inner = self.lock();
        let his = inner.rooms.present().into_iter().filter(|(id, _)| *id == operator);
        let placed = |whose: (OperatorId, DeviceKey)| Placed {
            device: whose.1,
            at: inner.places.of(whose),
            runs: inner.rooms.has_room(whose.0, whose.1),
        };
        his.map(placed).collect()
    }

    pub(crate) fn withdraw(&self, operator: OperatorId) {
        self.changed();
        self.turn(Input::Withdrawn { operator });
    }

    /// Why the ledger took no record last; `None`: it did.
    pub(crate) fn why_unwritten(&self) -> Option<&'static str> {
        let crowded = self.crowded.load(Ordering::Relaxed).then_some("more records wait than fit");
        crowded.or(*self.unwritten.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn told_by_writer(&self, failed: Option<&sqlx::Error>) {
        let why = failed.map(store_fault::words);
        *self.unwritten.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    /// Puts a policy in force; gives how many sessions and numbers ended by it.
    pub(crate) fn adopt(&self, policy: Policy) -> u32 {
        let before = self.lock().rooms.occupancy();
        self.turn(Input::PolicyChanged { policy: Box::new(policy) });
        u32::try_from(before.saturating_sub(self.lock().rooms.occupancy())).unwrap_or(u32::MAX)
    }

    pub(crate) fn sessions(&self) -> Vec<SessionEntry> {
        self.lock().rooms.sessions(clock::now())
    }

    /// As the row of `session` should have it; `None`: it is over.
    pub(crate) fn last_seen(&self, session: SessionId) -> Option<LastSeen> {
        self.lock().rooms.last_seen(session)
    }

    /// Sessions of an earlier run, with room in the ledger for what becomes of them.
    pub(crate) async fn remember(&self, mut sessions: Vec<Remembered>) {
        while !sessions.is_empty() {
            let rest = sessions.split_off(sessions.len().min(REMEMBERED_AT_ONCE));
            self.ledger.until_room_for(REMEMBERED_AT_ONCE).await;
            self.turn(Input::Remembered { sessions });
            sessions = rest;
        }
        self.remembers.store(true, Ordering::SeqCst);
    }

    /// Whether it knows all that earlier runs knew.
    pub(crate) fn remembers(&self) -> bool {
        self.remembers.load(Ordering::SeqCst)
    }

    /// False where there is no such session.
    pub(crate) fn end(&self, session: SessionId) -> bool {
        let is_here = self.last_seen(session).is_some();
        self.turn(Input::Ended { session });
        is_here
    }

    /// Whoever is here or has something running, to be renewed; who comes later sees that he must be, too.
    pub(crate) fn to_renew(&self) -> BTreeSet<(OperatorId, DeviceKey)> {
        self.changed();
        self.lock().rooms.present()
    }

    pub(crate) fn renew(&self, operator: Operator) {
        self.lock().places.until((operator.id, operator.device), operator.until);
        self.turn(Input::OperatorChanged { operator: Box::new(operator) });
    }

    pub(crate) fn withdraw_device(&self, device: DeviceKey) {
        self.changed();
        self.turn(Input::DeviceWithdrawn { device });
    }

    /// The person at `device` has shown again that it is he.
    pub(crate) fn confirmed(&self, device: DeviceKey, lasts: Duration) {
        self.turn(Input::Confirmed { device, until: Instant::now() + lasts });
    }

    /// Manifests are signed with this key from now on.
    pub(crate) fn sign_with(&self, manifest_key: SigningKey) {
        self.lock().rooms.sign_with(manifest_key);
    }

    /// Hangs up on everybody, for good.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        inner.lines.clear();
    }

    /// For the metrics and the log, of what is recorded otherwise.
    pub(crate) fn count(&self, kind: &'static str) {
        self.metrics.happened(kind);
        tracing::info!(kind);
    }

    /// As [`Self::count`], of what is about to be recorded. Whom it concerned, and what of him, is for the
    /// ledger alone.
    pub(crate) fn witness(&self, event: &Event) {
        let Event { kind, admin, operator, .. } = event;
        let kind = kind.name();
        self.metrics.happened(kind);
        tracing::info!(kind, admin, operator);
    }

    pub(crate) fn turn(&self, input: Input) {
        let now = clock::now();
        let mut guard = self.lock();
        let Inner { rooms, lines, .. } = &mut *guard;
        let before = rooms.deadline();
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for output in rooms.turn(input, now) {
                inputs.extend(self.act(output, lines));
            }
        }
        if rooms.deadline() != before {
            self.moved.notify_one();
        }
    }

    /// What cannot be done comes back as an input.
    fn act(
        &self,
        output: Output,
        lines: &mut HashMap<ConnectionId, mpsc::Sender<String>>,
    ) -> Option<Input> {
        match output {
            Output::ToOperator { connection, message } => {
                send(lines, connection, signal::encode(&message));
            }
            Output::ToAgent { connection, message } => {
                send(lines, connection, signal::encode(&message));
            }
            Output::HangUp { connection } => {
                lines.remove(&connection);
            }
            Output::Persist { write, row, note } => {
                self.tell(&note);
                let work = Work::Row(row, Some(Box::new(note.entry())));
                if !self.put(Job { work, then: Then::Room(write) }) {
                    return Some(Input::Written { write, outcome: Outcome::Failed });
                }
            }
            Output::Note(note) => self.note(&note),
            Output::Keep { row, note } => return self.keep(row, note.as_ref()),
        }
        None
    }

    /// Whether the ledger has room for it.
    pub(crate) fn put(&self, job: Job) -> bool {
        let put = self.ledger.put(job);
        self.crowded.store(!put, Ordering::Relaxed);
        if !put {
            Metrics::add(&self.metrics.rows_lost);
        }
        put
    }

    /// The ledger will say of so many events only how many they were.
    pub(crate) fn lost(&self, count: u64) {
        if count > 0 {
            tracing::error!(count, "the ledger says of events only how many they were");
        }
        self.metrics.rows_lost.fetch_add(count, Ordering::Relaxed);
    }

    /// The log and the metrics hear that something happened, and neither to whom nor from where.
    fn tell(&self, note: &Note) {
        let kind = kind(note);
        self.metrics.happened(kind);
        tracing::info!(kind, operator = note.operator.map(|operator| operator.0));
    }

    fn note(&self, note: &Note) {
        self.tell(note);
        self.put(Job { work: Work::Records(vec![note.entry()]), then: Then::Nobody });
    }

    fn keep(&self, row: Row, note: Option<&Note>) -> Option<Input> {
        note.inspect(|note| self.tell(note));
        let begins = match &row {
            Row::Running(kept) => Some(kept.session),
            Row::Opened { .. }
            | Row::Attempt { .. }
            | Row::LetGo { .. }
            | Row::TakenUp { .. }
            | Row::Over { .. } => None,
        };
        let work = Work::Row(row, note.map(|note| Box::new(note.entry())));
        let put = self.put(Job { work, then: begins.map_or(Then::Nobody, Then::Begins) });
        begins.filter(|_| !put).map(|session| Input::Unrecorded { session })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn send(
    lines: &mut HashMap<ConnectionId, mpsc::Sender<String>>,
    connection: ConnectionId,
    text: String,
) {
    let full = lines.get(&connection).is_some_and(|line| line.try_send(text).is_err());
    if full {
        lines.remove(&connection);
    }
}

/// Under which name something is counted and logged.
fn kind(note: &Note) -> &'static str {
    match note.what {
        What::NumberOpened(..) => "number.opened",
        What::AttemptMade(..) => "pairing.attempt",
        What::AttemptFailed(_) => "pairing.failed",
        What::Objected(..) => "pairing.refused",
        What::Paired(..) => "session.paired",
        What::Over(..) => "session.over",
        What::TakenUp => "session.taken_up",
        What::TooManyGuesses(_) => "pairing.limited",
        What::Refused(..) => "request.refused",
    }
}

async fn keep_time(desk: Weak<Desk>, moved: Arc<Notify>) {
    loop {
        let Some(strong) = desk.upgrade() else { return };
        let deadline = strong.lock().rooms.deadline();
        drop(strong);
        match deadline {
            Some(at) => tokio::select! {
                () = tokio::time::sleep_until(at.into()) => {}
                () = moved.notified() => {}
            },
            None => moved.notified().await,
        }
        if let Some(desk) = desk.upgrade() {
            desk.turn(Input::Tick);
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.moved.notify_one();
    }
}
