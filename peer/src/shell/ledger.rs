//! This end's own records of a session: sealed here, kept on disk until the server has them, sent.
//!
//! What is written is decided by [`crate::core::testimony`]; who may read it by the log key, which
//! neither this program nor the server has. A server that is away gets them later, in order (F2);
//! what a program could not send before it ended, the next one sends.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::StatusCode;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::ids::{Digest, Role, SessionId};
use tasuki_protocol::ledger::event::{Entry, Event, Witness};
use tasuki_protocol::ledger::follow::{Base, LedgerRefused};
use tasuki_protocol::ledger::record::seal_at_end;
use tasuki_protocol::ledger::wire::{END_ROWS_PATH, EndRow, EndRows, EndRowsTaken, MAX_END_ROWS};
use tasuki_protocol::receipt::CheckedReceipt;
use tasuki_protocol::seed::Seed;
use tasuki_protocol::signal;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::checkpoint::{self, Taken};
use super::ledger_kept::keep;
pub use super::ledger_kept::send_kept;
use super::profile::Profile;
use super::proxy::Proxies;
use super::request;
use super::trust::Trust;
use crate::core::io::{HumanAct, SessionEvent};
use crate::core::testimony::Testimony;

/// The most bytes of one delivery; the server reads no more.
const MAX_BATCH_BYTES: usize = 48 * 1024;
/// Restores that are followed one behind another.
const MAX_EXCUSES: usize = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long a program that ends waits for its last records to be taken.
const FAREWELL: Duration = Duration::from_secs(3);

/// With what records are sealed, kept and sent.
#[derive(Debug, Clone)]
pub struct Desk {
    pub trust: Trust,
    pub proxies: Proxies,
    pub profile: Profile,
}

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

#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) ticket: Option<Blob>,
    pub(super) next: u64,
    pub(super) rows: VecDeque<EndRow>,
    /// The file's name, once there is a session, and whose records they are.
    pub(super) file: Option<String>,
    pub(super) of: Option<(SessionId, Role)>,
    pub(super) is_closed: bool,
    pub(super) told_refused: bool,
}

impl Scribe {
    /// Must be called inside a tokio runtime.
    pub fn start(desk: Desk, role: Role) -> Self {
        let testimony = Testimony::new(role, env!("CARGO_PKG_VERSION"));
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

impl Rows {
    fn add(&mut self, event: Event, (session, role): (SessionId, Role), desk: &Desk) {
        let by = match role {
            Role::Operator => Witness::Operator,
            Role::Agent => Witness::Agent,
        };
        let entry = Entry { by, session: Some(session), operator: None, event };
        let (bundle, number) = (&desk.trust.bundle, self.next);
        let mut fresh = [0; 32];
        let sealed = getrandom::fill(&mut fresh).ok().and_then(|()| {
            let (at, seed) = ((session, role, number), Seed::from_bytes(fresh));
            seal_at_end(&entry, at, &bundle.log_keys, bundle.tenant, &seed).ok()
        });
        let Some(sealed) = sealed else {
            return tracing::error!("a record of this session could not be sealed");
        };
        self.rows.push_back(EndRow { number, sealed });
        self.next += 1;
    }

    /// The ledger itself is told, once, that it is not the one known here (T67).
    fn rolled_back(&mut self, refused: LedgerRefused, desk: &Desk) {
        tracing::error!(%refused, "the server's ledger");
        let (seen, found) = match refused {
            LedgerRefused::Older { known, found } => (known, found),
            LedgerRefused::Forked { known } => (known, known),
            LedgerRefused::Unsigned => (0, 0),
        };
        let of = self.of.filter(|_| !std::mem::replace(&mut self.told_refused, true));
        if let Some(of) = of {
            self.add(Event::LedgerRolledBack { seen, found }, of, desk);
        }
    }

    /// The first of what waits, as much as one delivery takes.
    fn batch(&self) -> Option<EndRows> {
        let ticket = self.ticket.clone()?;
        let rows = first_of(&self.rows);
        (!rows.is_empty()).then_some(EndRows { ticket, known: 0, rows })
    }
}

pub(super) fn first_of(waiting: &VecDeque<EndRow>) -> Vec<EndRow> {
    let mut bytes = 0;
    let fits = |row: &&EndRow| {
        bytes += signal::encode(*row).len();
        bytes <= MAX_BATCH_BYTES
    };
    waiting.iter().take(MAX_END_ROWS).take_while(fits).cloned().collect()
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

pub(super) enum Delivered {
    /// Everything before `next` is on the server's disk.
    Taken {
        next: u64,
        /// Its ledger is not what the one known here became.
        refused: Option<LedgerRefused>,
    },
    NotNow,
    /// The ticket's time is over, or the server can make nothing of the records.
    Never,
}

pub(super) async fn deliver(batch: &EndRows, desk: &Desk) -> Delivered {
    let Some(first) = batch.rows.first().map(|row| row.number) else { return Delivered::Never };
    let known = checkpoint::kept(desk);
    let batch = EndRows { known: known.map_or(0, |known| known.size), ..batch.clone() };
    let asked =
        request::post((&desk.trust, &desk.proxies), END_ROWS_PATH, &[], |_| signal::encode(&batch));
    let (status, answer) = match asked.await {
        Ok(answer) => answer,
        Err(fault) => {
            tracing::info!(%fault, "records wait for the server");
            return Delivered::NotNow;
        }
    };
    if status.is_success() {
        return match signal::decode::<EndRowsTaken>(&answer) {
            Ok(taken) => {
                let refused = heed(desk, known, &taken, &batch.ticket).await.err();
                if taken.next > first {
                    return Delivered::Taken { next: taken.next, refused };
                }
                if let Some(refused) = refused {
                    tracing::error!(%refused, "the server's ledger");
                }
                // It says that it has them not, and will not: the same again would be for ever.
                Delivered::Never
            }
            Err(_) => Delivered::Never,
        };
    }
    tracing::warn!(%status, "the server did not take this session's records");
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE => {
            Delivered::Never
        }
        _ => Delivered::NotNow,
    }
}

/// Keeps the newer checkpoint that came with an answer, along acknowledged restores.
async fn heed(
    desk: &Desk,
    known: Option<Base>,
    taken: &EndRowsTaken,
    ticket: &Blob,
) -> Result<(), LedgerRefused> {
    let mut held = known;
    let mut next = checkpoint::take(desk, held, known, &taken.checkpoint)?;
    for _ in 0..MAX_EXCUSES {
        let base = match next {
            Taken::Kept => return Ok(()),
            Taken::AskFrom(base) => Some(base),
            Taken::Overtaken(now) => {
                held = now;
                now
            }
        };
        let size = base.map_or(0, |base| base.size);
        let ask = EndRows { ticket: ticket.clone(), known: size, rows: Vec::new() };
        let asked =
            request::post((&desk.trust, &desk.proxies), END_ROWS_PATH, &[], |_| signal::encode(&ask));
        // Not now is no fork: the next delivery asks again.
        let Ok((StatusCode::OK, answer)) = asked.await else { return Ok(()) };
        let Ok(taken) = signal::decode::<EndRowsTaken>(&answer) else { return Ok(()) };
        next = checkpoint::take(desk, held, base, &taken.checkpoint)?;
    }
    Ok(())
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Operator => "operator",
        Role::Agent => "agent",
    }
}
