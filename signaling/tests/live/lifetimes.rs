//! How long a sign-in lasts, for operators and administrators: unused for so long, or so long in all
//! (S62, T55). The clock stands still here; rows are made older.

use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tasuki_protocol::admin::{
    ADMIN_HEADER, ADMIN_LIMITS_PATH, ADMIN_LOGIN_PATH, ADMIN_LOGOUT_PATH, ADMIN_SESSION_HEADER,
    AddOperator, GROUPS_PATH, Hours, LimitAdmin, Limits, OPERATORS_PATH, Problem, ProblemCode,
};
use tasuki_protocol::ledger::event::Event;
use tasuki_protocol::ledger::words::{AdminAction, LogoutCause};
use tasuki_protocol::login::LoginAnswer;
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{OPERATOR_PATH, ServerToAgent};
use tokio::time::timeout;

use crate::acts::database;
use crate::client::{ADMIN_PASSWORD, Operator, PASSWORD, PATIENCE, World, new_operator, unix};
use crate::crash::Process;
use crate::http::{Answer, admin_header_in};
use crate::ledger::read_until;
use crate::outside::elsewhere;
use crate::pairing::{open, pair};
use crate::second::{as_admin, code, joined, key, limited, log_in};

/// Defaults: half an hour, and twelve.
pub(crate) const IDLE: i64 = 30 * 60;
pub(crate) const ABSOLUTE: i64 = 12 * 3600;
/// Longer than anything here takes.
const MARGIN: i64 = 120;
/// Longer than the server takes to note that a connection is closed.
const A_WHILE: Duration = Duration::from_millis(500);

/// Makes the rows of a table older by so many seconds.
pub(crate) async fn age(world: &World, table: &str, column: &str, seconds: i64) {
    let age = sqlx::AssertSqlSafe(format!("UPDATE {table} SET {column} = {column} - {seconds}"));
    let aged = sqlx::query(age).execute(&mut database(world).await).await.unwrap();
    assert!(aged.rows_affected() > 0);
}

#[tokio::test]
async fn s62_t55_an_operators_sign_in_ends_unused_and_at_its_age_and_takes_its_connection_along() {
    let world = World::start().await;
    let hanako = world.operator("hanako").await;
    let bearer = format!("Bearer {}", hanako.token);
    let opens = async || world.socket(OPERATOR_PATH, &[("authorization", &bearer)]).await.is_ok();
    age(&world, "tokens", "used", IDLE - MARGIN).await;
    assert!(opens().await, "that was a use");
    age(&world, "tokens", "used", IDLE - MARGIN).await;
    assert!(opens().await, "it counts from the last use");
    age(&world, "tokens", "created", ABSOLUTE - 10).await;
    let mut last = world.operator_socket(&hanako.token, &hanako.device).await;
    // It ends with its token, by itself, though it is in use.
    let ended = timeout(PATIENCE, last.text()).await.expect("it ends");
    assert_eq!(ended, None);
    assert!(!opens().await, "too old, however much it was used");

    let taro = world.operator("taro").await;
    let bearer = format!("Bearer {}", taro.token);
    age(&world, "tokens", "used", IDLE + 1).await;
    let headers = [("authorization", bearer.as_str())];
    assert!(world.socket(OPERATOR_PATH, &headers).await.is_err(), "unused for too long");
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert!(world.socket(OPERATOR_PATH, &headers).await.is_err(), "and asking again is no use of it");

    // Nor is a program that waits, and asks for nothing, however long it does.
    let yuki = world.operator("yuki").await;
    let waits = world.operator_socket(&yuki.token, &yuki.device).await;
    age(&world, "tokens", "used", IDLE - MARGIN).await;
    drop(waits);
    tokio::time::sleep(A_WHILE).await;
    age(&world, "tokens", "used", 2 * MARGIN).await;
    let bearer = format!("Bearer {}", yuki.token);
    let headers = [("authorization", bearer.as_str())];
    assert!(world.socket(OPERATOR_PATH, &headers).await.is_err(), "its end was no use either");
}

