//! What an administrator does is done and recorded, or neither; whoever asked may hang up (S56, T65).

use std::time::Duration;

use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tasuki_protocol::admin::{
    ADMIN_CHANGES_PATH, AdminChange, ChangeAdmin, ChangeOperator, OPERATOR_CHANGES_PATH,
    OPERATORS_PATH, OperatorChange, OperatorList,
};
use tasuki_protocol::ledger::event::Event;
use tasuki_protocol::ledger::words::AdminAction;
use tasuki_protocol::policy::exchange::POLICY_PATH;
use tasuki_protocol::rights::Mode;
use tasuki_protocol::signal::{OperatorToServer, RefusalReason, ServerToOperator};
use tokio::io::AsyncWriteExt;

use crate::client::{PATIENCE, World, new_operator};
use crate::ledger::{come_and_go, read_until};
use crate::policy::{envelope, publish};
use crate::second::joined;

pub(crate) async fn database(world: &World) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(world.data().join("tasuki.db"));
    SqliteConnection::connect_with(&options).await.unwrap()
}

async fn operators(world: &World) -> Vec<String> {
    let answer = world.admin_get(OPERATORS_PATH).await;
    let list: OperatorList = serde_json::from_slice(&answer.body).unwrap();
    list.operators.into_iter().map(|entry| entry.operator).collect()
}

/// S56: the handler waits for the database while its asker goes.
#[tokio::test]
async fn an_administrator_who_hangs_up_has_still_published_what_he_signed() {
    let world = World::start().await;
    let mut operator = world.operator("hanako").await;
    let rules = r#"{"note":"n","operator":{"hanako":{"modes":["view"]}}}"#;
    let body = envelope(&world, &world.admin, 1, rules);
    let signed = world.signed(&world.admin, "POST", POLICY_PATH, &body);
    let headers = signed.headers().into_iter().map(|(name, value)| format!("{name}: {value}\r\n"));
    let head = format!(
        "POST {POLICY_PATH} HTTP/1.1\r\nhost: localhost\r\n{}content-length: {}\r\n\r\n",
        headers.collect::<String>(),
        body.len()
    );
    let mut held = database(&world).await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut held).await.unwrap();
    let mut stream = world.tls().await;
    stream.write_all(&[head.as_bytes(), &body].concat()).await.unwrap();
    stream.flush().await.unwrap();
    // Long enough for the server to be in the midst of it; what counts holds at any moment.
    tokio::time::sleep(Duration::from_millis(300)).await;
    drop(stream);
    tokio::time::sleep(Duration::from_millis(300)).await;
    sqlx::query("ROLLBACK").execute(&mut held).await.unwrap();

    let ask = OperatorToServer::OpenRoom { mode: Mode::Control, hellos: Vec::new(), reason: None };
    let in_force = ServerToOperator::Refused { reason: RefusalReason::Mode };
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        operator.socket.say(&ask).await;
        if operator.socket.hear::<ServerToOperator>().await == in_force {
            break;
        }
        assert!(tokio::time::Instant::now() < end, "it never came into force");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    come_and_go(&world, &mut operator).await;
    let published =
        |event: &Event| matches!(event, Event::AdminDid { action: AdminAction::PolicyPublished, .. });
    read_until(&world, published).await;
}

