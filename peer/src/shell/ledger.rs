//! This end's own records of a session: sealed here, kept on disk until the server has them, sent.
//!
//! What is written is decided by [`crate::core::testimony`]; who may read it by the log key, which
//! neither this program nor the server has. A server that is away gets them later, in order (F2);
//! what a program could not send before it ended, the next one sends.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tasuki_protocol::blob::Blob;
use tasuki_protocol::ids::{Digest, Role, SessionId};
use tasuki_protocol::ledger::event::Event;
use tasuki_protocol::receipt::CheckedReceipt;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::ledger_delivery::{Delivered, deliver};
pub use super::ledger_desk::Desk;
use super::ledger_kept::keep;
pub use super::ledger_kept::send_kept;
use super::ledger_rows::Rows;
use crate::core::io::{HumanAct, SessionEvent};
use crate::core::testimony::Testimony;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long a program that ends waits for its last records to be taken.
const FAREWELL: Duration = Duration::from_secs(3);

/// One session's scribe at this end.
#[derive(Debug)]
pub struct Scribe {
    testimony: Testimony,
    began: Instant,
    role: Role,
    desk: Desk,
    waiting: Arc<Waiting>,
    task: JoinHandle<()>,
}

/// What waits to be sent.
#[derive(Debug, Default)]
struct Waiting {
    rows: Mutex<Rows>,
    changed: Notify,
}

impl Scribe {
    /// Must be called inside a tokio runtime.
    pub fn start(desk: Desk, role: Role, software: &str) -> Self {
        let testimony = Testimony::new(role, software);
        let waiting = Arc::new(Waiting::default());
        let task = tokio::spawn(send(Arc::clone(&waiting), desk.clone()));
        Self { testimony, began: Instant::now(), role, desk, waiting, task }
    }

    pub(super) fn did(&mut self, act: &HumanAct) {
        self.testimony.did(act);
    }

    pub(super) fn under(&mut self, policy: u64) {
        self.testimony.under(policy);
    }

    pub(super) fn told(&mut self, event: &SessionEvent) {
        let events = self.testimony.told(event, self.began.elapsed());
        self.write(events);
    }

    pub(super) fn kept_picture(&mut self, file: &str) {
        let events = self.testimony.kept_picture(file);
        self.write(events);
    }

    pub(super) fn customer(&mut self, name: &str) {
        let events = self.testimony.customer(name);
        self.write(events);
    }

    pub(super) fn receipt(&mut self, envelope: &[u8]) {
        use sha2::Digest as _;
        let Ok(receipt) = CheckedReceipt::open(envelope) else { return };
        let digest = Digest(sha2::Sha256::digest(envelope).into());
        let events = self.testimony.receipt(&receipt, digest);
        self.write(events);
    }

    /// Whose ticket is to be asked for, if it is time to. The operator's end has told the server
    /// before that the ends are paired; the agent's end waits until its person has answered.
    pub(super) fn needs_ticket(&self) -> Option<(SessionId, Role)> {
        let session = self.testimony.session()?;
        let rows = self.waiting.lock();
        let is_time = match self.role {
            Role::Operator => true,
            Role::Agent => self.testimony.has_answered() || !rows.rows.is_empty(),
        };
        (rows.ticket.is_none() && is_time).then_some((session, self.role))
    }

    pub(super) fn ticket(&self, ticket: Blob) {
        let mut rows = self.waiting.lock();
        rows.ticket = Some(ticket);
        keep(&rows, &self.desk.profile);
        self.waiting.changed.notify_one();
    }

    fn write(&mut self, events: Vec<Event>) {
        let Some(session) = self.testimony.session().filter(|_| !events.is_empty()) else { return };
        let mut rows = self.waiting.lock();
        rows.of = Some((session, self.role));
        rows.file.get_or_insert_with(|| format!("{session}-{}.json", role_word(self.role)));
        events.into_iter().for_each(|event| rows.add(event, (session, self.role), &self.desk));
        keep(&rows, &self.desk.profile);
        self.waiting.changed.notify_one();
    }

    /// The session is over: what the server does not take soon is sent by the next program.
    pub(super) async fn close(mut self) {
        self.waiting.lock().is_closed = true;
        self.waiting.changed.notify_one();
        if tokio::time::timeout(FAREWELL, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

impl Waiting {
    fn lock(&self) -> std::sync::MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends what waits, until the session is over and nothing waits any more.
async fn send(waiting: Arc<Waiting>, desk: Desk) {
    let mut pause = FIRST_PAUSE;
    loop {
        let (batch, is_closed) = {
            let rows = waiting.lock();
            (rows.batch(), rows.is_closed)
        };
        let Some(batch) = batch else {
            if is_closed {
                return;
            }
            waiting.changed.notified().await;
            continue;
        };
        match deliver(&batch, &desk).await {
            Delivered::Taken { next, refused } => {
                let mut rows = waiting.lock();
                rows.rows.retain(|row| row.number >= next);
                if let Some(refused) = refused {
                    rows.rolled_back(refused, &desk);
                }
                keep(&rows, &desk.profile);
                pause = FIRST_PAUSE;
            }
            Delivered::Never => {
                let mut rows = waiting.lock();
                rows.rows.clear();
                keep(&rows, &desk.profile);
            }
            Delivered::NotNow => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Operator => "operator",
        Role::Agent => "agent",
    }
}