#[tokio::test]
async fn s62_s56_an_administrators_sign_in_ends_unused_and_at_its_age() {
    let world = World::start().await;
    let refused = async || {
        let answer = world.admin_get(OPERATORS_PATH).await;
        let problem = serde_json::from_slice::<Problem>(&answer.body);
        problem.ok().map(|problem| problem.code)
    };
    let sign_in = async || {
        let login =
            json!({ "password": ADMIN_PASSWORD, "totp": null, "authenticator": "keep", "macs": [] });
        assert_eq!(world.admin_post(ADMIN_LOGIN_PATH, &login).await.status, 200);
    };
    for (column, most) in [("used", IDLE), ("began", ABSOLUTE)] {
        age(&world, "admin_sessions", column, most - MARGIN).await;
        assert_eq!(refused().await, None, "{column}");
        // Where that was a use it counts from there.
        age(&world, "admin_sessions", column, if column == "used" { most + 1 } else { MARGIN + 1 })
            .await;
        for _ in 0..2 {
            assert_eq!(refused().await, Some(ProblemCode::AdminSignIn), "{column}");
        }
        sign_in().await;
        assert_eq!(refused().await, None, "{column}");
    }
}

/// What the administrator's key asks in a sign-in, or in none.
async fn ask_in(world: &World, session: Option<&str>, path: &str, body: &serde_json::Value) -> Answer {
    let method = if body.is_null() { "GET" } else { "POST" };
    let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
    let proof = admin_header_in(session, &world.admin, unix(), method, path, &body);
    let session = session.map(|session| (ADMIN_SESSION_HEADER, session));
    let headers: Vec<_> = session.into_iter().chain([(ADMIN_HEADER, proof.as_str())]).collect();
    world.request(method, path, body, &headers).await
}

/// A sign-in of the same administrator at one more terminal.
async fn terminal(world: &World, from: Option<&str>) -> String {
    let login = serde_json::to_value(log_in(ADMIN_PASSWORD)).unwrap();
    let answer = ask_in(world, from, ADMIN_LOGIN_PATH, &login).await;
    let told: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    told["session"].as_str().expect("he is signed in").to_owned()
}

fn refusal(answer: &Answer) -> Option<ProblemCode> {
    serde_json::from_slice::<Problem>(&answer.body).ok().map(|problem| problem.code)
}

/// S62, T55: a copy of his key acts in no sign-in but in one that was begun with it, password and digits.
#[tokio::test]
async fn s62_t55_an_administrators_key_opens_nothing_in_a_sign_in_that_is_not_shown() {
    let world = World::start().await;
    let first = world.session_of(&world.admin).unwrap();
    let looks = async |session: Option<&str>| {
        refusal(&ask_in(&world, session, OPERATORS_PATH, &serde_json::Value::Null).await)
    };
    let other = terminal(&world, None).await;
    assert_eq!((looks(Some(&first)).await, looks(Some(&other)).await), (None, None), "each on its own");
    assert_eq!(ask_in(&world, Some(&other), ADMIN_LOGOUT_PATH, &json!({})).await.status, 204);
    assert_eq!(joined(&world, "taro", &key(61)).await.status, 201);
    let of_taro = world.session_of(&key(61)).unwrap();
    let forged = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    let group = json!({ "group": "desk", "change": "add" });
    for shown in [None, Some(other.as_str()), Some(of_taro.as_str()), Some(forged), Some("")] {
        assert_eq!(looks(shown).await, Some(ProblemCode::AdminSignIn), "{shown:?}");
        let changed = ask_in(&world, shown, GROUPS_PATH, &group).await;
        assert_eq!(refusal(&changed), Some(ProblemCode::AdminSignIn), "{shown:?}");
        let left = ask_in(&world, shown, ADMIN_LOGOUT_PATH, &json!({})).await;
        assert_eq!(refusal(&left), Some(ProblemCode::AdminSignIn), "{shown:?}");
    }
    assert_eq!(looks(Some(&first)).await, None, "the genuine one has stood all the while");
    // What the server keeps is no sign-in either.
    let kept = "SELECT COUNT(*) FROM admin_sessions WHERE hash = ? OR hash = CAST(? AS BLOB)";
    let kept = sqlx::query_scalar::<_, i64>(kept).bind(&first).bind(&first);
    assert_eq!(kept.fetch_one(&mut database(&world).await).await.unwrap(), 0);
}

