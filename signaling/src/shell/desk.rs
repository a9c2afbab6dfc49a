//! Drives the rooms: hands in what arrives, acts on what comes out, wakes in time.
//!
//! One lock around the core and the lines to its connections; nothing in it waits.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tasuki_protocol::ids::SessionId;
use tasuki_protocol::policy::Policy;
use tasuki_protocol::policy::exchange::SessionEntry;
use tasuki_protocol::signal;
use tokio::sync::{Notify, mpsc};

use super::clock;
use super::metrics::Metrics;
use super::store::{Entry, Event, Store, spell};
use crate::core::rooms::{ConnectionId, Input, Operator, OperatorId, Outcome, Output, Rooms, WriteId};

/// Messages that may wait for one connection. Who reads slower is hung up on.
const LINE: usize = 64;
/// Entries that may wait for the database.
const WRITES: usize = 1024;
/// Entries that one commit takes.
const BATCH: usize = 64;

/// What a connection's task is to do. The line's end means: close.
#[derive(Debug)]
pub(crate) enum Order {
    Send(String),
    /// The other end is known now: larger messages are its right.
    Trust,
}

#[derive(Debug)]
struct Job {
    write: Option<WriteId>,
    entry: Entry,
}

#[derive(Debug)]
pub(crate) struct Desk {
    inner: Mutex<Inner>,
    moved: Arc<Notify>,
    jobs: mpsc::Sender<Job>,
    metrics: Arc<Metrics>,
    failing: AtomicBool,
}

#[derive(Debug)]
struct Inner {
    rooms: Rooms,
    lines: HashMap<ConnectionId, mpsc::Sender<Order>>,
    last: u64,
    closed: bool,
}

impl Desk {
    /// Starts the writer and the timekeeper; must be called inside a tokio runtime.
    pub(crate) fn start(rooms: Rooms, store: Store, metrics: Arc<Metrics>) -> Arc<Self> {
        let (jobs, queue) = mpsc::channel(WRITES);
        let inner = Inner { rooms, lines: HashMap::new(), last: 0, closed: false };
        let (inner, moved) = (Mutex::new(inner), Arc::new(Notify::new()));
        let failing = AtomicBool::new(false);
        let desk = Arc::new(Self { inner, moved, jobs, metrics, failing });
        tokio::spawn(write(store, queue, Arc::downgrade(&desk)));
        tokio::spawn(keep_time(Arc::downgrade(&desk), Arc::clone(&desk.moved)));
        desk
    }

    /// A line for a new connection.
    pub(crate) fn connect(&self) -> Option<(ConnectionId, mpsc::Receiver<Order>)> {
        let mut inner = self.lock();
        if inner.closed {
            return None;
        }
        inner.last += 1;
        let connection = ConnectionId(inner.last);
        let (line, orders) = mpsc::channel(LINE);
        inner.lines.insert(connection, line);
        Some((connection, orders))
    }

    pub(crate) fn agent_here(&self, connection: ConnectionId, from: IpAddr) {
        self.turn(Input::AgentHere { connection, from });
    }

    pub(crate) fn operator_here(&self, connection: ConnectionId, operator: Operator) {
        self.turn(Input::OperatorHere { connection, operator });
    }

    pub(crate) fn disconnect(&self, connection: ConnectionId) {
        self.turn(Input::Gone { connection });
        self.lock().lines.remove(&connection);
    }

    pub(crate) fn withdraw(&self, operator: OperatorId) {
        self.turn(Input::Withdrawn { operator });
    }

    /// Whether the last row was taken and there is room for more.
    pub(crate) fn keeps_up(&self) -> bool {
        !self.failing.load(Ordering::Relaxed) && self.jobs.capacity() > 0
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

    /// False where there is no such session.
    pub(crate) fn end(&self, session: SessionId) -> bool {
        let is_here = self.sessions().iter().any(|entry| entry.session == session);
        self.turn(Input::Ended { session });
        is_here
    }

    /// Hangs up on everybody, for good.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        inner.lines.clear();
    }

    pub(crate) fn record(&self, event: Event) {
        self.metrics.happened(event.kind);
        tracing::info!(kind = event.kind, operator = event.operator, detail = %event.detail);
        let job = Job { write: None, entry: Entry::Event(event) };
        if self.jobs.try_send(job).is_err() {
            Metrics::add(&self.metrics.rows_lost);
            tracing::warn!("an event could not be written down");
        }
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
        lines: &mut HashMap<ConnectionId, mpsc::Sender<Order>>,
    ) -> Option<Input> {
        match output {
            Output::ToOperator { connection, message } => {
                order(lines, connection, Order::Send(signal::encode(&message)));
            }
            Output::ToAgent { connection, message } => {
                order(lines, connection, Order::Send(signal::encode(&message)));
            }
            Output::Trust { connection } => order(lines, connection, Order::Trust),
            Output::HangUp { connection } => {
                lines.remove(&connection);
            }
            Output::Persist { write, row } => {
                let job = Job { write: Some(write), entry: Entry::Row(row) };
                if self.jobs.try_send(job).is_err() {
                    return Some(Input::Written { write, outcome: Outcome::Failed });
                }
            }
            Output::Note(note) => {
                let (kind, detail) = spell(note.what);
                self.metrics.happened(kind);
                tracing::info!(kind, operator = note.operator.map(|o| o.0), %detail);
                if self.jobs.try_send(Job { write: None, entry: Entry::Note(note) }).is_err() {
                    Metrics::add(&self.metrics.rows_lost);
                    tracing::warn!("an event could not be written down");
                }
            }
        }
        None
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn order(
    lines: &mut HashMap<ConnectionId, mpsc::Sender<Order>>,
    connection: ConnectionId,
    order: Order,
) {
    let full = lines.get(&connection).is_some_and(|line| line.try_send(order).is_err());
    if full {
        lines.remove(&connection);
    }
}

/// One commit for all that has come meanwhile; if it fails, each entry alone.
async fn write(store: Store, mut queue: mpsc::Receiver<Job>, desk: Weak<Desk>) {
    let mut jobs = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut jobs, BATCH).await > 0 {
        let entries: Vec<Entry> = jobs.iter().map(|job| job.entry.clone()).collect();
        let all = store.write(&entries).await;
        for job in jobs.drain(..) {
            let done = match &all {
                Ok(()) => Ok(()),
                Err(_) => store.write(std::slice::from_ref(&job.entry)).await,
            };
            if let Err(error) = &done {
                tracing::error!(%error, "the database does not take a row");
            }
            let outcome = if done.is_ok() { Outcome::Durable } else { Outcome::Failed };
            let Some(desk) = desk.upgrade() else { return };
            desk.failing.store(done.is_err(), Ordering::Relaxed);
            if done.is_err() {
                Metrics::add(&desk.metrics.rows_lost);
            }
            if let Some(write) = job.write {
                desk.turn(Input::Written { write, outcome });
            }
        }
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
