//! How long refusals take, and suspensions last (T52, S64).

use std::time::Instant;

use ed25519_dalek::SigningKey;
use tasuki_protocol::admin::{
    ChangeOperator, LimitOperator, Limits, OPERATOR_CHANGES_PATH, OPERATOR_LIMITS_PATH, OperatorChange,
};
use tasuki_protocol::login::LoginAnswer;
use tasuki_protocol::rights::Mode;

use crate::acts::database;
use crate::client::{DEAR, PASSWORD, World};
use crate::second::with_authenticator;

fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

/// The milliseconds by which each way took longer than the first, by the lower quartile of rounds in which
/// they take turns: what other programs take of the machine is in the slower ones.
async fn longer(world: &World, rounds: usize) -> Vec<f64> {
    let mut took = vec![Vec::new(); WAYS.len()];
    for _ in 0..rounds {
        for (way, Way { name, password, device, digits }) in WAYS.iter().enumerate() {
            let begun = Instant::now();
            let device = key(*device);
            let answer = world.login_with(name, password, &device, |request| {
                request.totp = digits.map(str::to_owned);
            });
            assert_eq!(answer.await.status, 401);
            took[way].push(begun.elapsed().as_secs_f64() * 1000.0);
        }
    }
    let quartiles: Vec<f64> = took
        .into_iter()
        .map(|mut way| {
            way.sort_by(f64::total_cmp);
            way[way.len() / 4]
        })
        .collect();
    quartiles[1..].iter().map(|way| way - quartiles[0]).collect()
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
    let world = World::with(&[memory, passes, ("lock_after", "10000")]).await;
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
    let mut last = Vec::new();
    for _ in 0..10 {
        last = longer(&world, 9).await;
        if last.iter().all(|longer| longer.abs() < 20.0) {
            return;
        }
    }
    panic!("milliseconds beside an unknown name: {last:.1?}");
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
