//! Many at one moment: guesses, tokens that serve once, and a backup of a database that is being written
//! (S56, S79, T51, T52, T57).

use ed25519_dalek::SigningKey;
use futures_util::future::join_all;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use tasuki_protocol::admin::{
    ADMIN_LOGIN_PATH, ADMINS_PATH, AddAdmin, AdminAdded, AdminLoginAnswer, ENROL_PATH, JOIN_PATH,
    OPERATORS_PATH, OperatorList,
};
use tasuki_protocol::ledger::event::Event;
use tasuki_protocol::ledger::words::{AdminAction, LockedOut, LoginFailure};
use tasuki_protocol::login::LoginAnswer;
use tasuki_protocol::rights::Mode;

use crate::acts::database;
use crate::backup::{done, move_database_away, program};
use crate::client::{ADMIN_PASSWORD, PASSWORD, World};
use crate::ledger::{Read, read_until};
use crate::recovery::enrol;
use crate::second::{as_admin, digits, joined, log_in, with_authenticator, with_digits};

fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

const AT_ONE_MOMENT: usize = 50;

/// What was found of the tries at an account that were looked at.
fn looked_at(read: &Read, name: &str) -> Vec<LoginFailure> {
    let failure = |event: &Event| {
        let Event::LoginFailed { account, why, .. } = event else { return None };
        (account == name).then_some(*why)
    };
    let failures = read.entries.iter().flatten().filter_map(|entry| failure(&entry.event));
    failures.filter(|why| *why != LoginFailure::Locked).collect()
}

/// T51: from an approved device, at an authenticator's digits, and as an administrator: three of fifty are looked
/// at, and no restart forgives.
#[tokio::test]
async fn t51_of_fifty_guesses_at_one_moment_three_are_looked_at_and_a_restart_forgives_none() {
    let mut world = World::start().await;
    let taro = world.operator("taro").await;
    let device = key(51);
    let uri = with_authenticator(&world, &device).await;
    let second = key(61);
    assert_eq!(joined(&world, "second", &second).await.status, 201);
    // The one wrong try of setting up.
    let unlock = "DELETE FROM failures";
    sqlx::query(unlock).execute(&mut database(&world).await).await.unwrap();

    join_all((0..AT_ONE_MOMENT).map(|_| world.login("taro", "wrong", &taro.device, None))).await;
    let wrong = || Some("000000".to_owned());
    join_all((0..AT_ONE_MOMENT).map(|_| with_digits(&world, &device, wrong()))).await;
    let order = log_in("wrong");
    join_all((0..AT_ONE_MOMENT).map(|_| as_admin(&world, &second, ADMIN_LOGIN_PATH, &order))).await;
    // Everything before it stands in the ledger with it.
    world.add_operator("last", &[Mode::View]).await;
    let is_last = |event: &Event| matches!(event, Event::AdminDid { target, .. } if target == "last");
    let read = read_until(&world, is_last).await;
    assert_eq!(looked_at(&read, "taro"), [LoginFailure::Password; 3]);
    let digits_refused = LoginFailure::SecondFactor;
    let of_hanako = looked_at(&read, "hanako");
    assert_eq!(of_hanako[of_hanako.len() - 3..], [digits_refused; 3], "{of_hanako:?}");
    assert_eq!(of_hanako.iter().filter(|why| **why == digits_refused).count(), 4, "with the set-up's");
    assert_eq!(looked_at(&read, "second"), [LoginFailure::Password; 3]);
    let locked = |name: &str| {
        let of = read.entries.iter().flatten().filter(|entry| entry.operator.as_deref() == Some(name));
        let who = of.filter_map(|entry| {
            let Event::LockedOut { who, .. } = &entry.event else { return None };
            Some(*who)
        });
        who.collect::<Vec<_>>()
    };
    assert_eq!(locked("taro"), [LockedOut::ThisDevice], "S55: which of the two counters was full");

    for _ in 0..2 {
        let answers = [
            world.login("taro", PASSWORD, &taro.device, None).await.login(),
            with_digits(&world, &device, Some(digits(&uri, 1))).await.login(),
        ];
        assert!(
            answers.iter().all(|answer| matches!(answer, LoginAnswer::Locked { .. })),
            "{answers:?}"
        );
        let answer = as_admin(&world, &second, ADMIN_LOGIN_PATH, &log_in(ADMIN_PASSWORD)).await;
        let answer = serde_json::from_slice::<AdminLoginAnswer>(&answer.body).unwrap();
        assert!(matches!(answer, AdminLoginAnswer::Locked { .. }), "{answer:?}");
        world.stop().await;
        world.run().await;
    }
}

