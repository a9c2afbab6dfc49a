//! Strangers who sign in faster than anybody can be looked at, at the real cost of a password (F16).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use tasuki_protocol::blob::Blob;
use tasuki_protocol::ids::SessionId;
use tasuki_protocol::login::LoginAnswer;
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{AgentToServer, OperatorToServer, ServerToAgent, ServerToOperator};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::client::{DEAR, Operator, PASSWORD, World};
use crate::crash::Process;
use crate::ledger::come_and_go;
use crate::pairing::{Session, open, pair};

const REAL: [(&str, &str); 4] =
    [DEAR[0], DEAR[1], ("connections_per_address", "2000"), ("connections", "3000")];
const A_SECOND: u32 = 200;
/// `TASUKI_FLOOD_S` asks for longer ones.
const FLOOD: Duration = Duration::from_secs(10);
/// How long whoever belongs here may wait (F16).
const SIGNED_IN: Duration = Duration::from_secs(5);
/// Nor may who is in a session wait for longer, though as many hash as there are cores and everybody is on them.
const TALKS_ON: Duration = Duration::from_secs(2);
/// A stranger waits no longer for his answer.
const GIVES_UP: Duration = Duration::from_millis(300);

fn flood() -> Duration {
    let wanted = std::env::var("TASUKI_FLOOD_S").ok().and_then(|seconds| seconds.parse().ok());
    wanted.map_or(FLOOD, Duration::from_secs)
}

fn stranger() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

/// Two hundred tries a second until dropped, at names that are there and at others; two of three
/// hang up before they are answered.
fn strangers(world: &Arc<World>, tried: &Arc<AtomicUsize>) -> JoinSet<()> {
    let (world, tried) = (Arc::clone(world), Arc::clone(tried));
    let mut flooding = JoinSet::new();
    flooding.spawn(async move {
        let mut tries = JoinSet::new();
        let mut beat = tokio::time::interval(Duration::from_secs(1) / A_SECOND);
        for number in 0_usize.. {
            beat.tick().await;
            let (world, tried) = (Arc::clone(&world), Arc::clone(&tried));
            tries.spawn(async move {
                let name = if number % 2 == 0 { "hanako".to_owned() } else { format!("x{number}") };
                let (device, patience) = (stranger(), GIVES_UP * u32::from(number % 3 == 0) * 100);
                let trying = world.try_login(&name, "wrong", &device);
                let answer = timeout(patience.max(GIVES_UP), trying).await.ok().flatten();
                assert!(matches!(answer, None | Some(401 | 503)), "{answer:?}");
                tried.fetch_add(1, Ordering::Relaxed);
            });
            while let Some(tried) = tries.try_join_next() {
                tried.expect("strangers are refused, and hear nothing else");
            }
        }
    });
    flooding
}

/// Ten times a second there and back between the ends of a session, until it has ended; gives what the slowest took.
async fn talk(
    mut operator: Operator,
    mut session: Session,
    of: SessionId,
    ended: &AtomicBool,
) -> Duration {
    let mut slowest = Duration::ZERO;
    for number in 0_u64.. {
        if ended.load(Ordering::Relaxed) {
            break;
        }
        let (body, begun) = (Blob(number.to_be_bytes().to_vec()), Instant::now());
        session.agent.say(&AgentToServer::Forward { body: body.clone() }).await;
        let heard: ServerToOperator = operator.socket.hear().await;
        assert_eq!(heard, ServerToOperator::Forwarded { session: of, body: body.clone() });
        operator.socket.say(&OperatorToServer::Forward { session: of, body: body.clone() }).await;
        let heard: ServerToAgent = session.agent.hear().await;
        assert_eq!(heard, ServerToAgent::Forwarded { body });
        slowest = slowest.max(begun.elapsed());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    slowest
}

/// F16, T53: memory stays within its bound, who is in a session notices nothing, and an approved
/// device signs in within seconds, again and again, whatever strangers do under its account's name.
#[tokio::test]
async fn f16_a_flood_of_logins_takes_no_more_memory_than_its_cap_and_keeps_no_approved_device_out() {
    let mut world = World::start().await;
    world.stop().await;
    let server = Process::start_set(&world, &REAL);
    let mut operator = world.operator("hanako").await;
    let mut talker = world.operator("taro").await;
    let mut room = open(&world, &mut talker, Mode::Control).await;
    let session = pair(&world, &mut talker, &mut room).await;
    let ended = AtomicBool::new(false);
    let talking = talk(talker, session, room.session, &ended);
    let (world, tried) = (Arc::new(world), Arc::new(AtomicUsize::new(0)));
    let mut flooding = strangers(&world, &tried);
    let signing_in = async {
        let began = Instant::now();
        let (mut slowest, mut times) = (Duration::ZERO, 0);
        while began.elapsed() < flood() {
            assert!(flooding.try_join_next().is_none(), "what strangers hear is not what they should");
            let begun = Instant::now();
            while world.try_login("hanako", PASSWORD, &operator.device).await != Some(200) {
                assert!(begun.elapsed() < 6 * SIGNED_IN, "an approved device is kept out");
            }
            (slowest, times) = (slowest.max(begun.elapsed()), times + 1);
            timeout(SIGNED_IN, come_and_go(&world, &mut operator)).await.expect("a number is had");
        }
        ended.store(true, Ordering::Relaxed);
        (slowest, times)
    };
    let ((slowest, times), there_and_back) = tokio::join!(signing_in, talking);
    drop(flooding);
    let (cores, most) = (std::thread::available_parallelism().unwrap().get(), server.most_memory_mb());
    let bound = cores * 64 + 100;
    eprintln!(
        "{} strangers' tries in {} s; the slowest of {times} sign-ins took {slowest:.1?}, a message there and \
         back {there_and_back:.1?}; at most {most} MB",
        tried.load(Ordering::Relaxed),
        flood().as_secs(),
    );
    assert!(most <= bound, "{most} MB, where {bound} are the bound");
    assert!(slowest <= SIGNED_IN, "{slowest:?}");
    assert!(there_and_back <= TALKS_ON, "who is in a session waited {there_and_back:?} for an answer");
}

/// T51, F16: who is told that the server is busy was not looked at, and that is no failure: strangers
/// who fill the queue suspend nobody by it.
#[tokio::test]
async fn t51_a_try_that_nobody_had_time_for_is_no_failure() {
    let mut world = World::start().await;
    world.stop().await;
    let _server = Process::start_set(&world, &REAL);
    let (device, code) =
        (SigningKey::from_bytes(&[41; 32]), world.add_operator("taro", &Mode::ALL).await);
    let world = Arc::new(world);
    let mut flooding = JoinSet::new();
    for number in 0..60 {
        let world = Arc::clone(&world);
        flooding.spawn(async move {
            loop {
                world.try_login(&format!("x{number}"), "wrong", &stranger()).await;
            }
        });
    }
    let mut busy = 0;
    // More often than suspends a name.
    while busy < 6 {
        match world.login("taro", PASSWORD, &device, Some(&code)).await.status {
            503 => busy += 1,
            status => assert_eq!(status, 200, "suspended"),
        }
    }
    drop(flooding);
    let answer = async {
        loop {
            let answer = world.login("taro", PASSWORD, &device, Some(&code)).await;
            if answer.status != 503 {
                return answer.login();
            }
        }
    };
    assert_eq!(timeout(crate::client::PATIENCE, answer).await.unwrap(), LoginAnswer::DevicePending);
}
