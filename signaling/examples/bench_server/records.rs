//! The ledger: records that ends deliver, each on disk before it is answered for, and the verifying
//! of a ledger without its key.

use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::ids::{DeviceKey, Role, SessionId, TenantId};
use tasuki_protocol::ledger::audit::{Auditor, Item};
use tasuki_protocol::ledger::decree::RootsWord;
use tasuki_protocol::ledger::event::{Entry, Event, Witness};
use tasuki_protocol::ledger::record::{Opened, seal_at_end};
use tasuki_protocol::ledger::tree::Frontier;
use tasuki_protocol::ledger::wire::{END_ROWS_PATH, EndRow, EndRows, MAX_END_ROWS, StoredRow};
use tasuki_protocol::log_key::LogSecretKey;
use tasuki_protocol::seed::Seed;
use tasuki_protocol::signal;
use tasuki_signaling::core::ledger::{Book, Moment, NOTHING_BEFORE, Write};

use crate::Figure;
use crate::client::World;
use crate::crowd::Crowd;
use crate::server::{Server, own_cpu_seconds};

/// Ends that deliver side by side.
const ENDS: usize = 32;
/// Deliveries of each.
const DELIVERIES: usize = 60;
/// Between two checkpoints of the ledger that is verified.
const BETWEEN_NOTES: u64 = 1000;

/// Something that ends record.
fn happened() -> Event {
    Event::LoginFailed {
        account: "hanako.yamada".to_owned(),
        from: "192.0.2.77".to_owned(),
        device: DeviceKey([7; 32]),
        mac: None,
        why: tasuki_protocol::ledger::words::LoginFailure::Password,
    }
}

pub(crate) async fn appended(world: &World, server: &Server, crowd: &mut Crowd) -> Vec<Figure> {
    let mut figures = Vec::new();
    let mut next = 0;
    for (rows, what) in [(1, "one a delivery"), (MAX_END_ROWS, "sixteen a delivery")] {
        let tickets = crowd.tickets.iter().take(ENDS);
        let sealed: Vec<_> = tickets
            .map(|(session, ticket)| deliveries(world, (*session, ticket), next, rows))
            .collect();
        // Not before: the server waits for nobody's first request for long.
        let mut ends = Vec::new();
        for bodies in sealed {
            ends.push((line(world).await, bodies));
        }
        next += (rows * DELIVERIES) as u64;
        let (began, before) = (Instant::now(), server.cpu_seconds());
        let delivering = ends.into_iter().map(|(line, bodies)| deliver(line, bodies));
        futures_util::future::join_all(delivering).await;
        let (passed, cpu) = (began.elapsed().as_secs_f64(), server.cpu_seconds() - before);
        let records = (ENDS * DELIVERIES * rows) as f64;
        figures.push(Figure::plain(
            &format!("records of {ENDS} ends a second, {what}, each on disk"),
            format!("{:.0}", records / passed),
        ));
        figures.push(Figure::plain(
            "the same for a CPU-second of the server",
            format!("{:.0}", records / cpu),
        ));
    }
    figures
}

/// Sealed beforehand: that is the ends' own work.
fn deliveries(
    world: &World,
    (session, ticket): (SessionId, &Blob),
    first: u64,
    rows: usize,
) -> Vec<String> {
    let bundle = world.bundle();
    let row = |number: u64| {
        let entry =
            Entry { by: Witness::Operator, session: Some(session), operator: None, event: happened() };
        let mut fresh = [0; 32];
        getrandom::fill(&mut fresh).unwrap();
        let (at, seed) = ((session, Role::Operator, number), Seed::from_bytes(fresh));
        let sealed = seal_at_end(&entry, at, &bundle.log_keys, bundle.tenant, &seed).unwrap();
        EndRow { number, sealed }
    };
    let delivery = |at: usize| {
        let first = first + (at * rows) as u64;
        let rows = (first..first + rows as u64).map(row).collect();
        signal::encode(&EndRows { ticket: ticket.clone(), known: 0, rows })
    };
    (0..DELIVERIES).map(delivery).collect()
}

async fn line(world: &World) -> SendRequest<Full<Bytes>> {
    let (line, connection) = handshake(TokioIo::new(world.tls().await)).await.unwrap();
    tokio::spawn(connection);
    line
}

async fn deliver(mut line: SendRequest<Full<Bytes>>, bodies: Vec<String>) {
    for body in bodies {
        line.ready().await.unwrap();
        let request = hyper::Request::post(END_ROWS_PATH).header("host", "localhost");
        let answer =
            line.send_request(request.body(Full::new(Bytes::from(body))).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.into_body().collect().await.unwrap();
    }
}

/// As `tasuki-admin audit verify` reads an export: without the key that opens it.
pub(crate) fn verified(records: u64) -> Vec<Figure> {
    const LOT: u64 = 100;
    let (tenant, signer) = (TenantId([1; 8]), SigningKey::from_bytes(&[3; 32]));
    let public = DeviceKey(signer.verifying_key().to_bytes());
    let log_key = LogSecretKey::from_bytes([2; 32]).public();
    let seed = Seed::from_bytes([4; 32]);
    let mut book = Book::new(tenant, vec![log_key], seed, Frontier::default(), NOTHING_BEFORE);
    let word = RootsWord::of_root(DeviceKey([9; 32]));
    let mut auditor = Auditor::new(tenant, vec![public], word);
    let start = Instant::now();
    let (mut seconds, mut bytes) = (0.0, 0_usize);
    let entry = Opened::Entry(Entry::server(happened()));
    while book.size() < records {
        let at = Duration::from_millis(book.size());
        let moment = Moment { instant: start + at, unix_ms: 1_700_000_000_000 + book.size() };
        let mut draft = book.draft(LOT, moment).unwrap();
        for _ in 0..LOT {
            draft.append(&entry, happened().class()).unwrap();
        }
        let mut frames: Vec<Vec<u8>> = draft.writes.iter().filter_map(frame).collect();
        book.commit(draft);
        if book.size().is_multiple_of(BETWEEN_NOTES) {
            frames.push(Item::Checkpoint(book.checkpoint(moment).sign(&signer)).frame());
        }
        let before = own_cpu_seconds();
        for frame in &frames {
            match Item::decode(&frame[4..]).unwrap() {
                Item::Key(key) => auditor.key(&key),
                Item::Record(row) => auditor.record(&row).unwrap(),
                Item::Checkpoint(note) => auditor.checkpoint(&note).unwrap(),
                Item::Header(_) | Item::Tombstone(_) | Item::Acknowledgement(_) => {}
            }
        }
        seconds += own_cpu_seconds() - before;
        bytes += frames.iter().map(Vec::len).sum::<usize>();
    }
    let before = own_cpu_seconds();
    let verified = auditor.finish().unwrap();
    seconds += own_cpu_seconds() - before;
    vec![Figure::plain(
        &format!("verifying {} records ({} MB of an export)", verified.size, bytes / 1_000_000),
        format!("{seconds:.1} s of CPU, {:.0} a second", records as f64 / seconds),
    )]
}

fn frame(write: &Write) -> Option<Vec<u8>> {
    match write {
        Write::Key(_, envelope) => Some(Item::Key(envelope.clone()).frame()),
        Write::Row(row, leaf) => {
            Some(Item::Record(StoredRow { leaf: *leaf, row: Some(row.clone()) }).frame())
        }
        Write::Node(..) => None,
    }
}