/// T52: whoever has the device and not both secrets is not told which of the two was right.
#[tokio::test]
async fn t52_wrong_digits_get_the_whole_answer_that_a_wrong_password_gets() {
    let world = World::start().await;
    let device = key(51);
    let uri = with_authenticator(&world, &device).await;
    let forgiven = || async {
        sqlx::query("DELETE FROM failures").execute(&mut database(&world).await).await.unwrap();
    };
    forgiven().await;
    let wrong_digits = with_digits(&world, &device, Some("000000".to_owned())).await;
    forgiven().await;
    let right = digits(&uri, 1);
    let both_wrong =
        world.login_with("hanako", "wrong", &device, |order| order.totp = Some(right)).await;
    forgiven().await;
    let wrong_password = world.login("hanako", "wrong", &device, None).await;
    assert_eq!(wrong_digits.status, 401);
    assert_eq!(wrong_digits, wrong_password);
    assert_eq!(both_wrong, wrong_password);
}

/// T57: of two who come with one token at one moment one is taken in; and a token that is none is told of.
#[tokio::test]
async fn t57_setup_tokens_and_invitations_work_once_at_one_moment_too_and_wrong_ones_are_recorded() {
    let mut world = World::untouched(&[]).await;
    let token = world.done.admin_token.clone();
    // Before there are keys to record under, nothing is recorded.
    let guess = enrol("no token", "x", &key(70));
    assert_eq!(world.post(ENROL_PATH, &guess, &[]).await.status, 401);
    let orders = [71, 72].map(|n| enrol(&token, "first", &key(n)));
    let answers = join_all(orders.iter().map(|order| world.post(ENROL_PATH, order, &[]))).await;
    let won = answers.iter().position(|answer| answer.status == 201).expect("one is taken in");
    assert!(matches!(answers[1 - won].status, 401 | 404), "{:?}", answers[1 - won]);
    world.admin = key(if won == 0 { 71 } else { 72 });
    world.initialise().await;

    let invited = world.admin_post(ADMINS_PATH, &AddAdmin { name: "guest".to_owned() }).await;
    let AdminAdded { token, .. } = serde_json::from_slice(&invited.body).unwrap();
    let orders = [73, 74].map(|n| enrol(&token, "guest", &key(n)));
    let answers = join_all(orders.iter().map(|order| world.post(JOIN_PATH, order, &[]))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 401]);
    let count = "SELECT COUNT(*) FROM admins";
    let admins: i64 = sqlx::query_scalar(count).fetch_one(&mut database(&world).await).await.unwrap();
    assert_eq!(admins, 2);
    assert_eq!(world.post(JOIN_PATH, &guess, &[]).await.status, 401);
    let refused = |event: &Event, wanted: &str| matches!(event, Event::AdminRefused { path, from, .. } if path == wanted && from == "127.0.0.1");
    let count = |read: &Read| {
        let refusals = read.entries.iter().flatten().filter(|entry| refused(&entry.event, JOIN_PATH));
        refusals.count()
    };
    let mut read = read_until(&world, |event| refused(event, JOIN_PATH)).await;
    while count(&read) < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        read = read_until(&world, |event| refused(event, JOIN_PATH)).await;
    }
}

/// S79: accounts and records that are written while a backup is made are in it both, or neither.
#[tokio::test]
async fn s79_a_backup_of_a_database_that_is_being_written_has_no_account_without_its_record() {
    let mut world = World::start().await;
    let mut added = 0;
    for round in 0..3 {
        let file = world.folder.path().join(format!("{round}.backup"));
        let (data, out) = (world.data(), file.clone());
        let making = tokio::task::spawn_blocking(move || program("backup", &data, &out));
        while !making.is_finished() {
            world.add_operator(&format!("operator-{added:03}"), &[Mode::View]).await;
            added += 1;
        }
        done(&making.await.unwrap());
    }
    world.stop().await;
    move_database_away(&world);
    done(&program("restore", &world.data(), &world.folder.path().join("2.backup")));
    let options = SqliteConnectOptions::new().filename(world.data().join("tasuki.db"));
    let pool = SqlitePool::connect_with(options).await.unwrap();
    let check: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&pool).await.unwrap();
    assert_eq!(check, "ok");
    pool.close().await;
    world.run().await;
    assert_eq!(world.admin_post(ADMIN_LOGIN_PATH, &log_in(ADMIN_PASSWORD)).await.status, 200);
    let listed = world.admin_get(OPERATORS_PATH).await;
    let listed: OperatorList = serde_json::from_slice(&listed.body).unwrap();
    let mut accounts: Vec<String> = listed.operators.into_iter().map(|entry| entry.operator).collect();
    accounts.sort();
    // Verified to its newest checkpoint as it is read.
    let read = read_until(&world, |event| matches!(event, Event::Restored { .. })).await;
    let mut recorded: Vec<String> = Vec::new();
    for entry in read.entries.iter().flatten() {
        if let Event::AdminDid { action: AdminAction::OperatorAdded, target, .. } = &entry.event {
            recorded.push(target.clone());
        }
    }
    recorded.sort();
    assert!(!accounts.is_empty() && accounts.len() <= added, "{} of {added}", accounts.len());
    assert_eq!(accounts, recorded);
}