/// S62: who he is was shown at one terminal, and not at those that were left open; and they have an end.
#[tokio::test]
async fn s62_t55_each_terminal_of_an_administrator_is_confirmed_on_its_own_and_the_oldest_of_many_goes()
{
    let world = World::start().await;
    let first = world.session_of(&world.admin).unwrap();
    age(&world, "admin_sessions", "confirmed", ABSOLUTE).await;
    let other = terminal(&world, None).await;
    let change = async |session: &str, change: &str| {
        let group = json!({ "group": "desk", "change": change });
        refusal(&ask_in(&world, Some(session), GROUPS_PATH, &group).await)
    };
    assert_eq!(change(&first, "add").await, Some(ProblemCode::Confirm), "it was left open");
    assert_eq!(change(&other, "add").await, None);
    // He shows it there, too: this one goes on under another name, and that is all.
    let again = terminal(&world, Some(&first)).await;
    assert_eq!(change(&first, "remove").await, Some(ProblemCode::AdminSignIn));
    assert_eq!(change(&again, "remove").await, None);
    age(&world, "admin_sessions", "used", 10).await;
    assert_eq!(change(&other, "add").await, None, "used after the other");
    let mut last = String::new();
    for _ in 0..7 {
        last = terminal(&world, None).await;
    }
    assert_eq!(change(&again, "add").await, Some(ProblemCode::AdminSignIn), "of nine one goes");
    assert_eq!(change(&other, "remove").await, None);
    assert_eq!(change(&last, "add").await, None);
}

