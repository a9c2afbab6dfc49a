//! Whoever comes and then says nothing, or a little (F15).

use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit, setrlimit};
use tasuki_protocol::signal::AGENT_PATH;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;

use crate::client::{PASSWORD, World};

/// Of each of three kinds.
const MANY: usize = 500;
/// F15.
const CLOSED: Duration = Duration::from_secs(15);
const SIGNED_IN: Duration = Duration::from_secs(2);

/// F15: with the limits that a server has if nobody says otherwise, but that all come from one address here.
#[tokio::test]
async fn f15_fifteen_hundred_who_stall_are_gone_within_fifteen_seconds_and_a_login_gets_through() {
    // A file for each, here and in the server.
    let mut files = getrlimit(Resource::Nofile);
    files.current = files.maximum;
    setrlimit(Resource::Nofile, files).unwrap();
    let world = World::with(&[("connections_per_address", "4096")]).await;
    let operator = world.operator("hanako").await;
    let mut stalling = JoinSet::new();
    for number in 0..MANY * 3 {
        let opened = Instant::now();
        if number % 3 == 0 {
            let mut stream = tokio::net::TcpStream::connect(world.address).await.unwrap();
            // The head of a record, and not all of a hello.
            stream.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
            stalling.spawn(async move {
                stream.read_to_end(&mut Vec::new()).await.ok();
                opened.elapsed()
            });
        } else if number % 3 == 1 {
            let mut stream = world.tls().await;
            stream.write_all(b"GET /v1/bundle HTTP/1.1\r\nhost: localho").await.unwrap();
            stream.flush().await.unwrap();
            stalling.spawn(async move {
                stream.read_to_end(&mut Vec::new()).await.ok();
                opened.elapsed()
            });
        } else {
            let mut socket = world.socket(AGENT_PATH, &[]).await.unwrap();
            stalling.spawn(async move {
                while socket.text().await.is_some() {}
                opened.elapsed()
            });
        }
    }
    let mut took = Vec::new();
    for _ in 0..3 {
        let began = Instant::now();
        assert_eq!(world.try_login("hanako", PASSWORD, &operator.device).await, Some(200));
        took.push(began.elapsed());
    }
    took.sort();
    assert!(took[1] <= SIGNED_IN, "{took:?}");
    let mut closed = stalling.join_all().await;
    closed.sort();
    assert_eq!(closed.len(), MANY * 3);
    assert!(closed.last() <= Some(&CLOSED), "{:?}", closed.last());
}
