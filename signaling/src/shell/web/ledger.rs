//! The ledger's paths: ends deliver, everybody asks for checkpoints, administrators read.
//!
//! Every reading is a record before the first row is handed out (S56).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use tasuki_protocol::admin::ProblemCode;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::bundle::Bundle;
use tasuki_protocol::dsse::{self, Document};
use tasuki_protocol::ids::DeviceKey;
use tasuki_protocol::ledger::audit::{Acknowledgement, Tombstone};
use tasuki_protocol::ledger::decree::RootsWord;
use tasuki_protocol::ledger::event::{Entry, Event, clipped};
use tasuki_protocol::ledger::record::FromEnd;
use tasuki_protocol::ledger::wire::{
    AskCheckpoint, CheckpointAnswer, Decree, EndRows, EndRowsTaken, LedgerOpened, MAX_END_ROWS,
    MAX_REASON_CHARS, OpenLedger, ReadRows, Review,
};

use super::accounts::bearer_at_any_hour;
use super::admin::signed_in_json;
use super::{Shared, Site, json, problem, read_json, store_problem, unwritten};
use crate::shell::admins::AdminRefused;
use crate::shell::clock;
use crate::shell::ledger::{Unwritten, Work};
use crate::shell::listen::Guest;

/// How long an opened reading may go on.
const READING: Duration = Duration::from_secs(3600);
/// Readings that are open at a time; the oldest goes first.
const READINGS: usize = 64;

/// Which parts of the ledger were opened, for whom it was recorded.
#[derive(Debug, Default)]
pub(crate) struct Readings(Mutex<HashMap<Vec<u8>, Reading>>);

#[derive(Debug, Clone, Copy)]
struct Reading {
    from: u64,
    to: u64,
    until: Instant,
}

impl Readings {
    fn begin(&self, name: Vec<u8>, from: u64, to: u64) {
        let now = Instant::now();
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, reading| reading.until > now);
        if open.len() >= READINGS
            && let Some(oldest) = open.iter().min_by_key(|(_, r)| r.until).map(|(name, _)| name.clone())
        {
            open.remove(&oldest);
        }
        open.insert(name, Reading { from, to, until: now + READING });
    }

    fn allows(&self, name: &[u8], from: u64) -> Option<Reading> {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let reading = open.get(name).copied()?;
        let inside = (reading.from..reading.to).contains(&from) && reading.until > Instant::now();
        inside.then_some(reading)
    }
}

/// What one end sealed, under its ticket.
pub(super) async fn end_rows(
    State(site): Shared,
    Extension(guest): Extension<Guest>,
    request: Request,
) -> Response {
    let address = site.address(&guest, request.headers());
    let body: EndRows = match read_json(&site, request.into_body()).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let ledger = &site.ledger;
    let Some(ticket) = ledger.tickets.open(&body.ticket.0, clock::unix()) else {
        site.pretender_refused(address).await;
        return problem(ProblemCode::SignIn);
    };
    let (session, role) = (ticket.session, ticket.role);
    let sound = body.rows.iter().all(|row| {
        let sealed = row.sealed.clone();
        FromEnd { session, role, number: row.number, sealed }.is_sound()
    });
    if body.rows.len() > MAX_END_ROWS || !sound {
        return problem(ProblemCode::Malformed);
    }
    let next = match ledger.ask(Work::End { session, role, rows: body.rows }).await {
        Ok(next) => next,
        Err(why) => return unwritten(why),
    };
    match ledger.answer(body.known).await {
        Ok(checkpoint) => json(StatusCode::OK, &EndRowsTaken { next, checkpoint }),
        Err(error) => store_problem(&error),
    }
}

pub(super) async fn operators_checkpoint(
    State(site): Shared,
    Extension(guest): Extension<Guest>,
    request: Request,
) -> Response {
    let address = site.address(&guest, request.headers());
    let headers = request.headers().clone();
    if let Err(refused) = bearer_at_any_hour(&site, address, &headers).await {
        return refused;
    }
    match read_json::<AskCheckpoint>(&site, request.into_body()).await {
        Ok(ask) => checkpoint(&site, ask).await,
        Err(refused) => refused,
    }
}

