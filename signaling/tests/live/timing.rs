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

/// How many commits the write-ahead log of `data` holds, and by which salt it began
/// (<https://sqlite.org/fileformat2.html#walformat>).
fn commits(data: &Path) -> (Vec<u8>, usize) {
    let log = std::fs::read(data.join("tasuki.db-wal")).unwrap();
    let word = |at: usize| u32::from_be_bytes(log[at..at + 4].try_into().unwrap());
    let (page, salt) = (usize::try_from(word(8)).unwrap(), log[16..24].to_vec());
    let frames = (32..log.len()).step_by(24 + page).filter(|at| at + 24 + page <= log.len());
    let own = frames.filter(|at| log[at + 8..at + 16] == salt);
    (salt.clone(), own.filter(|at| word(at + 4) > 0).count())
}

/// T52: who is refused has waited for the disk as often as anybody else, whatever was counted, suspended or looked up:
/// a disk is a slow clock to hide.
#[tokio::test]
async fn t52_refusals_of_every_cause_wait_for_the_disk_equally_often_the_third_one_too() {
    let world = World::start().await;
    for name in ["hanako", "jiro"] {
        world.add_operator(name, &[Mode::View]).await;
    }
    let disable = ChangeOperator { operator: "jiro".to_owned(), change: OperatorChange::Disable };
    assert_eq!(world.admin_post(OPERATOR_CHANGES_PATH, &disable).await.status, 204);
    let tries = [
        ("hanako", "wrong"),
        ("hanako", "wrong"),
        ("hanako", "wrong"),
        ("hanako", "wrong"),
        ("nobody", "wrong"),
        ("nobody", "wrong"),
        ("nobody", "wrong"),
        ("nobody", "wrong"),
        ("jiro", PASSWORD),
        ("jiro", PASSWORD),
        ("jiro", PASSWORD),
    ];
    let mut least = [usize::MAX; 13];
    // What the server writes by itself comes in between now and then.
    for _ in 0..5 {
        for (at, (name, password)) in tries.into_iter().chain([("hanako", PASSWORD); 2]).enumerate() {
            if at == 0 || at == tries.len() {
                let over = sqlx::query("DELETE FROM failures");
                over.execute(&mut database(&world).await).await.unwrap();
            }
            let code = (at == tries.len() + 1).then_some("no code of anybody's");
            let (salt, before) = commits(&world.data());
            assert_eq!(world.login(name, password, &key(STRANGER), code).await.status, 401);
            let (same, after) = commits(&world.data());
            // Where the log began anew it is counted in another round.
            if salt == same && after > before {
                least[at] = least[at].min(after - before);
            }
        }
    }
    assert_eq!(least, [2; 13], "one for the count, one for the ledger");
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
