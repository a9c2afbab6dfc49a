//! The ledger: records that ends deliver, each on disk before it is answered for.

use std::path::Path;
use std::time::Instant;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, SqliteConnection};
use tasuki_protocol::blob::Blob;
use tasuki_protocol::ids::{DeviceKey, Role, SessionId};
use tasuki_protocol::ledger::event::{Entry, Event, Witness};
use tasuki_protocol::ledger::record::seal_at_end;
use tasuki_protocol::ledger::wire::{END_ROWS_PATH, EndRow, EndRows, MAX_END_ROWS};
use tasuki_protocol::seed::Seed;
use tasuki_protocol::signal;

use crate::Figure;
use crate::client::World;
use crate::crowd::Crowd;
use crate::server::{Server, process_cpu_seconds};

/// Ends that deliver side by side.
const ENDS: usize = 32;
/// Deliveries of each.
const DELIVERIES: usize = 60;

/// Something that ends record.
pub(crate) fn happened() -> Event {
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
    let size = deliveries(world, (crowd.tickets[0].0, &crowd.tickets[0].1), 0, 1)[0].len();
    let bare = bare_sqlite(&world.data(), size).await;
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
        let beside = [records / passed / bare[0], records / cpu / bare[1]];
        figures.push(Figure::plain(
            "beside a bare SQLite with a transaction for each: by the clock, by CPU time",
            format!("{:.2} times, {:.2} times as many", beside[0], beside[1]),
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

/// What SQLite takes by itself for as many records of this size, each on disk before the next: a second, of the clock
/// and of CPU.
async fn bare_sqlite(folder: &Path, record: usize) -> [f64; 2] {
    const RECORDS: u32 = 2_000;
    let options = SqliteConnectOptions::new()
        .filename(folder.join("bare.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut database = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("CREATE TABLE records (bytes BLOB NOT NULL)").execute(&mut database).await.unwrap();
    let (began, before) = (Instant::now(), process_cpu_seconds());
    for _ in 0..RECORDS {
        let insert = sqlx::query("INSERT INTO records (bytes) VALUES (?)").bind(vec![7_u8; record]);
        insert.execute(&mut database).await.unwrap();
    }
    let (passed, cpu) = (began.elapsed().as_secs_f64(), process_cpu_seconds() - before);
    database.close().await.unwrap();
    [passed, cpu].map(|seconds| f64::from(RECORDS) / seconds)
}