/// S56: nothing that an administrator does to another, or to one operator's rules, is a mere change of settings.
#[tokio::test]
async fn s56_what_is_done_to_administrators_and_to_one_operators_rules_is_called_what_it_is() {
    let world = World::start().await;
    let taro = ed25519_dalek::SigningKey::from_bytes(&[61; 32]);
    assert_eq!(joined(&world, "taro", &taro).await.status, 201);
    let rules = r#"{"operator":{"hanako":{"chat":false}},"default":{"chat":true}}"#;
    assert_eq!(publish(&world, &world.admin, 1, rules).await.status, 201);
    let rules = r#"{"operator":{"hanako":{"chat":false}},"group":{"desk":{"chat":false}}}"#;
    assert_eq!(publish(&world, &world.admin, 2, rules).await.status, 201);
    let rules = r#"{"operator":{"hanako":{"hours":["mon-fri 09:00-18:00"]}},"group":{"desk":{}},
        "default":{"max_minutes":60},"time_zone":"Asia/Tokyo"}"#;
    assert_eq!(publish(&world, &world.admin, 3, rules).await.status, 201);
    let guessed = "INSERT INTO failures (operator, device, failures, locked_until)
         SELECT -max(id), x'00', 1, 0 FROM admins";
    sqlx::query(guessed).execute(&mut database(&world).await).await.unwrap();
    // What is so already is answered with 200, and leaves no row.
    for (change, status) in [
        (AdminChange::Enable, 200),
        (AdminChange::Disable, 204),
        (AdminChange::Enable, 204),
        (AdminChange::Unlock, 204),
        (AdminChange::Unlock, 200),
        (AdminChange::Remove, 204),
    ] {
        let order = ChangeAdmin { name: "taro".to_owned(), change };
        assert_eq!(world.admin_post(ADMIN_CHANGES_PATH, &order).await.status, status, "{change:?}");
    }
    let is_last =
        |event: &Event| matches!(event, Event::AdminDid { action: AdminAction::AdminRemoved, .. });
    let read = read_until(&world, is_last).await;
    let mut acts = Vec::new();
    for entry in read.entries.iter().flatten() {
        if let Event::AdminDid { action, target, detail, .. } = &entry.event {
            acts.push((*action, target.as_str(), detail.as_str()));
        }
    }
    for act in [
        (AdminAction::AdminInvited, "taro", ""),
        (AdminAction::AdminEnrolled, "taro", ""),
        (AdminAction::PolicyPublished, "version 1", "operator.hanako=chat, default=chat"),
        (AdminAction::PolicyPublished, "version 2", "group.desk=chat, default=chat"),
        (
            AdminAction::PolicyPublished,
            "version 3",
            "operator.hanako=chat hours, group.desk=chat, default=max_minutes time_zone",
        ),
        (AdminAction::AdminDisabled, "taro", ""),
        (AdminAction::AdminEnabled, "taro", ""),
        (AdminAction::AdminUnlocked, "taro", ""),
        (AdminAction::AdminRemoved, "taro", ""),
    ] {
        let found = acts.iter().filter(|found| **found == act).count();
        assert_eq!(found, 1, "{act:?} among {acts:?}");
    }
}

/// T65: where the ledger takes no record, no account changes; and one act that is refused takes
/// nothing else with it.
#[tokio::test]
async fn t65_what_cannot_be_recorded_is_not_done() {
    let world = World::start().await;
    world.add_operator("hanako", &[Mode::View]).await;
    let mut own = database(&world).await;
    let full = "CREATE TRIGGER full BEFORE INSERT ON ledger BEGIN SELECT RAISE(ABORT, 'full'); END";
    sqlx::query(full).execute(&mut own).await.unwrap();
    let taro = new_operator("taro", &[Mode::View]);
    assert_eq!(world.admin_post(OPERATORS_PATH, &taro).await.status, 503);
    let remove = ChangeOperator { operator: "hanako".to_owned(), change: OperatorChange::Remove };
    assert_eq!(world.admin_post(OPERATOR_CHANGES_PATH, &remove).await.status, 503);
    sqlx::query("DROP TRIGGER full").execute(&mut own).await.unwrap();
    assert_eq!(operators(&world).await, ["hanako"]);

    // Twice the same name, and others beside it, all at once.
    let orders = ["taro", "jiro", "taro", "saburo"].map(|name| new_operator(name, &[Mode::View]));
    let answers = orders.iter().map(|order| world.admin_post(OPERATORS_PATH, order));
    let mut statuses: Vec<u16> =
        futures_util::future::join_all(answers).await.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 201, 201, 409]);
    let mut there = operators(&world).await;
    there.sort();
    assert_eq!(there, ["hanako", "jiro", "saburo", "taro"]);
}