pub(super) async fn admins_checkpoint(State(site): Shared, request: Request) -> Response {
    match asked::<AskCheckpoint>(&site, request).await {
        Ok((_, ask)) => checkpoint(&site, ask).await,
        Err(refused) => refused,
    }
}

async fn checkpoint(site: &Site, ask: AskCheckpoint) -> Response {
    match site.ledger.answer(ask.known).await {
        Ok(answer) => json::<CheckpointAnswer>(StatusCode::OK, &answer),
        Err(error) => store_problem(&error),
    }
}

pub(super) async fn open(State(site): Shared, request: Request) -> Response {
    let (admin, ask) = match asked::<OpenLedger>(&site, request).await {
        Ok(asked) => asked,
        Err(refused) => return refused,
    };
    let Some(newest) = site.ledger.newest() else {
        return site.not_yet().unwrap_or_else(|| problem(ProblemCode::Busy));
    };
    let to = ask.to.min(newest.size);
    let from = ask.from.min(to);
    let read = Event::LedgerRead { admin, purpose: ask.purpose, from, to };
    if let Err(why) = site.ledger.append(Entry::server(read)).await {
        return unwritten(why);
    }
    let Ok(reading) = clock::random::<16>() else { return problem(ProblemCode::Busy) };
    site.readings.begin(reading.to_vec(), from, to);
    let store = &site.ledger.store;
    let opened = async {
        Ok::<_, sqlx::Error>(LedgerOpened {
            reading: Blob(reading.to_vec()),
            from,
            to,
            before: store.leaf_before(from).await?,
            note: newest.note,
            tombstones: site.ledger.decrees(TOMBSTONE).await?,
            acknowledgements: site.ledger.decrees(ACKNOWLEDGEMENT).await?,
        })
    };
    match opened.await {
        Ok(opened) => json(StatusCode::OK, &opened),
        Err(error) => store_problem(&error),
    }
}

pub(super) async fn rows(State(site): Shared, request: Request) -> Response {
    let (_, ask) = match asked::<ReadRows>(&site, request).await {
        Ok(asked) => asked,
        Err(refused) => return refused,
    };
    let Some(reading) = site.readings.allows(&ask.reading.0, ask.from) else {
        return problem(ProblemCode::NotFound);
    };
    match site.ledger.store.page(ask.from, ask.count.min(reading.to - ask.from)).await {
        Ok(page) => json(StatusCode::OK, &page),
        Err(error) => store_problem(&error),
    }
}

/// S92.
pub(super) async fn review(State(site): Shared, request: Request) -> Response {
    let (admin, ask) = match asked::<Review>(&site, request).await {
        Ok(asked) => asked,
        Err(refused) => return refused,
    };
    let size = site.ledger.newest().map_or(0, |newest| newest.size);
    if ask.note.chars().count() > MAX_REASON_CHARS || ask.up_to > size {
        return problem(ProblemCode::Unusable);
    }
    let reviewed = Event::Reviewed { admin, up_to: ask.up_to, note: ask.note };
    done(site.ledger.append(Entry::server(reviewed)).await)
}

pub(super) const TOMBSTONE: &str = "tombstone";
pub(super) const ACKNOWLEDGEMENT: &str = "acknowledgement";

/// Takes the content of old records away; their leaves and the root key's word stay.
pub(super) async fn prune(State(site): Shared, request: Request) -> Response {
    let (admin, document) = match asked::<Decree>(&site, request).await {
        Ok((admin, decree)) => (admin, decree.envelope),
        Err(refused) => return refused,
    };
    let _unchanged = site.trust.unchanged().await;
    let Ok(stone) = dsse::open::<Tombstone>(&document.0, &root(&site)) else {
        return problem(ProblemCode::Unauthorised);
    };
    let size = site.ledger.newest().map_or(0, |newest| newest.size);
    let is_in = (1..=size).contains(&stone.before);
    if stone.tenant != site.ledger.tenant || !is_in || !fits(&stone.reason) {
        return problem(ProblemCode::Unusable);
    }
    match is_kept(&site, TOMBSTONE, &stone).await {
        Ok(false) => {}
        Ok(true) => return done(Ok(())),
        Err(error) => return store_problem(&error),
    }
    match site.ledger.store.root_at(stone.before).await {
        Ok(root) if root == stone.root => {}
        Ok(_) => return problem(ProblemCode::Unusable),
        Err(error) => return store_problem(&error),
    }
    let reason = clipped(&stone.reason);
    let entry = Entry::server(Event::Pruned { admin, before: stone.before, reason });
    let prune = Some(stone.before);
    let work = Work::Decree { kind: TOMBSTONE, document, prune, entry: Box::new(entry) };
    done(site.ledger.ask(work).await.map(|_| ()))
}