/// T17, T54, T55: more accounts are ordered at one moment than passwords are hashed at one, and meanwhile their administrator
/// is limited, or signs himself out: behind that nothing of his is done, though each of them was asked for before.
#[tokio::test]
async fn t17_t54_t55_what_waits_for_a_hash_while_its_sign_in_ends_is_not_done() {
    let mut world = World::start().await;
    let taro = key(61);
    assert_eq!(joined(&world, "taro", &taro).await.status, 201);
    world.make_passwords_dear().await;
    let running = world.running.as_ref().unwrap();
    let limit = async |limits: Limits| {
        let order = LimitAdmin { name: "taro".to_owned(), limits, macs: Vec::new() };
        world.admin_post(ADMIN_LIMITS_PATH, &order).await.status
    };
    // Some wait until others are done, and none finds the queue full.
    let many = std::thread::available_parallelism().unwrap().get() + 24;
    for (last, end) in [("limited", AdminAction::AdminLimited), ("left", AdminAction::LoggedOut)] {
        let orders: Vec<AddOperator> =
            (0..many).map(|n| new_operator(&format!("{last}-{n}"), &[Mode::View])).collect();
        let before = running.hashes();
        let ordered = orders.iter().map(|order| as_admin(&world, &taro, OPERATORS_PATH, order));
        let ending = async {
            while running.hashes() == before {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            if end == AdminAction::LoggedOut {
                as_admin(&world, &taro, ADMIN_LOGOUT_PATH, &json!({})).await.status
            } else {
                limit(elsewhere()).await
            }
        };
        let (answers, ended) = tokio::join!(join_all(ordered), ending);
        assert_eq!(ended, 204, "{last}");
        for answer in &answers {
            assert!(answer.status == 201 || code(answer) == ProblemCode::AdminSignIn, "{answer:?}");
        }
        assert!(answers.iter().any(|answer| answer.status == 401), "{last}: nobody has waited");
        // Everything before it stands in the ledger with it.
        world.add_operator(last, &[Mode::View]).await;
        let is_last = |event: &Event| matches!(event, Event::AdminDid { target, .. } if target == last);
        let read = read_until(&world, is_last).await;
        let events = || read.entries.iter().flatten().map(|entry| &entry.event);
        let is_end = |event: &Event| matches!(event, Event::AdminDid { action, .. } if *action == end);
        let is_his = |event: &Event| {
            matches!(event, Event::AdminDid { admin, action: AdminAction::OperatorAdded, target, .. }
                if admin == "taro" && target.starts_with(last))
        };
        assert!(events().any(is_end), "{last}");
        let afterwards = events().skip_while(|event| !is_end(event)).filter(|event| is_his(event));
        assert_eq!(afterwards.count(), 0, "{last}");
        let done = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(events().filter(|event| is_his(event)).count(), done, "{last}: no more than that");
        assert_eq!(limit(Limits::default()).await, 204);
    }
}

/// Hours that end with the so many-th minute since 1970, where it is noon then, so that no midnight comes in between.
fn hours_until(end: u64) -> Limits {
    let noon = 12;
    let behind = i64::try_from(end / 60 % 24).unwrap() - noon;
    let zone = format!("Etc/GMT{behind:+}");
    let until = i64::try_from(end % 1440).unwrap() - 60 * behind;
    let until = u16::try_from(until).unwrap();
    let hours = Hours { zone, days: (1..=7).collect(), from: 0, until };
    Limits { hours: Some(hours), ..Limits::default() }
}

/// A stopped server, somebody who was signed in there, the minute in which his hours end, and where the server's clock
/// will be read from.
async fn stopped_before_the_end_of_hours() -> (World, Operator, u64, PathBuf) {
    let mut world = World::start().await;
    let operator = world.operator("hanako").await;
    let end = unix() / 60 + 2;
    limited(&world, hours_until(end)).await;
    world.stop().await;
    let wall = world.folder.path().join("wall");
    (world, operator, end, wall)
}

/// S63: an account's hours end what lives, the line and the session of who stays to the end, and let him back in no more.
#[tokio::test]
async fn s63_the_end_of_the_allowed_hours_ends_the_line_and_the_session_of_who_is_in_one() {
    let (world, mut operator, end, wall) = stopped_before_the_end_of_hours().await;
    // The server's clock is put a little before the minute in which they end.
    std::fs::write(&wall, format!("+{}", end * 60 - 28 - unix())).unwrap();
    let _server = Process::start_by(&world, &wall);
    operator.socket = world.operator_socket(&operator.token, &operator.device).await;
    let mut room = open(&world, &mut operator, Mode::View).await;
    let mut session = pair(&world, &mut operator, &mut room).await;
    let heard = timeout(PATIENCE, session.agent.hear::<ServerToAgent>()).await.expect("it ends");
    assert!(matches!(heard, ServerToAgent::Closed { .. }), "{heard:?}");
    while timeout(PATIENCE, operator.socket.text()).await.expect("it ends").is_some() {}
    let answer = world.login("hanako", PASSWORD, &operator.device, None).await.login();
    let LoginAnswer::OutsideHours { opens: Some(opens), zone } = answer else { panic!("{answer:?}") };
    assert!(opens > end * 60 && zone.starts_with("Etc/GMT"), "{opens} {zone}");
}

/// S63: other hours hold for who is connected, too: he stays on past the end of those of before, or goes before it.
#[tokio::test]
async fn s63_a_line_that_is_open_lasts_as_long_as_the_hours_that_came_after_it() {
    let (world, mut operator, end, wall) = stopped_before_the_end_of_hours().await;
    // So many seconds before that minute is over.
    let to_go = |minute: u64, seconds: u64| {
        std::fs::write(&wall, format!("+{}", minute * 60 - seconds - unix())).unwrap();
    };
    to_go(end, 12);
    let _server = Process::start_by(&world, &wall);
    operator.socket = world.operator_socket(&operator.token, &operator.device).await;
    limited(&world, hours_until(end + 2)).await;
    let stays = timeout(Duration::from_secs(14), operator.socket.next()).await;
    assert!(stays.is_err(), "the hour of before has come: {stays:?}");
    open(&world, &mut operator, Mode::View).await;
    // Fewer again, of which eight seconds are left.
    to_go(end + 1, 8);
    limited(&world, hours_until(end + 1)).await;
    while timeout(PATIENCE, operator.socket.text()).await.expect("it ends").is_some() {}
    let expired = |event: &Event| matches!(event, Event::LoggedOut { why: LogoutCause::Expired });
    read_until(&world, expired).await;
}
