//! How long refusals take, and suspensions last (T52, S64).

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ed25519_dalek::SigningKey;
use tasuki_protocol::admin::{
    ChangeOperator, LimitOperator, Limits, OPERATOR_CHANGES_PATH, OPERATOR_LIMITS_PATH, OperatorChange,
};
use tasuki_protocol::login::LoginAnswer;
use tasuki_protocol::rights::Mode;

use crate::acts::database;
use crate::client::{DEAR, PASSWORD, World};
use crate::crash::Process;
use crate::second::with_authenticator;

fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

/// Nanoseconds for which a thread has run, and for which it has stood in line for a processor that others had (proc(5),
/// `schedstat`).
fn ran_and_stood(thread: &Path) -> Option<(u64, u64)> {
    let told = std::fs::read_to_string(thread.join("schedstat")).ok()?;
    let mut spans = told.split_whitespace().map_while(|span| span.parse().ok());
    Some((spans.next()?, spans.next()?))
}

/// Of all threads of a process.
fn each(process: &Path) -> HashMap<PathBuf, (u64, u64)> {
    let threads = std::fs::read_dir(process.join("task")).unwrap().filter_map(Result::ok);
    threads.filter_map(|thread| Some((thread.path(), ran_and_stood(&thread.path())?))).collect()
}

/// The milliseconds until `way` is refused, without those in which the thread that computed, nearly always the one with the
/// hash, stood in line for a processor: what other programs take of the machine tells nobody anything.
async fn refused_after(world: &World, server: &Path, way: &Way) -> f64 {
    let Way { name, password, device, digits } = way;
    let (before, begun) = (each(server), Instant::now());
    let device = key(*device);
    let answer = world.login_with(name, password, &device, |request| {
        request.totp = digits.map(str::to_owned);
    });
    assert_eq!(answer.await.status, 401);
    let took = begun.elapsed();
    let since = |(thread, (ran, stood)): (PathBuf, (u64, u64))| {
        let (ran_before, stood_before) = before.get(&thread).copied().unwrap_or_default();
        (ran - ran_before, stood - stood_before)
    };
    let (_, stood) = each(server).into_iter().map(since).max().unwrap_or_default();
    (took.as_secs_f64() - stood as f64 / 1e9) * 1000.0
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// Of each way but the first by how many milliseconds it took longer than that, as the median over all rounds of how it
/// compares with the first of its own round.
fn longer(rounds: &[Vec<f64>]) -> Vec<f64> {
    let differences = |way: usize| rounds.iter().map(|took| took[way] - took[0]).collect();
    (1..WAYS.len()).map(|way| median(differences(way))).collect()
}

/// One way to be refused.
struct Way {
    name: &'static str,
    password: &'static str,
    /// Which key signs.
    device: u8,
    digits: Option<&'static str>,
}

const fn stranger(name: &'static str, password: &'static str) -> Way {
    Way { name, password, device: STRANGER, digits: None }
}

const fn at_his_own(password: &'static str, digits: &'static str) -> Way {
    Way { name: "hanako", password, device: APPROVED, digits: Some(digits) }
}

const STRANGER: u8 = 9;
const APPROVED: u8 = 51;

/// Unknown, wrong, right without a code, suspended, disabled, and from where he may not; and from an approved device
/// one of the two secrets.
const WAYS: [Way; 8] = [
    stranger("nobody", "wrong"),
    stranger("hanako", "wrong"),
    stranger("hanako", PASSWORD),
    stranger("taro", PASSWORD),
    stranger("jiro", PASSWORD),
    stranger("saburo", PASSWORD),
    at_his_own(PASSWORD, "000000"),
    at_his_own("wrong", "000000"),
];

/// T52: at the real cost, unknown, wrong, suspended and without a code cannot be told apart by the clock, nor can wrong
/// digits from a wrong password.
#[tokio::test]
async fn t52_refusals_of_every_cause_take_the_same_time() {
    let [memory, passes] = DEAR;
    let mut world = World::with(&[memory, passes, ("lock_after", "10000")]).await;
    with_authenticator(&world, &key(APPROVED)).await;
    for name in ["jiro", "saburo", "taro"] {
        world.add_operator(name, &[Mode::View]).await;
    }
    let disable = ChangeOperator { operator: "jiro".to_owned(), change: OperatorChange::Disable };
    assert_eq!(world.admin_post(OPERATOR_CHANGES_PATH, &disable).await.status, 204);
    let limits = Limits { addresses: vec!["192.0.2.0/24".to_owned()], ..Limits::default() };
    let limit = LimitOperator { operator: "saburo".to_owned(), limits };
    assert_eq!(world.admin_post(OPERATOR_LIMITS_PATH, &limit).await.status, 204);
    let suspended = "INSERT INTO failures (operator, device, failures, locked_until)
         SELECT MAX(id), x'', 10000, 9000000000000 FROM operators";
    sqlx::query(suspended).execute(&mut database(&world).await).await.unwrap();
    world.stop().await;
    // In a process of its own, whose threads are no other test's.
    let server = Process::start_set(&world, &[memory, passes, ("lock_after", "10000")]);
    let process = PathBuf::from(format!("/proc/{}", server.id()));
    let mut rounds: Vec<Vec<f64>> = Vec::new();
    // All rounds count; where they do not suffice for a noisy machine, more are added.
    for enough in [5, 11, 25] {
        while rounds.len() < enough {
            let mut took = vec![0.0; WAYS.len()];
            // They take turns at being the first.
            for turn in 0..WAYS.len() {
                let way = (turn + rounds.len() * 3) % WAYS.len();
                took[way] = refused_after(&world, &process, &WAYS[way]).await;
            }
            rounds.push(took);
        }
        if longer(&rounds).iter().all(|longer| longer.abs() < 20.0) {
            return;
        }
    }
    panic!("milliseconds beside an unknown name: {:.1?} of {rounds:.0?}", longer(&rounds));
}

/// S64: fifteen minutes where nobody said otherwise, and the right password is told of by its own device alone.
#[tokio::test]
async fn s64_a_suspension_lasts_fifteen_minutes_by_default() {
    let world = World::start().await;
    let operator = world.operator("hanako").await;
    for _ in 0..3 {
        let answer = world.login("hanako", "wrong", &operator.device, None).await;
        assert_eq!(answer.status, 401);
    }
    let answer = world.login("hanako", PASSWORD, &operator.device, None).await.login();
    let LoginAnswer::Locked { seconds } = answer else { panic!("{answer:?}") };
    assert!((850..=900).contains(&seconds), "{seconds}");
}
