//! SIGTERM: everybody hears of it, whoever stalls holds nobody up, and the last record is signed (T64).

use std::time::Duration;

use tasuki_protocol::ledger::event::{Entry, Event};
use tasuki_protocol::login::LOGIN_PATH;
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{AGENT_PATH, AgentToServer, OPERATOR_PATH};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::acts::database;
use crate::client::{PATIENCE, World};
use crate::crash::Process;
use crate::ledger::read_until_entry;
use crate::pairing::{open, pair};

/// The farewell of three seconds, and the database's and this machine's own time.
const ENDED: Duration = Duration::from_secs(8);

/// Who holds up an end that waits for everybody: in the midst of TLS, of a request and of a WebSocket's
/// beginning, and one who takes nothing of what he is sent.
async fn stallers(world: &World) -> (TcpStream, Vec<Box<dyn Send>>) {
    let mut greeting = TcpStream::connect(world.address).await.unwrap();
    greeting.write_all(&[22, 3, 1]).await.unwrap();
    let mut held: Vec<Box<dyn Send>> = Vec::new();
    for begun in [
        format!("POST {LOGIN_PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 900\r\n\r\n{{"),
        format!("GET {OPERATOR_PATH} HTTP/1.1\r\nhost: x\r\nupgrade: websock"),
        "GET /v1/speed HTTP/1.1\r\nhost: x\r\n\r\n".repeat(100),
    ] {
        let mut stream = world.tls().await;
        stream.write_all(begun.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        held.push(Box::new(stream));
    }
    held.push(Box::new(world.socket(AGENT_PATH, &[]).await.unwrap()));
    (greeting, held)
}

/// T64: the program ends well and in time, its open lines are closed, and no record is left without a checkpoint.
#[tokio::test]
async fn t64_a_server_that_is_told_to_stop_says_so_to_everybody_and_signs_its_last_record() {
    let mut world = World::start().await;
    let (server, mut operator) = Process::with_operator(&mut world).await;
    let mut room = open(&world, &mut operator, Mode::View).await;
    let mut session = pair(&world, &mut operator, &mut room).await;
    // Its answer shows that the server has heard of the pairing.
    session.agent.say(&AgentToServer::NeedLedgerTicket).await;
    session.agent.next().await.unwrap();
    let held = stallers(&world).await;
    let ended = tokio::task::spawn_blocking(move || server.terminate());
    let closed = async {
        while session.agent.next().await.is_some() {}
        while operator.socket.next().await.is_some() {}
    };
    timeout(PATIENCE, closed).await.expect("the lines are closed");
    let (code, took) = ended.await.unwrap();
    assert_eq!(code, Some(0));
    assert!(took <= ENDED, "{took:?}");
    drop(held);

    let mut own = database(&world).await;
    let records = "SELECT COUNT(*), (SELECT MAX(size) FROM ledger_checkpoints) FROM ledger";
    let (records, signed): (i64, i64) = sqlx::query_as(records).fetch_one(&mut own).await.unwrap();
    assert_eq!(records, signed, "the newest checkpoint is not over all records");
    world.run().await;
    let stopped = |entry: &Entry| entry.event == Event::ServerStopped;
    let read = read_until_entry(&world, stopped).await;
    let last = read.entries[usize::try_from(records).unwrap() - 1].as_ref();
    assert_eq!(last.map(|entry| &entry.event), Some(&Event::ServerStopped));
}