/// The administrator has seen that the ledger is an older one, and takes it on (F21).
pub(super) async fn acknowledge(State(site): Shared, request: Request) -> Response {
    let (admin, document) = match asked::<Decree>(&site, request).await {
        Ok((admin, decree)) => (admin, decree.envelope),
        Err(refused) => return refused,
    };
    let _unchanged = site.trust.unchanged().await;
    let Ok(word) = dsse::open::<Acknowledgement>(&document.0, &root(&site)) else {
        return problem(ProblemCode::Unauthorised);
    };
    let size = site.ledger.newest().map_or(0, |newest| newest.size);
    if word.tenant != site.ledger.tenant || word.size > size || !fits(&word.reason) {
        return problem(ProblemCode::Unusable);
    }
    match is_kept(&site, ACKNOWLEDGEMENT, &word).await {
        Ok(false) => {}
        Ok(true) => return done(Ok(())),
        Err(error) => return store_problem(&error),
    }
    let reason = clipped(&word.reason);
    let event = Event::RestoreAcknowledged { admin, from: word.lost, to: word.size, reason };
    let entry = Box::new(Entry::server(event));
    let work = Work::Decree { kind: ACKNOWLEDGEMENT, document, prune: None, entry };
    done(site.ledger.ask(work).await.map(|_| ()))
}

fn fits(reason: &str) -> bool {
    reason.chars().count() <= MAX_REASON_CHARS
}

/// Whether these very words of the root's are kept, in whatever envelope they come: whoever saw them once says them
/// again as often as he likes, and each would be handed to every end (T59).
async fn is_kept<D: Document + PartialEq>(
    site: &Site,
    kind: &str,
    said: &D,
) -> Result<bool, sqlx::Error> {
    let (kept, root) = (site.ledger.decrees(kind).await?, root(site));
    let is_it = |kept: &Blob| dsse::open::<D>(&kept.0, &root).is_ok_and(|kept| kept == *said);
    Ok(kept.iter().any(is_it))
}

/// By so much an administrator's clock may be ahead.
const CLOCKS_S: u64 = 300;

/// Whether the root of `bundle` signs for what the one before has said of the ledger until now: another administrator may
/// have pruned since this one looked, and what is not handed on counts no more. What is dated ahead nobody hands on.
///
/// # Errors
/// [`ProblemCode::Conflict`]: it does not.
pub(super) async fn hands_all_on(
    site: &Site,
    (before, bundle): (&Bundle, &Bundle),
) -> Result<(), AdminRefused> {
    let (word, by) = (RootsWord::of(before), clock::unix().saturating_add(CLOCKS_S));
    let stones = site.ledger.decrees(TOMBSTONE).await?;
    let restores = site.ledger.decrees(ACKNOWLEDGEMENT).await?;
    let mut counting = word.handed_on::<Tombstone>(&stones, |stone| stone.at <= by);
    counting.extend(word.handed_on::<Acknowledgement>(&restores, |word| word.at <= by));
    let goes_on = counting.iter().all(|decree| bundle.earlier_decrees.contains(decree));
    if goes_on { Ok(()) } else { Err(ProblemCode::Conflict.into()) }
}

/// Whose word takes records away, or takes an older ledger on.
fn root(site: &Site) -> Vec<DeviceKey> {
    site.trust.bundle().map(|bundle| bundle.root).into_iter().collect()
}

/// Who asks, and for what.
async fn asked<T: DeserializeOwned>(site: &Site, request: Request) -> Result<(String, T), Response> {
    let (present, asked) = signed_in_json(site, request).await?;
    let admin = site.accounts.admin_name(present.admin).await.map_err(|error| store_problem(&error))?;
    Ok((admin, asked))
}

fn done(written: Result<(), Unwritten>) -> Response {
    match written {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(why) => unwritten(why),
    }
}
